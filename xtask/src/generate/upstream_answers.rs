//! The page on what the upstream answers and what its caller is told, from the gateway's own table.
//! Exports `page`.
//! Used by `generate::pages`.
//! Start reading at `page`.

use std::fmt::Write;

const HEAD: &str = "# What the upstream answers\n\n\
    Generated from the table in the code (`crates/gateway/src/meanings.rs`); `cargo xtask gen` writes it again.\n\n\
    The first line that has the status holds. An answer that the upstream made has no `Proxy-Status`; every answer made here has one\n\
    (RFC 9209): `error=…` names what happened here or on the way, `received-status=…` the status that stands behind our document.\n\n\
    | upstream | the caller gets |\n|---|---|\n";

const TAIL: &str = "\n## Error fields\n\n\
    A grant lists what may be seen of an error answer, as field paths of the error schemas that the contract declares:\n\n\
    ```yaml\n\
    \x20 - api: field-service/v2\n\
    \x20   operations: [createServiceRequest]\n\
    \x20   writes: [customerId, description]\n\
    \x20   errors: [code, title, \"fields.*.name\"]\n\
    ```\n\n\
    - Nothing else of the body leaves, and nothing of class `secret`; the guard against leaks looks at what leaves. A leak to block costs the body and not the status.\n\
    - `check` refuses a path that no declared error answer of the operation has.\n\
    - The body has to be JSON of the declared schema. Where nothing of it may leave, the caller gets our problem document with the status above.\n\
    - A grant with a condition on objects shows its error fields where the object was judged before the call (writes), or where the operation names no\n\
    \x20 single object (lists, creates). On a read of one object an error proves nothing about the object, so only grants without a condition show theirs.\n\
    - An object that has to be looked up and is answered with 404, 410 or another 4xx that is not about the gateway's own call reads as absent; where the grant conceals, so does\n\
    \x20 one that is answered with 403. The record has the status, and `portcullis explain` says so. A breakdown (5xx) over one object is told as such: read as absent, it would make\n\
    \x20 callers delete what is theirs.\n\n\
    ## URLs of the upstream\n\n\
    A URL in JSON that leaves, and whose host and port are a target's, is written as ours where its path lies below the version's base path: `https://` and the host of the request on a listener with TLS,\n\
    the path alone on a plain one, behind which another server may speak TLS. Any other URL of a target leaves as `***`, and the record has the finding `upstream_url`. Texts in other spellings (percent-encoded, in files) are not looked through.\n\n\
    ## Was it carried out?\n\n\
    A call that reached the upstream is reported as one to repeat only where it may be repeated: GET, HEAD, OPTIONS, PUT, DELETE (RFC 9110 §9.2.2), or\n\
    where it is certain that nothing was sent. For POST and PATCH `upstream.outcome_unknown` says that nobody here knows; it is 504 where the time was up, else 502.\n\
    A write that succeeded keeps its status whatever its answer looks like.\n\n\
    ## Media types\n\n\
    What is asked of the upstream is agreed on before the call: the JSON types, or `text/plain`, that the contract declares for successful answers, as far as the caller's\n\
    `Accept` admits them, and those of its errors. A caller who accepts none of them gets 406 `validate.accept`, and nothing is sent. `check` refuses to expose a\n\
    read whose every answer is of a type that cannot be judged, and warns of a write with one.\n";

/// The whole page.
pub fn page() -> String {
    let mut out = String::from(HEAD);
    for row in gateway::meanings::ROWS {
        let _ = writeln!(out, "| {} | {} |", row.shown, row.caller);
    }
    out.push_str(TAIL);
    out
}
