//! What inspection knows of one operation before any request comes.
//! Exports `Inspected` and `FieldPattern`. Made by compile; plain look-ups afterwards.
//! Used by the gateway's stage `inspect` and by `check`.
//! Start reading at `Inspected`.

use std::sync::Arc;

use model::Timestamp;

/// What inspection knows of one operation.
#[derive(Clone, Debug, Default)]
pub struct Inspected {
    /// The operation as exclusions of the plan name it: `field-service/v2:createWorkOrder`.
    pub scope: Arc<str>,
    /// Fields with a paranoia of their own.
    pub paranoia: Vec<FieldLevel>,
}

impl Inspected {
    /// The paranoia of a field that has one of its own now; the last one written counts.
    pub fn paranoia_of(&self, pointer: &str, now: Timestamp) -> Option<u8> {
        let mut found = self.paranoia.iter().rev();
        found
            .find(|at| at.until.is_none_or(|end| now < end) && at.field.covers(pointer))
            .map(|at| at.level)
    }
}

/// The paranoia of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldLevel {
    /// The field.
    pub field: FieldPattern,
    /// 1 to 4.
    pub level: u8,
    /// When it no longer applies.
    pub until: Option<Timestamp>,
}

/// A field as exclusions and settings name it; `*` stands for one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPattern {
    steps: Vec<Box<str>>,
}

impl FieldPattern {
    /// The pattern as written.
    pub fn new(pointer: &str) -> FieldPattern {
        FieldPattern {
            steps: pointer.split('/').map(Box::from).collect(),
        }
    }

    /// Whether this pointer is the field, or one of the fields.
    pub fn covers(&self, pointer: &str) -> bool {
        let mut steps = self.steps.iter();
        let mut given = pointer.split('/');
        loop {
            match (steps.next(), given.next()) {
                (None, None) => return true,
                (Some(step), Some(given)) if &**step == "*" || &**step == given => {}
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_exactly_one_step() {
        let pattern = FieldPattern::new("/items/*/note");
        assert!(pattern.covers("/items/0/note") && pattern.covers("/items/17/note"));
        for other in [
            "/items/note",
            "/items/0/0/note",
            "/items/0/note/x",
            "note",
            "",
        ] {
            assert!(!pattern.covers(other), "{other}");
        }
    }

    #[test]
    fn the_last_word_about_a_field_counts() {
        let end = Timestamp::parse("2027-03-31").unwrap();
        let level = |pointer, level, until| FieldLevel {
            field: FieldPattern::new(pointer),
            level,
            until,
        };
        let inspected = Inspected {
            paranoia: vec![level("/*", 2, None), level("/note", 1, Some(end))],
            ..Inspected::default()
        };
        let before = Timestamp::from_micros(end.micros() - 1);
        assert_eq!(inspected.paranoia_of("/note", before), Some(1));
        assert_eq!(inspected.paranoia_of("/note", end), Some(2), "it has ended");
        assert_eq!(inspected.paranoia_of("/title", end), Some(2));
        assert_eq!(inspected.paranoia_of("search", end), None);
    }
}
