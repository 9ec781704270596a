//! Short texts that come with every message: names, header values, the method. What the patterns made of them
//! the first time holds the next time.
//! Exports `PrefilterCache`, one per thread, of a fixed size.
//! Used by `Hits`. Values of arguments and cookies are never kept; a text is compared whole, so nothing is mistaken.
//! Start reading at `PrefilterCache::get`.

use super::collection::Collection;
use super::sides::{self, Sides};
use super::variable::Variable;

/// Longer texts seldom return.
const LENGTH_MAX: usize = 48;
/// Places for texts; a text that falls on a taken place takes it over.
const PLACES: usize = 256;

/// What is known about texts of earlier messages.
#[derive(Debug, Default)]
pub(super) struct PrefilterCache {
    /// The rule set all of it belongs to.
    rules: u64,
    stride: usize,
    places: Vec<Place>,
    /// For each place the patterns that may match, `stride` words.
    found: Vec<u64>,
}

#[derive(Clone, Debug)]
struct Place {
    text: [u8; LENGTH_MAX],
    length: usize,
    level: u8,
    side: usize,
    work: u64,
}

/// Nothing is kept here yet: no side has this number.
const FREE: usize = usize::MAX;

/// The sides whose texts come back.
const RETURNING: Sides = names(Collection::ArgsGet)
    | names(Collection::ArgsPost)
    | names(Collection::Cookies)
    | names(Collection::Headers)
    | 1 << sides::of_collection(Collection::Headers, false)
    | single(Variable::RequestMethod)
    | single(Variable::RequestProtocol)
    | single(Variable::RequestFilename)
    | single(Variable::RequestBasename)
    | single(Variable::RemoteAddr);

const fn names(collection: Collection) -> Sides {
    1 << sides::of_collection(collection, true)
}

const fn single(variable: Variable) -> Sides {
    1 << sides::of_single(variable)
}

impl PrefilterCache {
    /// Makes it belong to a rule set; what another one made of texts is forgotten.
    pub(super) fn belong(&mut self, rules: u64, stride: usize) {
        if self.rules == rules && self.stride == stride {
            return;
        }
        self.rules = rules;
        self.stride = stride;
        let free = Place {
            text: [0; LENGTH_MAX],
            length: 0,
            level: 0,
            side: FREE,
            work: 0,
        };
        self.places.clear();
        self.places.resize(PLACES, free);
        self.found.clear();
        self.found.resize(PLACES * stride, 0);
    }

    /// The patterns of rules up to a level that may match a text on a side, and the work it took to learn that.
    pub(super) fn get(&self, level: u8, side: usize, text: &[u8]) -> Option<(&[u64], u64)> {
        let number = number(side, text)?;
        let place = self.places.get(number)?;
        let same = place.side == side && place.level == level;
        if !same || place.text.get(..place.length) != Some(text) {
            return None;
        }
        let from = number * self.stride;
        Some((self.found.get(from..from + self.stride)?, place.work))
    }

    /// Keeps what was learnt about a text, if it is one of those that come back.
    pub(super) fn put(&mut self, level: u8, side: usize, text: &[u8], found: &[u64], work: u64) {
        let Some(number) = number(side, text) else {
            return;
        };
        let from = number * self.stride;
        let place = self.places.get_mut(number);
        let kept = self.found.get_mut(from..from + self.stride);
        let (Some(place), Some(kept)) = (place, kept.filter(|kept| kept.len() == found.len()))
        else {
            return;
        };
        if let Some(room) = place.text.get_mut(..text.len()) {
            room.copy_from_slice(text);
            kept.copy_from_slice(found);
            (place.level, place.side) = (level, side);
            (place.length, place.work) = (text.len(), work);
        }
    }
}

/// The place of a text. `None`: its side or its length says that it will not return.
fn number(side: usize, text: &[u8]) -> Option<usize> {
    if RETURNING >> side & 1 == 0 || text.len() > LENGTH_MAX {
        return None;
    }
    let hash = super::texts::hash(text) ^ u64::try_from(side).ok()?;
    usize::try_from(hash ^ (hash >> 32))
        .ok()
        .map(|hash| hash % PLACES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: usize = sides::of_collection(Collection::Headers, false);

    fn empty() -> PrefilterCache {
        let mut familiar = PrefilterCache::default();
        familiar.belong(1, 2);
        familiar
    }

    #[test]
    fn a_text_is_known_on_its_side_and_level_only() {
        let mut familiar = empty();
        familiar.put(1, HOST, b"api.example.com", &[5, 6], 15);
        let known = familiar.get(1, HOST, b"api.example.com");
        assert_eq!(known, Some(([5, 6].as_slice(), 15)));
        assert_eq!(familiar.get(1, HOST, b"api.example.co"), None);
        assert_eq!(familiar.get(2, HOST, b"api.example.com"), None);
        let method = sides::of_single(Variable::RequestMethod);
        assert_eq!(familiar.get(1, method, b"api.example.com"), None);
    }

    #[test]
    fn values_of_arguments_and_cookies_are_never_kept() {
        let mut familiar = empty();
        for collection in [
            Collection::ArgsGet,
            Collection::ArgsPost,
            Collection::Cookies,
        ] {
            let side = sides::of_collection(collection, false);
            familiar.put(1, side, b"secret", &[5, 6], 6);
            assert_eq!(familiar.get(1, side, b"secret"), None);
        }
    }

    #[test]
    fn another_rule_set_forgets_all() {
        let mut familiar = empty();
        familiar.put(1, HOST, b"x", &[5, 6], 1);
        familiar.belong(2, 2);
        assert_eq!(familiar.get(1, HOST, b"x"), None);
    }

    #[test]
    fn long_texts_are_left_aside_and_the_memory_stays_as_it_is() {
        let mut familiar = empty();
        familiar.put(1, HOST, &[b'a'; LENGTH_MAX + 1], &[5, 6], 1);
        for number in 0..10_000u32 {
            familiar.put(1, HOST, &number.to_le_bytes(), &[1, 0], 4);
        }
        assert_eq!(familiar.places.len(), PLACES);
        assert_eq!(familiar.found.len(), PLACES * 2);
    }
}
