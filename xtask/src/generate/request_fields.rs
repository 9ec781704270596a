//! The page on request fields that change what a request means, from the gateway's own table.
//! Exports `page`.
//! Used by `generate::pages`.
//! Start reading at `page`.

use std::fmt::Write;

use gateway::request_fields::{TABLE, Treatment};

const HEAD: &str = "# Request fields\n\n\
    Generated from the table in the code (`crates/gateway/src/request_fields.rs`); `cargo xtask gen` writes it again. A test sends each line of it.\n\n\
    A field that asks for a condition, a part, another method or another state must not get lost while the call is carried out. It is forwarded, answered\n\
    here, or the request is refused before anything is sent. What a server may disregard by its own standard is dropped. A field that the contract declares as a\n\
    header parameter is judged by its schema and forwarded as it was sent, except `Idempotency-Key`, which is always bound to its caller, and `Accept`. Credentials, and cookies that it does not declare,\n\
    end where the caller is verified. Every other field is dropped: declare it where the API knows it. `reads` are the operations\n\
    that only read: GET, HEAD, OPTIONS, TRACE, and a POST of which the api says so (`reads: true`).\n\n\
    | field | reads | writes | defined in | why |\n|---|---|---|---|---|\n";

const TAIL: &str = "\n## `Idempotency-Key`\n\n\
    The upstream gets a keyed hash over the integration, the person (where the integration names one) and the key that was sent, in the form of a random UUID; a\n\
    quoted key stays quoted. Two integrations, or two persons of one, that choose the same key never meet. The hash depends on no credential, so a caller\n\
    repeats under the same key after a rotation, and on nothing but the installation's root key, so a restart or a new configuration changes nothing; a new data\n\
    directory does. A key is 1 to 255 visible ASCII characters, with blanks between them where the caller likes; anything else is 400 `validate.header`,\n\
    also where the contract declares the header and its schema would admit it. Two keys are 400 `http.malformed`, like two of every field that is sent once.\n";

/// The whole page.
pub fn page() -> String {
    let mut out = String::from(HEAD);
    for field in TABLE {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} |",
            field.name,
            word(field.reads),
            word(field.writes),
            field.law,
            field.why
        );
    }
    out.push_str(TAIL);
    out
}

fn word(treatment: Treatment) -> String {
    match treatment {
        Treatment::Forwarded => "forwarded".to_owned(),
        Treatment::Rewritten => "rewritten".to_owned(),
        Treatment::Answered => "answered".to_owned(),
        Treatment::Refused(status) => format!("refused, {status}"),
        Treatment::Dropped => "dropped".to_owned(),
    }
}
