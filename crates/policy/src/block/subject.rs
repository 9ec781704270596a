//! Whom a block keeps out, in the one text form that commands, lists, the ledger and explanations share.
//! Exports `shell_quoted` and `Subject`: `address:10.1.2.3`, `address:10.0.0.0/8`, `integration:crm`, `credential:key_…`, `user:crm/ann`.
//! Used through `block`.
//! Start reading at `Subject`.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv6Net};
use model::KeyId;

use crate::{AddressSet, client_key};

/// Longest name of a person.
const USER_LEN_MAX: usize = 128;

/// Whom a block keeps out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An address or a network.
    Address(IpNet),
    /// Every credential of an integration.
    Integration(String),
    /// One credential.
    Credential(KeyId),
    /// One person, as an integration names them.
    User {
        /// The integration.
        integration: String,
        /// The person.
        user: String,
    },
}

impl Subject {
    /// The address, or the /64 of an IPv6 address: what limits and blocks count by.
    pub fn client(address: IpAddr) -> Subject {
        match address.to_canonical() {
            IpAddr::V4(address) => Subject::Address(IpNet::from(IpAddr::V4(address))),
            address => {
                let network = Ipv6Addr::from(client_key(address));
                let network = Ipv6Net::new(network, 64).unwrap_or_default();
                Subject::Address(network.into())
            }
        }
    }

    /// What limits and blocks count by, where this is one client: an address of IPv4, an address or a /64 of IPv6.
    pub fn client_key(&self) -> Option<u128> {
        let Subject::Address(network) = self else {
            return None;
        };
        let whole = match network {
            IpNet::V4(_) => 32,
            IpNet::V6(_) => 64,
        };
        (network.prefix_len() >= whole).then(|| client_key(network.addr()))
    }

    /// Whether this address is meant.
    pub fn has_address(&self, address: IpAddr) -> bool {
        match self {
            Subject::Address(network) => network.contains(&address.to_canonical()),
            _ => false,
        }
    }
}

/// A subject as it is safe to paste into a shell: persons name themselves.
pub fn shell_quoted(subject: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/._-@+".contains(&byte);
    if subject.bytes().all(is_plain) {
        Cow::Borrowed(subject)
    } else {
        Cow::Owned(format!("'{}'", subject.replace('\'', "'\\''")))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Address(network) if network.prefix_len() == network.max_prefix_len() => {
                write!(f, "address:{}", network.addr())
            }
            Subject::Address(network) => write!(f, "address:{network}"),
            Subject::Integration(name) => write!(f, "integration:{name}"),
            Subject::Credential(id) => write!(f, "credential:{id}"),
            Subject::User { integration, user } => write!(f, "user:{integration}/{user}"),
        }
    }
}

impl FromStr for Subject {
    type Err = String;

    /// Reads the text form. A key id or an address is understood without its prefix as well.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(id) = KeyId::parse(text) {
            return Ok(Subject::Credential(id));
        }
        let (kind, name) = match text.split_once(':') {
            Some((kind @ ("address" | "integration" | "credential" | "user"), name)) => {
                (kind, name)
            }
            _ if text.starts_with(|c: char| c.is_ascii_digit()) || text.contains(':') => {
                ("address", text)
            }
            _ => {
                return Err(format!(
                    "`{text}` names nobody; write address:10.1.2.3, address:10.0.0.0/8, integration:NAME, credential:key_… or user:INTEGRATION/NAME"
                ));
            }
        };
        match kind {
            "address" => address(name),
            "credential" => KeyId::parse(name).map(Subject::Credential).ok_or_else(|| {
                format!("`{name}` is not a key id; `portcullis key list` shows them")
            }),
            "integration" => integration(name).map(Subject::Integration),
            _ => user(name),
        }
    }
}

fn address(text: &str) -> Result<Subject, String> {
    let network = AddressSet::parse_entry(text)?;
    match network {
        _ if network.prefix_len() == 0 => Err(format!(
            "`{text}` is everybody; stop the server, or name a network"
        )),
        // An IPv4 address by its other name would never be met.
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => {
            Err(format!("write `{text}` as an address of IPv4"))
        }
        _ => Ok(Subject::Address(network)),
    }
}

fn integration(name: &str) -> Result<String, String> {
    if model::ids::is_name(name) {
        Ok(name.to_owned())
    } else {
        Err(format!(
            "`{name}` is not the name of an integration; `portcullis integration list` shows them"
        ))
    }
}

fn user(text: &str) -> Result<Subject, String> {
    let split = text.split_once('/');
    let (name, user) =
        split.ok_or_else(|| format!("`{text}` names no person; write user:INTEGRATION/NAME"))?;
    let is_plain = (1..=USER_LEN_MAX).contains(&user.len())
        && user.trim() == user
        && user.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    if is_plain {
        Ok(Subject::User {
            integration: integration(name)?,
            user: user.to_owned(),
        })
    } else {
        Err(format!(
            "`{user}` cannot be the name of a person: 1 to {USER_LEN_MAX} visible ASCII characters"
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<Subject>().map(|subject| subject.to_string())
    }

    #[test]
    fn every_kind_reads_back_as_it_is_shown() {
        let key = KeyId::from_bits(7).to_string();
        for text in [
            "address:10.1.2.3",
            "address:10.0.0.0/8",
            "address:2001:db8::/64",
            "address:2001:db8::1",
            "integration:crm",
            &format!("credential:{key}"),
            "user:crm/ann smith/2",
        ] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        assert_eq!(read("10.1.2.3").as_deref(), Ok("address:10.1.2.3"));
        assert_eq!(read("::1").as_deref(), Ok("address:::1"));
        assert_eq!(
            read("2001:db8::/32").as_deref(),
            Ok("address:2001:db8::/32")
        );
        assert_eq!(read(&key).unwrap(), format!("credential:{key}"));
    }

    #[test]
    fn what_names_nobody_or_everybody_is_refused() {
        for text in [
            "",
            "crm",
            "address:",
            "address:10.0.0.1/8",
            "0.0.0.0/0",
            "::/0",
            "::ffff:10.0.0.1",
            "integration:CRM",
            "user:crm",
            "user:crm/",
            "user:/ann",
            "user:crm/ ann",
            "credential:key_1",
            "key_1",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_is_no_command_where_it_is_pasted() {
        assert_eq!(shell_quoted("user:crm/ann.lee@x"), "user:crm/ann.lee@x");
        assert_eq!(
            shell_quoted("user:crm/a'; reboot"),
            r"'user:crm/a'\''; reboot'"
        );
    }

    #[test]
    fn an_address_of_ipv6_stands_for_its_64() {
        let of = |text: &str| Subject::client(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3::4"), "address:2001:db8:1:2::/64");
        assert_eq!(of("10.1.2.3"), "address:10.1.2.3");
        assert_eq!(of("::ffff:10.1.2.3"), "address:10.1.2.3");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader_and_what_it_reads_it_writes(text in "((address|user|integration|credential):)?[ -~]{0,40}") {
            if let Ok(subject) = text.parse::<Subject>() {
                prop_assert_eq!(subject.to_string().parse::<Subject>(), Ok(subject));
            }
        }
    }
}
