//! Texts with `%{…}` inside.
//! Exports `Text`: parsed once, expanded per transaction.
//! Used by operators, messages and `setvar`.
//! Start reading at `Text::parse`.

use super::variable::Variable;

/// A text of literal and variable pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(super) pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(Vec<u8>),
    /// `%{tx.name}`; the name in lower case.
    Tx(String),
    MatchedVar,
    MatchedVarName,
    /// `%{request_headers.host}`, `%{remote_addr}`: variable and selector.
    Variable(Variable, String),
}

impl Text {
    /// Parses a text; the error names a macro that is not understood.
    pub(super) fn parse(text: &str) -> Result<Text, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once("%{") {
            let Some((name, after)) = tail.split_once('}') else {
                break;
            };
            if !before.is_empty() {
                pieces.push(Piece::Literal(before.as_bytes().to_vec()));
            }
            pieces.push(piece(name)?);
            rest = after;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Literal(rest.as_bytes().to_vec()));
        }
        Ok(Text { pieces })
    }

    /// The bytes when no piece varies.
    pub(super) fn fixed(&self) -> Option<&[u8]> {
        match self.pieces.as_slice() {
            [Piece::Literal(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// The name in lower case when the text is nothing but one `%{tx.name}`.
    pub(super) fn only_tx(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Tx(name)] => Some(name),
            _ => None,
        }
    }
}

fn piece(name: &str) -> Result<Piece, String> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "matched_var" => return Ok(Piece::MatchedVar),
        "matched_var_name" => return Ok(Piece::MatchedVarName),
        _ => {}
    }
    let (variable, selector) = lower.split_once('.').unwrap_or((&lower, ""));
    if variable == "tx" {
        return Ok(Piece::Tx(selector.to_owned()));
    }
    match Variable::named(variable) {
        Some(variable) => Ok(Piece::Variable(variable, selector.to_owned())),
        None => Err(format!("the macro %{{{name}}} is not understood")),
    }
}
