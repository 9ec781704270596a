//! The configuration in force: what was compiled, plus the handles it needs to run.
//! Exports `Snapshot`. Immutable, taken once per request, swapped whole.
//! Made by the binary from a `config::Compiled`; read by every stage.
//! Start reading at `Snapshot::of`.

use std::collections::BTreeSet;
use std::sync::Arc;

use config::Compiled;
use config::compiled::{ApiVersion, IntegrationSettings, ListenerSettings, UpstreamSettings};
use identity::{IntegrationFacts, Integrations};
use model::text::shared;
use model::{Event, IntegrationId, ListenerId, Peer, Text, Timestamp};
use net::{HealthSpec, Upstream, UpstreamSpec};
use policy::OperationRef;

use crate::browsers::Browsers;
use crate::hidden_segments::HiddenSegments;

/// The configuration in force.
pub struct Snapshot {
    /// What was compiled.
    pub compiled: Arc<Compiled>,
    /// Runtime handles of the versions, with the indices of `compiled.versions`.
    pub versions: Vec<VersionRuntime>,
    /// Facts for authentication.
    pub identities: Integrations,
    /// Which pages of browsers may call.
    pub browsers: Arc<Browsers>,
    /// What the router calls the listeners, in the order of `compiled.server.listeners`.
    listener_ids: Arc<[ListenerId]>,
    /// Every integration at its place ([`IntegrationId`]).
    integrations: Arc<[Option<Arc<IntegrationSettings>>]>,
    /// Version and index in its contract of every operation, at the place policy knows it by ([`OperationRef`]).
    operations: Arc<[Option<(usize, usize)>]>,
    /// First 12 hex digits of the configuration's hash, as the ledger names it.
    pub short_hash: Text,
}

/// What one version needs to run.
#[derive(Clone)]
pub struct VersionRuntime {
    /// Its upstream; `None` on versions that serve nothing.
    pub upstream: Option<Arc<Upstream>>,
    /// `Deprecation`, `Sunset`, `Link`: the same for every answer.
    pub lifecycle_headers: Vec<(&'static str, String)>,
    /// Of each operation, the segments of its paths that no record shows.
    pub(crate) hidden: Vec<HiddenSegments>,
}

/// What the operator pointed the upstream at cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("upstream of {version}: {problem}")]
pub struct CannotRun {
    /// `field-service/v2`
    pub version: Arc<str>,
    /// What is wrong.
    pub problem: String,
}

impl Snapshot {
    /// Prepares a compiled configuration to run, with nobody paused. Upstreams that did not change keep their health and
    /// connections. `read` gives the text of a file of the configuration directory (certificate authorities).
    ///
    /// # Errors
    /// [`CannotRun`] for an upstream that cannot be used; nothing was changed then.
    pub fn of(
        compiled: Arc<Compiled>,
        previous: Option<&Snapshot>,
        read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Snapshot, CannotRun> {
        let versions = compiled
            .versions
            .iter()
            .map(|version| runtime(version, previous, read))
            .collect::<Result<_, _>>()?;
        Ok(Snapshot {
            versions,
            identities: identities(&compiled, &BTreeSet::new()),
            browsers: Arc::new(Browsers::of(&compiled)),
            listener_ids: listener_ids(&compiled),
            integrations: integrations(&compiled),
            operations: operations(&compiled),
            short_hash: crypto::text::hex(&compiled.hash).chars().take(12).collect(),
            compiled,
        })
    }

    /// The same configuration with these integrations paused, and no others.
    #[must_use]
    pub fn with_paused(&self, paused: &BTreeSet<String>) -> Snapshot {
        Snapshot {
            versions: self.versions.clone(),
            identities: identities(&self.compiled, paused),
            browsers: Arc::clone(&self.browsers),
            listener_ids: Arc::clone(&self.listener_ids),
            integrations: Arc::clone(&self.integrations),
            operations: Arc::clone(&self.operations),
            short_hash: self.short_hash.clone(),
            compiled: Arc::clone(&self.compiled),
        }
    }

    /// The listener with this name.
    pub fn listener(&self, name: &str) -> Option<&ListenerSettings> {
        self.compiled.listener(name)
    }

    /// The listener that accepted a connection. It stands where it stood when the process began to listen, unless the
    /// configuration has moved it since.
    pub fn listener_of(&self, peer: &Peer) -> (Option<&ListenerSettings>, ListenerId) {
        let all = &self.compiled.server.listeners;
        let is_same = |one: &ListenerSettings| *one.name == *peer.listener;
        let place = match all.get(peer.listener_place).filter(|one| is_same(one)) {
            Some(_) => Some(peer.listener_place),
            None => all.iter().position(is_same),
        };
        let id = place.and_then(|place| self.listener_ids.get(place));
        (
            place.and_then(|place| all.get(place)),
            id.copied().unwrap_or(ListenerId::NOTHING_EXPOSED),
        )
    }

    /// The integration at this place.
    pub fn integration(&self, id: IntegrationId) -> Option<&Arc<IntegrationSettings>> {
        self.integrations.get(id.place())?.as_ref()
    }

    /// The operation of a version that policy names.
    pub fn operation(&self, version: usize, wanted: OperationRef) -> Option<&contract::Operation> {
        let index = self.place_of(version, wanted)?;
        let version = self.compiled.versions.get(version)?;
        version.contract.as_ref()?.operations.get(index)
    }

    /// Whether a path with these values leads to this operation and to no other, however the upstream reads it.
    pub fn leads_to(
        &self,
        version: usize,
        wanted: OperationRef,
        values: &[(Arc<str>, String)],
    ) -> bool {
        let index = self.place_of(version, wanted);
        index.is_some_and(|index| self.compiled.router.leads_to(version, index, values))
    }

    /// The index of an operation in the contract of its version.
    fn place_of(&self, version: usize, wanted: OperationRef) -> Option<usize> {
        let (of, index) = (*self.operations.get(wanted.place())?)?;
        (of == version).then_some(index)
    }

    /// Names version and operation in a record.
    pub fn note_operation(&self, event: &mut Event, version: usize, operation: Option<usize>) {
        let runtime = self.versions.get(version);
        let Some(version) = self.compiled.versions.get(version) else {
            return;
        };
        event.api = Some(shared(&version.name));
        let plan = operation.and_then(|index| version.operations.get(index));
        event.operation = plan.map(|plan| shared(&plan.id));
        let hidden = operation.and_then(|index| runtime?.hidden.get(index));
        if let Some(hidden) = hidden
            && let Some(path) = event.path.as_deref().and_then(|path| hidden.hide(path))
        {
            event.path = Some(path.into());
        }
    }
}

fn runtime(
    version: &ApiVersion,
    previous: Option<&Snapshot>,
    read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<VersionRuntime, CannotRun> {
    let cannot = |problem: String| CannotRun {
        version: Arc::clone(&version.name),
        problem,
    };
    let upstream = match &version.upstream {
        None => None,
        Some(settings) => {
            let spec = spec(version, settings, read).map_err(cannot)?;
            let before = previous.and_then(|p| {
                let (index, _) = p.compiled.version(&version.name)?;
                p.versions.get(index)?.upstream.as_ref()
            });
            Some(Upstream::renew(spec, before).map_err(|mistake| cannot(mistake.to_string()))?)
        }
    };
    Ok(VersionRuntime {
        upstream,
        lifecycle_headers: lifecycle_headers(version),
        hidden: HiddenSegments::of_version(version),
    })
}

fn spec(
    version: &ApiVersion,
    settings: &UpstreamSettings,
    read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<UpstreamSpec, String> {
    let targets = settings.targets.iter().map(ToString::to_string).collect();
    let mut spec = UpstreamSpec::new(Arc::clone(&version.name), targets);
    spec.balance = match settings.balance {
        config::api::Balance::LeastRequests => net::Balance::LeastRequests,
        config::api::Balance::RoundRobin => net::Balance::RoundRobin,
    };
    spec.health = settings.health.as_ref().map(|health| HealthSpec {
        interval: health.interval,
        ..HealthSpec::new(health.path.clone())
    });
    spec.answer_bytes_max = settings.answer_bytes_max;
    spec.calls_max = settings.calls_max;
    spec.ca_pem = settings.ca.as_ref().map(|ca| read(&ca.value)).transpose()?;
    Ok(spec)
}

/// RFC 9745 (Deprecation), RFC 8594 (Sunset) and the successor (RFC 5829).
fn lifecycle_headers(version: &ApiVersion) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let since = version.deprecated_since;
    out.extend(since.map(|at| ("deprecation", format!("@{}", at.seconds()))));
    out.extend(
        version
            .sunset
            .map(|at: Timestamp| ("sunset", at.http_date())),
    );
    if let Some(successor) = &version.successor {
        let path = if successor.base_path.is_empty() {
            "/"
        } else {
            &successor.base_path
        };
        out.push(("link", format!("<{path}>; rel=\"successor-version\"")));
    }
    out
}

/// The integrations at the places that policy gave them. One that policy does not know stands nowhere, and may do nothing.
fn integrations(compiled: &Compiled) -> Arc<[Option<Arc<IntegrationSettings>>]> {
    let known = compiled.integrations.values().filter_map(|settings| {
        let id = compiled.rules.integration_id(&settings.name)?;
        (settings.facts.id == id).then_some((id.place(), settings))
    });
    let mut all: Vec<Option<Arc<IntegrationSettings>>> = Vec::new();
    for (place, settings) in known {
        put(&mut all, place, Arc::clone(settings));
    }
    all.into()
}

fn operations(compiled: &Compiled) -> Arc<[Option<(usize, usize)>]> {
    let mut all = Vec::new();
    for (version, settings) in compiled.versions.iter().enumerate() {
        for (index, plan) in settings.operations.iter().enumerate() {
            if let Some(reference) = plan.policy {
                put(&mut all, reference.place(), (version, index));
            }
        }
    }
    all.into()
}

fn put<T>(all: &mut Vec<Option<T>>, place: usize, what: T) {
    if all.len() <= place {
        all.resize_with(place + 1, || None);
    }
    if let Some(slot) = all.get_mut(place) {
        *slot = Some(what);
    }
}

fn identities(compiled: &Compiled, paused: &BTreeSet<String>) -> Integrations {
    let facts = |settings: &Arc<IntegrationSettings>| IntegrationFacts {
        is_paused: paused.contains(&*settings.name),
        ..settings.facts.clone()
    };
    compiled.integrations.values().map(facts).collect()
}

fn listener_ids(compiled: &Compiled) -> Arc<[ListenerId]> {
    let listeners = compiled.server.listeners.iter();
    listeners
        .map(|one| compiled.router.listener(&one.name))
        .collect()
}
