//! A configuration directory of its own for one test.
//! Exports `Gate`: the demo's files, or a small purpose-made gate, with every port free and on loopback.
//! Used by the suite.
//! Start reading at `Gate::demo` and `Gate::small`.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use demo::Ports;
use model::Timestamp;
use tempfile::TempDir;

/// A configuration directory. Deleted when dropped.
#[derive(Debug)]
pub struct Gate {
    home: TempDir,
    /// Environment of the server and of every command.
    pub(crate) environment: BTreeMap<String, String>,
}

impl Gate {
    /// The demo's files, certificates and key, on free ports, in front of `upstream`. Without health checks, so that an
    /// upstream that saw nothing was truly not called. Limits stay as the demo has them.
    pub fn demo(upstream: SocketAddr) -> Gate {
        let gate = Gate::empty();
        let ports = Ports {
            local: 0,
            public: 0,
            internal: 0,
            admin: 0,
            upstream: upstream.port(),
        };
        demo::prepare(gate.home.path(), &ports, now()).expect("the demo's files can be written");
        gate.edit(
            "apis/field-service.yaml",
            "      health: { path: /health }\n",
            "",
        );
        gate
    }

    /// A small gate: api `notes/v1` in front of `upstream`, listeners `public` (plain) and `admin` (plain), integrations
    /// `alpha` (reads and writes notes) and `beta` (reads `id` and `title` only). No blocks, wide limits.
    pub fn small(upstream: SocketAddr) -> Gate {
        let gate = Gate::empty();
        for (path, text) in SMALL {
            gate.write(path, text.replace("@UPSTREAM@", &upstream.to_string()));
        }
        gate.secret("kek", crypto::Kek::generate_text().expose());
        gate
    }

    /// A copy of a configuration directory with everything in it. Permissions become those of a new directory, so that
    /// what version control keeps of them does not matter.
    pub fn copied(from: &Path) -> Gate {
        let gate = Gate::empty();
        copy(from, &gate.dir());
        gate
    }

    /// With a listener `secure` beside `public`, over TLS, with a certificate of the demo's authority (`ca.pem`). Of the small gate.
    #[must_use]
    pub fn secured(self) -> Gate {
        demo::write_certificates(self.home.path(), now()).expect("certificates can be written");
        self.edit(
            "portcullis.yaml",
            "  admin:\n",
            "  secure:\n    address: \"127.0.0.1:0\"\n    \
             tls: { cert: tls/public.pem, key: \"file:tls/public.key\" }\n  admin:\n",
        );
        let text = self.text("apis/notes.yaml");
        let exposed = text.lines().find(|line| line.starts_with("      public: "));
        let exposed = exposed.expect("what is exposed is a line");
        let both = format!("{exposed}\n{}", exposed.replacen("public", "secure", 1));
        self.edit("apis/notes.yaml", exposed, &both);
        self
    }

    /// Stands in for a gate that was taken out of its server.
    pub(crate) fn nothing() -> Gate {
        Gate::empty()
    }

    fn empty() -> Gate {
        let home = tempfile::Builder::new()
            .prefix("pc-")
            .tempdir()
            .expect("a temporary directory can be made");
        fs::create_dir(home.path().join("gate")).expect("a directory can be made");
        Gate {
            home,
            environment: BTreeMap::new(),
        }
    }

    /// The configuration directory.
    pub fn dir(&self) -> PathBuf {
        self.home.path().join("gate")
    }

    /// The directory around the configuration; `ca.pem` of the demo lies here.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where the store and the ledger lie.
    pub fn data(&self) -> PathBuf {
        self.dir().join("data")
    }

    /// The demo's certificate authority.
    pub fn ca(&self) -> Vec<u8> {
        fs::read(self.home.path().join("ca.pem")).expect("the demo has an authority")
    }

    /// Text of a file.
    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.dir().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    /// Writes a file whole, as an editor would: beside it first, then in its place.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let place = self.dir().join(path);
        fs::create_dir_all(place.parent().expect("a file has a directory"))
            .expect("a directory can be made");
        let beside = self.home.path().join("being-written");
        fs::write(&beside, text).expect("a file can be written");
        fs::rename(&beside, &place).expect("a file can be put in place");
    }

    /// Writes a file that only its owner may read.
    pub fn secret(&self, path: &str, text: &str) {
        self.write(path, text);
        mode(&self.dir().join(path), 0o600);
    }

    /// Replaces text in a file; it has to be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.text(path);
        assert!(text.contains(from), "{path} does not contain {from:?}");
        self.write(path, text.replace(from, to));
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.dir().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"));
    }

    /// Makes every TLS listener of the demo plain, so that raw bytes can be sent to it.
    #[must_use]
    pub fn all_plain(self) -> Gate {
        for name in ["public", "internal"] {
            let tls = format!("tls: {{ cert: tls/{name}.pem, key: \"file:tls/{name}.key\" }}");
            self.edit("portcullis.yaml", &tls, "plain: true");
        }
        self
    }

    /// Wide limits and no blocks, for tests that send much and are not about limits.
    #[must_use]
    pub fn unlimited(self) -> Gate {
        let text = self.text("portcullis.yaml");
        let lines: Vec<&str> = text
            .lines()
            .map(|line| match line.trim_start() {
                rest if rest.starts_with("blocks:") => "  blocks: off",
                rest if rest.starts_with("address_limit:") => {
                    "  address_limit: { rate: 100000/s, burst: 100000 }"
                }
                _ => line,
            })
            .collect();
        self.write("portcullis.yaml", lines.join("\n") + "\n");
        for name in self.names("integrations") {
            let path = format!("integrations/{name}");
            let text = self.text(&path);
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| !line.starts_with("limits:") && !line.starts_with("  - { per: "))
                .collect();
            self.write(&path, lines.join("\n") + "\n");
        }
        self
    }

    /// With a variable in the environment of the server and of every command.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Gate {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Names of the files in a directory of the configuration.
    pub fn names(&self, dir: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.dir().join(dir))
            .unwrap_or_else(|why| panic!("{dir}: {why}"))
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// Copies the files of a directory and of those below it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("a directory can be read") {
        let path = entry.expect("a directory can be read").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::write(&target, fs::read(&path).expect("a file can be read"))
                .expect("a file can be written");
        }
    }
}

/// Sets the permissions of a file.
fn mode(path: &Path, bits: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).expect("permissions can be set");
}

/// The time.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The small gate. `@UPSTREAM@` stands for the upstream's address.
const SMALL: &[(&str, &str)] = &[
    ("portcullis.yaml", include_str!("../gate/portcullis.yaml")),
    ("apis/notes.yaml", include_str!("../gate/apis/notes.yaml")),
    (
        "apis/notes.v1.openapi.yaml",
        include_str!("../gate/apis/notes.v1.openapi.yaml"),
    ),
    (
        "integrations/alpha.yaml",
        include_str!("../gate/integrations/alpha.yaml"),
    ),
    (
        "integrations/beta.yaml",
        include_str!("../gate/integrations/beta.yaml"),
    ),
];
