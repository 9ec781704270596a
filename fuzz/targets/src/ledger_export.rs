//! Exported ledgers: nothing panics, and a made-up file never verifies as somebody's.

/// One input.
pub fn run(data: &[u8]) {
    let file = std::env::temp_dir().join(format!("portcullis-fuzz-{}", std::process::id()));
    if std::fs::write(&file, data).is_ok() {
        let _ = audit::verify_export(&file, None);
    }
}
