//! The suite: the real binary, real sockets, one module per subject.
//! Every test has a server, an upstream and a directory of its own, so all of them can run at once.
//! Start reading at `smoke`, then at the subject that interests you; the harness lies in `testkit`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test ends at the first surprise"
)]

mod actors;
mod answers;
mod bad_input;
mod bars;
mod blocks;
mod bodies;
mod broken_config;
mod clients;
mod clocks;
mod command_line;
mod connections;
mod contract_of_wire;
mod crashes;
mod deliveries;
mod descriptors;
mod destroyed;
mod docs;
mod doctor;
mod egress;
mod entries;
mod etags;
mod explained;
mod facts;
mod files;
mod framing;
mod http2;
mod http2_abuse;
mod incident;
mod inspection;
mod kek;
mod lifecycle;
mod limits;
mod limits_by_value;
mod line;
mod modes;
mod objects;
mod outputs;
mod parts;
mod persons;
mod persons_objects;
mod planted;
mod public;
mod put_back;
mod questions;
mod readers;
mod reload;
mod root;
mod routes;
mod rule_files;
mod running_state;
mod second_verifier;
mod secrets;
mod signers;
mod smoke;
mod stopping;
mod surface;
mod terminal;
mod texts;
mod tolerance;
mod upstreams;
mod urls;
mod written_before;

use std::path::Path;

use demo::{Call, Listener};
use testkit::{Gate, Server};

/// The binary under test.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_portcullis"))
}

/// A ready server on this gate.
pub fn serve(gate: Gate) -> Server {
    Server::start(program(), gate)
}

/// A call to the small gate's data listener.
pub fn call(method: &str, target: &str) -> Call {
    Call::new(method, target).at(Listener::Public)
}
