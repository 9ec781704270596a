//! Output buffers shared by the connections of one thread: a resting connection holds none.
//! Exports `with_buffer`.
//! Used wherever a head is written.
//! Start reading at `with_buffer`.

use std::cell::RefCell;

/// Buffers kept per thread.
const KEPT: usize = 64;
/// Larger ones are given back.
const BYTES_MAX: usize = 64 * 1024;

thread_local! {
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with an empty buffer of this thread.
pub(crate) async fn with_buffer<T>(work: impl AsyncFnOnce(&mut Vec<u8>) -> T) -> T {
    let mut buffer = FREE
        .with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| Vec::with_capacity(2048));
    let done = work(&mut buffer).await;
    buffer.clear();
    if buffer.capacity() <= BYTES_MAX {
        FREE.with_borrow_mut(|free| {
            if free.len() < KEPT {
                free.push(buffer);
            }
        });
    }
    done
}
