//! Every integration of a configuration, for authentication.
//! Exports `Integrations`.
//! Made by the gateway for each snapshot; asked by the methods.
//! Start reading at `Integrations::of`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::IntegrationFacts;
use crate::verified::CredentialRef;

/// Every integration of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Integrations {
    all: Vec<IntegrationFacts>,
    places: HashMap<Arc<str>, usize>,
    /// The place of the integration of whoever shows no credential, and what stands for that.
    anonymous: Option<(usize, Arc<CredentialRef>)>,
}

impl Integrations {
    /// The integration that a credential belongs to. The credential remembers where it was found last, so that its name is
    /// looked up once for each configuration and compared for each request.
    pub fn of(&self, credential: &CredentialRef) -> Option<&IntegrationFacts> {
        let remembered = self.all.get(credential.place.get());
        if remembered.is_some_and(|facts| facts.name == credential.integration) {
            return remembered;
        }
        let place = *self.places.get(&credential.integration)?;
        credential.place.set(place);
        self.all.get(place)
    }

    /// The integration of whoever shows no credential, where the configuration has one.
    pub fn anonymous(&self) -> Option<(&IntegrationFacts, &Arc<CredentialRef>)> {
        let (place, credential) = self.anonymous.as_ref()?;
        Some((self.all.get(*place)?, credential))
    }

    /// Every integration.
    pub fn iter(&self) -> impl Iterator<Item = &IntegrationFacts> {
        self.all.iter()
    }
}

/// Of two with the same name the later one counts.
impl FromIterator<IntegrationFacts> for Integrations {
    fn from_iter<I: IntoIterator<Item = IntegrationFacts>>(facts: I) -> Self {
        let all: Vec<IntegrationFacts> = facts.into_iter().collect();
        let name = |(place, facts): (usize, &IntegrationFacts)| (Arc::clone(&facts.name), place);
        let places = all.iter().enumerate().map(name).collect();
        let anonymous = all.iter().position(|facts| facts.credentials.none);
        let anonymous = anonymous.and_then(|place| {
            let name = Arc::clone(&all.get(place)?.name);
            Some((place, Arc::new(CredentialRef::none(name))))
        });
        Integrations {
            all,
            places,
            anonymous,
        }
    }
}
