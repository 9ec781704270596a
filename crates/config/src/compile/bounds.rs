//! Numbers that have to lie between two others, with one way to say so.
//! Exports `within` and `filled`.
//! Used by the parts of compile.
//! Start reading at `within`.

use std::fmt::Display;
use std::sync::Arc;

use crate::report::Report;
use crate::spanned::At;

/// The value where one is written and in range; else the default. A value out of range is a mistake.
pub(super) fn filled<T: Copy + PartialOrd + Display>(
    written: Option<&At<T>>,
    default: T,
    (min, max): (T, T),
    file: &Arc<str>,
    report: &mut Report,
) -> T {
    let Some(at) = written else {
        return default;
    };
    if at.value < min || at.value > max {
        let message = format!("{} is out of range", at.value);
        report.wrong(
            &at.place(file),
            message,
            format!("Write a value from {min} to {max}."),
        );
    }
    at.value
}

/// Says that a list which would mean everything when left out names nothing: it must not mean everything too.
pub(super) fn names_some<T>(
    list: &At<Vec<T>>,
    what: &str,
    nobody: &str,
    help: &str,
    file: &Arc<str>,
    report: &mut Report,
) {
    if list.value.is_empty() {
        report.wrong(
            &list.place(file),
            format!("{what} is empty and names {nobody}"),
            help,
        );
    }
}

/// Says that a text which has to say something is empty.
pub(super) fn not_empty(text: &At<String>, what: &str, file: &Arc<str>, report: &mut Report) {
    if text.value.trim().is_empty() {
        report.wrong(
            &text.place(file),
            format!("`{what}` is empty"),
            "Say it in a few words; somebody will need it.",
        );
    }
}
