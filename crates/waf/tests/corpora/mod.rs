//! Where published material lies, and how its files are read.

use std::path::{Path, PathBuf};

/// The folder, or `None` with a visible SKIP.
pub fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.is_dir() {
        return Some(path);
    }
    println!("SKIP: no corpus at {}", path.display());
    None
}

/// The last segment of a path.
pub fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
