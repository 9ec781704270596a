//! What the ledger will say of a request, filled in as the road learns it.
//! Gives `note_head`, `allowed`, `stopped`, `finish`, `charge`.
//! Used by the service, in one place, so that every path ends in the ledger.
//! Start reading at `finish`.

use std::borrow::Cow;
use std::sync::Arc;

use identity::api_key::redacted;
use model::text::shown;
use model::{Event, Head, Method, Monotonic, Reason, Refusal, Reply, Stage, Text, Timestamp};
use policy::client_key;

use crate::blocks::{Block, ChargedTo};
use crate::clock::micros_since;
use crate::exchange::bounded;
use crate::metrics::Counted;
use crate::stages::limit;
use crate::{Exchange, Io, Snapshot, Stop};

/// The ledger cannot take a record.
pub const LEDGER_UNAVAILABLE: Reason = Reason::new(
    Stage::Response,
    "ledger.unavailable",
    503,
    "The gateway cannot record this request, so it does not answer it.",
    "Try again later.",
    "The ledger could not write: disk full, a failed flush, or a directory that became read-only. Nothing is answered without a record. \
     Meanwhile `/readyz` answers 503. Make room or make the directory writable, and requests go on; after a failed flush, restart.",
);

/// Longest path kept in a record.
const PATH_BYTES_MAX: usize = 512;
/// Longest private detail kept in a record.
pub(crate) const DETAIL_BYTES_MAX: usize = 1024;

/// Notes what the head says.
pub fn note_head(event: &mut Event, head: &Head) {
    let path = head.target.split('?').next().unwrap_or_default();
    event.protocol = Some(head.protocol.as_str().into());
    event.method = Some(match head.method {
        Method::Other(token) => token.as_str().to_owned().into(),
        declarable => declarable.name().into(),
    });
    event.path = Some(bounded(path, PATH_BYTES_MAX));
}

/// Notes what could be seen of a head that never became one.
pub fn note_seen(event: &mut Event, seen: Option<&(String, String)>) {
    if let Some((method, target)) = seen {
        let path = target.split('?').next().unwrap_or_default();
        event.method = Some(bounded(method, 32));
        event.path = Some(bounded(path, PATH_BYTES_MAX));
    }
}

/// Notes that every stage was passed.
pub fn allowed(x: &mut Exchange<'_, '_>) {
    x.event.outcome = Text::new_static("allow");
    x.event.stage = Some(Text::new_static(Stage::Response.name()));
}

/// Notes where and why the road ended.
pub fn stopped(x: &mut Exchange<'_, '_>, stop: &Stop) {
    let refusal = stop.refusal();
    x.event.outcome = match stop {
        Stop::Refused(_) => "refuse".into(),
        Stop::Failed(_) => "fault".into(),
    };
    x.code = refusal.reason.code;
    x.event.code = Some(Text::new_static(x.code));
    x.event.stage = Some(Text::new_static(x.stage.name()));
    x.event.detail =
        Some(bounded(&refusal.detail, DETAIL_BYTES_MAX)).filter(|text| !text.is_empty());
    if let Some(rule) = &refusal.rule {
        x.event.rule = Some(shown(rule));
    }
    x.event.errors = refusal
        .errors
        .iter()
        .map(|e| format!("{} {} {}", e.place, e.pointer, e.keyword))
        .collect();
}

/// Completes the record and says what to count.
pub fn finish(x: &mut Exchange<'_, '_>, reply: &Reply) -> Counted {
    let took_us = micros_since(x.started);
    x.event.id = Some(x.id);
    // Stage `ip` has noted it, unless the request ended before.
    if x.event.address.is_none() {
        x.event.address = Some(shown(&x.address));
    }
    x.event.status = Some(reply.status);
    x.event.bytes_out = u64::try_from(reply.body.len()).ok();
    x.event.took_us = Some(took_us);
    scrub(&mut x.event);
    Counted {
        outcome: match &*x.event.outcome {
            "allow" => "allow",
            "fault" => "fault",
            _ => "refuse",
        },
        stage: x.stage.name(),
        code: x.code,
        integration: match &x.charged_to {
            Some(caller) => Arc::clone(&caller.integration),
            None => Arc::from(""),
        },
        took_us,
        upstream_us: x.event.upstream_us,
    }
}

/// Takes keys out of everything a stranger can write into: a key in a path, a field's name or a header is a mistake,
/// and the record of it is read by more people than may hold the key.
fn scrub(event: &mut Event) {
    let texts = [
        &mut event.method,
        &mut event.path,
        &mut event.user,
        &mut event.detail,
    ];
    for text in texts.into_iter().flatten() {
        if let Cow::Owned(clean) = redacted(text) {
            *text = clean.into();
        }
    }
    let lists = [
        &mut event.objects,
        &mut event.errors,
        &mut event.findings,
        &mut event.drift,
    ];
    for text in lists.into_iter().flatten() {
        if let Cow::Owned(clean) = redacted(text) {
            *text = clean;
        }
    }
}

/// Charges a refusal to whoever caused it: the person a proven caller named, else its credential, and strangers at the
/// address while no caller is proven.
pub fn charge(x: &mut Exchange<'_, '_>, refusal: &Refusal, io: &Io, s: &Snapshot) {
    let shown = refusal.conceal.unwrap_or(refusal.reason);
    let is_by_limit = shown.stage == Stage::Limit;
    if x.charged_to.is_none() && !is_by_limit {
        limit::charge_strangers(x, io, s);
    }
    let Some(settings) = &s.compiled.server.blocks else {
        return;
    };
    // While a block lasts, further knocking neither lengthens nor shortens it. Limits say by themselves how long to wait.
    if shown == &policy::block::BLOCKED || is_by_limit && !settings.count_limits {
        return;
    }
    // A hidden object must not count where an absent one does not: the block would tell them apart.
    if shown == &policy::ABSENT {
        return;
    }
    let who = match &x.charged_to {
        None => ChargedTo::Address(client_key(x.address)),
        Some(caller) => match &caller.user {
            Some(user) => ChargedTo::User(&caller.integration, user),
            None => ChargedTo::Credential(caller.credential),
        },
    };
    let why = (refusal.reason.code, x.id);
    if let Some(block) = io.blocks.count_refusal(who, why, settings, x.moment) {
        let noted = format!("{}; {}", begun(&block, x.now, x.moment), refusal.detail);
        x.event.detail = Some(bounded(&noted, DETAIL_BYTES_MAX));
    }
}

/// Whom a block keeps out and until when, by the clock of now.
pub fn begun(block: &Block, now: Timestamp, moment: Monotonic) -> String {
    let until = now.plus(block.left(moment));
    format!("{} is blocked until {until}", block.subject)
}
