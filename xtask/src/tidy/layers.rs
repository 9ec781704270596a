//! Who may know whom: arrows between rooms point down, heavy libraries stay in their room.
//! Exports `complaints`.
//! Used by `tidy::all`.
//! Start reading at `ARROWS`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A room and the rooms it may use. The order is the order of the levels, lowest first.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("yaml", &["model"]),
    ("crypto", &["model"]),
    ("waf", &[]),
    ("contract", &["model", "yaml"]),
    ("identity", &["crypto", "model"]),
    ("policy", &["model"]),
    ("destinations", &["model"]),
    (
        "config",
        &[
            "contract",
            "crypto",
            "destinations",
            "identity",
            "model",
            "policy",
            "waf",
            "yaml",
        ],
    ),
    ("init", &["config", "contract", "model"]),
    ("net", &["crypto", "model"]),
    ("store", &["crypto", "model"]),
    ("audit", &["crypto", "model", "store"]),
    (
        "gateway",
        &[
            "audit", "config", "contract", "crypto", "identity", "model", "net", "policy", "store",
            "waf",
        ],
    ),
    (
        "review",
        &["config", "contract", "gateway", "model", "policy"],
    ),
    (
        "control",
        &[
            "audit",
            "config",
            "contract",
            "crypto",
            "destinations",
            "gateway",
            "identity",
            "model",
            "net",
            "policy",
            "store",
            "waf",
        ],
    ),
    (
        "installation",
        &[
            "audit", "config", "control", "crypto", "gateway", "identity", "model", "net", "store",
        ],
    ),
    ("demo", &["config", "contract", "crypto", "model", "net"]),
    (
        "company",
        &[
            "audit",
            "control",
            "crypto",
            "demo",
            "identity",
            "installation",
        ],
    ),
];

/// Rooms that must not even indirectly reach sockets or a runtime.
const PURE: &[&str] = &[
    "model",
    "yaml",
    "crypto",
    "waf",
    "contract",
    "identity",
    "policy",
    "destinations",
    "config",
    "init",
];
const RUNTIMES: &[&str] = &["tokio", "mio", "socket2", "hyper"];

/// A heavy library and the only room that may name it.
const FENCES: &[(&str, &[&str])] = &[
    ("aws-lc-rs", &["crypto"]),
    ("cedar-policy", &["policy"]),
    ("granit-parser", &["yaml"]),
    ("hyper", &["net"]),
    ("jsonschema", &["contract"]),
    ("rusqlite", &["store"]),
    ("rustls", &["net"]),
    ("barbacane-libinjection", &["waf"]),
];

/// Crates that must not be in the shipped graph at all.
const BANNED: &[&str] = &[
    "openssl",
    "openssl-sys",
    "native-tls",
    "ring",
    "reqwest",
    "serde_yaml",
    "serde_yml",
    "rustls-pemfile",
    "atty",
    "dotenv",
];

/// The shipped graph stays below this number of crates; it grows only by decision.
const SHIPPED_MAX: usize = 350;

/// Breaches of the layering.
pub fn complaints(root: &Path) -> Vec<String> {
    let mut out = Vec::new();
    for (room, allowed) in ARROWS {
        let names = direct_dependencies(root, room);
        for (other, _) in ARROWS {
            if names.contains(*other) && !allowed.contains(other) {
                out.push(format!("crates/{room}/Cargo.toml: `{room}` may not use `{other}`; arrows point down (xtask/src/tidy/layers.rs)"));
            }
        }
        for (library, rooms) in FENCES {
            if names.contains(*library) && !rooms.contains(room) {
                out.push(format!("crates/{room}/Cargo.toml: `{library}` belongs to {rooms:?} only; ask that room for what you need"));
            }
        }
    }
    for room in PURE {
        let tree = tree(root, room);
        for runtime in RUNTIMES.iter().filter(|r| tree.contains(**r)) {
            out.push(format!("crates/{room}: reaches `{runtime}`; judges stay pure (see `cargo tree -p {room} -i {runtime}`)"));
        }
    }
    out.extend(shipped(root));
    out
}

fn shipped(root: &Path) -> Vec<String> {
    let tree = tree(root, "portcullis");
    let mut out: Vec<String> = BANNED
        .iter()
        .filter(|banned| tree.contains(**banned))
        .map(|banned| format!("the shipped graph holds `{banned}`, which is banned (deny.toml)"))
        .collect();
    if tree.len() > SHIPPED_MAX {
        out.push(format!(
            "the shipped graph holds {} crates, more than {SHIPPED_MAX}",
            tree.len()
        ));
    }
    out
}

/// Names under `[dependencies]` of a room's manifest.
fn direct_dependencies(root: &Path, room: &str) -> BTreeSet<String> {
    let manifest =
        fs::read_to_string(root.join("crates").join(room).join("Cargo.toml")).unwrap_or_default();
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Every crate compiled into a room on Linux, without build and development dependencies.
fn tree(root: &Path, room: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--target",
            "x86_64-unknown-linux-gnu",
            "-p",
            room,
        ])
        .current_dir(root)
        .output();
    let text = output
        .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
        .unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}
