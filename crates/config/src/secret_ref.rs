//! Where a secret is found. The configuration never holds a secret itself.
//! Exports `SecretRef`. It is resolved by the binary, after parsing; its value is never printed.
//! Used by the server's settings.
//! Start reading at `SecretRef`.

use std::fmt;
use std::str::FromStr;

use crate::values::{TextValue, text_value};

/// Where a secret is found: `env:NAME`, `file:PATH` or `cred:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file that only its owner may read. Relative to the configuration directory.
    File(String),
    /// A systemd credential (`LoadCredential=`).
    Cred(String),
}

impl FromStr for SecretRef {
    type Err = String;

    // The value may be the secret itself, so no message repeats it.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((source, rest)) = text.split_once(':') else {
            return Err(literal(text));
        };
        match source {
            "env" if is_variable(rest) => Ok(SecretRef::Env(rest.into())),
            "env" => Err("the name of the environment variable is not valid\nWrite `env:` and a name of A-Z, 0-9 and `_`.".into()),
            "cred" if is_credential(rest) => Ok(SecretRef::Cred(rest.into())),
            "cred" => Err("the name of the credential is not valid\nWrite `cred:` and the name given to `LoadCredential=`.".into()),
            "file" if !rest.is_empty() && !rest.contains('\0') => Ok(SecretRef::File(rest.into())),
            "file" => Err("the path of the secret file is missing\nWrite `file:` and a path.".into()),
            _ => Err(literal(text)),
        }
    }
}

fn literal(text: &str) -> String {
    let what = if text.starts_with("portcullis_") || text.starts_with("pk_") {
        "an API key stands here in the clear"
    } else {
        "a secret must not stand in the configuration"
    };
    format!(
        "{what}\nWrite where it is found: `env:NAME`, `file:PATH` or `cred:NAME`. If it was a real secret, replace it: \
         it has been in a file."
    )
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_credential(name: &str) -> bool {
    let is_plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    (1..=255).contains(&name.len()) && is_plain && !name.starts_with('.')
}

/// The reference itself, which is no secret.
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretRef::Env(name) => write!(f, "env:{name}"),
            SecretRef::File(path) => write!(f, "file:{path}"),
            SecretRef::Cred(name) => write!(f, "cred:{name}"),
        }
    }
}

impl TextValue for SecretRef {
    const NAME: &'static str = "SecretRef";
    const EXPECTED: &'static str = "a reference to a secret (`env:NAME`, `file:PATH`, `cred:NAME`)";
    const PATTERN: &'static str =
        r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|cred:[A-Za-z0-9_-][A-Za-z0-9._-]*)$";
}
text_value!(SecretRef);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_round_trip() {
        for text in ["env:PORTCULLIS_KEK", "file:tls/public.key", "cred:kek"] {
            assert_eq!(text.parse::<SecretRef>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn literals_are_refused_and_never_repeated() {
        for text in [
            "hunter2",
            "pk_live_abc",
            "env:",
            "env:a b",
            "cred:../x",
            "file:",
            "-----BEGIN: x",
            "vault:x",
        ] {
            let message = text.parse::<SecretRef>().unwrap_err();
            assert!(
                !message.contains("hunter2")
                    && !message.contains("abc")
                    && !message.contains("BEGIN"),
                "{message}"
            );
        }
    }
}
