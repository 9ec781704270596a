//! Where a running server is found from its configuration directory, whatever has become of the files in it.
//! Exports `announce`, `renew`, `withdraw`, `announced`.
//! Written by whoever starts a server; read by the command line before anything else.
//! Start reading at `announced`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Directory below the configuration that holds it; no configuration is read from there.
const DIRECTORY: &str = ".portcullis";
/// Name of the file.
const FILE: &str = "server.json";
/// Largest announcement that is read.
const BYTES_MAX: u64 = 16 * 1024;

/// What a running server says about itself.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Announcement {
    /// The configuration directory it was written for: a copy of the directory is not the server's.
    directory: PathBuf,
    /// Where the server listens.
    socket: PathBuf,
    /// The server's process.
    process: u32,
}

/// Says where the server of this directory listens.
///
/// # Errors
/// When nothing can be written there. The server is then found by what its file says about the store.
pub fn announce(dir: &Path, socket: &Path) -> io::Result<()> {
    let below = dir.join(DIRECTORY);
    if !below.is_dir() {
        fs::create_dir(&below)?;
    }
    let announcement = Announcement {
        directory: dir.canonicalize()?,
        socket: socket.canonicalize()?,
        process: std::process::id(),
    };
    // Whole or not at all: somebody may be reading it.
    let beside = below.join(format!("{FILE}.new"));
    fs::write(&beside, serde_json::to_vec(&announcement)?)?;
    fs::rename(&beside, below.join(FILE))
}

/// Says it again where it is no longer said: somebody cleared the directory, or copied another one over it. What another
/// server of the same directory says is left alone.
pub fn renew(dir: &Path, socket: &Path) {
    let own = dir.canonicalize().ok();
    let is_said = read(dir).is_some_and(|found| Some(found.directory) == own);
    if !is_said {
        // Where nothing can be written, the server is found by what its file says about the store.
        drop(announce(dir, socket));
    }
}

/// Takes back what this process announced; another server's word is left alone.
pub fn withdraw(dir: &Path) {
    if read(dir).is_some_and(|found| found.process == std::process::id()) {
        drop(fs::remove_file(dir.join(DIRECTORY).join(FILE)));
    }
}

/// Where the server of this directory said that it listens. It may be gone.
pub fn announced(dir: &Path) -> Option<PathBuf> {
    let found = read(dir)?;
    let is_own = dir.canonicalize().is_ok_and(|own| own == found.directory);
    (is_own && found.socket.is_absolute()).then_some(found.socket)
}

fn read(dir: &Path) -> Option<Announcement> {
    let path = dir.join(DIRECTORY).join(FILE);
    let meta = fs::metadata(&path).ok()?;
    if !meta.is_file() || meta.len() > BYTES_MAX {
        return None;
    }
    serde_json::from_slice(&fs::read(&path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_announced_is_found_and_taken_back() {
        let home = tempfile::tempdir().unwrap();
        let (dir, socket) = (home.path().join("gate"), home.path().join("admin.sock"));
        fs::create_dir(&dir).unwrap();
        fs::write(&socket, "").unwrap();
        assert_eq!(announced(&dir), None);
        announce(&dir, &socket).unwrap();
        announce(&dir, &socket).unwrap();
        assert_eq!(announced(&dir), Some(socket.canonicalize().unwrap()));
        withdraw(&dir);
        assert_eq!(announced(&dir), None);
    }

    #[test]
    fn what_was_taken_away_or_overwritten_is_said_again() {
        let home = tempfile::tempdir().unwrap();
        let (dir, other) = (home.path().join("gate"), home.path().join("other"));
        let socket = home.path().join("admin.sock");
        fs::write(&socket, "").unwrap();
        for dir in [&dir, &other] {
            fs::create_dir(dir).unwrap();
            announce(dir, &socket).unwrap();
        }
        let file = Path::new(DIRECTORY).join(FILE);
        let spoil: [&dyn Fn(); 4] = [
            &|| fs::remove_file(dir.join(&file)).unwrap(),
            &|| fs::remove_dir_all(dir.join(DIRECTORY)).unwrap(),
            &|| fs::write(dir.join(&file), "{").unwrap(),
            &|| assert!(fs::copy(other.join(&file), dir.join(&file)).is_ok()),
        ];
        for spoil in spoil {
            spoil();
            assert_eq!(announced(&dir), None);
            renew(&dir, &socket);
            assert_eq!(announced(&dir), Some(socket.canonicalize().unwrap()));
        }
        let found = read(&dir).unwrap();
        let second = Announcement {
            process: 0,
            ..found
        };
        let text = serde_json::to_vec(&second).unwrap();
        fs::write(dir.join(&file), &text).unwrap();
        renew(&dir, &socket);
        assert_eq!(
            fs::read(dir.join(&file)).unwrap(),
            text,
            "another server's word stays"
        );
    }

    #[test]
    fn a_copy_of_the_directory_leads_to_no_server() {
        let home = tempfile::tempdir().unwrap();
        let (dir, copy) = (home.path().join("gate"), home.path().join("copy"));
        let socket = home.path().join("admin.sock");
        fs::create_dir(&dir).unwrap();
        fs::create_dir_all(copy.join(DIRECTORY)).unwrap();
        fs::write(&socket, "").unwrap();
        announce(&dir, &socket).unwrap();
        let file = Path::new(DIRECTORY).join(FILE);
        fs::copy(dir.join(&file), copy.join(&file)).unwrap();
        assert_eq!(announced(&copy), None);
    }

    #[test]
    fn nonsense_is_no_announcement_and_another_servers_word_stays() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        fs::create_dir(dir.join(DIRECTORY)).unwrap();
        let file = dir.join(DIRECTORY).join(FILE);
        let long = vec![b' '; 20_000];
        for text in [&b"{"[..], b"{}", &long, b"\xff"] {
            fs::write(&file, text).unwrap();
            assert_eq!(announced(dir), None);
        }
        let other = Announcement {
            directory: dir.canonicalize().unwrap(),
            socket: "/run/admin.sock".into(),
            process: 0,
        };
        fs::write(&file, serde_json::to_vec(&other).unwrap()).unwrap();
        withdraw(dir);
        assert_eq!(announced(dir), Some("/run/admin.sock".into()));
    }
}
