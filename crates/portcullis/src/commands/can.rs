//! `portcullis can`: may an integration do this, and by which rule? As `review::can` finds it.
//! Exports `SUBCOMMAND`. Needs the configuration only; keys, limits, blocks, pauses and inspection are not looked at.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

mod many;

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use config::Compiled;
use installation::{bounded, files};
use model::Json;
use model::json::Bounds;
use review::access as reach;
use review::can::{self, AccessQuestion, Answer, Evaluation, Verdict};

use crate::commands::Subcommand;
use crate::exit::{CommandError, Exit, Outcome};
use crate::{config_dir, output, outputs, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "can",
    about: "Say whether an integration may do something, and by which rule [read-only]",
    command,
    run,
};

fn command() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("can")
        .arg(Arg::new("who").required_unless_present("questions").value_name("WHO").help("Name of the integration"))
        .arg(Arg::new("operation").required_unless_present("questions").value_name("OPERATION").help("operationId, or API:OPERATION as scopes are written: field-service/v2:getWorkOrder"))
        .args([
            text("api", "API", "Version, where several have the operation: field-service/v2"),
            text("object", "JSON", "The object as the upstream has it, or @FILE; for creates, as it is sent"),
            text("body", "JSON", "The request body of a change, or @FILE"),
            text("field", "PATH", "Whether this field may be seen (or sent): customer.taxId"),
            text("listener", "NAME", "Listener the call comes in by [default: the first that exposes the operation]"),
            text("from", "ADDRESS", "Address the call comes from"),
            text("path", "NAME=VALUE", "A path parameter [default: the object's id]").action(ArgAction::Append),
            text("query", "NAME=VALUE", "A query parameter; whether it may be used is judged too").action(ArgAction::Append),
        ])
        .arg(text("questions", "FILE", "Many questions at once: in each line the arguments of one as a JSON list, [\"crm\",\"getCustomer\",\"--field\",\"email\"]").conflicts_with_all(["who", "operation", "api", "object", "body", "field", "listener", "from", "path", "query"]))
        .args([config_dir::argument(), output::argument()])
        .after_help(
            "Example:\n  portcullis can accounting getWorkOrder --api field-service/v2 --object '{\"status\":\"open\"}'\n  \
             portcullis can crm field-service/v2:getCustomer --field email\n\n\
             Keys, limits, blocks, pauses and inspection are not looked at.\nExit codes: 0 yes · 2 no, or undecided without the object · 1 no such integration, operation or field\n\
             Of many questions: 0 all of them yes · 2 otherwise",
        )
}

fn run(arguments: &ArgMatches) -> Outcome {
    let dir = config_dir::of(arguments);
    let (compiled, _) = files::compile_to_read(&files::read(&dir)?, installation::now())?;
    if let Some(path) = arguments.get_one::<String>("questions") {
        return many::answer(arguments, path, &compiled);
    }
    let (asked, evaluation) = answered(arguments, &compiled)?;
    let parameters = reach::parameters(
        &compiled,
        &asked.integration.name,
        &asked.version.name,
        &asked.plan.id,
    );
    let answer = Answer::new(&asked, &evaluation, &parameters);
    output::show(arguments, &outputs::CAN, &answer, || {
        terminal::text(&can::text(&asked, &evaluation, &parameters))
    })?;
    Ok(match evaluation.verdict {
        Verdict::Yes => Exit::Done,
        Verdict::No | Verdict::Undecided => Exit::Findings,
    })
}

/// One question and its answer.
fn answered<'a>(
    arguments: &'a ArgMatches,
    compiled: &'a Compiled,
) -> Result<(AccessQuestion<'a>, Evaluation), CommandError> {
    let asked = asked(arguments, compiled)?;
    if let Some(field) = asked.field {
        reach::check_field(field, compiled)?;
    }
    let evaluation = can::ask(&asked, compiled);
    Ok((asked, evaluation))
}

fn asked<'a>(
    arguments: &'a ArgMatches,
    compiled: &'a Compiled,
) -> Result<AccessQuestion<'a>, CommandError> {
    let optional = |name: &str| arguments.get_one::<String>(name).map(String::as_str);
    let (version, plan) = can::operation(
        output::text(arguments, "operation"),
        optional("api"),
        compiled,
    )?;
    let listener = optional("listener");
    let listener = listener.map(|name| can::listener(name, compiled));
    let address = optional("from").map(|text| {
        text.parse().map_err(|_| {
            CommandError::new(
                Exit::Usage,
                format!("`{text}` is not an address"),
                "Write 10.20.0.7 or 2001:db8::7.",
            )
        })
    });
    let path = pairs(arguments, "path")?;
    can::check_path(version, plan, &path)?;
    Ok(AccessQuestion {
        integration: reach::integration(compiled, output::text(arguments, "who"))?,
        version,
        plan,
        listener: listener.transpose()?,
        address: address.transpose()?,
        object: json_of(arguments, "object")?,
        body: json_of(arguments, "body")?,
        field: optional("field"),
        path,
        query: pairs(arguments, "query")?,
        now: installation::now(),
    })
}

/// Largest file that an argument names.
const FILE_BYTES_MAX: usize = 64 << 20;

/// JSON from the argument, or from the file it names with `@`.
fn json_of(arguments: &ArgMatches, name: &str) -> Result<Option<Json>, CommandError> {
    let Some(given) = arguments.get_one::<String>(name) else {
        return Ok(None);
    };
    let bytes = match given.strip_prefix('@') {
        Some(path) => bounded::read(Path::new(path), FILE_BYTES_MAX).map_err(|error| {
            CommandError::new(Exit::Failed, format!("{path} cannot be read: {error}"), "")
        })?,
        None => given.clone().into_bytes(),
    };
    let read = model::json::parse(&bytes, Bounds::default());
    read.map(Some).map_err(|problem| {
        CommandError::new(
            Exit::Usage,
            format!(
                "--{name} is not JSON: {} at byte {}",
                problem.kind, problem.offset
            ),
            "Write JSON and quote it for the shell, '{\"status\":\"open\"}', or name a file that holds it: @object.json.",
        )
    })
}

fn pairs(arguments: &ArgMatches, name: &str) -> Result<Vec<(String, String)>, CommandError> {
    let given = arguments.get_many::<String>(name).into_iter().flatten();
    given
        .map(|text| match text.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(CommandError::new(
                Exit::Usage,
                format!("`{text}` is not NAME=VALUE"),
                format!("Write --{name} status=open."),
            )),
        })
        .collect()
}

#[cfg(test)]
mod tests;
