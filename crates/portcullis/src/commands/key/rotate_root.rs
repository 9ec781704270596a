//! `portcullis key rotate-root`: another root key for the data, and another key that signs the ledger.
//! Exports `command`, `run`. How it is done is in `installation::root`.
//! Used by `commands::key`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};
use installation::{files, open, root};

use crate::exit::{Exit, Outcome};
use crate::{admin_client, config_dir, output, outputs, terminal};

/// Its arguments.
pub fn command() -> Command {
    Command::new("rotate-root")
        .about("Seal the data under a new root key and have a new key sign the ledger, while no server runs [destructive]")
        .arg(Arg::new("reason").long("reason").value_name("TEXT").required(true).help("Why, for the ledger"))
        .args([config_dir::argument(), output::argument()])
        .after_help(
            "Example:\n  portcullis key rotate-kek --new file:secrets/kek.new     # first, where the key-encryption key leaked too\n  \
             portcullis key rotate-root --reason \"a backup was stolen with its KEK, ticket 4711\"\n\n\
             API keys go on working. Give the new public key to whoever verifies the ledger, and `portcullis key jwks` to upstreams \
             that keep a copy of it. When it was interrupted, one of the two roots is the present one and everything is sealed under it: \
             run it again.\n\
             Exit codes: 0 the new root seals the data · 1 a server is running, or writing failed · 78 the key-encryption key is wrong or cannot be read",
        )
}

/// Changes the root key.
pub fn run(arguments: &ArgMatches) -> Outcome {
    let dir = config_dir::of(arguments);
    let texts = files::read(&dir)?;
    let (compiled, _) = files::compile_to_read(&texts, installation::now())?;
    let kek = open::kek(&compiled, &dir, &texts)?;
    let reason = output::text(arguments, "reason");
    let changed = root::change(&compiled, &dir, &kek, &admin_client::on_store(), reason)?;
    changed.recovered.iter().for_each(terminal::say);
    let rotated = changed.rotated;
    output::show(arguments, &outputs::KEY_ROTATE_ROOT, &rotated, || {
        terminal::line(format_args!(
            "the data is sealed under root {}; root {} seals nothing any more",
            rotated.new, rotated.old
        ));
        terminal::line(format_args!(
            "the ledger is signed by {}",
            rotated.public_key
        ));
        terminal::say(
            "Give that key to whoever verifies the ledger, and what `portcullis key jwks` prints to upstreams that keep a copy of \
             it. Make a backup: what was made before opens with the old root.",
        );
    })?;
    Ok(Exit::Done)
}
