//! `portcullis doctor`: whether this installation is fit to serve, with the server up or down. Changes nothing.
//! Exports `SUBCOMMAND`. What is looked at is in `installation::doctor`; the words are here.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{ArgMatches, Command};
use installation::doctor::{self, DoctorReport, Finding, State};
use model::printable;

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::{admin_client, config_dir, output, outputs, terminal};

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
    let findings = doctor::examine(&config_dir::of(arguments), &admin_client::name());
    let exit = match doctor::worst(&findings) {
        State::Ok => Exit::Done,
        State::Warn => Exit::Findings,
        State::Fail(severity) => severity.into(),
    };
    let report = DoctorReport::new(&findings);
    output::show(arguments, &outputs::DOCTOR, &report, || {
        terminal::text(&text(&findings, exit));
    })?;
    Ok(exit)
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
        Exit::Findings => format!("\nfit to serve, with {warned}\n"),
        _ => format!("\nnot fit to serve: {failed} failed, {warned}\n"),
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_one_line_and_advice_stands_below_it() {
        let found = |check, name: &str, state, what: &str, advice: &str| Finding {
            check,
            name: name.to_owned(),
            state,
            what: what.to_owned(),
            advice: advice.to_owned(),
        };
        let findings = [
            found("disk", "", State::Ok, "2 GiB\n  free", ""),
            found("listener", "public", State::Warn, "busy", "Free it."),
        ];
        assert_eq!(
            text(&findings, Exit::Findings),
            "ok    disk             2 GiB free\nwarn  listener public  busy\n      advice: Free it.\n\
             \nfit to serve, with 1 warning\n"
        );
    }
}
