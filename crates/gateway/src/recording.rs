//! Requests kept for a replay: what inspection looked at, for a time and a number an operator chose.
//! Exports `Recordings` (in the running gateway), `Recorded` (one request) and `Reader` (a finished file).
//! Written by stage `inspect`; begun and emptied by commands; read by the command line.
//! Start reading at `Recordings::offer`.
//!
//! A recording holds texts of requests, so it leaves the process sealed only: AES-256-GCM under a key of its own below
//! the records key. Each line is bound to the recording, to the day it ends and to its place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::Leaf;
use crypto::{Keys, SealKey};
use model::event::Finding;
use model::{DecisionId, Monotonic, Timestamp};
use serde::{Deserialize, Serialize};

use crate::inspection::Facts;

/// Longest time a recording may run.
pub const SECONDS_MAX: u64 = 24 * 3600;
/// Most requests of one recording.
pub const REQUESTS_MAX: u64 = 100_000;
/// Longest time a recording may be kept.
pub const KEEP_DAYS_MAX: u64 = 90;
/// Most sealed bytes that wait to be fetched; requests beyond are left out and counted.
const WAITING_BYTES_MAX: usize = 16 << 20;
/// Largest single request that is kept.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Nobody fetched for so long: whoever asked is gone, and the recording ends.
const PATIENCE: Duration = Duration::from_secs(30);
/// Words in the names of fields that carry credentials of other systems. They are left out as well.
const CREDENTIAL_WORDS: [&str; 8] = [
    "auth",
    "cookie",
    "credential",
    "key",
    "password",
    "secret",
    "session",
    "token",
];

/// One text that inspection looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// `path`, `query`, `header`, `cookie` or `body`.
    pub place: String,
    /// Name of the parameter, or JSON pointer in the body.
    pub pointer: String,
    /// The text.
    pub text: String,
    /// Whether it is the name of an undeclared key.
    #[serde(default)]
    pub is_name: bool,
    /// Whether the contract said that it is an address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_address: bool,
}

/// One recorded request. Holds no credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Its decision.
    pub decision: DecisionId,
    /// When it came.
    pub at: Timestamp,
    /// `field-service/v2:createWorkOrder`
    pub operation: String,
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Query as it was forwarded.
    pub query: String,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub protocol: String,
    /// Address of the client.
    pub client: String,
    /// Header fields, without any that may carry a credential.
    pub headers: Vec<(String, String)>,
    /// Length of the body.
    pub body_bytes: usize,
    /// The texts the contract left free.
    pub texts: Vec<Text>,
    /// Whether inspection refused it.
    pub is_refused: bool,
    /// What inspection saw, as the ledger has it.
    pub findings: Vec<Finding>,
}

impl Recorded {
    /// What is kept of a request.
    pub fn of(
        operation: &str,
        decision: DecisionId,
        at: Timestamp,
        facts: &Facts<'_>,
        leaves: &[Leaf<'_>],
        is_refused: bool,
        findings: &[Finding],
    ) -> Recorded {
        let header = |(name, value): &(&str, std::borrow::Cow<'_, [u8]>)| {
            (
                (*name).to_owned(),
                String::from_utf8_lossy(value).into_owned(),
            )
        };
        let text = |leaf: &Leaf<'_>| Text {
            place: leaf.place.to_owned(),
            pointer: leaf.pointer.clone(),
            text: leaf.text.clone().into_owned(),
            is_name: leaf.is_name,
            is_address: leaf.language == contract::language::ADDRESS,
        };
        let shown = facts.headers.iter().filter(|(name, _)| is_kept(name));
        Recorded {
            decision,
            at,
            operation: operation.to_owned(),
            method: facts.method.to_owned(),
            path: facts.path.to_owned(),
            query: facts.query.to_owned(),
            protocol: facts.protocol.to_owned(),
            client: facts.client.clone(),
            headers: shown.map(header).collect(),
            body_bytes: facts.body_bytes,
            texts: leaves.iter().map(text).collect(),
            is_refused,
            findings: findings.to_vec(),
        }
    }
}

/// Whether a field may stand in a recording.
fn is_kept(name: &str) -> bool {
    !CREDENTIAL_WORDS.iter().any(|word| name.contains(word))
}

/// First line of a recording's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// Version of the format.
    pub portcullis_recording: u32,
    /// The recording.
    pub id: String,
    /// Who asked for it.
    pub by: String,
    /// When it began.
    pub began: Timestamp,
    /// From this moment on it is not read any more.
    pub ends: Timestamp,
}

/// One sealed line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Request(Box<Recorded>),
    /// The last line: how many requests there were, and how many were left out for their size.
    End {
        requests: u64,
        left_out: u64,
    },
}

/// What to record.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How long.
    pub lasting: Duration,
    /// How many requests.
    pub requests_max: u64,
    /// How many days it may be replayed.
    pub keep_days: u32,
}

/// What was fetched of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Sealed lines, in order.
    pub lines: Vec<String>,
    /// The recording has ended; these are its last lines.
    pub is_over: bool,
    /// Requests recorded so far.
    pub requests: u64,
    /// Requests left out so far.
    pub left_out: u64,
}

/// The recording of a running gateway; at most one at a time. Costs one atomic load per request while there is none.
#[derive(Debug, Default)]
pub struct Recordings {
    is_on: AtomicBool,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    heading: Heading,
    key: SealKey,
    until: Monotonic,
    fetched_at: Monotonic,
    requests_max: u64,
    requests: u64,
    left_out: u64,
    line: u64,
    waiting: Vec<String>,
    waiting_bytes: usize,
}

impl Recordings {
    /// Whether requests are recorded.
    pub fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    /// Whether a recording could begin.
    pub fn is_free(&self, now: Monotonic) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().is_none_or(|one| one.is_abandoned(now))
    }

    /// Begins a recording; `None` while another one runs.
    pub fn begin(
        &self,
        wanted: &Wanted,
        by: &str,
        keys: &Keys,
        (now, moment): (Timestamp, Monotonic),
    ) -> Option<Heading> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running
            .as_ref()
            .is_some_and(|one| !one.is_abandoned(moment))
        {
            return None;
        }
        let heading = Heading {
            portcullis_recording: 1,
            id: format!("rec_{}", crypto::text::hex(&crypto::random::<8>())),
            by: by.to_owned(),
            began: now,
            ends: now.plus_days(wanted.keep_days),
        };
        *running = Some(Running {
            key: key(keys, &heading),
            heading: heading.clone(),
            until: moment.plus(wanted.lasting),
            fetched_at: moment,
            requests_max: wanted.requests_max,
            requests: 0,
            left_out: 0,
            line: 0,
            waiting: Vec::new(),
            waiting_bytes: 0,
        });
        self.is_on.store(true, Ordering::Release);
        Some(heading)
    }

    /// Keeps a request while a recording runs.
    pub fn offer(&self, now: Monotonic, request: impl FnOnce() -> Recorded) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(one) = running.as_mut() else { return };
        if one.is_over(now) {
            self.is_on.store(false, Ordering::Release);
            return;
        }
        one.keep(request());
    }

    /// Takes what was recorded since the last call; `None` when that recording does not run.
    pub fn fetch(&self, id: &str, now: Monotonic) -> Option<Fetched> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let one = running.as_mut().filter(|one| one.heading.id == id)?;
        let is_over = one.is_over(now);
        if is_over {
            one.close();
        }
        one.fetched_at = now;
        one.waiting_bytes = 0;
        let fetched = Fetched {
            lines: std::mem::take(&mut one.waiting),
            is_over,
            requests: one.requests,
            left_out: one.left_out,
        };
        if is_over {
            *running = None;
            self.is_on.store(false, Ordering::Release);
        }
        Some(fetched)
    }
}

impl Running {
    fn is_over(&self, now: Monotonic) -> bool {
        now >= self.until || self.requests >= self.requests_max || self.is_abandoned(now)
    }

    fn is_abandoned(&self, now: Monotonic) -> bool {
        now.since(self.fetched_at) > PATIENCE
    }

    fn keep(&mut self, request: Recorded) {
        let line = serde_json::to_vec(&Line::Request(Box::new(request))).unwrap_or_default();
        let is_small = !line.is_empty() && line.len() <= REQUEST_BYTES_MAX;
        if !is_small || self.waiting_bytes + line.len() > WAITING_BYTES_MAX {
            self.left_out += 1;
            return;
        }
        self.requests += 1;
        self.seal(&line);
    }

    fn close(&mut self) {
        let end = Line::End {
            requests: self.requests,
            left_out: self.left_out,
        };
        self.seal(&serde_json::to_vec(&end).unwrap_or_default());
    }

    fn seal(&mut self, line: &[u8]) {
        let sealed = self.key.seal(&context(&self.heading, self.line), line);
        let text = crypto::text::base64(&sealed);
        self.line += 1;
        self.waiting_bytes += text.len();
        self.waiting.push(text);
    }
}

fn key(keys: &Keys, heading: &Heading) -> SealKey {
    keys.store_records
        .subkey(&format!("inspection/recording/{}", heading.id))
}

fn context(heading: &Heading, line: u64) -> Vec<u8> {
    format!("recording\0{}\0{}\0{line}", heading.id, heading.ends).into_bytes()
}

/// Why a recording cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no recording.
    #[error("this is no recording of `portcullis inspect record`")]
    Foreign,
    /// Its day has passed.
    #[error("the recording ended on {0} and may not be read any more")]
    Ended(Timestamp),
    /// A line was changed, moved, or sealed by another installation.
    #[error("line {0} was changed, or the recording belongs to another installation")]
    Sealed(u64),
}

/// A finished recording.
#[derive(Debug)]
pub struct Reader {
    /// Its first line.
    pub heading: Heading,
    /// Its requests.
    pub requests: Vec<Recorded>,
    /// Whether its last line is there.
    pub is_whole: bool,
    /// Requests left out for their size.
    pub left_out: u64,
}

impl Reader {
    /// The first line, where the text is a recording.
    pub fn heading(text: &str) -> Option<Heading> {
        let heading = serde_json::from_str::<Heading>(text.lines().next()?).ok()?;
        (heading.portcullis_recording == 1).then_some(heading)
    }

    /// Reads a file whole.
    ///
    /// # Errors
    /// [`Unreadable`] when it is none of ours, too old, or damaged.
    pub fn open(text: &str, keys: &Keys, now: Timestamp) -> Result<Reader, Unreadable> {
        let heading = Reader::heading(text).ok_or(Unreadable::Foreign)?;
        if now >= heading.ends {
            return Err(Unreadable::Ended(heading.ends));
        }
        let key = key(keys, &heading);
        let mut reader = Reader {
            heading,
            requests: Vec::new(),
            is_whole: false,
            left_out: 0,
        };
        for (number, line) in (0u64..).zip(text.lines().skip(1)) {
            let broken = Unreadable::Sealed(number + 2);
            let sealed = crypto::text::unbase64(line).ok_or(broken.clone())?;
            let plain = key.open(&context(&reader.heading, number), &sealed);
            let plain = plain.map_err(|_| broken.clone())?;
            match serde_json::from_slice(&plain).map_err(|_| broken)? {
                Line::Request(request) => reader.requests.push(*request),
                Line::End { left_out, .. } => {
                    reader.is_whole = true;
                    reader.left_out = left_out;
                }
            }
        }
        Ok(reader)
    }
}

#[cfg(test)]
mod tests;
