//! Data that must not leave with an answer: which kinds are looked for, and what is done about each.
//! Exports `LeakSettings` (as written) and `ResponseRules` (compiled).
//! Used by compile, and by the gateway on the texts that the field filter let out.
//! Start reading at `LeakSettings`.

use model::event::Treatment;
use schemars::JsonSchema;
use serde::Deserialize;
use waf::{LeakKind, LeakScanner};

/// Data that must not leave with an answer, and what is done about it. Looked for in the texts that the grants let out.
/// Numbers are expected, and not looked for, in fields of class `sensitive` and in fields with a pattern, a list of
/// values or a format.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LeakSettings {
    /// Payment card numbers with a right check digit. Masked ones keep their last four digits. Default `mask`.
    pub card_number: Option<LeakAction>,
    /// Bank account numbers (IBAN) with right check digits. Masked ones keep their last four letters. Default `mask`.
    pub iban: Option<LeakAction>,
    /// Private keys in text form. Whoever meets one has to replace it, so the whole answer is held back. Default `block`.
    pub private_key: Option<LeakAction>,
    /// Keys of cloud and other services, by their known forms. Default `mask`.
    pub service_key: Option<LeakAction>,
    /// Traces of programs that failed. The whole text is masked. Default `mask`.
    pub stack_trace: Option<LeakAction>,
    /// Messages of databases that failed. The whole text is masked. Default `mask`.
    pub database_error: Option<LeakAction>,
}

/// What is done about data that must not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeakAction {
    /// It is not looked for.
    Off,
    /// It is recorded and leaves.
    Observe,
    /// It is recorded and replaced by stars. In files that are no texts, which that would break, it is recorded only.
    Mask,
    /// It is recorded and the answer is refused with `response.leak`.
    Block,
}

impl LeakAction {
    /// What the record says of it.
    pub const fn done(self) -> Treatment {
        match self {
            // What is off is not looked for; were something found all the same, it would only be noted.
            LeakAction::Off | LeakAction::Observe => Treatment::Observed,
            LeakAction::Mask => Treatment::Masked,
            LeakAction::Block => Treatment::Blocked,
        }
    }
}

/// The rules about answers, compiled.
#[derive(Debug)]
pub struct ResponseRules {
    /// Finds the places.
    pub scanner: LeakScanner,
    /// The kinds that are looked for; empty when everything is off.
    pub kinds: Vec<LeakKind>,
    actions: [(LeakKind, LeakAction); 6],
}

impl ResponseRules {
    /// Compiles what was written; defaults filled in.
    ///
    /// # Errors
    /// A pattern that does not compile: a defect of the product.
    pub fn compile(written: &LeakSettings) -> Result<ResponseRules, waf::LoadError> {
        let actions = LeakKind::ALL.map(|kind| (kind, written.action(kind)));
        let wanted = actions.iter().filter(|(_, done)| *done != LeakAction::Off);
        Ok(ResponseRules {
            scanner: LeakScanner::compile()?,
            kinds: wanted.map(|(kind, _)| *kind).collect(),
            actions,
        })
    }

    /// What is done about a kind.
    pub fn action(&self, kind: LeakKind) -> LeakAction {
        let mut actions = self.actions.iter();
        actions
            .find(|(known, _)| *known == kind)
            .map_or(LeakAction::Block, |(_, action)| *action)
    }
}

impl LeakSettings {
    fn action(&self, kind: LeakKind) -> LeakAction {
        let (written, default) = match kind {
            LeakKind::CardNumber => (self.card_number, LeakAction::Mask),
            LeakKind::Iban => (self.iban, LeakAction::Mask),
            LeakKind::PrivateKey => (self.private_key, LeakAction::Block),
            LeakKind::ServiceKey => (self.service_key, LeakAction::Mask),
            LeakKind::StackTrace => (self.stack_trace, LeakAction::Mask),
            LeakKind::DatabaseError => (self.database_error, LeakAction::Mask),
        };
        written.unwrap_or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_has_a_safe_default() {
        let rules = ResponseRules::compile(&LeakSettings::default()).unwrap();
        assert_eq!(rules.kinds, LeakKind::ALL);
        assert_eq!(rules.action(LeakKind::CardNumber), LeakAction::Mask);
        assert_eq!(rules.action(LeakKind::PrivateKey), LeakAction::Block);
    }

    #[test]
    fn a_kind_that_is_off_is_not_looked_for() {
        let written = LeakSettings {
            iban: Some(LeakAction::Off),
            stack_trace: Some(LeakAction::Observe),
            ..LeakSettings::default()
        };
        let rules = ResponseRules::compile(&written).unwrap();
        assert!(!rules.kinds.contains(&LeakKind::Iban));
        assert_eq!(rules.action(LeakKind::StackTrace), LeakAction::Observe);
    }
}
