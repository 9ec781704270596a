//! `portcullis access`: everything an integration may call, ask, see and send, computed by the rules that enforce it.
//! Gives `SUBCOMMAND`. Needs the configuration only, no server.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`; `matrix` groups the rows, `text` prints them.

mod matrix;
pub mod questions;
mod text;

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::{Arg, ArgMatches, Command};
use config::Compiled;
use config::compiled::IntegrationSettings;
use policy::{AccessRow, How};
use serde_json::json;

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome, Trouble};
use crate::{config_dir, fields, files, output, running, table, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "access",
    about: "Show what an integration may call, ask, see and send, or who can see a field [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("access")
        .arg(Arg::new("who").value_name("WHO").required_unless_present("field").help("Name of the integration"))
        .arg(Arg::new("field").long("field").value_name("PATH").help("Only this field, and what is below it: customer.taxId. Without WHO: of every integration"))
        .args([config_dir::argument(), output::argument()])
        .after_help("Example:\n  portcullis access accounting\n  portcullis access --field customer.taxId")
}

fn run(arguments: &ArgMatches) -> Outcome {
    let dir = config_dir::of(arguments);
    let (compiled, _) = files::compile_to_read(&files::read(&dir)?, running::now())?;
    match (
        output::text(arguments, "who"),
        output::text(arguments, "field"),
    ) {
        (who, "") => of_integration(arguments, &compiled, who),
        (who, field) => of_field(arguments, &compiled, who, field),
    }
}

/// The integration with this name.
///
/// # Errors
/// When there is none, with the name that was probably meant.
pub fn integration<'a>(
    compiled: &'a Compiled,
    who: &str,
) -> Result<&'a Arc<IntegrationSettings>, Trouble> {
    compiled.integrations.get(who).ok_or_else(|| {
        let known: Vec<&str> = compiled.integrations.keys().map(|name| &**name).collect();
        let help = config::nearest(who, &known)
            .unwrap_or_else(|| format!("Configured are {}.", config::listed(&known)));
        Trouble::new(
            Exit::Failed,
            format!("there is no integration `{who}`"),
            help,
        )
    })
}

fn of_integration(arguments: &ArgMatches, compiled: &Compiled, who: &str) -> Outcome {
    let settings = integration(compiled, who)?;
    let rows = policy::access(&compiled.rules, who)
        .unwrap_or_default()
        .rows;
    let summaries = matrix::summaries(&rows, compiled);
    let operations: BTreeSet<_> = matrix::grants(&rows)
        .into_iter()
        .map(|row| (row.api.clone(), row.operation.clone()))
        .collect();
    let judged: Vec<_> = operations
        .iter()
        .filter_map(|(api, operation)| {
            let reference = compiled.rules.operation(api, operation)?;
            let enforcement = compiled.rules.enforcement(who, reference)?;
            Some(json!({ "api": api, "operation": operation, "enforcement": enforcement }))
        })
        .collect();
    let parameters: Vec<_> = operations
        .iter()
        .flat_map(|(api, operation)| {
            let all = questions::parameters(compiled, who, api, operation);
            let documents = all.into_iter();
            documents.map(move |one| questions::document(api, operation, &one))
        })
        .collect();
    let document = json!({
        "schema_version": 1,
        "integration": who,
        "owner": &*settings.owner,
        "purpose": &*settings.purpose,
        "review_by": settings.review_by.to_string(),
        "summary": summaries,
        "judged": judged,
        "parameters": parameters,
        "rows": rows,
    });
    output::print(arguments, &document, || {
        terminal::text(&text::page(settings, &rows, &summaries, compiled))
    });
    Ok(Exit::Done)
}

fn of_field(arguments: &ArgMatches, compiled: &Compiled, who: &str, field: &str) -> Outcome {
    let names: Vec<&str> = match who {
        "" => compiled.integrations.keys().map(|name| &**name).collect(),
        who => vec![&*integration(compiled, who)?.name],
    };
    let mut found: Vec<(&str, AccessRow)> = Vec::new();
    for name in names {
        let rows = policy::access(&compiled.rules, name)
            .unwrap_or_default()
            .rows;
        let fitting = rows
            .into_iter()
            .filter(|row| row.how != How::Call && matrix::is_about(row, field, compiled));
        found.extend(fitting.map(|row| (name, row)));
    }
    if found.is_empty() && !matrix::is_declared(field, compiled) {
        return Err(unknown_field(field, compiled));
    }
    let rows: Vec<_> = found
        .iter()
        .map(|(name, row)| json!({ "integration": name, "access": row }))
        .collect();
    output::print(
        arguments,
        &json!({ "schema_version": 1, "field": field, "rows": rows }),
        || {
            if found.is_empty() {
                terminal::line(format_args!("nobody can see or send {field}"));
                return;
            }
            let rows: Vec<Vec<String>> = found
                .iter()
                .map(|(name, row)| text::field_row(name, row, compiled))
                .collect();
            let headings = ["INTEGRATION", "OPERATION", "FIELD", "HOW", "RULE", "WHEN"];
            terminal::text(&table::render(&headings, &rows));
        },
    );
    Ok(Exit::Done)
}

/// No contract declares such a field.
pub fn unknown_field(field: &str, compiled: &Compiled) -> Trouble {
    let known = matrix::declared(compiled);
    let all: Vec<&String> = known.iter().collect();
    let help = config::nearest(field, &all).unwrap_or_else(|| {
        "Write it as grants do: `id`, `customer.taxId`, `lines.*.price`.".to_owned()
    });
    Trouble::new(
        Exit::Failed,
        format!("no contract declares a field `{field}`"),
        help,
    )
}

/// Steps to the object in the answers of a row's operation.
pub fn steps_of(row: &AccessRow, compiled: &Compiled) -> Vec<Arc<str>> {
    let operation = compiled.rules.operation(&row.api, &row.operation);
    operation
        .map(|operation| compiled.rules.object_steps(operation))
        .unwrap_or_default()
}

/// A row's field as grants write it.
pub fn field_of(row: &AccessRow, compiled: &Compiled) -> String {
    match row.how {
        How::Write | How::Error | How::Call => row.field.clone(),
        How::Full | How::Masked(_) => fields::relative(&row.field, &steps_of(row, compiled)),
    }
}

/// Whether any contract declares a field.
pub fn is_declared(field: &str, compiled: &Compiled) -> bool {
    matrix::is_declared(field, compiled)
}
