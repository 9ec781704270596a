//! Names of hosts that only an internal network knows, by their form; and the schemes whose hosts are looked up and called.
//! Exports `read`, `Name`, `is_called`, `is_called_by_pages`, `is_host_and_port`, `has_port`, `is_name`.
//! Used by `ssrf` and by the list of allowed hosts.
//! Start reading at `read`.

/// Why a name is internal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// Below a suffix that no public name server answers for.
    Internal,
    /// One label, which only a search list, a hosts file or a neighbour completes: `web`, `db`.
    Single,
}

/// Suffixes that networks use for themselves: those set apart for it (RFC 6762, RFC 6761, RFC 8375, ICANN's `internal`), those
/// that RFC 6762 appendix G found in use, and those of the usual orchestrators.
const INTERNAL_SUFFIXES: [&str; 20] = [
    ".internal",
    ".local",
    ".localhost",
    ".localdomain",
    ".home.arpa",
    ".intranet",
    ".private",
    ".corp",
    ".home",
    ".lan",
    ".intern",
    ".priv",
    ".svc",
    ".cluster",
    ".pod",
    ".consul",
    ".docker",
    ".kube",
    ".workgroup",
    ".internal.cloudapp.net",
];

/// Schemes with a host that libraries call, `http` and its kin aside. What apps are opened with (`app://home`) and what names a
/// bucket (`s3://orders`) is not among them.
const CALLED: [&str; 34] = [
    "ftp",
    "ftps",
    "sftp",
    "ssh",
    "scp",
    "git",
    "git+ssh",
    "git+https",
    "git+http",
    "svn",
    "svn+ssh",
    "telnet",
    "smb",
    "cifs",
    "nfs",
    "rsync",
    "smtp",
    "smtps",
    "imap",
    "imaps",
    "pop3",
    "pop3s",
    "redis",
    "rediss",
    "postgres",
    "postgresql",
    "mysql",
    "mongodb",
    "amqp",
    "amqps",
    "mqtt",
    "mqtts",
    "tcp",
    "grpc",
];

/// Reads one host. `None`: a public name, or an address.
pub(crate) fn read(host: &[u8]) -> Option<Name> {
    let text = std::str::from_utf8(host).ok()?;
    // A label of another script has no dot of its own, and IDNA folds the others to this one.
    let lower = text
        .to_lowercase()
        .replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    let name = lower.trim_end_matches('.');
    let is_label = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if name.is_empty() || name.len() > 253 || !name.chars().all(is_label) {
        return None;
    }
    if !name.contains('.') {
        return Some(Name::Single);
    }
    let mut suffixes = INTERNAL_SUFFIXES.iter();
    suffixes
        .any(|suffix| name.ends_with(suffix))
        .then_some(Name::Internal)
}

/// Whether hosts behind this scheme are called, by whatever library meets it.
pub(crate) fn is_called(scheme: &str) -> bool {
    is_called_by_pages(scheme.as_bytes()) || CALLED.contains(&scheme)
}

/// The schemes that everything that fetches addresses understands, with or without their colon.
pub(crate) fn is_called_by_pages(scheme: &[u8]) -> bool {
    let scheme = scheme.strip_suffix(b":").unwrap_or(scheme);
    [b"http".as_slice(), b"https", b"ws", b"wss"].contains(&scheme)
}

/// Whether what stood in an authority ends with a port.
pub(crate) fn has_port(piece: &[u8]) -> bool {
    let colon = memchr::memrchr(b':', piece);
    colon.is_some_and(|colon| {
        let digits = piece.get(colon + 1..).unwrap_or_default();
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    })
}

/// `web:8091/x`: to RFC 3986 a scheme and a path, to most clients a host and its port. Telephone numbers are not meant.
pub(crate) fn is_host_and_port(text: &[u8]) -> bool {
    const PORT_MAX: usize = 5;
    let end = text.iter().position(|byte| b"/?#".contains(byte));
    let head = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let Some((name, port)) = memchr::memchr(b':', head).and_then(|at| {
        let (name, rest) = head.split_at_checked(at)?;
        Some((name, rest.get(1..)?))
    }) else {
        return false;
    };
    let is_number = [b"tel".as_slice(), b"sms", b"fax", b"modem"]
        .iter()
        .any(|scheme| name.eq_ignore_ascii_case(scheme));
    !is_number && (1..=PORT_MAX).contains(&port.len()) && port.iter().all(u8::is_ascii_digit)
}

/// Whether it is a host name of RFC 1123 §2.1, underscores granted.
pub(crate) fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}
