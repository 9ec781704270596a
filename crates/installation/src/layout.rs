//! What the server's file says about places outside of it, however broken the rest of the configuration is.
//! Exports `Layout`, `layout`, `kek_reference`.
//! Used while a configuration is read, and by commands that look for a store or a key beside a broken one.
//! Start reading at `Layout`.

use std::fs;
use std::path::{Path, PathBuf};

use config::files::FILE_BYTES_MAX;
use config::{Files, Located, SecretRef, entries};

/// What the server's file says about the other directories, however broken the rest of it is.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Directories of rules.
    pub rules: Vec<String>,
    /// Directory of the store; it holds no configuration.
    pub store: String,
    /// Where destinations of records lead, by their names.
    pub destinations: Vec<(String, PathBuf)>,
    /// What may be the path of a key, a certificate or another file that is read.
    pub named: Vec<String>,
}

/// The directories that the server's file names now.
pub fn layout(dir: &Path) -> Layout {
    let files = server_file(dir);
    Layout {
        rules: config::rule_directories(&files),
        store: entries::store_directory(&files),
        destinations: entries::destination_paths(&files),
        named: entries::named_files(&files),
    }
}

/// Where the server's file says that the key-encryption key is, however broken the rest of the configuration is.
pub fn kek_reference(dir: &Path) -> Option<Located<SecretRef>> {
    entries::kek_reference(&server_file(dir))
}

/// The server's file alone; nothing where it cannot be read.
fn server_file(dir: &Path) -> Files {
    let mut files = Files::new();
    let path = dir.join(config::files::SERVER_FILE);
    // Where it cannot be read at all, that is said elsewhere.
    if fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= FILE_BYTES_MAX as u64)
        && let Ok(bytes) = fs::read(&path)
    {
        files.insert(config::files::SERVER_FILE, bytes);
    }
    files
}

impl Layout {
    /// Whether an entry of the configuration directory belongs to the store or to rules, and is read elsewhere.
    pub(crate) fn leaves_out(&self, root: &Path, path: &Path, name: &str) -> bool {
        let is_store = root.join(&self.store) == path;
        let store = if is_store { name } else { &self.store };
        entries::is_left_out(name, store, &self.rules)
    }
}
