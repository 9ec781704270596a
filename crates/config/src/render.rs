//! A mistake as the person typing reads it: file, line, column, snippet, remedy. Secrets in the snippet are hidden.
//! Gives `render` and `render_as`. Pure: colour is an argument, no terminal is asked.
//! Used by the binary and by the golden tests.
//! Start reading at `render_as`; what is hidden is decided in `hidden`.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity,
    SourceCode,
};
use model::Mistake;

use crate::Files;
use crate::rule_files::is_rule_file;
use crate::secret_ref::SecretRef;
use crate::tree::{self, Node, Value};

/// Widest line.
const WIDTH: usize = 100;

/// Letters of one line of rules that are shown.
const LINE_CHARS_MAX: usize = 120;

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
    let theme = match look.is_coloured {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(WIDTH)
        .with_context_lines(1)
        .with_links(false);
    let mut out = String::new();
    let shown = Shown::new(mistake, files, look);
    match handler.render_report(&mut out, &shown) {
        Ok(()) => out,
        Err(_) => format!("{shown}\n  {}\n", mistake.help),
    }
}

/// A mistake with the text it stands in.
#[derive(Debug)]
struct Shown<'m> {
    mistake: &'m Mistake,
    source: Option<(NamedSource<String>, LabeledSpan)>,
    is_warning: bool,
}

impl<'m> Shown<'m> {
    fn new(mistake: &'m Mistake, files: &Files, look: Look) -> Self {
        let source = mistake
            .span
            .zip(files.text(&mistake.file))
            .map(|((start, len), text)| {
                if is_rule_file(&mistake.file) {
                    let (text, at) = near(text, start);
                    return (NamedSource::new(&mistake.file, text), at);
                }
                // Only the first line is underlined: a whole block says less than its beginning.
                let rest = text.get(start..).unwrap_or_default();
                let first = rest.lines().next().map_or(0, |line| line.trim_end().len());
                let label =
                    LabeledSpan::new_with_span(None, (start.min(text.len()), len.min(first)));
                (NamedSource::new(&mistake.file, hidden(text)), label)
            });
        Shown {
            mistake,
            source,
            is_warning: look.is_warning,
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake {
            file,
            line,
            message,
            ..
        } = self.mistake;
        match (&self.source, line) {
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
        let help = &self.mistake.help;
        (!help.is_empty()).then(|| Box::new(help) as Box<dyn fmt::Display>)
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

/// A file of rules as far as it is shown: the lines around the place, cut where they go on for long. Every line keeps
/// its number. Rules hold no secrets.
fn near(text: &str, start: usize) -> (String, LabeledSpan) {
    let before = text.get(..start).unwrap_or(text);
    let wanted = before.matches('\n').count();
    let (mut shown, mut label) = (String::new(), (0, 0));
    for (number, line) in text.lines().enumerate().take(wanted.saturating_add(2)) {
        if number.abs_diff(wanted) <= 1 {
            let cut: String = line.chars().take(LINE_CHARS_MAX).collect();
            if number == wanted {
                let indent = cut.len().saturating_sub(cut.trim_start().len());
                label = (shown.len().saturating_add(indent), cut.trim().len());
            }
            shown.push_str(&cut);
            if cut.len() < line.len() {
                shown.push('…');
            }
        }
        shown.push('\n');
    }
    (shown, LabeledSpan::new_with_span(None, label))
}

/// The text with everything that may be a secret replaced by stars, byte for byte.
fn hidden(text: &str) -> String {
    let mut spans = Vec::new();
    if let Ok(root) = tree::parse(text) {
        literals(&root, &mut spans);
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        suspicious(line, start, &mut spans);
        tokens(line, start, &mut spans);
        start = start.saturating_add(line.len());
    }
    blocks(text, &mut spans);
    let is_hidden = |at: usize| spans.iter().any(|(from, to)| (*from..*to).contains(&at));
    let mut out = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        match is_hidden(at) && letter != '\n' {
            true => out.extend(std::iter::repeat_n('*', letter.len_utf8())),
            false => out.push(letter),
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

    #[test]
    fn references_stay_readable() {
        let text =
            "keys: { kek: \"env:PORTCULLIS_KEK\" }\ntls: { cert: a.pem, key: \"file:a.key\" }\n";
        assert_eq!(hidden(text), text);
    }
}
