//! Hosts: how they are read, which ones only an internal network knows, and which of those an operator allows.
//! Exports `Hosts` (the allowed ones) and `HostPattern`. Pure: no name is looked up.
//! Used by `settings`, which are checked when a configuration loads, and by the rules about addresses.
//! Start reading at `HostPattern::parse`.

pub(crate) mod address;
pub(crate) mod names;

use std::net::IpAddr;

/// Most hosts of one list; each address is compared with all of them.
pub const HOSTS_MAX: usize = 200;

/// A host that addresses may lead to although it is internal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This name and no other, in lower case.
    Name(String),
    /// Every name that ends like this; the dot is part of it.
    Below(String),
    /// This address in the notation people write.
    Address(IpAddr),
}

/// The hosts that are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hosts(pub(crate) Vec<HostPattern>);

impl HostPattern {
    /// Reads `files.plant.internal`, `*.plant.internal`, `10.0.4.17` or `fd00::17`.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with the host.
    pub fn parse(text: &str) -> Result<HostPattern, &'static str> {
        let plain = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = plain.unwrap_or(text).parse::<IpAddr>() {
            let found = address::read(plain.unwrap_or(text).as_bytes());
            if found.is_some_and(|found| found.hidden) {
                return Err("is written in a notation that hides where it leads");
            }
            if found.is_some_and(|found| found.is_metadata()) || is_own(address) {
                return Err("is this machine or a metadata service, which no address may lead to");
            }
            return Ok(HostPattern::Address(address));
        }
        let lower = text.to_ascii_lowercase();
        let name = lower.strip_suffix('.').unwrap_or(&lower);
        let (name, is_below) = match name.strip_prefix("*.") {
            Some(below) => (below, true),
            None => (name, false),
        };
        if !names::is_name(name) {
            return Err("is no host: write a name or an address, without scheme, port or path");
        }
        // A service of the cluster is a neighbour like others.
        let is_service = name.ends_with(".svc.cluster.local");
        if !is_service && address::read(name.as_bytes()).is_some() {
            return Err("is this machine or a metadata service, which no address may lead to");
        }
        Ok(if is_below {
            HostPattern::Below(format!(".{name}"))
        } else {
            HostPattern::Name(name.to_owned())
        })
    }
}

/// Nobody means this machine, or whatever is on the same wire, when they allow a host.
fn is_own(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_unspecified() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local(),
    }
}

impl Hosts {
    /// Whether an address may lead to this host, written as it came.
    pub(crate) fn allow(&self, host: &[u8]) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let Ok(text) = std::str::from_utf8(host) else {
            return false;
        };
        let lower = text.to_ascii_lowercase();
        let name = lower.strip_suffix('.').unwrap_or(&lower);
        self.0.iter().any(|pattern| match pattern {
            HostPattern::Name(known) => known == name,
            HostPattern::Below(ending) => name
                .strip_suffix(ending.as_str())
                .is_some_and(|head| !head.is_empty()),
            HostPattern::Address(known) => name.parse() == Ok(*known),
        })
    }

    /// Whether nothing is allowed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(texts: &[&str]) -> Hosts {
        Hosts(
            texts
                .iter()
                .map(|text| HostPattern::parse(text).unwrap())
                .collect(),
        )
    }

    #[test]
    fn a_host_is_allowed_as_it_is_listed() {
        let hosts = hosts(&[
            "web",
            "*.plant.internal",
            "10.0.4.17",
            "[fd00::17]",
            "Nas.local.",
        ]);
        for host in [
            "web",
            "WEB.",
            "a.plant.internal",
            "b.a.plant.internal",
            "10.0.4.17",
            "fd00:0::17",
            "nas.local",
        ] {
            assert!(hosts.allow(host.as_bytes()), "{host}");
        }
        for host in [
            "web2",
            "plant.internal",
            ".plant.internal",
            "xplant.internal",
            "10.0.4.18",
            "10.0.1041",
            "web..",
            "db",
            "",
        ] {
            assert!(!hosts.allow(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn what_may_never_be_called_cannot_be_listed() {
        for text in [
            "localhost",
            "localhost.",
            "127.0.0.1",
            "127.1",
            "0.0.0.0",
            "[::1]",
            "169.254.169.254",
            "metadata.google.internal",
            "::ffff:10.0.0.1",
            "*.localhost",
            "2130706433",
            "0x7f.1",
            "kubernetes.default",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
        for text in [
            "",
            "*",
            "*.",
            "http://web",
            "web:80",
            "web/x",
            "a b",
            "a..b",
            ".a",
            "we*b",
            "-",
            "käse",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }
}
