//! The closed lists of words in a record, each open for the words of a newer program.
//! Exports `Word`, `Named`, `Kind`, `Outcome`, `AuthenticatedBy`, `Cause`, `Treatment`.
//! Used by `Event` and by everything that asks what a record says.
//! Start reading at `Word`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Stage, Text};

/// One of a list of words that this program knows, or another one: a name from elsewhere (the command of a change), or a
/// word that a newer program added to the list. An unknown word is shown and kept; it never makes a record unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word<T> {
    /// A word of the list.
    Known(T),
    /// Any other one, as it was written.
    Other(Text),
}

/// Values that have a name in records.
pub trait Named: Copy + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// The name in records; never changed once it was written.
    fn name(self) -> &'static str;
}

impl<T: Named> Word<T> {
    /// The word with this name.
    pub fn new(name: impl Into<Text>) -> Self {
        let name = name.into();
        match T::ALL.iter().find(|known| known.name() == name) {
            Some(known) => Word::Known(*known),
            None => Word::Other(name),
        }
    }

    /// As it is written.
    pub fn name(&self) -> &str {
        match self {
            Word::Known(known) => known.name(),
            Word::Other(name) => name,
        }
    }

    /// The value, where it is one of the list.
    pub fn known(&self) -> Option<T> {
        match self {
            Word::Known(known) => Some(*known),
            Word::Other(_) => None,
        }
    }
}

impl<T> From<T> for Word<T> {
    fn from(known: T) -> Self {
        Word::Known(known)
    }
}

impl<T: PartialEq> PartialEq<T> for Word<T> {
    fn eq(&self, other: &T) -> bool {
        matches!(self, Word::Known(known) if known == other)
    }
}

impl<T: Default> Default for Word<T> {
    fn default() -> Self {
        Word::Known(T::default())
    }
}

impl<T: Named> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<T: Named> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de, T: Named> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(Word::new)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$one:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$one])* $variant,)* }

        impl Named for $name {
            const ALL: &'static [Self] = &[$($name::$variant),*];

            fn name(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// What a record is about. A change by an operator has the name of its command (`key.revoke`) and is no word of this list.
    #[derive(Default)]
    Kind {
        /// A request that was decided.
        #[default]
        Request = "request",
        /// What is about to happen: a write is forwarded, or an operator's change takes effect. The outcome has the same id.
        Intent = "intent",
        /// Connections that ended without a request.
        Connection = "connection",
        /// The server began to serve.
        Start = "start",
        /// The server ended in order.
        Stop = "stop",
        /// A write that a crash left unfinished was cut off the ledger.
        LedgerRecovered = "ledger.recovered",
        /// For a while nothing could be written to the ledger.
        LedgerOutage = "ledger.outage",
        /// From here on another key signs the ledger.
        LedgerSigner = "ledger.signer",
    }
}

words! {
    /// How it ended.
    #[derive(Default)]
    Outcome {
        /// The request was answered by the upstream.
        Allow = "allow",
        /// The caller was refused.
        Refuse = "refuse",
        /// The gateway or the upstream failed.
        Fault = "fault",
        /// An intent: not ended yet.
        Pending = "pending",
        /// A change took effect.
        Done = "done",
        /// A change did not take effect.
        Failed = "failed",
        /// Somebody asked for a change that they may not make.
        Refused = "refused",
        /// A change whose outcome nobody recorded.
        #[default]
        Unknown = "unknown",
    }
}

words! {
    /// Why a right was refused, where the code alone does not say it.
    Cause {
        /// A policy forbids it.
        Policy = "policy",
        /// No grant's condition held for the object.
        Condition = "condition",
        /// No grant's condition held for another object that the path names.
        ParentCondition = "parent_condition",
        /// The request names an object of a kind that no grant reads, or an object that no grant lets the integration read.
        Reference = "reference",
        /// The grants that hold for the object do not let a field be sent.
        Writes = "writes",
        /// With this id an upstream could read the path of the look-up as that of another operation.
        AmbiguousPath = "ambiguous_path",
    }
}

words! {
    /// How it is known who made a change.
    #[derive(Default)]
    AuthenticatedBy {
        /// The kernel names the user at the other end of the local socket.
        LocalSocket = "local_socket",
        /// They opened store and ledger themselves, with the key-encryption key.
        Store = "store",
        /// The server itself: after a signal, or by its own clock.
        #[default]
        Server = "server",
    }
}

words! {
    /// What came of a finding.
    #[derive(Default)]
    Treatment {
        /// It counts towards the score.
        #[default]
        Counted = "counted",
        /// An exclusion silences it.
        Excluded = "excluded",
        /// The text was masked in the response.
        Masked = "masked",
        /// The response was held back for it.
        Blocked = "blocked",
        /// It was only noted.
        Observed = "observed",
    }
}

impl Named for Stage {
    const ALL: &'static [Self] = &Stage::ALL;

    fn name(self) -> &'static str {
        Stage::name(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_newer_program_is_read_kept_and_written_again() {
        let read: Word<Outcome> = serde_json::from_str("\"deferred\"").unwrap();
        assert_eq!((read.known(), read.name()), (None, "deferred"));
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"deferred\"");
        let known: Word<Outcome> = Word::new("allow");
        assert_eq!(known, Word::Known(Outcome::Allow));
        assert!(known == Outcome::Allow && read != Outcome::Allow);
    }

    #[test]
    fn no_two_words_of_a_list_are_the_same() {
        fn distinct<T: Named>() {
            let mut names: Vec<&str> = T::ALL.iter().map(|one| one.name()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), T::ALL.len());
        }
        distinct::<Kind>();
        distinct::<Outcome>();
        distinct::<AuthenticatedBy>();
        distinct::<Cause>();
        distinct::<Treatment>();
        distinct::<Stage>();
    }
}
