//! What is counted, by names that mean the same in every process and after every restart.
//! Exports `Counted` and its parts. Pure: whoever keeps the counts decides where.
//! Used by the gateway's counters of limits, of requests under way and of refusals.
//! Start reading at `Counted`.

use std::borrow::Cow;

use model::KeyId;

/// Whose calls or refusals are counted together. No place in a configuration and no address in memory is part of it, so
/// that another process, or the next one, counts the same under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted<'a> {
    /// All calls of an integration.
    Integration(OfLimit<'a>),
    /// Its calls of one operation of a version (`field-service/v2`).
    Operation(OfLimit<'a>, &'a str, &'a str),
    /// Its calls for one person.
    Person(OfLimit<'a>, &'a str),
    /// Strangers at an address of a listener, by [`crate::client_key`].
    Strangers(&'a str, u128),
    /// What browsers at an address of a listener ask before a call.
    Preflights(&'a str, u128),
    /// A credential at an address of a listener.
    CredentialAt(&'a str, u128, KeyId),
    /// Its calls with the same values of several parts, or of one that a request carries.
    Joint(OfLimit<'a>, &'a [CountedPart<'a>]),
    /// Refusals of strangers at an address, wherever.
    RefusedAddress(u128),
    /// Refusals of a credential.
    RefusedCredential(KeyId),
    /// Refusals of a person, within an integration.
    RefusedPerson(&'a str, &'a str),
    /// Refusals of all persons that a credential names, together.
    RefusedPeople(KeyId),
}

/// One limit of an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfLimit<'a> {
    /// The integration's name.
    pub integration: &'a str,
    /// Which of its limits, by their order in its file.
    pub limit: usize,
}

/// One part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountedPart<'a> {
    /// One operation of a version.
    Operation(&'a str, &'a str),
    /// One person.
    Person(&'a str),
    /// One client, by [`crate::client_key`].
    Address(u128),
    /// One object: its kind and its id.
    Object(Cow<'a, str>, Cow<'a, str>),
    /// What a parameter or a field of the body says; `None` where it is absent.
    Value(Option<Cow<'a, str>>),
}

/// Who can make names up, and with them push the counts of others of the same kind out of a bounded table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// Nobody but the operator: there are as many as the configuration has.
    Configuration,
    /// Whoever holds a credential, with addresses.
    Credential,
    /// Whoever has addresses.
    Stranger,
    /// Whoever holds a credential, with persons, objects and values.
    Caller,
}

impl Counted<'_> {
    /// Who can make such names up.
    pub fn chosen_by(&self) -> ChosenBy {
        match self {
            Counted::Integration(_) | Counted::Operation(..) => ChosenBy::Configuration,
            Counted::CredentialAt(..)
            | Counted::RefusedCredential(_)
            | Counted::RefusedPeople(_) => ChosenBy::Credential,
            Counted::Strangers(..) | Counted::Preflights(..) | Counted::RefusedAddress(_) => {
                ChosenBy::Stranger
            }
            Counted::Person(..) | Counted::Joint(..) | Counted::RefusedPerson(..) => {
                ChosenBy::Caller
            }
        }
    }

    /// Gives the name piece by piece, as bytes. Each piece that can have more than one length stands behind its length, so
    /// that no two names read the same. This form is kept: stored counts are found by it.
    pub fn name(&self, put: &mut dyn FnMut(&[u8])) {
        match self {
            Counted::Integration(of) => {
                put(b"1");
                limit(put, of);
            }
            Counted::Operation(of, version, operation) => {
                put(b"2");
                limit(put, of);
                text(put, version);
                text(put, operation);
            }
            Counted::Person(of, person) => {
                put(b"3");
                limit(put, of);
                text(put, person);
            }
            Counted::Strangers(listener, client) => {
                put(b"4");
                put(&client.to_be_bytes());
                text(put, listener);
            }
            Counted::Preflights(listener, client) => {
                put(b"b");
                put(&client.to_be_bytes());
                text(put, listener);
            }
            Counted::CredentialAt(listener, client, id) => {
                put(b"5");
                put(&client.to_be_bytes());
                put(&id.bits().to_be_bytes());
                text(put, listener);
            }
            Counted::Joint(of, parts) => {
                put(b"a");
                limit(put, of);
                parts.iter().for_each(|part| joint(put, part));
            }
            Counted::RefusedAddress(client) => {
                put(b"6");
                put(&client.to_be_bytes());
            }
            Counted::RefusedCredential(id) => {
                put(b"7");
                put(&id.bits().to_be_bytes());
            }
            Counted::RefusedPerson(integration, person) => {
                put(b"8");
                text(put, integration);
                text(put, person);
            }
            Counted::RefusedPeople(id) => {
                put(b"9");
                put(&id.bits().to_be_bytes());
            }
        }
    }
}

fn joint(put: &mut dyn FnMut(&[u8]), part: &CountedPart<'_>) {
    match part {
        CountedPart::Operation(version, operation) => {
            put(b"o");
            text(put, version);
            text(put, operation);
        }
        CountedPart::Person(person) => {
            put(b"p");
            text(put, person);
        }
        CountedPart::Address(client) => {
            put(b"a");
            put(&client.to_be_bytes());
        }
        CountedPart::Object(kind, id) => {
            put(b"j");
            text(put, kind);
            text(put, id);
        }
        CountedPart::Value(Some(value)) => {
            put(b"v");
            text(put, value);
        }
        CountedPart::Value(None) => put(b"n"),
    }
}

fn text(put: &mut dyn FnMut(&[u8]), text: &str) {
    put(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    put(text.as_bytes());
}

fn limit(put: &mut dyn FnMut(&[u8]), of: &OfLimit<'_>) {
    put(&u32::try_from(of.limit).unwrap_or(u32::MAX).to_be_bytes());
    text(put, of.integration);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(what: &Counted<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        what.name(&mut |piece| out.extend_from_slice(piece));
        out
    }

    #[test]
    fn the_form_of_names_is_kept() {
        let of = OfLimit {
            integration: "crm",
            limit: 1,
        };
        let parts = [
            CountedPart::Address(7),
            CountedPart::Operation("jobs/v2", "get"),
            CountedPart::Person("ann"),
            CountedPart::Object("Job".into(), "4".into()),
            CountedPart::Value(Some("x".into())),
            CountedPart::Value(None),
        ];
        let joint = b"a\0\0\0\x01\0\0\0\x03crma\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07o\0\0\0\x07jobs/v2\0\0\0\x03getp\0\0\0\x03annj\0\0\0\x03Job\0\0\0\x014v\0\0\0\x01xn";
        let named: [(Counted<'_>, &[u8]); 5] = [
            (Counted::Joint(of, &parts), joint),
            (Counted::Integration(of), b"1\0\0\0\x01\0\0\0\x03crm"),
            (
                Counted::Operation(of, "jobs/v2", "get"),
                b"2\0\0\0\x01\0\0\0\x03crm\0\0\0\x07jobs/v2\0\0\0\x03get",
            ),
            (
                Counted::Person(of, "ann"),
                b"3\0\0\0\x01\0\0\0\x03crm\0\0\0\x03ann",
            ),
            (
                Counted::RefusedCredential(KeyId::from_bits(7)),
                b"7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07",
            ),
        ];
        for (what, name) in named {
            assert_eq!(bytes(&what), name, "{what:?}");
        }
    }

    proptest! {
        /// Whoever chooses the name of a person or an operation never gets the count of another one.
        #[test]
        fn no_two_names_read_the_same(
            a in "[a-z/]{0,4}", b in "[a-z/]{0,4}", c in "[a-z/]{0,4}", d in "[a-z/]{0,4}", limits in (0usize..2, 0usize..2),
        ) {
            let of = |integration, limit| OfLimit { integration, limit };
            let value = |text: &'_ str| CountedPart::Value((!text.is_empty()).then(|| text.to_owned().into()));
            let parts = [
                [value(&a), value(&b)],
                [value(&c), CountedPart::Person(&d)],
                [CountedPart::Object((&*a).into(), (&*b).into()), value(&c)],
                [CountedPart::Operation(&a, &b), CountedPart::Address(7)],
            ];
            let all = [
                Counted::Joint(of(&a, limits.0), &parts[0]),
                Counted::Joint(of(&a, limits.0), &parts[1]),
                Counted::Joint(of(&a, limits.0), &parts[2]),
                Counted::Joint(of(&a, limits.0), &parts[3]),
                Counted::Joint(of(&a, limits.0), &parts[1][..1]),
                Counted::Operation(of(&a, limits.0), &b, &c),
                Counted::Operation(of(&b, limits.1), &a, &d),
                Counted::Person(of(&a, limits.0), &b),
                Counted::Person(of(&c, limits.1), &d),
                Counted::RefusedPerson(&a, &b),
                Counted::RefusedPerson(&c, &d),
            ];
            for one in &all {
                for other in &all {
                    prop_assert_eq!(one == other, bytes(one) == bytes(other));
                }
            }
        }
    }
}
