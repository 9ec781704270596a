//! Lists from which objects are left out: cursors opened and sealed, pages filled again, totals withheld.
//! Exports `open` and `open_body` (the caller's cursor), `ask` (the first page) and `complete` (the answer).
//! Used by the pipeline; `crate::pages` does the work, the calls are made here.
//! Start reading at `complete`.

use contract::{Place, ValidRequest};
use identity::Caller;
use model::{CanonicalRequest, FieldError, Json, Stage};
use policy::{PagePlace, Pages, Permit};

use crate::asking::{self, Asking};
use crate::context::{Op, Road};
use crate::cursor::{self, Question, Resume};
use crate::pages::{self, Gather, Step};
use crate::reasons::CONTRACT;
use crate::stages::inspect::CheckedRequest;
use crate::stages::response::{self, Read};
use crate::stages::upstream::{self, Came};
use crate::{Exchange, Stop};

/// Opens the caller's cursor in the query and puts the upstream's own in its place. The question that the cursor belongs to is
/// kept for `ask`, which compares it.
pub fn open(
    x: &mut Exchange<'_, '_>,
    asked: &mut CanonicalRequest,
    permit: &Permit,
    caller: &Caller,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<(), Stop> {
    x.enter(Stage::Validate);
    let place = permit.pages().and_then(|pages| pages.cursor_sent.as_ref());
    let Some(PagePlace::Query(name)) = place else {
        return Ok(());
    };
    let mut sent = asked.query().iter().filter(|(known, _)| **known == **name);
    let Some((_, text)) = sent.next() else {
        return Ok(());
    };
    if sent.next().is_some() {
        let detail = "sent more than once";
        return Err(refused(place, "repeated", detail, "send it once"));
    }
    let (question, resume) = opened(text, caller, op, r).ok_or_else(|| foreign(permit.pages()))?;
    match &resume.cursor {
        Some(cursor) => asked.set_query(name, cursor),
        None => asked.drop_query(name),
    }
    (x.resume, x.sealed) = (resume, Some(question));
    Ok(())
}

/// The same for a cursor in the body. Gives the body as it goes on, where it had one.
pub fn open_body(
    x: &mut Exchange<'_, '_>,
    body: &[u8],
    permit: &Permit,
    caller: &Caller,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Option<Vec<u8>>, Stop> {
    let place = permit.pages().and_then(|pages| pages.cursor_sent.as_ref());
    let Some(PagePlace::Body { steps, is_number }) = place else {
        return Ok(None);
    };
    // What is no JSON is refused when it is judged.
    let Ok(mut value) = model::json::parse(body, op.operation.bounds) else {
        return Ok(None);
    };
    let text = match asking::at(&value, steps) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Text(text)) => text.clone(),
        Some(_) => return Err(foreign(permit.pages())),
    };
    let (question, resume) = opened(&text, caller, op, r).ok_or_else(|| foreign(permit.pages()))?;
    match &resume.cursor {
        Some(cursor) => asking::write(&mut value, steps, asking::typed(cursor, *is_number)),
        None => asking::remove(&mut value, steps),
    }
    (x.resume, x.sealed) = (resume, Some(question));
    let mut out = Vec::with_capacity(body.len());
    model::json::write(&value, &mut out);
    Ok(Some(out))
}

fn opened(text: &str, caller: &Caller, op: &Op<'_>, r: &Road<'_>) -> Option<(Question, Resume)> {
    let key = cursor::key(&r.io.etags);
    let whose = (&**caller.integration(), &*op.plan.inspected.scope);
    cursor::open(&key, whose, text)
}

fn foreign(pages: Option<&Pages>) -> Stop {
    refused(
        pages.and_then(|pages| pages.cursor_sent.as_ref()),
        "cursor",
        "not a cursor that was given to this integration for this list and question",
        "send the cursor of the last answer as it was given, with the same parameters, or leave it out to begin at the start",
    )
}

fn refused(place: Option<&PagePlace>, keyword: &str, detail: &str, fix: &str) -> Stop {
    let (place, pointer) = match place {
        Some(PagePlace::Query(name)) => ("query", name.to_string()),
        Some(PagePlace::Body { steps, .. }) => ("body", asking::pointer(steps)),
        None => ("query", String::new()),
    };
    let why = format!("the cursor was refused: {detail}");
    wrong(
        &why,
        FieldError {
            place,
            pointer,
            keyword: keyword.into(),
            detail: detail.into(),
            fix: fix.into(),
        },
    )
}

fn wrong(why: &str, error: FieldError) -> Stop {
    let reason = match error.place {
        "body" => &contract::BODY,
        _ => &contract::QUERY,
    };
    reason.because(why).with_errors(vec![error]).into()
}

/// What a list is asked, as it is forwarded: all but cursor and page size.
fn question(pages: &Pages, asked: &CanonicalRequest, valid: &ValidRequest) -> Question {
    let sent = || pages.cursor_sent.iter().chain(&pages.size_sent);
    let mut values: Vec<(&str, &[u8])> = asked
        .query()
        .iter()
        .filter(|(name, _)| !sent().any(|place| place.is_query(name)))
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let headers: Vec<(String, Vec<u8>)> = valid
        .parameters
        .iter()
        .filter(|p| matches!(p.place, Place::Header | Place::Cookie))
        .filter(|p| pages.headers.contains(&p.name))
        .map(|p| {
            let mut text = Vec::new();
            model::json::write(&p.value, &mut text);
            // No query parameter is named like this.
            (format!("\0{}", p.name), text)
        })
        .collect();
    values.extend(
        headers
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_slice())),
    );
    match &valid.body {
        Some(body) if asks_in_body(pages) => {
            let body = asking::without_page(pages, body);
            cursor::question(asked.path(), values, &body)
        }
        _ => cursor::question(asked.path(), values, &valid.body_bytes),
    }
}

/// Refuses the cursor of another question, and asks for the first page as it is needed where pages are filled again.
pub fn ask(
    x: &mut Exchange<'_, '_>,
    valid: &mut ValidRequest,
    asked: &CanonicalRequest,
    permit: &Permit,
    op: &Op<'_>,
) -> Result<(), Stop> {
    let Some(pages) = permit.pages() else {
        return Ok(());
    };
    let sealed = x.sealed.take();
    if sealed.is_some_and(|sealed| sealed != question(pages, asked, valid)) {
        return Err(foreign(Some(pages)));
    }
    if !pages.is_refillable() {
        return Ok(());
    }
    let size = asking::size(pages, asked.query(), valid.body.as_ref());
    x.size = size.map_err(|error| wrong("the size of the page has no one reading", error))?;
    if permit.is_gapped() || x.resume.skip > 0 {
        let first = Gather::new(pages, x.size, &x.resume).asked(&asking_of(pages, asked, valid));
        valid.query = contract::write_query(op.operation, &first.query);
        write_body(first.body, valid, op);
    }
    Ok(())
}

/// The request as it says which page is wanted.
fn asking_of(pages: &Pages, asked: &CanonicalRequest, valid: &ValidRequest) -> Asking {
    let body = valid.body.as_ref().filter(|_| asks_in_body(pages));
    Asking {
        query: asked.query().to_vec(),
        body: body.cloned(),
    }
}

/// Puts a body into the request that says which page is wanted.
fn write_body(body: Option<Json>, valid: &mut ValidRequest, op: &Op<'_>) {
    if let Some(body) = body {
        valid.body_bytes.clear();
        model::json::write(&body, &mut valid.body_bytes);
        valid.body = Some(body);
        if valid.content_type.is_none() {
            let contents = op.operation.body.iter().flat_map(|body| &body.contents);
            let mut kinds = contents.map(|content| content.content_type.clone());
            valid.content_type = kinds.next();
        }
    }
}

/// Whether the body says which page is wanted.
fn asks_in_body(pages: &Pages) -> bool {
    let mut sent = pages.cursor_sent.iter().chain(&pages.size_sent);
    sent.any(|place| place.steps().is_some())
}

/// Makes the upstream's page the caller's: filled again where objects are left out, its cursor sealed, and nothing beside
/// it that would tell of others.
pub async fn complete(
    x: &mut Exchange<'_, '_>,
    mut read: Read,
    permit: &Permit,
    (caller, checked): (&Caller, &CheckedRequest),
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Read, Stop> {
    let (Some(pages), Some(mut body)) = (permit.pages(), read.body.take()) else {
        return Ok(read);
    };
    let resume = std::mem::take(&mut x.resume);
    let seal = sealer(pages, caller, checked, op, r);
    let shows = |item: &Json| permit.shows(checked.path_values(), item);
    let is_gapped =
        permit.is_gapped() || (permit.is_scoped() && leaves_out(&mut body, pages, shows));
    if !is_gapped && resume.skip == 0 {
        pages::seal(&mut body, pages, &seal);
        if permit.is_scoped() {
            pages::withhold_counts(&mut body, pages);
        }
        read.body = Some(body);
        return Ok(read);
    }
    if !pages.is_refillable() {
        x.event.withheld = Some(pages::leave_out(&mut body, pages, shows));
        pages::withhold(&mut body, pages);
        read.body = Some(body);
        return Ok(read);
    }
    let asked = asking_of(pages, checked.asked(), checked.valid());
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
        let page = written(&gather.asked(&asked), checked, op);
        let (length, page) = further(x, permit, (caller, checked), &page, op, r).await?;
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
    read.body = Some(gather.finish(next));
    Ok(read)
}

/// One more page of the list, with its length in bytes.
async fn further(
    x: &mut Exchange<'_, '_>,
    permit: &Permit,
    (caller, checked): (&Caller, &CheckedRequest),
    page: &(String, Vec<u8>),
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<(usize, Option<Json>), Stop> {
    let answer = match upstream::forward_page(x, caller, permit, checked, page, op, r).await? {
        Came::Whole(answer) if (200..=299).contains(&answer.status) => answer,
        Came::Whole(answer) => {
            let what = "a further page of the list";
            let (status, headers) = (answer.status, &answer.headers);
            return Err(upstream::read_failed(x, what, status, headers));
        }
        Came::Carried { why, .. } => return Err(Stop::Failed(CONTRACT.because(why))),
    };
    let length = answer.body.len();
    let more = response::read(x, answer, op, r)?;
    Ok((length, more.body))
}

/// A further page as it is sent.
fn written(asked: &Asking, checked: &CheckedRequest, op: &Op<'_>) -> (String, Vec<u8>) {
    let query = contract::write_query(op.operation, &asked.query);
    let mut body = Vec::new();
    match &asked.body {
        Some(value) => model::json::write(value, &mut body),
        None => body.clone_from(&checked.valid().body_bytes),
    }
    (query, body)
}

/// Seals cursors for the caller and its question.
fn sealer<'a>(
    pages: &'a Pages,
    caller: &'a Caller,
    checked: &'a CheckedRequest,
    op: &'a Op<'_>,
    r: &'a Road<'_>,
) -> impl Fn(&Resume) -> Option<String> + 'a {
    move |at| {
        let key = cursor::key(&r.io.etags);
        let whose = (&**caller.integration(), &*op.plan.inspected.scope);
        let question = question(pages, checked.asked(), checked.valid());
        cursor::seal(&key, whose, &question, at)
    }
}

/// Whether an upstream answered with more than the fixed scope.
fn leaves_out(body: &mut Json, pages: &policy::Pages, shows: impl Fn(&Json) -> bool) -> bool {
    let list = pages
        .list
        .as_deref()
        .and_then(|steps| pages::at(body, steps));
    match list {
        Some(Json::List(items)) => !items.iter().all(shows),
        _ => false,
    }
}
