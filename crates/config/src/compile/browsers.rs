//! Pages of browsers that may call a version.
//! Exports `compile`.
//! Used by apis.
//! Start reading at `compile`.

use std::sync::Arc;
use std::time::Duration;

use model::time::Span as Period;

use super::bounds::{filled, names_some};
use crate::api::Version;
use crate::browsers::PageOrigin;
use crate::compiled::BrowserSettings;
use crate::report::Report;
use crate::spanned::At;

const AGE_RANGE: (Period, Period) = (
    Period(Duration::from_secs(1)),
    Period(Duration::from_secs(86_400)),
);
/// Each answer compares its page with these.
const ORIGINS_MAX: usize = 64;

/// Checks and completes what is said of browsers.
pub(super) fn compile(
    version: &Version,
    file: &Arc<str>,
    report: &mut Report,
) -> Option<BrowserSettings> {
    let written = version.browsers.as_ref()?;
    let origins: &At<Vec<At<PageOrigin>>> = &written.origins;
    let help = "List the origins of the pages, or take `browsers` out.";
    names_some(origins, "`origins`", "no page", help, file, report);
    if origins.len() > ORIGINS_MAX {
        let message = format!("more than {ORIGINS_MAX} origins are listed");
        report.wrong(
            &origins.place(file),
            message,
            "Serve your pages from fewer origins.",
        );
    }
    for (index, at) in origins.iter().enumerate() {
        if origins.iter().take(index).any(|other| other == at) {
            let message = format!("`{}` is listed twice", at.value);
            report.wrong(&at.place(file), message, "Keep one of the two.");
        }
    }
    if version.expose.is_empty() {
        let message = "nothing of this version is exposed that a page could call";
        report.warn(
            &written.place(file),
            message,
            "Expose operations, or take `browsers` out.",
        );
    }
    let default = Period(Duration::from_secs(600));
    let max_age = filled(written.max_age.as_ref(), default, AGE_RANGE, file, report);
    Some(BrowserSettings {
        origins: origins.iter().map(|at| at.0.as_str().into()).collect(),
        credentials: written.credentials,
        max_age: max_age.0,
    })
}
