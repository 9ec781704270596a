//! Lists from which objects are left out: pages filled again, cursors sealed, totals withheld.
//! Exports `complete`.
//! Used by stage `answer`; `crate::pages` does the work, the calls are made here.
//! Start reading at `complete`.

use model::{Json, Payload};
use policy::Pages;

use crate::asking::Asking;
use crate::context::RequestContext;
use crate::cursor::{self, Resume};
use crate::pages::{self, Gather, Step};
use crate::reasons::CONTRACT;
use crate::stages::calls::{self, Came};
use crate::stages::cursors;
use crate::stages::response::{self, Read};
use crate::stages::transform::Ready;
use crate::stages::upstream;
use crate::{RequestState, Stop};

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
        Payload::Json(body) => body,
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
        read.payload = Payload::Json(body);
        return Ok(read);
    }
    if !pages.is_refillable() {
        x.event.withheld = Some(pages::leave_out(&mut body, pages, shows));
        pages::withhold(&mut body, pages);
        read.payload = Payload::Json(body);
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
    read.payload = Payload::Json(gather.finish(next));
    Ok(read)
}

/// One more page of the list, with its length in bytes.
async fn further(
    x: &mut RequestState<'_, '_>,
    ready: &Ready<'_>,
    page: &(String, Vec<u8>),
    r: &RequestContext<'_>,
) -> Result<(usize, Option<Json>), Stop> {
    let answer = match upstream::forward_page(x, ready, page, r).await? {
        Came::Whole(answer) if (200..=299).contains(&answer.status) => answer,
        // How an upstream may say that nothing follows.
        Came::Whole(answer) if matches!(answer.status, 404 | 410) => {
            return Ok((0, Some(Json::Null)));
        }
        Came::Whole(answer) => {
            let what = "a further page of the list";
            let (status, headers) = (answer.status, &answer.headers);
            return Err(calls::read_failed(x, what, status, headers));
        }
        Came::Carried { why, .. } => return Err(Stop::Failed(CONTRACT.because(why))),
    };
    let length = answer.body.len();
    let more = response::read(x, answer, ready.op(), r)?;
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

/// Seals cursors for the caller and its question.
fn sealer<'a>(
    pages: &'a Pages,
    ready: &'a Ready<'_>,
    r: &'a RequestContext<'_>,
) -> impl Fn(&Resume) -> Option<String> + 'a {
    move |at| {
        let key = cursor::key(&r.io.etags);
        let question = cursors::question(pages, ready.asked(), ready.valid());
        cursor::seal(&key, cursors::whose(ready), &question, at)
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
