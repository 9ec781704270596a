//! TLS on real sockets: versions, client certificates, reload, plain bytes, bad files.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Gate, PATIENCE, impatient, on_a_runtime};
use crate::{Bounds, ClientCertificates, TlsFault, TlsSlot, client};

/// An authority with certificates of its own.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// Certificate and key for a name.
    pub(super) fn issue(&self, name: &str) -> (Vec<u8>, Vec<u8>) {
        self.issue_with(name, |_| {})
    }

    pub(super) fn issue_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (
            certificate.pem().into_bytes(),
            key.serialize_pem().into_bytes(),
        )
    }

    fn client(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
        own: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(crate::tls::provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(&certificate).unwrap()],
                    PrivateKeyDer::from_pem_slice(&key).unwrap(),
                )
                .unwrap(),
        };
        Arc::new(config)
    }
}

type Session = StreamOwned<ClientConnection, TcpStream>;

fn open(gate: &Gate, config: &Arc<ClientConfig>) -> Session {
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(
        ClientConnection::new(Arc::clone(config), name).unwrap(),
        gate.connect(),
    )
}

fn ask(session: &mut Session, path: &str) -> std::io::Result<String> {
    session.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = session.read(&mut piece)?;
        all.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&all).into_owned();
        let length = text
            .split("content-length: ")
            .nth(1)
            .and_then(|t| t.split("\r\n").next());
        let is_whole = text
            .split_once("\r\n\r\n")
            .zip(length)
            .is_some_and(|((_, body), n)| body.len().to_string() == n);
        if is_whole {
            return Ok(text);
        }
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

const BOTH: [&rustls::SupportedProtocolVersion; 2] =
    [&rustls::version::TLS13, &rustls::version::TLS12];

#[test]
fn both_versions_are_served_and_the_hybrid_group_is_preferred() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let gate = Gate::with(
        "public",
        Some(TlsSlot::new(&certificate, &key, None).unwrap()),
        Bounds::default(),
    );
    for (version, expected) in [
        (
            &rustls::version::TLS13,
            "version: \"1.3\", group: Some(\"X25519MLKEM768\")",
        ),
        (
            &rustls::version::TLS12,
            "version: \"1.2\", group: Some(\"X25519\")",
        ),
    ] {
        let text = ask(
            &mut open(&gate, &authority.client(&[version], None)),
            "/peer",
        )
        .unwrap();
        assert!(
            text.contains(expected) && text.contains("server_name: Some(\"localhost\")"),
            "{text}"
        );
    }
    gate.stop();
}

#[test]
fn client_certificates_are_asked_for_and_judged() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue("localhost");
    let slot = |is_required| {
        let clients = ClientCertificates {
            ca_pem: authority.pem(),
            is_required,
        };
        Some(TlsSlot::new(&certificate, &key, Some(clients)).unwrap())
    };
    let gate = Gate::with("partners", slot(true), Bounds::default());
    let own = authority.issue("partner");
    let digest = crypto::sha256(&[&CertificateDer::from_pem_slice(&own.0).unwrap()]);
    let config = authority.client(&BOTH, Some(own));
    for _ in 0..2 {
        // The second one is a whole handshake again: no ticket carries an identity.
        let mut session = open(&gate, &config);
        let text = ask(&mut session, "/peer").unwrap();
        assert!(text.contains(&format!("{:?}", Some(digest))), "{text}");
        assert_eq!(
            session.conn.handshake_kind(),
            Some(rustls::HandshakeKind::Full)
        );
    }
    assert!(ask(&mut open(&gate, &authority.client(&BOTH, None)), "/peer").is_err());
    let wrong = authority.client(&BOTH, Some(stranger.issue("partner")));
    assert!(ask(&mut open(&gate, &wrong), "/peer").is_err());
    gate.stop();
    let gate = Gate::with("partners", slot(false), Bounds::default());
    let text = ask(&mut open(&gate, &authority.client(&BOTH, None)), "/peer").unwrap();
    assert!(text.contains("client_certificate: None"), "{text}");
    assert!(ask(&mut open(&gate, &wrong), "/peer").is_err());
    gate.stop();
}

/// An RSA key of 1024 bits that was made for this test and signs nothing.
const SHORT_KEY: &str = "MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALlwg9MkeSE+0kMTOYVzkr9Bx+yE9+mnguzTBA4uUBENDL+cdxPh\
    iKa0vXTPUBrWhDCg9gwFCYfDc7MRDtSw3tKUYXgNhN1aSOxqPvvGfGGjak0lnZEwEJt4ymusj+85gnihoRoKaX3Xk2B4S4knNbUN\
    qcFBdXW9jaBpmKWxicHtAgMBAAECgYAim6wOkMUGflnxaLoYfNxLU3SDYMF/2uJlXnBoUR5iQEQ70nCqxjGhoyOklDhH+fcLuE6T\
    KbGAo+qI5csVyLic1P47kkWlnBo3UcKhdlXAsClYJO+H5ywlNV/Lz/muXRoNX5c/8+TBgMgQI5Sgc59cK69rQRWTdpBIdmvgWwNf\
    xQJBANt0CXVcLeetW9heOrSlsBD63I5mgPOrL5il86hfjKukH9re6J6nsOYI482XeYoaMuIzDWaLuBambaCCPtdgje8CQQDYUl4c\
    j2oRjpQ7sACoMsQeP/aU1fh3FYWhSc4GNXwivOk0K3Yx/sM4dlqEDL4VoPcWD3mYYPhRKA+roZ1beYnjAkANd8OU1kFi9Hqsfqvv\
    pjN1909N1fCYA6t6HMUlUifZ6MqjrgZspjHvDCCe32rwFMeGpkduQajciv4zWYrtwNk1AkEAntDiHU/BTMCD3cpawSH8UEUfkKgC\
    8dLQN9jKtE5CI/LTt6SM8ymaQ/LIg5gjWhfCL+UOnavbwyGJV7WgpI73hwJAAJh0UYdNYik6WPXKzNT+dgmyLXsMFU181f/5u0/6\
    sm4zivzuPajqRzyzBlE2bMZIv93ob7fI4N2l+eqTk08GUA==";

#[test]
fn a_key_that_is_too_short_is_told_from_one_that_is_none() {
    let authority = Authority::new();
    let (certificate, _) = authority.issue("localhost");
    let word = "PRIVATE";
    let key = format!("-----BEGIN {word} KEY-----\n{SHORT_KEY}\n-----END {word} KEY-----\n");
    let told = TlsSlot::new(&certificate, key.as_bytes(), None).err();
    let told = told.map(|fault| fault.to_string()).unwrap_or_default();
    assert!(
        told.contains("RSA keys have from 2048 to 8192 bits"),
        "{told}"
    );
}

#[test]
fn a_reload_keeps_connections_and_changes_new_ones() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let slot = TlsSlot::new(&certificate, &key, None).unwrap();
    let gate = Gate::with("public", Some(Arc::clone(&slot)), Bounds::default());
    let config = authority.client(&BOTH, None);
    let mut before = open(&gate, &config);
    ask(&mut before, "/echo").unwrap();
    let shown = |s: &Session| s.conn.peer_certificates().unwrap()[0].clone();
    let first = shown(&before);
    assert!(slot.replace(b"nonsense", &key).is_err());
    let (other, other_key) = authority.issue("localhost");
    assert!(matches!(
        slot.replace(&other, &key),
        Err(TlsFault::KeyMismatch)
    ));
    slot.replace(&other, &other_key).unwrap();
    let mut after = open(&gate, &config);
    ask(&mut after, "/echo").unwrap();
    assert!(
        shown(&after) != first
            && after.conn.handshake_kind() != Some(rustls::HandshakeKind::Resumed)
    );
    ask(&mut before, "/echo").unwrap();
    let mut again = open(&gate, &config);
    ask(&mut again, "/echo").unwrap();
    assert_eq!(
        again.conn.handshake_kind(),
        Some(rustls::HandshakeKind::Resumed)
    );
    gate.stop();
}

#[test]
fn plain_http_on_a_tls_port_is_told_so_and_never_redirected() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let slot = TlsSlot::new(&certificate, &key, None).unwrap();
    let gate = Gate::with("public", Some(Arc::clone(&slot)), impatient());
    let all = gate.talk("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\r\n\r\n");
    assert!(
        all.starts_with("HTTP/1.1 400 ") && all.ends_with("tls.required"),
        "{all}"
    );
    assert!(!all.contains("location"), "{all}");
    assert_eq!(gate.seen(), ["refused tls.required -"]);
    gate.stop();
    let bounds = Bounds {
        handshake: Duration::from_millis(500),
        ..impatient()
    };
    let gate = Gate::with("public", Some(slot), bounds);
    for silent in ["", "\x16\x03\x01"] {
        let begun = Instant::now();
        assert_eq!(gate.talk(silent), "");
        assert!(begun.elapsed() < PATIENCE);
    }
    gate.stop();
}

#[test]
fn bad_files_are_named_and_old_certificates_are_warned_about() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let fault = |c: &[u8], k: &[u8]| TlsSlot::new(c, k, None).unwrap_err().to_string();
    assert!(fault(b"", &key).contains("holds no `-----BEGIN CERTIFICATE-----`"));
    assert!(fault(&key, &key).contains("holds no `-----BEGIN CERTIFICATE-----`"));
    assert!(fault(&certificate, &certificate).contains("no unencrypted private key"));
    assert!(fault(&certificate, &authority.issue("x").1).contains("does not belong"));
    let clients = ClientCertificates {
        ca_pem: Vec::new(),
        is_required: true,
    };
    let fault = TlsSlot::new(&certificate, &key, Some(clients)).unwrap_err();
    assert!(fault.to_string().contains("client authority"), "{fault}");
    let (certificate, key) = authority.issue_with("localhost", |p| {
        p.not_after = rcgen::date_time_ymd(2027, 1, 31)
    });
    let slot = TlsSlot::new(&certificate, &key, None).unwrap();
    let warning = |day: &str| slot.warning(Timestamp::parse(day).unwrap());
    assert_eq!(warning("2026-12-01"), None);
    assert!(warning("2027-01-20").unwrap().contains("ends in 11 days"));
    assert!(
        warning("2027-02-01")
            .unwrap()
            .contains("ended on 2027-01-31")
    );
    assert!(!format!("{slot:?}").contains("KEY"));
}

#[test]
fn the_small_client_speaks_plain_and_tls_and_verifies() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue("localhost");
    let gate = Gate::with(
        "public",
        Some(TlsSlot::new(&certificate, &key, None).unwrap()),
        Bounds::default(),
    );
    let plain = Gate::plain(Bounds::default());
    let url =
        |gate: &Gate, path: &str| format!("https://localhost:{}{path}", gate.address().port());
    on_a_runtime(async {
        let ca = authority.pem();
        let response = client::post(&url(&gate, "/echo"), "text/plain", b"hello", Some(&ca))
            .await
            .unwrap();
        assert_eq!(
            (response.status, response.body.as_slice()),
            (200, &b"hello"[..])
        );
        assert_eq!(response.headers.text("x-echo"), Some("yes"));
        assert!(
            client::get(&url(&gate, "/echo"), Some(&stranger.pem()))
                .await
                .is_err()
        );
        assert!(
            client::get(&url(&gate, "/echo"), None).await.is_err(),
            "the system does not know it"
        );
        let wrong_name = format!("https://127.0.0.1:{}/", gate.address().port());
        assert!(client::get(&wrong_name, Some(&ca)).await.is_err());
        let big = client::get(&format!("http://{}/big", plain.address()), None)
            .await
            .unwrap();
        assert_eq!(big.body.len(), 3_000_000);
        for odd in ["ftp://a/", "http://a b/", "nonsense", "http://a/x\r\ny"] {
            assert!(
                matches!(
                    client::get(odd, None).await,
                    Err(client::ClientFault::Url(_))
                ),
                "{odd}"
            );
        }
        assert!(client::get("http://127.0.0.1:1/", None).await.is_err());
    });
    gate.stop();
    plain.stop();
}

/// As http.client of Python does it: the whole body first, then a look for the answer. What ends without `close_notify` is an error to it.
#[test]
fn a_large_body_that_is_refused_early_does_not_cost_the_client_its_answer() {
    const BODY: usize = 6 * 1024 * 1024;
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let slot = TlsSlot::new(&certificate, &key, None).unwrap();
    let tls = Gate::with("public", Some(slot), Bounds::default());
    let plain = Gate::plain(Bounds::default());
    let head = format!("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY}\r\n\r\n");
    let odd = format!("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0{BODY}\r\n\r\n");
    let send = |stream: &mut dyn ReadWrite, head: &str| {
        stream.write_all(head.as_bytes()).unwrap();
        let written = stream.write_all(&vec![b'x'; BODY]);
        assert!(written.is_ok(), "{written:?}");
        let mut all = Vec::new();
        let read = stream.read_to_end(&mut all);
        assert!(read.is_ok(), "{read:?}");
        String::from_utf8_lossy(&all).into_owned()
    };
    for version in BOTH {
        let config = authority.client(&[version], None);
        let text = send(&mut open(&tls, &config), &head);
        assert!(text.starts_with("HTTP/1.1 413 "), "{version:?}: {text}");
        let text = send(&mut open(&tls, &config), &odd);
        assert!(text.starts_with("HTTP/1.1 400 "), "{version:?}: {text}");
    }
    let text = send(&mut plain.connect(), &head);
    assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
    tls.stop();
    plain.stop();
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}
