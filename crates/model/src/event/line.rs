//! Writes a record as the line of JSON that the ledger chains: one per request, so without a detour.
//! Gives `Event::write` and `Event::write_with`; what it writes reads back as the same event.
//! Used by audit.
//! Start reading at `Event::write`.

use super::Event;
use crate::json::{write_digits, write_string};
use crate::{Text, Timestamp, printable};

impl Event {
    /// Appends the record as compact JSON, without a newline. Fields are in the order of the struct; absent ones are left out.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_with(self.latest, out);
    }

    /// The same with another `latest`.
    pub fn write_with(&self, latest: Option<Timestamp>, out: &mut Vec<u8>) {
        let mut line = Line { out };
        line.out.extend_from_slice(b"{\"at\":");
        line.signed(self.at.micros());
        if let Some(latest) = latest {
            line.out.extend_from_slice(b",\"latest\":");
            line.signed(latest.micros());
        }
        line.string(",\"kind\":", &self.kind);
        if let Some(id) = self.id {
            line.out.extend_from_slice(b",\"id\":\"");
            line.out.extend_from_slice(&id.ascii());
            line.out.push(b'"');
        }
        line.string(",\"outcome\":", &self.outcome);
        line.text(",\"code\":", &self.code);
        line.text(",\"stage\":", &self.stage);
        line.number(",\"status\":", self.status);
        self.who(&mut line);
        self.what(&mut line);
        self.why(&mut line);
        self.how(&mut line);
        line.text(",\"configuration\":", &self.configuration);
        line.out.push(b'}');
    }

    fn who(&self, line: &mut Line<'_>) {
        line.text(",\"integration\":", &self.integration);
        line.text(",\"credential\":", &self.credential);
        line.text(",\"user\":", &self.user);
        line.text(",\"address\":", &self.address);
        line.number(",\"count\":", self.count);
        line.text(",\"listener\":", &self.listener);
    }

    fn what(&self, line: &mut Line<'_>) {
        line.text(",\"protocol\":", &self.protocol);
        line.text(",\"method\":", &self.method);
        line.text(",\"path\":", &self.path);
        line.text(",\"api\":", &self.api);
        line.text(",\"operation\":", &self.operation);
        line.list(",\"objects\":", &self.objects);
    }

    fn why(&self, line: &mut Line<'_>) {
        line.text(",\"rule\":", &self.rule);
        line.text(",\"detail\":", &self.detail);
        line.list(",\"errors\":", &self.errors);
        line.list(",\"findings\":", &self.findings);
        line.list(",\"drift\":", &self.drift);
    }

    fn how(&self, line: &mut Line<'_>) {
        if let Some((out, sent)) = self.fields {
            line.number(",\"fields\":[", Some(out));
            line.number(",", Some(sent));
            line.out.push(b']');
        }
        line.number(",\"withheld\":", self.withheld);
        line.text(",\"upstream\":", &self.upstream);
        line.number(",\"upstream_status\":", self.upstream_status);
        line.number(",\"bytes_in\":", self.bytes_in);
        line.number(",\"bytes_out\":", self.bytes_out);
        line.number(",\"took_us\":", self.took_us);
        line.number(",\"upstream_us\":", self.upstream_us);
    }
}

/// A line in the making. Keys come with the punctuation before and behind them.
struct Line<'o> {
    out: &'o mut Vec<u8>,
}

impl Line<'_> {
    fn string(&mut self, key: &str, value: &str) {
        self.out.extend_from_slice(key.as_bytes());
        write_safe(value, self.out);
    }

    fn text(&mut self, key: &str, value: &Option<Text>) {
        if let Some(value) = value {
            self.string(key, value);
        }
    }

    fn number(&mut self, key: &str, value: Option<impl Into<u64>>) {
        if let Some(value) = value {
            self.out.extend_from_slice(key.as_bytes());
            write_digits(value.into(), self.out);
        }
    }

    fn list(&mut self, key: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.out.extend_from_slice(key.as_bytes());
        for (index, value) in values.iter().enumerate() {
            self.out.push(if index == 0 { b'[' } else { b',' });
            write_safe(value, self.out);
        }
        self.out.push(b']');
    }

    fn signed(&mut self, value: i64) {
        if value < 0 {
            self.out.push(b'-');
        }
        write_digits(value.unsigned_abs(), self.out);
    }
}

/// A text whose every character may be printed: an exported record is read in terminals, too.
fn write_safe(value: &str, out: &mut Vec<u8>) {
    let start = out.len();
    write_string(value, out);
    // Controls below the space are escaped already; DEL and what is not ASCII remain, which few texts hold.
    if value.bytes().all(|byte| byte < 0x7f) {
        return;
    }
    let written = out.get(start..).map(String::from_utf8_lossy);
    let safe = written.map(|text| printable::json(&text).into_owned());
    if let Some(safe) = safe {
        out.truncate(start);
        out.extend_from_slice(safe.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DecisionId, Timestamp};
    use proptest::prelude::*;

    /// Plain, awkward and long texts.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z/]{0,30}", "\\PC{0,12}", any::<String>()]
    }

    fn some_text() -> impl Strategy<Value = Option<Text>> {
        proptest::option::of(text().prop_map(Text::from))
    }

    fn list() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec(text(), 0..3)
    }

    type Texts = [Option<Text>; 14];

    prop_compose! {
        fn event()(
            (at, latest, id) in any::<(i64, Option<i64>, Option<u128>)>(),
            (kind, outcome) in (text(), text()),
            texts in proptest::array::uniform14(some_text()),
            lists in proptest::array::uniform4(list()),
            (status, upstream_status) in any::<(Option<u16>, Option<u16>)>(),
            (fields, withheld) in any::<(Option<(u32, u32)>, Option<u32>)>(),
            numbers in any::<[Option<u64>; 5]>(),
        ) -> Event {
            let [code, stage, integration, credential, user, address, listener, protocol, method, path, api, operation,
                rule, detail]: Texts = texts;
            let [objects, errors, findings, drift] = lists;
            let [count, bytes_in, bytes_out, took_us, upstream_us] = numbers;
            Event {
                at: Timestamp::from_micros(at),
                latest: latest.map(Timestamp::from_micros),
                kind: kind.into(),
                id: id.map(DecisionId::from_bits),
                outcome: outcome.into(),
                upstream: detail.clone(),
                configuration: code.clone(),
                code, stage, status, integration, credential, user, address, count, listener, protocol, method, path, api,
                operation, objects, rule, detail, errors, findings, drift, fields, withheld, upstream_status, bytes_in,
                bytes_out, took_us, upstream_us,
            }
        }
    }

    proptest! {
        #[test]
        fn a_line_reads_back_as_the_event_with_its_fields_in_order(event in event()) {
            let mut line = b"before".to_vec();
            event.write(&mut line);
            let line = line.strip_prefix(b"before").unwrap();
            prop_assert_eq!(&serde_json::from_slice::<Event>(line).unwrap(), &event);
            let derived = serde_json::to_string(&event).unwrap();
            let derived = printable::json(&derived);
            prop_assert!(!std::str::from_utf8(line).unwrap().chars().any(printable::is_active));
            // Two control characters have a short and a long escape.
            let short = String::from_utf8(line.to_vec()).unwrap().replace("\\u0008", "\\b").replace("\\u000c", "\\f");
            if !derived.contains("\\\\u00") {
                prop_assert_eq!(short, derived.as_ref());
            }
        }
    }
}
