//! All destinations of an installation, by the names that operators give them.
//! Exports `Destinations` and `check`.
//! Used by config, which reads them and places the mistakes.
//! Start reading at `check`.

use std::collections::BTreeMap;

use model::Mistake;

use crate::kinds::{NAMES, Settings};
use crate::{Destination, Target};

/// Destinations by name.
pub type Destinations = BTreeMap<String, Settings>;

/// Each has a place in the stream of records and a thread of its own.
const DESTINATIONS_MAX: usize = 16;

impl Settings {
    /// The destination; `None` where not exactly one kind is written, which [`check`] refuses.
    pub fn destination(&self) -> Option<&dyn Destination> {
        match self.written().as_slice() {
            [(_, one)] => Some(*one),
            _ => None,
        }
    }
}

/// Everything wrong with them. Pointers of the mistakes begin at the list: `/siem/file/path`.
pub fn check(all: &Destinations) -> Vec<Mistake> {
    let mut found = Vec::new();
    if all.len() > DESTINATIONS_MAX {
        let message = format!(
            "{} destinations are more than {DESTINATIONS_MAX}",
            all.len()
        );
        let help = "Let whoever receives the records pass them on.";
        found.push(Mistake::new(message, help).at_pointer(""));
    }
    for (name, settings) in all {
        if !model::ids::is_name(name) {
            let message = format!("`{}` is not a valid name", name.escape_default());
            let help = "Names are 1 to 63 of `a-z`, `0-9` and `-`, beginning with a letter and not ending with `-`.";
            found.push(Mistake::new(message, help).at_pointer(format!("/{name}")));
        }
        kind(name, settings, &mut found);
    }
    shared(all, &mut found);
    found
}

fn kind(name: &str, settings: &Settings, found: &mut Vec<Mistake>) {
    let written = settings.written();
    let [(kind, destination)] = written.as_slice() else {
        let message = format!("the destination `{name}` is of {} kinds", written.len());
        let help = format!("Write exactly one of: `{}`.", NAMES.join("`, `"));
        found.push(Mistake::new(message, help).at_pointer(format!("/{name}")));
        return;
    };
    let mut wrong = Vec::new();
    destination.check(&mut wrong);
    for mistake in wrong {
        let below = mistake.pointer.clone().unwrap_or_default();
        found.push(mistake.at_pointer(format!("/{name}/{kind}{below}")));
    }
}

/// Two that write to the same place would mix their records there.
fn shared(all: &Destinations, found: &mut Vec<Mistake>) {
    let mut known: Vec<(Target<'_>, &str)> = Vec::new();
    for (name, settings) in all {
        let Some(target) = settings.destination().map(Destination::target) else {
            continue;
        };
        match known.iter().find(|(other, _)| *other == target) {
            Some((_, other)) => {
                let message = format!("`{name}` and `{other}` write to the same place");
                let help = "Keep one of them, or write to another place.";
                found.push(Mistake::new(message, help).at_pointer(format!("/{name}")));
            }
            None => known.push((target, name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> Vec<String> {
        let all: Destinations = serde_json::from_str(text).unwrap();
        let told = |mistake: Mistake| format!("{} {}", mistake.pointer.unwrap(), mistake.message);
        check(&all).into_iter().map(told).collect()
    }

    #[test]
    fn what_is_wrong_is_said_at_its_place() {
        assert!(wrong(r#"{"siem":{"file":{"path":"/x"}}}"#).is_empty());
        assert_eq!(
            wrong(r#"{"a":{"file":{"path":"x"}},"b":{}}"#),
            [
                "/a/file/path `x` is not the absolute path of a file",
                "/b the destination `b` is of 0 kinds"
            ]
        );
        assert_eq!(
            wrong(r#"{"A b":{"file":{"path":"/x"}},"b":{"file":{"path":"/x"}}}"#),
            [
                "/A b `A b` is not a valid name",
                "/b `b` and `A b` write to the same place"
            ]
        );
    }

    #[test]
    fn there_is_a_most() {
        let many = |count: usize| {
            let one = |n| {
                (
                    format!("d{n}"),
                    serde_json::json!({ "file": { "path": format!("/x{n}") } }),
                )
            };
            serde_json::Value::Object((0..count).map(one).collect()).to_string()
        };
        assert!(wrong(&many(DESTINATIONS_MAX)).is_empty());
        assert_eq!(
            wrong(&many(DESTINATIONS_MAX + 1)),
            [" 17 destinations are more than 16"]
        );
    }
}
