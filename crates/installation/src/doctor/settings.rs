//! What the operator gave: configuration, secrets, certificates; and whether the running server has the same.
//! Exports `configuration`, `server`, `secrets`, `certificates`.
//! Used by `doctor`.
//! Start reading at `configuration`.

use std::path::Path;

use config::{Compiled, Located, SecretRef, Warning};
use control::commands::block::{BlockRow, ListBlocks};
use control::commands::server::ShowStatus;
use control::supervisor::TaskStatus;
use control::{client, socket};
use model::Mistake;
use model::printable::{self, counted};

use super::{About, Examined, Finding, Server};
use crate::Severity;
use crate::certificates::slot;
use crate::{open, secrets};

/// So many blocks are named; a flood has thousands.
const BLOCKS_SHOWN: usize = 3;

/// A configuration that compiles, perhaps with warnings.
pub(super) fn configuration(
    about: About<'_>,
    dir: &Path,
    compiled: &Compiled,
    warnings: &[Warning],
) -> Finding {
    let what = format!("{} compiles: {}", dir.display(), short(&hash(compiled)));
    match warnings {
        [] => about.ok(what),
        [first, ..] => about.warn(
            format!(
                "{what}, with {}; the first: {}",
                counted(warnings.len(), "warning"),
                placed(first)
            ),
            format!(
                "Run `portcullis check {}` to see each with its line.",
                dir.display()
            ),
        ),
    }
}

/// A configuration that does not compile.
pub(super) fn mistaken(about: About<'_>, dir: &Path, mistakes: &[Mistake]) -> Finding {
    let first = mistakes.first().map(placed).unwrap_or_default();
    let count = counted(mistakes.len(), "mistake");
    let advice = format!(
        "Run `portcullis check {}` to see each with its remedy. Nothing else can be looked at before; a running server goes on \
         with the last good configuration.",
        dir.display()
    );
    about.fail(
        Severity::Configuration,
        format!("{count}; the first: {first}"),
        advice,
    )
}

fn placed(mistake: &Mistake) -> String {
    let line = mistake.line.map(|line| format!(":{line}"));
    let (file, line) = (&mistake.file, line.unwrap_or_default());
    format!("{file}{line}: {}", mistake.message)
}

fn hash(compiled: &Compiled) -> String {
    crypto::text::hex(&compiled.hash)
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// The running server, asked by its local socket: it runs, records, and serves this configuration.
pub(super) fn server(data: &Path, compiled: &Compiled, name: &str) -> (Option<Server>, Finding) {
    let about = About("server", "");
    let answer = client::ask(&socket::in_data(data), &ShowStatus {}, name);
    let status = match answer {
        None => {
            return (
                None,
                about.ok("down; what it needs is looked at without it"),
            );
        }
        Some(Err(fault)) => {
            let server = Server { process: None };
            let finding = about.fail(Severity::Failed, fault.message, fault.remedy);
            return (Some(server), finding);
        }
        Some(Ok(answer)) => answer.out,
    };
    let process = status.process;
    let up = format!("up, process {process}");
    let finding = match (&status.ledger.fault, &status.configuration) {
        (Some(fault), _) => about.fail(
            Severity::Failed,
            format!("{up}; its ledger does not write: {fault}"),
            "Without the ledger it answers nothing. Free the disk, or restart the server when the disk is well.",
        ),
        (None, _) if !troubled(&status.tasks).is_empty() => about.warn(
            format!("{up}; it had internal errors beside the requests: {}", troubled(&status.tasks)),
            "`portcullis ledger show --kind internal.error` has them. Please report them; restart the server if it does not recover.",
        ),
        (None, serves) if *serves != hash(compiled) => about.warn(
            format!("{up}; it serves another configuration, {}", short(serves)),
            "It takes a changed one up within a second, or on SIGHUP; its log says why it did not. New listeners, stores and keys \
             need a restart.",
        ),
        _ => about.ok(format!("{up}, serves this configuration")),
    };
    let server = Server {
        process: Some(process),
    };
    (Some(server), finding)
}

/// Tasks of the server that ended or were begun again after a panic.
fn troubled(tasks: &[TaskStatus]) -> String {
    let said = |task: &TaskStatus| {
        let state = match (task.is_running, task.restarts) {
            (true, 0) => return None,
            (true, _) => "begun again",
            (false, _) => "not running",
        };
        Some(format!("{} {state} ({})", task.name, task.restarts))
    };
    let said: Vec<String> = tasks.iter().filter_map(said).collect();
    said.join(", ")
}

/// Blocks in force, where a server runs: whoever is kept out asks the operator why.
pub(super) fn blocks(data: &Path, name: &str) -> Option<Finding> {
    let about = About("blocks", "");
    let found = match client::ask(&socket::in_data(data), &ListBlocks {}, name)? {
        Ok(answer) => answer.out,
        Err(fault) => return Some(about.fail(Severity::Failed, fault.message, fault.remedy)),
    };
    let said = |row: &BlockRow| format!("{} until {}", row.subject, printable::seconds(&row.until));
    let first: Vec<String> = found.blocks.iter().take(BLOCKS_SHOWN).map(said).collect();
    Some(match found.in_force {
        0 => about.ok("none in force"),
        count => about.ok(format!(
            "{} in force, `portcullis block list` shows all: {}",
            counted(count, "block"),
            first.join(", ")
        )),
    })
}

/// Every secret the configuration refers to: there, and only for its owner. Never its value.
pub(super) fn secrets(examined: &Examined<'_>) -> Vec<Finding> {
    let settings = &examined.compiled.server;
    let kek = open::kek_at(&settings.kek, examined.dir).map(drop);
    let mut findings = vec![secret(&settings.kek, kek, examined)];
    let of_listeners = settings.listeners.iter().filter_map(|l| l.tls.as_ref());
    findings.extend(of_listeners.map(|tls| {
        let found = secrets::resolve(&tls.key, examined.dir).map(drop);
        secret(&tls.key, found, examined)
    }));
    findings
}

fn secret(
    reference: &Located<SecretRef>,
    found: Result<(), Mistake>,
    examined: &Examined<'_>,
) -> Finding {
    let name = reference.value.to_string();
    let about = About("secret", &name);
    let Err(mistake) = found else {
        return about.ok(format!("there, for {}", reference.place));
    };
    match &reference.value {
        SecretRef::Env(_) | SecretRef::Cred(_) if examined.server.is_some() => about.warn(
            format!("here, {}; the running server had its own", mistake.message),
            "Run doctor with the environment of the service: what needs this secret is not looked at without it.",
        ),
        _ => about.fail(Severity::Configuration, placed(&mistake), mistake.help),
    }
}

/// Certificates of the listeners: readable, belonging to their keys, not ended and not about to end.
pub(super) fn certificates(examined: &Examined<'_>) -> Vec<Finding> {
    let listeners = examined.compiled.server.listeners.iter();
    let with_tls = listeners.filter_map(|listener| Some((listener, listener.tls.as_ref()?)));
    with_tls
        .map(|(listener, tls)| {
            let about = About("certificate", &listener.name);
            if secrets::resolve(&tls.key, examined.dir).is_err() {
                let advice = format!("See the line about `{}`.", tls.key.value);
                return about.warn("not looked at: its key is not there", advice);
            }
            let slot = match slot(tls, examined.dir) {
                Ok(slot) => slot,
                Err(mistake) => {
                    return about.fail(Severity::Configuration, placed(&mistake), mistake.help);
                }
            };
            let advice = format!(
                "Put the renewed certificate into `{}`, and its key beside it: a running server takes them up by itself.",
                tls.cert.value
            );
            match (slot.not_after(), slot.warning(examined.now)) {
                (Some(end), Some(warning)) if end <= examined.now => {
                    about.fail(Severity::Failed, warning, advice)
                }
                (_, Some(warning)) => about.warn(warning, advice),
                (Some(end), None) => about.ok(format!("{}, valid until {end}", tls.cert.value)),
                (None, None) => about.ok(tls.cert.value.clone()),
            }
        })
        .collect()
}
