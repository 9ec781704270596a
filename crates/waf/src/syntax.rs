//! How every pattern of the crate is read: bytes instead of characters, and a dot that matches a newline.
//! Exports `parse`, and `any!` for patterns that are written in pieces.
//! Used by `scan` for the patterns of rules, and by `language` for those of contracts.
//! Start reading at `parse`.

use regex_automata::util::syntax;
use regex_syntax::hir::Hir;

/// A pattern of several readings, any of which is enough: the flags for all of them, and of each what it finds.
macro_rules! any {
    ($flags:literal; $_finds:literal => $reading:expr $(, $_also:literal => $more:expr)* $(,)?) => {
        concat!($flags, $reading $(, "|", $more)*)
    };
}

/// Parses one pattern as every pattern of the crate is read.
pub(crate) fn parse(text: &str) -> Result<Hir, String> {
    let config = syntax::Config::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .nest_limit(200);
    syntax::parse_with(text, &config).map_err(|error| error.to_string())
}
