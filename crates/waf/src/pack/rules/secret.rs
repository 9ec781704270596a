//! Credentials in plain sight.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Secret, id, pattern, why)
}

/// Keys by the beginnings that their services give them.
macro_rules! keys {
    () => {
        concat!(
            r"(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z2-7]{16}|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}|",
            r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20}|",
            r"xox[abprs]-[A-Za-z0-9-]{10,}|[rs]k_live_[A-Za-z0-9]{16,}|sk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}|",
            r"SG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36}|pypi-AgEI[A-Za-z0-9_-]{20,}|",
            r"dop_v1_[a-f0-9]{64}|hvs\.[A-Za-z0-9_-]{20,}|AGE-SECRET-KEY-1[0-9A-Z]{50,}|shp(?:at|ca|pa|",
            r"ss)_[a-f0-9]{32}|sq0(?:csp|atp)-[0-9A-Za-z_-]{22,}|EAACEdEose0cBA[0-9A-Za-z]{10,}|",
            r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}",
        )
    };
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.secret.private_key",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d",
        "The text holds a private key.",
    ),
    rule(
        "pack.secret.cloud_key",
        any![
            "";
            "a key in the form of its service" => concat!(
                r"(?:^|[^A-Za-z0-9])(?:",
                keys!(),
                r")",
            ),
        ],
        "The text holds the key of a service.",
    ),
    rule(
        "pack.secret.own_key",
        r"(?:^|[^0-9A-Za-z_])pk_(?:live|test)_[0-9A-Za-z]{49}(?:$|[^0-9A-Za-z])",
        "The text holds an API key of this product.",
    ),
    rule(
        "pack.secret.address",
        r"(?i)\b(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql|sqlserver|ldaps?|smtps?)://[^\s:/@]{1,64}:[^\s:/@]{4,128}@[\w.-]",
        "The text is the address of a service together with its password.",
    ),
    rule(
        "pack.secret.assignment",
        r#"(?i)\b(?:aws_secret_access_key|accountkey|sharedaccesskey|client_secret|private_key)\b['"]?\s*[=:]\s*['"]?[A-Za-z0-9/+=_-]{32,}"#,
        "The text assigns a secret.",
    ),
];
