//! `portcullis key`: API keys made, listed, rotated, revoked and checked.
//! Exports `SUBCOMMAND`. A new key's text goes to stdout alone, once; everything else about it goes to stderr.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

mod rotate_kek;
mod rotate_root;

use std::io::Read;

use clap::{Arg, ArgAction, ArgMatches, Command};
use control::commands::key::{CreateKey, KeyRow, ListKeys, RevokeKey, RotateKey};
use identity::api_key::{self, Reading};
use installation::{files, open};
use model::printable;
use serde_json::Value;

use crate::commands::Subcommand;
use crate::exit::{CommandError, Exit, Outcome};
use crate::outputs::CheckedKey;
use crate::table::seconds;
use crate::{admin_client, config_dir, confirm, output, outputs, table, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "key",
    about: "Make, list, rotate, revoke and check API keys; the keys that seal the data [destructive]",
    command,
    run,
};

/// More than any key has, and little enough to be read by mistake.
const CHECKED_BYTES_MAX: u64 = 4096;

fn command() -> Command {
    Command::new("key")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(create_command())
        .subcommand(
            Command::new("list")
                .about(admin_client::about::<ListKeys>())
                .arg(Arg::new("integration").long("integration").value_name("NAME").help("Only keys of this integration"))
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help("Example:\n  portcullis key list --integration accounting"),
        )
        .subcommand(
            Command::new("rotate")
                .about(admin_client::about::<RotateKey>())
                .arg(Arg::new("id").required(true).value_name("ID").help("Key id, as `key list` shows it"))
                .arg(Arg::new("overlap").long("overlap").value_name("SPAN").help("How long the old key goes on: 10m, 24h, at most the integration's max_age [default: as its file says]"))
                .args([config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help("Example:\n  NEW=$(portcullis key rotate key_01KA7ZQ4X… --overlap 10m)"),
        )
        .subcommand(
            Command::new("revoke")
                .about(admin_client::about::<RevokeKey>())
                .arg(Arg::new("id").required(true).value_name("ID").help("Key id, as `key list` shows it"))
                .arg(Arg::new("reason").long("reason").value_name("TEXT").help("Why, for the ledger"))
                .args([confirm::argument(), config_dir::argument(), config_dir::socket(), output::argument()])
                .after_help("Example:\n  portcullis key revoke key_01KA7ZQ4X… --reason \"laptop stolen\" --yes\n\n\
                     Exit codes: 0 revoked · 2 it was revoked already"),
        )
        .subcommand(
            Command::new("check")
                .about("Judge the form of a key read from standard input, without a server [read-only]")
                .arg(output::argument())
                .after_help(
                    "Example:\n  portcullis key check < suspicious.txt\n\nThe key is never an argument: arguments can be seen by every user of the machine.\n\
                     Exit codes: 0 plausible · 1 mistyped or no key of Portcullis",
                ),
        )
        .subcommand(
            Command::new("jwks")
                .about("Print the public key of Portcullis-Identity as a JWK set, for upstreams that verify it [read-only]")
                .arg(config_dir::argument())
                .after_help("Example:\n  portcullis key jwks > upstream/portcullis-jwks.json"),
        )
        .subcommand(
            Command::new("generate-kek")
                .about("Print a new key-encryption key, 64 hexadecimal digits [read-only]")
                .after_help("Example:\n  (umask 077; portcullis key generate-kek > secrets/kek)\n\nKeep a copy in a safe place: without it nothing that was stored can be read."),
        )
        .subcommand(rotate_kek::command())
        .subcommand(rotate_root::command())
        .after_help("Example:\n  KEY=$(portcullis key create --integration accounting)\n  curl -H \"Authorization: Bearer $KEY\" http://localhost:8080/v2/work-orders/4711")
}

fn create_command() -> Command {
    Command::new("create")
        .about(admin_client::about::<CreateKey>())
        .arg(Arg::new("integration").long("integration").required(true).value_name("NAME").help("Integration the key is for"))
        .arg(Arg::new("label").long("label").value_name("TEXT").help("What tells it from the others: \"erp production\""))
        .arg(Arg::new("expires-in").long("expires-in").value_name("SPAN").help("When it ends: 12h, 30d, at most the integration's max_age, which is the default"))
        .arg(Arg::new("test").long("test").action(ArgAction::SetTrue).help("A key for trials, told apart at sight: pk_test_…"))
        .args([config_dir::argument(), config_dir::socket(), output::argument()])
        .after_help(
            "Example:\n  KEY=$(portcullis key create --integration accounting --label \"erp production\" --expires-in 30d)\n\n\
             Only the key goes to standard output; what is to be known about it goes to standard error.",
        )
}

fn run(arguments: &ArgMatches) -> Outcome {
    match arguments.subcommand() {
        Some(("create", arguments)) => create(arguments),
        Some(("list", arguments)) => list(arguments),
        Some(("rotate", arguments)) => rotate(arguments),
        Some(("revoke", arguments)) => revoke(arguments),
        Some(("check", arguments)) => check(arguments),
        Some(("jwks", arguments)) => jwks(arguments),
        Some(("rotate-kek", arguments)) => rotate_kek::run(arguments),
        Some(("rotate-root", arguments)) => rotate_root::run(arguments),
        Some(("generate-kek", _)) => {
            shown_somewhere()?;
            terminal::line(crypto::text::hex(crypto::random_secret::<32>().expose()));
            Ok(Exit::Done)
        }
        _ => Ok(Exit::Usage),
    }
}

/// RFC 7517 §5: the set an upstream needs to verify `Portcullis-Identity`.
fn jwks(arguments: &ArgMatches) -> Outcome {
    let dir = config_dir::of(arguments);
    let texts = files::read(&dir)?;
    let (compiled, _) = files::compile_to_read(&texts, installation::now())?;
    let opened = open::open_read(&compiled, &dir, &texts)?;
    terminal::line(format_args!(
        "{{\"keys\":[{}]}}",
        opened.keys.identity.verifying_key().jwk()
    ));
    Ok(Exit::Done)
}

/// Refuses to make what is shown once where nobody could see it: nothing is made and nothing has to be taken back.
fn shown_somewhere() -> Result<(), CommandError> {
    if terminal::is_nowhere() {
        Err(CommandError::new(
            Exit::Failed,
            "standard output is closed or /dev/null: the key would be lost",
            "Nothing was made. Let standard output lead to a terminal, a pipe or a file.",
        ))
    } else {
        Ok(())
    }
}

fn create(arguments: &ArgMatches) -> Outcome {
    shown_somewhere()?;
    let asked = CreateKey {
        integration: output::text(arguments, "integration").to_owned(),
        label: output::given(arguments, "label"),
        expires_in: output::given(arguments, "expires-in"),
        test: arguments.get_flag("test"),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    let made = answer.out;
    let about = format!(
        "{} of {} ({}) works until {}",
        made.id,
        made.integration,
        made.label,
        seconds(&made.ends_at)
    );
    let new = NewKey {
        document: answer.document,
        id: made.id,
        text: made.key,
        about,
        left: "Nothing else was changed.".to_owned(),
    };
    new.hand_out(arguments)
}

fn rotate(arguments: &ArgMatches) -> Outcome {
    shown_somewhere()?;
    let asked = RotateKey {
        id: output::text(arguments, "id").to_owned(),
        overlap: output::given(arguments, "overlap"),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    let made = answer.out;
    let (old, until) = (made.replaces, seconds(&made.old_key_works_until));
    let about = format!(
        "{} of {} replaces {old}, which works until {until}",
        made.id, made.integration,
    );
    let new = NewKey {
        document: answer.document,
        id: made.id,
        text: made.key,
        about,
        left: format!("The old key {old} works until {until}: make another one before that."),
    };
    new.hand_out(arguments)
}

/// A key that was made and has to be shown.
struct NewKey {
    document: Value,
    id: String,
    text: String,
    /// What is to be known about it.
    about: String,
    /// What else is left to do when it cannot be shown.
    left: String,
}

impl NewKey {
    /// The key alone on stdout, so that a shell can take it; the rest on stderr. A key that nobody could read is taken back:
    /// it exists already, and would go on without an owner.
    fn hand_out(&self, arguments: &ArgMatches) -> Outcome {
        let is_json = output::is_json(arguments);
        let text = if is_json {
            let text = serde_json::to_string_pretty(&self.document).unwrap_or_default();
            printable::json(&text).into_owned()
        } else {
            self.text.clone()
        };
        if let Err(error) = terminal::hand_over(format!("{text}\n").as_bytes()) {
            return Err(self.taken_back(arguments, &error));
        }
        if !is_json {
            terminal::say(&self.about);
            terminal::say(
                "This is the only time the key is shown. Hand it over by a channel you trust.",
            );
        }
        Ok(Exit::Done)
    }

    fn taken_back(&self, arguments: &ArgMatches, error: &std::io::Error) -> CommandError {
        let (id, left) = (&self.id, &self.left);
        let asked = RevokeKey {
            id: id.clone(),
            reason: Some("it could not be shown to whoever made it".to_owned()),
        };
        let what = format!("the new key could not be written to standard output ({error})");
        match admin_client::call(&config_dir::target(arguments), &asked) {
            Ok(_) => CommandError::new(
                Exit::Failed,
                format!("{what}, so {id} was revoked again"),
                left,
            ),
            Err(failed) => CommandError::new(
                failed.exit,
                format!("{what}, and {id} could not be revoked: {}", failed.message),
                format!("Run `portcullis key revoke {id}`. {left}"),
            ),
        }
    }
}

fn list(arguments: &ArgMatches) -> Outcome {
    let asked = ListKeys {
        integration: output::given(arguments, "integration"),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    output::print(arguments, &answer.document, || {
        let rows: Vec<Vec<String>> = answer.out.keys.iter().map(row).collect();
        if rows.is_empty() {
            terminal::say(
                "There is no key yet. Make one: portcullis key create --integration NAME",
            );
            return;
        }
        let headings = [
            "ID",
            "INTEGRATION",
            "LABEL",
            "KEY",
            "STATE",
            "ENDS",
            "LAST USED",
        ];
        terminal::text(&table::render(&headings, &rows));
    });
    Ok(Exit::Done)
}

fn row(key: &KeyRow) -> Vec<String> {
    let texts = [&key.id, &key.integration, &key.label, &key.hint, &key.state];
    let mut row: Vec<String> = texts.map(|text| table::dash(Some(text))).to_vec();
    row.push(seconds(&key.ends_at));
    row.push(seconds(key.last_used_at.as_deref().unwrap_or_default()));
    row
}

fn revoke(arguments: &ArgMatches) -> Outcome {
    let id = output::text(arguments, "id");
    confirm::ask(
        arguments,
        &format!("Revoke {id} for good? Calls with it are refused from now on."),
    )?;
    let asked = RevokeKey {
        id: id.to_owned(),
        reason: output::given(arguments, "reason"),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    output::print(arguments, &answer.document, || {
        let key = &answer.out.key;
        let done = if answer.has_changed() {
            "revoked".to_owned()
        } else {
            let at = seconds(key.revoked_at.as_deref().unwrap_or_default());
            format!("nothing was changed: since {at} it is revoked already:")
        };
        terminal::line(format_args!(
            "{done} {} ({}) of {}",
            key.id, key.hint, key.integration
        ));
    });
    Ok(admin_client::exit(&answer))
}

fn check(arguments: &ArgMatches) -> Outcome {
    let mut text = String::new();
    let read = std::io::stdin()
        .take(CHECKED_BYTES_MAX)
        .read_to_string(&mut text);
    read.map_err(|error| {
        CommandError::new(
            Exit::Failed,
            format!("standard input cannot be read: {error}"),
            "Pipe one key in.",
        )
    })?;
    let (word, sentence, exit) = judged(text.trim());
    let checked = CheckedKey {
        reading: word.to_owned(),
    };
    output::show(arguments, &outputs::KEY_CHECK, &checked, || {
        terminal::line(format_args!("{word}: {sentence}"))
    })?;
    Ok(exit)
}

fn judged(text: &str) -> (&'static str, &'static str, Exit) {
    match api_key::read(text) {
        Reading::Plausible => (
            "plausible",
            "the form and the checksum are right; whether it is in force, only the installation it belongs to can say",
            Exit::Done,
        ),
        Reading::Mistyped => (
            "mistyped",
            "it begins like a key of Portcullis, but is cut off, mistyped or padded",
            Exit::Failed,
        ),
        Reading::NotOurs if text.is_empty() => {
            ("nothing", "standard input was empty", Exit::Failed)
        }
        Reading::NotOurs => (
            "not_ours",
            "it is no key of Portcullis; those begin with pk_live_ or pk_test_",
            Exit::Failed,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_key_is_told_from_a_cut_one_and_from_a_strange_one() {
        let key = "pk_live_00000000000000000000000000000000000000000003xC1Wz";
        assert_eq!(judged(key).0, "plausible");
        assert_eq!(judged(key.get(..50).unwrap()).0, "mistyped");
        assert_eq!(judged("sk_live_123").0, "not_ours");
        assert_eq!(judged("").0, "nothing");
    }

    #[test]
    fn a_key_without_use_shows_a_dash() {
        let key = KeyRow {
            id: "key_1".into(),
            integration: "crm".into(),
            label: "default".into(),
            hint: "pk_live_Ab3d…x9Kq".into(),
            state: "active".into(),
            created_at: "2026-01-01T00:00:00.000000Z".into(),
            ends_at: "2027-01-01T00:00:00.000000Z".into(),
            last_used_at: None,
            revoked_at: None,
            reason: None,
            replaced_by: None,
        };
        assert_eq!(
            row(&key),
            [
                "key_1",
                "crm",
                "default",
                "pk_live_Ab3d…x9Kq",
                "active",
                "2027-01-01T00:00:00Z",
                "-"
            ]
        );
    }

    #[test]
    fn a_key_is_never_an_argument() {
        assert!(
            command()
                .try_get_matches_from(["key", "check", "pk_live_abc"])
                .is_err()
        );
    }
}
