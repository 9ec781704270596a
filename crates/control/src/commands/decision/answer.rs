//! An explanation as tools read it.
//! Exports `Decision` and its parts.
//! Used by `decision.explain`.
//! Start reading at `Decision`.

use model::event::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::explain::{Explanation, Near};

/// A decision, and why it was made as it was.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Number of the ledger's entry.
    pub seq: u64,
    /// When it was decided, UTC. In `event` it stands in microseconds, as it was recorded.
    pub at: String,
    /// The entry, as docs/ledger-format.md describes it.
    #[schemars(with = "Map<String, Value>")]
    pub event: Value,
    /// The stages that were entered, in their order.
    pub stages: Vec<StageEntered>,
    /// Why, in one or two sentences.
    pub why: String,
    /// What was nearest to a yes.
    pub nearest: Vec<NearRule>,
    /// What would allow it; empty where it was allowed.
    pub to_allow: String,
    /// Who or what can do that: `grant`, `policy`, `configuration`, `operator`, `caller`, `upstream`.
    pub allowed_by: Option<String>,
    /// What the caller was told.
    pub told_to_caller: String,
    /// Whether the configuration has changed since.
    pub configuration_changed_since: bool,
    /// Decisions like this one in the day before, at most 1000; null where it was allowed.
    pub similar_in_24h: Option<usize>,
    /// What inspection saw.
    pub findings: Vec<SeenFinding>,
    /// Lines for `inspection.exclusions`, ready to paste; empty where none could silence what was seen.
    pub exclusion: String,
    /// Blocks in force now that keep out whoever this was about.
    pub blocks_now: Vec<String>,
}

/// A stage that was entered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StageEntered {
    /// Its name: `authz`.
    pub stage: String,
    /// Whether it was passed; the last one of a refusal was not.
    pub passed: bool,
}

/// A rule that was near to a yes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NearRule {
    /// Where it stands: `integrations/crm.yaml:31`.
    pub rule: String,
    /// In which way it was near: `unmet`, `not_evaluated`, `forbidden`, `same_kind`, `other_integration`.
    pub nearness: String,
    /// The same in one sentence.
    pub text: String,
}

/// Something that inspection saw. It holds no text of the message.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SeenFinding {
    /// `inspect.sqli`, or `response.leak`.
    pub class: String,
    /// `body`, `query`, `header`, `path`, `cookie`, or `answer`.
    #[serde(rename = "in")]
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
    pub read_as: Vec<String>,
    /// What came of it: `counted`, `excluded`, `masked`, …
    pub what: String,
}

impl Decision {
    /// Of an explanation.
    pub(super) fn new(explained: &Explanation) -> Decision {
        let stages = explained.stages.iter();
        let stages = stages.map(|(stage, is_passed)| StageEntered {
            stage: stage.name().to_owned(),
            passed: *is_passed,
        });
        let advice = explained.to_allow.as_ref();
        Decision {
            seq: explained.seq,
            at: explained.event.at.to_string(),
            event: serde_json::to_value(&explained.event).unwrap_or_default(),
            stages: stages.collect(),
            why: explained.why.clone(),
            nearest: explained.nearest.iter().map(near).collect(),
            to_allow: advice.map_or_else(String::new, |advice| advice.text.clone()),
            allowed_by: advice.map(|advice| word(&advice.by)),
            told_to_caller: explained.told.clone(),
            configuration_changed_since: explained.is_configuration_changed,
            similar_in_24h: explained.similar.map(|similar| similar.count),
            findings: explained.found.seen.iter().map(seen).collect(),
            exclusion: explained.found.exclusion.clone(),
            blocks_now: explained.blocks.clone(),
        }
    }
}

fn near(near: &Near) -> NearRule {
    NearRule {
        rule: near.place.clone(),
        nearness: word(&near.nearness),
        text: near.text.clone(),
    }
}

fn seen(seen: &Finding) -> SeenFinding {
    SeenFinding {
        class: seen.class.to_string(),
        place: seen.place.to_string(),
        pointer: seen.pointer.to_string(),
        rule: seen.rule.to_string(),
        score: seen.score,
        paranoia: seen.paranoia,
        read_as: seen.steps.iter().map(ToString::to_string).collect(),
        what: seen.what.to_string(),
    }
}

/// A word as it is written in JSON.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
