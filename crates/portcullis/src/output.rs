//! How commands print: data on stdout as a table or JSON, words on stderr.
//! Gives `argument`, `print`, and readers of common arguments.
//! Used by every verb.
//! Start reading at `print`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches};
use serde_json::Value;

/// The `-o` argument.
pub fn argument() -> Arg {
    Arg::new("output")
        .short('o')
        .long("output")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("How to print")
}

/// Whether JSON is wanted.
pub fn is_json(arguments: &ArgMatches) -> bool {
    arguments
        .get_one::<String>("output")
        .is_some_and(|output| output == "json")
}

/// Prints the value as JSON, or lets `text` print it for people.
pub fn print(arguments: &ArgMatches, value: &Value, text: impl FnOnce()) {
    match is_json(arguments) {
        true => println!(
            "{}",
            serde_json::to_string_pretty(value).unwrap_or_default()
        ),
        false => text(),
    }
}

/// A number with its word: `1 integration`, `2 integrations`.
pub fn counted(number: usize, one: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {one}{end}")
}

/// A path argument; the command line guarantees that it is there or has a default.
pub fn path(arguments: &ArgMatches, name: &str) -> PathBuf {
    arguments
        .get_one::<PathBuf>(name)
        .cloned()
        .unwrap_or_default()
}

/// A text argument, empty when absent.
pub fn text<'a>(arguments: &'a ArgMatches, name: &str) -> &'a str {
    arguments
        .get_one::<String>(name)
        .map(String::as_str)
        .unwrap_or_default()
}
