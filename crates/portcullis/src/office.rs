//! Where commands are done: by the running server, through its local socket, or on the store itself.
//! Gives `call`, and `open` for whoever starts a server.
//! Used by every verb that asks or changes something.
//! Start reading at `call`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use audit::{Ledger, LedgerFault, Opening, Recorder, Settings};
use config::{Compiled, Files, Located, SecretRef};
use control::{AdminError, COMMANDS, Control, Kind, Parts, announcement, socket};
use crypto::{Kek, Keys};
use model::Mistake;
use serde_json::Value;
use store::Store;

use crate::config_dir::Target;
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

/// Who asks, as the ledger names them.
pub fn who() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "operator".into());
    format!("{user} (local)")
}

/// Where a configuration keeps its state. Found whatever else is wrong with the configuration: the server that runs on it
/// is asked by this way.
pub fn data_dir(dir: &Path) -> PathBuf {
    dir.join(files::layout(dir).store)
}

/// Where the server of an installation may listen, the likeliest first.
pub fn sockets(target: &Target) -> Vec<PathBuf> {
    if let Some(socket) = &target.socket {
        return vec![socket.clone()];
    }
    let announced = announcement::announced(&target.dir).into_iter();
    let usual = socket::in_data(&data_dir(&target.dir));
    announced.chain(usual).collect()
}

/// Asks the server that runs on this installation.
///
/// # Errors
/// What the server says; exit 69 when no server runs.
pub fn ask(target: &Target, command: &str, arguments: &Value) -> Result<Value, Trouble> {
    let answer = socket::ask(&sockets(target), command, arguments, &who());
    answer.ok_or_else(|| unreachable(target))?.map_err(trouble)
}

/// No server answers.
pub fn unreachable(target: &Target) -> Trouble {
    let (message, remedy) = match &target.socket {
        Some(socket) => (
            format!("no server answers at {}", socket.display()),
            "Name the socket of the running server, or leave `--socket` out.",
        ),
        None => (
            "no server is running on this configuration".to_owned(),
            "Start it with `portcullis serve`.",
        ),
    };
    Trouble::new(Exit::Unreachable, message, remedy)
}

/// Asks the running server, or does the command on the store while none runs.
///
/// # Errors
/// What the server says, in the words of the question.
pub fn call(target: &Target, command: &str, arguments: &Value) -> Result<Value, Trouble> {
    // The server first: it needs neither the files nor a secret of the one who asks.
    if let Some(answer) = socket::ask(&sockets(target), command, arguments, &who()) {
        return answer.map_err(trouble);
    }
    if target.socket.is_some() {
        return Err(unreachable(target));
    }
    without_server(&target.dir, command, arguments).map_err(|trouble| match trouble.exit {
        Exit::Configuration => Trouble {
            remedy: format!(
                "{} Should a server be running all the same, name its socket with `--socket`.",
                trouble.remedy
            ),
            ..trouble
        },
        _ => trouble,
    })
}

/// Does the command on the store.
fn without_server(dir: &Path, command: &str, arguments: &Value) -> Result<Value, Trouble> {
    let who = who();
    let texts = files::read(dir)?;
    let (compiled, _) = files::compile_to_read(&texts, running::now())?;
    let is_change = COMMANDS
        .iter()
        .any(|known| known.name == command && known.is_change);
    if is_change {
        return change(Arc::new(compiled), dir, &texts, command, arguments, &who);
    }
    let looked = look(&compiled, dir, &texts)?;
    let control = control(
        Arc::new(compiled),
        looked.store,
        looked.keys,
        looked.ledger,
        None,
    );
    control.call(command, arguments, &who).map_err(trouble)
}

/// Does a change with store and ledger open for this process alone.
fn change(
    compiled: Arc<Compiled>,
    dir: &Path,
    texts: &Files,
    command: &str,
    arguments: &Value,
    who: &str,
) -> Result<Value, Trouble> {
    let opened = open(&compiled, dir, texts)?;
    let recorder = Arc::clone(&opened.recorder);
    let ledger = recorder.ledger().clone();
    let control = control(
        compiled,
        opened.store.clone(),
        Arc::clone(&opened.keys),
        ledger,
        Some(Arc::clone(&recorder)),
    );
    let answer = control.call(command, arguments, who).map_err(trouble);
    recorder.stop().map_err(|fault| ledger_trouble(&fault))?;
    answer
}

/// The owner, without a server.
fn control(
    compiled: Arc<Compiled>,
    store: Store,
    keys: Arc<Keys>,
    ledger: Ledger,
    recorder: Option<Arc<Recorder>>,
) -> Control {
    let parts = Parts {
        store,
        ledger,
        recorder,
        keys,
    };
    Control::alone(parts, compiled)
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
    let opened = Store::open(&data, kek).map_err(|fault| store_trouble(&fault))?;
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

fn trouble(fault: AdminError) -> Trouble {
    let exit = match fault.kind {
        Kind::Asked | Kind::Failed => Exit::Failed,
        Kind::Integrity => Exit::Integrity,
    };
    Trouble::new(exit, fault.message, fault.remedy)
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
    let opened = Store::look(&data, &kek).map_err(|fault| store_trouble(&fault))?;
    let keys = Arc::new(opened.keys);
    let ledger = Ledger::new(&data.join("ledger"), Arc::clone(&keys), ORIGIN);
    Ok(Looked {
        store: opened.store,
        keys,
        ledger,
    })
}
