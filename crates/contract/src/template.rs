//! Path templates in segments: `/sites/{siteId}/files/{name}.{kind}`.
//! Exports `segments` and matching of mixed segments. Pure.
//! Used by `compile` and `Router`.
//! Start reading at `segments`.

use std::sync::Arc;

/// One segment of a path template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TemplateSegment {
    /// A fixed text.
    Static(Arc<str>),
    /// A whole-segment parameter `{name}`.
    Parameter(Arc<str>),
    /// Parameters between fixed texts, `{a}-{b}` or `{id}.json`. `texts` has one entry more than `names`.
    Mixed {
        /// Fixed texts around the parameters; the first and the last may be empty, the inner ones never.
        texts: Vec<Arc<str>>,
        /// Parameter names in order.
        names: Vec<Arc<str>>,
    },
}

impl TemplateSegment {
    /// The parameters that stand in it.
    pub fn names(&self) -> &[Arc<str>] {
        match self {
            TemplateSegment::Static(_) => &[],
            TemplateSegment::Parameter(name) => std::slice::from_ref(name),
            TemplateSegment::Mixed { names, .. } => names,
        }
    }

    /// The parameters' values in a decoded segment of a path; `None` where it is none of these. Case of fixed texts does not matter.
    pub fn values(&self, text: &str) -> Option<Vec<(Arc<str>, String)>> {
        match self {
            TemplateSegment::Static(fixed) => fixed.eq_ignore_ascii_case(text).then(Vec::new),
            TemplateSegment::Parameter(name) => Some(vec![(name.clone(), text.to_owned())]),
            TemplateSegment::Mixed { texts, names } => {
                let values = match_mixed(texts, text)?;
                Some(names.iter().cloned().zip(values).collect())
            }
        }
    }
}

/// Splits a template.
pub(crate) fn segments(template: &str) -> Result<Vec<TemplateSegment>, String> {
    let Some(rest) = template.strip_prefix('/') else {
        return Err("a path begins with `/`".into());
    };
    if let Some(odd) = template
        .chars()
        .find(|c| matches!(c, '?' | '#' | '\\' | '%'))
    {
        return Err(format!("a path template cannot contain `{odd}`"));
    }
    let pieces: Vec<&str> = rest.split('/').collect();
    let last = pieces.len().saturating_sub(1);
    if pieces.iter().take(last).any(|piece| piece.is_empty()) {
        return Err("a path template cannot contain `//`".into());
    }
    let segments = pieces
        .into_iter()
        .map(segment)
        .collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<&str> = names(&segments).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(format!(
            "the parameter `{}` occurs twice in the template",
            pair.first().copied().unwrap_or_default()
        )),
        None => Ok(segments),
    }
}

/// The parameter names of a template, in order.
pub(crate) fn names(segments: &[TemplateSegment]) -> impl Iterator<Item = &str> {
    segments.iter().flat_map(|segment| match segment {
        TemplateSegment::Static(_) => Vec::new(),
        TemplateSegment::Parameter(name) => vec![&**name],
        TemplateSegment::Mixed { names, .. } => names.iter().map(|n| &**n).collect(),
    })
}

fn segment(piece: &str) -> Result<TemplateSegment, String> {
    if matches!(piece, "." | "..") {
        return Err("a path template cannot contain dot segments".into());
    }
    let (mut texts, mut names): (Vec<Arc<str>>, Vec<Arc<str>>) = (Vec::new(), Vec::new());
    let mut rest = piece;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else {
            return Err(format!("`{piece}` has a `{{` without its `}}`"));
        };
        if name.is_empty() || name.contains('{') || before.contains('}') {
            return Err(format!("`{piece}` has braces that name no parameter"));
        }
        if before.is_empty() && !names.is_empty() {
            return Err(format!(
                "`{piece}` has two parameters with nothing between them; nobody can tell where one ends"
            ));
        }
        texts.push(Arc::from(before));
        names.push(Arc::from(name));
        rest = behind;
    }
    if rest.contains('}') {
        return Err(format!("`{piece}` has a `}}` without its `{{`"));
    }
    if names.is_empty() {
        return Ok(TemplateSegment::Static(Arc::from(piece)));
    }
    texts.push(Arc::from(rest));
    if let ([name], true) = (names.as_slice(), texts.iter().all(|t| t.is_empty())) {
        return Ok(TemplateSegment::Parameter(name.clone()));
    }
    Ok(TemplateSegment::Mixed { texts, names })
}

/// Matches a mixed segment. Between two texts the shortest value wins; a value is never empty.
pub(crate) fn match_mixed(texts: &[Arc<str>], segment: &str) -> Option<Vec<String>> {
    let (first, inner) = texts.split_first()?;
    let (last, between) = inner.split_last()?;
    let mut rest = segment.strip_prefix(&**first)?.strip_suffix(&**last)?;
    let mut values = Vec::with_capacity(inner.len());
    for text in between {
        // From the second byte on, so that the value in front is not empty.
        let skip = rest.chars().next()?.len_utf8();
        let at = rest.get(skip..)?.find(&**text)?.checked_add(skip)?;
        values.push(rest.get(..at)?.to_owned());
        rest = rest.get(at + text.len()..)?;
    }
    if rest.is_empty() {
        return None;
    }
    values.push(rest.to_owned());
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_split_or_explained() {
        assert_eq!(segments("/a/{b}/c").unwrap().len(), 3);
        assert_eq!(segments("/a/").unwrap().len(), 2);
        for odd in [
            "a", "/a//b", "/{a", "/a}", "/{}", "/{a}{b}", "/{a}/{a}", "/a?b", "/..",
        ] {
            assert!(segments(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn mixed_segments_match_by_their_texts() {
        let parsed = segments("/v{a}-{b}.json").unwrap();
        let [TemplateSegment::Mixed { texts, names }] = parsed.as_slice() else {
            panic!("not mixed");
        };
        assert_eq!(names.len(), 2);
        assert_eq!(match_mixed(texts, "v1-2-3.json").unwrap(), ["1", "2-3"]);
        for odd in [
            "v-2.json", "v1-.json", "v1.json", "1-2.json", "v1-2", "v.json",
        ] {
            assert_eq!(match_mixed(texts, odd), None, "{odd}");
        }
    }
}
