//! Every kind of record with the indexes it declares. Lists are filtered by declared indexes only.
//! Exports `KINDS`. To add one: a constant and its line in the list; the record itself lives in its room.
//! Used by the rooms that keep records, through `Store`.
//! Start reading at `KINDS`.

/// A kind of record.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Name in the file; never renamed.
    pub name: &'static str,
    /// Fields of the record (top level) by which it can be listed.
    pub indexes: &'static [Index],
}

/// A declared index.
#[derive(Debug, PartialEq, Eq)]
pub struct Index {
    /// The record's field.
    pub field: &'static str,
    /// How its value stands in the file.
    pub form: IndexForm,
}

/// How an index value stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexForm {
    /// As it is: for names that stand in the configuration anyway.
    Plain,
    /// As a keyed digest: equal values can be found, none can be read.
    Blind,
}

/// Blocks that people added (`control::commands::AddedBlock`), by a random name.
pub const BLOCK: Kind = Kind {
    name: "block",
    indexes: &[],
};

/// Credentials of integrations (`identity::Credential`).
pub const CREDENTIAL: Kind = Kind {
    name: "credential",
    indexes: &[
        Index {
            field: "digest",
            form: IndexForm::Blind,
        },
        Index {
            field: "integration",
            form: IndexForm::Plain,
        },
    ],
};

/// How far each destination has got with the records of the ledger (`control::delivery`), by its name.
pub const DESTINATION: Kind = Kind {
    name: "destination",
    indexes: &[],
};

/// What operators decided about an integration beside its file: paused, retired.
pub const INTEGRATION_STATE: Kind = Kind {
    name: "integration_state",
    indexes: &[],
};

/// Keys of the ledger that were destroyed (`control::destroyed_keys`), so that one that is there again is noticed: `segments`, and
/// each erased person by the name that records have for them.
pub const LEDGER_DESTROYED: Kind = Kind {
    name: "ledger_destroyed",
    indexes: &[],
};

/// The newest checkpoint of the ledger, so that a ledger rolled back behind it is noticed.
pub const LEDGER_WITNESS: Kind = Kind {
    name: "ledger_witness",
    indexes: &[],
};

/// All kinds, sorted by name.
pub const KINDS: &[&Kind] = &[
    &BLOCK,
    &CREDENTIAL,
    &DESTINATION,
    &INTEGRATION_STATE,
    &LEDGER_DESTROYED,
    &LEDGER_WITNESS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_sorted_and_named_once() {
        assert!(KINDS.is_sorted_by(|a, b| a.name < b.name));
        assert!(
            KINDS
                .iter()
                .all(|kind| kind.indexes.is_sorted_by(|a, b| a.field < b.field))
        );
    }
}
