//! `portcullis block`: temporary blocks listed, added and lifted.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};
use control::commands::block::{AddBlock, BlockRow, LiftBlock, ListBlocks};
use policy::block::shell_quoted;

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::table::seconds;
use crate::{admin_client, config_dir, output, table, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
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
                .about(admin_client::about::<ListBlocks>())
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help(
                    "Example:\n  portcullis block list\n\n\
                     What HOLDS FOR strangers keeps out calls from that address whose credential proves nobody; everybody is every \
                     caller there; every other block keeps out that credential, integration or person alone, from any address. Blocks that people added survive a restart, the others end with the server.",
                ),
        )
        .subcommand(
            Command::new("add")
                .about(admin_client::about::<AddBlock>())
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
                .about(admin_client::about::<LiftBlock>())
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
    let answer = admin_client::call(&config_dir::target(arguments), &ListBlocks {})?;
    let found = &answer.out;
    let rows: Vec<Vec<String>> = found.blocks.iter().map(shown).collect();
    output::print(arguments, &answer.document, || {
        if !found.is_running {
            terminal::say("No server is running: only blocks that people added are known.");
        }
        if rows.is_empty() {
            terminal::say("No block is in force.");
            return;
        }
        let headings = ["SUBJECT", "HOLDS FOR", "UNTIL", "BY", "REASON"];
        terminal::text(&table::render(&headings, &rows));
        if found.in_force > rows.len() {
            let all = found.in_force;
            terminal::say(format_args!(
                "{all} blocks are in force; those that last longest are shown."
            ));
        }
    });
    Ok(Exit::Done)
}

fn shown(row: &BlockRow) -> Vec<String> {
    vec![
        row.subject.clone(),
        holds_for(&row.holds_for).to_owned(),
        seconds(&row.until),
        row.by.clone().unwrap_or_else(|| "refusals".to_owned()),
        row.reason.clone(),
    ]
}

/// Whom it keeps out, in words.
fn holds_for(word: &str) -> &str {
    match word {
        "credential" => "this credential",
        "integration" => "this integration",
        "user" => "this person",
        other => other,
    }
}

fn add(arguments: &ArgMatches) -> Outcome {
    let asked = AddBlock {
        subject: output::text(arguments, "subject").to_owned(),
        lasts: output::text(arguments, "for").to_owned(),
        reason: output::text(arguments, "reason").to_owned(),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    let added = &answer.out;
    output::print(arguments, &answer.document, || {
        terminal::line(format_args!(
            "{} is blocked until {}; end it earlier with `portcullis block lift {}`",
            added.subject,
            seconds(&added.until),
            shell_quoted(&added.subject)
        ));
    });
    Ok(Exit::Done)
}

fn lift(arguments: &ArgMatches) -> Outcome {
    let asked = LiftBlock {
        subject: output::text(arguments, "subject").to_owned(),
        reason: output::given(arguments, "reason"),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    output::print(arguments, &answer.document, || {
        terminal::line(format_args!(
            "{} is no longer blocked; its refusals are forgotten",
            answer.out.subject
        ));
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(holds_for: &str, by: Option<&str>) -> BlockRow {
        BlockRow {
            subject: "address:192.0.2.7".into(),
            holds_for: holds_for.into(),
            until: "2026-11-30T10:00:00.000Z".into(),
            seconds_left: 60,
            by: by.map(str::to_owned),
            added_at: None,
            reason: "after 20 refusals/min".into(),
            decision: None,
            survives_restart: by.is_some(),
        }
    }

    #[test]
    fn a_block_says_whom_it_holds_for_until_when_and_who_began_it() {
        assert_eq!(
            shown(&row("strangers", None)),
            [
                "address:192.0.2.7",
                "strangers",
                "2026-11-30T10:00:00Z",
                "refusals",
                "after 20 refusals/min"
            ]
        );
        let added = shown(&row("user", Some("olga (local)")));
        assert_eq!((&*added[1], &*added[3]), ("this person", "olga (local)"));
    }
}
