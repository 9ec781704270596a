//! `portcullis integration`: integrations listed, paused and resumed.
//! Exports `VERB`.
//! Used by `verbs::VERBS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};
use serde_json::Value;

use crate::exit::{Exit, Outcome};
use crate::verbs::Verb;
use crate::verbs::key::{asked, cell, moment};
use crate::{config_dir, office, output, table, terminal};

/// The verb.
pub const VERB: Verb = Verb {
    name: "integration",
    about: "List, pause and resume integrations [writes]",
    command,
    run,
};

fn command() -> Command {
    let name = || {
        Arg::new("name")
            .required(true)
            .value_name("NAME")
            .help("Name of the integration: its file in integrations/")
    };
    Command::new("integration")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("list")
                .about("List integrations with owner, keys, review date and who paused them [read-only]")
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help("Example:\n  portcullis integration list\n\nExit codes: 0 nothing is due · 2 a review is due"),
        )
        .subcommand(
            Command::new("pause")
                .about("Refuse every call of an integration until it is resumed [writes]")
                .arg(name())
                .arg(Arg::new("reason").long("reason").value_name("TEXT").help("Why, for the ledger"))
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help("Example:\n  portcullis integration pause crm --reason \"sends duplicates since release 7.2\""),
        )
        .subcommand(
            Command::new("resume")
                .about("Let a paused integration call again [writes]")
                .arg(name())
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help("Example:\n  portcullis integration resume crm"),
        )
        .after_help("Example:\n  portcullis integration list")
}

fn run(arguments: &ArgMatches) -> Outcome {
    match arguments.subcommand() {
        Some(("list", arguments)) => list(arguments),
        Some(("pause", arguments)) => set(
            arguments,
            "integration.pause",
            "paused: its calls are refused until `portcullis integration resume`",
        ),
        Some(("resume", arguments)) => set(
            arguments,
            "integration.resume",
            "resumed: it may call again",
        ),
        _ => Ok(Exit::Usage),
    }
}

fn list(arguments: &ArgMatches) -> Outcome {
    let found = office::call(
        &config_dir::target(arguments),
        "integration.list",
        &Value::Null,
    )?;
    let rows: Vec<&Value> = found
        .get("integrations")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect();
    output::print(arguments, &found, || {
        if rows.is_empty() {
            terminal::say("No integration is configured. Add a file to integrations/.");
            return;
        }
        let shown_rows = &rows;
        let rows: Vec<Vec<String>> = rows.iter().map(|row| shown(row)).collect();
        let headings = [
            "NAME",
            "STATE",
            "KEYS",
            "LAST USED",
            "REVIEW BY",
            "OWNER",
            "PURPOSE",
        ];
        terminal::text(&table::render(&headings, &rows));
        for line in shown_rows.iter().filter_map(|row| pause(row)) {
            terminal::line(line);
        }
    });
    let is_due = rows.iter().any(|row| is(row, "is_review_due"));
    Ok(if is_due { Exit::Look } else { Exit::Done })
}

fn is(row: &Value, name: &str) -> bool {
    row.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn shown(row: &Value) -> Vec<String> {
    let state = if is(row, "is_paused") {
        "paused"
    } else {
        "active"
    };
    let day = cell(row, "review_by").chars().take(10).collect::<String>();
    let review = if is(row, "is_review_due") {
        format!("{day} (due)")
    } else {
        day
    };
    vec![
        cell(row, "name"),
        state.to_owned(),
        cell(row, "keys_usable"),
        moment(row, "last_used_at"),
        review,
        cell(row, "owner"),
        cell(row, "purpose"),
    ]
}

/// Who paused an integration, when and why.
fn pause(row: &Value) -> Option<String> {
    let paused = row.get("paused").filter(|paused| paused.is_object())?;
    Some(format!(
        "{} was paused by {} at {}: {}",
        cell(row, "name"),
        paused
            .get("by")
            .and_then(Value::as_str)
            .unwrap_or("an operator"),
        moment(paused, "at"),
        cell(paused, "reason")
    ))
}

fn set(arguments: &ArgMatches, command: &str, done: &str) -> Outcome {
    let changed = office::call(
        &config_dir::target(arguments),
        command,
        &asked(arguments, names(arguments)),
    )?;
    output::print(arguments, &changed, || {
        terminal::line(format_args!("{} is {done}", cell(&changed, "integration")))
    });
    Ok(Exit::Done)
}

/// `resume` has no reason.
fn names(arguments: &ArgMatches) -> &'static [(&'static str, &'static str)] {
    match arguments.ids().any(|id| id == "reason") {
        true => &[("name", "integration"), ("reason", "reason")],
        false => &[("name", "integration")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_paused_integration_with_a_due_review_says_both() {
        let row = json!({ "name": "crm", "owner": "o@x.example", "purpose": "p", "review_by": "2026-01-01T00:00:00.000000Z",
            "is_review_due": true, "is_paused": true, "keys_usable": 2, "last_used_at": null });
        assert_eq!(
            shown(&row),
            [
                "crm",
                "paused",
                "2",
                "-",
                "2026-01-01 (due)",
                "o@x.example",
                "p"
            ]
        );
    }

    #[test]
    fn a_pause_says_who_when_and_why() {
        let row = |paused: Value| json!({ "name": "crm", "is_paused": true, "paused": paused });
        let by = json!({ "at": "2026-11-30T09:00:00.000Z", "by": "olga (local)", "reason": "sends duplicates" });
        assert_eq!(
            pause(&row(by)).as_deref(),
            Some("crm was paused by olga (local) at 2026-11-30T09:00:00Z: sends duplicates")
        );
        // Before, nobody was kept.
        let older = json!({ "at": "2026-11-30T09:00:00.000Z", "by": null, "reason": "paused by an operator" });
        assert_eq!(
            pause(&row(older)).as_deref(),
            Some("crm was paused by an operator at 2026-11-30T09:00:00Z: paused by an operator")
        );
        assert_eq!(pause(&row(Value::Null)), None);
    }

    #[test]
    fn resume_takes_no_reason() {
        let of = |line: &[&str]| {
            let matches = command().get_matches_from(line);
            let (_, arguments) = matches.subcommand().unwrap();
            asked(arguments, names(arguments))
        };
        assert_eq!(
            of(&["integration", "resume", "crm"]),
            json!({ "integration": "crm" })
        );
        assert_eq!(
            of(&["integration", "pause", "crm", "--reason", "x"]),
            json!({ "integration": "crm", "reason": "x" })
        );
        assert_eq!(
            of(&["integration", "pause", "crm"]),
            json!({ "integration": "crm" })
        );
    }
}
