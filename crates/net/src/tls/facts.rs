//! What a finished handshake says about the other end.
//! Exports `facts`.
//! Used by the listener for `Peer::tls`.
//! Start reading at `facts`.

use model::http::Tls;
use rustls::{NamedGroup, ProtocolVersion, ServerConnection};

/// The facts of a finished handshake.
pub(crate) fn facts(connection: &ServerConnection) -> Tls {
    Tls {
        version: match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "1.3",
            _ => "1.2",
        },
        group: connection
            .negotiated_key_exchange_group()
            .and_then(|group| group_name(group.name())),
        server_name: connection.server_name().map(str::to_owned),
        client_certificate: connection
            .peer_certificates()
            .and_then(<[_]>::first)
            .map(|certificate| crypto::sha256(&[certificate.as_ref()])),
    }
}

fn group_name(group: NamedGroup) -> Option<&'static str> {
    match group {
        NamedGroup::X25519MLKEM768 => Some("X25519MLKEM768"),
        NamedGroup::X25519 => Some("X25519"),
        NamedGroup::secp256r1 => Some("secp256r1"),
        NamedGroup::secp384r1 => Some("secp384r1"),
        _ => None,
    }
}
