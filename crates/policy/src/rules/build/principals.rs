//! Integrations and roles that policies and conditions name: one about somebody who does not exist does nothing.
//! Exports `KnownPrincipals` and the part of `Build` that checks them.
//! Used by `Build::written` and `Build::condition`.
//! Start reading at `KnownPrincipals::unknown`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Mistake;

use super::super::check::{listed, nearest};
use super::Build;
use crate::cedar;
use crate::input::{CedarFile, PolicyInput};

/// Everybody who exists.
#[derive(Default)]
pub(super) struct KnownPrincipals {
    integrations: BTreeSet<Arc<str>>,
    roles: BTreeSet<Arc<str>>,
    /// Values by the name of their attribute.
    attributes: BTreeMap<String, BTreeSet<String>>,
}

/// Somebody who does not.
pub(super) struct Unknown {
    name: String,
    pub message: String,
    pub help: String,
}

impl KnownPrincipals {
    pub(super) fn of(input: &PolicyInput) -> KnownPrincipals {
        let own = input.integrations.iter().map(|one| &one.name);
        let used = input.integrations.iter().flat_map(|one| &one.roles);
        let mut attributes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, value) in input.integrations.iter().flat_map(|one| &one.attributes) {
            let values = attributes.entry(name.clone()).or_default();
            values.insert(value.clone());
        }
        KnownPrincipals {
            attributes,
            integrations: own.chain(&input.names.integrations).cloned().collect(),
            roles: used.chain(&input.names.roles).cloned().collect(),
        }
    }

    /// The values that integrations have of an attribute; none where nobody has it.
    pub(super) fn values(&self, attribute: &str) -> Option<BTreeSet<String>> {
        self.attributes.get(attribute).cloned()
    }

    /// Whom a policy names although nobody is called so.
    pub(super) fn unknown(&self, policy: &cedar_policy::Policy) -> Vec<Unknown> {
        let mut found = Vec::new();
        for (is_role, name) in cedar::beings(policy) {
            let (what, known) = if is_role {
                ("role", &self.roles)
            } else {
                ("integration", &self.integrations)
            };
            if known.contains(name.as_str()) {
                continue;
            }
            let known: Vec<&str> = known.iter().map(|name| &**name).collect();
            let help = match nearest(&name, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None if known.is_empty() => format!("there is no {what} yet"),
                None => format!("known are: {}", listed(&known)),
            };
            let message = format!("there is no {what} `{name}`");
            found.push(Unknown {
                name,
                message,
                help,
            });
        }
        found
    }
}

impl Build {
    /// Says whom a hand-written policy names in vain. `offset` is where the policy begins.
    pub(super) fn in_vain(
        &mut self,
        file: &CedarFile,
        offset: usize,
        policy: &cedar_policy::Policy,
    ) {
        for unknown in self.beings.unknown(policy) {
            let rest = file.text.get(offset..).unwrap_or_default();
            let quoted = format!("\"{}\"", unknown.name);
            let at = offset.saturating_add(rest.find(&quoted).unwrap_or(0));
            let mistake = Mistake::new(unknown.message, unknown.help)
                .in_file(&*file.file)
                .at(at, quoted.len())
                .at_line(super::grants::line_of(&file.text, at));
            self.mistakes.push(mistake);
        }
    }
}
