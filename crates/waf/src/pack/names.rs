//! Names that are not data: database operators and keys that reach a prototype.
//! Exports `judge`. Structural: a name is compared, no pattern is run.
//! Used by the pack on object keys and parameter names.
//! Start reading at `judge`.

use super::Hit;
use crate::finding::Class;

const OPERATOR: Hit = Hit {
    id: "pack.nosqli.operator",
    class: Class::Nosqli,
    score: 5,
    paranoia: 1,
    why: "The name of a member is an operator of a document database.",
};

const PROTOTYPE: Hit = Hit {
    id: "pack.prototype_pollution.key",
    class: Class::PrototypePollution,
    score: 5,
    paranoia: 1,
    why: "The name of a member reaches the prototype of objects.",
};

/// The ids of these rules.
pub(crate) const IDS: [&str; 2] = [OPERATOR.id, PROTOTYPE.id];

/// Keys with a dollar sign that documents use for themselves.
const HARMLESS: [&[u8]; 8] = [
    b"$ref",
    b"$schema",
    b"$id",
    b"$defs",
    b"$comment",
    b"$anchor",
    b"$vocabulary",
    b"$schemaversion",
];

/// Judges one name. `pointer` is where it stands, the name included.
pub(crate) fn judge(pointer: &str, name: &[u8]) -> Option<Hit> {
    let mut lower = name.to_ascii_lowercase();
    lower.retain(|byte| !byte.is_ascii_whitespace());
    if reaches_prototype(pointer, &lower) {
        return Some(PROTOTYPE);
    }
    if is_operator(&lower) {
        return Some(OPERATOR);
    }
    None
}

fn reaches_prototype(pointer: &str, lower: &[u8]) -> bool {
    memchr::memmem::find(lower, b"__proto__").is_some()
        || memchr::memmem::find(lower, b"constructor.prototype").is_some()
        || memchr::memmem::find(lower, b"constructor[prototype").is_some()
        || memchr::memmem::find(lower, b"constructor][prototype").is_some()
        || (lower == b"prototype" && pointer.ends_with("/constructor/prototype"))
        || lower == b"__definegetter__"
        || lower == b"__definesetter__"
        || lower == b"__lookupgetter__"
}

/// `$ne`, `user[$ne]`, `user.$gt`.
fn is_operator(lower: &[u8]) -> bool {
    let mut rest = lower;
    while let Some(at) = memchr::memchr(b'$', rest) {
        let before = at.checked_sub(1).and_then(|at| rest.get(at));
        let tail = rest.get(at + 1..).unwrap_or_default();
        let word = tail
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let fits =
            before.is_none_or(|byte| matches!(byte, b'[' | b'.' | b'"' | b'\'' | b'{' | b'/'));
        if fits && word >= 2 && !HARMLESS.contains(&rest.get(at..).unwrap_or_default()) {
            return true;
        }
        rest = tail;
    }
    false
}
