//! A time in which nothing could be written, on the record once it is over: how long, how many events, and why.
//! Gives the writer `keep_outage`.
//! Used by the writer's thread alone.
//! Start reading at `Writer::keep_outage`. What was refused itself is nowhere: whoever asked for it was told.

use model::{Event, Kind, Outcome, Timestamp};

use super::{Writer, single};
use crate::fault::LedgerFault;

/// Events that were refused, one group after another.
pub(super) struct Outage {
    since: Timestamp,
    events: u64,
    why: LedgerFault,
}

impl Outage {
    fn event(&self, until: Timestamp) -> Event {
        let (events, since, why) = (self.events, self.since, &self.why);
        let span = until.since(since).as_micros();
        Event {
            at: until,
            kind: Kind::LedgerOutage.into(),
            outcome: Outcome::Done.into(),
            count: Some(events),
            took_us: u64::try_from(span).ok(),
            detail: Some(
                format!("events refused between {since} and {until}: {events}. {why}").into(),
            ),
            ..Event::default()
        }
    }
}

impl Writer {
    /// Notes a group of so many events that could not be written, for a reason that may pass; and records that, as soon as
    /// another group could be.
    pub(super) fn keep_outage(
        &mut self,
        refused: Option<LedgerFault>,
        count: usize,
        at: Timestamp,
    ) {
        let events = u64::try_from(count).unwrap_or(u64::MAX);
        let Some(why) = refused else {
            self.tell_outage(at);
            return;
        };
        if let Some(outage) = &mut self.outage {
            outage.events = outage.events.saturating_add(events);
        } else if why.is_passing() {
            self.outage = Some(Outage {
                since: at,
                events,
                why,
            });
        }
    }

    fn tell_outage(&mut self, at: Timestamp) {
        let Some(outage) = self.outage.take() else {
            return;
        };
        let latest = self.shared.latest_to_name(at);
        let told = single(&outage.event(at), latest).and_then(|batch| {
            self.current = batch;
            self.commit()
        });
        // It begins again: it is told with what follows.
        if told.is_err() {
            self.outage = Some(outage);
        }
    }
}
