//! What nothing refers to: not refused, but said, so that nobody believes it does something.
//! Exports `unused` (files that were read), `idle` (roles and listeners) and `strays` (everything else in the directory).
//! Used by `compile` of the whole.
//! Start reading at `unused`.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::Mistake;

use super::draft::Apis;
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

/// Warns of what is declared and used by nobody: roles and listeners.
pub(super) fn idle(written: &Written, apis: &Apis, report: &mut Report) {
    // Where something is broken it is not known what it would have used.
    if !written.broken.is_empty() || !apis.broken.is_empty() {
        return;
    }
    let integrations = written.integrations.iter();
    let had: BTreeSet<&str> = integrations
        .flat_map(|one| one.value.roles.iter().map(|at| at.as_str()))
        .collect();
    for role in written
        .roles
        .iter()
        .filter(|role| !had.contains(&*role.name))
    {
        let help = "Give it to an integration (`roles`), or take the file out.";
        let message = format!("no integration has the role `{}`", role.name);
        report.note(Mistake::new(message, help).in_file(&*role.file));
    }
    let Some(server) = &written.server else {
        return;
    };
    let exposed: BTreeSet<&str> = apis
        .operations()
        .flat_map(|one| one.plan.listeners.iter().map(|name| &**name))
        .collect();
    let file: Arc<str> = SERVER_FILE.into();
    for (name, _) in server.listeners.iter() {
        if name.as_str() != "admin" && !exposed.contains(name.as_str()) && !exposed.is_empty() {
            let message = format!("nothing is exposed on the listener `{}`", name.value);
            let help = "Name it under `expose` of a version, or take it out.";
            report.warn(&name.place(&file), message, help);
        }
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
