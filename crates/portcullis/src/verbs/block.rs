//! `portcullis block`: temporary blocks listed, added and lifted.
//! Exports `VERB`.
//! Used by `verbs::VERBS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};
use policy::block::shell_quoted;
use serde_json::Value;

use crate::exit::{Exit, Outcome};
use crate::verbs::Verb;
use crate::verbs::key::{asked, cell, moment};
use crate::{config_dir, office, output, table, terminal};

/// The verb.
pub const VERB: Verb = Verb {
    name: "block",
    about: "List, add and lift temporary blocks [writes]",
    command,
    run,
};

/// What every subcommand says about subjects.
const SUBJECTS: &str = "A subject is address:10.1.2.3, address:10.0.0.0/8, integration:NAME, credential:key_… or user:INTEGRATION/NAME. \
An address or a key id needs no prefix.";

fn command() -> Command {
    let subject = || {
        Arg::new("subject")
            .required(true)
            .value_name("SUBJECT")
            .help("Whom: address:10.1.2.3, integration:NAME, credential:key_… or user:INTEGRATION/NAME")
    };
    let reason = |help: &'static str| {
        Arg::new("reason")
            .long("reason")
            .value_name("TEXT")
            .help(help)
    };
    Command::new("block")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("list")
                .about("List blocks in force: whom, until when, who or what began them [read-only]")
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help(
                    "Example:\n  portcullis block list\n\n\
                     What HOLDS FOR strangers keeps out calls from that address whose credential proves nobody; everybody is every \
                     caller there; every other block keeps out that credential, integration or person alone, from any address. Blocks that people added survive a restart, the others end with the server.",
                ),
        )
        .subcommand(
            Command::new("add")
                .about("Refuse everything from a subject for a while [writes]")
                .arg(subject())
                .arg(Arg::new("for").long("for").required(true).value_name("SPAN").help("How long: 30m, 12h, up to 30d"))
                .arg(reason("Why, for the ledger and for whoever lists it").required(true))
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help(format!(
                    "Example:\n  portcullis block add key_01KA7ZQ4X… --for 30m --reason \"sends duplicates, ticket 4711\"\n  \
                     portcullis block add address:192.0.2.0/24 --for 12h --reason \"scans\"\n\n{SUBJECTS}\n\
                     It holds from the next request on, survives a restart and ends by itself. A block of an address holds for everybody \
                     there, proven callers too."
                )),
        )
        .subcommand(
            Command::new("lift")
                .about("End a block, and forget the refusals that led to it [writes]")
                .arg(subject())
                .arg(reason("Why, for the ledger"))
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help(format!(
                    "Example:\n  portcullis block lift credential:key_01KA7ZQ4X…\n\n{SUBJECTS}\n\
                     Exit codes: 0 lifted · 1 it was not blocked"
                )),
        )
        .after_help("Example:\n  portcullis block list")
}

fn run(arguments: &ArgMatches) -> Outcome {
    match arguments.subcommand() {
        Some(("list", arguments)) => list(arguments),
        Some(("add", arguments)) => add(arguments),
        Some(("lift", arguments)) => lift(arguments),
        _ => Ok(Exit::Usage),
    }
}

fn list(arguments: &ArgMatches) -> Outcome {
    let found = office::call(&config_dir::target(arguments), "block.list", &Value::Null)?;
    let blocks = found.get("blocks").and_then(Value::as_array);
    let rows: Vec<Vec<String>> = blocks.into_iter().flatten().map(shown).collect();
    let is_running = found.get("is_running") == Some(&Value::Bool(true));
    output::print(arguments, &found, || {
        if !is_running {
            terminal::say("No server is running: only blocks that people added are known.");
        }
        if rows.is_empty() {
            terminal::say("No block is in force.");
            return;
        }
        let headings = ["SUBJECT", "HOLDS FOR", "UNTIL", "BY", "REASON"];
        terminal::text(&table::render(&headings, &rows));
        let in_force = found.get("in_force").and_then(Value::as_u64);
        if let Some(all) = in_force.filter(|all| *all > rows.len() as u64) {
            terminal::say(format_args!(
                "{all} blocks are in force; those that last longest are shown."
            ));
        }
    });
    Ok(Exit::Done)
}

fn shown(row: &Value) -> Vec<String> {
    let by = match row.get("by") {
        Some(Value::String(by)) => by.clone(),
        _ => "refusals".to_owned(),
    };
    vec![
        cell(row, "subject"),
        holds_for(row),
        moment(row, "until"),
        by,
        cell(row, "reason"),
    ]
}

/// Whom it keeps out, in words.
fn holds_for(row: &Value) -> String {
    match row.get("holds_for").and_then(Value::as_str) {
        Some("credential") => "this credential".to_owned(),
        Some("integration") => "this integration".to_owned(),
        Some("user") => "this person".to_owned(),
        _ => cell(row, "holds_for"),
    }
}

fn add(arguments: &ArgMatches) -> Outcome {
    let names = [("subject", "subject"), ("for", "for"), ("reason", "reason")];
    let added = office::call(
        &config_dir::target(arguments),
        "block.add",
        &asked(arguments, &names),
    )?;
    output::print(arguments, &added, || {
        terminal::line(format_args!(
            "{} is blocked until {}; end it earlier with `portcullis block lift {}`",
            cell(&added, "subject"),
            moment(&added, "until"),
            shell_quoted(&cell(&added, "subject"))
        ));
    });
    Ok(Exit::Done)
}

fn lift(arguments: &ArgMatches) -> Outcome {
    let names = [("subject", "subject"), ("reason", "reason")];
    let lifted = office::call(
        &config_dir::target(arguments),
        "block.lift",
        &asked(arguments, &names),
    )?;
    output::print(arguments, &lifted, || {
        terminal::line(format_args!(
            "{} is no longer blocked; its refusals are forgotten",
            cell(&lifted, "subject")
        ));
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_block_says_whom_it_holds_for_until_when_and_who_began_it() {
        let counted = json!({ "subject": "address:192.0.2.7", "holds_for": "strangers", "until": "2026-11-30T10:00:00.000Z",
            "by": null, "reason": "after 20 refusals/min, the last one authn.invalid, dec_1" });
        let reason = "after 20 refusals/min, the last one authn.invalid, dec_1";
        assert_eq!(
            shown(&counted),
            [
                "address:192.0.2.7",
                "strangers",
                "2026-11-30T10:00:00Z",
                "refusals",
                reason
            ]
        );
        let added = json!({ "subject": "user:crm/ann", "holds_for": "user", "until": "2026-11-30T10:00:00.000Z",
            "by": "olga (local)", "reason": "sends duplicates" });
        assert_eq!(shown(&added)[1], "this person");
    }
}
