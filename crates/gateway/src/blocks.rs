//! Who is kept out for a while: by people, or because of refusals counted by address, by credential and by person apart.
//! Exports `Blocks`, `Block`, `ChargedTo`. The rule is `policy::block`; this keeps the states, bounded.
//! Read without a lock by stages `ip` and `authn`, written when a refusal was decided and by the operator's commands.
//! Start reading at `Blocks`.

mod added;
mod block;
mod refused;

use std::net::IpAddr;
use std::sync::Arc;

use crypto::ShortHash;
use model::{DecisionId, KeyId, Monotonic};
use policy::block::{BlockSettings, Subject};
use policy::client_key;

pub use added::ADDED_MAX;
use added::AddedBlocks;
pub use block::{Added, Block, ChargedTo, Origin};
use refused::Refused;

/// All blocks of this process.
///
/// What strangers do at an address is held against strangers there: whoever proves a caller passes. A block that a person
/// added to an address holds for everybody there.
pub struct Blocks {
    refused: Refused,
    added: AddedBlocks,
}

impl Blocks {
    /// With blocks that people added before this process began. `names` numbers whose refusals are counted.
    pub fn of(names: ShortHash, added: Vec<Added>) -> Blocks {
        let blocks = Blocks {
            refused: Refused::new(names),
            added: AddedBlocks::default(),
        };
        added.into_iter().for_each(|one| blocks.added.put(one));
        blocks
    }

    /// The block a person added that holds for everybody at this address.
    pub fn of_address(&self, address: IpAddr, now: Monotonic) -> Option<Block> {
        self.added.of_address(address, now)
    }

    /// The block that holds for strangers at this address.
    pub fn of_strangers(&self, address: IpAddr, now: Monotonic) -> Option<Block> {
        self.refused
            .block(ChargedTo::Address(client_key(address)), now)
    }

    /// The block of a proven caller: of the credential, of the person it names, or of its integration.
    pub fn of_caller(
        &self,
        credential: KeyId,
        integration: &str,
        user: Option<&str>,
        now: Monotonic,
    ) -> Option<Block> {
        let by_user = |user| self.refused.block(ChargedTo::User(integration, user), now);
        self.added
            .of_caller(credential, integration, user, now)
            .or_else(|| self.refused.block(ChargedTo::Credential(credential), now))
            .or_else(|| self.refused.block(ChargedTo::People(credential), now))
            .or_else(|| user.and_then(by_user))
    }

    /// Counts a refusal; gives the block that begins with it, if one does.
    pub fn count_refusal(
        &self,
        who: ChargedTo<'_>,
        refusal: (&'static str, DecisionId),
        settings: &BlockSettings,
        now: Monotonic,
    ) -> Option<Block> {
        self.refused.count(who, refusal, settings, now)
    }

    /// Every block in force, the one that ends first in front.
    pub fn list(&self, now: Monotonic) -> Vec<Block> {
        let mut all = self.added.list(now);
        all.extend(self.refused.list(now));
        all.sort_by(|a, b| (a.ends, &a.subject).cmp(&(b.ends, &b.subject)));
        all
    }

    /// Adds a person's block, in place of an earlier one of the same subject.
    pub fn add(&self, added: Added) {
        self.added.put(added);
    }

    /// Ends every block of this subject and forgets its refusals; gives the blocks that were in force.
    pub fn lift(&self, subject: &Subject, now: Monotonic) -> Vec<Block> {
        let mut ended = self.added.remove(subject, now);
        ended.extend(self.refused.forget(subject, now));
        ended
    }

    /// Ends every block that refusals began, and forgets them: somebody has turned them off.
    pub fn forget_refusals(&self) {
        self.refused.clear();
    }

    /// Drops people's blocks that are over, and gives them, so that they are taken out of the store.
    pub fn take_ended(&self, now: Monotonic) -> Vec<Arc<Added>> {
        self.added.take_ended(now)
    }
}

#[cfg(test)]
mod tests;
