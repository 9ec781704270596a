//! Whether an installation is fit to serve, with its server up or down. Changes nothing.
//! Exports `examine`, `worst`, `Finding`, `State`, and `DoctorReport` for tools. Checks lie by subject in the files below.
//! Used by `portcullis doctor`.
//! Start reading at `examine`.

mod network;
mod settings;
mod sockets;
mod state;

use std::path::{Path, PathBuf};

use config::{Compiled, Options};
use identity::api_key::redacted;
use model::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Severity, files};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check.
    pub check: &'static str,
    /// Of what, where there are several.
    pub name: String,
    /// How it is.
    pub state: State,
    /// What was found.
    pub what: String,
    /// What to do about it; empty where it is well.
    pub advice: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Well.
    Ok,
    /// Well enough to serve.
    Warn,
    /// Not fit to serve.
    Fail(Severity),
}

impl State {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail(_) => "fail",
        }
    }
}

/// The findings as tools read them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DoctorReport {
    /// Whether a server can run on it; warnings do not hinder that.
    pub is_fit: bool,
    /// One for each thing that was looked at.
    pub checks: Vec<CheckResult>,
}

/// A finding as tools read it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckResult {
    /// Which check: `disk`, `listener`, …
    pub check: String,
    /// Of what, where there are several.
    pub name: String,
    /// `ok`, `warn` or `fail`.
    pub state: String,
    /// What was found.
    pub what: String,
    /// What to do about it; empty where it is well.
    pub advice: String,
}

impl DoctorReport {
    /// Of these findings.
    pub fn new(findings: &[Finding]) -> DoctorReport {
        let result = |finding: &Finding| CheckResult {
            check: finding.check.to_owned(),
            name: finding.name.clone(),
            state: finding.state.word().to_owned(),
            what: finding.what.clone(),
            advice: finding.advice.clone(),
        };
        DoctorReport {
            is_fit: matches!(worst(findings), State::Ok | State::Warn),
            checks: findings.iter().map(result).collect(),
        }
    }
}

/// What a finding is about: the check, and which of several.
#[derive(Clone, Copy)]
struct About<'a>(&'static str, &'a str);

impl About<'_> {
    fn ok(self, what: impl Into<String>) -> Finding {
        self.found(State::Ok, what.into(), String::new())
    }

    fn warn(self, what: impl Into<String>, advice: impl Into<String>) -> Finding {
        self.found(State::Warn, what.into(), advice.into())
    }

    fn fail(
        self,
        severity: Severity,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        self.found(State::Fail(severity), what.into(), advice.into())
    }

    /// A fault of a room: its sentences end with the remedy.
    fn fault(self, severity: Severity, fault: &impl ToString) -> Finding {
        let said = fault.to_string();
        let (what, advice) = said.split_once(". ").unwrap_or((&said, ""));
        let advice = match advice {
            "" => "Let the user of the server read and write it, and look at the disk.",
            advice => advice,
        };
        self.fail(severity, what, advice)
    }

    fn found(self, state: State, what: String, advice: String) -> Finding {
        // A key typed in the wrong place is not repeated.
        Finding {
            check: self.0,
            name: redacted(self.1).into_owned(),
            state,
            what: redacted(&what).into_owned(),
            advice: redacted(&advice).into_owned(),
        }
    }
}

/// What the checks look at.
struct Examined<'a> {
    dir: &'a Path,
    data: PathBuf,
    compiled: &'a Compiled,
    now: Timestamp,
    server: Option<Server>,
}

/// A server that answered by its local socket, or should have.
struct Server {
    process: Option<u32>,
}

/// Looks at everything. The running server is asked in this name.
pub fn examine(dir: &Path, name: &str) -> Vec<Finding> {
    let (about, now) = (About("configuration", ""), crate::now());
    let texts = match files::read(dir) {
        Ok(texts) => texts,
        Err(error) => return vec![about.fail(error.severity, error.message, error.remedy)],
    };
    let (compiled, warnings) = match config::compile_to_read(&texts, Options { now }) {
        Ok(compiled) => compiled,
        Err(mistakes) => return vec![settings::mistaken(about, dir, &mistakes)],
    };
    let data = dir.join(&compiled.server.store_dir.value);
    let mut findings = vec![settings::configuration(about, dir, &compiled, &warnings)];
    let (server, said) = settings::server(&data, &compiled, name);
    findings.push(said);
    findings.extend(settings::blocks(&data, name));
    let examined = Examined {
        dir,
        data,
        compiled: &compiled,
        now,
        server,
    };
    findings.extend(settings::secrets(&examined));
    findings.extend(settings::certificates(&examined));
    findings.extend(state::findings(&examined));
    findings.push(network::open_files(&examined));
    findings.extend(network::listeners(&examined));
    findings.extend(network::upstreams(&examined));
    findings
}

/// The worst of the findings. Damage weighs more than a mistake, a mistake more than whatever else fails.
pub fn worst(findings: &[Finding]) -> State {
    let has = |wanted: State| findings.iter().any(|finding| finding.state == wanted);
    let failed = [
        Severity::Integrity,
        Severity::Configuration,
        Severity::Failed,
    ];
    let failed = failed.map(State::Fail).into_iter();
    let mut all = failed.chain([State::Warn]);
    all.find(|state| has(*state)).unwrap_or(State::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_counts() {
        let about = About("disk", "");
        let fail = |severity| about.fail(severity, "", "");
        let mut found = vec![about.ok("")];
        assert_eq!(worst(&found), State::Ok);
        found.push(about.warn("", ""));
        assert_eq!(worst(&found), State::Warn);
        found.push(fail(Severity::Failed));
        assert_eq!(worst(&found), State::Fail(Severity::Failed));
        found.push(fail(Severity::Configuration));
        found.push(fail(Severity::Integrity));
        found.push(fail(Severity::Failed));
        assert_eq!(worst(&found), State::Fail(Severity::Integrity));
    }

    #[test]
    fn a_fault_is_told_apart_into_what_and_advice() {
        let about = About("store", "");
        let finding = about.fault(Severity::Failed, &"it is damaged. Restore it. Keep it");
        assert_eq!(finding.what, "it is damaged");
        assert_eq!(finding.advice, "Restore it. Keep it");
        assert!(!about.fault(Severity::Failed, &"short").advice.is_empty());
    }
}
