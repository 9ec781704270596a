//! The real binary, running on a gate of its own.
//! Exports `Server`, `Key`, `Ended`.
//! Used by the suite.
//! Start reading at `Server::start`.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use demo::{Call, CallResponse};
use serde_json::{Value, json};

use crate::{Gate, PATIENCE, poll, wire};

/// A credential that was made.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its id, `key_…`.
    pub id: String,
    /// Its text, `pk_live_…`.
    pub text: String,
}

/// How a server or a command ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
}

/// A running server. Killed when dropped.
pub struct Server {
    /// Its configuration directory.
    pub gate: Gate,
    program: PathBuf,
    child: Child,
    stdout: Captured,
    stderr: Captured,
}

impl Server {
    /// Starts `program serve` on this gate and waits until it is ready. Panics with its words when it ends instead.
    pub fn start(program: &Path, gate: Gate) -> Server {
        Server::try_start(program, gate)
            .unwrap_or_else(|ended| panic!("the server ended: {ended:#?}"))
    }

    /// Starts `program serve` on this gate and waits until it is ready, or gives how it ended.
    ///
    /// # Errors
    /// How it ended, when it ended before it was ready.
    pub fn try_start(program: &Path, gate: Gate) -> Result<Server, Box<Ended>> {
        Server::try_start_with(program, gate, &[])
    }

    /// The same with more arguments of `serve`.
    ///
    /// # Errors
    /// How it ended, when it ended before it was ready.
    pub fn try_start_with(program: &Path, gate: Gate, more: &[&str]) -> Result<Server, Box<Ended>> {
        let mut command = command(program, &gate);
        command
            .arg("serve")
            .arg("--config")
            .arg(gate.dir())
            .args(more);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = Captured::of(child.stdout.take().expect("stdout was piped"));
        let stderr = Captured::of(child.stderr.take().expect("stderr was piped"));
        let mut server = Server {
            gate,
            program: program.to_path_buf(),
            child,
            stdout,
            stderr,
        };
        let came = poll(PATIENCE, || {
            let status = server.child.try_wait().expect("a child can be asked");
            if server.stderr().contains("portcullis: ready") {
                Some(None)
            } else {
                status.map(Some)
            }
        });
        match came {
            Some(None) => Ok(server),
            Some(Some(status)) => Err(Box::new(server.ended(status))),
            None => panic!("the server is not ready: {}", server.stderr()),
        }
    }

    /// Where a listener listens.
    pub fn address(&self, listener: &str) -> SocketAddr {
        let said = self.stderr();
        let line = said
            .lines()
            .rfind(|line| line.starts_with("portcullis: ready"))
            .expect("a ready server says so");
        let found = line
            .split(" · ")
            .filter_map(|part| part.split_once(' '))
            .find(|(name, _)| *name == listener);
        found
            .and_then(|(_, address)| address.parse().ok())
            .unwrap_or_else(|| panic!("no listener {listener} in {line}"))
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything said on standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Everything said on standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Waits until standard error holds this text. Panics when it never does.
    pub fn wait_for(&self, words: &str) {
        let came = poll(PATIENCE, || self.stderr().contains(words).then_some(()));
        assert!(came.is_some(), "{words:?} not in: {}", self.stderr());
    }

    /// Runs a command of the binary on this gate.
    pub fn cli(&self, arguments: &[&str]) -> Ended {
        run(&self.program, &self.gate, arguments)
    }

    /// Makes a key through the command line.
    pub fn key(&self, integration: &str) -> Key {
        let ended = self.cli(&["key", "create", "--integration", integration, "-o", "json"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        key(&serde_json::from_str(&ended.stdout).expect("JSON on standard output"))
    }

    /// Makes a key by the server's socket directly, faster; `more` are further arguments such as `expires_in`.
    pub fn quick_key(&self, integration: &str, more: &[(&str, &str)]) -> Key {
        let mut asked = json!({ "integration": integration });
        for (name, value) in more {
            asked
                .as_object_mut()
                .expect("an object")
                .insert((*name).to_owned(), json!(value));
        }
        key(&self.admin("key.create", &asked))
    }

    /// Asks the server by its local socket. Panics when it refuses.
    pub fn admin(&self, command: &str, arguments: &Value) -> Value {
        let sockets = control::socket::in_data(&self.gate.data());
        control::socket::ask(&sockets, command, arguments, "the suite")
            .expect("the server's local socket is open")
            .unwrap_or_else(|fault| panic!("{command}: {fault:?}"))
    }

    /// Events of the ledger, oldest first.
    pub fn ledger(&self) -> Vec<Value> {
        self.ledger_of(&json!({}))
    }

    /// Events of the ledger that match (`kind`, `code`, `integration`, `outcome`), oldest first.
    pub fn ledger_of(&self, filter: &Value) -> Vec<Value> {
        let mut asked = filter.clone();
        asked
            .as_object_mut()
            .expect("an object")
            .insert("limit".into(), json!(10_000));
        let shown = self.admin("ledger.show", &asked);
        let records = shown["records"].as_array().cloned().unwrap_or_default();
        let mut events: Vec<(u64, Value)> = records
            .into_iter()
            .map(|record| (record["seq"].as_u64().unwrap_or(0), record["event"].clone()))
            .collect();
        events.sort_by_key(|(seq, _)| *seq);
        // That somebody looked is recorded as well: of the looks of a test, only one that asks for them hears.
        let is_look = |event: &Value| {
            let is_one = event["kind"] == "ledger.show" || event["kind"] == "decision.explain";
            is_one && event["outcome"] == "done" && filter["kind"].is_null()
        };
        let events = events.into_iter().map(|(_, event)| event);
        events.filter(|event| !is_look(event)).collect()
    }

    /// The event of this decision. Panics unless there is exactly one.
    pub fn event(&self, decision: &str) -> Value {
        let mut found = self.ledger();
        found.retain(|event| event["id"] == decision);
        assert_eq!(found.len(), 1, "events of {decision}: {found:?}");
        found.remove(0)
    }

    /// Sends one call to the plain listener that it names.
    pub fn send(&self, call: &Call, key: Option<&Key>) -> CallResponse {
        let address = self.address(call.listener.name());
        wire::send(address, call, key.map(|key| key.text.as_str()))
    }

    /// Sends one call over TLS to the listener that it names.
    pub fn send_tls(&self, call: &Call, key: Option<&Key>) -> CallResponse {
        let address = self.address(call.listener.name());
        wire::tls(
            address,
            &self.gate.ca(),
            call,
            key.map(|key| key.text.as_str()),
        )
    }

    /// Asks for a reload with SIGHUP.
    pub fn hang_up(&self) {
        signal(self.pid(), "HUP");
    }

    /// Ends it with SIGTERM and gives how it ended and its gate.
    pub fn stop(mut self) -> (Ended, Gate) {
        signal(self.pid(), "TERM");
        let status = self.waited();
        let ended = self.ended(status);
        (ended, self.into_gate())
    }

    /// Waits until it ends by itself and gives how it ended and its gate.
    pub fn ends(mut self) -> (Ended, Gate) {
        let status = self.waited();
        let ended = self.ended(status);
        (ended, self.into_gate())
    }

    /// Ends it with SIGKILL and gives its gate.
    pub fn kill(mut self) -> Gate {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
        self.into_gate()
    }

    fn waited(&mut self) -> ExitStatus {
        let ended = poll(PATIENCE, || {
            self.child.try_wait().expect("a child can be asked")
        });
        ended.unwrap_or_else(|| panic!("the server does not end: {}", self.stderr()))
    }

    fn ended(&mut self, status: ExitStatus) -> Ended {
        self.stdout.finish();
        self.stderr.finish();
        Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }

    fn into_gate(mut self) -> Gate {
        let nothing = Gate::nothing();
        std::mem::replace(&mut self.gate, nothing)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if thread::panicking() {
            let said = self.stderr();
            let lines: Vec<&str> = said.lines().collect();
            let last = lines.len().saturating_sub(30);
            let last = lines.get(last..).unwrap_or_default().join("\n");
            eprintln!("--- the server's last words:\n{last}");
        }
    }
}

/// Runs a command of the binary on this gate.
pub fn run(program: &Path, gate: &Gate, arguments: &[&str]) -> Ended {
    let output = command(program, gate)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    output.into()
}

/// Begins a command of the binary on this gate and kills it so much later. Gives whether it had ended well by then.
pub fn run_and_kill(program: &Path, gate: &Gate, arguments: &[&str], later: Duration) -> bool {
    let mut child = command(program, gate)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    // Nothing depends on it: whoever asks counts the runs that were cut short.
    thread::sleep(later);
    child.kill().expect("it has not been waited for");
    child.wait().expect("it is ours").success()
}

impl From<Output> for Ended {
    fn from(output: Output) -> Ended {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn command(program: &Path, gate: &Gate) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(gate.home())
        .env("PORTCULLIS_CONFIG", gate.dir())
        .env("NO_COLOR", "1")
        .env("RUST_BACKTRACE", "0")
        .envs(&gate.environment);
    command
}

fn signal(pid: u32, name: &str) {
    assert!(send_signal(name, &pid.to_string()), "SIG{name} to {pid}");
}

/// Sends a signal to a process, or to a group (`-4711`); whether it was taken. By the shell's own `kill`: a bare system has
/// no program of that name.
pub fn send_signal(name: &str, target: &str) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -s \"$1\" -- \"$2\"", "sh", name, target]);
    shell.status().is_ok_and(|status| status.success())
}

fn key(made: &Value) -> Key {
    let text = |name: &str| {
        made[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {made}"))
            .to_owned()
    };
    Key {
        id: text("id"),
        text: text("key"),
    }
}

/// What a pipe brought so far.
struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<thread::JoinHandle<()>>,
}

impl Captured {
    fn of(mut pipe: impl Read + Send + 'static) -> Captured {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let shared = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut piece = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut piece) {
                shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(piece.get(..count).unwrap_or_default());
            }
        });
        Captured {
            bytes,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for the end of the pipe.
    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            // A grandchild may hold the pipe open; what came so far has to do then.
            let _ = poll(Duration::from_secs(5), || {
                reader.is_finished().then_some(())
            });
        }
    }
}
