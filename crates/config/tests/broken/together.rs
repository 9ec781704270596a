//! Several broken cases at once: each is told as if it stood alone, whatever phase finds it and whichever files the others
//! broke. Only what depends on a broken part cannot be known.
//! Start reading at `whatever_else_is_wrong_each_mistake_is_told`.

use std::collections::BTreeSet;

use super::{Case, base, broken, cases, options};
use config::{Files, compile_to_read};
use model::Mistake;

/// How many sets are drawn.
const DRAWN: usize = 50;
/// How many cases each of them has.
const TOGETHER: usize = 4;

/// Cases that need the contract of the version that most files are about.
const ON_CONTRACT: [&str; 13] = [
    "api-answer",
    "api-expose-unknown-operation",
    "api-reads",
    "checks-unknown-operation",
    "contract-",
    "exclusion-",
    "field-paranoia",
    "grant-",
    "limit-unknown",
    "limit-operations",
    "object-",
    "overlay-",
    "policy-",
];
/// Cases after which that contract cannot be read.
const WITHOUT_CONTRACT: [&str; 5] = [
    "api-contract",
    "api-overlay",
    "api-state",
    "contract-",
    "overlay-",
];

fn is_one_of(case: &Case, names: &[&str]) -> bool {
    names.iter().any(|name| case.name.starts_with(name))
}

/// Whether nothing of the case's file can be read.
fn is_unreadable(case: &Case, alone: &[Mistake]) -> bool {
    let is_fatal = |m: &Mistake| {
        m.message.starts_with("this is not YAML") || m.message.starts_with("a second document")
    };
    matches!(case.replace.as_str(), "*" | "-") || alone.iter().any(is_fatal)
}

/// Whether the second cannot be known because of the first.
fn hides(first: &(Case, Vec<Mistake>), second: &Case) -> bool {
    let (case, alone) = first;
    let by_contract = is_one_of(case, &WITHOUT_CONTRACT) && is_one_of(second, &ON_CONTRACT);
    // What an object is decides what can be asked of it, and where the fields of an answer stand.
    let by_object =
        is_one_of(case, &["object-"]) && is_one_of(second, &["grant-", "policy-", "object-"]);
    let by_listeners = case.file == "portcullis.yaml"
        && is_unreadable(case, alone)
        && is_one_of(second, &["api-expose", "api-target-is-own"]);
    let by_rules = is_one_of(case, &["rules-"])
        && is_one_of(
            second,
            &[
                "exclusion-unknown-class",
                "exclusion-unknown-rule",
                "rules-",
            ],
        );
    // The server's file names the directories of rules.
    let by_server = case.file == "portcullis.yaml"
        && is_unreadable(case, alone)
        && is_one_of(second, &["rules-"]);
    let by_first = case.name == "server-no-listener" && is_one_of(second, &["api-expose"]);
    // What a grant says is about the operations that it names.
    let by_grant = is_one_of(
        case,
        &[
            "grant-unknown-api",
            "grant-unknown-version",
            "grant-of",
            "grant-unknown-operation",
            "grant-no",
        ],
    ) && is_one_of(second, &["grant-"]);
    // Policies may be about every operation, one that is not known as well.
    let by_answer = is_one_of(case, &["api-answer"]) && is_one_of(second, &["policy-"]);
    let by_whole = case.file == second.file && is_unreadable(case, alone);
    let by_place = is_same_line(case, second);
    by_contract
        || by_object
        || by_listeners
        || by_rules
        || by_server
        || by_first
        || by_grant
        || by_answer
        || by_whole
        || by_place
}

/// Whether both edit the same line, or the names of two listeners: the sentences would be others.
fn is_same_line(case: &Case, other: &Case) -> bool {
    let line = |case: &Case| {
        let files = base();
        let text = files.text(&case.file)?.to_owned();
        let start = text.find(&case.replace)?;
        let first = text[..start].matches('\n').count();
        Some(first..=first + case.replace.trim_end().matches('\n').count())
    };
    let (Some(one), Some(two)) = (line(case), line(other)) else {
        return false;
    };
    let is_near = one.start() <= two.end() && two.start() <= one.end();
    case.file == other.file && (is_near || case.name == "listener-bad-name")
}

/// The sentence without the names at its end, which several operations share.
fn said(mistake: &Mistake) -> (String, String) {
    let message = &mistake.message;
    let end = message.rfind(" `").filter(|_| message.ends_with('`'));
    let sentence = message.get(..end.unwrap_or(message.len())).unwrap();
    (mistake.file.clone(), sentence.to_owned())
}

fn mistakes(files: &Files) -> Vec<Mistake> {
    compile_to_read(files, options()).err().unwrap_or_default()
}

/// A small generator of numbers; the same sets every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// Plants a case into files that others were planted into; none where it no longer fits.
fn plant(case: &Case, files: &mut Files) -> Option<()> {
    match case.replace.as_str() {
        "*" => files.insert(&case.file, case.with.as_bytes()),
        "-" => drop(files.remove(&case.file)?),
        part => {
            let text = files.text(&case.file)?.to_owned();
            let good = base();
            // Another place with the same words would be another mistake.
            let is_same = text.find(part)? > 0 || good.text(&case.file)?.find(part)? == 0;
            let count = |text: &str| text.matches(part).count();
            if !is_same || count(&text) != count(good.text(&case.file)?) {
                return None;
            }
            files.insert(&case.file, text.replacen(part, &case.with, 1).into_bytes());
        }
    }
    Some(())
}

#[test]
fn whatever_else_is_wrong_each_mistake_is_told() {
    let all: Vec<(Case, Vec<Mistake>)> = cases()
        .into_iter()
        .map(|case| {
            let alone = mistakes(&broken(&case));
            (case, alone)
        })
        .collect();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut planted, mut hidden) = (0, Vec::new());
    for _ in 0..DRAWN {
        let mut files = base();
        let mut drawn: Vec<usize> = Vec::new();
        for _ in 0..TOGETHER * 4 {
            let next = numbers.below(all.len());
            let (case, _) = &all[next];
            let fits = !drawn.contains(&next)
                && drawn
                    .iter()
                    .all(|other| !hides(&all[*other], case) && !hides(&all[next], &all[*other].0));
            if fits && drawn.len() < TOGETHER && plant(case, &mut files).is_some() {
                drawn.push(next);
            }
        }
        let told: BTreeSet<_> = mistakes(&files).iter().map(said).collect();
        planted += drawn.len();
        let names = || {
            drawn
                .iter()
                .map(|n| all[*n].0.name.as_str())
                .collect::<Vec<_>>()
        };
        for index in &drawn {
            let (case, alone) = &all[*index];
            if !alone.iter().any(|mistake| told.contains(&said(mistake))) {
                hidden.push(format!("{} among {:?}", case.name, names()));
            }
        }
        // Nothing is said that none of them says alone.
        let alone: BTreeSet<_> = drawn
            .iter()
            .flat_map(|n| all[*n].1.iter().map(said))
            .collect();
        for other in told.difference(&alone) {
            hidden.push(format!("{other:?} of {:?}", names()));
        }
    }
    assert!(planted > DRAWN * 3, "{planted}");
    assert!(
        hidden.is_empty(),
        "{} of {planted}:\n{}",
        hidden.len(),
        hidden.join("\n")
    );
}
