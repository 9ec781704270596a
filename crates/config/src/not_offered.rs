//! What the product describes but this release does not do: refused by name, so that nobody believes it is active.
//! Exports `setting` (keys) and `directory`. Once something is offered, its line here goes.
//! Used by `de` for unknown keys and by compile for directories.
//! Start reading at `SETTINGS`.

/// Kind, key, and what to do instead.
const SETTINGS: &[(&str, &str, &str)] = &[
    (
        "Credentials",
        "oauth_client",
        "Use `api_key`; OAuth clients come with a later release.",
    ),
    (
        "Server",
        "telemetry",
        "Metrics are at `/metrics` of the admin listener; exporting them is not configured.",
    ),
    (
        "Store",
        "postgres",
        "Use `dir`; the embedded store serves one node. A shared store comes with a later release.",
    ),
];

/// Directory and what to do instead.
const DIRECTORIES: &[(&str, &str)] = &[
    (
        "connections",
        "Take the directory `connections/` out; connections come with a later release.",
    ),
    (
        "flows",
        "Take the directory `flows/` out; flows come with a later release.",
    ),
    (
        "tests",
        "Take the directory `tests/` out; policy expectations come with a later release.",
    ),
];

/// Help for a key that is known to the product but not offered yet.
pub fn setting(kind: &str, key: &str) -> Option<&'static str> {
    let found = SETTINGS
        .iter()
        .find(|(k, name, _)| *k == kind && *name == key);
    found.map(|(_, _, help)| *help)
}

/// Help for a directory whose files are not offered yet.
pub fn directory(name: &str) -> Option<&'static str> {
    DIRECTORIES
        .iter()
        .find(|(directory, _)| *directory == name)
        .map(|(_, help)| *help)
}
