//! Files of a room that need each other in a circle can only be understood together.
//! Exports `complaints`.
//! Used by `tidy::all`.
//! Start reading at `complaints`. A file and those in the folder of its name are one thing here: they may know each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The files that a file uses, by their module paths.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// One line for each circle.
pub fn complaints(root: &Path) -> Vec<String> {
    let rooms = fs::read_dir(root.join("crates"));
    let rooms = rooms.into_iter().flatten().flatten();
    let mut names: Vec<String> = rooms
        .filter_map(|room| room.file_name().into_string().ok())
        .collect();
    names.sort();
    let mut found = Vec::new();
    for room in names {
        for circle in circles(&uses(&root.join("crates").join(&room).join("src"))) {
            found.push(format!(
                "crates/{room}: these files use each other in a circle: {}; move what they share into a file of its own",
                circle.join(", ")
            ));
        }
    }
    found
}

/// Which file of a room uses which.
fn uses(src: &Path) -> Uses {
    let mut files = Vec::new();
    super::walk(src, &mut files);
    let named = files.into_iter().filter_map(|path| {
        let inside = path.strip_prefix(src).ok()?.with_extension("");
        let parts: Vec<&str> = inside.iter().filter_map(|part| part.to_str()).collect();
        let name = parts.join("::");
        let name = name.strip_suffix("::mod").unwrap_or(&name).to_owned();
        let is_code = !name
            .split("::")
            .any(|part| ["tests", "lib", "main"].contains(&part));
        is_code.then(|| (name, fs::read_to_string(path).unwrap_or_default()))
    });
    let texts: BTreeMap<String, String> = named.collect();
    let all = texts.iter().map(|(name, text)| {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let known = paths(name, code).into_iter();
        let known = known.filter_map(|path| nearest(&path, &texts));
        let others = known.filter(|other| !is_family(name, other));
        (name.clone(), others.collect())
    });
    all.collect()
}

/// Whether one of the two lies in the folder of the other.
fn is_family(one: &str, other: &str) -> bool {
    let is_in = |inner: &str, outer: &str| {
        inner == outer
            || inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.starts_with("::"))
    };
    is_in(one, other) || is_in(other, one)
}

/// The file that a path leads to: the longest beginning of it that is one.
fn nearest(path: &str, files: &BTreeMap<String, String>) -> Option<String> {
    let mut path = path;
    loop {
        if files.contains_key(path) {
            return Some(path.to_owned());
        }
        (path, _) = path.rsplit_once("::")?;
    }
}

/// The paths within the room that a file names, from its root on.
fn paths(module: &str, code: &str) -> Vec<String> {
    let code = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.collect::<Vec<_>>().join("\n");
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let mut found = Vec::new();
    for (start, base) in [("crate::", ""), ("super::", parent)] {
        for (at, _) in code.match_indices(start) {
            let is_begin = !code.get(..at).is_some_and(|before| {
                before.ends_with(|last: char| last.is_alphanumeric() || "_:".contains(last))
            });
            let mut rest = code.get(at + start.len()..).unwrap_or_default();
            let mut base = base;
            while let Some(further) = rest.strip_prefix("super::") {
                rest = further;
                base = base.rsplit_once("::").map_or("", |(parent, _)| parent);
            }
            if is_begin {
                expand(base, rest, &mut found);
            }
        }
    }
    found
}

/// Adds the path that a text begins with, or each of those in its braces. Gives the rest of the text.
fn expand<'t>(base: &str, text: &'t str, found: &mut Vec<String>) -> &'t str {
    let joined = |name: &str| match base {
        "" => name.to_owned(),
        base => format!("{base}::{name}"),
    };
    if let Some(inner) = text.strip_prefix('{') {
        let mut rest = inner.trim_start();
        while let Some(next) = rest.chars().next().filter(|next| *next != '}') {
            rest = match next {
                ',' => rest.get(1..).unwrap_or_default(),
                _ => expand(base, rest, found),
            }
            .trim_start();
        }
        return rest.get(1..).unwrap_or_default();
    }
    let end = text.find(|next: char| !next.is_alphanumeric() && next != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if name.is_empty() {
        // A star, or what is no path: the file itself is meant.
        found.push(base.to_owned());
        return rest.get(1..).unwrap_or_default();
    }
    match rest.strip_prefix("::") {
        Some(deeper) => expand(&joined(name), deeper, found),
        None => {
            found.push(joined(name));
            let renamed = rest.strip_prefix(" as ");
            renamed.map_or(rest, |rest| {
                rest.trim_start_matches(|next: char| next.is_alphanumeric() || next == '_')
            })
        }
    }
}

/// The circles: files that can all be reached from each other, in the order of their names.
fn circles(uses: &Uses) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = uses
        .keys()
        .map(|file| (file, reached(file, uses)))
        .collect();
    let is_back =
        |one: &String, other: &String| reached.get(other).is_some_and(|back| back.contains(one));
    let mut found = BTreeSet::new();
    for (file, others) in &reached {
        let circle = others.iter().filter(|other| is_back(file, other));
        let circle: Vec<String> = circle.map(|other| (*other).clone()).collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reached<'u>(file: &String, uses: &'u Uses) -> BTreeSet<&'u String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&String> = uses.get(file).into_iter().flatten().collect();
    while let Some(one) = next.pop() {
        if found.insert(one) {
            next.extend(uses.get(one).into_iter().flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_every_form_of_use() {
        let code = "use crate::{a, b::{C, self}, d::e as f};\nuse super::{g, h::*};\n// crate::comment\n\
                    fn x() { crate::i::j(); my_crate::no(); super::super::m::n(); super::super::super::o(); }";
        let found = paths("j::k::l", code);
        let expected = [
            "a", "b::C", "b::self", "d::e", "i::j", "j::k::g", "j::k::h", "j::m::n", "o",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_circle_is_found_and_a_family_is_none() {
        let uses = |pairs: &[(&str, &[&str])]| {
            let pairs = pairs.iter().map(|(file, others)| {
                let others = others.iter().map(|other| (*other).to_owned());
                ((*file).to_owned(), others.collect())
            });
            pairs.collect::<Uses>()
        };
        let tangled = uses(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]);
        assert_eq!(circles(&tangled), [["a", "b", "c"]]);
        let straight = uses(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
        assert!(circles(&straight).is_empty());
        assert!(is_family("event", "event::line") && is_family("event::line", "event"));
        assert!(!is_family("event", "events") && !is_family("event::a", "event::b"));
    }
}
