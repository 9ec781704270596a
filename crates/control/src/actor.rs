//! Who asks for something, how that is known, and what they may do.
//! Exports `Actor`, `Authentication`, `Permission`.
//! Made by the local socket, by whoever works on the store itself, and by the server for its own acts; checked by `Control::call`.
//! Start reading at `Actor`.

use std::collections::BTreeSet;
use std::fmt;

use identity::api_key::redacted;
use model::Text;
use model::event::{ActorRef, AuthenticatedBy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account;

/// Longest name that is kept of somebody, in characters.
const NAME_CHARS_MAX: usize = 128;
/// The user who may do everything on a machine anyway.
const ROOT: u32 = 0;

/// What a command needs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Permission {
    /// See who is blocked.
    #[serde(rename = "blocks.read")]
    BlocksRead,
    /// Block, and end blocks.
    #[serde(rename = "blocks.write")]
    BlocksWrite,
    /// See why a request was decided as it was.
    #[serde(rename = "decisions.read")]
    DecisionsRead,
    /// Record what requests say, for a replay.
    #[serde(rename = "inspection.record")]
    InspectionRecord,
    /// See the integrations.
    #[serde(rename = "integrations.read")]
    IntegrationsRead,
    /// Pause and resume integrations.
    #[serde(rename = "integrations.write")]
    IntegrationsWrite,
    /// See keys, never their texts.
    #[serde(rename = "keys.read")]
    KeysRead,
    /// Make, rotate and revoke keys.
    #[serde(rename = "keys.write")]
    KeysWrite,
    /// Destroy old records.
    #[serde(rename = "ledger.destroy")]
    LedgerDestroy,
    /// See what is recorded.
    #[serde(rename = "ledger.read")]
    LedgerRead,
    /// Have another key sign the ledger.
    #[serde(rename = "ledger.rotate")]
    LedgerRotate,
    /// Sign checkpoints.
    #[serde(rename = "ledger.sign")]
    LedgerSign,
    /// See how the server is.
    #[serde(rename = "server.read")]
    ServerRead,
    /// Load another configuration.
    #[serde(rename = "server.reload")]
    ServerReload,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Permission; 14] = [
        Permission::BlocksRead,
        Permission::BlocksWrite,
        Permission::DecisionsRead,
        Permission::InspectionRecord,
        Permission::IntegrationsRead,
        Permission::IntegrationsWrite,
        Permission::KeysRead,
        Permission::KeysWrite,
        Permission::LedgerDestroy,
        Permission::LedgerRead,
        Permission::LedgerRotate,
        Permission::LedgerSign,
        Permission::ServerRead,
        Permission::ServerReload,
    ];

    /// As it is written: `keys.write`.
    pub const fn name(self) -> &'static str {
        match self {
            Permission::BlocksRead => "blocks.read",
            Permission::BlocksWrite => "blocks.write",
            Permission::DecisionsRead => "decisions.read",
            Permission::InspectionRecord => "inspection.record",
            Permission::IntegrationsRead => "integrations.read",
            Permission::IntegrationsWrite => "integrations.write",
            Permission::KeysRead => "keys.read",
            Permission::KeysWrite => "keys.write",
            Permission::LedgerDestroy => "ledger.destroy",
            Permission::LedgerRead => "ledger.read",
            Permission::LedgerRotate => "ledger.rotate",
            Permission::LedgerSign => "ledger.sign",
            Permission::ServerRead => "server.read",
            Permission::ServerReload => "server.reload",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How it is known who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// The kernel names the user at the other end of the local socket.
    LocalSocket {
        /// Number of the user.
        uid: u32,
    },
    /// They opened store and ledger themselves, with the key-encryption key, as this user.
    Store {
        /// Number of the user.
        uid: u32,
    },
    /// The server itself: after a signal, or for the demo.
    Server,
}

/// Somebody who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account that they work as, by the kernel's word, and how they came: `ann (local)`.
    pub name: String,
    /// What they call themselves where that is another name. A note, and no proof.
    pub calls_itself: Option<String>,
    /// How it is known who they are.
    pub authenticated_by: Authentication,
    /// The process that asked, where there is one beside this.
    pub process: Option<u32>,
    permissions: BTreeSet<Permission>,
}

impl Actor {
    /// Somebody at the other end of the local socket. The user of the server may do everything, as they can read the store
    /// anyway, and so may root; nobody else may do anything, whatever became of the socket's mode.
    pub fn from_peer(says: &str, uid: u32, process: Option<u32>, server_uid: u32) -> Actor {
        let is_owner = uid == server_uid || uid == ROOT;
        let actor = Actor {
            process,
            ..Actor::of_account(says, uid, Authentication::LocalSocket { uid })
        };
        if is_owner {
            actor
        } else {
            actor.with_permissions([])
        }
    }

    /// Somebody who opened store and ledger themselves.
    pub fn on_store(says: &str, uid: u32) -> Actor {
        Actor::of_account(says, uid, Authentication::Store { uid })
    }

    /// Somebody whom the kernel names. Several people may share an account, so what they say is kept beside it.
    fn of_account(says: &str, uid: u32, authenticated_by: Authentication) -> Actor {
        let account = account::name(uid).unwrap_or_else(|| format!("uid {uid}"));
        let says = shortened(says.trim());
        Actor {
            calls_itself: Some(says).filter(|says| !says.is_empty() && *says != account),
            ..Actor::new(&format!("{account} (local)"), authenticated_by)
        }
    }

    /// The server itself, and what made it act: `SIGHUP`.
    pub fn server(cause: &str) -> Actor {
        Actor::new(cause, Authentication::Server)
    }

    fn new(name: &str, authenticated_by: Authentication) -> Actor {
        Actor {
            name: shortened(name),
            calls_itself: None,
            authenticated_by,
            process: None,
            permissions: Permission::ALL.into(),
        }
    }

    /// The same person with these permissions alone.
    #[must_use]
    pub fn with_permissions(self, permissions: impl IntoIterator<Item = Permission>) -> Actor {
        Actor {
            permissions: permissions.into_iter().collect(),
            ..self
        }
    }

    /// Whether they may do what needs this.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// How it is known who asked, and from where, as the ledger keeps it.
    pub fn recorded(&self) -> ActorRef {
        let (authenticated_by, uid) = match self.authenticated_by {
            Authentication::LocalSocket { uid } => (AuthenticatedBy::LocalSocket, Some(uid)),
            Authentication::Store { uid } => (AuthenticatedBy::Store, Some(uid)),
            Authentication::Server => (AuthenticatedBy::Server, None),
        };
        ActorRef {
            authenticated_by: authenticated_by.into(),
            uid,
            process: self.process,
            calls_itself: self.calls_itself.as_deref().map(Text::new),
        }
    }
}

/// Names are stored, recorded and printed: a key typed as one is not.
fn shortened(name: &str) -> String {
    redacted(name).chars().take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_user_and_root_may_do_everything_and_nobody_else_anything() {
        let of = |uid| Actor::from_peer("ann", uid, Some(7), 1000);
        for permission in Permission::ALL {
            assert!(of(1000).may(permission) && of(0).may(permission));
            assert!(!of(1001).may(permission), "{permission}");
            assert!(!of(65_534).may(permission), "{permission}");
        }
    }

    #[test]
    fn a_permission_is_called_the_same_everywhere() {
        for permission in Permission::ALL {
            let written = serde_json::to_value(permission).unwrap();
            assert_eq!(written, permission.name());
        }
        assert!(Permission::ALL.is_sorted());
    }

    #[test]
    fn the_ledger_learns_how_somebody_was_known() {
        let asked = Actor::from_peer("ann", 1000, Some(4711), 1000).recorded();
        assert!(asked.authenticated_by == AuthenticatedBy::LocalSocket);
        assert_eq!((asked.uid, asked.process), (Some(1000), Some(4711)));
        let done = Actor::on_store("ann", 7).recorded();
        assert!(done.authenticated_by == AuthenticatedBy::Store);
        assert_eq!((done.uid, done.process), (Some(7), None));
    }

    #[test]
    fn who_is_named_by_the_account_and_what_they_say_stands_beside_it() {
        // No machine has an account with this number.
        let nobody = 4_000_000_000;
        let unknown = Actor::from_peer(" ", nobody, None, nobody);
        assert_eq!(unknown.name, "uid 4000000000 (local)");
        assert_eq!(unknown.calls_itself, None);
        for actor in [
            Actor::from_peer("ann", 0, None, 7),
            Actor::on_store("ann", 0),
        ] {
            assert_eq!(actor.name, "root (local)");
            assert_eq!(actor.calls_itself.as_deref(), Some("ann"));
            assert_eq!(actor.recorded().calls_itself.as_deref(), Some("ann"));
        }
        assert_eq!(Actor::on_store("root", 0).calls_itself, None);
    }

    #[test]
    fn a_name_is_bounded_and_holds_no_key() {
        let long = Actor::server(&"é".repeat(1_000));
        assert_eq!(long.name.chars().count(), NAME_CHARS_MAX);
        let key = "pk_live_00000000000000000000000000000000000000000003xC1Wz";
        assert!(!Actor::server(key).name.contains(key));
    }
}
