//! TLS towards others: trust, server names. Verification is always on; there is no switch for it.
//! Exports `client_config`, `server_name`.
//! Used by upstreams and the small client.
//! Start reading at `client_config`.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;

use super::{TlsFault, authorities, provider};

/// Trust in the given authorities, or in the system's when none are given. Speaks HTTP/1.1 only.
pub(crate) fn client_config(ca_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, TlsFault> {
    let unusable = |e: rustls::Error| TlsFault::Unusable(e.to_string());
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unusable)?;
    let builder = match ca_pem {
        Some(pem) => builder.with_root_certificates(authorities("authority", pem)?),
        None => builder.with_platform_verifier().map_err(unusable)?,
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

/// The name a certificate has to carry for this host.
pub(crate) fn server_name(host: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).ok()
}
