//! One timer per connection instead of one per wait: it is only moved when it would ring too late.
//! Exports `Alarm`.
//! Used by `Wire`.
//! Start reading at `Alarm::within`.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is kept armed between waits.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Waits for `work` until `deadline`; `None` when it is not done by then. The deadline is asked for when there is
    /// something to wait for: most writes are done at once, and reading the clock costs more than finding that out.
    pub(crate) async fn within<F: Future>(
        &mut self,
        deadline: impl Fn() -> Instant,
        work: F,
    ) -> Option<F::Output> {
        let mut work = pin!(work);
        let mut known = None;
        poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            let deadline = *known.get_or_insert_with(&deadline);
            let sleep = self
                .sleep
                .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if sleep.deadline() > deadline {
                sleep.as_mut().reset(deadline);
            }
            // Armed for an earlier wait it may ring early; then it is set to what is wanted now.
            while sleep.as_mut().poll(cx).is_ready() {
                if Instant::now() >= deadline {
                    return Poll::Ready(None);
                }
                sleep.as_mut().reset(deadline);
            }
            Poll::Pending
        })
        .await
    }
}
