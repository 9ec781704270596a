//! Finds data that must not leave with an answer, and masks it.
//! Exports `LeakScanner`: card numbers, IBANs, keys, stack traces, database errors.
//! Used on the texts of an answer, for the kinds a contract does not allow in the field.
//! Start reading at `LeakScanner::find`.

mod numbers;
mod patterns;

use crate::scan::{Candidates, PatternSet};
use crate::settings::LoadError;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeakKind {
    /// A payment card number with a right check digit.
    CardNumber,
    /// An international bank account number with right check digits.
    Iban,
    /// A private key in text form.
    PrivateKey,
    /// The key of a cloud or service.
    ServiceKey,
    /// The trace of a program that failed.
    StackTrace,
    /// The message of a database that failed.
    DatabaseError,
}

impl LeakKind {
    /// All kinds.
    pub const ALL: [LeakKind; 6] = [
        LeakKind::CardNumber,
        LeakKind::Iban,
        LeakKind::PrivateKey,
        LeakKind::ServiceKey,
        LeakKind::StackTrace,
        LeakKind::DatabaseError,
    ];

    /// The stable name, as contracts and settings write it.
    pub const fn name(self) -> &'static str {
        match self {
            LeakKind::CardNumber => "card_number",
            LeakKind::Iban => "iban",
            LeakKind::PrivateKey => "private_key",
            LeakKind::ServiceKey => "service_key",
            LeakKind::StackTrace => "stack_trace",
            LeakKind::DatabaseError => "database_error",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<LeakKind> {
        LeakKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leak {
    /// What was found.
    pub kind: LeakKind,
    /// Where it begins, in bytes.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// The compiled rules.
#[derive(Debug)]
pub struct LeakScanner {
    patterns: PatternSet,
}

/// Every pattern with its kind, in the order of their numbers.
fn forms() -> impl Iterator<Item = (LeakKind, &'static str)> {
    LeakKind::ALL.into_iter().flat_map(|kind| {
        patterns::patterns(kind)
            .iter()
            .map(move |form| (kind, *form))
    })
}

/// How many places of one text are reported.
const LEAKS_MAX: usize = 256;

impl LeakScanner {
    /// Compiles the rules. Fails only if a pattern of ours is wrong, which a test excludes.
    pub fn compile() -> Result<LeakScanner, LoadError> {
        let patterns = PatternSet::compile(forms().map(|(_, pattern)| pattern));
        let patterns = patterns.map_err(|(number, error)| {
            LoadError::setting(
                format!("leak rule {number}: {error}"),
                "This is a defect of the product; please report it.",
            )
        })?;
        Ok(LeakScanner { patterns })
    }

    /// The places in `text` that hold one of `wanted`, in order, not overlapping, as far as there is room for them.
    pub fn find(&self, text: &[u8], wanted: &[LeakKind]) -> Vec<Leak> {
        self.find_some(text, wanted).0
    }

    /// The same, and whether there may be more of them than that: whoever masks only those that were found lets the others go.
    pub fn find_some(&self, text: &[u8], wanted: &[LeakKind]) -> (Vec<Leak>, bool) {
        let mut candidates = Candidates::default();
        self.patterns.candidates(text, &mut candidates);
        let mut found = Vec::new();
        if !candidates.is_empty() {
            for ((kind, _), id) in forms().zip(0u32..) {
                if wanted.contains(&kind) && candidates.has(id) {
                    self.places(id, kind, text, &mut found);
                }
            }
        }
        if wanted.contains(&LeakKind::CardNumber) {
            numbers::cards(text, |from, to| {
                note(LeakKind::CardNumber, from, to, &mut found)
            });
        }
        if wanted.contains(&LeakKind::Iban) {
            numbers::ibans(text, |from, to| note(LeakKind::Iban, from, to, &mut found));
        }
        let is_cut = found.len() >= LEAKS_MAX;
        found.sort_by_key(|leak: &Leak| (leak.from, leak.to));
        found.dedup_by(|next, kept| next.from < kept.to);
        (found, is_cut)
    }

    fn places(&self, id: u32, kind: LeakKind, text: &[u8], found: &mut Vec<Leak>) {
        let mut begin = 0;
        while let Some(rest) = text.get(begin..) {
            let groups = self.patterns.groups(id, rest).unwrap_or_default();
            let Some((from, to)) = groups.first().copied().flatten() else {
                return;
            };
            if found.len() >= LEAKS_MAX {
                return;
            }
            let to = match kind {
                LeakKind::PrivateKey => key_end(rest, to),
                _ => to,
            };
            note(kind, begin + from, begin + to, found);
            begin += to.max(1);
        }
    }
}

/// The longest key that is masked as one.
const KEY_MAX: usize = 16 << 10;

/// Where the private key ends whose header ends at `header`: behind its last line of dashes, or as far as its letters go.
fn key_end(text: &[u8], header: usize) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=:,-\\ \r\n\t".contains(byte);
    let body = text.get(header..).unwrap_or_default().iter();
    let reach = header + body.take(KEY_MAX).take_while(|byte| is_part(byte)).count();
    let body = text.get(header..reach).unwrap_or_default();
    let Some(footer) = memchr::memmem::find(body, b"-----END ") else {
        return reach;
    };
    let name = body.get(footer + 9..).unwrap_or_default();
    let name = name.get(..name.len().min(64)).unwrap_or_default();
    memchr::memmem::find(name, b"-----").map_or(reach, |dashes| header + footer + 9 + dashes + 5)
}

fn note(kind: LeakKind, from: usize, to: usize, found: &mut Vec<Leak>) {
    if found.len() < LEAKS_MAX {
        found.push(Leak { kind, from, to });
    }
}

/// The text with every place covered by stars; the last four characters of numbers stay.
pub fn masked(text: &[u8], leaks: &[Leak]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut done = 0;
    for leak in leaks.iter().filter(|leak| leak.from < leak.to) {
        let Some(before) = text.get(done..leak.from) else {
            continue;
        };
        out.extend_from_slice(before);
        let kept = match leak.kind {
            LeakKind::CardNumber | LeakKind::Iban => 4,
            _ => 0,
        };
        let place = text.get(leak.from..leak.to).unwrap_or_default();
        out.extend(std::iter::repeat_n(b'*', place.len().saturating_sub(kept)));
        out.extend_from_slice(
            place
                .get(place.len().saturating_sub(kept)..)
                .unwrap_or_default(),
        );
        done = leak.to;
    }
    out.extend_from_slice(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<LeakKind> {
        let scanner = LeakScanner::compile().unwrap();
        scanner
            .find(text.as_bytes(), &LeakKind::ALL)
            .iter()
            .map(|leak| leak.kind)
            .collect()
    }

    #[test]
    fn numbers_count_only_with_right_check_digits() {
        assert_eq!(
            kinds("card 4111 1111 1111 1111 on file"),
            [LeakKind::CardNumber]
        );
        assert_eq!(kinds("card 4111 1111 1111 1112 on file"), []);
        assert_eq!(kinds("order 4711471147114711"), []);
        assert_eq!(kinds("IBAN DE89 3704 0044 0532 0130 00"), [LeakKind::Iban]);
        assert_eq!(kinds("IBAN DE88 3704 0044 0532 0130 00"), []);
    }

    #[test]
    fn keys_traces_and_errors_are_found() {
        let key = format!(
            "-----BEGIN {} KEY-----\nMIIBVQ==\n-----END {} KEY-----",
            "PRIVATE", "PRIVATE"
        );
        assert_eq!(kinds(&key), [LeakKind::PrivateKey]);
        assert_eq!(kinds("id AKIAQ2W3E4R5T6Z7U2I3"), [LeakKind::ServiceKey]);
        assert_eq!(
            kinds("at com.example.Pump.start(Pump.java:42)"),
            [LeakKind::StackTrace]
        );
        assert_eq!(
            kinds("Traceback (most recent call last):"),
            [LeakKind::StackTrace]
        );
        assert_eq!(
            kinds("ORA-00942: table or view does not exist"),
            [LeakKind::DatabaseError]
        );
        assert_eq!(
            kinds("    at Pump.start (/srv/app/pump.js:10:5)"),
            [LeakKind::StackTrace]
        );
        assert_eq!(
            kinds("   at Plant.Pump.Start(Int32 rpm) in C:\\src\\Pump.cs:line 42"),
            [LeakKind::StackTrace]
        );
        assert_eq!(
            kinds("[Microsoft][ODBC SQL Server Driver][SQL Server]Invalid object"),
            [LeakKind::DatabaseError]
        );
    }

    #[test]
    fn what_technicians_write_is_no_leak() {
        for text in [
            "The pump runs at 3000 rpm (see page 12)",
            "Meet at the office in Berlin, 10:30",
            "We met at noon (12:30:15) at the gate",
            "Installed ODBC Driver 17 on the customer's PC",
            "EAN 4006381333931, part 4711-0815",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }

    #[test]
    fn a_key_is_covered_to_its_end_and_no_further() {
        let scanner = LeakScanner::compile().unwrap();
        let covered = |text: &str| {
            let found = scanner.find(text.as_bytes(), &LeakKind::ALL);
            String::from_utf8(masked(text.as_bytes(), &found)).unwrap()
        };
        let [begin, end] =
            ["BEGIN", "END"].map(|word| format!("-----{word} EC {} KEY-----", "PRIVATE"));
        let whole = covered(&format!("a {begin}\nMHc=\n{end} b"));
        assert!(
            whole.starts_with("a *") && whole.ends_with("* b"),
            "{whole}"
        );
        let cut = covered(&format!("{begin}MHc= (cut)"));
        assert_eq!(cut.trim_start_matches('*'), "(cut)");
        let letters: String = "a1B2c3D4e5F".chars().cycle().take(49).collect();
        let own = format!("pk_{}_{letters}", "live");
        assert_eq!(kinds(&format!("key {own}.")), [LeakKind::ServiceKey]);
        assert_eq!(kinds(&format!("key {own}x")), []);
    }

    #[test]
    fn a_masked_number_keeps_its_last_four() {
        let scanner = LeakScanner::compile().unwrap();
        let text = b"pay 4111111111111111 now";
        let found = scanner.find(text, &LeakKind::ALL);
        assert_eq!(masked(text, &found), b"pay ************1111 now");
        assert_eq!(scanner.find(text, &[LeakKind::Iban]), []);
    }
}
