//! Keeps a panic inside one request: the process and the other connections live on.
//! Exports `guarded`.
//! Used by the connections around every call of the road.
//! Start reading at `guarded`.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// The output, or `None` when the work panicked. What it had borrowed is given up by the caller, which closes the
/// connection; nothing of a half-done request is used again.
pub(crate) async fn guarded<F: Future>(mut work: Pin<Box<F>>) -> Option<F::Output> {
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Ready(done)) => Poll::Ready(Some(done)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}
