//! Which addresses a process listens on, as the system tells it.
//! Exports `listens`. Reads `/proc` only.
//! Used by `doctor`, to tell our own server from another program on its port.
//! Start reading at `listens`.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Whether the process listens on the address. `None` where the system does not say.
pub(super) fn listens(process: u32, address: SocketAddr) -> Option<bool> {
    let held = held(process)?;
    let tables = ["tcp", "tcp6"].map(|name| format!("/proc/{process}/net/{name}"));
    let texts = tables
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    let texts: Vec<String> = texts.collect();
    let mut sockets = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(listening);
    Some(sockets.any(|(at, inode)| at == address && held.contains(inode)))
}

/// Numbers of the sockets a process holds.
fn held(process: u32) -> Option<BTreeSet<String>> {
    let entries = fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let links = entries
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok());
    let inode = |link: std::path::PathBuf| {
        let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        Some(inode.to_owned())
    };
    Some(links.filter_map(inode).collect())
}

/// Address and number of a socket that listens: proc(5), columns `local_address`, `st` and `inode`.
fn listening(line: &str) -> Option<(SocketAddr, &str)> {
    const LISTEN: &str = "0A";
    let mut columns = line.split_ascii_whitespace();
    let local = columns.nth(1)?;
    let state = columns.nth(1)?;
    let inode = columns.nth(5)?;
    let (ip, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let is_listening = state == LISTEN;
    is_listening.then_some((SocketAddr::new(address(ip)?, port), inode))
}

/// Words of 32 bits as the machine holds them, in hexadecimal: one for IPv4, four for IPv6.
fn address(text: &str) -> Option<IpAddr> {
    let words = text.as_bytes().chunks(8).map(|digits| {
        let digits = std::str::from_utf8(digits).ok()?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    });
    let bytes = words.collect::<Option<Vec<_>>>()?.concat();
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(bytes) => Some(Ipv4Addr::from(bytes).into()),
        Err(_) => {
            let bytes = <[u8; 16]>::try_from(bytes.as_slice()).ok()?;
            Some(Ipv6Addr::from(bytes).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn our_own_listeners_are_found_and_nobody_elses() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                continue;
            };
            let address = listener.local_addr().unwrap();
            assert_eq!(listens(std::process::id(), address), Some(true));
            drop(listener);
            assert_eq!(listens(std::process::id(), address), Some(false));
        }
        assert_eq!(listens(u32::MAX, "127.0.0.1:1".parse().unwrap()), None);
    }

    #[test]
    fn lines_that_are_no_listeners_are_passed_over() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        let connected = "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 77 1";
        let listens = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 42 1";
        assert_eq!(listening(head), None);
        assert_eq!(listening(connected), None);
        let found = listening(listens).unwrap();
        if cfg!(target_endian = "little") {
            assert_eq!(found, ("127.0.0.1:8080".parse().unwrap(), "42"));
        }
    }
}
