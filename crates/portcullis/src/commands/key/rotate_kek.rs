//! `portcullis key rotate-kek`: the root key of the data sealed under another key-encryption key.
//! Gives `command`, `run`. One write of the database changes hands; before it the old key opens everything, after it the new.
//! Used by `commands::key`.
//! Start reading at `run`.

use std::path::Path;
use std::sync::Arc;

use clap::{Arg, ArgMatches, Command};
use config::{Compiled, Located, Place, SecretRef, Span};
use crypto::{Kek, KeyFault};
use installation::{files, open};
use model::{Event, Word};
use serde_json::json;

use crate::exit::{Exit, Outcome, Trouble};
use crate::{admin_client, config_dir, output, running, terminal};

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

/// What is to be done.
struct Change {
    old: Kek,
    new: Kek,
}

/// How it was done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    Now,
    /// An earlier run had come so far.
    Before,
}

/// Changes the key-encryption key.
pub fn run(arguments: &ArgMatches) -> Outcome {
    let dir = config_dir::of(arguments);
    let texts = files::read(&dir)?;
    let (compiled, _) = files::compile_to_read(&texts, running::now())?;
    let old = match arguments.get_one::<String>("old") {
        Some(text) => given(text, "--old", &dir)?,
        None => open::kek(&compiled, &dir, &texts)?,
    };
    let new = given(output::text(arguments, "new"), "--new", &dir)?;
    let change = Change { old, new };
    if change.old.id() == change.new.id() {
        return Err(Trouble::new(
            Exit::Configuration,
            format!("the new key is the present one ({})", change.new.id()),
            "Make another with `portcullis key generate-kek`. Nothing was changed.",
        ));
    }
    let done = change_hands(&compiled, &dir, &change)?;
    let (old, new) = (change.old.id(), change.new.id());
    let document = json!({ "schema_version": 1, "old": old, "new": new, "was_done_before": done == Done::Before });
    output::print(arguments, &document, || {
        match done {
            Done::Now => terminal::line(format_args!(
                "the data is sealed under key {new}; key {old} opens it no longer"
            )),
            Done::Before => terminal::line(format_args!(
                "the data was sealed under key {new} already; the ledger now says so"
            )),
        }
        terminal::say(
            "Let keys.kek in portcullis.yaml refer to the new key, start the server, and keep the old key for as long as \
             you keep backups that were made before.",
        );
    });
    Ok(Exit::Done)
}

/// The key a reference on the command line stands for.
fn given(text: &str, argument: &str, dir: &Path) -> Result<Kek, Trouble> {
    let wrong = |message: &str, help: &str| {
        Trouble::new(Exit::Configuration, format!("{argument}: {message}"), help)
    };
    // The value may be the key itself, so no message repeats it.
    let value: SecretRef = text.parse().map_err(|said: String| {
        let (message, help) = said.split_once('\n').unwrap_or((&said, ""));
        wrong(message, help)
    })?;
    let place = Place {
        file: Arc::from(argument),
        span: Span::default(),
    };
    open::kek_at(&Located { value, place }, dir).map_err(|m| wrong(&m.message, &m.help))
}

/// The ledger says what is going to happen, the database changes hands in one write, the ledger says that it did.
fn change_hands(compiled: &Compiled, dir: &Path, change: &Change) -> Result<Done, Trouble> {
    let data = dir.join(&compiled.server.store_dir.value);
    let done = match store::embedded::look(&data, &change.old) {
        Ok(_) => Done::Now,
        // Interrupted between the database and the last word of the ledger.
        Err(store::Fault::Key(KeyFault::WrongKek { .. }))
            if store::embedded::look(&data, &change.new).is_ok() =>
        {
            Done::Before
        }
        Err(fault) => return Err(fault.into()),
    };
    let opened = open::open_with(
        compiled,
        dir,
        match done {
            Done::Now => &change.old,
            Done::Before => &change.new,
        },
    )?;
    opened.recovered.iter().for_each(terminal::say);
    let (old, new) = (change.old.id(), change.new.id());
    let actor = admin_client::on_store();
    let note = |kind: &'static str, detail: String| {
        let event = Event {
            at: running::now(),
            kind: Word::new(kind),
            outcome: model::Outcome::Done.into(),
            user: Some(actor.name.as_str().into()),
            detail: Some(format!("{detail}; {}", actor.provenance()).into()),
            ..Event::default()
        };
        Ok::<u64, Trouble>(opened.recorder.record(&event).wait()?)
    };
    if done == Done::Now {
        note("kek.rotate.begin", format!("from key {old} to key {new}"))?;
        opened.store.change_kek(&change.old, &change.new)?;
    }
    note("kek.rotate", format!("from key {old} to key {new}"))?;
    opened.recorder.stop()?;
    Ok(done)
}
