//! How data that must not leave reads, kind by kind.
//! Exports `patterns`. Data only.
//! Used by `LeakScanner`.
//! Start reading at `patterns`.
//!
//! Each form is a pattern of its own: the rarer the letters every match must hold, the fewer texts it is tried on.

use super::LeakKind;

/// The forms of a kind; none for numbers, which are told by their check digits.
pub(super) const fn patterns(kind: LeakKind) -> &'static [&'static str] {
    match kind {
        LeakKind::CardNumber | LeakKind::Iban => &[],
        LeakKind::PrivateKey => PRIVATE_KEY,
        LeakKind::ServiceKey => SERVICE_KEY,
        LeakKind::StackTrace => STACK_TRACE,
        LeakKind::DatabaseError => DATABASE_ERROR,
    }
}

const PRIVATE_KEY: &[&str] = &[r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"];

const SERVICE_KEY: &[&str] = &[
    r"\b(?:(?:AKIA|ASIA)[A-Z2-7]{16}|AIza[0-9A-Za-z_-]{35}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20}|xox[abprs]-[A-Za-z0-9-]{10,}|[rs]k_live_[A-Za-z0-9]{16,}|SG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36}|hvs\.[A-Za-z0-9_-]{20,}|pk_(?:live|test)_[0-9A-Za-z]{49}\b)",
];

const STACK_TRACE: &[&str] = &[
    r"\bat [\w$.<>]+\([\w$]+\.(?:java|kt|scala):\d+\)",
    r"Traceback \(most recent call last\)|\bgoroutine \d+ \[|\bpanicked at ",
    r"\bat [\w$.<>\[\] ]+ \([^\s()]{0,200}[A-Za-z/\\>]:\d+:\d+\)",
    r"\bat [\w$.<>`\[\], ]+\([^()\n]{0,200}\) in [^()\n]{1,200}:line \d+",
    r"#\d+ [\w/.-]+\.php\(\d+\)|\b[\w/.-]+\.rb:\d+:in [`']",
];

const DATABASE_ERROR: &[&str] = &[
    r"(?i)\[ODBC [\w .-]{0,40}Driver[\w .-]{0,20}\]",
    r"(?i)\b(?:you have an error in your sql syntax|ORA-\d{5}|PLS-\d{5}|SQLSTATE\[\w{5}\]|unclosed quotation mark after the character string|syntax error at or near|PG::\w+Error|org\.postgresql\.util\.PSQLException|com\.mysql\.\w+|SQLite3?::\w*(?:Exception|Error)|Microsoft OLE DB Provider for [\w ]{1,40} error|Incorrect syntax near|duplicate key value violates unique constraint|MongoServerError|E11000 duplicate key)",
    r"(?i)\bnear \x22[^\x22]{1,40}\x22: syntax error",
];
