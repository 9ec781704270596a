//! Which rules cannot match the texts a field admits.
//! Exports `Plan::field`: sound, not complete; what is not proven dead counts as live.
//! Used when a configuration loads, so that closed fields are not inspected and the proof is counted, and per part.
//! Start reading at `Plan::field`; how a rule is proven dead is told in `image`.

use crate::field_plan::{FieldPlan, Proof, Remaining};
use crate::language::{FieldLanguage, Language};
use crate::part::{Part, PartKind};
use crate::plan::Plan;
use crate::seclang::RuleSet;

/// What all proofs of one load may cost together: some five hundred patterns, or as many texts as that.
const WEIGHT_MAX: usize = 25_000;

impl Plan {
    /// Decides at load which rules a field of that language still needs.
    pub fn field(&self, language: &FieldLanguage) -> FieldPlan {
        let one = self.fields(std::slice::from_ref(language)).pop();
        // Of no plan, so that the part is inspected as free text.
        one.unwrap_or_else(|| FieldPlan::new(Remaining::default()))
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
        let level = self.sensitivity.paranoia;
        let mut proofs = vec![Proof::default(); languages.len()];
        let pack = self.pack.as_ref().map(|pack| {
            let live = pack.live(&languages, level, &mut proofs);
            live.into_iter().map(|live| (pack.serial, live))
        });
        let directed = self.directed.as_ref().map(|rules| {
            let live = rules.live(&languages, level, &mut proofs);
            live.into_iter().map(|live| (rules.serial(), live))
        });
        let (mut pack, mut directed) = (pack.into_iter().flatten(), directed.into_iter().flatten());
        let made = languages.into_iter().zip(proofs);
        made.map(|(language, proof)| {
            FieldPlan::new(Remaining {
                language,
                pack: pack.next(),
                directed: directed.next(),
                proof,
            })
        })
        .collect()
    }

    /// What is left to ask about this part, if a proof is about the rules of this plan and about such texts.
    pub(crate) fn remaining<'f>(&self, part: &Part<'f>) -> Option<&'f Remaining> {
        let field = part.field.filter(|_| part.kind == PartKind::Value)?;
        let pack = self.pack.as_deref().map(|pack| pack.serial);
        let directed = self.directed.as_deref().map(RuleSet::serial);
        field.remaining(pack, directed, part.text)
    }
}

#[cfg(test)]
mod tests;
