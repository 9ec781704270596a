//! The parts of a running server, each made from the compiled configuration.
//! Exports `base`, `listener`, `certificates`.
//! Used by `running::start` and the reload.
//! Start reading at `base`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use config::compiled::{ListenerSettings, ServerSettings, TlsSettings};
use config::{Compiled, Files};
use gateway::Snapshot;
use model::Mistake;
use net::{Bounds, ClientCertificates, ListenerSpec, TlsSlot};

use crate::exit::{Exit, Trouble};
use crate::{files, secrets};

/// Certificates by listener.
pub type Slots = BTreeMap<Arc<str>, Arc<TlsSlot>>;

/// The configuration a server begins with.
///
/// # Errors
/// When an upstream cannot be used.
pub fn base(compiled: &Arc<Compiled>, dir: &Path) -> Result<Snapshot, Trouble> {
    let read =
        |path: &str| std::fs::read(dir.join(path)).map_err(|error| format!("{path}: {error}"));
    Snapshot::of(Arc::clone(compiled), None, &read).map_err(|cannot| {
        let remedy = "Fix the upstream in the api's file.";
        Trouble::new(Exit::Configuration, cannot, remedy)
    })
}

/// One listener for net.
pub fn listener(
    settings: &ListenerSettings,
    server: &ServerSettings,
    slots: &Slots,
) -> ListenerSpec {
    let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let mut spec = ListenerSpec::new(Arc::clone(&settings.name), settings.address);
    spec.tls = slots.get(&settings.name).cloned();
    spec.connections_max = whole(settings.connections_max);
    spec.per_address_connections_max = whole(settings.connections_per_address_max);
    spec.bounds = Bounds {
        idle: server.timeouts.idle,
        head_read: server.timeouts.head,
        body_grace: server.timeouts.body,
        write_grace: server.timeouts.reply,
        handshake: server.timeouts.handshake,
        ..Bounds::default()
    };
    spec
}

/// Reads and checks every certificate, key and authority file.
///
/// # Errors
/// Every mistake, at the place that names the file, with exit 78.
pub fn certificates(compiled: &Compiled, dir: &Path, texts: &Files) -> Result<Slots, Trouble> {
    let mut slots = Slots::new();
    let mut mistakes = Vec::new();
    for listener in &compiled.server.listeners {
        let Some(tls) = &listener.tls else { continue };
        match slot(tls, dir) {
            Ok(slot) => {
                slots.insert(Arc::clone(&listener.name), slot);
            }
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    if mistakes.is_empty() {
        Ok(slots)
    } else {
        Err(files::mistaken(&mistakes, texts))
    }
}

/// Certificate, key and authorities of one listener, checked.
///
/// # Errors
/// A mistake at the place that names the file.
pub fn slot(tls: &TlsSettings, dir: &Path) -> Result<Arc<TlsSlot>, Box<Mistake>> {
    let (cert, key) = pair(tls, dir)?;
    let authorities = tls.client_ca.as_ref().map(|ca| pem(ca, dir)).transpose()?;
    let clients = authorities.map(|ca_pem| ClientCertificates {
        ca_pem,
        is_required: true,
    });
    TlsSlot::new(&cert, &key, clients).map_err(|fault| {
        Box::new(tls.cert.place.mistake(
            fault.to_string(),
            "Give a certificate chain and the key that belongs to it, both as PEM.",
        ))
    })
}

/// Certificate and key of a listener.
pub fn pair(tls: &TlsSettings, dir: &Path) -> Result<(Vec<u8>, Vec<u8>), Box<Mistake>> {
    let cert = pem(&tls.cert, dir)?;
    let key = secrets::resolve(&tls.key, dir).map_err(Box::new)?;
    Ok((cert, key.expose().clone()))
}

fn pem(path: &config::Located<String>, dir: &Path) -> Result<Vec<u8>, Box<Mistake>> {
    std::fs::read(dir.join(&path.value)).map_err(|error| {
        Box::new(path.place.mistake(
            format!("the file `{}` cannot be read: {error}", path.value),
            "Paths are relative to the file that names them. Make it readable for the user that runs the server.",
        ))
    })
}
