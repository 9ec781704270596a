//! What several checks say about one word, or one check about several uses of a name, said once.
//! Exports `once`.
//! Used by `Report::finish`.
//! Start reading at `once`.

use std::collections::{BTreeSet, HashMap};

use model::Mistake;

/// Most names that one sentence lists, and most other places that one help lists.
const LISTED_MAX: usize = 4;

/// In the order of file and place. `named` are the sentences about names that lead nowhere.
pub(crate) fn once(mut found: Vec<Mistake>, named: &BTreeSet<String>) -> Vec<Mistake> {
    found.sort_by(|a, b| {
        let key = |m: &Mistake| (m.line, m.span.map(|(start, _)| start));
        a.file.cmp(&b.file).then_with(|| key(a).cmp(&key(b)))
    });
    let words = by_word(found);
    by_name(words, named)
}

/// Sentences about the same word that differ in the name at their end: a field that two operations of one grant lack is
/// one mistake of the person typing. Gives each with the sentence as it was first said, without that name.
fn by_word(found: Vec<Mistake>) -> Vec<(String, Mistake)> {
    let mut merged: Vec<(Mistake, Vec<String>)> = Vec::new();
    let mut known: HashMap<Key, usize> = HashMap::new();
    for mistake in found {
        let (said, name) = match ending(&mistake.message) {
            Some((said, name)) if mistake.span.is_some() => {
                (said.to_owned(), Some(name.to_owned()))
            }
            _ => (mistake.message.clone(), None),
        };
        let key = (mistake.file.clone(), mistake.line, mistake.span, said);
        let index = *known.entry(key).or_insert(merged.len());
        match merged.get_mut(index) {
            Some((_, names)) => names.extend(name.filter(|name| !names.contains(name))),
            None => merged.push((mistake, name.into_iter().collect())),
        }
    }
    let sentences = merged.into_iter();
    sentences
        .map(|(mut mistake, names)| {
            let first = mistake.message.clone();
            let said = ending(&first).map_or(&*first, |(said, _)| said);
            if names.len() > 1 {
                mistake.message = format!("{said}{}", all(&names, "`"));
            }
            (said.to_owned(), mistake)
        })
        .collect()
}

/// File, line, span and sentence without the name at its end.
type Key = (String, Option<u32>, Option<(usize, usize)>, String);

/// The same sentence about a name in several places: the first place is shown, the others are listed.
fn by_name(found: Vec<(String, Mistake)>, named: &BTreeSet<String>) -> Vec<Mistake> {
    let mut kept: Vec<(Mistake, Vec<String>)> = Vec::new();
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    let named: BTreeSet<&str> = named
        .iter()
        .map(|message| ending(message).map_or(&**message, |(said, _)| said))
        .collect();
    for (said, mistake) in found {
        if !named.contains(&*said) {
            kept.push((mistake, Vec::new()));
            continue;
        }
        // Two names at the end are two mistakes, unless what stands before them is about a name already.
        let key = if said.contains('`') {
            (said, mistake.help.clone())
        } else {
            (mistake.message.clone(), mistake.help.clone())
        };
        let index = *known.entry(key).or_insert(kept.len());
        match kept.get_mut(index) {
            Some((_, others)) => others.push(place(&mistake)),
            None => kept.push((mistake, Vec::new())),
        }
    }
    let told = kept.into_iter().map(|(mut mistake, others)| {
        if !others.is_empty() {
            let others = all(&others, "");
            mistake.help = format!("{} The same is said at {others}.", mistake.help);
        }
        mistake
    });
    told.collect()
}

/// `file:12`
fn place(mistake: &Mistake) -> String {
    match mistake.line {
        Some(line) => format!("{}:{line}", mistake.file),
        None => mistake.file.clone(),
    }
}

/// `a`, `b` and 3 more.
fn all(names: &[String], quote: &str) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(LISTED_MAX)
        .map(|name| format!("{quote}{name}{quote}"))
        .collect();
    let more = names.len().saturating_sub(shown.len());
    match more {
        0 => shown.join(", "),
        _ => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What stands before the last name in backticks, and that name, where a sentence ends with one.
fn ending(message: &str) -> Option<(&str, &str)> {
    message.strip_suffix('`')?.rsplit_once('`')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(messages: &[(&str, usize)]) -> Vec<Mistake> {
        let one = |(message, start): &(&str, usize)| {
            let mistake = Mistake::new(*message, "Help.").in_file("a.yaml");
            let line = u32::try_from(*start).unwrap();
            mistake.at(*start, 3).at_line(line)
        };
        messages.iter().map(one).collect()
    }

    fn said(messages: &[(&str, usize)]) -> Vec<String> {
        let found = once(mistakes(messages), &BTreeSet::new()).into_iter();
        found.map(|m| m.message).collect()
    }

    #[test]
    fn one_word_that_several_operations_lack_is_one_mistake() {
        let found = said(&[
            ("no field `x` in `a`", 5),
            ("no field `y` in `a`", 5),
            ("no field `x` in `b`", 5),
            ("no field `x` in `a`", 5),
            ("no field `x` in `c`", 5),
            ("no field `x` in `a`", 9),
        ]);
        let wanted = [
            "no field `x` in `a`, `b`, `c`",
            "no field `y` in `a`",
            "no field `x` in `a`",
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn many_names_are_counted() {
        let all: Vec<(String, usize)> = (0..9).map(|n| (format!("no `x` in `o{n}`"), 5)).collect();
        let all: Vec<(&str, usize)> = all.iter().map(|(said, at)| (said.as_str(), *at)).collect();
        assert_eq!(said(&all), ["no `x` in `o0`, `o1`, `o2`, `o3` and 5 more"]);
    }

    #[test]
    fn different_sentences_about_one_place_stay_apart() {
        let found = said(&[
            ("no field `x` in `a`", 5),
            ("no mask for `x` in `a`", 5),
            ("the place is empty", 5),
        ]);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_name_that_leads_nowhere_is_shown_once_and_its_other_uses_are_listed() {
        let all = mistakes(&[
            ("there is no `x`", 5),
            ("`a` is empty", 6),
            ("there is no `x`", 9),
            ("`a` is empty", 9),
        ]);
        let found = once(all, &BTreeSet::from(["there is no `x`".to_owned()]));
        let told: Vec<(&str, &str)> = found.iter().map(|m| (&*m.message, &*m.help)).collect();
        let wanted = [
            ("there is no `x`", "Help. The same is said at a.yaml:9."),
            ("`a` is empty", "Help."),
            ("`a` is empty", "Help."),
        ];
        assert_eq!(told, wanted);
    }
}
