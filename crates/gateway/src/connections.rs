//! Connections that never became a request: one record per address, reason and second, and the numbers.
//! Exports `record`. Takes what `net` has counted, so a flood costs a bounded number of records.
//! Used by the service of the data plane and by the admin listener's.
//! Start reading at `record`.

use std::net::IpAddr;

use model::text::shared;
use model::{DecisionId, Event, Kind, Monotonic, Outcome, Text, Timestamp};
use net::reasons::{FRAMES_EXCESSIVE, FRAMES_MALFORMED};
use net::{Dropped, Origin};
use policy::client_key;

use crate::blocks::{Block, ChargedTo};
use crate::bounds::{DETAIL_BYTES_MAX, bounded};
use crate::ids::Ids;
use crate::{SharedState, Snapshot};

/// Most refusals one report adds to one address: no block needs more, however long the flood.
const REFUSALS_MAX: u64 = 100;

/// Writes the records, all in one group of the ledger. These connections are refused already, so a ledger that cannot
/// take a record opens nothing: what is missing from it is counted.
pub async fn record(io: &SharedState, dropped: Vec<Dropped>) {
    let snapshot = io.snapshot.load_full();
    let (now, moment) = (io.clock.now(), io.clock.monotonic(io.clock.tick()));
    let ids = Ids::default();
    let mut pending = Vec::with_capacity(dropped.len());
    for one in dropped {
        io.metrics
            .count_dropped(&one.listener, one.reason.code, one.count);
        let id = ids.next(now);
        let begun = charge(&one, io, &snapshot, id, moment);
        let mut event = event(&one, &snapshot, now);
        event.blocked = begun.map(|block| block.blocked(now, moment));
        event.id = Some(id);
        pending.push((io.recorder.record(&event), one.count));
    }
    for (recorded, count) in pending {
        if recorded.await.is_err() {
            io.metrics.connections_unrecorded.inc_by(count);
        }
    }
}

fn event(one: &Dropped, snapshot: &Snapshot, now: Timestamp) -> Event {
    let detail = match one.origin {
        Origin::Others => format!("addresses beyond those told apart; {}", one.detail),
        _ => one.detail.clone(),
    };
    Event {
        at: now,
        kind: Kind::Connection.into(),
        outcome: Outcome::Refuse.into(),
        code: Some(Text::new_static(one.reason.code)),
        stage: Some(one.reason.stage.into()),
        address: (one.origin != Origin::Others).then(|| one.origin.to_string().into()),
        count: Some(one.count),
        listener: Some(shared(&one.listener)),
        detail: Some(bounded(&detail, DETAIL_BYTES_MAX)),
        configuration: Some(snapshot.short_hash.clone()),
        ..Event::default()
    }
}

/// Charges abuse of HTTP/2 to strangers at its address like any refusal. Failed handshakes and slow connections do not
/// count, because bad networks have them too.
fn charge(
    one: &Dropped,
    io: &SharedState,
    snapshot: &Snapshot,
    id: DecisionId,
    moment: Monotonic,
) -> Option<Block> {
    let is_abuse = one.reason == &FRAMES_EXCESSIVE || one.reason == &FRAMES_MALFORMED;
    let address: IpAddr = one.origin.address().filter(|_| is_abuse)?;
    let settings = snapshot.compiled.server.blocks.as_ref()?;
    let who = ChargedTo::Address(client_key(address));
    let refusals = 0..one.count.min(REFUSALS_MAX);
    refusals
        .filter_map(|_| {
            io.blocks
                .count_refusal(who, (one.reason.code, id), settings, moment)
        })
        .last()
}
