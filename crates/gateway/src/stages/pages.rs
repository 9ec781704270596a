//! Lists from which objects are left out: cursors opened and sealed, pages filled again, totals withheld.
//! Exports `open` (the caller's cursor), `ask` (the first query) and `complete` (the answer).
//! Used by the pipeline; `crate::pages` does the work, the calls are made here.
//! Start reading at `complete`.

use std::sync::Arc;

use contract::{Place, ValidRequest};
use identity::Caller;
use model::{CanonicalRequest, FieldError, Stage};
use policy::{Pages, Permit};

use crate::cursor::{self, Question, Resume};
use crate::pages::{self, Gather, Step};
use crate::service::Road;
use crate::stages::inspect::CheckedRequest;
use crate::stages::lifecycle::Op;
use crate::stages::response::{self, Read};
use crate::stages::upstream::{self, Came};
use crate::{Exchange, Stop};

/// Opens the caller's cursor and puts the upstream's own into the request. Gives the question that the cursor belongs to,
/// which `ask` compares.
pub fn open(
    x: &mut Exchange<'_, '_>,
    asked: &mut CanonicalRequest,
    permit: &Permit,
    caller: &Caller,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Option<Question>, Stop> {
    x.enter(Stage::Validate);
    let Some(name) = permit.pages().and_then(|p| p.cursor_parameter.as_deref()) else {
        return Ok(None);
    };
    let mut sent = asked.query().iter().filter(|(known, _)| known == name);
    let Some((_, text)) = sent.next() else {
        return Ok(None);
    };
    if sent.next().is_some() {
        let detail = "sent more than once";
        return Err(refused(name, "repeated", detail, "send it once"));
    }
    let key = cursor::key(&r.io.etags);
    let whose = (&**caller.integration(), &*op.plan.inspected.scope);
    let (question, resume) = cursor::open(&key, whose, text).ok_or_else(|| foreign(name))?;
    match &resume.cursor {
        Some(cursor) => asked.set_query(name, cursor),
        None => asked.drop_query(name),
    }
    x.resume = resume;
    Ok(Some(question))
}

fn foreign(name: &str) -> Stop {
    refused(
        name,
        "cursor",
        "not a cursor that was given to this integration for this list and question",
        "send the cursor of the last answer as it was given, with the same parameters, or leave it out to begin at the start",
    )
}

fn refused(name: &str, keyword: &str, detail: &str, fix: &str) -> Stop {
    let error = FieldError {
        place: "query",
        pointer: name.to_owned(),
        keyword: keyword.into(),
        detail: detail.into(),
        fix: fix.into(),
    };
    let refusal = contract::QUERY.because(format!("the cursor was refused: {detail}"));
    refusal.with_errors(vec![error]).into()
}

/// What a list is asked, as it is forwarded: all but cursor and page size.
fn question(pages: &Pages, asked: &CanonicalRequest, valid: &ValidRequest) -> Question {
    let is = |name: &str, known: &Option<Arc<str>>| known.as_deref() == Some(name);
    let mut values: Vec<(&str, &[u8])> = asked
        .query()
        .iter()
        .filter(|(name, _)| !is(name, &pages.cursor_parameter) && !is(name, &pages.size_parameter))
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
    cursor::question(asked.path(), values, &valid.body_bytes)
}

/// Refuses the cursor of another question, and asks for the first page as it is needed where pages are filled again.
pub fn ask(
    x: &Exchange<'_, '_>,
    valid: &mut ValidRequest,
    asked: &CanonicalRequest,
    permit: &Permit,
    sealed: Option<Question>,
    op: &Op<'_>,
) -> Result<(), Stop> {
    let Some(pages) = permit.pages() else {
        return Ok(());
    };
    if sealed.is_some_and(|sealed| sealed != question(pages, asked, valid)) {
        let name = pages.cursor_parameter.as_deref();
        return Err(foreign(name.unwrap_or_default()));
    }
    let resume = &x.resume;
    if pages.is_refillable() && (permit.is_gapped() || resume.skip > 0) {
        let pairs = Gather::new(pages, asked.query(), resume).query(asked.query());
        valid.query = contract::write_query(op.operation, &pairs);
    }
    Ok(())
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
    let shows = |item: &model::Json| permit.shows(checked.path_values(), item);
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
    let query = checked.asked().query();
    let settings = op.version.upstream.as_ref();
    let bytes_max = settings.map_or(0, |s| s.answer_bytes_max);
    let mut gather = Gather::new(pages, query, &resume);
    let mut bytes = 0usize;
    let mut step = gather.take(body, shows);
    while let Step::More(_) = &step {
        let is_late = settings.is_none_or(|s| x.started.elapsed() > s.timeout);
        if gather.is_spent() || is_late || bytes > bytes_max {
            break;
        }
        let query = contract::write_query(op.operation, &gather.query(query));
        let came = upstream::forward_query(x, caller, permit, checked, &query, op, r).await?;
        let answer = match came {
            Came::Whole(answer) if (200..=299).contains(&answer.status) => answer,
            Came::Whole(answer) => {
                return Err(upstream::read_failed(x, answer.status, &answer.headers));
            }
            Came::Carried { why, .. } => {
                return Err(Stop::Failed(response::CONTRACT.because(why)));
            }
        };
        bytes = bytes.saturating_add(answer.body.len());
        let more = response::read(x, answer, op, r)?;
        let Some(page) = more.body else { break };
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
fn leaves_out(
    body: &mut model::Json,
    pages: &policy::Pages,
    shows: impl Fn(&model::Json) -> bool,
) -> bool {
    let list = pages
        .list
        .as_deref()
        .and_then(|steps| pages::at(body, steps));
    match list {
        Some(model::Json::List(items)) => !items.iter().all(shows),
        _ => false,
    }
}
