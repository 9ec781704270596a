//! The first screen of the demo, and the decisions that follow it.
//! Exports `print`, `follow`.
//! Used by `demo`.
//! Start reading at `print`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use company::{Company, Worker};
use gateway::SharedState;
use model::{Event, Kind, Outcome, printable};

use crate::terminal;

/// Prints the first screen: at most 24 lines.
pub fn print(company: &Company) {
    let ports = &company.ports;
    let snapshot = company.running.io.snapshot.load();
    let compiled = &snapshot.compiled;
    let (exposed, declared) = compiled.operation_counts();
    let limits: usize = compiled
        .integrations
        .values()
        .map(|integration| integration.limits.len())
        .sum();
    let dir = company.dir.display().to_string();
    let dir = printable::line(&dir);
    terminal::text(&format!(
        "
  portcullis {version} · demo company \"Brightline Heating & Service\" · data in {dir} (`demo reset` starts over)

  Gateway     http://localhost:{local}        https://localhost:{public} (CA: {dir}/ca.pem)
  Internal    https://localhost:{internal}       Health and metrics  http://localhost:{admin}/metrics

  Behind it   fieldworks, a careless upstream: returns every field, checks no owner
  Callers     ledgerbox · relate · stockroom · thermo · two partners · dispatch
  Running     {integrations} integrations · {declared} operations, {exposed} of them exposed · configuration {hash}
  Protection  deny by default · {limits} limits · object and field rules per grant · ledger ok (#{records})

  Try it (each is refused for a different reason, or shows less than it could):
     {program} demo tour            makes the calls and checks each answer
     eval \"$({program} demo env)\"   puts demo keys in your shell
     curl -H \"Authorization: Bearer $ACCOUNTING\" $GATE/v2/work-orders/4711
  Why was it refused?   {program} explain <decision id from the answer>
  Its configuration     {dir}/gate: ordinary files, edit them and watch
  Next                  {program} init --openapi your-api.yaml      ·   docs: README.md

  Ctrl-C stops everything.  Live decisions follow:
",
        version = env!("CARGO_PKG_VERSION"),
        program = program(),
        local = ports.local,
        public = ports.public,
        internal = ports.internal,
        admin = ports.admin,
        integrations = compiled.integrations.len(),
        hash = snapshot.short_hash,
        records = company.running.io.recorder.status().records,
    ));
}

/// The program as it was called, so that the printed commands work where they are read.
fn program() -> String {
    let called = std::env::args().next().unwrap_or_default();
    let is_in_sight = called.contains('/');
    if is_in_sight {
        called
    } else {
        "portcullis".to_owned()
    }
}

/// Prints decisions as they happen, on a thread of its own.
pub fn follow(io: &Arc<SharedState>) -> Worker {
    let mut records = io.recorder.subscribe("screen");
    Worker::start(move |is_stopping| {
        let mut missed = 0;
        while !is_stopping.load(Ordering::Acquire) {
            let taken = records.take();
            if records.missed() > missed {
                let more = records.missed() - missed;
                terminal::line(format_args!(
                    "  … {more} records came too quickly to be shown"
                ));
                missed = records.missed();
            }
            let events = taken.iter().filter_map(|entry| entry.event().ok());
            for event in events.filter(|event| event.kind == Kind::Request) {
                terminal::line(format_args!("  {}", line(&event)));
            }
            std::thread::sleep(Duration::from_millis(250));
        }
    })
}

/// One decision in one line.
fn line(event: &Event) -> String {
    let time = event.at.to_string();
    let time = time.get(11..19).unwrap_or_default();
    let verdict = match event.outcome.known() {
        Some(Outcome::Allow) => "allow ",
        Some(Outcome::Refuse) => "REFUSE",
        _ => "FAULT ",
    };
    let text = |value: &Option<model::Text>| value.as_deref().unwrap_or("-").to_owned();
    let took = event.took_us.unwrap_or(0);
    let status = event.status.unwrap_or(0);
    let rest = match (&event.code, event.fields, event.id) {
        (Some(code), _, Some(id)) => format!("{code}  {id}"),
        (None, Some((out, seen)), _) => format!("fields {out}/{seen}"),
        _ => String::new(),
    };
    // The caller of `line` makes it one: names come from outside.
    format!(
        "{time} {verdict} {:<11} {:<22} {status}  {:>3}.{} ms  {rest}",
        text(&event.integration),
        text(&event.operation),
        took / 1000,
        took % 1000 / 100
    )
}
