//! What inspection saw, as the ledger keeps it: one line each, bounded, without any text of the message.
//! Gives `Seen` with its line and the way back, and `lines`.
//! Written by the stages `inspect` and `response`; read by `explain`.
//! Start reading at `Seen`.

use std::fmt;

use waf::{Finding, Findings};

/// Most lines kept of one message; the rest is counted.
const LINES_MAX: usize = 16;
/// Longest pointer kept.
const POINTER_BYTES_MAX: usize = 200;
/// Most decoding steps kept.
const STEPS_MAX: usize = 12;

/// One thing inspection saw. The line is `CLASS PLACE:POINTER RULE score=N paranoia=N via=STEP>STEP what=WORD`: read
/// from both ends, because only the pointer can hold blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `inspect.sqli`, or `response.leak`.
    pub class: String,
    /// `body`, `query`, `header`, `path`, `cookie`, or `answer`.
    pub place: String,
    /// JSON pointer in a body or answer, otherwise the name.
    pub pointer: String,
    /// The rule.
    pub rule: String,
    /// What it added to the score.
    pub score: u32,
    /// The paranoia level of the rule.
    pub paranoia: u8,
    /// How the text was decoded before the rule matched.
    pub steps: Vec<String>,
    /// What came of it, where that is not the score's to say: `excluded`, `masked`, `blocked`, `observed`.
    pub what: String,
}

impl Seen {
    /// A finding of detection.
    pub fn of(finding: &Finding, what: &str) -> Seen {
        Seen {
            class: finding.class.code().to_owned(),
            place: finding.place.name().to_owned(),
            pointer: finding.pointer.clone(),
            rule: finding.rule.clone(),
            score: finding.score,
            paranoia: finding.paranoia,
            steps: finding
                .chain
                .iter()
                .map(|step| (*step).to_owned())
                .collect(),
            what: what.to_owned(),
        }
    }

    /// The line of a record, read back. `None` for lines of another form.
    pub fn read(line: &str) -> Option<Seen> {
        let (class, rest) = line.split_once(' ')?;
        let (rest, what) = last(rest, "what=")?;
        let (rest, steps) = last(rest, "via=")?;
        let (rest, paranoia) = last(rest, "paranoia=")?;
        let (rest, score) = last(rest, "score=")?;
        let (rest, rule) = rest.rsplit_once(' ')?;
        let (place, pointer) = rest.split_once(':')?;
        let steps = steps.split('>').filter(|step| !step.is_empty());
        Some(Seen {
            class: class.to_owned(),
            place: place.to_owned(),
            pointer: pointer.to_owned(),
            rule: rule.to_owned(),
            score: score.parse().ok()?,
            paranoia: paranoia.parse().ok()?,
            steps: steps.map(str::to_owned).collect(),
            what: what.to_owned(),
        })
    }
}

/// Takes `NAME=VALUE` off the end.
fn last<'l>(line: &'l str, name: &str) -> Option<(&'l str, &'l str)> {
    let (rest, word) = line.rsplit_once(' ')?;
    Some((rest, word.strip_prefix(name)?))
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<&str> = self
            .steps
            .iter()
            .take(STEPS_MAX)
            .map(String::as_str)
            .collect();
        write!(
            f,
            "{} {}:{} {} score={} paranoia={} via={} what={}",
            self.class,
            self.place,
            crate::bounds::bounded(&self.pointer, POINTER_BYTES_MAX),
            self.rule,
            self.score,
            self.paranoia,
            steps.join(">"),
            self.what
        )
    }
}

/// The lines of one message: what counted first, then what an exclusion silenced.
pub fn lines(found: &Findings) -> Vec<String> {
    let counted = found.findings.iter().map(|f| Seen::of(f, "counted"));
    let excluded = found.excluded.iter().map(|f| Seen::of(f, "excluded"));
    bounded(counted.chain(excluded))
}

/// At most so many lines; how many more there were is the last one.
pub fn bounded(seen: impl Iterator<Item = Seen>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut left_out = 0usize;
    for one in seen {
        match lines.len() < LINES_MAX {
            true => lines.push(one.to_string()),
            false => left_out += 1,
        }
    }
    if left_out > 0 {
        lines.push(format!("and {left_out} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(pointer: &str) -> Seen {
        Seen {
            class: "inspect.sqli".into(),
            place: "body".into(),
            pointer: pointer.into(),
            rule: "942100".into(),
            score: 5,
            paranoia: 1,
            steps: vec!["percent".into(), "base64".into()],
            what: "counted".into(),
        }
    }

    #[test]
    fn a_line_says_everything_and_reads_back() {
        let line = seen("/note").to_string();
        assert_eq!(
            line,
            "inspect.sqli body:/note 942100 score=5 paranoia=1 via=percent>base64 what=counted"
        );
        assert_eq!(Seen::read(&line), Some(seen("/note")));
        assert_eq!(Seen::read("and 3 more"), None);
        assert_eq!(Seen::read("sqli body:/note"), None);
    }

    #[test]
    fn a_record_keeps_a_bounded_number_of_bounded_lines() {
        let long = "/x".repeat(10_000);
        let lines = bounded((0..40).map(|_| seen(&long)));
        assert_eq!(lines.len(), LINES_MAX + 1);
        assert_eq!(lines.last().unwrap(), "and 24 more");
        assert!(lines.iter().all(|line| line.len() < 400));
    }

    proptest! {
        #[test]
        fn whatever_a_key_is_called_the_line_reads_back(pointer in "/[ -~äß=:>]{0,60}") {
            let one = seen(&pointer);
            prop_assert_eq!(Seen::read(&one.to_string()), Some(one));
        }
    }
}
