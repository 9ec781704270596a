//! Field lists as operators write them: `lines.*.{sku,quantity}`, `customer.{id,legalName}`, `notes`.
//! Exports `FieldPath` (one written entry) and `FieldSet` (the union, as a tree walked beside the data).
//! Used by policy (filter, writes), config (checks against the contract) and the access matrix.
//! Start reading at `FieldPath::parse_entry`.

mod cover;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use cover::At;

/// One concrete path: names and `*` (each item of a list, or each value of a map).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    /// `$.` in front: counted from the root of the answer, not from the object it contains.
    pub is_from_root: bool,
    /// It stands for a file, which has no fields ([`FieldPath::file`]).
    pub is_file: bool,
    /// Steps; none only for the whole message ([`FieldPath::whole`] and [`FieldPath::file`]).
    pub steps: Vec<Arc<str>>,
}

impl FieldPath {
    /// Deepest path that is accepted.
    pub const DEPTH_MAX: usize = 16;
    /// Most paths one entry may expand to.
    pub const EXPANSION_MAX: usize = 256;

    /// The whole message, `$`: for those that are one text and have no fields.
    pub fn whole() -> FieldPath {
        FieldPath {
            is_from_root: true,
            is_file: false,
            steps: Vec::new(),
        }
    }

    /// The whole message, `$file`: for those that are a file.
    pub fn file() -> FieldPath {
        FieldPath {
            is_file: true,
            ..FieldPath::whole()
        }
    }

    /// Parses one entry of a list as grants and policies write it: the whole message (`$` or `$file`), or paths as
    /// [`FieldPath::parse`] takes them.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the entry.
    pub fn parse_entry(entry: &str) -> Result<Vec<FieldPath>, String> {
        match entry {
            "$" => Ok(vec![FieldPath::whole()]),
            "$file" => Ok(vec![FieldPath::file()]),
            _ => FieldPath::parse(entry),
        }
    }

    /// Parses one entry; braces give several paths.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the entry.
    pub fn parse(entry: &str) -> Result<Vec<FieldPath>, String> {
        let (is_from_root, rest) = match entry.strip_prefix("$.") {
            Some(rest) => (true, rest),
            None => (false, entry),
        };
        let mut texts = Vec::new();
        expand(rest, &mut texts)?;
        texts
            .iter()
            .map(|text| concrete(text, is_from_root))
            .collect()
    }
}

/// Expands `a.{b,c}.d` into `a.b.d`, `a.c.d`.
fn expand(text: &str, out: &mut Vec<String>) -> Result<(), String> {
    if out.len() >= FieldPath::EXPANSION_MAX {
        return Err(format!(
            "expands to more than {} paths",
            FieldPath::EXPANSION_MAX
        ));
    }
    let Some((before, rest)) = text.split_once('{') else {
        if text.contains('}') {
            return Err("has a `}` without a `{`".into());
        }
        out.push(text.to_owned());
        return Ok(());
    };
    let (inside, after) = split_closing(rest).ok_or("has a `{` without its `}`")?;
    for choice in choices(inside) {
        if choice.trim().is_empty() {
            return Err("has an empty name between braces".into());
        }
        expand(&format!("{before}{}{after}", choice.trim()), out)?;
    }
    Ok(())
}

/// Splits `b,{c}}.d` at the brace that closes the one already read.
fn split_closing(rest: &str) -> Option<(&str, &str)> {
    let mut depth = 1usize;
    for (at, letter) in rest.char_indices() {
        match letter {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some((rest.get(..at)?, rest.get(at + 1..)?));
        }
    }
    None
}

/// Splits at commas outside braces.
fn choices(inside: &str) -> Vec<&str> {
    let (mut depth, mut start, mut out) = (0usize, 0usize, Vec::new());
    for (at, letter) in inside.char_indices() {
        match letter {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                out.extend(inside.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    out.extend(inside.get(start..));
    out
}

fn concrete(text: &str, is_from_root: bool) -> Result<FieldPath, String> {
    let steps: Vec<Arc<str>> = text.split('.').map(Arc::from).collect();
    if steps.iter().any(|s| s.is_empty()) {
        return Err("has an empty step; write names separated by single dots".into());
    }
    if steps.len() > FieldPath::DEPTH_MAX {
        return Err(format!("is deeper than {} steps", FieldPath::DEPTH_MAX));
    }
    if let Some(odd) = steps
        .iter()
        .find(|s| s.contains(|c: char| c.is_whitespace() || "{}[]$".contains(c)))
    {
        return Err(format!(
            "has the step `{odd}`; a step is a field name or `*`"
        ));
    }
    Ok(FieldPath {
        is_from_root,
        is_file: false,
        steps,
    })
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_from_root, self.steps.is_empty()) {
            (_, true) if self.is_file => f.write_str("$file")?,
            (_, true) => f.write_str("$")?,
            (true, false) => f.write_str("$.")?,
            (false, false) => {}
        }
        f.write_str(&self.steps.join("."))
    }
}

/// A union of paths as a tree. A path that ends at a node grants everything below that node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// A written path ends here: the whole value is meant.
    pub is_whole: bool,
    /// Named steps.
    pub fields: BTreeMap<Arc<str>, FieldSet>,
    /// The `*` step.
    pub each: Option<Box<FieldSet>>,
}

impl FieldSet {
    /// Whether every place that another set names is named by this one.
    pub fn covers(&self, other: &FieldSet) -> bool {
        let each = self.each.as_deref();
        let has =
            |own: Option<&FieldSet>, other: &FieldSet| own.is_some_and(|own| own.covers(other));
        self.is_whole
            || (!other.is_whole
                && other.each.as_deref().is_none_or(|other| has(each, other))
                && other
                    .fields
                    .iter()
                    .all(|(name, other)| has(self.fields.get(name).or(each), other)))
    }

    /// The union of these paths.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a FieldPath>) -> FieldSet {
        let mut set = FieldSet::default();
        for path in paths {
            set.add(&path.steps);
        }
        set
    }

    /// The set that means every field.
    pub fn everything() -> FieldSet {
        FieldSet {
            is_whole: true,
            ..FieldSet::default()
        }
    }

    /// Adds one path.
    pub fn add(&mut self, steps: &[Arc<str>]) {
        let mut here = self;
        for step in steps {
            here = match &**step {
                "*" => here.each.get_or_insert_default(),
                _ => here.fields.entry(step.clone()).or_default(),
            };
        }
        here.is_whole = true;
    }

    /// Adds every path of another set.
    pub fn union(&mut self, other: &FieldSet) {
        self.is_whole |= other.is_whole;
        for (name, below) in &other.fields {
            self.fields.entry(name.clone()).or_default().union(below);
        }
        if let Some(below) = &other.each {
            self.each.get_or_insert_default().union(below);
        }
    }

    /// Whether some path ends at these steps, leads through them or on from them.
    pub fn meets(&self, steps: &[Arc<str>]) -> bool {
        let Some((first, rest)) = steps.split_first() else {
            return !self.is_empty();
        };
        let named = self.fields.get(first);
        let mut below = named.into_iter().chain(self.each.as_deref());
        self.is_whole || below.any(|below| below.meets(rest))
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        !self.is_whole && self.fields.is_empty() && self.each.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(entry: &str) -> Vec<String> {
        FieldPath::parse(entry)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn braces_expand_and_nest() {
        assert_eq!(
            paths("lines.*.{sku,price}"),
            ["lines.*.sku", "lines.*.price"]
        );
        assert_eq!(paths("a.{b.{c,d},e}"), ["a.b.c", "a.b.d", "a.e"]);
        assert_eq!(paths("$.total"), ["$.total"]);
    }

    #[test]
    fn broken_entries_are_refused() {
        for entry in ["", "a..b", "a.{b", "a.b}", "a.{b,}", "a b", "lines[0]"] {
            assert!(FieldPath::parse(entry).is_err(), "{entry}");
        }
        assert!(FieldPath::parse(&"{a,b}".repeat(12)).is_err());
    }

    #[test]
    fn the_whole_message_is_an_entry_and_no_path() {
        let whole = |entry| FieldPath::parse_entry(entry).unwrap();
        assert_eq!(whole("$"), [FieldPath::whole()]);
        assert_eq!(whole("$file"), [FieldPath::file()]);
        assert_eq!(whole("a.{b,c}"), FieldPath::parse("a.{b,c}").unwrap());
        for entry in ["$", "$file", "$.$file"] {
            assert!(FieldPath::parse(entry).is_err(), "{entry}");
        }
        assert!(FieldPath::parse_entry("$files").is_err());
    }

    #[test]
    fn a_set_covers_what_lies_inside_it() {
        let set = |text: &str| FieldSet::of(&FieldPath::parse(text).unwrap());
        for (wide, narrow) in [
            ("customer", "customer.id"),
            ("lines.*.{sku,price}", "lines.*.sku"),
            ("tags.*", "tags.own"),
            ("a.{b,c}", "a.{c,b}"),
        ] {
            assert!(set(wide).covers(&set(narrow)), "{wide} {narrow}");
        }
        for (one, other) in [
            ("customer.id", "customer"),
            ("lines.*.sku", "lines.*.price"),
            ("tags.own", "tags.*"),
            ("a", "b"),
        ] {
            assert!(!set(one).covers(&set(other)), "{one} {other}");
        }
        assert!(set("a").covers(&FieldSet::default()));
    }

    #[test]
    fn a_set_unites_paths() {
        let set = FieldSet::of(&FieldPath::parse("customer.{id,name}").unwrap());
        assert!(set.fields["customer"].fields["id"].is_whole);
        assert!(!set.fields["customer"].is_whole);
    }
}
