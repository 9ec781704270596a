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

const SERVICE_KEY: &[&str] = &[concat!(
    r"\b(?:",
    any![
        "";
        "of Amazon" => r"(?:AKIA|ASIA)[A-Z2-7]{16}",
        "of Google" => r"AIza[0-9A-Za-z_-]{35}",
        "of GitHub" => r"gh[pousr]_[A-Za-z0-9]{36,}",
        "of GitHub, fine-grained" => r"github_pat_[A-Za-z0-9_]{22,}",
        "of GitLab" => r"glpat-[A-Za-z0-9_-]{20}",
        "of Slack" => r"xox[abprs]-[A-Za-z0-9-]{10,}",
        "of Stripe" => r"[rs]k_live_[A-Za-z0-9]{16,}",
        "of SendGrid" => r"SG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
        "of npm" => r"npm_[A-Za-z0-9]{36}",
        "of Vault" => r"hvs\.[A-Za-z0-9_-]{20,}",
        "of Stripe, as an account holds it" => r"pk_(?:live|test)_[0-9A-Za-z]{49}\b",
    ],
    ")",
)];

const STACK_TRACE: &[&str] = &[
    r"\bat [\w$.<>]+\([\w$]+\.(?:java|kt|scala):\d+\)",
    r"Traceback \(most recent call last\)|\bgoroutine \d+ \[|\bpanicked at ",
    r"\bat [\w$.<>\[\] ]+ \([^\s()]{0,200}[A-Za-z/\\>]:\d+:\d+\)",
    r"\bat [\w$.<>`\[\], ]+\([^()\n]{0,200}\) in [^()\n]{1,200}:line \d+",
    r"#\d+ [\w/.-]+\.php\(\d+\)|\b[\w/.-]+\.rb:\d+:in [`']",
];

const DATABASE_ERROR: &[&str] = &[
    r"(?i)\[ODBC [\w .-]{0,40}Driver[\w .-]{0,20}\]",
    concat!(
        r"(?i)\b(?:",
        any![
            "";
            "of MySQL, a query that does not parse" => r"you have an error in your sql syntax",
            "of Oracle" => r"ORA-\d{5}",
            "of Oracle's procedures" => r"PLS-\d{5}",
            "of the SQL standard, with its code" => r"SQLSTATE\[\w{5}\]",
            "of SQL Server, a quotation without an end" =>
                r"unclosed quotation mark after the character string",
            "of PostgreSQL, a query that does not parse" => r"syntax error at or near",
            "of the PostgreSQL driver for Ruby" => r"PG::\w+Error",
            "of the PostgreSQL driver for Java" => r"org\.postgresql\.util\.PSQLException",
            "of the MySQL driver for Java" => r"com\.mysql\.\w+",
            "of SQLite drivers" => r"SQLite3?::\w*(?:Exception|Error)",
            "of a driver for OLE DB" => r"Microsoft OLE DB Provider for [\w ]{1,40} error",
            "of SQL Server, a query that does not parse" => r"Incorrect syntax near",
            "of PostgreSQL, a key that is there already" =>
                r"duplicate key value violates unique constraint",
            "of the MongoDB driver" => r"MongoServerError",
            "of MongoDB, a key that is there already" => r"E11000 duplicate key",
        ],
        ")",
    ),
    r"(?i)\bnear \x22[^\x22]{1,40}\x22: syntax error",
];
