//! Answers that break the contract where that is enforced: told of what the caller may see, and of nothing else. Where objects may be
//! hidden, an answer that is refused for a hidden one, or for saying in its own way that there is none, would tell of it.
//! Exports `of_shown` and `of_page`.
//! Used by stages `outcome` and `pages`.
//! Start reading at `of_shown`.

use model::Json;
use policy::Concealment;

use crate::Stop;
use crate::pages;
use crate::stages::response::{Broken, Read};
use crate::stages::transform::Ready;

/// What an answer is refused with for breaking the contract, once something of it is shown; nothing where only what is hidden, or an
/// empty list, breaks it.
///
/// # Errors
/// The same, where nothing is hidden, or where an object that is shown breaks the contract.
pub fn of_shown(read: &mut Read, ready: &Ready<'_>) -> Result<Option<Stop>, Stop> {
    let Some(broken) = read.broken.take() else {
        return Ok(None);
    };
    if ready.permit().changes() {
        // It was carried out. Whether the object in its answer may be seen is judged first, as where the contract is kept.
        return Ok(Some(broken.stop));
    }
    match ready.permit().concealment() {
        Concealment::Nothing | Concealment::Absence => Err(broken.stop),
        // The object is judged first. A list that stands in no one place is judged as a whole.
        Concealment::Everything => Ok(Some(broken.stop)),
        Concealment::Members => match is_excused(&broken, read, ready) {
            Some(true) => Ok(None),
            Some(false) => Err(broken.stop),
            None => Ok(Some(broken.stop)),
        },
    }
}

/// The same of a further page.
///
/// # Errors
/// What it is refused with.
pub fn of_page(read: &mut Read, ready: &Ready<'_>) -> Result<(), Stop> {
    match read.broken.take() {
        Some(broken) if is_excused(&broken, read, ready) != Some(true) => Err(broken.stop),
        _ => Ok(()),
    }
}

/// Whether an answer keeps the contract, or shows nothing, once the objects are taken out of its list that the caller may not see. `None` where
/// it has no one list.
fn is_excused(broken: &Broken, read: &Read, ready: &Ready<'_>) -> Option<bool> {
    let (permit, op) = (ready.permit(), ready.op());
    let pages = permit.pages()?;
    let steps = pages.list.as_deref()?;
    let Some(mut body) = read.payload.value().cloned() else {
        return Some(true);
    };
    let shows = |item: &Json| permit.shows(ready.path_values(), item);
    pages::leave_out(&mut body, pages, shows);
    let is_empty = match pages::at(&mut body, steps) {
        Some(Json::List(items)) => items.is_empty(),
        // No list says that there is none.
        _ => true,
    };
    let kind = broken.sent_kind.as_deref();
    let is_kept = || contract::check_response(op.operation, read.status, kind, Some(&body), &[]);
    Some(is_empty || is_kept().is_empty())
}
