//! `portcullis ledger`: the ledger verified, shown, exported, closed by a checkpoint, signed by another key, destroyed where it
//! is old, and made to forget a person.
//! Exports `SUBCOMMAND`. `verify`, `show` and `export` read the files, beside a running server or without one.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use audit::{LedgerFault, PublicKey};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use control::commands::document;
use control::commands::ledger::{
    DestroyRecords, ErasePerson, LedgerPage, NoteExport, RotateSigner, ShowLedger, SignCheckpoint,
    text,
};
use installation::ledger::{self, LedgerFiles, VerifiedLedger};

use crate::admin_client::Answer;
use crate::commands::Subcommand;
use crate::exit::{CommandError, Exit, Outcome};
use crate::{admin_client, config_dir, output, outputs, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "ledger",
    about: "Verify, show and export what happened; checkpoints and the key that signs [destructive]",
    command,
    run,
};

fn command() -> Command {
    Command::new("ledger")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(verify_command())
        .subcommand(show_command())
        .subcommand(export_command())
        .subcommand(
            Command::new("checkpoint")
                .about(admin_client::about::<SignCheckpoint>())
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help(
                    "Example:\n  portcullis ledger checkpoint >> /mnt/elsewhere/checkpoints\n\n\
                     Kept elsewhere, it proves later that nothing before it was changed or taken away.",
                ),
        )
        .subcommand(rotate_signer_command())
        .subcommand(destroy_command())
        .subcommand(erase_command())
        .after_help("Example:\n  portcullis ledger verify")
}

fn destroy_command() -> Command {
    Command::new("destroy")
        .about(admin_client::about::<DestroyRecords>())
        .arg(Arg::new("before").long("before").value_name("MOMENT").required(true).help("Everything older: 2026-01-01 or 2026-01-01T12:00:00Z"))
        .arg(Arg::new("reason").long("reason").value_name("TEXT").required(true).help("Why, for the ledger"))
        .arg(Arg::new("confirm").long("confirm").value_name("N").value_parser(value_parser!(u64)).help("How many records, as the command without it says [default: nothing is destroyed]"))
        .args([config_dir::argument(), config_dir::socket(), output::argument()])
        .after_help(
            "Example:\n  portcullis ledger destroy --before 2026-01-01 --reason \"kept for a year\"\n  \
             portcullis ledger destroy --before 2026-01-01 --reason \"kept for a year\" --confirm 48211\n\n\
             Records go by whole segments; the newest one stays. `ledger verify` says what was destroyed, by whom and why, and verifies \
             everything over it. Backups have copies of the keys: destroy those too.\n\n\
             Exit codes: 0 destroyed · 1 nothing was, see why · 2 nothing was, that is what would be",
        )
}

fn erase_command() -> Command {
    Command::new("erase")
        .about(admin_client::about::<ErasePerson>())
        .arg(Arg::new("user").long("user").value_name("NAME").required_unless_present("object").conflicts_with("object").help("The person, as an integration states them"))
        .arg(Arg::new("integration").long("integration").value_name("NAME").conflicts_with("object").help("The integration that states them [default: the only one that does]"))
        .arg(Arg::new("object").long("object").value_name("KIND/ID").help("The person who is an object of an api: Customer/c-7"))
        .arg(Arg::new("api").long("api").value_name("NAME").conflicts_with("user").help("The api whose object it is [default: the only one that has it]"))
        .arg(Arg::new("reason").long("reason").value_name("TEXT").required(true).help("Why, for the ledger; it must not name them"))
        .args([config_dir::argument(), config_dir::socket(), output::argument()])
        .after_help(
            "Example:\n  portcullis ledger erase --user ann --integration crm --reason \"request of 2026-11-23, ticket 4711\"\n  \
             portcullis ledger erase --object Customer/c-7 --reason \"ticket 4712\"\n\n\
             Their name, their addresses, what they called and every sentence about it become unreadable; that there was a call, \
             when, and how it was decided stays, and so do chain and signatures. Who calls again afterwards is somebody new. \
             Operators are not erased: they answer for their changes. Backups have copies of the key: destroy those too.\n\n\
             Exit codes: 0 erased · 1 nothing was, see why · 2 there is nothing to erase",
        )
}

fn rotate_signer_command() -> Command {
    Command::new("rotate-signer")
        .about(admin_client::about::<RotateSigner>())
        .arg(Arg::new("reason").long("reason").value_name("TEXT").required(true).help("Why, for the ledger"))
        .arg(Arg::new("compromised").long("compromised").action(ArgAction::SetTrue).help("Somebody else may have the present key: whoever verifies with it alone is told so"))
        .args([config_dir::argument(), config_dir::socket(), output::argument()])
        .after_help(
            "Example:\n  portcullis ledger rotate-signer --reason \"yearly change\"\n  \
             portcullis ledger rotate-signer --compromised --reason \"backup of the root was stolen, ticket 4711\"\n\n\
             Whoever knows the first key goes on verifying: the ledger and its exports hold every change, signed by the key \
             before. Give the new public key to whoever verifies all the same; after --compromised they need it, because the \
             old one can sign another history.",
        )
}

fn verify_command() -> Command {
    Command::new("verify")
        .about("Verify the ledger, or an exported file, and name the first record that is wrong [read-only]")
        .arg(Arg::new("file").value_name("FILE").value_parser(value_parser!(PathBuf)).help("An exported file; it needs no server, store or secret [default: the ledger of the configuration]"))
        .arg(Arg::new("public-key").long("public-key").value_name("TEXT").help("The key that must have signed it, or one that signed before it, name+id+key, as its owner gave it to you"))
        .args([config_dir::argument(), output::argument()])
        .after_help(
            "Example:\n  portcullis ledger verify january.jsonl --public-key 'portcullis/ledger+1a2b3c4d+AQ…'\n\n\
             Exit codes: 0 in order · 1 the file ends early, so nothing is proven by it · 2 in order, but it rests on a key \
             that was given up as compromised, or keys that were destroyed are there again, or the file is of form 1, in which \
             nothing says where it began and ended · 3 something is wrong; the first bad record is named",
        )
}

fn show_command() -> Command {
    let wanted = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("show")
        .about(admin_client::about::<ShowLedger>())
        .args([
            wanted("integration", "NAME", "Only of this integration"),
            wanted("user", "NAME", "Only of this person, as an integration states them, or by this operator"),
            wanted("subject", "ID", "Only of this person, as sealed and erased values name them"),
            wanted("object", "KIND/ID", "Only of this object: WorkOrder/4711"),
            wanted("code", "CODE", "Only with this code: authz.operation_not_granted"),
            wanted("outcome", "WORD", "allow, refuse or fault of requests; done, failed or refused of commands"),
            wanted("kind", "KIND", "request, key.create, configuration.applied, …"),
            wanted("since", "MOMENT", "Not before: 2026-11-23, 2026-11-23T12:00:00Z, or 1h for an hour ago"),
            wanted("until", "MOMENT", "Before, written in the same ways"),
            wanted("before", "N", "Only records with a smaller number: the next page").value_parser(value_parser!(u64)),
            wanted("limit", "N", "At most so many, up to 10000 [default: 100]").value_parser(value_parser!(u64)),
        ])
        .args([config_dir::argument(), config_dir::socket(), output::argument()])
        .after_help("Example:\n  portcullis ledger show --integration crm --outcome refuse --since 2026-11-23")
}

fn export_command() -> Command {
    Command::new("export")
        .about("Write records to one file that anybody can verify without keys [read-only]")
        .arg(Arg::new("from").long("from").value_name("N").default_value("0").value_parser(number).help("Number of the first record"))
        .arg(Arg::new("to").long("to").value_name("N").value_parser(number).help("Number of the last record [default: the newest]"))
        .arg(Arg::new("out").long("out").value_name("FILE").value_parser(value_parser!(PathBuf)).help("Where to; never overwrites a file [default: standard output]"))
        .arg(Arg::new("opened").long("opened").value_name("FILE").value_parser(value_parser!(PathBuf)).help("Where to write what these records say of persons; never overwrites a file [default: nowhere, they stay sealed]"))
        .args([config_dir::argument(), config_dir::socket()])
        .after_help(
            "Example:\n  portcullis ledger export --from 0 --to 999 --out audit.jsonl\n  portcullis ledger verify audit.jsonl\n\n\
             What an export says of persons is sealed: whoever has it verifies it and cannot read that. With --opened it stands in a file \
             of its own, with the key of each value as its proof. Whoever has that file can read it also after a person was erased.\n\n\
             That records are exported is recorded before they are.",
        )
}

/// The number of a record. A day is what people write instead.
fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        "it is the number of a record, such as 4711; `portcullis ledger show --since DAY` shows the numbers of a day".to_owned()
    })
}

fn run(arguments: &ArgMatches) -> Outcome {
    match arguments.subcommand() {
        Some(("verify", arguments)) => verify(arguments),
        Some(("show", arguments)) => show(arguments),
        Some(("export", arguments)) => export(arguments),
        Some(("checkpoint", arguments)) => {
            let answer = admin_client::call(&config_dir::target(arguments), &SignCheckpoint {})?;
            output::print(arguments, &answer.document, || {
                terminal::text(&answer.out.checkpoint)
            });
            Ok(Exit::Done)
        }
        Some(("rotate-signer", arguments)) => rotate_signer(arguments),
        Some(("destroy", arguments)) => destroy(arguments),
        Some(("erase", arguments)) => erase(arguments),
        _ => Ok(Exit::Usage),
    }
}

fn rotate_signer(arguments: &ArgMatches) -> Outcome {
    let asked = RotateSigner {
        reason: output::text(arguments, "reason").to_owned(),
        compromised: Some(arguments.get_flag("compromised")),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    output::print(arguments, &answer.document, || {
        terminal::text(&text::rotated(&answer.out));
    });
    Ok(Exit::Done)
}

fn destroy(arguments: &ArgMatches) -> Outcome {
    let asked = DestroyRecords {
        before: output::text(arguments, "before").to_owned(),
        reason: output::text(arguments, "reason").to_owned(),
        confirm: arguments.get_one::<u64>("confirm").copied(),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    output::print(arguments, &answer.document, || {
        terminal::text(&text::destroyed(&answer.out));
    });
    Ok(admin_client::exit(&answer))
}

fn erase(arguments: &ArgMatches) -> Outcome {
    let asked = ErasePerson {
        user: output::given(arguments, "user"),
        integration: output::given(arguments, "integration"),
        object: output::given(arguments, "object"),
        api: output::given(arguments, "api"),
        reason: output::text(arguments, "reason").to_owned(),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    output::print(arguments, &answer.document, || {
        terminal::text(&text::erased(&answer.out));
    });
    Ok(admin_client::exit(&answer))
}

/// The ledger's files, open to read.
fn open_read(dir: &Path) -> Result<LedgerFiles, CommandError> {
    let files = ledger::open_read(dir)?;
    if files.is_configuration_wrong {
        terminal::say(
            "portcullis: the configuration has mistakes (`portcullis check` shows them); the ledger is read all the same",
        );
    }
    Ok(files)
}

fn verify(arguments: &ArgMatches) -> Outcome {
    let pin = output::given(arguments, "public-key").map(|text| {
        PublicKey::parse(&text).ok_or_else(|| {
            CommandError::new(
                Exit::Usage,
                "this is not a public key",
                "It looks like name+id+key, on one line; `portcullis ledger verify` prints it.",
            )
        })
    });
    let pin = pin.transpose()?;
    let report = match arguments.get_one::<PathBuf>("file") {
        Some(file) => audit::verify_export(file, pin.as_ref())
            .map_err(|fault| CommandError::new(Exit::Failed, fault, ""))?,
        None => open_read(&config_dir::of(arguments))?.verify(pin.as_ref())?,
    };
    let verified = VerifiedLedger::from(&report);
    output::show(arguments, &outputs::LEDGER_VERIFY, &verified, || {
        terminal::text(&ledger::text::report(&report, pin.is_some()))
    })?;
    Ok(if report.is_cut {
        Exit::Failed
    } else if !report.is_good() {
        Exit::Integrity
    } else if report.compromised().is_some() || report.has_open_ends || !report.returned.is_empty()
    {
        Exit::Findings
    } else {
        Exit::Done
    })
}

fn show(arguments: &ArgMatches) -> Outcome {
    let target = config_dir::target(arguments);
    let asked = question(arguments);
    // The running server first: it needs no secret of the one who asks.
    let answer = match admin_client::note(&target, &asked)? {
        Some(answer) => answer,
        None => read(&target.dir, &asked)?,
    };
    output::print(arguments, &answer.document, || {
        let records = &answer.out.records;
        if records.is_empty() {
            terminal::say("No record matches.");
        }
        records.iter().map(text::line).for_each(terminal::line);
        text::gone(&answer.out).lines().for_each(terminal::say);
    });
    Ok(Exit::Done)
}

/// What was asked for.
fn question(arguments: &ArgMatches) -> ShowLedger {
    let word = |name: &str| output::given(arguments, name);
    ShowLedger {
        integration: word("integration"),
        user: word("user"),
        subject: word("subject"),
        object: word("object"),
        code: word("code"),
        outcome: word("outcome"),
        kind: word("kind"),
        since: word("since"),
        until: word("until"),
        before: arguments.get_one::<u64>("before").copied(),
        limit: arguments.get_one::<u64>("limit").copied(),
    }
}

/// The files alone; the same answer.
fn read(dir: &Path, asked: &ShowLedger) -> Result<Answer<LedgerPage>, CommandError> {
    let files = open_read(dir)?;
    let names = files.integrations.as_deref();
    let names: Option<Vec<&str>> = names.map(|names| names.iter().map(|name| &**name).collect());
    let page = asked
        .of(&files.ledger()?, installation::now(), names.as_deref())
        .map_err(admin_client::command_error)?;
    let document = document::<ShowLedger>(&page).map_err(admin_client::command_error)?;
    Ok(Answer {
        document,
        out: page,
    })
}

fn export(arguments: &ArgMatches) -> Outcome {
    let from = arguments.get_one::<u64>("from").copied().unwrap_or(0);
    let range = from..=arguments.get_one::<u64>("to").copied().unwrap_or(u64::MAX);
    if range.is_empty() {
        return Err(CommandError::new(
            Exit::Usage,
            "--to is smaller than --from",
            "Records are numbered from 0.",
        ));
    }
    let target = config_dir::target(arguments);
    let asked = NoteExport {
        from,
        to: arguments.get_one::<u64>("to").copied(),
        opened: arguments.contains_id("opened"),
    };
    admin_client::note(&target, &asked)?;
    let records = open_read(&target.dir)?.ledger()?;
    if let Some(path) = arguments.get_one::<PathBuf>("opened") {
        let count = whole_file(path, |out| {
            audit::export_opened(&records, range.clone(), out)
        })?;
        terminal::say_all(format!(
            "wrote what {} of persons to {}: whoever has it can read it, also after they are erased",
            counted_say(count),
            model::printable::line(&path.display().to_string())
        ));
    }
    let exported = match arguments.get_one::<PathBuf>("out") {
        None => {
            let mut out = BufWriter::new(terminal::Out { is_exact: true });
            audit::export(&records, range, &mut out).map_err(unfinished)?
        }
        Some(path) => whole_file(path, |out| audit::export(&records, range, out))?,
    };
    terminal::say_all(ledger::text::exported(
        &exported,
        arguments.get_one::<PathBuf>("out").map(PathBuf::as_path),
    ));
    Ok(Exit::Done)
}

/// Writes a file to its end, or none: half an export proves nothing.
fn whole_file<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, LedgerFault>,
) -> Result<T, CommandError> {
    let mut out = BufWriter::new(output::create(path)?);
    let written = write(&mut out)
        .map_err(CommandError::from)
        .and_then(|written| {
            let kept = out.flush().and_then(|()| out.get_ref().sync_all());
            kept.map(|()| written)
                .map_err(|error| output::unwritten(path, &error))
        });
    written.inspect_err(|_| drop(std::fs::remove_file(path)))
}

/// `1 record says`, `2 records say`.
fn counted_say(count: u64) -> String {
    if count == 1 {
        String::from("1 record says")
    } else {
        format!("{count} records say")
    }
}

/// An export that did not get to its end: the reader's or the disk's doing is no fault of the ledger.
fn unfinished(fault: LedgerFault) -> CommandError {
    if terminal::is_closed() {
        return CommandError::new(
            Exit::Failed,
            "standard output was closed before the export was whole: what was read of it does not verify",
            "Read it to its end, or write it with `--out FILE`.",
        );
    }
    if terminal::has_failed() {
        // `finish` says why.
        let remedy = "Half an export does not verify: export again.";
        return CommandError::new(Exit::Failed, "", remedy);
    }
    fault.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_is_asked_for() {
        let matches =
            command().get_matches_from(["ledger", "show", "--integration", "crm", "--limit", "5"]);
        let (_, arguments) = matches.subcommand().unwrap();
        let asked = ShowLedger {
            integration: Some("crm".into()),
            limit: Some(5),
            ..ShowLedger::default()
        };
        assert_eq!(question(arguments), asked);
    }
}
