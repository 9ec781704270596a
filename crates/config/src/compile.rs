//! From the texts of a directory to a configuration that can run, or to everything that is wrong with it.
//! Exports `compile`, `compile_after` and `Options`. Pure: the same files and the same `now` give the same result.
//! Used by the binary (`check`, `serve`), by admin (plan, apply) and by the tests.
//! Start reading at `compile`: the order of the steps is the order of what they need from one another.

mod anonymous;
mod apis;
mod bounds;
mod browsers;
mod carried;
mod draft;
mod foreign;
mod grants;
mod inspection;
mod integrations;
mod lifecycle;
mod limits;
mod lookups;
mod objects;
mod persons;
mod placed;
mod reading;
mod references;
mod routes;
mod server;
mod upstream;

use std::sync::Arc;

use model::{Mistake, Timestamp};

use crate::Files;
use crate::compiled::Compiled;
use crate::read::read;
use crate::report::{Report, Warning};

/// What a compilation depends on besides the files.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The present moment: decides which days lie in the past.
    pub now: Timestamp,
}

/// Compiles a whole configuration.
///
/// # Errors
/// Every mistake found in any of the files (at most [`crate::MISTAKES_MAX`]), in the order of file and place.
pub fn compile(files: &Files, options: Options) -> Result<(Compiled, Vec<Warning>), Vec<Mistake>> {
    compile_after(files, options, None)
}

/// Compiles a whole configuration for somebody who reads it and inspects no request: what its contracts prove about the
/// rules takes longest and is left out. With it every text would count as free, so nothing is inspected less.
///
/// # Errors
/// As [`compile`].
pub fn compile_to_read(
    files: &Files,
    options: Options,
) -> Result<(Compiled, Vec<Warning>), Vec<Mistake>> {
    whole(files, options, None, Proofs::LeftOut)
}

/// Compiles a whole configuration that follows another one. What took long and did not change (rules of directories) is
/// taken over; the result is the same.
///
/// # Errors
/// As [`compile`].
pub fn compile_after(
    files: &Files,
    options: Options,
    before: Option<&Compiled>,
) -> Result<(Compiled, Vec<Warning>), Vec<Mistake>> {
    whole(files, options, before, Proofs::Made)
}

/// Whether it is worked out which rules cannot match in which fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proofs {
    Made,
    LeftOut,
}

fn whole(
    files: &Files,
    options: Options,
    before: Option<&Compiled>,
    proofs: Proofs,
) -> Result<(Compiled, Vec<Warning>), Vec<Mistake>> {
    let mut report = Report::default();
    let written = read(files, &mut report);

    let listeners = written.server.as_ref().map(|server| &server.listeners);
    let server = written
        .server
        .as_ref()
        .and_then(|s| server::compile(s, &written, files, &mut report));
    let mut apis = apis::compile(&written, files, listeners, options.now, &mut report);
    lifecycle::check(&apis, &mut report);
    let router = routes::compile(&apis, &mut report);
    let grants = grants::collect(&written, files, &apis, &mut report);
    let inspection = written
        .server
        .as_ref()
        .and_then(|s| inspection::compile(s, files, &mut apis, (options.now, before), &mut report));
    let responses = written
        .server
        .as_ref()
        .and_then(|s| inspection::answers(s, &mut report));
    let rules = foreign::policy(&grants, &apis, &written, files, &mut report);
    apis.link(rules.as_deref());
    let listening = server.as_ref().map(|server| server.listeners.as_slice());
    let around = (listening, options.now);
    let integrations =
        integrations::compile(&written, &apis, rules.as_deref(), around, &mut report);
    references::unused(&written, files, &apis, &mut report);
    references::idle(&written, &apis, &mut report);
    if let Some(server) = &server {
        references::strays(server, files, &apis, &mut report);
    }

    let warnings = report.finish()?;
    // Whatever is missing here has left a mistake above; the branch cannot be taken, and it does not open the gate.
    let (Some(server), Some(router), Some(inspection), Some(responses), Some(rules)) =
        (server, router, inspection, responses, rules)
    else {
        return Err(vec![Mistake::new(
            "the configuration could not be compiled",
            "Run `portcullis check` on it.",
        )]);
    };
    let (proven, forwarded) = inspection::prove(&inspection, &mut apis, before, proofs);
    let compiled = Compiled {
        hash: files.hash(),
        server,
        versions: apis.versions,
        router,
        integrations,
        rules,
        inspection: inspection.plan,
        rules_digest: inspection.rules_digest,
        proven,
        forwarded,
        responses,
        sources: Arc::new(files.clone()),
    };
    Ok((compiled, warnings))
}
