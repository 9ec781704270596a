//! How every pattern of the crate is read: bytes instead of characters, and a dot that matches a newline.
//! Exports `parse`.
//! Used by `scan` for the patterns of rules, and by `language` for those of contracts.
//! Start reading at `parse`.

use regex_automata::util::syntax;
use regex_syntax::hir::Hir;

/// Parses one pattern as every pattern of the crate is read.
pub(crate) fn parse(text: &str) -> Result<Hir, String> {
    let config = syntax::Config::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .nest_limit(200);
    syntax::parse_with(text, &config).map_err(|error| error.to_string())
}
