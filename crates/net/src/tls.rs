//! TLS of the listeners: certificate and key, client certificates, reload while serving.
//! Exports `TlsSlot`. rustls on aws-lc, TLS 1.2 and 1.3, X25519MLKEM768 preferred, no early data.
//! Used by the listeners; the binary makes and replaces slots.
//! Start reading at `TlsSlot::new`.

mod facts;
mod outbound;
mod validity;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use model::Timestamp;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

pub(crate) use facts::facts;
pub(crate) use outbound::{client_config, server_name};

/// Whether clients show certificates, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// The authorities whose certificates are accepted (PEM).
    pub ca_pem: Vec<u8>,
    /// Without a certificate the handshake fails. When `false`, a certificate may be shown, and a wrong one fails.
    pub is_required: bool,
}

/// What is wrong with a certificate, key or authority file. The operator's mistake.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The certificate file holds no certificate.
    #[error(
        "the certificate file holds no `-----BEGIN CERTIFICATE-----` block; give the PEM file with the server's \
         certificate first and its intermediates after it"
    )]
    NoCertificate,
    /// The key file holds no usable key.
    #[error(
        "the key file holds no unencrypted private key (`-----BEGIN PRIVATE KEY-----`, PKCS#8, or the older RSA and EC \
         forms); decrypt an encrypted key with your PKI tool first"
    )]
    NoKey,
    /// The PEM text is broken.
    #[error("the {what} file is not valid PEM: {cause}")]
    Pem {
        /// `certificate`, `key` or `client authority`.
        what: &'static str,
        /// What the reader said.
        cause: String,
    },
    /// The key does not belong to the certificate.
    #[error("the private key does not belong to the first certificate of the certificate file")]
    KeyMismatch,
    /// The key is of a kind or size that is not used.
    #[error(
        "the private key is of a kind that is not used: RSA keys have from 2048 to 8192 bits, others are P-256, P-384, P-521 or \
         Ed25519; have a new key made and its certificate signed"
    )]
    KeyKind,
    /// The certificate or key is of a kind that cannot be used.
    #[error("certificate or key cannot be used: {0}")]
    Unusable(String),
    /// The authorities cannot be used.
    #[error("the client authority file holds no usable authority certificate: {0}")]
    Authority(String),
}

/// The TLS side of a listener. Certificate and key can be replaced while connections are open; new
/// handshakes see the new ones, established connections stay.
pub struct TlsSlot {
    config: ArcSwap<ServerConfig>,
    clients: Option<ClientCertificates>,
    end: ArcSwap<Option<Timestamp>>,
}

impl TlsSlot {
    /// Checks certificate, key and authorities and makes them ready.
    ///
    /// # Errors
    /// [`TlsFault`] names the file and what is wrong with it.
    pub fn new(
        cert_pem: &[u8],
        key_pem: &[u8],
        clients: Option<ClientCertificates>,
    ) -> Result<Arc<TlsSlot>, TlsFault> {
        let (config, end) = server_config(cert_pem, key_pem, clients.as_ref())?;
        Ok(Arc::new(TlsSlot {
            config: ArcSwap::new(config),
            clients,
            end: ArcSwap::from_pointee(end),
        }))
    }

    /// Puts another certificate and key in place. Tickets of the old ones are worthless afterwards.
    ///
    /// # Errors
    /// [`TlsFault`]; the old pair keeps serving.
    pub fn replace(&self, cert_pem: &[u8], key_pem: &[u8]) -> Result<(), TlsFault> {
        let (config, end) = server_config(cert_pem, key_pem, self.clients.as_ref())?;
        self.config.store(config);
        self.end.store(Arc::new(end));
        Ok(())
    }

    /// When the certificate ends, for warnings; `None` when its dates cannot be read.
    pub fn not_after(&self) -> Option<Timestamp> {
        **self.end.load()
    }

    /// A sentence when the certificate has ended or ends within 30 days.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        let end = self.not_after()?;
        if end <= now {
            return Some(format!(
                "the certificate ended on {end}; clients will refuse it"
            ));
        }
        let days = end.since(now).as_secs() / 86_400;
        (days < 30).then(|| format!("the certificate ends in {days} days, on {end}"))
    }

    /// Whether clients are asked for certificates.
    pub fn client_certificates(&self) -> Option<&ClientCertificates> {
        self.clients.as_ref()
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }
}

/// Prints no certificate and no key.
impl fmt::Debug for TlsSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSlot").finish_non_exhaustive()
    }
}

/// The one provider; never the process-wide default, which any crate could set.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn server_config(
    cert_pem: &[u8],
    key_pem: &[u8],
    clients: Option<&ClientCertificates>,
) -> Result<(Arc<ServerConfig>, Option<Timestamp>), TlsFault> {
    let provider = provider();
    let chain = certificates("certificate", cert_pem)?;
    let Some(first) = chain.first() else {
        return Err(TlsFault::NoCertificate);
    };
    let end = validity::not_after(first);
    let pair = certified_key(chain, key_pem, &provider)?;
    let verifier = match clients {
        Some(clients) => client_verifier(clients, &provider)?,
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| TlsFault::Unusable(e.to_string()))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = [&b"h2"[..], b"http/1.1", b"http/1.0"]
        .map(<[u8]>::to_vec)
        .to_vec();
    config.max_early_data_size = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if clients.is_some() {
        // A ticket would carry a client's identity past the next check of its certificate.
        config.send_tls13_tickets = 0;
    } else {
        // Each configuration has its own ticket keys: a ticket is bound to this listener and this certificate.
        config.send_tls13_tickets = 1;
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()
            .map_err(|e| TlsFault::Unusable(e.to_string()))?;
    }
    Ok((Arc::new(config), end))
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| TlsFault::Pem {
            what,
            cause: e.to_string(),
        })
}

fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key_pem: &[u8],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsFault> {
    let key = match PrivateKeyDer::from_pem_slice(key_pem) {
        Ok(key) => key,
        Err(rustls::pki_types::pem::Error::NoItemsFound) => return Err(TlsFault::NoKey),
        Err(e) => {
            return Err(TlsFault::Pem {
                what: "key",
                cause: e.to_string(),
            });
        }
    };
    CertifiedKey::from_der(chain, key, provider).map_err(|e| match e {
        rustls::Error::InconsistentKeys(_) => TlsFault::KeyMismatch,
        // The key was read as one; the provider has no use for it.
        rustls::Error::General(_) => TlsFault::KeyKind,
        other => TlsFault::Unusable(other.to_string()),
    })
}

fn client_verifier(
    clients: &ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsFault> {
    let roots = Arc::new(authorities("client authority", &clients.ca_pem)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
    let builder = if clients.is_required {
        builder
    } else {
        builder.allow_unauthenticated()
    };
    builder
        .build()
        .map_err(|e| TlsFault::Authority(e.to_string()))
}

/// Reads authority certificates; one unusable certificate makes the whole file refused.
fn authorities(what: &'static str, pem: &[u8]) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(what, pem)? {
        roots
            .add(certificate)
            .map_err(|e| TlsFault::Authority(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(TlsFault::Authority(String::from("it is empty")));
    }
    Ok(roots)
}
