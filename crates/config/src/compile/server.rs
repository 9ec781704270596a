//! `portcullis.yaml`: checks the listeners against one another and fills the defaults in.
//! Exports `compile`.
//! Used by `compile` of the whole.
//! Start reading at `compile`; the listener's own checks are in `listener`.

use std::sync::Arc;
use std::time::Duration;

use model::Mistake;
use model::time::Span as Period;
use policy::AddressSet;
use policy::block::BlockSettings;
use policy::limit::Limit;

use super::bounds::{filled, names_some};
use crate::Files;
use crate::compiled::{ListenerSettings, ServerSettings, TimeoutSettings, TlsSettings};
use crate::files::{self, SERVER_FILE};
use crate::read::Written;
use crate::report::Report;
use crate::secret_ref::SecretRef;
use crate::server::{
    AddressLimit, BlockRule, Blocks, Defaults, Listener, ListenerKind, Server, Timeouts, Tls,
};
use crate::spanned::{At, Place};
use crate::values::{AddressRange, ByteSize};

const BODY_DEFAULT: ByteSize = ByteSize(1 << 20);
const BODY_RANGE: (ByteSize, ByteSize) = (ByteSize(1), ByteSize(64 << 20));
const SEGMENT_DEFAULT: ByteSize = ByteSize(64 << 20);
const SEGMENT_RANGE: (ByteSize, ByteSize) = (ByteSize(1 << 20), ByteSize(1 << 30));
const ANSWERS_DEFAULT: ByteSize = ByteSize(256 << 20);
/// The largest answer that an upstream may be allowed fits.
const ANSWERS_RANGE: (ByteSize, ByteSize) = (ByteSize(64 << 20), ByteSize(64 << 30));
const CONNECTIONS_RANGE: (u32, u32) = (1, 1_000_000);
const DAY: Duration = Duration::from_secs(86_400);

/// Checks and completes the server's settings.
pub(super) fn compile(
    server: &Server,
    written: &Written,
    files: &Files,
    report: &mut Report,
) -> Option<ServerSettings> {
    let file: Arc<str> = SERVER_FILE.into();
    let is_lost = |name: &str, key: &str| written.has_lost(&file, &["listeners", name, key]);
    let mut listeners: Vec<ListenerSettings> = server
        .listeners
        .iter()
        .map(|(name, listener)| {
            if !is_lost(name, "tls") && !is_lost(name, "plain") {
                check_plain(name, listener, &file, report);
            }
            self::listener(name, listener, &server.defaults, &file, report)
        })
        .collect();
    if listeners.is_empty() && !written.has_lost(&file, &["listeners"]) {
        report.add(
            model::Mistake::new(
                "no listener is set",
                "Write at least one: `public: { address: …, tls: … }`.",
            )
            .in_file(SERVER_FILE),
        );
    }
    shared_addresses(&listeners, report);
    listeners.sort_by(|a, b| a.name.cmp(&b.name));
    let ledger = &server.ledger;
    if let SecretRef::File(path) = &server.keys.kek.value {
        let (value, span) = (path.clone(), server.keys.kek.span);
        own_path(&At { value, span }, &file, report);
    }
    own_path(&server.store.dir, &file, report);
    if let Some(why) = files.store_overlap() {
        let help = "Give the store a directory of its own, as `data` is, with nothing of the configuration in it or around it.";
        report.wrong(&server.store.dir.place(&file), why, help);
    }
    check_destinations(server, written, files, report);
    trusted(&server.trusted_proxies, &file, report);
    Some(ServerSettings {
        listeners,
        store_dir: server.store.dir.located(&file),
        kek: server.keys.kek.located(&file),
        trusted_proxies: addresses(&server.trusted_proxies),
        blocks: blocks(&server.defaults.blocks, &file, report),
        answers_bytes_max: filled(
            server.defaults.answers_bytes_max.as_ref(),
            ANSWERS_DEFAULT,
            ANSWERS_RANGE,
            &file,
            report,
        )
        .0,
        timeouts: timeouts(&server.defaults.timeouts, &file, report),
        durability: ledger.durability,
        intent: ledger.intent,
        destinations: server.destinations.value.clone(),
        segment_bytes: filled(
            ledger.segment_bytes.as_ref(),
            SEGMENT_DEFAULT,
            SEGMENT_RANGE,
            &file,
            report,
        )
        .0,
    })
}

/// Warns of proxies that are trusted by the million: whoever connects from such a range names the address that limits, blocks and
/// conditions go by.
fn trusted(proxies: &[At<AddressRange>], file: &Arc<str>, report: &mut Report) {
    /// Shorter prefixes hold more than one organisation has: `10.0.0.0/8` and `fc00::/7` are the largest private ranges.
    const SHORTEST: (u8, u8) = (8, 7);
    for at in proxies {
        let range = at.value.0;
        let shortest = if range.addr().is_ipv4() {
            SHORTEST.0
        } else {
            SHORTEST.1
        };
        if range.prefix_len() < shortest {
            let message = format!(
                "`{range}` trusts so many addresses that nearly everybody who connects can name any address as their own"
            );
            let help =
                "List the addresses of the proxies in front of this server, and nothing else.";
            report.warn(&at.place(file), message, help);
        }
    }
}

fn check_destinations(server: &Server, written: &Written, files: &Files, report: &mut Report) {
    let file: Arc<str> = SERVER_FILE.into();
    if written.has_lost(&file, &["destinations"]) {
        return;
    }
    let overlaps = files.destination_overlaps().iter().map(|(name, why)| {
        let message = format!("the destination `{name}` cannot write there: {why}");
        let help = "Let it write where nothing of the gateway itself is kept, as in `/var/log/portcullis`.";
        Mistake::new(message, help).at_pointer(format!("/{name}"))
    });
    let wrong = destinations::check(&server.destinations.value);
    for mistake in wrong.into_iter().chain(overlaps) {
        report.add(server.destinations.place(mistake, &file));
    }
}

fn listener(
    name: &At<String>,
    written: &Listener,
    defaults: &Defaults,
    file: &Arc<str>,
    report: &mut Report,
) -> ListenerSettings {
    let place = name.place(file);
    if !model::ids::is_name(name) {
        let help = "Names are 1 to 63 of `a-z`, `0-9` and `-`, beginning with a letter and not ending with `-`.";
        report.wrong(
            &place,
            format!("`{}` is not a valid name", name.value),
            help,
        );
    }
    let kind = kind(name, written, file, report);
    let connections = written
        .connections_max
        .as_ref()
        .or(defaults.connections_max.as_ref());
    let per_address = written
        .connections_per_address_max
        .as_ref()
        .or(defaults.connections_per_address_max.as_ref());
    if let (Some(all), Some(one)) = (connections, per_address)
        && one.value > all.value
    {
        let message = format!(
            "{} connections of one address are never reached: the listener `{}` takes {} in all",
            one.value, name.value, all.value
        );
        let help = "Write fewer for one address than `connections_max`, so that none of them takes every place.";
        report.warn(&one.place(file), message, help);
    }
    let body = written
        .body_bytes_max
        .as_ref()
        .or(defaults.body_bytes_max.as_ref());
    let limit = written
        .address_limit
        .as_ref()
        .or(defaults.address_limit.as_ref());
    ListenerSettings {
        name: name.value.as_str().into(),
        address: written.address.value.0,
        kind,
        tls: written.tls.as_ref().map(|tls| self::tls(tls, file, report)),
        allow: named_addresses(written.allow.as_ref(), "allow", file, report),
        deny: addresses(&written.deny),
        address_limit: address_limit(limit, file, report),
        connections_max: filled(connections, 4096, CONNECTIONS_RANGE, file, report),
        connections_per_address_max: filled(per_address, 256, CONNECTIONS_RANGE, file, report),
        body_bytes_max: usize::try_from(filled(body, BODY_DEFAULT, BODY_RANGE, file, report).0)
            .unwrap_or(usize::MAX),
        place,
    }
}

/// What the listener is for. The name `admin` means administration and nothing else.
fn kind(
    name: &At<String>,
    written: &Listener,
    file: &Arc<str>,
    report: &mut Report,
) -> ListenerKind {
    let by_name = match name.as_str() {
        "admin" => ListenerKind::Admin,
        "internal" => ListenerKind::Internal,
        _ => ListenerKind::Public,
    };
    let kind = written.kind.as_ref().map_or(by_name, |at| at.value);
    if let Some(at) = &written.kind
        && (by_name == ListenerKind::Admin) != (kind == ListenerKind::Admin)
    {
        let help = "Name the listener for health and metrics `admin`, and no other one.";
        report.wrong(
            &at.place(file),
            "the name `admin` and the kind `admin` belong together",
            help,
        );
    }
    let address = &written.address;
    if kind == ListenerKind::Admin && !address.0.ip().is_loopback() {
        let help = "Write 127.0.0.1 or [::1]; reach it from elsewhere through a tunnel.";
        report.wrong(
            &address.place(file),
            "the admin listener would be reachable from the network",
            help,
        );
    }
    kind
}

fn check_plain(name: &At<String>, written: &Listener, file: &Arc<str>, report: &mut Report) {
    match &written.tls {
        None if !written.plain => report.wrong(
            &name.place(file),
            format!("the listener `{}` has neither `tls` nor `plain: true`", name.value),
            "Give it a certificate: `tls: { cert: …, key: \"file:…\" }`. Without TLS, credentials travel in the clear.",
        ),
        Some(tls) if written.plain => report.wrong(
            &tls.place(file),
            format!("the listener `{}` has both `tls` and `plain: true`", name.value),
            "Take one of the two out.",
        ),
        _ => {}
    }
}

fn tls(written: &Tls, file: &Arc<str>, report: &mut Report) -> TlsSettings {
    own_path(&written.cert, file, report);
    if let Some(path) = &written.client_ca {
        own_path(path, file, report);
    }
    if let SecretRef::File(path) = &written.key.value {
        own_path(
            &At {
                value: path.clone(),
                span: written.key.span,
            },
            file,
            report,
        );
    }
    TlsSettings {
        cert: written.cert.located(file),
        key: written.key.located(file),
        client_ca: written.client_ca.as_ref().map(|path| path.located(file)),
    }
}

/// A path of this machine: inside the directory where it is relative, anywhere where it is absolute.
fn own_path(path: &At<String>, file: &Arc<str>, report: &mut Report) {
    if path.starts_with('/') && !path.contains('\0') {
        return;
    }
    if let Err(why) = files::resolve(file, path) {
        let help = "Write a path inside the configuration directory, or an absolute path.";
        report.wrong(&path.place(file), format!("the path {why}"), help);
    }
}

fn address_limit(
    written: Option<&At<AddressLimit>>,
    file: &Arc<str>,
    report: &mut Report,
) -> Limit {
    let Some(at) = written else {
        let rate = policy::Rate {
            count: 100,
            per: Duration::from_secs(1),
        };
        return Limit::new(rate, 200);
    };
    if at.burst == Some(0) {
        report.wrong(
            &at.place(file),
            "a burst of 0 refuses everything",
            "Write at least 1.",
        );
    }
    let burst = at.burst.unwrap_or_else(|| default_burst(at.rate).max(10));
    let limit = Limit::new(at.rate, burst);
    comes_back(&limit, &at.place(file), report);
    limit
}

/// How many may come at once where nothing is said: as many as the rate names, so that whoever keeps to it is never refused.
pub(super) fn default_burst(rate: policy::Rate) -> u32 {
    rate.count.clamp(1, BURST_MAX)
}

/// The largest burst.
pub(super) const BURST_MAX: u32 = 1_000_000;

/// Says that a burst takes so long to come back that nobody can have meant it.
pub(super) fn comes_back(limit: &Limit, place: &Place, report: &mut Report) {
    if limit.refill() > policy::limit::REFILL_MAX {
        let message = format!(
            "a burst of {} takes more than ten years to come back at {}",
            limit.burst(),
            limit.rate()
        );
        report.wrong(place, message, "Write a smaller burst, or a higher rate.");
    }
}

fn shared_addresses(listeners: &[ListenerSettings], report: &mut Report) {
    for (index, listener) in listeners.iter().enumerate() {
        let (port, ip) = (listener.address.port(), listener.address.ip());
        let clashes = |other: &&ListenerSettings| {
            let theirs = other.address.ip();
            let is_same_ip = theirs == ip || theirs.is_unspecified() || ip.is_unspecified();
            // Port 0 asks the system for a free one, so two of them never clash.
            other.address.port() == port && port != 0 && is_same_ip
        };
        if let Some(other) = listeners.iter().take(index).find(clashes) {
            let message = format!(
                "`{}` and `{}` listen at the same address",
                other.name, listener.name
            );
            report.wrong(
                &listener.place,
                message,
                "Give each listener a port of its own.",
            );
        }
    }
}

/// The set that a list of those who may come names; none, for everybody, only where it is left out.
pub(super) fn named_addresses(
    written: Option<&At<Vec<At<AddressRange>>>>,
    key: &str,
    file: &Arc<str>,
    report: &mut Report,
) -> Option<AddressSet> {
    let listed = written?;
    let help = format!("Leave `{key}` out to let everybody come, or list addresses.");
    names_some(listed, &format!("`{key}`"), "nobody", &help, file, report);
    Some(addresses(listed))
}

/// The set of these ranges.
pub(super) fn addresses(written: &[At<AddressRange>]) -> AddressSet {
    AddressSet::of(written.iter().map(|at| at.value.0))
}

fn blocks(written: &Blocks, file: &Arc<str>, report: &mut Report) -> Option<BlockSettings> {
    let rule = match written {
        Blocks::Off => return None,
        Blocks::Unset => return Some(BlockSettings::default()),
        Blocks::On(rule) => rule,
    };
    let BlockRule {
        after,
        duration,
        escalate,
        count_limits,
    } = rule.value;
    let escalate = escalate.unwrap_or(4);
    if !(1..=10).contains(&escalate) {
        report.wrong(
            &rule.place(file),
            format!("an escalation of {escalate} is out of range"),
            "Write a value from 1 to 10.",
        );
    }
    if duration.0 > DAY {
        report.wrong(
            &rule.place(file),
            "a block longer than a day is refused",
            "Write at most `24h`; revoke the key to shut somebody out.",
        );
    }
    Some(BlockSettings {
        after,
        lasts: duration,
        escalate,
        count_limits,
    })
}

fn timeouts(written: &Timeouts, file: &Arc<str>, report: &mut Report) -> TimeoutSettings {
    let range = (
        Period(Duration::from_millis(100)),
        Period(Duration::from_secs(600)),
    );
    let mut read = |at: &Option<At<Period>>, seconds: u64| {
        let default = Period(Duration::from_secs(seconds));
        filled(at.as_ref(), default, range, file, report).0
    };
    TimeoutSettings {
        handshake: read(&written.handshake, 10),
        head: read(&written.head, 10),
        body: read(&written.body, 10),
        reply: read(&written.reply, 10),
        idle: read(&written.idle, 60),
        drain: written.drain.is_some().then(|| read(&written.drain, 10)),
    }
}

/// Says that a target of an upstream is one of our own listeners.
pub(super) fn is_own(
    target: &crate::values::Origin,
    listeners: &crate::spanned::Map<Listener>,
) -> Option<String> {
    let host: std::net::IpAddr = match target.host.as_str() {
        "localhost" => std::net::Ipv4Addr::LOCALHOST.into(),
        host => host.parse().ok()?,
    };
    let is_this = |listener: &Listener| {
        let address = listener.address.value.0;
        let is_here = address.ip() == host || (address.ip().is_unspecified() && host.is_loopback());
        address.port() == target.port && is_here
    };
    let found = listeners.iter().find(|(_, listener)| is_this(listener));
    found.map(|(name, _)| name.value.clone())
}
