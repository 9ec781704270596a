//! The caller's cursor and page size: opened where they stand in the request, and compared with the question that is asked.
//! Exports `open`, `open_body` and `ask`; `question`, `asking_of` and `whose` for the answer's side, stage `pages`.
//! Used by stage `validate`.
//! Start reading at `open`.

use contract::{Place, ValidRequest};
use model::{CanonicalRequest, FieldError, Json};
use policy::{PagePlace, Pages};

use crate::asking::{self, Asking};
use crate::context::RequestContext;
use crate::cursor::{self, Question, Resume};
use crate::stages::authz::Granted;
use crate::{RequestState, Stop};

/// Opens the caller's cursor in the query and puts the upstream's own in its place. The question that the cursor belongs to is
/// kept for `ask`, which compares it.
pub fn open(
    x: &mut RequestState<'_, '_>,
    asked: &mut CanonicalRequest,
    granted: &Granted<'_>,
    r: &RequestContext<'_>,
) -> Result<(), Stop> {
    let permit = granted.permit();
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
    let (question, resume) = opened(text, granted, r).ok_or_else(|| foreign(permit.pages()))?;
    match &resume.cursor {
        Some(cursor) => asked.set_query(name, cursor),
        None => asked.drop_query(name),
    }
    (x.resume, x.sealed) = (resume, Some(question));
    Ok(())
}

/// The same for a cursor in the body. Gives the body as it goes on, where it had one.
pub fn open_body(
    x: &mut RequestState<'_, '_>,
    body: &[u8],
    granted: &Granted<'_>,
    r: &RequestContext<'_>,
) -> Result<Option<Vec<u8>>, Stop> {
    let permit = granted.permit();
    let place = permit.pages().and_then(|pages| pages.cursor_sent.as_ref());
    let Some(PagePlace::Body { steps, is_number }) = place else {
        return Ok(None);
    };
    // What is no JSON is refused when it is judged.
    let Ok(mut value) = model::json::parse(body, granted.op().operation.bounds) else {
        return Ok(None);
    };
    let text = match asking::at(&value, steps) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Text(text)) => text.clone(),
        Some(_) => return Err(foreign(permit.pages())),
    };
    let (question, resume) = opened(&text, granted, r).ok_or_else(|| foreign(permit.pages()))?;
    match &resume.cursor {
        Some(cursor) => asking::write(&mut value, steps, asking::typed(cursor, *is_number)),
        None => asking::remove(&mut value, steps),
    }
    (x.resume, x.sealed) = (resume, Some(question));
    let mut out = Vec::with_capacity(body.len());
    model::json::write(&value, &mut out);
    Ok(Some(out))
}

fn opened(text: &str, granted: &Granted<'_>, r: &RequestContext<'_>) -> Option<(Question, Resume)> {
    cursor::open(&cursor::key(&r.io.etags), whose(granted), text)
}

/// What a cursor is sealed for: the integration, and the operation it was given by.
pub fn whose<'g>(granted: &'g Granted<'_>) -> (&'g str, &'g str) {
    let scope = &granted.op().plan.inspected.scope;
    (granted.caller().integration(), scope)
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
pub fn question(pages: &Pages, asked: &CanonicalRequest, valid: &ValidRequest) -> Question {
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
    match valid.body() {
        Some(body) if asks_in_body(pages) => {
            let body = asking::without_page(pages, body);
            cursor::question(asked.path(), values, &body)
        }
        _ => cursor::question(asked.path(), values, &valid.body_bytes),
    }
}

/// Refuses the cursor of another question, and notes how many items are asked for.
pub fn ask(
    x: &mut RequestState<'_, '_>,
    valid: &ValidRequest,
    asked: &CanonicalRequest,
    granted: &Granted<'_>,
) -> Result<(), Stop> {
    let Some(pages) = granted.permit().pages() else {
        return Ok(());
    };
    let sealed = x.sealed.take();
    if sealed.is_some_and(|sealed| sealed != question(pages, asked, valid)) {
        return Err(foreign(Some(pages)));
    }
    if pages.is_refillable() {
        let size = asking::size(pages, asked.query(), valid.body());
        x.size = size.map_err(|error| wrong("the size of the page has no one reading", error))?;
    }
    Ok(())
}

/// The request as it says which page is wanted.
pub fn asking_of(pages: &Pages, asked: &CanonicalRequest, valid: &ValidRequest) -> Asking {
    let body = valid.body().filter(|_| asks_in_body(pages));
    Asking {
        query: asked.query().to_vec(),
        body: body.cloned(),
    }
}

/// Whether the body says which page is wanted.
fn asks_in_body(pages: &Pages) -> bool {
    let mut sent = pages.cursor_sent.iter().chain(&pages.size_sent);
    sent.any(|place| place.steps().is_some())
}
