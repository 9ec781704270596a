//! Resolves references to secrets, after parsing and never before; prints none of them.
//! Exports `resolve`.
//! Used by whatever opens something that a secret locks.
//! Start reading at `resolve`.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use config::{Located, SecretRef};
use crypto::Secret;
use model::Mistake;

use crate::bounded;

/// Largest secret.
const BYTES_MAX: usize = 64 * 1024;

/// The secret a reference stands for.
///
/// # Errors
/// A mistake at the place of the reference; it never repeats a value.
pub fn resolve(reference: &Located<SecretRef>, dir: &Path) -> Result<Secret<Vec<u8>>, Mistake> {
    let wrong = |message: String, help: String| reference.place.mistake(message, help);
    match &reference.value {
        SecretRef::Env(name) => match std::env::var(name) {
            Ok(value) if !value.is_empty() => Ok(Secret::new(value.into_bytes())),
            _ => Err(wrong(
                format!("the environment variable `{name}` is not set"),
                format!(
                    "Set `{name}` in the environment of the server, or refer to a file with `file:PATH`."
                ),
            )),
        },
        SecretRef::File(path) => {
            read(&dir.join(path), path, true).map_err(|(message, help)| wrong(message, help))
        }
        SecretRef::Cred(name) => {
            let Some(base) = std::env::var_os("CREDENTIALS_DIRECTORY") else {
                return Err(wrong(
                    format!(
                        "the systemd credential `{name}` is not there: the server was not started with credentials"
                    ),
                    format!(
                        "Add `LoadCredential={name}:/path/to/secret` to the unit, or use `file:` or `env:`."
                    ),
                ));
            };
            // The service manager owns the modes of its directory.
            read(&PathBuf::from(base).join(name), name, false)
                .map_err(|(message, help)| wrong(message, help))
        }
    }
}

fn read(path: &Path, shown: &str, checks_mode: bool) -> Result<Secret<Vec<u8>>, (String, String)> {
    let meta = fs::metadata(path).map_err(|error| {
        (
            format!("the secret file `{shown}` cannot be read: {error}"),
            "Create it, readable only by the user that runs the server.".to_owned(),
        )
    })?;
    let mode = meta.permissions().mode() & 0o777;
    if checks_mode && mode & 0o077 != 0 {
        return Err((
            format!("the secret file `{shown}` can be read by others (mode {mode:o})"),
            format!("Run `chmod 600 {shown}`. If others had access to it, replace the secret."),
        ));
    }
    bounded::read(path, BYTES_MAX)
        .map(Secret::new)
        .map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => (
                format!("the secret file `{shown}` is too large"),
                "A secret is at most 64 KiB.".to_owned(),
            ),
            _ => (
                format!("the secret file `{shown}` cannot be read: {error}"),
                "Let the user that runs the server read it.".to_owned(),
            ),
        })
}
