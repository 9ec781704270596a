//! `portcullis key rotate-kek`: the root key of the data sealed under another key-encryption key.
//! Exports `command`, `run`. How it is done is in `installation::kek`.
//! Used by `commands::key`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};
use installation::{files, kek, open};

use crate::exit::{Exit, Outcome};
use crate::{admin_client, config_dir, output, outputs, terminal};

/// Its arguments.
pub fn command() -> Command {
    Command::new("rotate-kek")
        .about("Seal the data under a new key-encryption key, while no server runs [writes]")
        .arg(Arg::new("new").long("new").required(true).value_name("REF").help("The new key: file:PATH, env:NAME or cred:NAME"))
        .arg(Arg::new("old").long("old").value_name("REF").help("The present key [default: keys.kek of portcullis.yaml]"))
        .args([config_dir::argument(), output::argument()])
        .after_help(
            "Example:\n  (umask 077; portcullis key generate-kek > gate/secrets/kek.new)\n  portcullis key rotate-kek --new file:secrets/kek.new\n\n\
             Afterwards let keys.kek refer to the new key and start the server. When it was interrupted, run it again.\n\
             Exit codes: 0 the new key opens the data · 1 a server is running, or writing failed · 78 a key is wrong or cannot be read",
        )
}

/// Changes the key-encryption key.
pub fn run(arguments: &ArgMatches) -> Outcome {
    let dir = config_dir::of(arguments);
    let texts = files::read(&dir)?;
    let (compiled, _) = files::compile_to_read(&texts, installation::now())?;
    let old = match arguments.get_one::<String>("old") {
        Some(text) => kek::given(text, "--old", &dir)?,
        None => open::kek(&compiled, &dir, &texts)?,
    };
    let new = kek::given(output::text(arguments, "new"), "--new", &dir)?;
    let changed = kek::change(&compiled, &dir, (&old, &new), &admin_client::on_store())?;
    changed.recovered.iter().for_each(terminal::say);
    let rotated = changed.rotated;
    output::show(arguments, &outputs::KEY_ROTATE_KEK, &rotated, || {
        let (old, new) = (&rotated.old, &rotated.new);
        if rotated.was_done_before {
            terminal::line(format_args!(
                "the data was sealed under key {new} already; the ledger now says so"
            ));
        } else {
            terminal::line(format_args!(
                "the data is sealed under key {new}; key {old} opens it no longer"
            ));
        }
        terminal::say(
            "Let keys.kek in portcullis.yaml refer to the new key, start the server, and keep the old key for as long as \
             you keep backups that were made before.",
        );
    })?;
    Ok(Exit::Done)
}
