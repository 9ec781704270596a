//! Who holds a port, where Linux lets us see it: the helpful half of "address in use".
//! Exports `of`.
//! Used when a listener cannot bind.
//! Start reading at `of`.

use std::fs;
use std::path::Path;

/// ` by NAME (pid N)`, or ` by another process` when it is not ours to see.
pub(super) fn of(port: u16) -> String {
    let found = inode_listening_on(port).and_then(|inode| process_with(&inode));
    match found {
        Some((name, pid)) => format!(" by {name} (pid {pid})"),
        None => String::from(" by another process"),
    }
}

/// The socket's inode from the tables of listening sockets.
fn inode_listening_on(port: u16) -> Option<String> {
    const LISTENING: &str = "0A";
    let port = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| {
            table.lines().skip(1).find_map(|line| {
                let mut words = line.split_whitespace();
                let local = words.nth(1)?;
                let state = words.nth(1)?;
                let inode = words.nth(5)?;
                (local.ends_with(&port) && state == LISTENING).then(|| inode.to_owned())
            })
        })
}

fn process_with(inode: &str) -> Option<(String, u32)> {
    let wanted = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let holds = fs::read_dir(entry.path().join("fd"))
            .ok()?
            .flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == Path::new(&wanted)));
        let name = holds.then(|| fs::read_to_string(entry.path().join("comm")))?;
        Some((name.ok()?.trim().to_owned(), pid))
    })
}
