//! An installation's store and ledger, opened where no server does it.
//! Exports `open` for whoever changes something or starts a server, `open_read` to read, `with_control` for one command.
//! Used by whoever starts a server, by commands while none runs, and by what works on the files themselves.
//! Start reading at `open`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use audit::{Ledger, Opening, Recorder, Settings, SignedCheckpoint};
use config::{Compiled, Files, Located, SecretRef};
use control::maintenance::{Witness, keep_witness, witnessed};
use control::reconcile::reconcile;
use control::{Control, ControlParts};
use crypto::{Kek, Keys};
use model::Mistake;
use store::Store;

use crate::{InstallationError, files, intents, layout, secrets};

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
    pub witness: Witness,
    /// What was put right after an unclean stop, or because store and ledger did not agree: a line each.
    pub recovered: Vec<String>,
}

impl Opened {
    /// Ends everything in order: the ledger with a checkpoint that the database has seen.
    ///
    /// # Errors
    /// When the last checkpoint could not be written.
    pub fn close(&self, say: fn(&str)) -> Result<(), InstallationError> {
        let stopped = self.recorder.stop();
        keep_witness(&self.store, &self.witness, stopped.is_ok(), say);
        self.store.close();
        stopped?;
        Ok(())
    }
}

/// The name of a ledger in its checkpoints begins with this. What follows tells the ledgers of several servers apart; the
/// ledgers of older versions have nothing there.
const ORIGIN: &str = "portcullis/ledger";

/// The name of the ledger in this directory; of one that was not begun yet, what all names begin with.
///
/// # Errors
/// When its checkpoints cannot be read.
pub fn origin(ledger: &Path, witness: Option<&str>) -> Result<String, InstallationError> {
    let known = audit::origin_of(ledger, witness)?;
    Ok(known.unwrap_or_else(|| ORIGIN.to_owned()))
}

/// The name of a ledger that is to be begun or carried on. It never changes once it was begun.
fn lasting_origin(ledger: &Path, witness: Option<&str>) -> Result<String, InstallationError> {
    let known = audit::origin_of(ledger, witness)?;
    Ok(known.unwrap_or_else(|| {
        let server = crypto::text::hex(&crypto::random::<4>());
        format!("{ORIGIN}/{server}")
    }))
}

/// Under load a group of records waits until it is as large as the one before, at most so long. Only a sudden fall of the
/// load lets a group wait to the end; 2 ms is too short for the turn of 256 connections on one core.
const GATHER: Duration = Duration::from_millis(4);

/// Where a configuration keeps its state. Found whatever else is wrong with the configuration: the server that runs on it
/// is asked by this way.
pub fn data_dir(dir: &Path) -> PathBuf {
    dir.join(layout::layout(dir).store)
}

/// Does something with the owner of the state while no server runs; to change something, store and ledger are opened for
/// this process alone. `say` prints a line for the operator.
///
/// # Errors
/// What is wrong with the configuration, the store or the ledger.
pub fn with_control<T>(
    dir: &Path,
    is_change: bool,
    say: fn(&str),
    work: impl FnOnce(&Control) -> T,
) -> Result<T, InstallationError> {
    let texts = files::read(dir)?;
    let (compiled, _) = files::compile_to_read(&texts, crate::now())?;
    if !is_change {
        let opened = open_read(&compiled, dir, &texts)?;
        let parts = ControlParts {
            store: opened.store,
            ledger: opened.ledger,
            recorder: None,
            keys: opened.keys,
        };
        return Ok(work(&Control::alone(parts, Arc::new(compiled))));
    }
    let opened = open(&compiled, dir, &texts)?;
    opened.recovered.iter().for_each(|line| say(line));
    let parts = ControlParts {
        store: opened.store.clone(),
        ledger: opened.recorder.ledger().clone(),
        recorder: Some(Arc::clone(&opened.recorder)),
        keys: Arc::clone(&opened.keys),
    };
    let done = work(&Control::alone(parts, Arc::new(compiled)));
    opened.close(say)?;
    Ok(done)
}

/// Opens store and ledger for this process alone.
///
/// # Errors
/// In use, wrong key, damaged, read-only, full: each with its remedy.
pub fn open(compiled: &Compiled, dir: &Path, texts: &Files) -> Result<Opened, InstallationError> {
    open_with(compiled, dir, &kek(compiled, dir, texts)?)
}

/// The same with a key-encryption key that the configuration may not name.
///
/// # Errors
/// As [`open`].
pub fn open_with(compiled: &Compiled, dir: &Path, kek: &Kek) -> Result<Opened, InstallationError> {
    let data = dir.join(&compiled.server.store_dir.value);
    let opened = store::embedded::open(&data, kek)?;
    let keys = Arc::new(opened.keys);
    let (ledger, known) = (data.join("ledger"), witnessed(&opened.store)?);
    let mut settings = Settings::new(lasting_origin(&ledger, known.as_deref())?);
    settings.segment_bytes = compiled.server.segment_bytes;
    settings.gather = GATHER;
    settings.durability = match compiled.server.durability {
        config::server::Durability::Sync => audit::Durability::Sync,
        config::server::Durability::Write => audit::Durability::Write,
    };
    let witness = Witness::default();
    let noted = Arc::clone(&witness);
    let mut opening = Opening::new(ledger, settings, Arc::clone(&keys));
    opening.witness = known;
    opening.on_checkpoint = Some(Box::new(move |signed| {
        if let Ok(mut newest) = noted.lock() {
            *newest = Some(SignedCheckpoint::clone(signed));
        }
    }));
    let (recorder, recovered) = Recorder::open(opening, crate::now())?;
    let recorder = Arc::new(recorder);
    let recovered = recovered.map(|recovered| {
        format!(
            "portcullis: the ledger was recovered after an unclean stop: {} bytes cut off {} ({}); {} records are in order",
            recovered.bytes, recovered.file, recovered.what, recovered.records
        )
    });
    // Before anybody works with either: what was taken back stays taken back, and every change has its outcome.
    let reconciled = reconcile(&opened.store, &recorder, crate::now())?;
    let root = opened.store.root(kek)?.id();
    let closed = intents::close(&recorder, &keys, compiled, &root)?;
    let recovered = [recovered, reconciled.said(), closed].into_iter().flatten();
    Ok(Opened {
        dir: data,
        store: opened.store,
        keys,
        recorder,
        witness,
        recovered: recovered.collect(),
    })
}

/// The key-encryption key.
///
/// # Errors
/// At the line of its reference.
pub fn kek(compiled: &Compiled, dir: &Path, texts: &Files) -> Result<Kek, InstallationError> {
    kek_at(&compiled.server.kek, dir)
        .map_err(|mistake| InstallationError::mistaken(&[mistake], texts))
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

/// Store and ledger for reading.
pub struct OpenedRead {
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
pub fn open_read(
    compiled: &Compiled,
    dir: &Path,
    texts: &Files,
) -> Result<OpenedRead, InstallationError> {
    let data = dir.join(&compiled.server.store_dir.value);
    let kek = kek(compiled, dir, texts)?;
    let opened = store::embedded::look(&data, &kek)?;
    let keys = Arc::new(opened.keys);
    let files = data.join("ledger");
    let name = origin(&files, witnessed(&opened.store)?.as_deref())?;
    let ledger = Ledger::new(&files, Arc::clone(&keys), &name);
    Ok(OpenedRead {
        store: opened.store,
        keys,
        ledger,
    })
}
