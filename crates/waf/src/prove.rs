//! Which rules cannot match the texts a field admits.
//! Exports `Plan::field`: sound, not complete; what is not proven dead counts as live.
//! Used when a configuration loads, so that closed fields are not inspected and the proof is counted.
//! Start reading at `Plan::field`; how a rule is proven dead is told in `product`.

mod language;
mod narrow;
mod product;

pub(crate) use language::Language;
pub(crate) use product::{Automaton, Image};

use crate::pack::{self, Pack};
use crate::part::{Part, PartKind};
use crate::plan::Plan;
use crate::scan::ByteSet;
use crate::seclang::{self, RuleSet};
use std::sync::Arc;

/// What all proofs of one load may cost together: some five hundred patterns, or as many texts as that.
const WEIGHT_MAX: usize = 25_000;

/// What a contract says about the texts of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldLanguage {
    /// Anything.
    Free,
    /// `true` or `false`.
    Boolean,
    /// One of these texts and no other. Every rule is tried on every one of them.
    Values(Vec<String>),
    /// Texts in which a pattern of the contract matches, as JSON Schema reads `pattern`: anchors are the pattern's own.
    Pattern {
        /// The pattern as the contract writes it.
        source: String,
        /// The greatest length in characters, where the contract sets one.
        length_max: Option<usize>,
    },
    /// An integer in decimal notation.
    Integer,
    /// A number of JSON.
    Number,
    /// A UUID of RFC 9562.
    Uuid,
    /// A date of RFC 3339.
    Date,
    /// A date with time of RFC 3339.
    DateTime,
    /// Texts of these bytes, no longer than this.
    Bytes {
        /// The bytes that may occur.
        alphabet: ByteSet,
        /// The greatest length in bytes.
        length_max: usize,
    },
}

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

/// The live rules of both kinds, and whose they are.
#[derive(Debug)]
pub(crate) struct Remaining {
    /// `None`: nothing is proven.
    language: Option<Language>,
    pack: Option<(Arc<Pack>, pack::Live)>,
    directed: Option<(Arc<RuleSet>, seclang::Live)>,
    proof: Proof,
}

impl FieldPlan {
    /// Whether every rule is proven dead. Such a part costs next to nothing. Leave it in the message all the
    /// same when the plan holds rules from a directory: some of them count arguments and add up their lengths.
    pub fn is_closed(&self) -> bool {
        self.remaining.language.is_some() && self.remaining.proof.live.is_empty()
    }

    /// Of no plan, so that it covers nothing and the part is inspected as free text.
    fn unproven() -> FieldPlan {
        FieldPlan {
            remaining: Arc::new(Remaining {
                language: None,
                pack: None,
                directed: None,
                proof: Proof::default(),
            }),
        }
    }

    /// The rules that look at such a field, how many are dead and which are not.
    pub fn proof(&self) -> &Proof {
        &self.remaining.proof
    }

    /// What is left to ask about this part, if the proof is about the rules of this plan and about such texts.
    pub(crate) fn covers(&self, plan: &Plan, part: &Part<'_>) -> Option<&Remaining> {
        let remaining = &*self.remaining;
        let ours = remaining.pack.as_ref().map(|(pack, _)| pack);
        let theirs = remaining.directed.as_ref().map(|(rules, _)| rules);
        let covers = part.kind == PartKind::Value
            && same(ours, plan.pack.as_ref())
            && same(theirs, plan.directed.as_ref())
            && remaining.language.as_ref()?.holds(part.text);
        covers.then_some(remaining)
    }
}

fn same<T>(left: Option<&Arc<T>>, right: Option<&Arc<T>>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => Arc::ptr_eq(left, right),
        (left, right) => left.is_none() && right.is_none(),
    }
}

impl Remaining {
    /// The live rules of the pack.
    pub(crate) fn pack(&self) -> Option<&pack::Live> {
        self.pack.as_ref().map(|(_, live)| live)
    }

    /// The live rules of the directory.
    pub(crate) fn directed(&self) -> Option<&seclang::Live> {
        self.directed.as_ref().map(|(_, live)| live)
    }
}

impl Plan {
    /// Decides at load which rules a field of that language still needs.
    pub fn field(&self, language: &FieldLanguage) -> FieldPlan {
        let one = self.fields(std::slice::from_ref(language)).pop();
        one.unwrap_or_else(FieldPlan::unproven)
    }

    /// The same for several languages, in their order. Asked together they cost less: each rule is prepared once.
    /// Of more than can be proven in seconds the last ones count as free.
    pub fn fields(&self, languages: &[FieldLanguage]) -> Vec<FieldPlan> {
        let mut left = WEIGHT_MAX;
        let affordable = |language: &FieldLanguage| {
            let language = Language::of(language)?;
            left = left.checked_sub(language.weight())?;
            Some(language)
        };
        let languages: Vec<Option<Language>> = languages.iter().map(affordable).collect();
        let level = self.paranoia;
        let mut proofs = vec![Proof::default(); languages.len()];
        let pack = self.pack.as_ref().map(|pack| {
            let live = pack.live(&languages, level, &mut proofs);
            live.into_iter().map(|live| (Arc::clone(pack), live))
        });
        let directed = self.directed.as_ref().map(|rules| {
            let live = rules.live(&languages, level, &mut proofs);
            live.into_iter().map(|live| (Arc::clone(rules), live))
        });
        let (mut pack, mut directed) = (pack.into_iter().flatten(), directed.into_iter().flatten());
        let made = languages.into_iter().zip(proofs);
        made.map(|(language, proof)| {
            let remaining = Remaining {
                language,
                pack: pack.next(),
                directed: directed.next(),
                proof,
            };
            FieldPlan {
                remaining: Arc::new(remaining),
            }
        })
        .collect()
    }
}

#[cfg(test)]
mod tests;
