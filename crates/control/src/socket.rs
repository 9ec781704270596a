//! The local socket of a running server: its own user and root are answered, whoever else could open it is refused.
//! Exports `listen` and `ask`. One question and one answer per connection, a line of JSON each, bounded.
//! Used by the binary: the server listens, the command line asks.
//! Start reading at `listen`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use net::LocalPeer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Actor, AdminError, Control};

/// Name of the socket in the data directory.
pub const NAME: &str = "admin.sock";
/// Its name up to version 0.1; a server of that version is still asked.
const OLD_NAME: &str = "desk.sock";
const QUESTION_BYTES_MAX: u64 = 64 * 1024;
const RESPONSE_BYTES_MAX: u64 = 64 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    command: String,
    arguments: Value,
    who: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(Value),
    Fault(AdminError),
}

/// Questions answered at once. A search through the ledger, or the few reloads that may be under way, keep nobody else
/// waiting.
const ANSWERERS: usize = 8;

/// Answers questions on threads of its own until the process ends.
///
/// # Errors
/// When the socket cannot be made.
pub fn listen(dir: &Path, control: Arc<Control>) -> io::Result<()> {
    let path = dir.join(NAME);
    // A socket left behind by a crash; the data directory's lock says that no other server runs.
    if path.exists() {
        std::fs::remove_file(&path)?;
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    for _ in 0..ANSWERERS {
        let (listener, control) = (listener.try_clone()?, Arc::clone(&control));
        std::thread::Builder::new()
            .name("admin".into())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    drop(answer(&stream, &control));
                }
            })?;
    }
    Ok(())
}

fn answer(stream: &UnixStream, control: &Control) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut line = String::new();
    BufReader::new(stream.take(QUESTION_BYTES_MAX)).read_line(&mut line)?;
    // A panic costs this question, not one of the few threads that answer.
    let call = || call(stream, control, &line);
    let answer = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Answer::Done(value),
        Ok(Err(fault)) => Answer::Fault(fault),
        Err(_) => Answer::Fault(AdminError::failed(
            "an internal error; the server's log names it",
            "Please report that line with the command.",
        )),
    };
    let mut bytes = serde_json::to_vec(&answer)?;
    bytes.push(b'\n');
    let mut stream = stream;
    stream.write_all(&bytes)
}

fn call(stream: &UnixStream, control: &Control, line: &str) -> Result<Value, AdminError> {
    let question = serde_json::from_str::<Question>(line).map_err(|error| {
        AdminError::asked(
            format!("the question cannot be read: {error}"),
            "Use a command line of the same version.",
        )
    })?;
    let peer = LocalPeer::of(stream).map_err(|error| {
        AdminError::failed(
            format!("the kernel does not say who asks: {error}"),
            "Nothing was done. Try again.",
        )
    })?;
    let server_uid = rustix::process::geteuid().as_raw();
    let actor = Actor::from_peer(&question.who, peer.uid, peer.process, server_uid);
    control.call(&question.command, &question.arguments, &actor)
}

/// Where the server of a data directory listens.
pub fn in_data(data: &Path) -> Vec<PathBuf> {
    vec![data.join(NAME), data.join(OLD_NAME)]
}

/// Asks the server behind the first of these sockets on which one listens. `None` when there is none.
///
/// # Errors
/// What the server says, or a connection that broke off.
pub fn ask(
    sockets: &[PathBuf],
    command: &str,
    arguments: &Value,
    who: &str,
) -> Option<Result<Value, AdminError>> {
    let stream = sockets
        .iter()
        .find_map(|socket| UnixStream::connect(socket).ok())?;
    Some(
        exchange(&stream, command, arguments, who).unwrap_or_else(|error| {
            Err(AdminError::failed(
                format!("the running server did not answer: {error}"),
                "Look at the server's log, then try again.",
            ))
        }),
    )
}

fn exchange(
    stream: &UnixStream,
    command: &str,
    arguments: &Value,
    who: &str,
) -> io::Result<Result<Value, AdminError>> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let question = Question {
        command: command.to_owned(),
        arguments: arguments.clone(),
        who: who.to_owned(),
    };
    let mut bytes = serde_json::to_vec(&question)?;
    bytes.push(b'\n');
    let mut writer = stream;
    writer.write_all(&bytes)?;
    let mut line = String::new();
    BufReader::new(stream.take(RESPONSE_BYTES_MAX)).read_line(&mut line)?;
    Ok(match serde_json::from_str::<Answer>(&line)? {
        Answer::Done(value) => Ok(value),
        Answer::Fault(fault) => Err(fault),
    })
}
