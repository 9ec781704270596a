//! A file or a named pipe: one record to a line of JSON, as log shippers read them.
//! Exports `FileSettings`.
//! Listed in `kinds`.
//! Start reading at `FileSettings::write`.

use std::path::PathBuf;

use model::Mistake;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Destination, Record, Target};

/// A file or a named pipe on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// Absolute path of the file or the pipe. A file is made where there is none, readable and writable by its owner alone,
    /// and only ever appended to; move it away to begin another one. A pipe is written while somebody reads it.
    pub path: PathBuf,
}

impl Destination for FileSettings {
    fn check(&self, found: &mut Vec<Mistake>) {
        let is_name = self.path.file_name().is_some();
        let text = self.path.to_string_lossy();
        if !self.path.is_absolute() || !is_name || text.ends_with('/') || text.contains('\0') {
            let message = format!(
                "`{}` is not the absolute path of a file",
                text.escape_default()
            );
            let help = "Write it like `/var/log/portcullis/records.jsonl`.";
            found.push(Mistake::new(message, help).at_pointer("/path"));
        }
    }

    fn target(&self) -> Target<'_> {
        Target::File(&self.path)
    }

    /// The record's own text with its number in front: `{"seq":17,"schema":2,…}`.
    fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{{\"seq\":{}", record.seq).as_bytes());
        let members = record.json.strip_prefix('{').unwrap_or_default();
        if !members.starts_with('}') {
            out.push(b',');
        }
        out.extend_from_slice(members.as_bytes());
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(seq: u64, json: &str) -> String {
        let mut out = Vec::new();
        FileSettings::default().write(&Record { seq, json }, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_is_one_line_with_its_number_in_front() {
        assert_eq!(
            written(7, r#"{"schema":2,"at":"x"}"#),
            "{\"seq\":7,\"schema\":2,\"at\":\"x\"}\n"
        );
        assert_eq!(written(0, "{}"), "{\"seq\":0}\n");
    }

    #[test]
    fn a_path_leads_to_a_file_wherever_the_server_was_started() {
        for (path, is_right) in [
            ("/var/log/records.jsonl", true),
            ("/dev/stdout", true),
            ("records.jsonl", false),
            ("../records.jsonl", false),
            ("/", false),
            ("/var/log/", false),
            ("/var/log/..", false),
            ("", false),
        ] {
            let (mut found, settings) = (Vec::new(), FileSettings { path: path.into() });
            settings.check(&mut found);
            assert_eq!(found.is_empty(), is_right, "{path}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_record_holds_it_is_read_back_from_its_line(seq: u64, texts in prop::collection::vec(".*", 0..4)) {
            let members = texts.iter().enumerate().map(|(n, text)| (format!("m{n}"), text.clone().into()));
            let record: serde_json::Map<String, serde_json::Value> = members.collect();
            let line = written(seq, &serde_json::to_string(&record).unwrap());
            prop_assert_eq!(line.matches('\n').count(), 1);
            let mut read: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(read.remove("seq"), Some(seq.into()));
            prop_assert_eq!(read, record);
        }
    }
}
