//! Which other declared paths could an upstream see in a path that was matched here?
//! Exports `Paths` (all that is declared), `Rivals` (of one operation) and `is_blank`.
//! Used by `Router`: what can be known from the templates is known when it is built.
//! Start reading at `Paths::rivals`, then at `Test::holds`: the readings of upstreams.
//!
//! Upstreams route more loosely than we do. Some ignore case, some take `/jobs/all.json` or `/jobs/all/` for `/jobs/all`,
//! some trim blanks and dots, some narrow wide letters. A value that is harmless as a parameter could so become another
//! path, with another operation. What two fixed texts of a contract have in common is its author's business: only what a
//! caller's value brings about makes a rival. That also happens when a value takes its own template away: `/a{x}` with a
//! blank is `/a` to an upstream that trims, and a looser path such as `/{id}`, which always fits, is what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::template;
use crate::template::TemplateSegment;

/// Stands for the value of a parameter in a text made from a template: private use, in no fixed text of a contract.
const VALUE: char = '\u{E000}';
/// Longest ending that is taken for a format: `.json`, `.xhtml`.
const FORMAT_MAX: usize = 12;

/// All declared paths by their number of segments, a trailing slash left out.
#[derive(Debug, Default)]
pub(super) struct Paths {
    whole: BTreeMap<usize, Vec<Path>>,
    below: Vec<Path>,
    known: BTreeSet<(bool, Vec<FixedTexts>)>,
}

/// The fixed texts of one segment; none for a parameter alone.
type FixedTexts = Option<Vec<Arc<str>>>;

/// One declared path.
#[derive(Debug)]
struct Path {
    segments: Vec<TemplateSegment>,
    written: Arc<str>,
}

/// The paths that an upstream could see in place of one operation's.
#[derive(Clone, Debug, Default)]
pub(super) struct Rivals(Arc<[Rival]>);

#[derive(Debug)]
struct Rival {
    written: Arc<str>,
    /// All of them have to hold; never empty.
    tests: Vec<Test>,
}

/// Whether a segment of the request reads like the rival's.
#[derive(Clone, Debug)]
struct Test {
    at: usize,
    is_last: bool,
    pattern: Pattern,
}

#[derive(Clone, Debug)]
enum Pattern {
    Text(String),
    /// Fixed texts around values, folded.
    Mixed(Vec<Arc<str>>),
    Anything,
    /// Whatever does not fit these fixed texts, folded: the own template lost.
    Lost(Vec<Arc<str>>),
}

impl Paths {
    /// Adds a path.
    pub fn insert(&mut self, segments: &[TemplateSegment], written: String) {
        let segments = without_slash(segments);
        if self.known.insert((false, pattern_of(segments))) {
            let path = Path {
                segments: segments.to_vec(),
                written: written.into(),
            };
            self.whole.entry(segments.len()).or_default().push(path);
        }
    }

    /// Adds a prefix that stands for everything below it.
    pub fn insert_below(&mut self, segments: &[TemplateSegment], written: String) {
        if self.known.insert((true, pattern_of(segments))) {
            let written = format!("{written}/…").into();
            self.below.push(Path {
                segments: segments.to_vec(),
                written,
            });
        }
    }

    /// What an upstream could see where this template was matched.
    pub fn rivals(&self, template: &[TemplateSegment]) -> Rivals {
        let own = without_slash(template);
        let same = self.whole.get(&own.len()).into_iter().flatten();
        let below = self
            .below
            .iter()
            .filter(|path| path.segments.len() <= own.len());
        let (own_pattern, losses) = (pattern_of(own), losses(own));
        let mut found = Vec::new();
        for path in same.chain(below) {
            let is_own = pattern_of(&path.segments) == own_pattern;
            for view in views(&path.segments, own.len()) {
                let ways = match tests(own, &view) {
                    // It fits whatever the values are, and is what an upstream sees where the own template is lost.
                    Some(tests) if tests.is_empty() && !is_own => losses.clone(),
                    Some(tests) if !tests.is_empty() => vec![tests],
                    _ => Vec::new(),
                };
                found.extend(ways.into_iter().map(|tests| Rival {
                    written: path.written.clone(),
                    tests,
                }));
            }
        }
        Rivals(found.into())
    }
}

impl Paths {
    /// The first declared path that an upstream could read in these segments, but for the one with this template.
    pub fn like(&self, segments: &[String], template: &[TemplateSegment]) -> Option<&Arc<str>> {
        let segments = match segments {
            [rest @ .., last] if last.is_empty() => rest,
            all => all,
        };
        let own = pattern_of(without_slash(template));
        let same = self.whole.get(&segments.len()).into_iter().flatten();
        let below = self.below.iter();
        let below = below.filter(|path| path.segments.len() <= segments.len());
        let is_read = |path: &&Path| {
            let mut views = views(&path.segments, segments.len()).into_iter();
            pattern_of(&path.segments) != own && views.any(|view| fits_all(&view, segments))
        };
        let mut found = same.chain(below).filter(is_read);
        found.next().map(|path| &path.written)
    }
}

fn fits_all(view: &[Pattern], segments: &[String]) -> bool {
    let mut pairs = view.iter().zip(segments).enumerate();
    pairs.all(|(at, (pattern, segment))| {
        let test = Test {
            at,
            is_last: at.checked_add(1) == Some(segments.len()),
            pattern: pattern.clone(),
        };
        test.holds(segment)
    })
}

impl Rivals {
    /// The first rival that these segments read like.
    pub fn in_path(&self, segments: &[String]) -> Option<&Arc<str>> {
        let is_seen = |rival: &&Rival| {
            rival.tests.iter().all(|test| {
                segments
                    .get(test.at)
                    .is_some_and(|segment| test.holds(segment))
            })
        };
        self.0.iter().find(is_seen).map(|rival| &rival.written)
    }
}

/// A trailing slash is nothing to many upstreams.
fn without_slash(segments: &[TemplateSegment]) -> &[TemplateSegment] {
    match segments {
        [rest @ .., TemplateSegment::Static(last)] if last.is_empty() => rest,
        all => all,
    }
}

/// The fixed texts of a path, so that names of parameters do not tell two paths apart.
fn pattern_of(segments: &[TemplateSegment]) -> Vec<FixedTexts> {
    let one = |segment: &TemplateSegment| match segment {
        TemplateSegment::Static(text) => Some(vec![text.clone()]),
        TemplateSegment::Parameter(_) => None,
        TemplateSegment::Mixed { texts, .. } => Some(texts.clone()),
    };
    segments.iter().map(one).collect()
}

/// A path as declared, and as an upstream has it that takes the ending of its last segment for a format.
fn views(segments: &[TemplateSegment], length: usize) -> Vec<Vec<Pattern>> {
    let plain = || segments.iter().map(Pattern::of);
    let mut views = vec![plain().collect::<Vec<_>>()];
    let last = segments.last().filter(|_| segments.len() == length);
    if let Some(cut) = last.and_then(without_format) {
        let rest = segments.len().saturating_sub(1);
        views.push(plain().take(rest).chain([cut]).collect());
    }
    views
}

fn without_format(segment: &TemplateSegment) -> Option<Pattern> {
    match segment {
        TemplateSegment::Static(text) => stem(text).map(|stem| Pattern::Text(folded(stem))),
        TemplateSegment::Parameter(_) => None,
        TemplateSegment::Mixed { texts, .. } => {
            let (last, front) = texts.split_last()?;
            let (rest, format) = last.rsplit_once('.')?;
            is_format(format).then_some(())?;
            let texts: Vec<Arc<str>> = front
                .iter()
                .map(|text| folded(text).into())
                .chain([folded(rest).into()])
                .collect();
            if texts.iter().all(|text| text.is_empty()) {
                Some(Pattern::Anything)
            } else {
                Some(Pattern::Mixed(texts))
            }
        }
    }
}

/// What a request that matched `own` must hold to read like the other path as well: nothing where it does whatever the
/// values are; none where it never does.
fn tests(own: &[TemplateSegment], other: &[Pattern]) -> Option<Vec<Test>> {
    let mut tests = Vec::new();
    for (at, (own_segment, pattern)) in own.iter().zip(other).enumerate() {
        let is_last = at.checked_add(1) == Some(own.len());
        let test = Test {
            at,
            is_last,
            pattern: pattern.clone(),
        };
        if test.holds(&with_placeholders(own_segment)) {
            continue;
        }
        if matches!(own_segment, TemplateSegment::Static(_)) {
            return None;
        }
        tests.push(test);
    }
    Some(tests)
}

/// How a value can take the own template away, for each segment that mixes fixed texts with values. A whole segment that is
/// blank is another matter ([`is_blank`]).
fn losses(own: &[TemplateSegment]) -> Vec<Vec<Test>> {
    let segments = own.iter().enumerate();
    let mixed = segments.filter(|(_, segment)| matches!(segment, TemplateSegment::Mixed { .. }));
    let loss = |(at, segment): (usize, &TemplateSegment)| {
        let pattern = Pattern::of(segment);
        // Where the contract itself writes an ending that upstreams take for a format, no value has to bring that about.
        let declared = with_placeholders(segment);
        let is_cut_anyway = stem(trimmed(&declared)).is_some_and(|text| !pattern.fits(text));
        let Pattern::Mixed(texts) = pattern else {
            return Vec::new();
        };
        vec![Test {
            at,
            is_last: at.checked_add(1) == Some(own.len()) && !is_cut_anyway,
            pattern: Pattern::Lost(texts),
        }]
    };
    mixed.map(loss).collect()
}

fn with_placeholders(segment: &TemplateSegment) -> String {
    match segment {
        TemplateSegment::Static(text) => text.to_string(),
        TemplateSegment::Parameter(_) => VALUE.to_string(),
        TemplateSegment::Mixed { texts, .. } => texts.join(VALUE.encode_utf8(&mut [0; 4])),
    }
}

impl Pattern {
    fn of(segment: &TemplateSegment) -> Pattern {
        match segment {
            TemplateSegment::Static(text) => Pattern::Text(folded(text)),
            TemplateSegment::Parameter(_) => Pattern::Anything,
            TemplateSegment::Mixed { texts, .. } => {
                Pattern::Mixed(texts.iter().map(|text| folded(text).into()).collect())
            }
        }
    }
}

impl Test {
    /// Whether some upstream could read this segment as the rival's: in any case, as it is or with blanks and trailing dots
    /// trimmed, and at the end of the path with or without the ending that names a format. A value may be a blank, so
    /// trimming can take a rival away as well as bring one about.
    fn holds(&self, segment: &str) -> bool {
        let cut = |text| stem(text).filter(|_| self.is_last);
        let plain = trimmed(segment);
        let readings = [
            Some(segment),
            Some(plain),
            cut(segment),
            cut(plain),
            cut(plain).map(trimmed),
        ];
        let mut readings = readings.into_iter().flatten();
        readings.any(|text| self.pattern.fits(text))
    }
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Text(fixed) => fold(text).eq(fixed.chars()),
            Pattern::Mixed(texts) => template::match_mixed(texts, &folded(text)).is_some(),
            Pattern::Anything => true,
            Pattern::Lost(texts) => template::match_mixed(texts, &folded(text)).is_none(),
        }
    }
}

/// Whether a value would be nothing to an upstream that trims.
pub(super) fn is_blank(value: &str) -> bool {
    trimmed(value).is_empty()
}

/// Without what upstreams trim: blanks (`+` is one in forms), and dots at the end.
fn trimmed(text: &str) -> &str {
    let is_space = |c: char| c.is_whitespace() || c == '+';
    text.trim_start_matches(is_space)
        .trim_end_matches(|c| is_space(c) || c == '.')
}

/// `all` of `all.json`.
fn stem(text: &str) -> Option<&str> {
    let (stem, format) = text.rsplit_once('.')?;
    (!stem.is_empty() && is_format(format)).then_some(stem)
}

/// `json` and `mp4`, not the `0` of `v1.0`.
fn is_format(ending: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == VALUE;
    ending.starts_with(is_letter)
        && ending.len() <= FORMAT_MAX
        && ending.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

fn folded(text: &str) -> String {
    fold(text).collect()
}

/// Letters without case, wide ones narrowed. By way of upper case, because some upstreams compare so: `ſ` is `S` there.
fn fold(text: &str) -> impl Iterator<Item = char> {
    let narrow = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32((c as u32).wrapping_sub(0xFEE0)).unwrap_or(c),
        c => c,
    };
    text.chars()
        .map(narrow)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
}
