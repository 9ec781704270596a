//! The rules that come with the product: original text, on by default.
//! Exports `Pack`. One file per class; each rule is a pattern with its reason, or a small function.
//! Used by `inspect`, through the plan.
//! Start reading at `Pack::inspect`.

mod names;
mod prefix;
mod proof;
mod recurring;
mod rules;
mod ssrf;

use crate::detector::{InjectionDetector, Sentences};
use crate::field_plan::PackLive;
use crate::finding::{Class, Finding};
use crate::markup;
use crate::part::{Part, PartKind};
use crate::prose;
use crate::run::Run;
use crate::scan::PatternSet;
use crate::serial;
use crate::settings::LoadError;
use crate::views;
use prefix::Values;
use ssrf::Reach;
use std::sync::{Arc, OnceLock};

/// A pattern with its meaning.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Stable id, `pack.CLASS.name`.
    pub id: &'static str,
    /// The kind of attack.
    pub class: Class,
    /// What a match adds to the score.
    pub score: u32,
    /// The level from which it is used.
    pub paranoia: u8,
    /// The pattern, in byte mode.
    pub pattern: &'static str,
    /// One sentence for the operator.
    pub why: &'static str,
    /// What has to hold beside the match.
    pub confirm: Confirm,
}

/// What a pattern cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Nothing: the match is enough. Where markup runs nothing it is not looked at.
    Match,
    /// Nothing, and markup counts that runs nothing: the rule is about what stands before it.
    AsSent,
    /// The rule is about what breaks out of a value: a quote counts that no sentence has, and without one only what goes on
    /// from a value.
    BreaksOut,
    /// The rule is about what goes on from a value: the words of a sentence before it do not count.
    FollowsValue,
    /// Groups 1 and 2 of a match are the same, letter case aside.
    SameSides,
    /// Both of the two before.
    SameSidesAfterValue,
    /// The rule is about a field of the message around the text: lines of a longer text do not count.
    BeginsField,
    /// In what base64 decodes to, a NUL counts only behind the name of a file: encoded data is full of them.
    EndsName,
}

impl Rule {
    /// A rule that refuses by itself, from the first level on.
    const fn critical(
        class: Class,
        id: &'static str,
        pattern: &'static str,
        why: &'static str,
    ) -> Rule {
        Rule {
            id,
            class,
            score: 5,
            paranoia: 1,
            pattern,
            why,
            confirm: Confirm::Match,
        }
    }
}

/// Matches of one rule that are compared in one text; nobody writes more, but to hide one among them.
const MATCHES_MAX: usize = 256;

/// The compiled pack.
#[derive(Debug)]
pub struct Pack {
    /// No other set of rules of the process has this number.
    pub(crate) serial: u64,
    rules: Vec<Rule>,
    patterns: PatternSet,
    detector: Sentences,
}

impl Pack {
    /// Compiles the pack. Fails only if a pattern of ours is wrong, which a test excludes.
    pub fn compile() -> Result<Pack, LoadError> {
        let rules: Vec<Rule> = rules::all();
        let patterns = PatternSet::compile(rules.iter().map(|rule| rule.pattern)).map_err(
            |(number, error)| {
                LoadError::setting(
                    format!("rule {number} of the default pack: {error}"),
                    "This is a defect of the product; please report it.",
                )
            },
        )?;
        Ok(Pack {
            serial: serial::next(),
            rules,
            patterns,
            detector: Sentences,
        })
    }

    /// The pack, compiled once: it is the same for every plan of a process.
    pub(crate) fn shared() -> Result<Arc<Pack>, LoadError> {
        static SHARED: OnceLock<Result<Arc<Pack>, LoadError>> = OnceLock::new();
        SHARED.get_or_init(|| Pack::compile().map(Arc::new)).clone()
    }

    /// How many rules there are, the structural ones and the detectors included.
    pub fn len(&self) -> usize {
        self.ids().count()
    }

    /// The ids of all rules, the structural ones and the detectors included.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let structural = names::IDS.iter().chain(&ssrf::IDS).copied();
        let detectors = [SQLI_TOKENS.id, XSS_TOKENS.id, UNDECODED.id];
        let patterns = self.rules.iter().map(|rule| rule.id);
        patterns.chain(structural).chain(detectors)
    }

    /// Never: the pack always has rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Shows the part to every rule, as sent and in every decoded reading. As sent it meets only the
    /// rules that are live for its field; what it decodes to is no text of the field and meets all. Where none is live
    /// there is nothing to decode either.
    pub(crate) fn inspect(&self, part: &Part<'_>, live: Option<&PackLive>, run: &mut Run<'_>) {
        if live.is_some_and(PackLive::is_dead) {
            return;
        }
        let paranoia = part.paranoia.unwrap_or(run.sensitivity.paranoia);
        if part.recurs
            && let Some(work) = recurring::harmless(part.text, paranoia)
        {
            run.work = run.work.saturating_add(work);
            return;
        }
        let (work, reports) = (run.work, run.reports);
        self.readings(part, live, run);
        // What only this plan's hosts make harmless is not remembered for others.
        let is_general = run.sensitivity.hosts.is_empty();
        if part.recurs && is_general && run.reports == reports && !run.exhausted() {
            recurring::keep(part.text, paranoia, run.work.saturating_sub(work));
        }
    }

    fn readings(&self, part: &Part<'_>, live: Option<&PackLive>, run: &mut Run<'_>) {
        let as_sent = Reading {
            part,
            text: part.text,
            chain: &[],
            live,
        };
        self.reading(&as_sent, part.kind, run);
        if run.exhausted() {
            return;
        }
        let (views, truncated) = views::views(part.text, part.kind, !part.binary);
        if truncated {
            run.report(as_sent.finding(&UNDECODED));
        }
        for view in views {
            let decoded = Reading {
                part,
                text: &view.bytes,
                chain: &view.chain,
                live: None,
            };
            self.reading(&decoded, view.kind, run);
            if run.exhausted() {
                return;
            }
        }
    }

    fn reading(&self, reading: &Reading<'_>, kind: PartKind, run: &mut Run<'_>) {
        let Reading {
            part,
            text,
            chain,
            live,
        } = *reading;
        run.spend(text.len());
        // What an escape spells is still the address; what is packed inside of it is another text.
        let reach = Reach {
            is_typed: part.url && chain.iter().all(|step| *step == "percent"),
            hosts: &run.sensitivity.hosts,
        };
        if kind == PartKind::Name {
            if let Some(hit) = names::judge(part.pointer, text) {
                run.report(reading.finding(&hit));
            }
        } else if (part.url || live.is_none_or(|live| live.address))
            && let Some(hit) = ssrf::judge(text, reach)
        {
            run.report(reading.finding(&hit));
        }
        self.patterns_in(reading, run);
        // Without its quotes a sentence is no longer what was sent: only patterns read that form.
        if chain.last() != Some(&"shell_quotes") {
            self.tokens_in(reading, run);
        }
    }

    fn patterns_in(&self, reading: &Reading<'_>, run: &mut Run<'_>) {
        let Reading {
            part,
            text,
            live,
            chain,
        } = *reading;
        let paranoia = part.paranoia.unwrap_or(run.sensitivity.paranoia);
        if live.is_some_and(|live| live.has_no_pattern(paranoia)) {
            return;
        }
        let mut facts = Facts::default();
        let mut candidates = std::mem::take(&mut run.scratch);
        self.patterns.candidates(text, &mut candidates);
        for id in candidates.iter() {
            let Some(rule) = usize::try_from(id).ok().and_then(|id| self.rules.get(id)) else {
                continue;
            };
            if rule.paranoia > paranoia || live.is_some_and(|live| !live.has(id)) {
                continue;
            }
            run.spend(text.len());
            if self.patterns.is_match(id, text)
                && is_read_so(rule.class, chain)
                && self.is_confirmed(rule.confirm, id, reading, (&mut facts, &mut *run))
                && (rule.confirm == Confirm::AsSent
                    || self.holds_in_plain(rule.class, id, text, (&mut facts, &mut *run)))
            {
                run.report(reading.finding(&Hit::from(rule)));
            }
            if run.exhausted() {
                break;
            }
        }
        run.scratch = candidates;
    }

    fn is_confirmed(
        &self,
        confirm: Confirm,
        id: u32,
        reading: &Reading<'_>,
        (facts, run): (&mut Facts, &mut Run<'_>),
    ) -> bool {
        let text = reading.text;
        let follows = |facts: &mut Facts, (from, to): Span| {
            // The match may begin with what ends the value.
            let found = text.get(from..to).unwrap_or_default();
            let signs = found.iter().take_while(|byte| !is_letter_or_digit(**byte));
            facts.values(text).are_before(from + signs.count())
        };
        match confirm {
            Confirm::Match | Confirm::AsSent => true,
            Confirm::BreaksOut => self.some_match(id, text, run, |groups| {
                whole(groups).is_some_and(|(from, to)| {
                    let odd = facts.odd(text);
                    let next = odd.partition_point(|at| *at < from);
                    let breaks_out = odd.get(next).is_some_and(|at| *at < to);
                    // What begins with a quote of a sentence follows that quotation, not a value.
                    let is_quoted = text.get(from).is_some_and(|byte| b"'\"`".contains(byte));
                    breaks_out || (!is_quoted && follows(facts, (from, to)))
                })
            }),
            Confirm::FollowsValue => self.some_match(id, text, run, |groups| {
                whole(groups).is_some_and(|span| follows(facts, span))
            }),
            Confirm::SameSides => {
                self.some_match(id, text, run, |groups| has_same_sides(groups, text))
            }
            Confirm::SameSidesAfterValue => self.some_match(id, text, run, |groups| {
                has_same_sides(groups, text)
                    && whole(groups).is_some_and(|span| follows(facts, span))
            }),
            Confirm::BeginsField => self.some_match(id, text, run, |groups| {
                whole(groups).is_some_and(|span| prefix::is_header(text, span))
            }),
            Confirm::EndsName => !reading.chain.contains(&"base64") || ends_name(text),
        }
    }

    /// Whether one of the matches passes, or there are too many to tell. They may overlap: what hides an attack is no reason to
    /// pass it over.
    fn some_match(
        &self,
        id: u32,
        text: &[u8],
        run: &mut Run<'_>,
        mut passes: impl FnMut(&[Option<Span>]) -> bool,
    ) -> bool {
        let mut from = 0;
        for _ in 0..MATCHES_MAX {
            let Some(groups) = self.patterns.groups_from(id, text, from) else {
                run.spend(text.len().saturating_sub(from));
                return false;
            };
            let Some((start, end)) = whole(&groups) else {
                return false;
            };
            run.spend(end.saturating_sub(from));
            if passes(&groups) {
                return true;
            }
            from = start + 1;
        }
        true
    }

    /// Whether the rule also matches where what is plain for its class is left out: markup that runs nothing, tables.
    fn holds_in_plain(
        &self,
        class: Class,
        id: u32,
        text: &[u8],
        (facts, run): (&mut Facts, &mut Run<'_>),
    ) -> bool {
        let plain = match class {
            Class::Xss => facts
                .markup
                .get_or_insert_with(|| markup::without_plain(text)),
            Class::Rce | Class::Xpathi => facts
                .tables
                .get_or_insert_with(|| prose::without_tables(text)),
            _ => return true,
        };
        let Some(plain) = plain.as_deref() else {
            return true;
        };
        run.spend(plain.len());
        self.patterns.is_match(id, plain)
    }

    /// The tokenising detectors, called only where they could say yes.
    fn tokens_in(&self, reading: &Reading<'_>, run: &mut Run<'_>) {
        let text = reading.text;
        let (sqli, xss) = reading
            .live
            .map_or((true, true), |live| (live.sqli, live.xss));
        run.spend(if sqli || xss { text.len() } else { 0 });
        if sqli && let Some(print) = self.detector.sqli(text) {
            let mut finding = reading.finding(&SQLI_TOKENS);
            finding.why = format!("The text tokenises as SQL injection, fingerprint {print}.");
            run.report(finding);
        }
        if xss && is_read_so(Class::Xss, reading.chain) && self.detector.xss(text) {
            run.report(reading.finding(&XSS_TOKENS));
        }
    }
}

/// Where a match or a group begins and ends.
type Span = (usize, usize);

fn whole(groups: &[Option<Span>]) -> Option<Span> {
    groups.first().copied().flatten()
}

fn is_letter_or_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Whether groups 1 and 2 are the same, letter case aside.
fn has_same_sides(groups: &[Option<Span>], text: &[u8]) -> bool {
    let [_, Some(left), Some(right)] = groups[..] else {
        return false;
    };
    let side = |(from, to): Span| text.get(from..to).unwrap_or_default();
    side(left).eq_ignore_ascii_case(side(right))
}

/// What is worked out about one reading when the first rule asks for it.
#[derive(Default)]
struct Facts {
    /// Quotes that no sentence has.
    odd: Option<Vec<usize>>,
    /// Where something may go on from a value.
    values: Option<Values>,
    /// The text without plain markup.
    markup: Option<Option<Vec<u8>>>,
    /// The text without tables.
    tables: Option<Option<Vec<u8>>>,
}

impl Facts {
    fn odd(&mut self, text: &[u8]) -> &[usize] {
        self.odd.get_or_insert_with(|| prose::quotations(text).odd)
    }

    fn values(&mut self, text: &[u8]) -> &Values {
        if self.values.is_none() {
            self.values = Some(Values::of(text, self.odd(text)));
        }
        self.values.get_or_insert_with(|| Values::of(text, &[]))
    }
}

/// Whether what reads a text like this reads it like those the rules of the class are about: a text without its quotes is what
/// a shell makes of it, one without its comments what a database does.
fn is_read_so(class: Class, chain: &[&'static str]) -> bool {
    match chain.last() {
        Some(&"shell_quotes") => !matches!(class, Class::Sqli | Class::Xss | Class::Xpathi),
        Some(&"sql_blanks") => !matches!(class, Class::Rce | Class::Xss),
        _ => true,
    }
}

/// Whether a NUL follows something like `.php`.
fn ends_name(text: &[u8]) -> bool {
    const ENDING_MAX: usize = 5;
    memchr::memchr_iter(0, text).any(|at| {
        let before = text.get(..at).unwrap_or_default();
        let letters = before
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric());
        let letters = letters.take(ENDING_MAX + 1).count();
        let dot = at.checked_sub(letters + 1).and_then(|dot| text.get(dot));
        (2..=ENDING_MAX).contains(&letters) && dot == Some(&b'.')
    })
}

/// A part as sent, or one of the texts it decodes to.
#[derive(Clone, Copy)]
struct Reading<'r> {
    part: &'r Part<'r>,
    text: &'r [u8],
    /// What was decoded on the way.
    chain: &'r [&'static str],
    /// The rules that are left to ask.
    live: Option<&'r PackLive>,
}

impl Reading<'_> {
    fn finding(&self, hit: &Hit) -> Finding {
        Finding {
            class: hit.class,
            rule: hit.id.to_owned(),
            place: self.part.place,
            pointer: self.part.pointer.to_owned(),
            chain: self.chain.to_vec(),
            score: hit.score,
            paranoia: hit.paranoia,
            why: hit.why.to_owned(),
        }
    }
}

/// Padding with encodings must not hide one of them.
const UNDECODED: Hit = Hit {
    id: "pack.deadline.encodings",
    class: Class::Deadline,
    score: 5,
    paranoia: 1,
    why: "The text holds more encodings than are followed.",
};

const SQLI_TOKENS: Hit = Hit {
    id: "pack.sqli.tokens",
    class: Class::Sqli,
    score: 5,
    paranoia: 1,
    why: "The text tokenises as SQL injection.",
};

const XSS_TOKENS: Hit = Hit {
    id: "pack.xss.tokens",
    class: Class::Xss,
    score: 5,
    paranoia: 1,
    why: "A browser would find script in the text.",
};

/// A rule that matched, before it is bound to a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) id: &'static str,
    pub(crate) class: Class,
    pub(crate) score: u32,
    pub(crate) paranoia: u8,
    pub(crate) why: &'static str,
}

impl From<&Rule> for Hit {
    fn from(rule: &Rule) -> Hit {
        Hit {
            id: rule.id,
            class: rule.class,
            score: rule.score,
            paranoia: rule.paranoia,
            why: rule.why,
        }
    }
}

#[cfg(test)]
mod tests;
