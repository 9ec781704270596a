//! `portcullis integration`: integrations listed, paused and resumed.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};
use control::commands::Command as AdminCommand;
use control::commands::integration::{
    IntegrationPaused, IntegrationRow, ListIntegrations, PauseIntegration, ResumeIntegration,
};

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::table::{dash, seconds};
use crate::{admin_client, config_dir, output, table, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
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
                .about(admin_client::about::<ListIntegrations>())
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help("Example:\n  portcullis integration list\n\nExit codes: 0 nothing is due · 2 a review is due"),
        )
        .subcommand(
            Command::new("pause")
                .about(admin_client::about::<PauseIntegration>())
                .arg(name())
                .arg(Arg::new("reason").long("reason").value_name("TEXT").help("Why, for the ledger"))
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help("Example:\n  portcullis integration pause crm --reason \"sends duplicates since release 7.2\"\n\n\
                     Exit codes: 0 paused · 2 it was paused already, for the same reason"),
        )
        .subcommand(
            Command::new("resume")
                .about(admin_client::about::<ResumeIntegration>())
                .arg(name())
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help("Example:\n  portcullis integration resume crm\n\nExit codes: 0 resumed · 2 it was not paused"),
        )
        .after_help("Example:\n  portcullis integration list")
}

fn run(arguments: &ArgMatches) -> Outcome {
    match arguments.subcommand() {
        Some(("list", arguments)) => list(arguments),
        Some(("pause", arguments)) => pause(arguments),
        Some(("resume", arguments)) => resume(arguments),
        _ => Ok(Exit::Usage),
    }
}

fn list(arguments: &ArgMatches) -> Outcome {
    let answer = admin_client::call(&config_dir::target(arguments), &ListIntegrations {})?;
    let rows = &answer.out.integrations;
    output::print(arguments, &answer.document, || {
        if rows.is_empty() {
            terminal::say("No integration is configured. Add a file to integrations/.");
            return;
        }
        let shown: Vec<Vec<String>> = rows.iter().map(shown).collect();
        let headings = [
            "NAME",
            "STATE",
            "KEYS",
            "LAST USED",
            "REVIEW BY",
            "OWNER",
            "PURPOSE",
        ];
        terminal::text(&table::render(&headings, &shown));
        for line in rows.iter().filter_map(paused) {
            terminal::line(line);
        }
    });
    let is_due = rows.iter().any(|row| row.is_review_due);
    Ok(if is_due { Exit::Findings } else { Exit::Done })
}

fn shown(row: &IntegrationRow) -> Vec<String> {
    let state = if row.is_paused { "paused" } else { "active" };
    let day: String = row.review_by.chars().take(10).collect();
    let review = if row.is_review_due {
        format!("{day} (due)")
    } else {
        day
    };
    vec![
        row.name.clone(),
        state.to_owned(),
        row.keys_usable.to_string(),
        seconds(row.last_used_at.as_deref().unwrap_or_default()),
        review,
        dash(Some(&row.owner)),
        dash(Some(&row.purpose)),
    ]
}

/// Who paused an integration, when and why.
fn paused(row: &IntegrationRow) -> Option<String> {
    let paused = row.paused.as_ref()?;
    Some(format!(
        "{} was paused by {} at {}: {}",
        row.name,
        paused.by.as_deref().unwrap_or("an operator"),
        seconds(paused.at.as_deref().unwrap_or_default()),
        paused.reason
    ))
}

fn pause(arguments: &ArgMatches) -> Outcome {
    let asked = PauseIntegration {
        integration: output::text(arguments, "name").to_owned(),
        reason: output::given(arguments, "reason"),
    };
    let paused = "its calls are refused until `portcullis integration resume`";
    set(
        arguments,
        &asked,
        [("paused", paused), ("paused already", paused)],
    )
}

fn resume(arguments: &ArgMatches) -> Outcome {
    let asked = ResumeIntegration {
        integration: output::text(arguments, "name").to_owned(),
    };
    set(
        arguments,
        &asked,
        [
            ("resumed", "it may call again"),
            ("not paused", "nothing was changed"),
        ],
    )
}

fn set<C: AdminCommand<Out = IntegrationPaused>>(
    arguments: &ArgMatches,
    asked: &C,
    [done, unchanged]: [(&str, &str); 2],
) -> Outcome {
    let answer = admin_client::call(&config_dir::target(arguments), asked)?;
    let (word, sentence) = if answer.has_changed() {
        done
    } else {
        unchanged
    };
    output::print(arguments, &answer.document, || {
        terminal::line(format_args!(
            "{} is {word}: {sentence}",
            answer.out.integration
        ))
    });
    Ok(admin_client::exit(&answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use control::commands::integration::Pause;

    fn row(paused: Option<Pause>) -> IntegrationRow {
        IntegrationRow {
            name: "crm".into(),
            owner: "o@x.example".into(),
            purpose: "p".into(),
            review_by: "2026-01-01T00:00:00.000000Z".into(),
            is_review_due: true,
            roles: Vec::new(),
            is_paused: paused.is_some(),
            paused,
            keys_usable: 2,
            last_used_at: None,
        }
    }

    fn pause(by: Option<&str>, reason: &str) -> Option<Pause> {
        Some(Pause {
            at: Some("2026-11-30T09:00:00.000Z".into()),
            by: by.map(str::to_owned),
            reason: reason.to_owned(),
        })
    }

    #[test]
    fn a_paused_integration_with_a_due_review_says_both() {
        assert_eq!(
            shown(&row(pause(None, "x"))),
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
        let by = row(pause(Some("olga (local)"), "sends duplicates"));
        assert_eq!(
            paused(&by).as_deref(),
            Some("crm was paused by olga (local) at 2026-11-30T09:00:00Z: sends duplicates")
        );
        // Before, nobody was kept.
        assert_eq!(
            paused(&row(pause(None, "paused by an operator"))).as_deref(),
            Some("crm was paused by an operator at 2026-11-30T09:00:00Z: paused by an operator")
        );
        assert_eq!(paused(&row(None)), None);
    }

    #[test]
    fn resume_takes_no_reason() {
        let line = ["integration", "resume", "crm", "--reason", "x"];
        assert!(command().try_get_matches_from(line).is_err());
        let line = ["integration", "pause", "crm", "--reason", "x"];
        assert!(command().try_get_matches_from(line).is_ok());
    }
}
