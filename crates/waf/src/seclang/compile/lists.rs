//! Distinct target lists and what they ask for.
//! Exports `Targets` and `compile_target`.
//! Used by `compile`.
//! Start reading at `Targets::number`.

use crate::seclang::ast::{Selector, Target};
use crate::seclang::program::{Chosen, Slots, TargetSet, Wanted};
use crate::seclang::variable::Variable;
use std::collections::HashMap;

/// Distinct target lists, so that equal lists are resolved once per phase.
#[derive(Default)]
pub(super) struct Targets {
    pub(super) sets: Vec<TargetSet>,
    known: HashMap<Vec<Target>, usize>,
}

impl Targets {
    pub(super) fn number(&mut self, targets: &[Target]) -> Result<usize, String> {
        if let Some(known) = self.known.get(targets) {
            return Ok(*known);
        }
        let mut set = TargetSet {
            wanted: Vec::new(),
            excluded: Vec::new(),
            dynamic: false,
        };
        for target in targets {
            set.dynamic |= matches!(
                target.variable,
                Variable::Tx | Variable::MatchedVar | Variable::MatchedVars
            );
            let wanted = compile_target(target)?;
            if target.excluded {
                set.excluded.push(wanted);
            } else {
                set.wanted.push(wanted);
            }
        }
        let number = self.sets.len();
        self.sets.push(set);
        self.known.insert(targets.to_vec(), number);
        Ok(number)
    }
}

/// Once all TX names have their slots, those a pattern selects are known.
pub(super) fn select_slots(sets: &mut [TargetSet], slots: &Slots) {
    let tx = |wanted: &&mut Wanted| wanted.variable == Variable::Tx;
    for wanted in sets.iter_mut().flat_map(|set| &mut set.wanted).filter(tx) {
        if matches!(wanted.selector, Chosen::Name(_)) {
            continue;
        }
        let names = slots.names.iter().enumerate();
        wanted.slots = names
            .filter(|(_, name)| wanted.selector.takes(name.as_bytes()))
            .map(|(slot, _)| slot)
            .collect();
    }
}

/// A target ready to be asked for.
pub(crate) fn compile_target(target: &Target) -> Result<Wanted, String> {
    let selector = match &target.selector {
        Selector::All => Chosen::All,
        Selector::Name(name) => Chosen::Name(name.clone().into_bytes()),
        Selector::Pattern(text) => {
            let pattern = regex::bytes::RegexBuilder::new(text)
                .unicode(false)
                .case_insensitive(true)
                .build()
                .map_err(|error| error.to_string())?;
            Chosen::Pattern(pattern)
        }
    };
    Ok(Wanted {
        variable: target.variable,
        selector,
        count: target.count,
        slots: Vec::new(),
    })
}
