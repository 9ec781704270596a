//! A key at rest: sealed by one or more wrapping keys, bound to the plain bytes in front of it.
//! Exports `seal`, `read`, `open`.
//! Used by the keys of segments and by the key that signs.
//! Start reading at `seal`; the layout for auditors is docs/ledger-format.md.

use crypto::{SealKey, Secret, WrapKey};

/// One wrapped key: the id of the key that wraps it, and the sealed key.
const WRAPPED: usize = 4 + 32 + SealKey::OVERHEAD;
/// A key is wrapped once, and twice while the key-encryption key changes hands.
const WRAPS_MAX: usize = 4;

/// A key as each of the wrapping keys seals it, with the wrapping key's id.
pub(crate) type Wraps = Vec<([u8; 4], Vec<u8>)>;

/// Why a wrapped key does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unopened {
    /// None of the keys that are known wraps it.
    OtherKey,
    /// It was changed.
    Damaged,
}

/// The plain bytes, how many keys wrap it, and the key sealed by each of `to`.
pub(crate) fn seal(plain: &[u8], key: &Secret<[u8; 32]>, to: &[&WrapKey]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(plain.len() + 1 + to.len() * WRAPPED);
    bytes.extend_from_slice(plain);
    bytes.push(u8::try_from(to.len()).unwrap_or(u8::MAX));
    for wrap in to {
        bytes.extend_from_slice(&wrap.id());
        bytes.extend_from_slice(&wrap.key().seal(plain, key.expose()));
    }
    bytes
}

/// What follows the plain bytes.
pub(crate) fn read(rest: &[u8]) -> Option<Wraps> {
    let (count, rest) = rest.split_first()?;
    let count = usize::from(*count);
    let is_whole = (1..=WRAPS_MAX).contains(&count) && rest.len() == count * WRAPPED;
    let wraps = rest.chunks_exact(WRAPPED).filter_map(|wrap| {
        let (id, sealed) = wrap.split_first_chunk::<4>()?;
        Some((*id, sealed.to_vec()))
    });
    is_whole.then(|| wraps.collect())
}

/// The key, with one of the wrapping keys that are known.
pub(crate) fn open(
    plain: &[u8],
    wraps: &Wraps,
    known: &[&WrapKey],
) -> Result<Secret<[u8; 32]>, Unopened> {
    let ours = wraps.iter().find_map(|(id, sealed)| {
        let wrap = known.iter().find(|wrap| wrap.id() == *id)?;
        Some((wrap, sealed))
    });
    let (wrap, sealed) = ours.ok_or(Unopened::OtherKey)?;
    let opened = wrap.key().open(plain, sealed).map(Secret::new);
    let opened = opened.map_err(|_| Unopened::Damaged)?;
    let key = <[u8; 32]>::try_from(opened.expose().as_slice());
    key.map(Secret::new).map_err(|_| Unopened::Damaged)
}
