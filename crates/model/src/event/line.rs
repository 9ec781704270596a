//! Writes a record as the line of JSON that the ledger chains: one per request, so without a detour.
//! Exports `Event::write` and `Event::write_with`; what it writes reads back as the same event. `Event::write_sealed` leaves
//! out what names a person (`Sealed`), and `write_of_person`, `write_of_object` and `write_texts` write that.
//! Used by audit.
//! Start reading at `Event::write`.

use super::{
    ActorRef, Blocked, Drift, ErrorAt, Event, Finding, Named, ObjectRef, Personal, SCHEMA_PERSONS,
    SCHEMA_SEALED, Word,
};
use crate::json::{write_digits, write_string};
use crate::{RuleRef, Text, Timestamp, printable};

/// What is left out of a record because it stands sealed beside it: the ids of persons among its objects, what anybody may stand
/// in, and this.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'p> {
    /// Who the person is that an integration states, and where they called from.
    pub has_stated_person: bool,
    /// All that is left out, sealed.
    pub personal: &'p [Personal],
}

impl Event {
    /// Appends the record as compact JSON, without a newline. Fields are in the order of the struct; absent ones are left out.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_with(self.latest, out);
    }

    /// The same with another `latest`.
    pub fn write_with(&self, latest: Option<Timestamp>, out: &mut Vec<u8>) {
        self.write_fields(latest, None, out);
    }

    /// The record without what it says of persons, which stands sealed in `personal`.
    pub fn write_sealed(&self, latest: Option<Timestamp>, sealed: Sealed<'_>, out: &mut Vec<u8>) {
        self.write_fields(latest, Some(sealed), out);
    }

    /// The field that says which one of its kind an object is, in the same form.
    pub fn write_of_object(object: &ObjectRef, out: &mut Vec<u8>) {
        Line { out }.string(",\"id\":", &object.id);
    }

    /// The fields that say who the person is and where they called from, as members of an object without its brackets.
    pub fn write_of_person(&self, out: &mut Vec<u8>) {
        let mut line = Line { out };
        if self.is_call() {
            line.text(",\"user\":", &self.user);
            line.text(",\"address\":", &self.address);
            line.text(",\"user_agent\":", &self.user_agent);
        }
        line.text(",\"person\":", &self.person);
        if let Some(blocked) = &self.blocked {
            line.blocked(blocked);
        }
    }

    /// The fields that any of the persons may stand in, in the same form: what the caller wrote, and sentences.
    pub fn write_texts(&self, out: &mut Vec<u8>) {
        let mut line = Line { out };
        line.text(",\"path\":", &self.path);
        self.sentences(&mut line);
    }

    fn write_fields(
        &self,
        latest: Option<Timestamp>,
        sealed: Option<Sealed<'_>>,
        out: &mut Vec<u8>,
    ) {
        let is_sealed = sealed.is_some();
        let is_caller_sealed = sealed.is_some_and(|sealed| sealed.has_stated_person);
        let mut line = Line { out };
        let schema = if !is_sealed {
            self.schema.number()
        } else if self.has_persons() {
            SCHEMA_PERSONS
        } else {
            SCHEMA_SEALED
        };
        line.number("{\"schema\":", Some(schema));
        line.out.extend_from_slice(b",\"at\":");
        line.signed(self.at.micros());
        if let Some(latest) = latest {
            line.out.extend_from_slice(b",\"latest\":");
            line.signed(latest.micros());
        }
        line.word(",\"kind\":", &self.kind);
        if let Some(id) = self.id {
            line.out.extend_from_slice(b",\"id\":\"");
            line.out.extend_from_slice(&id.ascii());
            line.out.push(b'"');
        }
        line.word(",\"outcome\":", &self.outcome);
        line.text(",\"code\":", &self.code);
        if let Some(stage) = &self.stage {
            line.word(",\"stage\":", stage);
        }
        line.number(",\"status\":", self.status);
        self.who(&mut line, is_caller_sealed);
        self.what(&mut line, is_sealed);
        self.why(&mut line, is_caller_sealed);
        if !is_sealed {
            self.sentences(&mut line);
        }
        self.how(&mut line);
        line.text(",\"configuration\":", &self.configuration);
        line.list(
            ",\"personal\":",
            sealed.map_or(&self.personal, |sealed| sealed.personal),
            Line::personal,
        );
        line.out.push(b'}');
    }

    fn who(&self, line: &mut Line<'_>, is_sealed: bool) {
        line.text(",\"integration\":", &self.integration);
        line.text(",\"credential\":", &self.credential);
        // Whoever made a change answers for it: only callers are persons whose names can be erased.
        let is_caller_sealed = is_sealed && self.is_call();
        if !is_caller_sealed {
            line.text(",\"user\":", &self.user);
        }
        if !is_sealed {
            line.text(",\"person\":", &self.person);
        }
        if let Some(actor) = &self.actor {
            line.actor(actor);
        }
        if !is_caller_sealed {
            line.text(",\"address\":", &self.address);
            line.text(",\"user_agent\":", &self.user_agent);
        }
        line.number(",\"count\":", self.count);
        line.text(",\"listener\":", &self.listener);
    }

    fn what(&self, line: &mut Line<'_>, is_sealed: bool) {
        line.text(",\"protocol\":", &self.protocol);
        line.text(",\"method\":", &self.method);
        if !is_sealed {
            line.text(",\"path\":", &self.path);
        }
        line.text(",\"api\":", &self.api);
        line.text(",\"operation\":", &self.operation);
        let object = if is_sealed {
            Line::object_without_person
        } else {
            Line::object
        };
        line.list(",\"objects\":", &self.objects, object);
    }

    fn why(&self, line: &mut Line<'_>, is_sealed: bool) {
        if let Some(rule) = &self.rule {
            line.rule(rule);
        }
        if let Some(cause) = &self.cause {
            line.word(",\"cause\":", cause);
        }
        if let Some(blocked) = self.blocked.as_ref().filter(|_| !is_sealed) {
            line.blocked(blocked);
        }
        line.text(",\"signer\":", &self.signer);
        line.text(",\"erases\":", &self.erases);
        line.number(",\"destroys\":", self.destroys);
        line.text(",\"replaced_by\":", &self.replaced_by);
        if let Some(until) = self.works_until {
            line.out.extend_from_slice(b",\"works_until\":");
            line.signed(until.micros());
        }
    }

    /// Sentences, and names that whoever wrote a message chose.
    fn sentences(&self, line: &mut Line<'_>) {
        line.text(",\"detail\":", &self.detail);
        line.list(",\"errors\":", &self.errors, Line::error);
        line.list(",\"findings\":", &self.findings, Line::finding);
        line.number(",\"findings_more\":", self.findings_more);
        line.list(",\"drift\":", &self.drift, Line::drift);
    }

    fn how(&self, line: &mut Line<'_>) {
        if let Some((out, sent)) = self.fields {
            line.number(",\"fields\":[", Some(out));
            line.number(",", Some(sent));
            line.out.push(b']');
        }
        line.number(",\"withheld\":", self.withheld);
        line.number(",\"lookup_status\":", self.lookup_status);
        line.text(",\"upstream\":", &self.upstream);
        line.number(",\"upstream_status\":", self.upstream_status);
        line.text(",\"declared_outcome\":", &self.declared_outcome);
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

    fn word<T: Named>(&mut self, key: &str, word: &Word<T>) {
        self.string(key, word.name());
    }

    fn list<T>(&mut self, key: &str, values: &[T], write: fn(&mut Self, &T)) {
        if values.is_empty() {
            return;
        }
        self.out.extend_from_slice(key.as_bytes());
        for (index, value) in values.iter().enumerate() {
            self.out.push(if index == 0 { b'[' } else { b',' });
            write(self, value);
        }
        self.out.push(b']');
    }

    fn actor(&mut self, actor: &ActorRef) {
        self.word(",\"actor\":{\"authenticated_by\":", &actor.authenticated_by);
        self.number(",\"uid\":", actor.uid);
        self.number(",\"process\":", actor.process);
        self.text(",\"calls_itself\":", &actor.calls_itself);
        self.out.push(b'}');
    }

    fn object(&mut self, object: &ObjectRef) {
        self.string("{\"kind\":", &object.kind);
        self.string(",\"id\":", &object.id);
        if object.is_person {
            self.out.extend_from_slice(b",\"person\":true");
        }
        self.out.push(b'}');
    }

    fn object_without_person(&mut self, object: &ObjectRef) {
        if !object.is_person {
            return self.object(object);
        }
        self.string("{\"kind\":", &object.kind);
        self.out.extend_from_slice(b",\"person\":true}");
    }

    fn rule(&mut self, rule: &RuleRef) {
        self.string(",\"rule\":{\"file\":", &rule.file);
        self.number(",\"line\":", Some(rule.line));
        self.out.push(b'}');
    }

    fn blocked(&mut self, blocked: &Blocked) {
        self.string(",\"blocked\":{\"subject\":", &blocked.subject);
        self.out.extend_from_slice(b",\"until\":");
        self.signed(blocked.until.micros());
        self.out.push(b'}');
    }

    fn error(&mut self, error: &ErrorAt) {
        self.string("{\"place\":", &error.place);
        self.string(",\"pointer\":", &error.pointer);
        self.string(",\"keyword\":", &error.keyword);
        self.out.push(b'}');
    }

    fn finding(&mut self, finding: &Finding) {
        self.string("{\"class\":", &finding.class);
        self.string(",\"place\":", &finding.place);
        self.string(",\"pointer\":", &finding.pointer);
        self.string(",\"rule\":", &finding.rule);
        self.number(",\"score\":", Some(finding.score));
        self.number(",\"paranoia\":", Some(finding.paranoia));
        self.list(",\"steps\":", &finding.steps, |line, step| {
            line.string("", step)
        });
        self.word(",\"what\":", &finding.what);
        self.out.push(b'}');
    }

    fn drift(&mut self, drift: &Drift) {
        self.string("{\"pointer\":", &drift.pointer);
        self.string(",\"keyword\":", &drift.keyword);
        self.out.push(b'}');
    }

    fn personal(&mut self, personal: &Personal) {
        self.out.extend_from_slice(b"{\"subjects\":");
        if personal.subjects.is_empty() {
            self.out.extend_from_slice(b"[]");
        }
        self.list("", &personal.subjects, |line, subject| {
            line.string("", subject);
        });
        self.number(",\"object\":", personal.object);
        self.text(",\"sealed\":", &personal.sealed);
        self.text(",\"state\":", &personal.state);
        self.out.push(b'}');
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
mod tests;
