//! Lists from which objects are left out: cursors opened and sealed, pages filled again, totals withheld.
//! Exports `open` (the caller's cursor), `ask` (the first query) and `complete` (the answer).
//! Used by the pipeline; `crate::pages` does the work, the calls are made here.
//! Start reading at `complete`.

use contract::ValidRequest;
use identity::Caller;
use model::{CanonicalRequest, FieldError, Stage};
use policy::Permit;

use crate::cursor::{self, Resume};
use crate::pages::{self, Gather, Step};
use crate::service::Road;
use crate::stages::inspect::CheckedRequest;
use crate::stages::lifecycle::Op;
use crate::stages::response::{self, Read};
use crate::stages::upstream::{self, Came};
use crate::{Exchange, Stop};

/// Opens the caller's cursor and puts the upstream's own into the request.
pub fn open(
    x: &mut Exchange<'_, '_>,
    asked: &mut CanonicalRequest,
    permit: &Permit,
    caller: &Caller,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<(), Stop> {
    x.enter(Stage::Validate);
    let parameter = permit.pages().and_then(|p| p.cursor_parameter.as_deref());
    let sent = parameter.and_then(|name| {
        let mut query = asked.query().iter();
        Some((name, query.find(|(n, _)| n == name)?.1.as_str()))
    });
    let Some((name, text)) = sent else {
        return Ok(());
    };
    let key = cursor::key(&r.io.etags);
    let scope = &op.plan.inspected.scope;
    let Some(resume) = cursor::open(&key, caller.integration(), scope, text) else {
        let error = FieldError {
            place: "query",
            pointer: name.to_owned(),
            keyword: "cursor".into(),
            detail: "not a cursor that was given to this integration for this list".into(),
            fix: "send the cursor of the last answer as it was given, or leave it out to begin at the start".into(),
        };
        let refusal = contract::QUERY.because("the cursor is foreign or forged");
        return Err(refusal.with_errors(vec![error]).into());
    };
    match &resume.cursor {
        Some(cursor) => asked.set_query(name, cursor),
        None => asked.drop_query(name),
    }
    x.resume = resume;
    Ok(())
}

/// Asks for the first page as it is needed where pages are filled again.
pub fn ask(
    x: &Exchange<'_, '_>,
    valid: &mut ValidRequest,
    asked: &CanonicalRequest,
    permit: &Permit,
    op: &Op<'_>,
) {
    let resume = &x.resume;
    let pages = permit.pages().filter(|pages| pages.is_refillable());
    if let Some(pages) = pages.filter(|_| permit.is_gapped() || resume.skip > 0) {
        let pairs = Gather::new(pages, asked.query(), resume).query(asked.query());
        valid.query = contract::write_query(op.operation, &pairs);
    }
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
    let scope = &op.plan.inspected.scope;
    let key = cursor::key(&r.io.etags);
    let seal = |at: &Resume| cursor::seal(&key, caller.integration(), scope, at);
    let shows = |item: &model::Json| permit.shows(checked.path_values(), item);
    let is_gapped =
        permit.is_gapped() || (permit.is_scoped() && leaves_out(&mut body, pages, shows));
    if !is_gapped && resume.skip == 0 {
        pages::seal(&mut body, pages, seal);
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
