//! The memory of a transaction, handed on to the next one of the same thread.
//! Exports `take` and `give`. Bounded: larger memory goes back to the system.
//! Used by `Transaction`. No value of one request stays readable for the next;
//! what stays of short names and headers is in `prefilter_cache`.
//! Start reading at `take`.

use super::hits::Hits;
use super::lists::Lists;
use super::store::StoreMemory;
use std::cell::RefCell;

/// Everything a transaction would otherwise allocate.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) store: StoreMemory,
    pub(super) lists: Lists,
    pub(super) hits: Hits,
}

/// Transactions of one thread do not nest deeply.
const POOL_MAX: usize = 2;
/// Entries of a collection that are kept at most.
const ENTRIES_MAX: usize = 4096;

thread_local! {
    static POOL: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
}

/// Memory for a transaction, empty.
pub(super) fn take() -> Memory {
    let kept = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
    kept.unwrap_or_default()
}

/// Gives memory back. It is emptied here, whatever happens to it then.
pub(super) fn give(mut memory: Memory) {
    let large = memory
        .store
        .collections
        .iter()
        .any(|collection| collection.capacity() > ENTRIES_MAX)
        || memory.store.texts.is_large()
        || memory.lists.is_large();
    if large {
        return;
    }
    memory.store.texts.clear();
    memory.store.collections.iter_mut().for_each(Vec::clear);
    memory.store.slots.clear();
    // While the thread ends the pool may be gone; then the memory simply goes too.
    let _ = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        if pool.len() < POOL_MAX {
            pool.push(memory);
        }
    });
}
