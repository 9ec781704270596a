//! What must be seen in a message before a rule is worth evaluating.
//! Exports `gate` for a link, and the tables of a rule set made from all gates.
//! Used by `compile`.
//! Start reading at `gate`.

use crate::seclang::collection::Collection;
use crate::seclang::operator::Operator;
use crate::seclang::program::{Gate, LEVEL_MAX, Link, Phase, Rule, Step, TargetSet};
use crate::seclang::sides::{SIDES, each, of_collection};
use crate::seclang::tree::{Asked, Tree};
use crate::transform::Transform;

/// The gate of a link whose pattern must match. A negated pattern matches nearly everything, it has none.
pub(super) fn gate(link: &Link, set: Option<&TargetSet>, level: u8) -> Option<Gate> {
    let (Some(Operator::Pattern(id) | Operator::Phrases(id)), false) =
        (&link.operator, link.negated)
    else {
        return None;
    };
    Some(Gate {
        pattern: usize::try_from(*id).ok()?,
        sides: set?.sides()?,
        level,
    })
}

/// The rules of a phase, each with the gate of its first link, and the sides they look at.
pub(super) fn phase(rules: &[Rule], numbers: &[usize]) -> Phase {
    let mut phase = Phase::default();
    for number in numbers {
        let links = rules.get(*number).map(|rule| rule.links.as_slice());
        let links = links.unwrap_or_default();
        phase.steps.push(Step {
            rule: *number,
            gate: links.first().and_then(|link| link.gate),
        });
        for gate in links.iter().filter_map(|link| link.gate) {
            phase.sides |= gate.sides;
        }
    }
    phase
}

/// For each level and side the patterns that rules up to the level ask there.
pub(super) fn asked(rules: &[Rule], words: usize) -> Vec<u64> {
    let mut asked = Vec::with_capacity(usize::from(LEVEL_MAX) * SIDES * words);
    for level in 1..=LEVEL_MAX {
        let begin = asked.len();
        asked.resize(begin + SIDES * words, 0);
        let gates = links(rules).filter_map(|link| link.gate);
        for gate in gates.filter(|gate| gate.level <= level) {
            for side in each(gate.sides) {
                if let Some(bits) = asked.get_mut(begin + side * words + gate.pattern / 64) {
                    *bits |= 1 << (gate.pattern % 64);
                }
            }
        }
    }
    asked
}

/// The patterns that are asked about arguments at the lowest level: those that every message meets.
pub(super) fn common(rules: &[Rule], words: usize) -> Vec<u64> {
    let arguments = [Collection::ArgsGet, Collection::ArgsPost];
    let sides = arguments.iter().fold(0, |sides, collection| {
        sides | 1 << of_collection(*collection, false)
    });
    let mut common = vec![0u64; words];
    let gates = links(rules).filter_map(|link| link.gate);
    for gate in gates.filter(|gate| gate.level <= 1) {
        if let Some(bits) = common
            .get_mut(gate.pattern / 64)
            .filter(|_| gate.sides & sides != 0)
        {
            *bits |= 1 << (gate.pattern % 64);
        }
    }
    common
}

/// The chains before all gated patterns.
pub(super) fn tree(rules: &[Rule], chains: &[Box<[Transform]>], words: usize) -> Tree {
    let asked = links(rules).filter_map(|link| {
        Some(Asked {
            chain: chains.get(link.chain)?,
            pattern: u32::try_from(link.gate?.pattern).ok()?,
            multi: link.multi_match,
        })
    });
    Tree::of(asked, words)
}

fn links(rules: &[Rule]) -> impl Iterator<Item = &Link> {
    rules.iter().flat_map(|rule| &rule.links)
}
