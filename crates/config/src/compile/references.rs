//! Files that nothing refers to: not refused, but said, so that nobody believes they do something.
//! Gives `unused`.
//! Used by `compile` of the whole.
//! Start reading at `unused`.

use model::Mistake;

use super::apis::Apis;
use crate::read::Written;
use crate::report::Report;

/// Warns of every file that was read and not used.
pub(super) fn unused(written: &Written, apis: &Apis, report: &mut Report) {
    // Where a version is broken it is not known what it would have referred to.
    if !apis.broken.is_empty() {
        return;
    }
    for path in written.referred.difference(&apis.used) {
        let help = "Refer to it from a version in `apis/`, move it out, or take it away.";
        report.note(Mistake::new("nothing refers to this file", help).in_file(path));
    }
}
