//! Reads `paths`: operations with their parameters, bodies and answers, as drafts whose schemas have numbers.
//! Exports `read` and `Draft::finish`, which puts the compiled validators in.
//! Used by `compile`.
//! Start reading at `read`; `parts` reads parameters, bodies and answers.

mod formats;
mod parts;
mod workshop;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use model::json::Bounds;
use model::{Method, Mistake};

use crate::definition::Definition;
use crate::docs::{At, Docs};
use crate::language::Languages;
use crate::lower::{Direction, Lowering};
use crate::media::ResponseMedia;
use crate::plan::Operation;
use crate::shape::Names;
use crate::template::{self, TemplateSegment};
use crate::validator::Built;
use parts::{BodyDraft, ParameterDraft, ResponseDraft};
use workshop::Workshop;

/// One operation whose schemas are numbered but not compiled yet.
pub(super) struct Draft<'a> {
    at: At<'a>,
    id: Arc<str>,
    method: Method,
    template: Arc<str>,
    segments: Vec<TemplateSegment>,
    parameters: Vec<ParameterDraft<'a>>,
    body: Option<BodyDraft<'a>>,
    responses: Vec<ResponseDraft<'a>>,
    summary: Option<String>,
    security: Vec<String>,
    bounds: Bounds,
    is_30: bool,
    closes: bool,
}

/// Reads every operation; mistakes are left in the lowering.
pub(super) fn read<'a>(
    lowering: &mut Lowering<'a>,
    root: &At<'a>,
    bounds: Bounds,
) -> Vec<Draft<'a>> {
    let Some(paths) = root.get("paths") else {
        lowering.wrong(
            root,
            "the document has no `paths`",
            "declare at least one path with an operation",
        );
        return Vec::new();
    };
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    let mut ids: HashMap<Arc<str>, String> = HashMap::new();
    for (template, item) in paths.members() {
        if template.starts_with("x-") {
            continue;
        }
        let item_at = match lowering.docs.follow(&item) {
            Ok(item) => item,
            Err(mistake) => {
                lowering.report(mistake);
                continue;
            }
        };
        let segments = match template::segments(template) {
            Ok(segments) => segments,
            Err(why) => {
                lowering.wrong(&item, why, "write a path such as `/sites/{siteId}`");
                continue;
            }
        };
        for method in Method::ALL {
            let Some(at) = item_at.get(&method.as_str().to_ascii_lowercase()) else {
                continue;
            };
            let at = match lowering.docs.follow(&at) {
                Ok(at) => at,
                Err(mistake) => {
                    lowering.report(mistake);
                    continue;
                }
            };
            let Some(id) = operation_id(lowering, &at, method, template, &mut ids) else {
                continue;
            };
            drafts.push(draft(
                lowering,
                root,
                &item_at,
                at,
                (id, method, template, &segments),
                bounds,
            ));
        }
    }
    drafts
}

fn operation_id<'a>(
    lowering: &mut Lowering<'a>,
    at: &At<'a>,
    method: Method,
    template: &str,
    ids: &mut HashMap<Arc<str>, String>,
) -> Option<Arc<str>> {
    let place = format!("{method} {template}");
    let Some(id) = at.text("operationId").filter(|id| !id.trim().is_empty()) else {
        lowering.wrong(
            at,
            format!("`{place}` has no `operationId`"),
            format!(
                "add one, for example `operationId: {}`; grants name operations by it",
                suggested(method, template)
            ),
        );
        return None;
    };
    // RFC 6749 §3.3: an operation's full name is a scope, which callers read in `WWW-Authenticate`.
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
    if !id.bytes().all(is_plain) {
        lowering.wrong(
            &at.get("operationId").unwrap_or_else(|| at.clone()),
            format!("the operationId `{}` cannot be the name of a scope", id.escape_debug()),
            format!(
                "write it without blanks, quotes and letters beyond ASCII, for example `{}`; an overlay can do so where \
                 the contract must stay as it is",
                suggested(method, template)
            ),
        );
        return None;
    }
    let id: Arc<str> = Arc::from(id);
    if let Some(first) = ids.insert(id.clone(), place) {
        lowering.wrong(
            &at.get("operationId").unwrap_or_else(|| at.clone()),
            format!("the operationId `{id}` is already used by `{first}`"),
            "give each operation its own operationId",
        );
        return None;
    }
    Some(id)
}

/// `GET /work-orders/{id}` gives `getWorkOrdersById`.
fn suggested(method: Method, template: &str) -> String {
    let mut out = method.as_str().to_ascii_lowercase();
    for piece in template.split('/').filter(|p| !p.is_empty()) {
        let (prefix, name) = match piece.strip_prefix('{') {
            Some(name) => ("By", name),
            None => ("", piece),
        };
        out.push_str(prefix);
        for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            out.extend(letters.next().map(|c| c.to_ascii_uppercase()));
            out.push_str(letters.as_str());
        }
    }
    out
}

fn draft<'a>(
    lowering: &mut Lowering<'a>,
    root: &At<'a>,
    item: &At<'a>,
    at: At<'a>,
    (id, method, template, segments): (Arc<str>, Method, &str, &[TemplateSegment]),
    bounds: Bounds,
) -> Draft<'a> {
    let parameters = parts::parameters(lowering, item, &at, segments);
    let body = parts::body(lowering, &at);
    let responses = parts::answers(lowering, &at);
    let summary = at
        .text("summary")
        .or_else(|| at.text("description"))
        .and_then(|text| text.trim().lines().next())
        .map(str::to_owned);
    let security = at.get("security").or_else(|| root.get("security"));
    Draft {
        id,
        method,
        template: Arc::from(template),
        segments: segments.to_vec(),
        parameters,
        body,
        responses,
        summary,
        security: security.iter().flat_map(scopes).collect(),
        bounds,
        is_30: lowering.is_30,
        closes: lowering.closes,
        at,
    }
}

fn scopes(security: &At<'_>) -> Vec<String> {
    let requirements = security.items();
    let schemes: BTreeSet<String> = requirements
        .flat_map(|requirement| requirement.members().collect::<Vec<_>>())
        .map(|(scheme, scopes)| {
            let scopes: Vec<_> = scopes.items().filter_map(|s| s.value.as_str()).collect();
            if scopes.is_empty() {
                scheme.to_owned()
            } else {
                format!("{scheme}: {}", scopes.join(" "))
            }
        })
        .collect();
    schemes.into_iter().collect()
}

impl<'a> Draft<'a> {
    /// Compiles what the draft refers to.
    pub(super) fn finish(
        self,
        (docs, names): (&'a Docs, &'a Names),
        all: &[Definition<'a>],
        (built, languages): (&mut Built, &mut Languages),
    ) -> Result<Operation, Mistake> {
        let mut shop = Workshop {
            docs,
            names,
            all,
            built,
            languages,
            is_30: self.is_30,
            closes: self.closes,
        };
        let parameters = self
            .parameters
            .into_iter()
            .map(|parameter| parameter.finish(&mut shop))
            .collect::<Result<Vec<_>, _>>()?;
        let places = self
            .body
            .as_ref()
            .map(BodyDraft::places)
            .unwrap_or_default();
        let request_shape = shop.shape(&places, Direction::Request);
        let body = self.body.map(|body| body.finish(&mut shop)).transpose()?;
        let places = parts::success_places(&self.responses);
        let success_shape = shop.shape(&places, Direction::Response);
        let responses = self
            .responses
            .into_iter()
            .map(|response| response.finish(&mut shop))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Operation {
            media: ResponseMedia::of(self.method, &responses),
            success_shape,
            id: self.id,
            method: self.method,
            template: self.template,
            segments: self.segments,
            parameters,
            body,
            request_shape,
            responses,
            is_deprecated: self.at.is_true("deprecated"),
            summary: self.summary,
            security: self.security,
            bounds: self.bounds,
        })
    }
}
