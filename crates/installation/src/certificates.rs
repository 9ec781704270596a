//! Certificates, keys and authorities of the listeners, read and checked.
//! Exports `certificates`, `slot`, `pair`.
//! Used by whoever starts a server, by the reload, and by `doctor`.
//! Start reading at `certificates`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use config::compiled::TlsSettings;
use config::{Compiled, Files};
use model::Mistake;
use net::{ClientCertificates, TlsSlot};

use crate::{InstallationError, bounded, secrets};

/// Certificates by listener.
pub type Slots = BTreeMap<Arc<str>, Arc<TlsSlot>>;

/// Reads and checks every certificate, key and authority file.
///
/// # Errors
/// Every mistake, at the place that names the file.
pub fn certificates(
    compiled: &Compiled,
    dir: &Path,
    texts: &Files,
) -> Result<Slots, InstallationError> {
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
        Err(InstallationError::mistaken(&mistakes, texts))
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
///
/// # Errors
/// A mistake at the place that names the file.
pub fn pair(tls: &TlsSettings, dir: &Path) -> Result<(Vec<u8>, Vec<u8>), Box<Mistake>> {
    let cert = pem(&tls.cert, dir)?;
    let key = secrets::resolve(&tls.key, dir).map_err(Box::new)?;
    Ok((cert, key.expose().clone()))
}

fn pem(path: &config::Located<String>, dir: &Path) -> Result<Vec<u8>, Box<Mistake>> {
    bounded::read(&dir.join(&path.value), bounded::CERTIFICATES_BYTES_MAX).map_err(|error| {
        Box::new(path.place.mistake(
            format!("the file `{}` cannot be read: {error}", path.value),
            "Paths are relative to the file that names them. Make it readable for the user that runs the server.",
        ))
    })
}
