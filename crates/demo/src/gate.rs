//! The demo's configuration: ordinary files, the same a person would write, kept beside this room.
//! Exports `GATE_FILES`, `write_gate`, `Ports`, `INTEGRATIONS`.
//! Used by the `demo` verb and testkit.
//! Start reading at `write_gate`; the files themselves lie in `crates/demo/gate/`.

use std::fs;
use std::io;
use std::path::Path;

use model::Timestamp;

use crate::certificates::{CertificateError, write_certificates, write_secret};

/// Ports of the demo, all on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Listener `local`: plain, for curl.
    pub local: u16,
    /// Listener `public`: TLS.
    pub public: u16,
    /// Listener `internal`: TLS.
    pub internal: u16,
    /// Listener `admin`: plain.
    pub admin: u16,
    /// The upstream, fieldworks.
    pub upstream: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Ports {
            local: 8080,
            public: 8443,
            internal: 8444,
            admin: 8081,
            upstream: 9101,
        }
    }
}

/// Every integration of the demo; each gets one key when the demo starts.
pub const INTEGRATIONS: &[&str] = &[
    "accounting",
    "blue-river",
    "crm",
    "dispatch",
    "inventory",
    "noisy",
    "north-star",
    "thermo",
];

/// Path in the configuration directory, and text.
pub const GATE_FILES: &[(&str, &str)] = &[
    ("portcullis.yaml", include_str!("../gate/portcullis.yaml")),
    (
        "apis/field-service.yaml",
        include_str!("../gate/apis/field-service.yaml"),
    ),
    (
        "apis/field-service.v1.openapi.yaml",
        include_str!("../gate/apis/field-service.v1.openapi.yaml"),
    ),
    (
        "apis/field-service.v2.openapi.yaml",
        include_str!("../gate/apis/field-service.v2.openapi.yaml"),
    ),
    (
        "overlays/field-service.yaml",
        include_str!("../gate/overlays/field-service.yaml"),
    ),
    (
        "overlays/field-service.v1.yaml",
        include_str!("../gate/overlays/field-service.v1.yaml"),
    ),
    (
        "integrations/accounting.yaml",
        include_str!("../gate/integrations/accounting.yaml"),
    ),
    (
        "integrations/blue-river.yaml",
        include_str!("../gate/integrations/blue-river.yaml"),
    ),
    (
        "integrations/crm.yaml",
        include_str!("../gate/integrations/crm.yaml"),
    ),
    (
        "integrations/dispatch.yaml",
        include_str!("../gate/integrations/dispatch.yaml"),
    ),
    (
        "integrations/inventory.yaml",
        include_str!("../gate/integrations/inventory.yaml"),
    ),
    (
        "integrations/noisy.yaml",
        include_str!("../gate/integrations/noisy.yaml"),
    ),
    (
        "integrations/north-star.yaml",
        include_str!("../gate/integrations/north-star.yaml"),
    ),
    (
        "integrations/thermo.yaml",
        include_str!("../gate/integrations/thermo.yaml"),
    ),
    (
        "policies/cancelled.cedar",
        include_str!("../gate/policies/cancelled.cedar"),
    ),
    (
        "roles/partner.yaml",
        include_str!("../gate/roles/partner.yaml"),
    ),
];

/// Makes a demo directory ready: the configuration in `gate/`, certificates, and a key-encryption key of its own.
/// What is secret or was handed out (keys, certificates, `ca.pem`) is kept where it exists; the configuration's files
/// are written anew.
///
/// # Errors
/// When a file cannot be written or a certificate cannot be made.
pub fn prepare(demo: &Path, ports: &Ports, now: Timestamp) -> Result<(), CertificateError> {
    let gate = demo.join("gate");
    write_gate(&gate, ports)?;
    if !demo.join("ca.pem").exists() {
        write_certificates(demo, now)?;
    }
    let kek = gate.join("kek");
    if !kek.exists() {
        write_secret(&kek, crypto::Kek::generate_text().expose().as_bytes())?;
    }
    Ok(())
}

/// Writes the configuration into a directory, with these ports in place of the usual ones.
///
/// # Errors
/// When a file cannot be written.
pub fn write_gate(dir: &Path, ports: &Ports) -> io::Result<()> {
    for (path, _) in GATE_FILES {
        let place = dir.join(path);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
    }
    for (path, text) in files(ports) {
        fs::write(dir.join(path), text)?;
    }
    Ok(())
}

/// The configuration's files with these ports in place of the usual ones.
pub fn files(ports: &Ports) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let ports = *ports;
    GATE_FILES
        .iter()
        .map(move |(path, text)| (*path, with_ports(text, &ports)))
}

fn with_ports(text: &str, ports: &Ports) -> String {
    let usual = Ports::default();
    let pairs = [
        (usual.local, ports.local),
        (usual.public, ports.public),
        (usual.internal, ports.internal),
        (usual.admin, ports.admin),
        (usual.upstream, ports.upstream),
    ];
    // Through marks, so that a port given away is not taken for one still to be replaced.
    let mut out = text.to_owned();
    for (mark, (old, _)) in pairs.iter().enumerate() {
        out = out.replace(
            &format!("127.0.0.1:{old}"),
            &format!("127.0.0.1:\u{1}{mark}"),
        );
    }
    for (mark, (_, new)) in pairs.iter().enumerate() {
        out = out.replace(
            &format!("127.0.0.1:\u{1}{mark}"),
            &format!("127.0.0.1:{new}"),
        );
    }
    out
}

#[cfg(test)]
mod tests;
