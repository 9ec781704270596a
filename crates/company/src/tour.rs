//! The tour: makes the calls that show each protection and checks every answer.
//! Exports `run`, `Guide`.
//! Used by `portcullis demo tour`.
//! Start reading at `run`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use audit::{Ledger, verify_export};
use control::commands::Command;
use control::commands::decision::ExplainDecision;
use control::commands::key::{CreateKey, RevokeKey};
use control::{client, socket};
use demo::tour::{Env, FreshKey, LedgerView, Outcome, Wire};
use demo::{Call, CallResponse};
use installation::server::Host;
use installation::{InstallationError, Severity, files, open};

use crate::{Company, Keyring, is_running, remembered};

/// What makes the tour need words of its own.
pub struct Guide<'a> {
    /// What a demo that has to be started first is given.
    pub host: Host,
    /// What the one who makes the tour calls themselves.
    pub name: &'a str,
    /// Where the steps are told.
    pub out: &'a mut dyn Write,
}

/// Makes the tour through a running demo, or through one started for it. The inner error is of writing to `out`.
///
/// # Errors
/// When the demo cannot be started, or is not there.
pub fn run(
    dir: &Path,
    seed: u64,
    guide: Guide<'_>,
) -> Result<io::Result<Outcome>, InstallationError> {
    let company = if is_running(dir) {
        None
    } else {
        Some(Company::start(dir, seed, guide.host)?)
    };
    let outcome = walk(dir, guide);
    if let Some(company) = company {
        company.stop()?;
    }
    outcome
}

fn walk(dir: &Path, guide: Guide<'_>) -> Result<io::Result<Outcome>, InstallationError> {
    let failed = |error: io::Error| InstallationError::new(Severity::Failed, error, "");
    let Some(ports) = remembered(dir) else {
        return Err(InstallationError::new(
            Severity::Failed,
            "the demo's ports are not known",
            "Start it with `portcullis demo`.",
        ));
    };
    let gate = dir.join("gate");
    let mut visitor = Visitor {
        sockets: socket::in_data(&open::data_dir(&gate)),
        gate,
        name: guide.name.to_owned(),
        scratch: dir.join("tour.jsonl"),
        keys: Keyring::read(dir),
        wire: Wire::new(ports, fs::read(dir.join("ca.pem")).map_err(failed)?).map_err(failed)?,
    };
    Ok(demo::tour::run(
        &demo::tour::steps(),
        &mut visitor,
        guide.out,
    ))
}

/// Who makes the tour: calls as a partner would, commands as the operator would.
struct Visitor {
    gate: PathBuf,
    sockets: Vec<PathBuf>,
    name: String,
    scratch: PathBuf,
    keys: Keyring,
    wire: Wire,
}

impl Visitor {
    fn ask<C: Command>(&self, command: &C) -> Result<C::Out, String> {
        let response = client::ask(&self.sockets, command, &self.name);
        let response = response.ok_or("the demo does not answer")?;
        response
            .map(|response| response.out)
            .map_err(|error| error.message)
    }

    /// The ledger beside the running server, for reading.
    fn ledger(&self) -> Result<Ledger, String> {
        let read = || {
            let texts = files::read(&self.gate)?;
            let (compiled, _) = files::compile_to_read(&texts, installation::now())?;
            Ok(open::open_read(&compiled, &self.gate, &texts)?.ledger)
        };
        read().map_err(|error: InstallationError| error.message)
    }
}

impl Env for Visitor {
    fn send(&mut self, call: &Call, key: Option<&str>) -> Result<CallResponse, String> {
        self.wire.send(call, key)
    }

    fn key(&mut self, integration: &str) -> Result<String, String> {
        let key = self.keys.of(integration).map(str::to_owned);
        key.ok_or_else(|| format!("the demo has no key for {integration}"))
    }

    fn fresh_key(&mut self, integration: &str) -> Result<FreshKey, String> {
        let made = self.ask(&CreateKey {
            integration: integration.to_owned(),
            label: Some("tour".to_owned()),
            ..CreateKey::default()
        })?;
        Ok(FreshKey {
            id: made.id,
            text: made.key,
        })
    }

    fn revoke(&mut self, id: &str) -> Result<(), String> {
        let asked = RevokeKey {
            id: id.to_owned(),
            reason: Some("the tour is over".to_owned()),
        };
        self.ask(&asked).map(drop)
    }

    fn why(&mut self, decision: &str) -> Option<String> {
        let asked = ExplainDecision {
            id: decision.to_owned(),
        };
        let explained = self.ask(&asked).ok()?;
        Some(explained.decision.why)
    }

    fn verify_ledger(&mut self, is_tampered: bool) -> Result<LedgerView, String> {
        let ledger = self.ledger()?;
        let mut file = Vec::new();
        audit::export(&ledger, 0..=u64::MAX, &mut file).map_err(|fault| fault.to_string())?;
        if is_tampered {
            tamper(&mut file);
        }
        fs::write(&self.scratch, &file).map_err(|error| error.to_string())?;
        let report = verify_export(&self.scratch, None).map_err(|fault| fault.to_string());
        drop(fs::remove_file(&self.scratch));
        let report = report?;
        let says = match &report.first_bad {
            None => format!(
                "{} records in order, {} checkpoint(s), head {}",
                report.records,
                report.checkpoints,
                crypto::text::hex(&report.head)
                    .chars()
                    .take(16)
                    .collect::<String>()
            ),
            Some(bad) => format!("record #{}: {}", bad.seq, bad.what),
        };
        Ok(LedgerView {
            is_intact: report.is_good(),
            first_bad: report.first_bad.map(|bad| bad.seq),
            says,
        })
    }
}

/// Changes one byte in the middle of the file: a digit of a record's time or number becomes another.
fn tamper(file: &mut [u8]) {
    let middle = file.len() / 2;
    if let Some(byte) = file
        .iter_mut()
        .skip(middle)
        .find(|byte| byte.is_ascii_digit())
    {
        *byte = if *byte == b'9' { b'8' } else { *byte + 1 };
    }
}
