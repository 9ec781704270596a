//! The company's system behind a version: targets, health checks, trust.
//! Exports `compile`.
//! Used by apis.
//! Start reading at `compile`.

use std::sync::Arc;
use std::time::Duration;

use model::time::Span as Period;

use super::bounds::filled;
use super::draft::Scene;
use super::server::is_own;
use crate::api::{Health, State, Upstream, Version};
use crate::compiled::{HealthSettings, UpstreamSettings};
use crate::files;
use crate::report::Report;
use crate::spanned::{At, Located, Place};
use crate::values::ByteSize;

const TARGETS_MAX: usize = 64;
const TIMEOUT_RANGE: (Period, Period) = (
    Period(Duration::from_millis(100)),
    Period(Duration::from_secs(600)),
);
const INTERVAL_RANGE: (Period, Period) = (
    Period(Duration::from_secs(1)),
    Period(Duration::from_secs(3600)),
);
const CALLS_DEFAULT: u32 = 4096;
const CALLS_RANGE: (u32, u32) = (2, 100_000);
const ANSWER_RANGE: (ByteSize, ByteSize) = (ByteSize(1024), ByteSize(64 << 20));

/// Checks the upstream of a version.
pub(super) fn compile(
    full: &str,
    place: &Place,
    version: &Version,
    scene: &Scene<'_>,
    file: &Arc<str>,
    report: &mut Report,
) -> Option<UpstreamSettings> {
    let Some(written) = &version.upstream else {
        if !version.expose.is_empty() && version.state.value != State::Retired {
            let help = "Write `upstream: { targets: [\"http://HOST:PORT\"] }`.";
            report.wrong(
                place,
                format!("`{full}` exposes operations but has no `upstream`"),
                help,
            );
        }
        return None;
    };
    targets(written, scene, file, report);
    let timeout = filled(
        written.timeout.as_ref(),
        Period::from_secs(30),
        TIMEOUT_RANGE,
        file,
        report,
    );
    let response = filled(
        written.answer_bytes_max.as_ref(),
        ByteSize(8 << 20),
        ANSWER_RANGE,
        file,
        report,
    );
    let calls_max = written.calls_max.as_ref();
    Some(UpstreamSettings {
        targets: written.targets.iter().map(|at| at.value.clone()).collect(),
        balance: written.balance,
        health: written
            .health
            .as_ref()
            .map(|health| self::health(health, file, report)),
        timeout: timeout.0,
        answer_bytes_max: usize::try_from(response.0).unwrap_or(usize::MAX),
        calls_max: filled(calls_max, CALLS_DEFAULT, CALLS_RANGE, file, report),
        ca: written
            .ca
            .as_ref()
            .and_then(|path| ca(path, written, file, report)),
        pass_credential: written.pass_credential,
    })
}

fn targets(written: &At<Upstream>, scene: &Scene<'_>, file: &Arc<str>, report: &mut Report) {
    if !(1..=TARGETS_MAX).contains(&written.targets.len()) {
        let message = format!(
            "an upstream has 1 to {TARGETS_MAX} targets, not {}",
            written.targets.len()
        );
        report.wrong(
            &written.place(file),
            message,
            "Write `targets: [\"http://HOST:PORT\"]`.",
        );
    }
    for (index, at) in written.targets.iter().enumerate() {
        if written
            .targets
            .iter()
            .take(index)
            .any(|other| other.value == at.value)
        {
            report.wrong(
                &at.place(file),
                format!("`{}` is listed twice", at.value),
                "Keep one of the two.",
            );
        }
        if let Some(name) = scene
            .listeners
            .and_then(|listeners| is_own(&at.value, listeners))
        {
            let message = format!("this target is our own listener `{name}`");
            report.wrong(
                &at.place(file),
                message,
                "Name the company's system; a gateway that calls itself never ends.",
            );
        }
    }
}

fn health(written: &Health, file: &Arc<str>, report: &mut Report) -> HealthSettings {
    let is_plain = |b: u8| b.is_ascii_graphic() && !b"#\\\"<>`{|}".contains(&b);
    if !written.path.starts_with('/') || !written.path.bytes().all(is_plain) {
        let help = "Write it like `/health`; a query may follow.";
        report.wrong(
            &written.path.place(file),
            "the path of the health check is not a path",
            help,
        );
    }
    let interval = filled(
        written.interval.as_ref(),
        Period::from_secs(5),
        INTERVAL_RANGE,
        file,
        report,
    );
    HealthSettings {
        path: written.path.value.clone(),
        interval: interval.0,
    }
}

/// The path of the authorities' file, relative to the configuration directory.
fn ca(
    path: &At<String>,
    upstream: &Upstream,
    file: &Arc<str>,
    report: &mut Report,
) -> Option<Located<String>> {
    let place = path.place(file);
    if !upstream.targets.iter().any(|target| target.is_tls) {
        report.wrong(
            &place,
            "`ca` has no meaning without an https target",
            "Write https targets, or take `ca` out.",
        );
    }
    if path.starts_with('/') && !path.contains('\0') {
        return Some(path.located(file));
    }
    match files::resolve(file, path) {
        Ok(value) => Some(Located { value, place }),
        Err(why) => {
            let help = "Write a path inside the configuration directory, or an absolute path.";
            report.wrong(&place, format!("the path {why}"), help);
            None
        }
    }
}
