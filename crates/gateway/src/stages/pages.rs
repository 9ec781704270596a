//! Lists from which objects are left out: pages filled again, cursors sealed, totals withheld.
//! Exports `complete`.
//! Used by stage `answer`; `crate::pages` does the work, the calls are made here.
//! Start reading at `complete`.

use config::leaks::ResponseRules;
use model::{Json, Payload};
use policy::Pages;

use crate::asking::Asking;
use crate::context::RequestContext;
use crate::cursor::{self, Resume};
use crate::pages::{self, Gather, Step};
use crate::reasons::CONTRACT;
use crate::stages::calls::{self, Came};
use crate::stages::cursors;
use crate::stages::drifted;
use crate::stages::response::{self, Read};
use crate::stages::transform::Ready;
use crate::stages::upstream;
use crate::{RequestState, Stop, leaks};

/// Makes the upstream's page the caller's: filled again where objects are left out, its cursor sealed, and nothing beside
/// it that would tell of others.
pub async fn complete(
    x: &mut RequestState<'_, '_>,
    mut read: Read,
    ready: &Ready<'_>,
    r: &RequestContext<'_>,
) -> Result<Read, Stop> {
    let (permit, op) = (ready.permit(), ready.op());
    let Some(pages) = permit.pages() else {
        return Ok(read);
    };
    let mut body = match std::mem::take(&mut read.payload) {
        Payload::Fields(body) => body,
        other => {
            read.payload = other;
            return Ok(read);
        }
    };
    let resume = std::mem::take(&mut x.resume);
    let seal = sealer(pages, ready, r);
    let shows = |item: &Json| permit.shows(ready.path_values(), item);
    let is_gapped =
        permit.is_gapped() || (permit.is_scoped() && leaves_out(&mut body, pages, shows));
    if is_gapped {
        // It changes with objects that are left out.
        read.headers.remove("etag");
    }
    if !is_gapped && resume.skip == 0 {
        pages::seal(&mut body, pages, &seal);
        if permit.is_scoped() {
            pages::withhold_counts(&mut body, pages);
        }
        read.payload = Payload::Fields(body);
        return Ok(read);
    }
    if !pages.is_refillable() {
        x.event.withheld = Some(pages::leave_out(&mut body, pages, shows));
        pages::withhold(&mut body, pages);
        read.payload = Payload::Fields(body);
        return Ok(read);
    }
    let asked = cursors::asking_of(pages, ready.asked(), ready.valid());
    let settings = op.version.upstream.as_ref();
    let bytes_max = settings.map_or(0, |s| s.answer_bytes_max);
    let mut gather = Gather::new(pages, x.size, &resume);
    let mut bytes = 0usize;
    let mut step = gather.take(body, shows);
    while let Step::More(_) = &step {
        let is_late = settings.is_none_or(|s| x.started.elapsed() > s.timeout);
        if gather.is_spent() || is_late || bytes > bytes_max {
            break;
        }
        let page = written(&gather.asked(&asked), ready);
        let (length, page) = further(x, ready, &page, r).await?;
        bytes = bytes.saturating_add(length);
        let Some(page) = page else { break };
        step = gather.take(page, shows);
    }
    let next = match step {
        Step::Full(at) => seal(&at),
        // The bound was reached; the caller goes on from here.
        Step::More(cursor) => seal(&Resume {
            cursor: Some(cursor),
            skip: 0,
        }),
        Step::End => None,
    };
    x.event.withheld = Some(gather.left_out());
    read.payload = Payload::Fields(gather.finish(next));
    Ok(read)
}

/// One more page of the list, with its length in bytes.
async fn further(
    x: &mut RequestState<'_, '_>,
    ready: &Ready<'_>,
    page: &(String, Vec<u8>),
    r: &RequestContext<'_>,
) -> Result<(usize, Option<Json>), Stop> {
    let response = match upstream::forward_page(x, ready, page, r).await? {
        Came::Whole(response) if (200..=299).contains(&response.status) => response,
        // How an upstream may say that nothing follows.
        Came::Whole(response) if matches!(response.status, 404 | 410) => {
            return Ok((0, Some(Json::Null)));
        }
        Came::Whole(response) => {
            let what = "a further page of the list";
            let (status, headers) = (response.status, &response.headers);
            return Err(calls::read_failed(x, what, status, headers));
        }
        Came::Carried { why, .. } => return Err(Stop::Failed(CONTRACT.because(why))),
    };
    let length = response.body.len();
    let mut more = response::read(x, response, ready.op(), r)?;
    drifted::of_page(&mut more, ready)?;
    let page = match more.payload {
        Payload::None => Some(Json::Null),
        more => more.into_value(),
    };
    Ok((length, page))
}

/// A further page as it is sent.
fn written(asked: &Asking, ready: &Ready<'_>) -> (String, Vec<u8>) {
    let query = contract::write_query(ready.op().operation, &asked.query);
    let mut body = Vec::new();
    match &asked.body {
        Some(value) => model::json::write(value, &mut body),
        None => body.clone_from(&ready.valid().body_bytes),
    }
    (query, body)
}

/// How often a cursor is sealed until it reads like nothing that must not leave. It nearly always does at once.
const SEALS_MAX: usize = 8;

/// The first of some sealed texts that leaves as it is; `None` where there is none, or none can be sealed.
fn first_passed(seal: impl FnMut() -> Option<String>, rules: &ResponseRules) -> Option<String> {
    let mut sealed = std::iter::from_fn(seal).take(SEALS_MAX);
    sealed.find(|text| leaks::is_passed(text, rules))
}

/// Seals cursors for the caller and its question. Each seal is random, and what leaves is looked at once more: a cursor that
/// reads like an account number would reach the caller masked, and be refused when it comes back.
fn sealer<'a>(
    pages: &'a Pages,
    ready: &'a Ready<'_>,
    r: &'a RequestContext<'_>,
) -> impl Fn(&Resume) -> Option<String> + 'a {
    move |at| {
        let key = cursor::key(&r.io.etags);
        let question = cursors::question(pages, ready.asked(), ready.valid());
        let seal = || cursor::seal(&key, cursors::whose(ready), &question, at);
        first_passed(seal, &r.snapshot.compiled.responses)
    }
}

/// Whether an upstream answered with more than the fixed scope.
fn leaves_out(body: &mut Json, pages: &Pages, shows: impl Fn(&Json) -> bool) -> bool {
    let list = pages
        .list
        .as_deref()
        .and_then(|steps| pages::at(body, steps));
    match list {
        Some(Json::List(items)) => !items.iter().all(shows),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use config::leaks::LeakSettings;

    use super::*;

    /// Pieces that stood in sealed cursors, two in 600,000, and read like account numbers; and one that reads like a key.
    const UNLUCKY: [&str; 3] = [
        "AXo2-DK91r6urRw3grsil7c_9fQ",
        "AXo2_Ad89izFvzru6yUqtu1Aovajl-9fQ",
        "AXo2-AKIAIOSFODNN7EXAMPLE-9fQ",
    ];

    #[test]
    fn a_sealed_text_that_would_be_masked_is_sealed_again() {
        let rules = ResponseRules::compile(&LeakSettings::default()).unwrap();
        for unlucky in UNLUCKY {
            assert!(!leaks::is_passed(unlucky, &rules), "{unlucky}");
        }
        let texts = UNLUCKY.into_iter().chain(["AXo2-plain_text"]);
        let mut texts = texts.map(str::to_owned);
        let found = first_passed(|| texts.next(), &rules);
        assert_eq!(found.as_deref(), Some("AXo2-plain_text"));
        // What never passes is not given, and one that cannot be sealed is not tried again.
        assert_eq!(first_passed(|| Some(UNLUCKY[0].to_owned()), &rules), None);
        let mut tries = 0;
        let never = || {
            tries += 1;
            None
        };
        assert_eq!(first_passed(never, &rules), None);
        assert_eq!(tries, 1);
    }
}
