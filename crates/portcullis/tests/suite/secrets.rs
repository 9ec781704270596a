//! Secrets are never stored readable, printed, logged, answered or passed on, wherever somebody puts them.
//! Planted are the key-encryption key, private keys by file and by environment, and API keys made in every form; then
//! keys are sent in every wrong place, and everything the product wrote is searched.
//! Start reading at `planted_secrets_are_found_nowhere`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use demo::Fieldworks;
use testkit::{Ended, Gate, RecordingUpstream, Server, wire};

use crate::line::{Line, request};
use crate::{program, serve};

/// A secret, and every form in which finding it would give it away.
struct Secret {
    name: String,
    needles: Vec<Vec<u8>>,
}

impl Secret {
    /// An API key: the whole text, its secret part, and what an unkeyed digest of it would look like.
    fn key(name: &str, text: &str) -> Secret {
        let part = text.rsplit('_').next().unwrap();
        assert_eq!(part.len(), 49, "not a key: {text}");
        let digest = crypto::sha256(&[text.as_bytes()]);
        let forms = [
            text.as_bytes().to_vec(),
            part.as_bytes().to_vec(),
            // Half of it is too much as well.
            part.as_bytes()[..24].to_vec(),
            part.as_bytes()[24..].to_vec(),
            part.to_ascii_lowercase().into_bytes(),
            basic(text).into_bytes(),
            digest.to_vec(),
            crypto::text::hex(&digest).into_bytes(),
        ];
        Secret {
            name: name.to_owned(),
            needles: forms.to_vec(),
        }
    }

    /// Bytes, and their usual spellings.
    fn bytes(name: &str, bytes: &[u8]) -> Secret {
        let hex = crypto::text::hex(bytes);
        let base64 = crypto::text::base64(bytes);
        let needles = vec![
            bytes.to_vec(),
            hex.to_uppercase().into_bytes(),
            hex.into_bytes(),
            base64.trim_end_matches('=').as_bytes().to_vec(),
        ];
        Secret {
            name: name.to_owned(),
            needles,
        }
    }

    /// A private key: every line of its text, its bytes, and pieces of them.
    fn private_key(name: &str, pem: &str) -> Secret {
        let lines: Vec<&str> = pem
            .lines()
            .filter(|line| !line.starts_with("-----") && line.len() > 16)
            .collect();
        let mut secret = Secret {
            name: name.to_owned(),
            needles: lines.iter().map(|line| line.as_bytes().to_vec()).collect(),
        };
        let all: String = pem
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let der = crypto::text::unbase64(&all).unwrap();
        // The middle, where no form has a fixed head.
        secret.needles.push(der[40..64].to_vec());
        secret
            .needles
            .push(crypto::text::hex(&der[40..64]).into_bytes());
        secret
    }
}

/// What HTTP basic authentication makes of a key.
fn basic(key: &str) -> String {
    crypto::text::base64(format!("api:{key}").as_bytes())
}

/// Everything the product wrote, by where.
#[derive(Default)]
struct Writings(Vec<(String, Vec<u8>)>);

impl Writings {
    fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    fn ended(&mut self, place: &str, ended: &Ended) {
        self.add(format!("stdout of {place}"), ended.stdout.as_bytes());
        self.add(format!("stderr of {place}"), ended.stderr.as_bytes());
    }

    /// Every file below a directory.
    fn files(&mut self, dir: &Path) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.files(&path);
            } else if path.is_file() {
                self.add(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }

    fn hits(&self, secrets: &[Secret]) -> Vec<String> {
        let mut hits = Vec::new();
        for secret in secrets {
            for (place, bytes) in &self.0 {
                if let Some(needle) = secret.needles.iter().find(|needle| holds(bytes, needle)) {
                    let at = bytes
                        .windows(needle.len())
                        .position(|piece| piece == &needle[..])
                        .unwrap();
                    let around =
                        &bytes[at.saturating_sub(60)..(at + needle.len()).min(bytes.len())];
                    hits.push(format!(
                        "{} in {place}: …{}",
                        secret.name,
                        String::from_utf8_lossy(around)
                    ));
                }
            }
        }
        hits
    }
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    // A search that first looks for a byte is quick enough for megabytes in an unoptimised test.
    let Some((first, rest)) = needle.split_first() else {
        return false;
    };
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        from += at + 1;
        if bytes[from..].starts_with(rest) {
            return true;
        }
    }
    false
}

/// Makes keys in every form the command line has.
fn keys(server: &Server) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    let mut made = |name: &'static str, arguments: &[&str]| {
        let ended = server.cli(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            !ended.stderr.contains("pk_live_") || ended.stderr.contains('…'),
            "{ended:?}"
        );
        let text = ended.stdout;
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let key = words.find(|word| word.starts_with("pk_")).unwrap();
        keys.push((name, key.to_owned()));
    };
    made(
        "accounting",
        &["key", "create", "--integration", "accounting"],
    );
    made(
        "crm",
        &["key", "create", "--integration", "crm", "-o", "json"],
    );
    made(
        "dispatch",
        &[
            "key",
            "create",
            "--integration",
            "dispatch",
            "--label",
            "board",
            "--expires-in",
            "2h",
        ],
    );
    made(
        "inventory",
        &["key", "create", "--integration", "inventory", "--test"],
    );
    made("thermo", &["key", "create", "--integration", "thermo"]);
    let id = |who: &str| {
        let listed = server
            .cli(&["key", "list", "--integration", who, "-o", "json"])
            .stdout;
        let mut texts = listed.split('"');
        texts
            .find(|text| text.starts_with("key_"))
            .unwrap()
            .to_owned()
    };
    let (thermo, crm) = (id("thermo"), id("crm"));
    made("thermo", &["key", "rotate", &thermo, "--overlap", "10m"]);
    made("crm", &["key", "rotate", &crm, "-o", "json"]);
    keys
}

/// A key in every place where it does not belong.
fn misplaced(key: &str) -> Vec<Vec<u8>> {
    let json = "Content-Type: application/json\r\n";
    let escaped: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let get = |target: &str, headers: &str| request("GET", target, None, headers, b"");
    let header = |line: String| get("/v2/parts", &format!("{line}\r\n"));
    let own = |target: &str, headers: &str, body: &str| {
        let method = if body.is_empty() { "GET" } else { "POST" };
        request(method, target, Some(key), headers, body.as_bytes())
    };
    vec![
        get(&format!("/v2/parts?key={key}"), ""),
        get(&format!("/v2/parts?{key}"), ""),
        get(&format!("/{key}"), ""),
        get(&format!("/v2/work-orders/{key}"), ""),
        get(&format!("/v2/work-orders/{escaped}"), ""),
        get(&format!("/v2/work-orders/{}", key.replace('_', "%5F")), ""),
        get(&format!("/v2/work-orders/{}", key.replace('_', "%255F")), ""),
        get(&format!("/v2/{key}/../{key}"), ""),
        get(&format!("http://api:{key}@localhost/v2/parts"), ""),
        get(&format!("/v2/parts#{key}"), ""),
        own(&format!("/v2/customers?q={key}"), "", ""),
        own(&format!("/v2/customers?cursor=after-{key}"), "", ""),
        own(&format!("/v2/customers?{key}=1"), "", ""),
        own(&format!("/v2/work-orders/{key}"), "", ""),
        own("/v2/parts", &format!("X-Request-Id: {key}\r\nUser-Agent: {key}\r\nReferer: http://x/{key}\r\nCookie: k={key}\r\n"), ""),
        own("/v2/work-orders", &format!("X-Dispatcher: {key}\r\n"), ""),
        own("/v2/work-orders", &format!("X-Dispatcher: \t{key}é\r\n"), ""),
        own("/v2/parts", &format!("X-Forwarded-For: {key}\r\nForwarded: for={key}\r\n"), ""),
        own("/v2/parts", &format!("Accept: {key}\r\nPrefer: {key}\r\nTraceparent: {key}\r\nIf-Match: \"{key}\"\r\n"), ""),
        own("/v2/parts", &format!("Connection: {key}\r\n"), ""),
        own("/v2/parts", &format!("{key}: 1\r\n"), ""),
        own("/v2/parts", &format!("X-Api-Key: {key}\r\n"), ""),
        own("/v2/service-requests", json, &format!("{{\"{key}\":\"{key}\",\"source\":\"{key}\"}}")),
        own("/v2/service-requests", json, &format!("{{\"source\":\"crm\",\"category\":\"advice\",\"priority\":\"low\",\"description\":\"my key is {key}\"}}")),
        own("/v2/service-requests", json, &format!("{{\"a\":\"{key}")),
        own("/v2/service-requests", &format!("Content-Type: text/{key}\r\n"), key),
        own("/v2/service-requests", &format!("{json}Idempotency-Key: {key}\r\n"), "{}"),
        own("/v2/service-requests", "Content-Type: application/x-www-form-urlencoded\r\n", &format!("key={key}")),
        header(format!("Authorization: Basic {}", basic(key))),
        header(format!("Authorization: {key}")),
        header(format!("Authorization: Token {key}")),
        header(format!("Authorization: Bearer {key} {key}")),
        header(format!("Authorization: Bearer \"{key}\"")),
        header(format!("Authorization: Bearer {key}x")),
        header(format!("Authorization : Bearer {key}")),
        header(format!("Authorization Bearer {key}")),
        header(format!("Authorization: Bearer {key}\u{1}")),
        header(format!("Proxy-Authorization: Bearer {key}")),
        header(format!("Host: {key}")),
        header(format!("Content-Length: {key}")),
        header(format!("Transfer-Encoding: {key}")),
        format!("{key} /v2/parts HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes(),
        format!("GET /v2/parts {key}\r\nHost: localhost\r\n\r\n").into_bytes(),
        format!("GET /v2/parts HTTP/1.1\r\nHost: {key}\r\n\r\n").into_bytes(),
        format!("{key}\r\n\r\n").into_bytes(),
        format!("GET  /{key} HTTP/1.1\r\n\r\n").into_bytes(),
        format!("GET /{key}\u{e9}\u{7f} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes(),
        format!("GET /{}{key} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(490)).into_bytes(),
        format!("GET /{}{key} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(70_000)).into_bytes(),
        format!("POST /v2/service-requests HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\r\n{key}\r\n").into_bytes(),
        format!("POST /v2/service-requests HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\r\n2;{key}\r\n{{}}\r\n0\r\nX-{key}: {key}\r\n\r\n").into_bytes(),
    ]
}

fn traffic(server: &Server, key: &str, writings: &mut Writings) {
    for listener in ["local", "internal", "admin"] {
        for (at, bytes) in misplaced(key).iter().enumerate() {
            // Some of them end the connection in the middle; what came until then is what counts.
            let response = Line::open(server.address(listener)).unwrap().send(bytes);
            if let Ok(response) = response {
                writings.add(format!("answer {at} of {listener}"), response.whole());
            }
        }
    }
    // Without TLS on a TLS listener, and not HTTP at all.
    let public = server.address("public");
    for bytes in [
        request("GET", "/v2/parts", Some(key), "", b""),
        key.as_bytes().to_vec(),
    ] {
        let heard = wire::half_closed(public, &bytes);
        writings.add("answer of the TLS listener", heard.bytes);
    }
}

/// A command with something on its standard input.
fn with_input(server: &Server, arguments: &[&str], input: &str) -> Ended {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .env("PORTCULLIS_CONFIG", server.gate.dir())
        .env("RUST_BACKTRACE", "1");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
}

/// Commands, also with keys typed where they do not belong.
fn commands(server: &Server, key: &str, decision: &str, writings: &mut Writings) {
    let flag = format!("--{key}");
    let verbs: &[&[&str]] = &[
        &["key", "list"],
        &["key", "list", "-o", "json"],
        &["key", "list", "--integration", key],
        &["key", "revoke", key, "--yes"],
        &["key", "rotate", key],
        &["key", "check", key],
        &["key", "create", "--integration", key],
        &["integration", "list"],
        &["integration", "pause", "noisy", "--reason", key, "--yes"],
        &["integration", "resume", "noisy"],
        &["integration", "pause", key, "--yes"],
        &["access", "accounting"],
        &["access", "accounting", "-o", "json"],
        &["access", key],
        &["can", "accounting", "getWorkOrder"],
        &["can", key, key],
        &["explain", decision],
        &["explain", decision, "-o", "json"],
        &["explain", key],
        &["ledger", "show", "--limit", "10000", "-o", "json"],
        &["ledger", "show", "--limit", "10000"],
        &["ledger", "show", "--integration", key],
        &["ledger", "show", "--since", key],
        &["ledger", "export"],
        &["ledger", "verify"],
        &["ledger", "verify", key],
        &["ledger", "checkpoint"],
        &["check", "gate"],
        &["schema", key],
        &[key],
        &["serve", &flag],
    ];
    for arguments in verbs {
        let shown = arguments.join(" ").replace(key, "KEY");
        writings.ended(&shown, &server.cli(arguments));
    }
    for input in [
        key.to_owned(),
        format!("{key}\n"),
        format!("{key}x"),
        format!("Authorization: Bearer {key}"),
    ] {
        writings.ended("key check", &with_input(server, &["key", "check"], &input));
        writings.ended(
            "key check -o json",
            &with_input(server, &["key", "check", "-o", "json"], &input),
        );
    }
}

/// Configurations in which somebody wrote a secret where a reference belongs.
fn mistakes(server: &Server, kek: &str, pem: &str, key: &str, writings: &mut Writings) {
    let gate = &server.gate;
    let good = gate.text("portcullis.yaml");
    let one_line = pem.replace('\n', "\\n");
    let indented = pem.replace('\n', "\n        ");
    let written = [
        good.replace("\"file:kek\"", &format!("\"{kek}\"")),
        good.replace("\"file:kek\"", kek),
        good.replace("\"file:kek\"", &format!("\"hex:{kek}\"")),
        good.replace("\"file:kek\"", &format!("{{ value: \"{kek}\" }}")),
        good.replace("\"file:kek\"", &format!("[ {kek} ]")),
        good.replace("kek: \"file:kek\"", &format!("kekk: \"{kek}\"")),
        good.replace("\"file:tls/internal.key\"", &format!("\"{one_line}\"")),
        good.replace(
            "\"file:tls/internal.key\" }",
            &format!("|\n        {indented}\n      }}"),
        ),
        good.replace("keys: {", &format!("keys: {{ kek: \"{kek}\", ")),
        good.replace("keys: {", &format!("keys: {{ api_key: \"{key}\", ")),
        good.replace(
            "store: { dir: data }",
            &format!("store: {{ postgres: \"{key}\" }}"),
        ),
        format!("{good}\n{key}: {key}\n"),
        format!("{good}\nkek: {kek}\n"),
    ];
    for (at, text) in written.iter().enumerate() {
        assert_ne!(*text, good, "mistake {at} changes nothing");
        // Beside the running server, so that it reads the mistake as well.
        gate.write("portcullis.yaml", text);
        let ended = server.cli(&["check", "gate"]);
        assert_eq!(ended.code, Some(78), "mistake {at}: {ended:?}");
        writings.ended(&format!("check of mistake {at}"), &ended);
        writings.ended(
            &format!("json check of mistake {at}"),
            &server.cli(&["check", "gate", "-o", "json"]),
        );
        let before = refusals(server);
        server.hang_up();
        let refused = testkit::poll(testkit::PATIENCE, || {
            (refusals(server) > before).then_some(())
        });
        assert!(refused.is_some(), "mistake {at}: {}", server.stderr());
    }
    gate.write("portcullis.yaml", &good);
}

/// How often the server has refused its files so far.
fn refusals(server: &Server) -> usize {
    let filter = serde_json::json!({ "kind": "configuration.refused" });
    server.ledger_of(&filter).len()
}

/// A gate with secrets of every kind.
struct Planted {
    kek: String,
    /// The private key that lies in a file.
    by_file: String,
    /// The private key that comes by the environment.
    by_environment: String,
}

fn plant(gate: &Gate) -> Planted {
    let yaml = "portcullis.yaml";
    let by_environment = gate.text("tls/public.key");
    gate.edit(yaml, "\"file:tls/public.key\"", "\"env:CANARY_TLS_KEY\"");
    gate.remove("tls/public.key");
    let internal = "tls: { cert: tls/internal.pem, key: \"file:tls/internal.key\" }";
    gate.edit(yaml, internal, "plain: true");
    let spare =
        format!("  spare:\n    address: \"127.0.0.1:0\"\n    kind: internal\n    {internal}\n");
    gate.edit(yaml, "  admin:\n", &format!("{spare}  admin:\n"));
    // Written in hexadecimal digits; the search knows the other spellings.
    let kek = crypto::text::hex(&[0xc5, 0x1e, 0x77].repeat(11)[..32]);
    gate.secret("kek", &kek);
    Planted {
        kek,
        by_file: gate.text("tls/internal.key"),
        by_environment,
    }
}

/// What the process shows of itself, and what it counts.
fn process(server: &Server, writings: &mut Writings) {
    let mut admin = Line::open(server.address("admin")).unwrap();
    let metrics = admin.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    writings.add("metrics", metrics.unwrap().whole());
    let process = format!("/proc/{}", server.pid());
    let arguments = std::fs::read(format!("{process}/cmdline")).unwrap();
    writings.add("the server's arguments", arguments);
    // The private key came by the environment, so it is there; nothing else may be.
    let environment = std::fs::read(format!("{process}/environ")).unwrap();
    let variables = environment.split(|byte| *byte == 0);
    let others = variables.filter(|variable| !variable.starts_with(b"CANARY_TLS_KEY="));
    writings.add(
        "the server's environment",
        others.collect::<Vec<_>>().join(&b'\n'),
    );
}

#[test]
fn planted_secrets_are_found_nowhere() {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    let gate = Gate::demo(upstream.address()).unlimited();
    let planted = plant(&gate);
    let server = serve(gate.with_env("CANARY_TLS_KEY", &planted.by_environment));
    let keys = keys(&server);
    let kek = crypto::text::unhex(&planted.kek).unwrap();
    let mut secrets = vec![
        Secret::bytes("the key-encryption key", &kek),
        Secret::private_key("the private key by file", &planted.by_file),
        Secret::private_key("the private key by environment", &planted.by_environment),
    ];
    let of_keys = keys
        .iter()
        .map(|(who, text)| Secret::key(&format!("a key of {who}"), text));
    secrets.extend(of_keys);

    let mut writings = Writings::default();
    let mut line = Line::open(server.address("local")).unwrap();
    let mut decision = String::new();
    for (who, key) in &keys {
        let bytes = request("GET", "/v2/parts?limit=1", Some(key), "", b"");
        let response = line.send(&bytes).unwrap();
        assert!(
            matches!(response.status, 200 | 403),
            "{who}: {}",
            response.whole()
        );
        response.decision().unwrap().clone_into(&mut decision);
        traffic(&server, key, &mut writings);
    }
    let (_, key) = &keys[0];
    commands(&server, key, &decision, &mut writings);
    mistakes(&server, &planted.kek, &planted.by_file, key, &mut writings);
    process(&server, &mut writings);
    writings.add("what the upstream received", upstream.bytes());
    // While it runs, with the database's own journal; and after it stopped.
    writings.files(&server.gate.data());
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    writings.ended("the server", &ended);
    writings.files(&gate.data());
    assert_free(&writings, &secrets);
}

fn assert_free(writings: &Writings, secrets: &[Secret]) {
    let bytes: usize = writings.0.iter().map(|(_, bytes)| bytes.len()).sum();
    let (places, hits) = (writings.0.len(), writings.hits(secrets));
    println!(
        "{} secrets, {places} writings with {bytes} bytes, {} hits",
        secrets.len(),
        hits.len()
    );
    assert!(
        places > 500 && bytes > 100_000,
        "there was too little to search"
    );
    assert!(hits.is_empty(), "{}", hits.join("\n"));
    // The keys were truly there: what is left of them says so.
    let mut all = writings.0.iter();
    let export = all.find(|(place, _)| place == "stdout of ledger export");
    let (_, export) = export.unwrap();
    let left = b"/v2/work-orders/pk_live_***";
    assert!(holds(export, left), "no path with a key was recorded");
}

/// The search itself finds what it is meant to find.
#[test]
fn a_secret_that_lies_open_is_found() {
    let key = identity::api_key::ApiKey::generate([9; 32], true);
    let secret = Secret::key("k", key.expose());
    for open in [
        key.expose().clone(),
        basic(key.expose()),
        format!("…{}", key.expose().get(8..34).unwrap()),
    ] {
        let mut writings = Writings::default();
        writings.add("x", format!("before {open} after"));
        assert_eq!(
            writings.hits(std::slice::from_ref(&secret)).len(),
            1,
            "{open}"
        );
    }
    let mut writings = Writings::default();
    writings.add("x", "pk_live_Ab3d…x9Kq");
    assert!(writings.hits(&[secret]).is_empty());
}
