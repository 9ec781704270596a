//! The tour: calls that show each protection, each answer explained and checked.
//! Exports `steps`, `run`, `Env`, `Wire`. Keys, explanations and the ledger come from whoever runs the tour.
//! Used by the verb `demo tour` and by testkit as a smoke test.
//! Start reading at `run`; the calls themselves are in `tour::steps`.

mod check;
mod steps;
mod wire;

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::call::{Call, CallResponse};

pub use check::Check;
pub use steps::steps;
pub use wire::Wire;

/// What the tour needs from whoever runs it.
pub trait Env {
    /// Sends one call with this key and returns the whole answer.
    ///
    /// # Errors
    /// A sentence when there is no answer.
    fn send(&mut self, call: &Call, key: Option<&str>) -> Result<CallResponse, String>;

    /// The standing demo key of an integration.
    ///
    /// # Errors
    /// A sentence when there is none.
    fn key(&mut self, integration: &str) -> Result<String, String>;

    /// Makes a further key for an integration.
    ///
    /// # Errors
    /// A sentence when it could not be made.
    fn fresh_key(&mut self, integration: &str) -> Result<FreshKey, String>;

    /// Revokes a key at once.
    ///
    /// # Errors
    /// A sentence when it could not be revoked.
    fn revoke(&mut self, id: &str) -> Result<(), String>;

    /// What the operator reads about a decision, in one line; `None` when explanations are not at hand.
    fn why(&mut self, decision: &str) -> Option<String>;

    /// Verifies the ledger; with `is_tampered` a copy of it in which one byte was changed.
    ///
    /// # Errors
    /// A sentence when the verification could not be made. A failed verification is no error.
    fn verify_ledger(&mut self, is_tampered: bool) -> Result<LedgerView, String>;
}

/// A key made for the tour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreshKey {
    /// Its public id (`key_…`).
    pub id: String,
    /// The text a caller sends.
    pub text: String,
}

/// What a verification of the ledger found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerView {
    /// Whether everything holds together.
    pub is_intact: bool,
    /// Number of the first bad record, where one was found.
    pub first_bad: Option<u64>,
    /// What the verifier says, in one line.
    pub says: String,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Act {
    /// One call.
    Call(Call),
    /// One call with this text as its key, whoever made it.
    Forged(Call, &'static str),
    /// Two calls whose answers must not be told apart (besides decision id and date).
    Twins(Call, Call),
    /// The same call until a limit answers, at most so often. The first `limit.exceeded` is the answer.
    Burst(Call, u32),
    /// The same call until the caller is blocked, at most so often. The first `limit.blocked` is the answer.
    Blocked(Call, u32),
    /// The call with a fresh key (must succeed), then the key is revoked and the call made again.
    Revoked(Call),
    /// The ledger is verified, in a tampered copy or as it is.
    Ledger {
        /// Whether one byte is changed before.
        is_tampered: bool,
    },
}

/// One stop of the tour.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is tried, in a few words.
    pub title: &'static str,
    /// What it shows.
    pub shows: &'static str,
    /// The calls.
    pub act: Act,
    /// What must hold for the answer.
    pub checks: Vec<Check>,
}

/// How the tour went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Stops made.
    pub steps: u32,
    /// Calls made.
    pub calls: u32,
    /// Single expectations checked.
    pub checks: u32,
    /// Expectations that did not hold, and calls that gave no answer.
    pub wrong: u32,
}

/// Longest wait for a block of an earlier tour to end.
const BLOCK_WAIT_MAX: Duration = Duration::from_secs(12);

/// Walks the steps and writes two or three lines about each.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn run(steps: &[Step], env: &mut dyn Env, out: &mut dyn Write) -> io::Result<Outcome> {
    let started = Instant::now();
    let mut outcome = Outcome::default();
    for (number, step) in (1u32..).zip(steps) {
        outcome.steps = number;
        writeln!(out, "{number:>3}. {}", step.title)?;
        let mut walk = Walk {
            env,
            calls: 0,
            number,
        };
        let walked = walk.act(&step.act);
        outcome.calls += walk.calls;
        match walked {
            Ok(finding) => report(step, &finding, env, &mut outcome, out)?,
            Err(why) => {
                outcome.wrong += 1;
                writeln!(out, "     {}\n     WRONG   {why}", sent(&step.act))?;
            }
        }
    }
    let seconds = started.elapsed().as_secs_f32();
    let verdict = if outcome.wrong == 0 {
        "all right"
    } else {
        "NOT ALL RIGHT"
    };
    writeln!(
        out,
        "\n{} calls, {} checks, {} wrong: {verdict} ({seconds:.1} s)",
        outcome.calls, outcome.checks, outcome.wrong
    )?;
    Ok(outcome)
}

/// What an act brought.
enum Finding {
    CallResponse(CallResponse),
    Pair(CallResponse, CallResponse),
    Ledger(LedgerView),
}

struct Walk<'a> {
    env: &'a mut dyn Env,
    calls: u32,
    number: u32,
}

impl Walk<'_> {
    fn act(&mut self, act: &Act) -> Result<Finding, String> {
        match act {
            Act::Call(call) => self.send(call).map(Finding::CallResponse),
            Act::Forged(call, key) => self.send_as(call, Some(key)).map(Finding::CallResponse),
            Act::Twins(one, other) => Ok(Finding::Pair(self.send(one)?, self.send(other)?)),
            Act::Burst(call, most) => {
                self.wait_for_block(call)?;
                self.until(call, *most, "limit.exceeded")
                    .map(Finding::CallResponse)
            }
            Act::Blocked(call, most) => self
                .until(call, *most, "limit.blocked")
                .map(Finding::CallResponse),
            Act::Revoked(call) => self.revoked(call).map(Finding::CallResponse),
            Act::Ledger { is_tampered } => {
                self.env.verify_ledger(*is_tampered).map(Finding::Ledger)
            }
        }
    }

    fn send(&mut self, call: &Call) -> Result<CallResponse, String> {
        let key = call.who.map(|who| self.env.key(who)).transpose()?;
        self.send_as(call, key.as_deref())
    }

    fn send_as(&mut self, call: &Call, key: Option<&str>) -> Result<CallResponse, String> {
        self.calls += 1;
        let mut call = call.clone();
        // Each stop calls from an address of its own: refusals count per address, and one stop's are not another's.
        if call.from == Ipv4Addr::LOCALHOST {
            call.from = Ipv4Addr::new(127, 0, 2, u8::try_from(self.number).unwrap_or(u8::MAX));
        }
        self.env.send(&call, key)
    }

    /// A tour right after another one meets the block the other one earned.
    fn wait_for_block(&mut self, call: &Call) -> Result<(), String> {
        let response = self.send(call)?;
        if response.code().as_deref() == Some("limit.blocked") {
            let seconds = response
                .header("retry-after")
                .and_then(|s| s.parse().ok())
                .unwrap_or(1);
            std::thread::sleep(Duration::from_secs(seconds).min(BLOCK_WAIT_MAX));
        }
        Ok(())
    }

    fn until(&mut self, call: &Call, most: u32, code: &str) -> Result<CallResponse, String> {
        let mut last = String::from("nothing");
        for _ in 0..most {
            let response = self.send(call)?;
            match response.code() {
                Some(found) if found == code => return Ok(response),
                found => last = found.unwrap_or_else(|| response.status.to_string()),
            }
        }
        Err(format!(
            "{most} calls in a row were never answered with {code}; the last answer was {last}"
        ))
    }

    fn revoked(&mut self, call: &Call) -> Result<CallResponse, String> {
        let who = call.who.ok_or("a revoked key needs an integration")?;
        let key = self.env.fresh_key(who)?;
        let before = self.send_as(call, Some(&key.text))?;
        self.env.revoke(&key.id)?;
        if before.status != 200 {
            return Err(format!(
                "the fresh key was answered with {} before it was revoked",
                before.status
            ));
        }
        self.send_as(call, Some(&key.text))
    }
}

fn report(
    step: &Step,
    finding: &Finding,
    env: &mut dyn Env,
    outcome: &mut Outcome,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "     {}", sent(&step.act))?;
    let (came, mut wrong) = match finding {
        Finding::CallResponse(response) => (came(response), Vec::new()),
        Finding::Pair(one, other) => (came(one), check::same_bytes(one, other)),
        Finding::Ledger(view) => (view.says.clone(), check::ledger(&step.act, view)),
    };
    outcome.checks += u32::from(!matches!(finding, Finding::CallResponse(_)));
    if let Finding::CallResponse(response) | Finding::Pair(response, _) = finding {
        for check in &step.checks {
            outcome.checks += 1;
            wrong.extend(check.judge(response).err());
        }
    }
    writeln!(out, "     {came}")?;
    writeln!(out, "     {}", step.shows)?;
    if let Finding::CallResponse(response) = finding
        && response.status >= 400
        && let Some(why) = response.decision().and_then(|id| env.why(id))
    {
        writeln!(out, "     why     {why}")?;
    }
    for sentence in &wrong {
        outcome.wrong += 1;
        writeln!(out, "     WRONG   {sentence}")?;
    }
    Ok(())
}

/// One line about what is sent.
fn sent(act: &Act) -> String {
    let line = |call: &Call| {
        let who = call.who.unwrap_or("nobody");
        let mut text = format!("sent    {} {} as {who}", call.method, call.target);
        if call.listener != crate::call::Listener::Local {
            text.push_str(&format!(" ({} listener)", call.listener.name()));
        }
        if !call.body.is_empty() {
            text.push_str(&format!("  {}", String::from_utf8_lossy(&call.body)));
        }
        shortened(text)
    };
    match act {
        Act::Call(call) | Act::Forged(call, _) => line(call),
        Act::Twins(one, other) => format!("{} and {}", line(one), other.target),
        Act::Burst(call, _) | Act::Blocked(call, _) => format!("{}, again and again", line(call)),
        Act::Revoked(call) => format!("{}, with a key revoked a moment ago", line(call)),
        Act::Ledger { is_tampered: false } => "ledger  verified as it is".to_owned(),
        Act::Ledger { is_tampered: true } => {
            "ledger  one byte changed in a copy, then verified".to_owned()
        }
    }
}

/// One line about what came back.
fn came(response: &CallResponse) -> String {
    let what = match response.code() {
        Some(code) => code,
        None => format!("{} bytes", response.body.len()),
    };
    let decision = response.decision().unwrap_or("no decision id");
    format!("answer  {} {what}  {decision}", response.status)
}

fn shortened(text: String) -> String {
    const LENGTH_MAX: usize = 150;
    if text.chars().count() <= LENGTH_MAX {
        return text;
    }
    let mut short: String = text.chars().take(LENGTH_MAX).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests;
