//! An installation's store and ledger, opened where no server does it.
//! Exports `open` for whoever changes something or starts a server, `look` to read, `with_control` for one command.
//! Used by `admin_client`, by `serve`, and by what works on the files themselves: `ledger`, `doctor`, `key rotate-kek`.
//! Start reading at `open`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use audit::{Ledger, LedgerFault, Opening, Recorder, Settings};
use config::{Compiled, Files, Located, SecretRef};
use control::{Control, Parts};
use crypto::{Kek, Keys};
use model::Mistake;
use store::Store;

use crate::exit::{Exit, Trouble};
use crate::{files, running, secrets, terminal};

/// Store and ledger, open for this process alone.
pub struct Opened {
    /// Data directory.
    pub dir: PathBuf,
    /// The store.
    pub store: Store,
    /// One key per purpose.
    pub keys: Arc<Keys>,
    /// The ledger.
    pub recorder: Arc<Recorder>,
    /// The newest checkpoint, for the database to witness.
    pub witness: Arc<Mutex<Option<String>>>,
}

/// Name of the ledger in its checkpoints.
pub const ORIGIN: &str = "portcullis/ledger";

/// Under load a group of records waits until it is as large as the one before, at most so long. Only a sudden fall of the
/// load lets a group wait to the end; 2 ms is too short for the turn of 256 connections on one core.
const GATHER: std::time::Duration = std::time::Duration::from_millis(4);

/// Where a configuration keeps its state. Found whatever else is wrong with the configuration: the server that runs on it
/// is asked by this way.
pub fn data_dir(dir: &Path) -> PathBuf {
    dir.join(files::layout(dir).store)
}

/// Does something with the owner of the state while no server runs; to change something, store and ledger are opened for
/// this process alone.
///
/// # Errors
/// What is wrong with the configuration, the store or the ledger, and what `work` says.
pub fn with_control<T>(
    dir: &Path,
    is_change: bool,
    work: impl FnOnce(&Control) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let texts = files::read(dir)?;
    let (compiled, _) = files::compile_to_read(&texts, running::now())?;
    if !is_change {
        let looked = look(&compiled, dir, &texts)?;
        let parts = Parts {
            store: looked.store,
            ledger: looked.ledger,
            recorder: None,
            keys: looked.keys,
        };
        return work(&Control::alone(parts, Arc::new(compiled)));
    }
    let opened = open(&compiled, dir, &texts)?;
    let recorder = opened.recorder;
    let parts = Parts {
        store: opened.store,
        ledger: recorder.ledger().clone(),
        recorder: Some(Arc::clone(&recorder)),
        keys: opened.keys,
    };
    let done = work(&Control::alone(parts, Arc::new(compiled)));
    recorder.stop().map_err(|fault| ledger_trouble(&fault))?;
    done
}

/// Opens store and ledger for this process alone.
///
/// # Errors
/// In use, wrong key, damaged, read-only, full: each with its remedy and exit code.
pub fn open(compiled: &Compiled, dir: &Path, texts: &Files) -> Result<Opened, Trouble> {
    open_with(compiled, dir, &kek(compiled, dir, texts)?)
}

/// The same with a key-encryption key that the configuration may not name.
///
/// # Errors
/// As [`open`].
pub fn open_with(compiled: &Compiled, dir: &Path, kek: &Kek) -> Result<Opened, Trouble> {
    let data = dir.join(&compiled.server.store_dir.value);
    let opened = store::embedded::open(&data, kek).map_err(|fault| store_trouble(&fault))?;
    let keys = Arc::new(opened.keys);
    let mut settings = Settings::new(ORIGIN);
    settings.segment_bytes = compiled.server.segment_bytes;
    settings.gather = GATHER;
    settings.durability = match compiled.server.durability {
        config::server::Durability::Sync => audit::Durability::Sync,
        config::server::Durability::Write => audit::Durability::Write,
    };
    let witness = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&witness);
    let mut opening = Opening::new(data.join("ledger"), settings, Arc::clone(&keys));
    opening.witness =
        control::maintenance::witnessed(&opened.store).map_err(|fault| store_trouble(&fault))?;
    opening.on_checkpoint = Some(Box::new(move |signed| {
        if let Ok(mut newest) = noted.lock() {
            *newest = Some(signed.text.clone());
        }
    }));
    let (recorder, recovered) =
        Recorder::open(opening, running::now()).map_err(|fault| ledger_trouble(&fault))?;
    if let Some(recovered) = recovered {
        terminal::say(format_args!(
            "portcullis: the ledger was recovered after an unclean stop: {} bytes cut off {} ({}); {} records are in order",
            recovered.bytes, recovered.file, recovered.what, recovered.records
        ));
    }
    Ok(Opened {
        dir: data,
        store: opened.store,
        keys,
        recorder: Arc::new(recorder),
        witness,
    })
}

/// The key-encryption key.
///
/// # Errors
/// At the line of its reference, with exit 78.
pub fn kek(compiled: &Compiled, dir: &Path, texts: &Files) -> Result<Kek, Trouble> {
    kek_at(&compiled.server.kek, dir).map_err(|mistake| files::mistaken(&[mistake], texts))
}

/// The key-encryption key a reference stands for.
///
/// # Errors
/// A mistake at the place of the reference; it never repeats a value.
pub fn kek_at(reference: &Located<SecretRef>, dir: &Path) -> Result<Kek, Mistake> {
    let secret = secrets::resolve(reference, dir)?;
    let text = std::str::from_utf8(secret.expose()).unwrap_or_default();
    Kek::parse(text.trim()).map_err(|fault| {
        let help = "Without this key nothing that is stored can be read.";
        reference.place.mistake(fault.to_string(), help)
    })
}

/// A store's fault as trouble.
pub fn store_trouble(fault: &store::Fault) -> Trouble {
    let exit = match fault {
        store::Fault::Key(_) => Exit::Configuration,
        store::Fault::Corrupt { .. }
        | store::Fault::Lost { .. }
        | store::Fault::Unreadable { .. } => Exit::Integrity,
        _ => Exit::Failed,
    };
    Trouble::new(exit, fault, "")
}

/// A ledger's fault as trouble.
pub fn ledger_trouble(fault: &LedgerFault) -> Trouble {
    let exit = if fault.is_integrity() {
        Exit::Integrity
    } else {
        Exit::Failed
    };
    let remedy = match fault.is_integrity() {
        true => "Run `portcullis ledger verify` to see what is wrong; keep the files as evidence.",
        false => "",
    };
    Trouble::new(exit, fault, remedy)
}

/// Store and ledger for reading.
pub struct Looked {
    /// The store.
    pub store: Store,
    /// One key per purpose.
    pub keys: Arc<Keys>,
    /// The ledger.
    pub ledger: Ledger,
}

/// Store and ledger for reading, also beside a running server.
///
/// # Errors
/// Store and key troubles as everywhere; an installation that was never started.
pub fn look(compiled: &Compiled, dir: &Path, texts: &Files) -> Result<Looked, Trouble> {
    let data = dir.join(&compiled.server.store_dir.value);
    let kek = kek(compiled, dir, texts)?;
    let opened = store::embedded::look(&data, &kek).map_err(|fault| store_trouble(&fault))?;
    let keys = Arc::new(opened.keys);
    let ledger = Ledger::new(&data.join("ledger"), Arc::clone(&keys), ORIGIN);
    Ok(Looked {
        store: opened.store,
        keys,
        ledger,
    })
}
