//! Which media types an operation's answers have, and which of them a caller accepts: agreed on before the call.
//! Exports `ResponseMedia` and `FirstResponse`. Pure.
//! Used by gateway's stages validate (`agree`) and upstream (what the gateway itself asks for), and by config.
//! Start reading at `ResponseMedia::agree`.

use std::sync::Arc;

use model::{FieldError, Method, Reason, Refusal, Stage};

use crate::advice::listed;
use crate::body_format::BodyFormat;
use crate::media_type::{JSON, may_be_json};
use crate::response_plan::{ResponsePlan, StatusRange, successes};

/// Nothing this operation answers is acceptable to the caller.
pub const ACCEPT: Reason = Reason::new(
    Stage::Validate,
    "validate.accept",
    406,
    "This operation answers in none of the media types that the request accepts.",
    "Accept one of the media types named in `errors`, or send no `Accept`.",
    "The request's `Accept` excludes every JSON media type that the contract declares for successful answers of the operation. Nothing was \
     sent to the upstream. The integration has to accept a declared type.",
);

/// Most ranges of one `Accept` that are looked at.
const RANGES_MAX: usize = 64;

/// Media types of an operation's answers, as the contract declares them.
#[derive(Clone, Debug, Default)]
pub struct ResponseMedia {
    /// How the operation answers when it has something to say.
    first: FirstResponse,
    /// Types of successful answers that can be judged and shown, in the order of the contract.
    shown: Vec<Arc<str>>,
    /// Types of successful answers that cannot be judged.
    unjudged: Vec<Arc<str>>,
    /// Statuses whose every type cannot be judged.
    unjudged_only: bool,
    /// Types of answers that report an error.
    errors: Vec<Arc<str>>,
    /// What is asked of the upstream when the caller accepts everything.
    accept: Arc<str>,
}

/// How an operation answers when it has something to say: of the declared successes with a JSON body the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstResponse {
    /// Its status; 200 where none is declared.
    pub status: u16,
    /// Its media type; `application/json` where none is declared.
    pub content_type: Arc<str>,
}

impl Default for FirstResponse {
    fn default() -> Self {
        FirstResponse {
            status: 200,
            content_type: Arc::from(JSON),
        }
    }
}

impl FirstResponse {
    fn of(responses: &[ResponsePlan]) -> FirstResponse {
        let status_of = |plan: &ResponsePlan| match plan.status {
            StatusRange::Exactly(status @ 200..=299) => Some(status),
            StatusRange::Family(2) | StatusRange::Default => Some(200),
            StatusRange::Exactly(_) | StatusRange::Family(_) => None,
        };
        let has_body =
            |plan: &&ResponsePlan| plan.validator.is_some() && plan.format != BodyFormat::Text;
        let with_body = responses.iter().filter(has_body);
        let first = with_body
            .filter_map(|plan| Some((status_of(plan)?, plan)))
            .min_by_key(|(status, _)| *status);
        let Some((status, plan)) = first else {
            return FirstResponse::default();
        };
        let is_written = |kind: &&Arc<str>| &***kind == JSON || kind.ends_with("+json");
        let kind = plan.content_types.iter().find(is_written);
        FirstResponse {
            status,
            content_type: kind.map_or_else(|| Arc::from(JSON), Arc::clone),
        }
    }
}

impl ResponseMedia {
    pub(crate) fn of(method: Method, responses: &[ResponsePlan]) -> ResponseMedia {
        let mut media = ResponseMedia {
            first: FirstResponse::of(responses),
            ..ResponseMedia::default()
        };
        let successes = successes(responses);
        for response in &successes {
            let is_judged = |kind: &str| response.format.answers_in(kind);
            let has_judged = response.content_types.iter().any(|kind| is_judged(kind));
            media.unjudged_only |= !has_judged && !response.content_types.is_empty();
            for kind in &response.content_types {
                if is_judged(kind) {
                    add(&mut media.shown, plain(kind))
                } else {
                    add(&mut media.unjudged, kind.clone())
                }
            }
        }
        for response in responses {
            let is_success = successes
                .iter()
                .any(|success| success.status == response.status);
            for kind in response
                .content_types
                .iter()
                .filter(|kind| !is_success && may_be_json(kind))
            {
                add(&mut media.errors, plain(kind));
            }
        }
        // A write is carried out whatever its answer looks like, and must not be refused for want of a type.
        let others: &[Arc<str>] = if media.shown.is_empty() && !method.is_safe() {
            &media.unjudged
        } else {
            &[]
        };
        let accept = media.asked(media.shown.iter().chain(others));
        ResponseMedia { accept, ..media }
    }

    /// How the operation answers when it has something to say.
    pub fn first(&self) -> &FirstResponse {
        &self.first
    }

    /// Types of successful answers that can be judged and shown.
    pub fn shown(&self) -> &[Arc<str>] {
        &self.shown
    }

    /// Types of successful answers that cannot be judged.
    pub fn unjudged(&self) -> &[Arc<str>] {
        &self.unjudged
    }

    /// Whether some successful status has a body that cannot be judged in any of its types.
    pub fn has_unjudged_only(&self) -> bool {
        self.unjudged_only
    }

    /// What the upstream is asked for when the caller accepts everything.
    pub fn accept(&self) -> &Arc<str> {
        &self.accept
    }

    /// What to ask the upstream for on behalf of a caller with these `Accept` fields (RFC 9110 §12.5.1).
    ///
    /// # Errors
    /// [`ACCEPT`] when the caller accepts none of the types.
    pub fn agree<'v>(
        &self,
        mut accepts: impl Iterator<Item = &'v [u8]>,
    ) -> Result<Arc<str>, Box<Refusal>> {
        let (first, second) = (accepts.next(), accepts.next());
        // What most clients send.
        if second.is_none() && first.is_none_or(|value| value == b"*/*") {
            return Ok(self.accept.clone());
        }
        let ranges = ranges(first.into_iter().chain(second).chain(accepts));
        // Without a range that can be read nothing is excluded; what has no body has no type either.
        if ranges.is_empty() || self.shown.is_empty() {
            return Ok(self.accept.clone());
        }
        let weighed = self.shown.iter().map(|kind| (kind, weight(kind, &ranges)));
        let mut wanted: Vec<(&Arc<str>, u16)> = weighed.filter(|(_, weight)| *weight > 0).collect();
        let Some((_, first)) = wanted.first() else {
            return Err(self.refusal());
        };
        if wanted.iter().all(|(_, weight)| weight == first) {
            if wanted.len() == self.shown.len() {
                return Ok(self.accept.clone());
            }
            return Ok(self.asked(wanted.iter().map(|(kind, _)| *kind)));
        }
        // The caller likes one better than another: so does the upstream.
        wanted.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        let asked = wanted.iter().map(|(kind, weight)| weighted(kind, *weight));
        let asked: Vec<Arc<str>> = asked.collect();
        Ok(self.asked(asked.iter()))
    }

    fn asked<'k>(&'k self, kinds: impl Iterator<Item = &'k Arc<str>>) -> Arc<str> {
        let mut all: Vec<&str> = Vec::new();
        for kind in kinds.chain(&self.errors) {
            if !all.iter().any(|known| essence(known) == essence(kind)) {
                all.push(kind);
            }
        }
        if all.is_empty() {
            Arc::from("*/*")
        } else {
            all.join(", ").into()
        }
    }

    fn refusal(&self) -> Box<Refusal> {
        let offered: Vec<&str> = self.shown.iter().map(|kind| &**kind).collect();
        let offered = listed(&offered);
        ACCEPT
            .because(format!("offered: {offered}"))
            .with_errors(vec![FieldError {
                place: "header",
                pointer: "accept".into(),
                keyword: "contentType".into(),
                detail: "none of the accepted media types is offered".into(),
                fix: format!("accept one of: {offered}"),
            }])
    }
}

/// A type without its weight.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default()
}

fn add(list: &mut Vec<Arc<str>>, kind: Arc<str>) {
    if !list.contains(&kind) {
        list.push(kind);
    }
}

/// A type to ask for: a declared range is asked for as plain JSON.
fn plain(kind: &Arc<str>) -> Arc<str> {
    if kind.contains('*') {
        Arc::from("application/json")
    } else {
        kind.clone()
    }
}

/// One media range and how much it is wanted.
struct Range<'v> {
    kind: &'v str,
    below: &'v str,
    weight: u16,
}

/// The ranges that can be read; others say nothing. Parameters other than the weight narrow nothing down here: no type
/// is offered in several variants.
fn ranges<'v>(accepts: impl Iterator<Item = &'v [u8]>) -> Vec<Range<'v>> {
    let elements = accepts
        .filter_map(|value| std::str::from_utf8(value).ok())
        .flat_map(|value| value.split(','));
    elements.filter_map(range).take(RANGES_MAX).collect()
}

fn range(element: &str) -> Option<Range<'_>> {
    let mut pieces = element.split(';').map(str::trim);
    let (kind, below) = match pieces.next()? {
        // Sent by old clients for `*/*`.
        "*" => ("*", "*"),
        range => range.split_once('/')?,
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(model::http::is_token_byte);
    if !is_word(kind) || !is_word(below) {
        return None;
    }
    let weight = pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    Some(Range {
        kind,
        below,
        weight: weight.map_or(WEIGHT_MAX, thousandths),
    })
}

/// The most a type can be wanted.
const WEIGHT_MAX: u16 = 1_000;

/// A weight in thousandths (RFC 9110 §12.4.2); 0 means "not acceptable". What is no weight says nothing.
fn thousandths(weight: &str) -> u16 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    match format!("{part:0<3}").parse() {
        Ok(part) if whole == "0" && digits => part,
        _ => WEIGHT_MAX,
    }
}

/// A type as it is asked for with this weight.
fn weighted(kind: &Arc<str>, weight: u16) -> Arc<str> {
    if weight == WEIGHT_MAX {
        return kind.clone();
    }
    let digits = format!("{weight:03}");
    format!("{kind};q=0.{}", digits.trim_end_matches('0')).into()
}

/// How much a type is wanted, by the most exact range that matches (RFC 9110 §12.5.1).
fn weight(offered: &str, ranges: &[Range<'_>]) -> u16 {
    let (kind, below) = offered.split_once('/').unwrap_or((offered, ""));
    let exactness = |range: &Range<'_>| match (range.kind, range.below) {
        ("*", "*") => Some(1),
        (k, "*") if k.eq_ignore_ascii_case(kind) => Some(2),
        (k, b) if k.eq_ignore_ascii_case(kind) && b.eq_ignore_ascii_case(below) => Some(3),
        _ => None,
    };
    let best = ranges
        .iter()
        .filter_map(|range| Some((exactness(range)?, range.weight)));
    best.max().map_or(0, |(_, weight)| weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::tests::contract;

    fn answer(status: StatusRange, kinds: &[&str]) -> ResponsePlan {
        ResponsePlan {
            status,
            content_types: kinds.iter().map(|kind| Arc::from(*kind)).collect(),
            format: BodyFormat::Json,
            bytes: Vec::new(),
            not_carried: Vec::new(),
            validator: None,
            shape: model::Shape::default(),
        }
    }

    fn agreed(media: &ResponseMedia, accept: &str) -> Option<String> {
        let one = [accept.as_bytes()];
        media
            .agree(one.into_iter())
            .ok()
            .map(|kinds| kinds.to_string())
    }

    #[test]
    fn the_upstream_is_asked_for_what_the_caller_accepts_of_what_is_declared() {
        let responses = [
            answer(
                StatusRange::Exactly(200),
                &["application/json", "application/hal+json", "text/csv"],
            ),
            answer(StatusRange::Default, &["application/problem+json"]),
        ];
        let media = ResponseMedia::of(Method::Get, &responses);
        let all = "application/json, application/hal+json, application/problem+json";
        let hal = "application/hal+json, application/problem+json";
        let json = "application/json, application/problem+json";
        for (accept, wanted) in [
            ("*/*", Some(all)),
            ("*", Some(all)),
            ("", Some(all)),
            ("no type", Some(all)),
            ("application/*", Some(all)),
            ("Application/HAL+json", Some(hal)),
            ("application/json;version=2;q=0.1", Some(json)),
            ("*/*, application/json;q=0", Some(hal)),
            ("*/*;q=0, application/json", Some(json)),
            ("application/*;q=0.0, application/json;q=1", Some(json)),
            ("text/csv", None),
            ("text/*, image/png", None),
            ("*/*;q=0", None),
            ("application/json;q=0.000", None),
            (
                "application/json;q=0.5, application/hal+json",
                Some("application/hal+json, application/json;q=0.5, application/problem+json"),
            ),
            (
                "application/hal+json;q=0.05, application/json;q=0.120",
                Some(
                    "application/json;q=0.12, application/hal+json;q=0.05, application/problem+json",
                ),
            ),
            ("application/*;q=0.3", Some(all)),
            ("application/json;q=2, application/hal+json;q=x", Some(all)),
        ] {
            assert_eq!(agreed(&media, accept).as_deref(), wanted, "{accept}");
        }
    }

    #[test]
    fn the_first_response_is_the_lowest_success_with_a_json_body() {
        let json = "content: {application/json: {schema: {type: object}}}";
        let hal = "content: {text/csv: {}, application/hal+json: {schema: {type: object}}}";
        let text = "content: {text/plain: {schema: {type: string}}}";
        let of = |responses: &[(&str, &str)]| {
            let responses: Vec<String> = responses
                .iter()
                .map(|(status, content)| format!("'{status}': {{description: x, {content}}}"))
                .collect();
            let api = contract(&format!(
                "openapi: 3.1.0\npaths: {{/a: {{get: {{operationId: a, responses: {{{}}}}}}}}}",
                responses.join(", ")
            ));
            let first = api.operations[0].media.first();
            (first.status, first.content_type.to_string())
        };
        let is = |status, kind: &str| (status, kind.to_owned());
        assert_eq!(of(&[("204", "")]), is(200, "application/json"));
        assert_eq!(
            of(&[("206", hal), ("203", json)]),
            is(203, "application/json")
        );
        assert_eq!(
            of(&[("204", ""), ("203", hal), ("404", json)]),
            is(203, "application/hal+json")
        );
        assert_eq!(
            of(&[("2XX", hal), ("201", json)]),
            is(200, "application/hal+json")
        );
        assert_eq!(
            of(&[("200", text), ("202", json)]),
            is(202, "application/json")
        );
        assert_eq!(of(&[("default", hal)]), is(200, "application/hal+json"));
        assert_eq!(of(&[("404", hal)]), is(200, "application/json"));
    }

    #[test]
    fn several_lines_are_one_list() {
        let responses = [answer(
            StatusRange::Exactly(200),
            &["application/json", "application/hal+json"],
        )];
        let media = ResponseMedia::of(Method::Get, &responses);
        let lines = [&b"*/*"[..], b"application/json;q=0"];
        let agreed = media.agree(lines.into_iter()).unwrap();
        assert_eq!(&*agreed, "application/hal+json");
    }

    #[test]
    fn what_has_no_body_is_never_unacceptable() {
        let none = ResponseMedia::of(Method::Delete, &[answer(StatusRange::Exactly(204), &[])]);
        assert_eq!(agreed(&none, "text/csv").as_deref(), Some("*/*"));
        let text = [answer(StatusRange::Exactly(201), &["text/plain"])];
        let text = ResponseMedia::of(Method::Post, &text);
        assert_eq!(agreed(&text, "image/png").as_deref(), Some("text/plain"));
        assert!(text.has_unjudged_only() && text.shown().is_empty());
    }

    #[test]
    fn a_declared_range_is_asked_for_as_json() {
        let any = ResponseMedia::of(Method::Get, &[answer(StatusRange::Exactly(200), &["*/*"])]);
        assert_eq!(
            agreed(&any, "application/json").as_deref(),
            Some("application/json")
        );
        assert!(!any.has_unjudged_only());
    }
}
