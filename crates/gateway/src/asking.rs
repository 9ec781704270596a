//! What a request says of the page it wants: read from and written into its query or its body, wherever the contract has it.
//! Exports `size` (read once), `take` (the caller's cursor), `put` (what the upstream is asked) and `without` (the question).
//! Used by stage `pages`.
//! Start reading at `Asking`.

use std::sync::Arc;

use model::{FieldError, Json, Text};
use policy::{PagePlace, Pages};

/// One spelling of a request: its query and, where there is one, its body.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Pairs of the query.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: Option<Json>,
}

impl Asking {
    /// The same request for another page: `size` items from where `cursor` says, or as it was where nothing is said of a
    /// size.
    #[must_use]
    pub fn paged(&self, pages: &Pages, size: Option<u32>, cursor: Option<&str>) -> Asking {
        let mut asked = self.clone();
        if let (Some(place), Some(size)) = (&pages.size_sent, size) {
            asked.put(place, Some(&size.to_string()));
        }
        if let Some(place) = &pages.cursor_sent {
            asked.put(place, cursor);
        }
        asked
    }

    fn put(&mut self, place: &PagePlace, value: Option<&str>) {
        match place {
            PagePlace::Query(name) => {
                self.query.retain(|(known, _)| **known != **name);
                let pair = value.map(|value| (name.to_string(), value.to_owned()));
                self.query.extend(pair);
            }
            PagePlace::Body { steps, is_number } => match value {
                Some(value) => {
                    let body = self.body.get_or_insert_with(|| Json::Object(Vec::new()));
                    write(body, steps, typed(value, *is_number));
                }
                None => {
                    if let Some(body) = &mut self.body {
                        remove(body, steps);
                    }
                }
            },
        }
    }
}

/// A cursor as the contract has it: as a number where it is one.
pub fn typed(value: &str, is_number: bool) -> Json {
    let is_digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && is_digits && (value == "0" || !value.starts_with('0')) {
        Json::Number(Text::new(value))
    } else {
        Json::Text(Text::new(value))
    }
}

/// How many items the caller asks for; `None` where it does not say.
///
/// # Errors
/// Where another reader could see another number than this one: only plain digits are a number of items.
pub fn size(
    pages: &Pages,
    query: &[(String, String)],
    body: Option<&Json>,
) -> Result<Option<u32>, FieldError> {
    let (place, pointer, text) = match &pages.size_sent {
        None => return Ok(None),
        Some(PagePlace::Query(name)) => {
            let sent = query.iter().find(|(known, _)| **known == **name);
            let Some((_, text)) = sent else {
                return Ok(None);
            };
            ("query", name.to_string(), Some(text.as_str()))
        }
        Some(PagePlace::Body { steps, .. }) => {
            let text = match body.and_then(|body| at(body, steps)) {
                None | Some(Json::Null) => return Ok(None),
                Some(Json::Number(digits) | Json::Text(digits)) => Some(digits.as_str()),
                Some(_) => None,
            };
            ("body", pointer(steps), text)
        }
    };
    let is_plain = |text: &&str| {
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_digits && (*text == "0" || !text.starts_with('0'))
    };
    let number = text.filter(is_plain).and_then(|text| text.parse().ok());
    let problem = || FieldError {
        place,
        pointer,
        keyword: "size".into(),
        detail: "a number of items is written in plain digits".into(),
        fix: "write it like `20`".into(),
    };
    number.map(Some).ok_or_else(problem)
}

/// Steps as a JSON pointer.
pub fn pointer(steps: &[Arc<str>]) -> String {
    let escaped = steps
        .iter()
        .map(|step| step.replace('~', "~0").replace('/', "~1"));
    escaped.map(|step| format!("/{step}")).collect()
}

/// The value at some steps; objects only.
pub fn at<'j>(body: &'j Json, steps: &[Arc<str>]) -> Option<&'j Json> {
    let mut steps = steps.iter();
    steps.try_fold(body, |value, step| value.get(step))
}

/// Writes a value at some steps. What stands on the way and is no object gives place to one.
pub fn write(body: &mut Json, steps: &[Arc<str>], value: Json) {
    let Some((first, rest)) = steps.split_first() else {
        *body = value;
        return;
    };
    if !matches!(body, Json::Object(_)) {
        *body = Json::Object(Vec::new());
    }
    if let Json::Object(members) = body {
        match members.iter_mut().find(|(name, _)| **name == **first) {
            Some((_, child)) => write(child, rest, value),
            None => {
                let mut child = Json::Null;
                write(&mut child, rest, value);
                members.push((Text::new(first), child));
            }
        }
    }
}

/// Takes a member out, and the objects that held nothing else.
pub fn remove(body: &mut Json, steps: &[Arc<str>]) {
    let (Some((first, rest)), Json::Object(members)) = (steps.split_first(), body) else {
        return;
    };
    let Some(index) = members.iter().position(|(name, _)| **name == **first) else {
        return;
    };
    let is_over = match members.get_mut(index) {
        Some((_, child)) if !rest.is_empty() => {
            remove(child, rest);
            matches!(child, Json::Null) || matches!(child, Json::Object(left) if left.is_empty())
        }
        _ => true,
    };
    if is_over {
        members.remove(index);
    }
}

/// A body without what it says of the page: what is asked. Empty where nothing else is.
pub fn without_page(pages: &Pages, body: &Json) -> Vec<u8> {
    let mut body = body.clone();
    for place in pages.cursor_sent.iter().chain(&pages.size_sent) {
        if let Some(steps) = place.steps() {
            remove(&mut body, steps);
        }
    }
    let mut out = Vec::new();
    if !matches!(&body, Json::Object(members) if members.is_empty()) {
        model::json::write(&body, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::json::{Bounds, parse};

    fn json(text: &str) -> Json {
        parse(text.as_bytes(), Bounds::default()).unwrap()
    }

    fn text(value: &Json) -> String {
        let mut out = Vec::new();
        model::json::write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn steps(dotted: &str) -> Vec<Arc<str>> {
        dotted.split('.').map(Arc::from).collect()
    }

    fn pages() -> Pages {
        let place = |dotted: &str, is_number| PagePlace::Body {
            steps: steps(dotted),
            is_number,
        };
        let mut pages = Pages::default();
        pages.cursor_sent = Some(place("page.after", false));
        pages.size_sent = Some(place("page.size", true));
        pages
    }

    #[test]
    fn a_page_is_asked_for_in_the_body_and_nothing_else_of_it_changes() {
        for (before, after) in [
            (
                r#"{"owner":"x"}"#,
                r#"{"owner":"x","page":{"size":3,"after":"7"}}"#,
            ),
            (r#"{"page":null}"#, r#"{"page":{"size":3,"after":"7"}}"#),
            (
                r#"{"page":{"after":"1","size":9},"owner":"x"}"#,
                r#"{"page":{"after":"7","size":3},"owner":"x"}"#,
            ),
        ] {
            let asking = Asking {
                query: Vec::new(),
                body: Some(json(before)),
            };
            let paged = asking.paged(&pages(), Some(3), Some("7"));
            assert_eq!(paged.body.as_ref().map(text).as_deref(), Some(after));
            let first = paged.paged(&pages(), None, None).body.unwrap();
            assert!(at(&first, &steps("page.after")).is_none(), "{before}");
        }
        let none = Asking {
            query: Vec::new(),
            body: None,
        };
        let paged = none.paged(&pages(), Some(3), None).body.unwrap();
        assert_eq!(text(&paged), r#"{"page":{"size":3}}"#);
    }

    #[test]
    fn a_question_is_the_body_without_its_page_however_that_is_written() {
        let asked = |body: &str| without_page(&pages(), &json(body));
        let plain = asked(r#"{"owner":"x"}"#);
        for body in [
            r#"{"owner":"x","page":{"size":3,"after":"7"}}"#,
            r#"{"page":{"after":null},"owner":"x"}"#,
            r#"{"page":{"size":1},"owner":"x"}"#,
        ] {
            assert_eq!(asked(body), plain, "{body}");
        }
        assert_eq!(asked(r#"{"page":{"size":3}}"#), b"");
        assert_eq!(asked("{}"), b"");
        for other in [
            r#"{"owner":"y"}"#,
            r#"{"owner":"x","page":{"kind":1}}"#,
            "[]",
        ] {
            assert_ne!(asked(other), plain, "{other}");
        }
    }

    #[test]
    fn a_number_of_items_has_one_spelling() {
        let of = |body: &str| size(&pages(), &[], Some(&json(body)));
        assert_eq!(of(r#"{"page":{"size":20}}"#), Ok(Some(20)));
        assert_eq!(of(r#"{"page":{"size":null}}"#), Ok(None));
        assert_eq!(of("{}"), Ok(None));
        for odd in [
            "1e1",
            "20.0",
            "-1",
            "4294967296",
            "\"007\"",
            "\"\"",
            "[1]",
            "true",
        ] {
            let body = format!(r#"{{"page":{{"size":{odd}}}}}"#);
            let error = of(&body).unwrap_err();
            assert_eq!(
                (error.place, &*error.pointer),
                ("body", "/page/size"),
                "{odd}"
            );
        }
        let mut query = Pages::default();
        query.size_sent = Some(PagePlace::Query("limit".into()));
        for (sent, is_fine) in [
            ("20", true),
            ("0", true),
            ("1e1", false),
            ("+5", false),
            ("05", false),
        ] {
            let pairs = [("limit".to_owned(), sent.to_owned())];
            assert_eq!(size(&query, &pairs, None).is_ok(), is_fine, "{sent}");
        }
    }
}
