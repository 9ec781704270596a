//! Resolves target lists to values.
//! Exports `resolve`, `Value`, `Label`.
//! Used by `run`.
//! Start reading at `resolve`.

use super::collection::{Collection, collections_of};
use super::program::{Chosen, TargetSet, Wanted};
use super::store::Store;
use super::texts::TextId;
use super::tx_value::TxValue;
use super::variable::Variable;

/// A value to judge, with what it takes to name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) text: TextId,
    pub(super) variable: Variable,
    pub(super) label: Label,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Label {
    None,
    Entry(Collection, u32),
    /// The name is a text of its own.
    Text(TextId),
}

/// Matches of the rule so far, for MATCHED_VAR and MATCHED_VARS.
#[derive(Clone, Debug, Default)]
pub(super) struct Matched {
    pub(super) values: Vec<Value>,
}

/// Appends the values of a target list, exclusions applied.
pub(super) fn resolve(
    set: &TargetSet,
    store: &mut Store<'_>,
    matched: &Matched,
    values: &mut Vec<Value>,
) {
    let begin = values.len();
    for wanted in &set.wanted {
        let from = values.len();
        collect(wanted, store, matched, values);
        if wanted.count {
            let count = values.len() - from;
            values.truncate(from);
            let text = store.texts.add(count.to_string().as_bytes());
            values.push(Value {
                text,
                variable: wanted.variable,
                label: Label::None,
            });
        }
    }
    if set.excluded.is_empty() {
        return;
    }
    let mut kept = begin;
    for at in begin..values.len() {
        let Some(value) = values.get(at).copied() else {
            break;
        };
        if set
            .excluded
            .iter()
            .any(|wanted| names(wanted, &value, store))
        {
            continue;
        }
        if let Some(place) = values.get_mut(kept) {
            *place = value;
        }
        kept += 1;
    }
    values.truncate(kept);
}

/// Whether a target names the value.
pub(super) fn names(wanted: &Wanted, value: &Value, store: &Store<'_>) -> bool {
    if wanted.variable != value.variable {
        return false;
    }
    match &value.label {
        Label::None => wanted.selector.takes(b""),
        Label::Text(name) => wanted
            .selector
            .takes(&store.texts.bytes(*name).to_ascii_lowercase()),
        Label::Entry(collection, number) => {
            let entry = usize::try_from(*number)
                .ok()
                .and_then(|number| store.collection(*collection).get(number));
            entry.is_some_and(|entry| wanted.selector.takes(store.texts.bytes(entry.lower)))
        }
    }
}

fn collect(wanted: &Wanted, store: &mut Store<'_>, matched: &Matched, values: &mut Vec<Value>) {
    let collections = collections_of(wanted.variable);
    for (collection, by_name) in collections {
        for (entry, number) in store.collection(*collection).iter().zip(0u32..) {
            let Some(text) = entry.side(*by_name) else {
                continue;
            };
            if wanted.selector.takes(store.texts.bytes(entry.lower)) {
                values.push(Value {
                    text,
                    variable: wanted.variable,
                    label: Label::Entry(*collection, number),
                });
            }
        }
    }
    if collections.is_empty() {
        single(wanted, store, matched, values);
    }
}

fn single(wanted: &Wanted, store: &mut Store<'_>, matched: &Matched, values: &mut Vec<Value>) {
    let variable = wanted.variable;
    match variable {
        Variable::MatchedVars => values.extend(matched.values.iter().copied()),
        Variable::MatchedVar => values.extend(matched.values.last().copied()),
        Variable::Tx => {
            if let Chosen::Name(name) = &wanted.selector {
                let found = store.tx(name).map(TxValue::bytes);
                if let Some(value) = found {
                    let text = store.texts.add(&value);
                    let label = Label::Text(store.texts.add(name));
                    values.push(Value {
                        text,
                        variable,
                        label,
                    });
                }
                return;
            }
            let known = wanted.slots.iter().filter_map(|slot| {
                let value = store.slot(*slot)?.bytes();
                Some((store.slot_name(*slot).to_vec(), value))
            });
            let others = store.other_tx().into_iter();
            let others = others.filter(|(name, _)| wanted.selector.takes(name));
            let all: Vec<(Vec<u8>, Vec<u8>)> = known.chain(others).collect();
            for (name, value) in all {
                let text = store.texts.add(&value);
                let label = Label::Text(store.texts.add(&name));
                values.push(Value {
                    text,
                    variable,
                    label,
                });
            }
        }
        Variable::ArgsCombinedSize | Variable::FilesCombinedSize => {
            let size = if variable == Variable::ArgsCombinedSize {
                store.arguments_bytes()
            } else {
                store.files_bytes()
            };
            let text = store.texts.add(size.to_string().as_bytes());
            values.push(Value {
                text,
                variable,
                label: Label::None,
            });
        }
        _ => {
            if let Some(text) = store.find_single(variable) {
                values.push(Value {
                    text,
                    variable,
                    label: Label::None,
                });
            }
        }
    }
}

/// The name of a value as `MATCHED_VAR_NAME` gives it.
pub(super) fn name_of(value: &Value, store: &Store<'_>) -> Vec<u8> {
    let mut name = value.variable.name().as_bytes().to_vec();
    let key = key_of(value, store);
    if !key.is_empty() {
        name.push(b':');
        name.extend_from_slice(key);
    }
    name
}

/// The key of a value inside its collection, as sent.
pub(super) fn key_of<'s>(value: &Value, store: &'s Store<'_>) -> &'s [u8] {
    match &value.label {
        Label::None => &[],
        Label::Text(name) => store.texts.bytes(*name),
        Label::Entry(collection, number) => usize::try_from(*number)
            .ok()
            .and_then(|number| store.collection(*collection).get(number))
            .map_or(&[], |entry| store.texts.bytes(entry.name)),
    }
}
