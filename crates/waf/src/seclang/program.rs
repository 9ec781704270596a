//! A rule set after compilation: rules by phase, patterns together, names as numbers.
//! Exports `RuleSet` and the types of its rules.
//! Used by `run`; made by `compile`.
//! Start reading at `RuleSet`.

use super::ast::{Control, Disrupt};
use super::collection::collections_of;
use super::macros::Text;
use super::operator::{Number, Operator, Order};
use super::sides::{self, SIDES, Sides};
use super::tree::Tree;
use super::triggers::Triggers;
use super::tx_value::TxValue;
use super::variable::Variable;
use crate::finding::Class;
use crate::scan::PatternSet;
use crate::transform::Transform;
use std::collections::HashMap;

/// Compiled rules. Immutable, shared between threads.
#[derive(Debug)]
pub struct RuleSet {
    /// No other rule set of the process has this number.
    pub(super) serial: u64,
    pub(super) rules: Vec<Rule>,
    /// What phases 1 to 5 do, in load order.
    pub(super) phases: [Phase; 5],
    pub(super) patterns: PatternSet,
    /// Distinct transformation chains; the first is the empty one.
    pub(super) chains: Vec<Box<[Transform]>>,
    /// The same chains as one tree, with the patterns asked along it.
    pub(super) tree: Tree,
    pub(super) triggers: Triggers,
    /// For each level and side the patterns that rules ask about its texts, `stride` words each.
    pub(super) asked: Vec<u64>,
    /// Where the rules keep the paranoia level they run at.
    pub(super) level_slot: Option<usize>,
    pub(super) target_sets: Vec<TargetSet>,
    pub(super) slots: Slots,
    pub(super) signature: String,
}

impl RuleSet {
    /// No other set of rules of the process has this number.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// How many rules there are, chain links not counted.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// The numbers of all rules.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.rules.iter().map(|rule| rule.id)
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many words the marks of all patterns take.
    pub(super) fn stride(&self) -> usize {
        self.patterns.len().div_ceil(64)
    }

    /// The patterns that rules up to a level ask about the texts of a side.
    pub(super) fn asked_of(&self, level: u8, side: usize) -> &[u64] {
        let stride = self.stride();
        let row = usize::from(level.saturating_sub(1)) * SIDES + side;
        self.asked
            .get(row * stride..(row + 1) * stride)
            .unwrap_or_default()
    }

    /// Numbers about the compiled patterns, for `check -v`.
    pub fn describe(&self) -> String {
        format!(
            "{} patterns, {} without literals, {} transformation chains, {} target lists",
            self.patterns.len(),
            self.patterns.unfiltered(),
            self.chains.len(),
            self.target_sets.len()
        )
    }

    /// What the rules call themselves, for example `OWASP_CRS/4.28.0`.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// The paranoia level of a rule, by its tag; 0 for rules that have none.
    pub fn paranoia_of(&self, id: u32) -> u8 {
        self.rules
            .iter()
            .find(|rule| rule.id == id)
            .map_or(0, |rule| rule.paranoia)
    }
}

/// The highest paranoia level.
pub(super) const LEVEL_MAX: u8 = 4;

/// The rules of a phase.
#[derive(Debug, Default)]
pub(super) struct Phase {
    pub(super) steps: Vec<Step>,
    /// The sides its patterns look at.
    pub(super) sides: Sides,
}

/// A rule in its phase.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) rule: usize,
    /// Without a hit here the first link cannot match.
    pub(super) gate: Option<Gate>,
}

/// A pattern and the sides on which it must have a candidate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    pub(super) pattern: usize,
    pub(super) sides: Sides,
    /// The paranoia level of the rule.
    pub(super) level: u8,
}

/// A chain of links that act together.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: u32,
    pub(super) links: Vec<Link>,
    pub(super) disrupt: Disrupt,
    pub(super) status: u16,
    pub(super) log: bool,
    pub(super) message: Option<Text>,
    pub(super) data: Option<Text>,
    pub(super) tags: Vec<String>,
    pub(super) severity: Option<u8>,
    pub(super) paranoia: u8,
    pub(super) class: Class,
    /// Where the phase goes on after a match.
    pub(super) skip_to: Option<usize>,
}

/// One `SecRule` of a chain.
#[derive(Debug)]
pub(super) struct Link {
    /// Its place among all links of the rule set.
    pub(super) number: usize,
    pub(super) targets: usize,
    pub(super) chain: usize,
    /// For a pattern that must match one of the link's texts.
    pub(super) gate: Option<Gate>,
    /// `None`: unconditional, as `SecAction`.
    pub(super) operator: Option<Operator>,
    pub(super) negated: bool,
    pub(super) capture: bool,
    pub(super) multi_match: bool,
    pub(super) sets: Vec<Set>,
    pub(super) controls: Vec<Control>,
    /// What matched is asked for afterwards.
    pub(super) keeps_match: bool,
    /// One TX number compared: the commonest rule of all, done without texts.
    pub(super) quick: Option<Quick>,
}

#[derive(Debug)]
pub(super) struct Quick {
    pub(super) slot: usize,
    /// `&TX:name`: 0 or 1.
    pub(super) count: bool,
    pub(super) order: Order,
    pub(super) number: Number,
}

#[derive(Debug)]
pub(super) struct Set {
    pub(super) key: SetKey,
    pub(super) change: SetChange,
    /// The key is an anomaly counter.
    pub(super) scores: bool,
}

#[derive(Debug)]
pub(super) enum SetKey {
    Slot(usize),
    Text(Text),
}

#[derive(Debug)]
pub(super) enum SetChange {
    Unset,
    Fixed(TxValue),
    Assign(Text),
    /// The value of another slot.
    Copy(usize),
    Add(Number),
    Subtract(Number),
}

/// Targets resolved together.
#[derive(Debug)]
pub(super) struct TargetSet {
    pub(super) wanted: Vec<Wanted>,
    pub(super) excluded: Vec<Wanted>,
    /// Changes while a phase runs, so it is resolved anew for each rule.
    pub(super) dynamic: bool,
}

impl TargetSet {
    /// All sides the list looks at. `None`: it looks at something that is made while rules run.
    pub(super) fn sides(&self) -> Option<Sides> {
        let mut wanted = self.wanted.iter();
        wanted.try_fold(0, |sides, wanted| Some(sides | wanted.sides()?))
    }
}

#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) variable: Variable,
    pub(super) selector: Chosen,
    pub(super) count: bool,
    /// The TX slots a pattern selects.
    pub(super) slots: Vec<usize>,
}

impl Wanted {
    fn sides(&self) -> Option<Sides> {
        let made = matches!(
            self.variable,
            Variable::Tx
                | Variable::MatchedVar
                | Variable::MatchedVars
                | Variable::ArgsCombinedSize
                | Variable::FilesCombinedSize
        );
        if self.count || made {
            return None;
        }
        let collections = collections_of(self.variable);
        if collections.is_empty() {
            return Some(1 << sides::of_single(self.variable));
        }
        let all = collections
            .iter()
            .map(|(collection, by_name)| sides::of_collection(*collection, *by_name));
        Some(all.fold(0, |all, side| all | 1 << side))
    }
}

#[derive(Debug)]
pub(super) enum Chosen {
    All,
    Name(Vec<u8>),
    Pattern(regex::bytes::Regex),
}

impl Chosen {
    /// `name` is in lower case.
    pub(super) fn takes(&self, name: &[u8]) -> bool {
        match self {
            Chosen::All => true,
            Chosen::Name(wanted) => wanted == name,
            Chosen::Pattern(pattern) => pattern.is_match(name),
        }
    }
}

/// TX names known at load, as numbers. The first ten are the captures.
#[derive(Debug, Default)]
pub(super) struct Slots {
    pub(super) names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Slots {
    pub(super) fn with_captures() -> Slots {
        let mut slots = Slots::default();
        for number in 0..10 {
            slots.number(&number.to_string());
        }
        slots
    }

    /// The slot of a name, made when new.
    pub(super) fn number(&mut self, name: &str) -> usize {
        if let Some(known) = self.numbers.get(name) {
            return *known;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }
}
