//! Blocks that people added: few, read on every request while there are any, replaced whole on each change.
//! Exports `AddedBlocks`.
//! Used by `Blocks`.
//! Start reading at `AddedBlocks::in_force`.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use model::{KeyId, Monotonic};
use policy::block::Subject;

use super::block::{Added, Block, Origin};

/// Most blocks that people can have added at once: each is looked at by every request while it lasts.
pub const ADDED_MAX: usize = 1_000;

/// Blocks that people added.
#[derive(Default)]
pub(super) struct AddedBlocks(ArcSwap<Vec<Arc<Added>>>);

impl AddedBlocks {
    pub(super) fn put(&self, added: Added) {
        let added = Arc::new(added);
        self.0.rcu(|all| {
            let others = all.iter().filter(|one| one.subject != added.subject);
            let mut next: Vec<_> = others.take(ADDED_MAX - 1).cloned().collect();
            next.push(Arc::clone(&added));
            next
        });
    }

    pub(super) fn remove(&self, subject: &Subject, now: Monotonic) -> Vec<Block> {
        let is_this = |one: &Arc<Added>| one.subject == *subject;
        let before = self.0.rcu(|all| without(all, is_this));
        let removed = before.iter().filter(|one| is_this(one) && one.ends > now);
        removed.map(block).collect()
    }

    pub(super) fn take_ended(&self, now: Monotonic) -> Vec<Arc<Added>> {
        let is_over = |one: &Arc<Added>| one.ends <= now;
        if !self.0.load().iter().any(is_over) {
            return Vec::new();
        }
        let before = self.0.rcu(|all| without(all, is_over));
        before.iter().filter(|one| is_over(one)).cloned().collect()
    }

    pub(super) fn list(&self, now: Monotonic) -> Vec<Block> {
        let all = self.0.load();
        all.iter().filter(|one| one.ends > now).map(block).collect()
    }

    pub(super) fn of_address(&self, address: IpAddr, now: Monotonic) -> Option<Block> {
        self.in_force(now, |subject| subject.has_address(address))
    }

    pub(super) fn of_caller(
        &self,
        credential: KeyId,
        integration: &str,
        user: Option<&str>,
        now: Monotonic,
    ) -> Option<Block> {
        self.in_force(now, |subject| match subject {
            Subject::Address(_) => false,
            Subject::Credential(id) => *id == credential,
            Subject::Integration(name) => name == integration,
            Subject::User {
                integration: name,
                user: person,
            } => name == integration && Some(person.as_str()) == user,
        })
    }

    /// The first block in force that is meant.
    fn in_force(&self, now: Monotonic, is_meant: impl Fn(&Subject) -> bool) -> Option<Block> {
        let all = self.0.load();
        if all.is_empty() {
            return None;
        }
        let found = all
            .iter()
            .find(|one| one.ends > now && is_meant(&one.subject))?;
        Some(block(found))
    }
}

fn without(all: &[Arc<Added>], is_out: impl Fn(&Arc<Added>) -> bool) -> Vec<Arc<Added>> {
    all.iter().filter(|one| !is_out(one)).cloned().collect()
}

fn block(added: &Arc<Added>) -> Block {
    Block {
        subject: added.subject.clone(),
        ends: added.ends,
        origin: Origin::Person(Arc::clone(added)),
    }
}
