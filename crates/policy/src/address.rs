//! Where does the call come from? Address lists, the client behind trusted proxies, the key that limits count by.
//! Exports `AddressSet`, `client_address`, `client_key`.
//! Used by the gateway's stage `ip`, config (`allow_from`, `trusted_proxies`) and limits.
//! Start reading at `client_address`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use model::{Reason, Refusal, Stage};

/// The address is not allowed.
pub const DENIED: Reason = Reason::new(
    Stage::Ip,
    "ip.denied",
    403,
    "Calls from this address are not accepted.",
    "Call from an address that was agreed on, or ask the operator, quoting the decision id.",
    "The client address is not in the allow list of the listener or integration, or it is in a deny list. The ledger entry names the \
     address that was judged. Behind a proxy, list the proxy in `trusted_proxies`, otherwise the proxy's own address is judged.",
);

/// A trusted proxy sent a forwarding header that cannot be read.
pub const FORWARDED: Reason = Reason::new(
    Stage::Ip,
    "ip.forwarded",
    400,
    "The forwarding header cannot be read.",
    "Send plain addresses separated by commas in X-Forwarded-For, or none at all.",
    "A trusted proxy sent an `X-Forwarded-For` whose relevant part is no address or too long. The client's address cannot be told from it, so \
     the request is refused. Mend the proxy's configuration.",
);

/// A set of addresses, as sorted ranges. IPv4-mapped IPv6 addresses count as IPv4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSet {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl AddressSet {
    /// Reads one entry, `10.0.0.0/8`, `2001:db8::/32` or a single address, for diagnostics entry by entry.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse_entry(text: &str) -> Result<IpNet, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(IpNet::from(address));
        }
        let network: IpNet = text.parse().map_err(|_| {
            format!("`{text}` is no address; write `10.0.0.0/8`, `2001:db8::/32` or one address")
        })?;
        // `10.1.2.3/8` may be a slip for `/32`; it is not guessed which was meant.
        if network.trunc() == network {
            Ok(network)
        } else {
            Err(format!(
                "`{text}` has bits beyond its prefix; write `{}` for the network or `{}` for the one address",
                network.trunc(),
                network.addr()
            ))
        }
    }

    /// The set of these networks.
    pub fn of(networks: impl IntoIterator<Item = IpNet>) -> AddressSet {
        let mut set = AddressSet::default();
        for network in networks {
            match (canonical(network.network()), canonical(network.broadcast())) {
                (IpAddr::V4(first), IpAddr::V4(last)) => set.v4.push((first.into(), last.into())),
                (IpAddr::V6(first), IpAddr::V6(last)) => set.v6.push((first.into(), last.into())),
                // A network of IPv6 that only begins or ends among the mapped addresses, such as `::/0`.
                _ => {
                    if let (IpAddr::V6(first), IpAddr::V6(last)) =
                        (network.network(), network.broadcast())
                    {
                        set.v6.push((first.into(), last.into()));
                    }
                }
            }
        }
        (set.v4, set.v6) = (joined(set.v4), joined(set.v6));
        set
    }

    /// Whether an address is in the set.
    pub fn contains(&self, address: IpAddr) -> bool {
        match canonical(address) {
            IpAddr::V4(address) => within(&self.v4, u32::from(address)),
            IpAddr::V6(address) => within(&self.v6, u128::from(address)),
        }
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Sorted ranges without overlaps.
fn joined<T: Ord + Copy>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut out: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match out.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => out.push((first, last)),
        }
    }
    out
}

fn within<T: Ord + Copy>(ranges: &[(T, T)], value: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= value);
    after
        .checked_sub(1)
        .and_then(|index| ranges.get(index))
        .is_some_and(|(_, last)| value <= *last)
}

/// Most hops read in `X-Forwarded-For`.
pub const HOPS_MAX: usize = 32;

/// The client's address: the rightmost hop that is not a trusted proxy. `forwarded` are the values of
/// `X-Forwarded-For` in the order received; they are believed only as far as trusted proxies wrote them.
///
/// # Errors
/// [`FORWARDED`] when a trusted proxy sent something unreadable.
pub fn client_address<'a>(
    peer: IpAddr,
    forwarded: impl Iterator<Item = &'a [u8]>,
    trusted: &AddressSet,
) -> Result<IpAddr, Box<Refusal>> {
    let peer = canonical(peer);
    if trusted.is_empty() || !trusted.contains(peer) {
        return Ok(peer);
    }
    let values: Vec<&[u8]> = forwarded.take(HOPS_MAX + 1).collect();
    let hops = values
        .iter()
        .rev()
        .flat_map(|value| value.rsplit(|b| *b == b','));
    let mut nearest = peer;
    for (index, hop) in hops.enumerate() {
        if index >= HOPS_MAX || values.len() > HOPS_MAX {
            return Err(FORWARDED.because(format!("more than {HOPS_MAX} hops")));
        }
        let Some(address) = hop_address(hop) else {
            return Err(FORWARDED.because(format!("hop {index} from the right is no address")));
        };
        if !trusted.contains(address) {
            return Ok(address);
        }
        nearest = address;
    }
    // Every hop is a proxy of ours: the call began at the leftmost one.
    Ok(nearest)
}

/// One hop: an address, with or without brackets and port.
fn hop_address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim_matches([' ', '\t']);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(canonical(address));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(canonical(address.ip()));
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<Ipv6Addr>().ok().map(|a| canonical(a.into()))
}

/// What limits and blocks count by: the address, or the /64 of an IPv6 address, because a host commands a whole /64.
pub fn client_key(address: IpAddr) -> u128 {
    match canonical(address) {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address) & !u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(entries: &[&str]) -> AddressSet {
        AddressSet::of(entries.iter().map(|e| AddressSet::parse_entry(e).unwrap()))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> Result<String, &'static str> {
        let values = forwarded.iter().map(|v| v.as_bytes());
        client_address(ip(peer), values, &set(trusted))
            .map(|a| a.to_string())
            .map_err(|r| r.reason.code)
    }

    #[test]
    fn networks_and_single_addresses_are_found() {
        let set = set(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "10.1.0.0/16"]);
        for inside in [
            "10.0.0.0",
            "10.255.255.255",
            "192.0.2.7",
            "2001:db8::1",
            "::ffff:10.1.2.3",
        ] {
            assert!(set.contains(ip(inside)), "{inside}");
        }
        for outside in [
            "9.255.255.255",
            "11.0.0.0",
            "192.0.2.8",
            "2001:db9::",
            "::1",
        ] {
            assert!(!set.contains(ip(outside)), "{outside}");
        }
    }

    #[test]
    fn a_mapped_network_is_one_of_ipv4() {
        assert!(set(&["::ffff:10.0.0.0/104"]).contains(ip("10.9.9.9")));
        assert!(!set(&["::/0"]).contains(ip("10.9.9.9")));
    }

    #[test]
    fn a_slip_in_an_entry_is_not_guessed() {
        for entry in ["10.1.2.3/8", "10.0.0.0/33", "localhost", "", "10.0.0"] {
            assert!(AddressSet::parse_entry(entry).is_err(), "{entry}");
        }
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        let trusted = ["10.0.0.0/8"];
        // Whoever is no proxy of ours cannot say anything.
        assert_eq!(
            client("192.0.2.1", &["198.51.100.9"], &trusted).unwrap(),
            "192.0.2.1"
        );
        // The spoofed left part does not count.
        assert_eq!(
            client("10.0.0.1", &["127.0.0.1, 198.51.100.9"], &trusted).unwrap(),
            "198.51.100.9"
        );
        assert_eq!(
            client("10.0.0.1", &["1.1.1.1", "198.51.100.9, 10.0.0.2"], &trusted).unwrap(),
            "198.51.100.9"
        );
        assert_eq!(
            client("10.0.0.1", &["[2001:db8::1]:443"], &trusted).unwrap(),
            "2001:db8::1"
        );
        assert_eq!(
            client("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &trusted).unwrap(),
            "10.0.0.3"
        );
        assert_eq!(client("10.0.0.1", &[], &trusted).unwrap(), "10.0.0.1");
        assert_eq!(
            client("::ffff:10.0.0.1", &["198.51.100.9"], &trusted).unwrap(),
            "198.51.100.9"
        );
    }

    #[test]
    fn what_a_trusted_proxy_garbles_is_refused_and_garbage_further_left_is_not_read() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(
            client("10.0.0.1", &["unknown"], &trusted),
            Err("ip.forwarded")
        );
        assert_eq!(
            client("10.0.0.1", &["1.1.1.1,"], &trusted),
            Err("ip.forwarded")
        );
        let long = vec!["10.0.0.2"; 40].join(",");
        assert_eq!(client("10.0.0.1", &[&long], &trusted), Err("ip.forwarded"));
        assert_eq!(
            client("10.0.0.1", &["<script>, 198.51.100.9"], &trusted).unwrap(),
            "198.51.100.9"
        );
    }

    #[test]
    fn a_host_cannot_escape_its_limit_within_its_64() {
        assert_eq!(
            client_key(ip("2001:db8::1")),
            client_key(ip("2001:db8::ffff:1"))
        );
        assert_ne!(
            client_key(ip("2001:db8::1")),
            client_key(ip("2001:db8:0:1::1"))
        );
        assert_eq!(
            client_key(ip("::ffff:192.0.2.1")),
            client_key(ip("192.0.2.1"))
        );
        assert_ne!(client_key(ip("192.0.2.1")), client_key(ip("192.0.2.2")));
    }

    proptest! {
        #[test]
        fn a_set_agrees_with_asking_every_network(
            networks in prop::collection::vec((any::<u32>(), 0u8..=32), 0..20),
            addresses in prop::collection::vec(any::<u32>(), 0..50),
        ) {
            let networks: Vec<ipnet::Ipv4Net> = networks
                .into_iter()
                .map(|(bits, prefix)| ipnet::Ipv4Net::new(bits.into(), prefix).unwrap().trunc())
                .collect();
            let set = AddressSet::of(networks.iter().copied().map(IpNet::V4));
            let ends = networks.iter().flat_map(|n| [u32::from(n.network()), u32::from(n.broadcast())]);
            for bits in addresses.into_iter().chain(ends.flat_map(|e| [e, e.wrapping_sub(1), e.wrapping_add(1)])) {
                let address: std::net::Ipv4Addr = bits.into();
                prop_assert_eq!(set.contains(address.into()), networks.iter().any(|n| n.contains(&address)));
            }
        }

        #[test]
        fn no_header_makes_the_client_reading_panic(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..5)) {
            let trusted = set(&["10.0.0.0/8"]);
            let _ = client_address(ip("10.0.0.1"), values.iter().map(Vec::as_slice), &trusted);
        }
    }
}
