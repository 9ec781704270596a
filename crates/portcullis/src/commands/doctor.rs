//! `portcullis doctor`: whether this installation is fit to serve, with the server up or down. Changes nothing.
//! Gives `SUBCOMMAND`. Checks lie by subject in the files below; each gives a `Finding`, and advice where it is not ok.
//! Used by `commands::COMMANDS`.
//! Start reading at `examine`.

mod network;
mod settings;
mod sockets;
mod state;

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use config::{Compiled, Options};
use identity::api_key::redacted;
use model::{Timestamp, printable};
use serde_json::{Value, json};

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::{config_dir, files, output, running, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "doctor",
    about: "Say whether this installation is fit to serve, and what to do where it is not [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("doctor")
        .args([config_dir::argument(), output::argument()])
        .after_help(
            "Example:\n  portcullis doctor --config /etc/portcullis\n\n\
             It works with the server up or down. Run it as the server's user, with the server's environment. Upstreams are \
             connected to; where they have a health path, that is asked.\n\
             Exit codes: 0 fit · 2 fit, with warnings · 78 the configuration or a secret · 3 store or ledger damaged · \
             1 anything else that fails",
        )
}

fn run(arguments: &ArgMatches) -> Outcome {
    let findings = examine(&config_dir::of(arguments));
    let exit = verdict(&findings);
    output::print(arguments, &document(&findings, exit), || {
        terminal::text(&text(&findings, exit));
    });
    Ok(exit)
}

/// What a check found.
struct Finding {
    check: &'static str,
    name: String,
    state: State,
    what: String,
    advice: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Warn,
    Fail(Exit),
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

    fn fail(self, exit: Exit, what: impl Into<String>, advice: impl Into<String>) -> Finding {
        self.found(State::Fail(exit), what.into(), advice.into())
    }

    /// A fault of a room: its sentences end with the remedy.
    fn fault(self, exit: Exit, fault: &impl ToString) -> Finding {
        let said = fault.to_string();
        let (what, advice) = said.split_once(". ").unwrap_or((&said, ""));
        let advice = match advice {
            "" => "Let the user of the server read and write it, and look at the disk.",
            advice => advice,
        };
        self.fail(exit, what, advice)
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
struct Scene<'a> {
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

fn examine(dir: &Path) -> Vec<Finding> {
    let (about, now) = (About("configuration", ""), running::now());
    let texts = match files::read(dir) {
        Ok(texts) => texts,
        Err(trouble) => return vec![about.fail(trouble.exit, trouble.message, trouble.remedy)],
    };
    let (compiled, warnings) = match config::compile_to_read(&texts, Options { now }) {
        Ok(compiled) => compiled,
        Err(mistakes) => return vec![settings::mistaken(about, dir, &mistakes)],
    };
    let data = dir.join(&compiled.server.store_dir.value);
    let mut findings = vec![settings::configuration(about, dir, &compiled, &warnings)];
    let (server, said) = settings::server(&data, &compiled);
    findings.push(said);
    findings.extend(settings::blocks(&data));
    let scene = Scene {
        dir,
        data,
        compiled: &compiled,
        now,
        server,
    };
    findings.extend(settings::secrets(&scene));
    findings.extend(settings::certificates(&scene));
    findings.extend(state::findings(&scene));
    findings.extend(network::listeners(&scene));
    findings.extend(network::upstreams(&scene));
    findings
}

/// Damage weighs more than a mistake, a mistake more than whatever else fails.
fn verdict(findings: &[Finding]) -> Exit {
    let failed = |wanted: &Exit| {
        let mut states = findings.iter().map(|finding| finding.state);
        states.any(|state| state == State::Fail(*wanted))
    };
    let worst = [Exit::Integrity, Exit::Configuration, Exit::Failed];
    let is_warned = findings.iter().any(|found| found.state == State::Warn);
    let otherwise = if is_warned { Exit::Look } else { Exit::Done };
    worst.into_iter().find(failed).unwrap_or(otherwise)
}

fn document(findings: &[Finding], exit: Exit) -> Value {
    let one = |finding: &Finding| {
        json!({
            "check": finding.check, "name": finding.name, "state": finding.state.word(), "what": finding.what,
            "advice": finding.advice,
        })
    };
    json!({
        "schema_version": 1,
        "is_fit": matches!(exit, Exit::Done | Exit::Look),
        "checks": findings.iter().map(one).collect::<Vec<_>>(),
    })
}

fn text(findings: &[Finding], exit: Exit) -> String {
    let title = |finding: &Finding| format!("{} {}", finding.check, finding.name);
    let widths = findings.iter().map(|found| title(found).trim().len());
    let width = widths.max().unwrap_or(0);
    let mut out = String::new();
    for finding in findings {
        let what = finding.what.split_whitespace().collect::<Vec<_>>();
        let (word, title) = (finding.state.word(), title(finding));
        let line = format!("{word:<4}  {:<width$}  {}", title.trim(), what.join(" "));
        out.push_str(line.trim_end());
        out.push('\n');
        if !finding.advice.is_empty() {
            let advice = printable::line(finding.advice.trim());
            out.push_str(&format!("      advice: {advice}\n"));
        }
    }
    let count = |is_wanted: fn(State) -> bool| {
        let states = findings.iter().map(|finding| finding.state);
        states.filter(|state| is_wanted(*state)).count()
    };
    let failed = count(|state| matches!(state, State::Fail(_)));
    let warned = output::counted(count(|state| state == State::Warn), "warning");
    out.push_str(&match exit {
        Exit::Done => String::from("\nfit to serve\n"),
        Exit::Look => format!("\nfit to serve, with {warned}\n"),
        _ => format!("\nnot fit to serve: {failed} failed, {warned}\n"),
    });
    out
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail(_) => "fail",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_gives_the_exit_code() {
        let about = About("disk", "");
        let ok = || about.ok("");
        let warn = || about.warn("", "");
        let fail = |exit| about.fail(exit, "", "");
        let mut found = vec![ok()];
        assert_eq!(verdict(&found), Exit::Done);
        found.push(warn());
        assert_eq!(verdict(&found), Exit::Look);
        found.push(fail(Exit::Failed));
        assert_eq!(verdict(&found), Exit::Failed);
        found.push(fail(Exit::Configuration));
        found.push(fail(Exit::Integrity));
        found.push(fail(Exit::Failed));
        assert_eq!(verdict(&found), Exit::Integrity);
    }

    #[test]
    fn a_fault_is_told_apart_into_what_and_advice() {
        let about = About("store", "");
        let finding = about.fault(Exit::Failed, &"it is damaged. Restore it. Keep it");
        assert_eq!(finding.what, "it is damaged");
        assert_eq!(finding.advice, "Restore it. Keep it");
        assert!(!about.fault(Exit::Failed, &"short").advice.is_empty());
    }

    #[test]
    fn every_finding_is_one_line_and_advice_stands_below_it() {
        let findings = [
            About("disk", "").ok("2 GiB\n  free"),
            About("listener", "public").warn("busy", "Free it."),
        ];
        assert_eq!(
            text(&findings, Exit::Look),
            "ok    disk             2 GiB free\nwarn  listener public  busy\n      advice: Free it.\n\
             \nfit to serve, with 1 warning\n"
        );
    }
}
