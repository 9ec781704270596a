//! Files that nothing refers to: not refused, but said, so that nobody believes they do something.
//! Exports `unused` (of what was read) and `strays` (of everything else in the directory).
//! Used by `compile` of the whole.
//! Start reading at `unused`.

use model::Mistake;

use super::apis::Apis;
use crate::compiled::ServerSettings;
use crate::files::{SERVER_FILE, resolve};
use crate::read::{Written, is_catalogue};
use crate::report::Report;
use crate::secret_ref::SecretRef;
use crate::{Files, entries};

/// Warns of every file that was read and not used.
pub(super) fn unused(written: &Written, files: &Files, apis: &Apis, report: &mut Report) {
    // Where a version is broken it is not known what it would have referred to.
    if !apis.broken.is_empty() {
        return;
    }
    for path in written.referred.difference(&apis.used) {
        if path.starts_with("apis/") && is_catalogue(files, path) {
            let help = "Entries of the catalogue lie directly in `apis/`, and their names are `NAME.yaml` without other dots.";
            report.add(
                Mistake::new("this entry of the catalogue would not be read", help).in_file(path),
            );
            continue;
        }
        let help = "Refer to it from a version in `apis/`, move it out, or take it away.";
        report.note(Mistake::new("nothing refers to this file", help).in_file(path));
    }
}

/// Warns of entries that were not read and that no secret, certificate or rule refers to.
pub(super) fn strays(server: &ServerSettings, files: &Files, apis: &Apis, report: &mut Report) {
    // Where a version is broken it is not known which authorities it names.
    if !apis.broken.is_empty() {
        return;
    }
    let tls = || {
        server
            .listeners
            .iter()
            .filter_map(|listener| listener.tls.as_ref())
    };
    let secrets = std::iter::once(&server.kek).chain(tls().map(|tls| &tls.key));
    let secrets = secrets.filter_map(|secret| match &secret.value {
        SecretRef::File(path) => Some(path),
        SecretRef::Env(_) | SecretRef::Cred(_) => None,
    });
    let certificates = tls().flat_map(|tls| std::iter::once(&tls.cert).chain(&tls.client_ca));
    let upstreams = apis
        .versions
        .iter()
        .filter_map(|version| version.upstream.as_ref());
    let authorities = upstreams.filter_map(|upstream| upstream.ca.as_ref());
    let named = certificates.chain(authorities).map(|path| &path.value);
    let used = named
        .chain(secrets)
        .map(|path| resolve(SERVER_FILE, path).unwrap_or_else(|_| path.clone()));
    entries::strays(files, &used.collect(), report);
}
