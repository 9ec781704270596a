//! A mistake as the person typing reads it: file, line, column, snippet, remedy. Secrets in the snippet are hidden.
//! Exports `render_all`, and `render` and `render_as` for one. Pure: colour is an argument, no terminal is asked.
//! Used by the binary and by the golden tests.
//! Start reading at `render_all`; what is hidden is decided in `hidden`.

use std::collections::BTreeMap;
use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, Severity, SourceCode, SourceSpan, SpanContents,
};
use model::{Mistake, printable};
use yaml::{Node, Rules, Value};

use crate::Files;
use crate::rule_files::is_rule_file;
use crate::secret_ref::SecretRef;

/// Widest line.
const WIDTH: usize = 100;

/// Letters of a line that are shown; of a longer one, those around the place.
const LINE_CHARS_MAX: usize = 120;
/// Letters in front of the place that are shown of a long line.
const LEAD_CHARS_MAX: usize = 40;
/// Letters of a message or a remedy that are shown. They quote what stands in the file, which may be long.
const MESSAGE_CHARS_MAX: usize = 800;

/// Keys whose values are references to secrets, and whose literal values are never shown.
const SECRET_KEYS: &[&str] = &["kek", "key"];

/// From this length on a word of digits and letters is taken for key material. Names in a configuration are shorter.
const TOKEN_LEN_MIN: usize = 32;

/// How a mistake is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// As a warning, which does not refuse the configuration.
    pub is_warning: bool,
    /// With ANSI colours.
    pub is_coloured: bool,
}

/// A mistake without colours.
pub fn render(mistake: &Mistake, files: &Files) -> String {
    render_as(mistake, files, Look::default())
}

/// A mistake with its snippet.
pub fn render_as(mistake: &Mistake, files: &Files, look: Look) -> String {
    render_all(std::slice::from_ref(mistake), files, look).concat()
}

/// Mistakes with their snippets. Each file is looked through once, however many mistakes it has.
pub fn render_all(mistakes: &[Mistake], files: &Files, look: Look) -> Vec<String> {
    let theme = if look.is_coloured {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(WIDTH)
        .with_context_lines(1)
        .with_links(false);
    let mut prepared: BTreeMap<&str, Prepared> = BTreeMap::new();
    let mut one = |mistake| {
        let shown = Shown::new(mistake, files, look, &mut prepared);
        let mut out = String::new();
        match handler.render_report(&mut out, &shown) {
            Ok(()) => out,
            Err(_) => format!("{shown}\n  {}\n", shown.help),
        }
    };
    mistakes.iter().map(&mut one).collect()
}

/// A file as it may be shown.
struct Prepared {
    /// Secrets hidden, and nothing in it acts on a terminal; every byte is where it was.
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Prepared {
    fn new(file: &str, text: &str) -> Prepared {
        let shown = if is_rule_file(file) {
            printable::in_place(text).into_owned()
        } else {
            printable::in_place(&hidden(text)).into_owned()
        };
        let begins = shown
            .match_indices('\n')
            .map(|(at, _)| at.saturating_add(1));
        let lines = std::iter::once(0).chain(begins).collect();
        Prepared { text: shown, lines }
    }

    /// The index of the line that holds this byte.
    fn line_of(&self, at: usize) -> usize {
        self.lines
            .partition_point(|begin| *begin <= at)
            .saturating_sub(1)
    }

    /// A line without its end.
    fn line(&self, index: usize) -> Option<&str> {
        let begin = *self.lines.get(index)?;
        self.text.get(begin..)?.lines().next().or(Some(""))
    }
}

/// The lines around a place, cut where they go on for long. Every line keeps its number, the place its column.
#[derive(Debug)]
struct Snippet {
    file: String,
    text: String,
    /// Columns that are missing in front of what is shown.
    missing: usize,
}

impl Snippet {
    fn new(
        mistake: &Mistake,
        prepared: &Prepared,
        start: usize,
        len: usize,
    ) -> (Self, LabeledSpan) {
        let start = start.min(prepared.text.len());
        let wanted = prepared.line_of(start);
        let mut text = "\n".repeat(wanted.saturating_sub(1));
        let (mut missing, mut label) = (0, (0, 0));
        for number in wanted.saturating_sub(1)..=wanted.saturating_add(1) {
            let Some(line) = prepared.line(number) else {
                break;
            };
            if number == wanted {
                let begin = prepared.lines.get(wanted).copied().unwrap_or_default();
                let at = start.saturating_sub(begin).min(line.len());
                let window = Window::around(line, at);
                missing = window.missing;
                let from = text.len().saturating_add(window.place);
                text.push_str(&window.text);
                label = match is_rule_file(&mistake.file) {
                    // A rule is one line: all of it is meant.
                    true => whole(&text, from),
                    // Only the first line is underlined: a whole block says less than its beginning.
                    false => (
                        from,
                        len.min(text.get(from..).unwrap_or_default().trim_end().len()),
                    ),
                };
            } else {
                text.push_str(&printable::cut(line, LINE_CHARS_MAX));
            }
            // As in the file: its last line may have no end.
            if prepared.lines.len() > number.saturating_add(1) {
                text.push('\n');
            }
        }
        let file = printable::line(&mistake.file).into_owned();
        let label = LabeledSpan::new_with_span(None, label);
        (
            Snippet {
                file,
                text,
                missing,
            },
            label,
        )
    }
}

/// The words of the line in which this byte stands.
fn whole(text: &str, at: usize) -> (usize, usize) {
    let begin = text.get(..at).and_then(|before| before.rfind('\n'));
    let begin = begin.map_or(0, |newline| newline.saturating_add(1));
    let line = text.get(begin..).unwrap_or_default();
    let indent = line.len().saturating_sub(line.trim_start().len());
    (
        begin.saturating_add(indent),
        line.trim().trim_end_matches('…').len(),
    )
}

/// What is shown of a line.
struct Window {
    text: String,
    /// Where the place is in it.
    place: usize,
    missing: usize,
}

impl Window {
    fn around(line: &str, at: usize) -> Window {
        const MARK: &str = "…";
        let before = line.get(..at).unwrap_or_default();
        let lead = before
            .char_indices()
            .rev()
            .nth(LEAD_CHARS_MAX.saturating_sub(1));
        let is_short = line.chars().nth(LINE_CHARS_MAX).is_none();
        let from = match lead {
            Some((from, _)) if !is_short => from,
            _ => 0,
        };
        let rest = printable::cut(line.get(from..).unwrap_or_default(), LINE_CHARS_MAX);
        let mark = if from > 0 { MARK } else { "" };
        Window {
            text: format!("{mark}{rest}"),
            place: at.saturating_sub(from).saturating_add(mark.len()),
            missing: from.saturating_sub(mark.len()),
        }
    }
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        // Asked without context it is the place itself, whose column is printed.
        let missing = if before == 0 && after == 0 {
            self.missing
        } else {
            0
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column().saturating_add(missing),
            inner.line_count(),
        )))
    }
}

/// A mistake with the text it stands in.
#[derive(Debug)]
struct Shown<'m> {
    mistake: &'m Mistake,
    message: String,
    help: String,
    source: Option<(Snippet, LabeledSpan)>,
    is_warning: bool,
}

impl<'m> Shown<'m> {
    fn new<'f>(
        mistake: &'m Mistake,
        files: &'f Files,
        look: Look,
        prepared: &mut BTreeMap<&'f str, Prepared>,
    ) -> Self
    where
        'm: 'f,
    {
        let source = mistake
            .span
            .zip(files.text(&mistake.file))
            .map(|((start, len), text)| {
                let file: &'f str = &mistake.file;
                let prepared = prepared
                    .entry(file)
                    .or_insert_with(|| Prepared::new(file, text));
                Snippet::new(mistake, prepared, start, len)
            });
        // Further lines of a message are shown behind a bar, so none of them can pass for a line of ours.
        let said = |text: &str| {
            let text = printable::cut(text, MESSAGE_CHARS_MAX);
            printable::lines(&text).into_owned()
        };
        Shown {
            mistake,
            message: said(&mistake.message),
            help: said(&mistake.help),
            source,
            is_warning: look.is_warning,
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, message) = (printable::line(&self.mistake.file), &self.message);
        match (&self.source, self.mistake.line) {
            (Some(_), _) => f.write_str(message),
            (None, Some(line)) => write!(f, "{file}:{line}: {message}"),
            (None, None) => write!(f, "{file}: {message}"),
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(if self.is_warning {
            Severity::Warning
        } else {
            Severity::Error
        })
    }
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source
            .as_ref()
            .map(|(source, _)| source as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, label) = self.source.as_ref()?;
        Some(Box::new(std::iter::once(label.clone())))
    }
}

/// The text with everything that may be a secret replaced by stars, byte for byte.
fn hidden(text: &str) -> String {
    let mut spans = Vec::new();
    if let Ok(root) = yaml::read(text, Rules::OWN_FILE) {
        literals(&root, &mut spans);
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        suspicious(line, start, &mut spans);
        tokens(line, start, &mut spans);
        start = start.saturating_add(line.len());
    }
    blocks(text, &mut spans);
    // In order, so that one walk over text and spans is enough. `until` is the end of all spans that have begun.
    spans.sort_unstable();
    let mut begun = spans.into_iter().peekable();
    let (mut until, mut out) = (0, String::with_capacity(text.len()));
    for (at, letter) in text.char_indices() {
        while let Some((_, to)) = begun.next_if(|(from, _)| *from <= at) {
            until = until.max(to);
        }
        if at < until && letter != '\n' {
            out.extend(std::iter::repeat_n('*', letter.len_utf8()))
        } else {
            out.push(letter)
        }
    }
    out
}

type Spans = Vec<(usize, usize)>;

/// Values in fields for secrets that are no references.
fn literals(node: &Node, spans: &mut Spans) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| literals(item, spans)),
        Value::Map(entries) => {
            for (key, value) in &entries.pairs {
                let is_secret = key
                    .as_text()
                    .is_some_and(|name| SECRET_KEYS.contains(&name));
                let is_reference = value
                    .as_text()
                    .is_some_and(|text| text.parse::<SecretRef>().is_ok());
                if is_secret && !is_reference && !matches!(value.value, Value::Map(_)) {
                    spans.push((
                        value.span.start,
                        value.span.start.saturating_add(value.span.len),
                    ));
                }
                literals(value, spans);
            }
        }
        _ => {}
    }
}

/// One line that may not be readable as YAML: values after `key:` and `kek:`, API keys, passwords in URLs.
fn suspicious(line: &str, start: usize, spans: &mut Spans) {
    for name in SECRET_KEYS {
        let Some((before, rest)) = line.split_once(&format!("{name}:")) else {
            continue;
        };
        let is_word_before = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let value = rest.trim_start().trim_start_matches(['"', '\'']);
        let is_reference = ["env:", "file:", "cred:", "{"]
            .iter()
            .any(|kind| value.starts_with(kind));
        if !is_word_before && !is_reference {
            let from = line.len().saturating_sub(value.len());
            let length = value
                .find([',', '}', '"', '\'', '\n', '#'])
                .unwrap_or(value.len());
            spans.push((
                start.saturating_add(from),
                start.saturating_add(from).saturating_add(length),
            ));
        }
    }
    for prefix in [
        "pk_live_",
        "pk_test_",
        "portcullis_live_",
        "portcullis_test_",
    ] {
        for (at, found) in line.match_indices(prefix) {
            let from = start.saturating_add(at).saturating_add(found.len());
            let after = line
                .get(at.saturating_add(found.len())..)
                .unwrap_or_default();
            let length = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(after.len());
            spans.push((from, from.saturating_add(length)));
        }
    }
    if let Some((scheme, rest)) = line.split_once("://")
        && let Some((login, _)) = rest.split_once('@')
        && !login.contains(['/', ' ', '"'])
    {
        let from = start.saturating_add(scheme.len()).saturating_add(3);
        spans.push((from, from.saturating_add(login.len())));
    }
}

/// Long words that read like key material, wherever they stand: under a mistyped key, in a list, in a map.
fn tokens(line: &str, start: usize, spans: &mut Spans) {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    let mut from = 0;
    for word in line.as_bytes().split(|byte| !is_part(*byte)) {
        let has = |wanted: fn(&u8) -> bool| word.iter().any(wanted);
        let is_hex = word.iter().all(u8::is_ascii_hexdigit);
        let is_mixed =
            has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
        if word.len() >= TOKEN_LEN_MIN && (is_hex || is_mixed) {
            let at = start.saturating_add(from);
            spans.push((at, at.saturating_add(word.len())));
        }
        from = from.saturating_add(word.len()).saturating_add(1);
    }
}

/// PEM blocks.
fn blocks(text: &str, spans: &mut Spans) {
    for (from, _) in text.match_indices("-----BEGIN") {
        let rest = text.get(from..).unwrap_or_default();
        let length = rest.find("-----END").unwrap_or(rest.len());
        spans.push((from, from.saturating_add(length)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_nothing_moves() {
        for text in [
            "keys: { kek: hunter2 }\n",
            "keys:\n  kek: \"hunter2\"\n",
            "tls: { cert: a.pem, key: hunter2 }\n",
            "  kek: |\n    -----BEGIN PRIVATE KEY-----\n    hunter2\n    -----END PRIVATE KEY-----\n",
            "broken: [\n  key: hunter2\n",
            "targets: [\"http://user:hunter2@erp.example\"]\n",
            "purpose: pk_live_hunter2\n",
        ] {
            let shown = hidden(text);
            assert!(!shown.contains("hunter2"), "{shown}");
            assert_eq!(shown.len(), text.len());
        }
    }

    #[test]
    fn key_material_is_hidden_wherever_it_stands() {
        let hex = "0123456789abcdef".repeat(4);
        let base64 = "QWxhZGRpbjpvcGVuIHNlc2FtZQ0123456789+/abcdE=";
        for text in [
            format!("keys: {{ kekk: \"{hex}\" }}\n"),
            format!("keys: {{ kek: {{ value: {base64} }} }}\n"),
            format!("store: {{ dir: [{hex}, \"{base64}\"] }}\n"),
            format!("# é {hex}\n{base64}: 1\n"),
        ] {
            let shown = hidden(&text);
            assert!(!shown.contains(&hex) && !shown.contains(base64), "{shown}");
            assert_eq!(shown.len(), text.len());
        }
    }

    fn rendered(text: &str, start: usize, len: usize) -> String {
        let mut files = Files::new();
        files.insert("a.yaml", text.as_bytes());
        let mistake = Mistake::new("it is wrong", "Mend it.")
            .in_file("a.yaml")
            .at(start, len);
        render(&mistake, &files)
    }

    /// A contract in one line, as tools write it: a place beyond column 65,535 ended the program.
    #[test]
    fn a_place_anywhere_in_a_long_line_is_shown_with_what_is_around_it() {
        let text = format!("{{\"a\":[{}\"here\"]}}\n", "\"föö\",".repeat(20_000));
        for start in [
            0,
            6,
            65_534,
            65_535,
            65_536,
            text.find("here").unwrap(),
            text.len(),
        ] {
            let start = (start..).find(|at| text.is_char_boundary(*at)).unwrap();
            let shown = rendered(&text, start, 4);
            assert!(
                shown.lines().all(|line| line.chars().count() < 180),
                "{shown}"
            );
            let place = format!("[a.yaml:1:{}]", start + 1);
            assert!(
                start == text.len() || shown.contains(&place),
                "{place} not in {shown}"
            );
        }
        let shown = rendered(&text, text.find("here").unwrap(), 4);
        assert!(shown.contains("here\"]}"), "{shown}");
    }

    #[test]
    fn a_long_message_is_cut_and_nothing_in_a_file_acts_on_a_terminal() {
        let hostile = "a\x1b]52;c;AAAA\x07\r\u{202e}\u{9b}b";
        let mut files = Files::new();
        let name = format!("{hostile}\n.yaml");
        files.insert(
            name.clone(),
            format!("x: 1\r\n\t{hostile}: {hostile}\r\ny: 2\r\n").into_bytes(),
        );
        let mistake = Mistake::new(format!("{hostile}\n{}", "m".repeat(100_000)), hostile)
            .in_file(name)
            .at(7, 3);
        for is_coloured in [false, true] {
            let look = Look {
                is_coloured,
                ..Look::default()
            };
            let shown = render_as(&mistake, &files, look);
            let acts = |c: char| c != '\n' && printable::is_active(c);
            let plain = shown.replace("\x1b[", "");
            assert!(is_coloured || !shown.contains('\x1b'));
            assert!(!plain.chars().any(acts), "{plain:?}");
            assert!(shown.len() < 6_000, "{}", shown.len());
        }
    }

    /// Linear: 200 mistakes in one line of several megabytes took minutes.
    #[test]
    fn many_mistakes_of_one_large_line_are_rendered_in_one_look_at_it() {
        let text = format!(
            "key: [{}]\n",
            "\"0123456789abcdef0123456789abcdef\", ".repeat(40_000)
        );
        let mut files = Files::new();
        files.insert("a.yaml", text.as_bytes());
        let mistakes: Vec<Mistake> = (0..200)
            .map(|n| {
                Mistake::new("it is wrong", "Mend it.")
                    .in_file("a.yaml")
                    .at(6 + n * 36, 34)
            })
            .collect();
        let shown = render_all(&mistakes, &files, Look::default());
        assert_eq!(shown.len(), 200);
        assert!(!shown.concat().contains("0123456789abcdef"));
    }

    #[test]
    fn references_stay_readable() {
        let text =
            "keys: { kek: \"env:PORTCULLIS_KEK\" }\ntls: { cert: a.pem, key: \"file:a.key\" }\n";
        assert_eq!(hidden(text), text);
    }
}
