//! Usual clients, unmodified, against a plain listener and one over TLS: curl, Python's requests and httpx, Node's fetch, Java's HttpClient,
//! Go's net/http. Each program in `clients/` makes the same calls and has to read the same answers, early refusals of large bodies included.
//! What is not installed is skipped, and says so. Start reading at `CALLS`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::{Gate, Key, Play, RecordingUpstream, Server, answer, json_response};

use crate::serve;

const NOTE: &str = r#"{"id":"1","title":"t"}"#;
/// Sixteen times what the gate takes, and more than the buffers between two programs.
const LARGE_BYTES: usize = 4 << 20;

/// The calls that every client makes: name, status, and what the answer is: a body, or the code of a refusal.
const CALLS: [(&str, u16, Body); 14] = [
    ("get", 200, Body::Is(NOTE)),
    ("post", 201, Body::Is(NOTE)),
    ("put", 200, Body::Is(NOTE)),
    ("delete", 204, Body::Is("")),
    ("head", 200, Body::Is("")),
    ("options", 405, Body::Code("route.method_not_allowed")),
    // The body is refused before all of it was sent: for its size, and for who sends it where.
    ("too large", 413, Body::Code("http.too_large")),
    ("no key", 401, Body::Code("authn.missing")),
    ("no grant", 403, Body::Code("authz.operation_not_granted")),
    ("no path", 404, Body::Code("route.not_found")),
    // Of no known length.
    ("chunks", 201, Body::Is(NOTE)),
    ("again", 200, Body::Is(NOTE)),
    (
        "list",
        200,
        Body::Holds(r#""items":[{"id":"1","title":"t"}]"#),
    ),
    (
        "next",
        200,
        Body::Holds(r#""items":[{"id":"2","title":"t"}]"#),
    ),
];

#[derive(Clone, Copy)]
enum Body {
    Is(&'static str),
    Holds(&'static str),
    Code(&'static str),
}

struct Stage {
    upstream: RecordingUpstream,
    server: Server,
    key: Key,
    weaker: Key,
}

const PAGES: &str = r##"  /pages:
    get:
      operationId: listPages
      parameters:
        - { name: limit, in: query, x-portcullis-page: size, schema: { type: integer, minimum: 1, maximum: 100 } }
        - { name: cursor, in: query, x-portcullis-page: cursor, schema: { type: string, maxLength: 400 } }
      responses:
        "200":
          description: Done
          content:
            application/json:
              schema:
                type: object
                required: [items]
                properties:
                  items: { type: array, items: { $ref: "#/components/schemas/Note" } }
                  next: { type: [string, "null"], x-portcullis-page: cursor }
  /searches:
"##;

impl Stage {
    fn open() -> Stage {
        let upstream = RecordingUpstream::start(|asked| {
            Play::Response(match asked.method.as_str() {
                "DELETE" => answer(204, &[], b""),
                "POST" => json_response(201, NOTE),
                _ if asked.target.contains("cursor=") => {
                    json_response(200, r#"{"items":[{"id":"2","title":"t"}],"next":null}"#)
                }
                _ if asked.target.contains("/pages") => {
                    json_response(200, r#"{"items":[{"id":"1","title":"t"}],"next":"two"}"#)
                }
                _ => json_response(200, NOTE),
            })
        });
        let gate = Gate::small(upstream.address());
        gate.edit("apis/notes.v1.openapi.yaml", "  /searches:\n", PAGES);
        gate.edit("apis/notes.yaml", "searchNotes]", "searchNotes, listPages]");
        gate.edit(
            "integrations/alpha.yaml",
            "grants:\n",
            "grants:\n  - api: notes/v1\n    operations: [listPages]\n    fields: [id, title, $.next]\n",
        );
        let server = serve(gate.secured());
        let (key, weaker) = (
            server.quick_key("alpha", &[]),
            server.quick_key("beta", &[]),
        );
        Stage {
            upstream,
            server,
            key,
            weaker,
        }
    }

    fn authority(&self) -> PathBuf {
        self.server.gate.home().join("ca.pem")
    }

    /// Where clients call: plain, and over TLS with the authority that signs for it.
    fn bases(&self) -> [(String, String); 2] {
        let plain = format!("http://{}", self.server.address("public"));
        let port = self.server.address("secure").port();
        let authority = self.authority().display().to_string();
        let secure = format!("https://localhost:{port}");
        [(plain, String::new()), (secure, authority)]
    }

    /// Runs a program at both listeners and compares what it read.
    fn run(&self, name: &str, program: impl Fn(&str, &str) -> Command) {
        for (base, authority) in self.bases() {
            let mut command = program(&base, &authority);
            let output = clean(&mut command).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let answers = said.lines().map(|line| {
                serde_json::from_str::<Value>(line).unwrap_or_else(|why| panic!("{why}: {line}"))
            });
            let answers: Vec<Value> = answers.collect();
            assert!(
                output.status.success(),
                "{name} at {base}: {said}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert_eq!(answers.len(), CALLS.len(), "{name} at {base}: {said}");
            for ((call, status, body), told) in CALLS.iter().zip(&answers) {
                let place = format!("{name} at {base}: {told}");
                assert_eq!(told["name"], *call, "{place}");
                assert_eq!(told["status"], *status, "{place}");
                check(told["body"].as_str().unwrap(), *body, &place);
                match *call {
                    "head" => assert_eq!(told["length"], NOTE.len().to_string(), "{place}"),
                    "options" => assert_eq!(told["allow"], "GET, HEAD, PUT, DELETE", "{place}"),
                    _ => {}
                }
            }
            self.check_upstream(&format!("{name} at {base}"));
        }
    }

    /// What was refused did not get there, and what was not got there once.
    fn check_upstream(&self, name: &str) {
        let requests = self.upstream.requests();
        self.upstream.forget();
        let count = |method: &str| requests.iter().filter(|one| one.method == method).count();
        let counts = ["GET", "POST", "PUT", "DELETE"].map(count);
        assert_eq!(
            counts,
            [5, 2, 1, 1],
            "{name}: get, head, again, list and next"
        );
        for one in &requests {
            assert!(
                one.body.len() < 100,
                "{name}: {} {}",
                one.method,
                one.target
            );
            assert_eq!(one.header("accept-encoding"), Some("identity"), "{name}");
        }
    }
}

fn check(text: &str, body: Body, place: &str) {
    match body {
        Body::Is(wanted) => assert_eq!(text, wanted, "{place}"),
        Body::Holds(part) => assert!(text.contains(part), "{place}"),
        Body::Code(code) => {
            let problem: Value = serde_json::from_str(text).unwrap_or_default();
            assert_eq!(problem["code"], code, "{place}");
        }
    }
}

/// Without what the machine it runs on says of authorities and proxies.
fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        if ["SSL_CERT", "CA_BUNDLE", "CA_CERTS", "_PROXY"]
            .iter()
            .any(|part| text.contains(part))
            && text != "NODE_EXTRA_CA_CERTS"
        {
            command.env_remove(name);
        }
    }
    command
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/suite/clients")
        .join(name)
}

/// Whether this works here; where it does not, why its test is skipped.
fn is_there(program: &str, arguments: &[&str], get: &str) -> bool {
    let output = clean(Command::new(program).args(arguments)).output();
    let is_there = output.is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!(
            "SKIP: `{program} {}` fails here ({get})",
            arguments.join(" ")
        );
    }
    is_there
}

/// The interpreter that has the libraries: `.ci/run` makes one.
fn python() -> String {
    std::env::var("PORTCULLIS_PYTHON").unwrap_or_else(|_| String::from("python3"))
}

fn python_with(library: &'static str, get: &str) {
    let python = python();
    if !is_there(&python, &["-c", &format!("import {library}")], get) {
        return;
    }
    let stage = Stage::open();
    stage.run(library, |base, authority| {
        let mut command = Command::new(&python);
        command.arg(source("client.py")).arg(library);
        command.args([base, authority, &stage.key.text, &stage.weaker.text]);
        command
    });
}

#[test]
fn requests_is_answered_as_it_means_it() {
    python_with("requests", "pip install requests");
}

/// HTTP/2 over TLS, which httpx offers where the package `h2` is there.
#[test]
fn httpx_is_answered_as_it_means_it() {
    if is_there(
        &python(),
        &["-c", "import h2"],
        "pip install 'httpx[http2]'",
    ) {
        python_with("httpx", "pip install 'httpx[http2]'");
    }
}

#[test]
fn nodes_fetch_is_answered_as_it_means_it() {
    let has_fetch = "process.exit(typeof fetch === 'function' ? 0 : 1)";
    if !is_there(
        "node",
        &["-e", has_fetch],
        "apt-get install nodejs, 18 or later",
    ) {
        return;
    }
    let stage = Stage::open();
    stage.run("node", |base, authority| {
        let mut command = Command::new("node");
        command.arg(source("client.mjs"));
        command.args([base, &stage.key.text, &stage.weaker.text]);
        if authority.is_empty() {
            command.env_remove("NODE_EXTRA_CA_CERTS");
        } else {
            command.env("NODE_EXTRA_CA_CERTS", authority);
        }
        command
    });
}

/// HTTP/2 over TLS, and an offer of it on every request without. Where there is no Java, `framing` has the bytes of that offer.
#[test]
fn javas_client_is_answered_as_it_means_it() {
    let get = "apt-get install default-jdk-headless, 17 or later";
    if !is_there("java", &["--describe-module", "jdk.compiler"], get) {
        return;
    }
    let stage = Stage::open();
    stage.run("java", |base, authority| {
        let mut command = Command::new("java");
        command.arg(source("Client.java"));
        command.args([base, authority, &stage.key.text, &stage.weaker.text]);
        command
    });
}

/// HTTP/2 over TLS.
#[test]
fn gos_client_is_answered_as_it_means_it() {
    if !is_there("go", &["version"], "apt-get install golang-go") {
        return;
    }
    let stage = Stage::open();
    let cache = stage.server.gate.home().join("go-cache");
    stage.run("go", |base, authority| {
        let mut command = Command::new("go");
        command.env("GOCACHE", &cache).env("GOTOOLCHAIN", "local");
        command.arg("run").arg(source("client.go"));
        command.args([base, authority, &stage.key.text, &stage.weaker.text]);
        command
    });
}

/// One call of curl: method, path, key, and further arguments.
type CurlCall = (&'static str, &'static str, Option<bool>, Vec<String>);

fn curl_calls(dir: &Path, version: &str) -> Vec<CurlCall> {
    let (small, large) = (dir.join("small.json"), dir.join("large.json"));
    fs::write(&small, r#"{"title":"t"}"#).unwrap();
    let title = "t".repeat(LARGE_BYTES);
    fs::write(&large, format!(r#"{{"title":"{title}"}}"#)).unwrap();
    let sends = |file: &Path, more: &[&str]| {
        let mut all = vec![
            String::from("-HContent-Type: application/json"),
            String::from("--data-binary"),
            format!("@{}", file.display()),
        ];
        all.extend(more.iter().map(|one| String::from(*one)));
        all
    };
    let is_old = version == "--http1.0";
    let chunked = if is_old {
        vec![]
    } else {
        vec!["-HTransfer-Encoding: chunked"]
    };
    let mine = Some(true);
    vec![
        ("GET", "/v1/notes/1", mine, vec![]),
        ("POST", "/v1/notes", mine, sends(&small, &[])),
        ("PUT", "/v1/notes/1", mine, sends(&small, &[])),
        ("DELETE", "/v1/notes/1", mine, vec![]),
        ("HEAD", "/v1/notes/1", mine, vec![String::from("--head")]),
        ("OPTIONS", "/v1/notes/1", mine, vec![]),
        ("POST", "/v1/notes", mine, sends(&large, &[])),
        // Without waiting for `100 Continue`, which curl does for a second.
        ("POST", "/v1/notes", None, sends(&large, &["-HExpect:"])),
        ("POST", "/v1/notes", Some(false), sends(&large, &chunked)),
        ("POST", "/v1/nothing", mine, sends(&large, &["-HExpect:"])),
        ("POST", "/v1/notes", mine, sends(&small, &chunked)),
        ("GET", "/v1/notes/1", mine, vec![]),
        ("GET", "/v1/pages?limit=1", mine, vec![]),
    ]
}

#[test]
fn curl_is_answered_as_it_means_it() {
    if !is_there("curl", &["--version"], "apt-get install curl") {
        return;
    }
    let has_http2 = is_there("curl", &["--http2", "--version"], "a curl with HTTP/2");
    let stage = Stage::open();
    let dir = stage.server.gate.home();
    let (body, head) = (dir.join("body"), dir.join("head"));
    for version in ["--http1.0", "--http1.1", "--http2"] {
        for (base, authority) in stage.bases() {
            if version == "--http2" && !has_http2 {
                continue;
            }
            for (n, (method, path, whose, more)) in curl_calls(dir, version).into_iter().enumerate()
            {
                let (name, status, wanted) = CALLS[n];
                fs::write(&body, "").unwrap();
                let mut command = Command::new("curl");
                command.args([
                    "-sS",
                    "-q",
                    version,
                    "--max-time",
                    "60",
                    "-w",
                    "%{http_code}",
                ]);
                command.arg("-o").arg(&body).arg("-D").arg(&head);
                if method != "HEAD" {
                    command.args(["-X", method]);
                }
                if let Some(is_mine) = whose {
                    let key = if is_mine { &stage.key } else { &stage.weaker };
                    command.arg(format!("-HAuthorization: Bearer {}", key.text));
                }
                if !authority.is_empty() {
                    command.args(["--cacert", &authority]);
                }
                command.args(more).arg(format!("{base}{path}"));
                let output = clean(&mut command).output().unwrap();
                let place = format!(
                    "curl {version} {base} {name}: {} {}",
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr)
                );
                assert!(output.status.success(), "{place}");
                assert_eq!(output.stdout, status.to_string().as_bytes(), "{place}");
                // For HEAD curl writes the head to the same place.
                if name != "head" {
                    check(&fs::read_to_string(&body).unwrap(), wanted, &place);
                }
                let told = fs::read_to_string(&head).unwrap().to_lowercase();
                match name {
                    "head" => assert!(told.contains("content-length: 22\r\n"), "{told}"),
                    "options" => {
                        assert!(told.contains("allow: get, head, put, delete\r\n"), "{told}")
                    }
                    _ => {}
                }
            }
            let requests = stage.upstream.requests();
            stage.upstream.forget();
            assert_eq!(requests.len(), 8, "{version} {base}");
            assert!(
                requests.iter().all(|one| one.body.len() < 100),
                "{version} {base}"
            );
        }
    }
}
