//! Which rules cannot match the texts a field admits.
//! Gives `Plan::field`: sound, not complete; what is not proven dead counts as live.
//! Used when a configuration loads, so that closed fields are not inspected and the proof is counted.
//! Start reading at `Plan::field`.

use crate::plan::Plan;
use crate::scan::ByteSet;
use std::sync::Arc;

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
    /// Rules that look at such fields at all.
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

/// Texts as the proof sees them: bytes, length, and whether they may hold an encoding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts {
    pub(crate) alphabet: ByteSet,
    pub(crate) length_max: usize,
}

impl FieldLanguage {
    /// `None`: nothing can be proven, because the field is free or may carry an encoding.
    fn texts(&self) -> Option<Texts> {
        let (bytes, length_max): (&[u8], usize) = match self {
            FieldLanguage::Free | FieldLanguage::Values(_) | FieldLanguage::Pattern { .. } => {
                return None;
            }
            FieldLanguage::Boolean => (b"truefals", 5),
            FieldLanguage::Integer => (b"0123456789-", 24),
            FieldLanguage::Number => (b"0123456789+-.eE", 32),
            FieldLanguage::Uuid => (b"0123456789abcdefABCDEF-", 36),
            FieldLanguage::Date => (b"0123456789-", 10),
            FieldLanguage::DateTime => (b"0123456789-:.+TZtz ", 40),
            FieldLanguage::Bytes {
                alphabet,
                length_max,
            } => {
                // Letters and room for eight of them could be base64 of anything.
                let letters = (b'a'..=b'z')
                    .any(|byte| alphabet.has(byte) || alphabet.has(byte.to_ascii_uppercase()));
                let escapes = b"%\\&{[\"'`$^*\0".iter().any(|byte| alphabet.has(*byte));
                if escapes || (letters && *length_max >= 8) {
                    return None;
                }
                return Some(Texts {
                    alphabet: *alphabet,
                    length_max: *length_max,
                });
            }
        };
        let mut alphabet = ByteSet::default();
        for byte in bytes {
            alphabet.add(*byte);
        }
        Some(Texts {
            alphabet,
            length_max,
        })
    }
}

impl Texts {
    /// Without quote, operator or blank a text is one word to the tokenisers.
    pub(crate) fn is_one_word(&self) -> bool {
        self.alphabet
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// Whether a byte may occur.
    pub(crate) fn may_hold(&self, byte: u8) -> bool {
        self.alphabet.has(byte)
    }
}

/// What remains to ask of one field: made once at load, shared by all requests.
///
/// A part that carries it (`Part::proven`) is shown only to the rules that are not proven dead.
/// It belongs to the plan that made it; with any other plan the part is inspected as free text.
/// So is a text that is not of the field's language: an error of whoever judged the message hides no attack.
#[derive(Clone, Debug)]
pub struct FieldPlan {
    remaining: Arc<Remaining>,
}

#[derive(Debug)]
struct Remaining {
    proof: Proof,
}

impl FieldPlan {
    /// Whether every rule is proven dead. Such a part costs next to nothing. Leave it in the message all the
    /// same when the plan holds rules from a directory: some of them count arguments and add up their lengths.
    pub fn is_closed(&self) -> bool {
        self.remaining.proof.live.is_empty()
    }

    /// The rules that look at such a field, how many are dead and which are not.
    pub fn proof(&self) -> &Proof {
        &self.remaining.proof
    }
}

impl Plan {
    /// Decides at load which rules a field of that language still needs.
    pub fn field(&self, language: &FieldLanguage) -> FieldPlan {
        FieldPlan {
            remaining: Arc::new(Remaining {
                proof: self.prove(language),
            }),
        }
    }

    /// Proves what it can about a field of that language.
    pub fn prove(&self, language: &FieldLanguage) -> Proof {
        let texts = language.texts();
        let mut proof = Proof::default();
        if let Some(pack) = &self.pack {
            pack.prove(texts.as_ref(), &mut proof);
        }
        if let Some(rules) = &self.directed {
            rules.prove(texts.as_ref(), &mut proof);
        }
        proof
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{RuleFiles, Settings};

    #[test]
    fn a_free_field_keeps_every_rule_and_a_number_loses_nearly_all() {
        let plan = crate::compile(&Settings::default(), &RuleFiles::none()).unwrap();
        let free = plan.prove(&FieldLanguage::Free);
        assert_eq!((free.dead, free.live.len()), (0, free.rules));
        let number = plan.prove(&FieldLanguage::Integer);
        assert!(number.dead * 10 >= number.rules * 9, "{number:?}");
        assert!(
            number.live.iter().any(|id| id == "pack.sqli.tokens"),
            "the tokeniser is not proven"
        );
    }

    #[test]
    fn what_could_be_base64_is_not_proven() {
        let plan = crate::compile(&Settings::default(), &RuleFiles::none()).unwrap();
        let mut alphabet = ByteSet::default();
        alphabet.add_range(b'a', b'z');
        let long = plan.prove(&FieldLanguage::Bytes {
            alphabet,
            length_max: 8,
        });
        assert_eq!(long.dead, 0);
        let short = plan.prove(&FieldLanguage::Bytes {
            alphabet,
            length_max: 3,
        });
        assert!(short.dead > 0);
    }

    #[test]
    fn a_rule_proven_dead_matches_no_such_text() {
        let plan = crate::compile(&Settings::default(), &RuleFiles::none()).unwrap();
        let proof = plan.prove(&FieldLanguage::Integer);
        for text in [
            "0",
            "-1",
            "4711",
            "-9223372036854775808",
            "999999999999",
            "1234-5678",
            "--",
            "0-0-0",
        ] {
            let parts = [crate::Part::value(
                crate::Place::Body,
                "/n",
                text.as_bytes(),
            )];
            let found = crate::inspect(&parts, &crate::RequestFacts::default(), &plan, 0);
            for finding in &found.findings {
                assert!(proof.live.contains(&finding.rule), "{text}: {finding:?}");
            }
        }
    }
}
