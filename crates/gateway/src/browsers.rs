//! What browsers are told about pages of other origins (CORS, Fetch standard §3.2), worked out once for each configuration.
//! Exports `Browsers`, `Page` and `mark`.
//! Used by stage `browsers`, which answers what they ask before a call, and by the service for every answer.
//! Start reading at `Browsers::page`.

use std::collections::BTreeSet;
use std::sync::Arc;

use config::Compiled;
use config::compiled::{ApiVersion, BrowserSettings};
use contract::Place;
use contract::forwarded::FIELDS;
use identity::methods::credential_headers;
use model::Headers;

/// Fields of answers that a page may read besides those that every page may (Fetch standard, CORS-safelisted response-header name).
const SHOWN: &str = "allow, deprecation, etag, link, location, portcullis-decision, ratelimit, retry-after, sunset, www-authenticate";

/// The versions that pages may call.
#[derive(Default)]
pub struct Browsers(Vec<Version>);

struct Version {
    base_path: Arc<str>,
    settings: BrowserSettings,
    /// By listener, what may be asked there.
    listeners: Vec<(Arc<str>, Arc<Preflight>)>,
}

/// What a browser is told before a call. The same for every path of a version: which paths there are is for callers to know.
pub struct Preflight {
    methods: String,
    headers: String,
    max_age_s: String,
}

/// What a page may do with an answer; kept with the request.
#[derive(Clone)]
pub struct Page {
    /// Its origin, where it is one of those that may call.
    origin: Option<Arc<str>>,
    credentials: bool,
    /// What its browser is told before a call.
    pub preflight: Option<Arc<Preflight>>,
}

impl Browsers {
    /// What the versions of a configuration say. Longer base paths come first.
    pub fn of(compiled: &Compiled) -> Browsers {
        let mut all: Vec<Version> = compiled.versions.iter().filter_map(version).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.base_path.len()));
        Browsers(all)
    }

    /// What a page of this origin may do at this path of a listener; none where nothing is said of pages there.
    pub fn page(&self, listener: &str, path: &str, origin: Option<&[u8]>) -> Option<Page> {
        let is_below = |one: &&Version| {
            let rest = path.strip_prefix(&*one.base_path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let version = self.0.iter().find(is_below)?;
        let mut known = version.listeners.iter();
        let (_, preflight) = known.find(|(name, _)| **name == *listener)?;
        let mut origins = version.settings.origins.iter();
        let origin = origins.find(|one| Some(one.as_bytes()) == origin).cloned();
        Some(Page {
            preflight: origin.is_some().then(|| Arc::clone(preflight)),
            origin,
            credentials: version.settings.credentials,
        })
    }
}

fn version(version: &ApiVersion) -> Option<Version> {
    let settings = version.browsers.as_ref()?;
    let plans = version.operations.iter();
    let listeners: BTreeSet<&Arc<str>> = plans.flat_map(|plan| &plan.listeners).collect();
    let told = |listener: &Arc<str>| {
        let preflight = preflight(version, settings, listener);
        (Arc::clone(listener), Arc::new(preflight))
    };
    Some(Version {
        base_path: Arc::clone(&version.base_path),
        listeners: listeners.into_iter().map(told).collect(),
        settings: settings.clone(),
    })
}

/// Methods and fields of all operations that are exposed on a listener.
fn preflight(version: &ApiVersion, settings: &BrowserSettings, listener: &Arc<str>) -> Preflight {
    let declared = version
        .contract
        .iter()
        .flat_map(|contract| &contract.operations);
    let exposed = declared
        .zip(&version.operations)
        .filter(|(_, plan)| plan.listeners.contains(listener));
    let (mut methods, mut headers) = (BTreeSet::new(), BTreeSet::new());
    headers.extend(credential_headers().map(str::to_owned));
    headers.extend(FIELDS.iter().map(|field| field.name.to_owned()));
    for (operation, _) in exposed {
        methods.insert(operation.method.name());
        if operation.body.is_some() {
            headers.insert("content-type".to_owned());
        }
        let declared = operation.parameters.iter();
        let fields = declared.filter(|parameter| parameter.place == Place::Header);
        headers.extend(fields.map(|field| field.name.to_string()));
    }
    Preflight {
        methods: methods.into_iter().collect::<Vec<_>>().join(", "),
        headers: headers.into_iter().collect::<Vec<_>>().join(", "),
        max_age_s: settings.max_age.as_secs().to_string(),
    }
}

impl Preflight {
    /// Says what may be asked.
    pub fn tell(&self, headers: &mut Headers) {
        headers.push("access-control-allow-methods", self.methods.as_str());
        headers.push("access-control-allow-headers", self.headers.as_str());
        headers.push("access-control-max-age", self.max_age_s.as_str());
    }
}

/// Says which page may read an answer. Never `*`: an answer is for the page that asked.
pub fn mark(page: &Page, headers: &mut Headers) {
    // Also where no page may: what is kept of an answer must not be shown to another page (RFC 9110 §12.5.5).
    headers.push("vary", "origin");
    let Some(origin) = &page.origin else { return };
    headers.push("access-control-allow-origin", origin.as_bytes());
    headers.push("access-control-expose-headers", SHOWN);
    if page.credentials {
        headers.push("access-control-allow-credentials", "true");
    }
}
