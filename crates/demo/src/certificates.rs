//! Makes the demo's own certificate authority and the server certificates it signs.
//! Exports `write_certificates`. The authority's key is forgotten at once, so it can never sign for anybody else.
//! Used by the `demo` verb.
//! Start reading at `write_certificates`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// Days the certificates are valid, counted from the first of the month they were made in.
const YEARS: i32 = 1;
/// Listeners that get a certificate: `gate/tls/NAME.pem` and `gate/tls/NAME.key`.
const LISTENERS: [&str; 2] = ["public", "internal"];

/// Why the certificates could not be made.
#[derive(Debug)]
pub enum CertificateError {
    /// A file could not be written.
    File(io::Error),
    /// A key or certificate could not be made.
    Made(rcgen::Error),
}

impl std::fmt::Display for CertificateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CertificateError::File(why) => {
                write!(f, "a certificate file could not be written: {why}")
            }
            CertificateError::Made(why) => write!(f, "a certificate could not be made: {why}"),
        }
    }
}

impl std::error::Error for CertificateError {}

impl From<io::Error> for CertificateError {
    fn from(why: io::Error) -> Self {
        CertificateError::File(why)
    }
}

impl From<rcgen::Error> for CertificateError {
    fn from(why: rcgen::Error) -> Self {
        CertificateError::Made(why)
    }
}

/// Writes `ca.pem` into `demo` and the listeners' certificates and keys into `demo/gate/tls`.
///
/// # Errors
/// When a key cannot be made or a file cannot be written.
pub fn write_certificates(demo: &Path, now: Timestamp) -> Result<(), CertificateError> {
    let tls = demo.join("gate").join("tls");
    fs::create_dir_all(&tls)?;
    let mut params = named("Brightline demo authority", now)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    for listener in LISTENERS {
        let key = KeyPair::generate()?;
        let certificate = server(now)?.signed_by(&key, &issuer)?.pem();
        write_secret(
            &tls.join(format!("{listener}.key")),
            key.serialize_pem().as_bytes(),
        )?;
        fs::write(tls.join(format!("{listener}.pem")), certificate)?;
    }
    fs::write(demo.join("ca.pem"), authority)?;
    Ok(())
}

fn server(now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = named("localhost", now)?;
    params.subject_alt_names =
        CertificateParams::new(["localhost", "127.0.0.1", "::1"].map(String::from))?
            .subject_alt_names;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn named(name: &str, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(
        DnType::OrganizationName,
        "Brightline Heating & Service (demo)",
    );
    params.distinguished_name.push(DnType::CommonName, name);
    let (year, month) = year_and_month(now);
    params.not_before = date_time_ymd(year, month, 1);
    params.not_after = date_time_ymd(year.saturating_add(YEARS), month, 28);
    Ok(params)
}

fn year_and_month(now: Timestamp) -> (i32, u8) {
    let text = now.to_string();
    let mut parts = text.split('-');
    let year = parts.next().and_then(|y| y.parse().ok()).unwrap_or(2026);
    let month = parts.next().and_then(|m| m.parse().ok()).unwrap_or(1);
    (year, month)
}

/// Writes a file that only its owner may read, from its first byte on.
///
/// # Errors
/// When the file cannot be written.
pub fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        options.mode(0o600);
        if path.exists() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    options.open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_readable_by_their_owner_only() {
        let place = std::env::temp_dir().join(format!("brightline-tls-{}", std::process::id()));
        let now = Timestamp::parse("2026-11-23").unwrap();
        write_certificates(&place, now).unwrap();
        write_certificates(&place, now).unwrap();
        for name in LISTENERS {
            let pem = fs::read_to_string(place.join(format!("gate/tls/{name}.pem"))).unwrap();
            assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let key = fs::metadata(place.join(format!("gate/tls/{name}.key"))).unwrap();
                assert_eq!(key.permissions().mode() & 0o777, 0o600);
            }
        }
        assert!(place.join("ca.pem").exists());
        fs::remove_dir_all(&place).unwrap();
    }
}
