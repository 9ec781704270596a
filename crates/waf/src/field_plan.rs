//! What remains to ask of the texts of one field, as proven when a configuration loads.
//! Exports `FieldPlan`, which parts carry, with `Proof`; `PackLive` and `CrsLive` say which rules are left. Plain data.
//! Made by `prove`; read by the rules, which skip what cannot match.
//! Start reading at `FieldPlan`.

use crate::language::Language;
use std::sync::Arc;

/// How the rules stand to one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Rules of the plan's paranoia level that look at such fields at all.
    pub rules: usize,
    /// Rules proven unable to match.
    pub dead: usize,
    /// The ids of the others.
    pub live: Vec<String>,
}

impl Proof {
    /// Counts one rule.
    pub(crate) fn count(&mut self, id: &str, dead: bool) {
        self.rules += 1;
        if dead {
            self.dead += 1;
        } else {
            self.live.push(id.to_owned());
        }
    }
}

/// What remains to ask of one field: made once at load, shared by all requests.
///
/// A part that carries it (`Part::proven`) is shown only to the rules that are not proven dead.
/// It belongs to the rules it was made for; with others the part is inspected as free text.
/// So is a text that is not of the field's language: an error of whoever judged the message hides no attack.
#[derive(Clone, Debug)]
pub struct FieldPlan {
    remaining: Arc<Remaining>,
}

/// The live rules of both kinds, and the numbers of the sets that they are of.
#[derive(Debug, Default)]
pub(crate) struct Remaining {
    /// `None`: nothing is proven.
    pub(crate) language: Option<Language>,
    pub(crate) pack: Option<(u64, PackLive)>,
    pub(crate) directed: Option<(u64, CrsLive)>,
    pub(crate) proof: Proof,
}

impl FieldPlan {
    pub(crate) fn new(remaining: Remaining) -> FieldPlan {
        FieldPlan {
            remaining: Arc::new(remaining),
        }
    }

    /// Whether every rule is proven dead. Such a part costs next to nothing. Leave it in the message all the
    /// same when the plan holds rules from a directory: some of them count arguments and add up their lengths.
    pub fn is_closed(&self) -> bool {
        self.remaining.language.is_some() && self.remaining.proof.live.is_empty()
    }

    /// The rules that look at such a field, how many are dead and which are not.
    pub fn proof(&self) -> &Proof {
        &self.remaining.proof
    }

    /// What is left to ask about this text by these sets of rules: nothing is known of other sets, or of texts that are none
    /// of the field's language.
    pub(crate) fn remaining(
        &self,
        pack: Option<u64>,
        directed: Option<u64>,
        text: &[u8],
    ) -> Option<&Remaining> {
        let remaining = &*self.remaining;
        let is_known = remaining.pack.as_ref().map(|(serial, _)| *serial) == pack
            && remaining.directed.as_ref().map(|(serial, _)| *serial) == directed
            && remaining.language.as_ref()?.holds(text);
        is_known.then_some(remaining)
    }
}

impl Remaining {
    /// The live rules of the pack.
    pub(crate) fn pack(&self) -> Option<&PackLive> {
        self.pack.as_ref().map(|(_, live)| live)
    }

    /// The live rules of the directory.
    pub(crate) fn directed(&self) -> Option<&CrsLive> {
        self.directed.as_ref().map(|(_, live)| live)
    }
}

/// The rules of the pack that a text as sent may still match. Decoded readings meet every rule.
#[derive(Debug)]
pub(crate) struct PackLive {
    pub(crate) patterns: Vec<bool>,
    pub(crate) sqli: bool,
    pub(crate) xss: bool,
    pub(crate) address: bool,
    /// The lowest paranoia level at which a pattern is live.
    pub(crate) level: u8,
}

impl PackLive {
    /// Whether a pattern may match.
    pub(crate) fn has(&self, id: u32) -> bool {
        let place = usize::try_from(id).unwrap_or(usize::MAX);
        self.patterns.get(place).copied().unwrap_or(true)
    }

    /// Whether no rule is left at any level.
    pub(crate) fn is_dead(&self) -> bool {
        self.level == u8::MAX && !self.sqli && !self.xss && !self.address
    }

    /// Whether no pattern of this level may match.
    pub(crate) fn has_no_pattern(&self, level: u8) -> bool {
        level < self.level
    }
}

/// What the rules of a directory may still ask about an argument.
#[derive(Debug)]
pub(crate) struct CrsLive {
    /// Marks of the patterns that may match it.
    pub(crate) patterns: Vec<u64>,
    /// By the number of a link: whether it may match.
    pub(crate) links: Vec<bool>,
}

impl CrsLive {
    /// Whether a link may match. Links that ask for no argument are not judged.
    pub(crate) fn has(&self, link: usize) -> bool {
        self.links.get(link).copied().unwrap_or(true)
    }
}
