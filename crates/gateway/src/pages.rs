//! Pages filled again: where objects are left out of a list, the gateway goes on to the upstream's next pages until the
//! page it gives is full, so that neither its length nor its cursor tells of objects the caller may not see.
//! Exports `Gather` (one page in the making) and `withhold`. Pure: the calls are made by stage `pages`.
//! Used by stage `pages`.
//! Start reading at `Gather::take`; why it is done is in docs/decisions/010.

use std::sync::Arc;

use model::{Json, PageField, Text};
use policy::Pages;

use crate::asking::Asking;
use crate::cursor::Resume;

/// Most pages of the upstream for one page of ours.
pub const CALLS_MAX: usize = 16;
/// Items asked for at once while a page is filled.
const BATCH: u32 = 100;

/// One page in the making.
#[derive(Debug)]
pub struct Gather<'p> {
    pages: &'p Pages,
    /// Objects the caller gets at most; until it is known, as many as the upstream's first page has items.
    limit: Option<usize>,
    /// Where the upstream's present page begins.
    here: Option<String>,
    /// Items still to pass over.
    skip: usize,
    shown: usize,
    calls: usize,
    /// Objects the caller may not see.
    left_out: u32,
    items: Vec<Json>,
    envelope: Option<Json>,
}

/// What is to be done after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the upstream for the page that begins here.
    More(String),
    /// The page is full, and another object follows there.
    Full(Resume),
    /// Nothing follows that the caller may see.
    End,
}

impl<'p> Gather<'p> {
    /// Begins with what the caller asks for: so many items, from there.
    pub fn new(pages: &'p Pages, size: Option<u32>, resume: &Resume) -> Gather<'p> {
        let limit = size.or(pages.usual).filter(|_| pages.size_sent.is_some());
        Gather {
            pages,
            limit: limit.and_then(|limit| usize::try_from(limit).ok()),
            here: resume.cursor.clone(),
            skip: usize::try_from(resume.skip).unwrap_or(usize::MAX),
            shown: 0,
            calls: 0,
            left_out: 0,
            items: Vec::new(),
            envelope: None,
        }
    }

    /// The request for the upstream's next page.
    pub fn asked(&self, asked: &Asking) -> Asking {
        asked.paged(self.pages, self.size(), self.here.as_deref())
    }

    /// Items to ask for: at first one more than wanted, which mostly answers at once whether another object follows.
    fn size(&self) -> Option<u32> {
        let limit = u32::try_from(self.limit?).ok()?;
        let max = self.pages.max.unwrap_or(BATCH).max(1);
        let skip = u32::try_from(self.skip).unwrap_or(u32::MAX);
        let wanted = limit.saturating_add(1).saturating_add(skip);
        let batch = if self.calls == 0 { 0 } else { BATCH };
        let size = wanted.min(BATCH.max(limit)).max(batch).max(limit);
        Some(size.min(max).max(1))
    }

    /// Takes the objects of one page of the upstream.
    pub fn take(&mut self, mut page: Json, shows: impl Fn(&Json) -> bool) -> Step {
        self.calls = self.calls.saturating_add(1);
        let list = self.pages.list.as_deref().unwrap_or_default();
        let items = match at(&mut page, list) {
            Some(Json::List(items)) => std::mem::take(items),
            _ => Vec::new(),
        };
        let field = self.pages.cursor.as_deref().unwrap_or_default();
        let next = at(&mut page, field).and_then(|value| cursor_of(value));
        let next = next.filter(|next| Some(next) != self.here.as_ref());
        if self.limit.is_none() && next.is_some() {
            self.limit = Some(items.len());
        }
        self.envelope = Some(match self.envelope.take() {
            // What stands beside the first page stays; how an end is written is taken from the last one.
            Some(mut first) => {
                if let (Some(to), Some(from)) = (at(&mut first, field), at(&mut page, field)) {
                    *to = from.clone();
                } else if at(&mut page, field).is_none() {
                    remove(&mut first, field);
                }
                first
            }
            None => page,
        });
        for (index, item) in items.into_iter().enumerate() {
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            if shows(&item) {
                if Some(self.shown) == self.limit {
                    return Step::Full(Resume {
                        cursor: self.here.clone(),
                        skip: u32::try_from(index).unwrap_or(u32::MAX),
                    });
                }
                self.shown = self.shown.saturating_add(1);
                self.items.push(item);
            } else {
                self.left_out = self.left_out.saturating_add(1);
            }
        }
        match next {
            None => Step::End,
            Some(cursor) => {
                self.here = Some(cursor.clone());
                Step::More(cursor)
            }
        }
    }

    /// Whether no more pages may be asked for.
    pub fn is_spent(&self) -> bool {
        self.calls >= CALLS_MAX
    }

    /// Objects of the gathered pages that the caller may not see.
    pub fn left_out(&self) -> u32 {
        self.left_out
    }

    /// The answer: the gathered items, and beside them only what tells nothing of others. `next` is the sealed cursor.
    pub fn finish(self, next: Option<String>) -> Json {
        let mut out = self.envelope.unwrap_or(Json::Null);
        let list = self.pages.list.as_deref().unwrap_or_default();
        // The first page may have had none to put them in.
        put(&mut out, list, Json::List(self.items));
        let field = self.pages.cursor.as_deref().unwrap_or_default();
        let ended = at(&mut out, field).filter(|value| is_end(value));
        let kept = match (next, ended) {
            (Some(next), _) => Some(Json::Text(next.into())),
            (None, Some(ended)) => Some(ended.clone()),
            (None, None) => None,
        };
        withhold(&mut out, self.pages);
        if let Some(kept) = kept {
            put(&mut out, field, kept);
        }
        out
    }
}

/// The upstream's cursor in a field; none at the end, and none where it is an address: that would have to be written
/// anew.
pub fn cursor_of(value: &Json) -> Option<String> {
    match value {
        Json::Text(text) if text.is_empty() || is_address(text) => None,
        Json::Text(text) => Some(text.to_string()),
        Json::Number(digits) => Some(digits.to_string()),
        _ => None,
    }
}

/// How an upstream writes that no page follows.
fn is_end(value: &Json) -> bool {
    matches!(value, Json::Null) || value.as_text() == Some("")
}

fn is_address(text: &str) -> bool {
    text.contains("://") || text.starts_with('?') || (text.starts_with('/') && text.contains('?'))
}

/// Seals the cursor of an answer from which nothing is left out. An address is taken out.
pub fn seal(response: &mut Json, pages: &Pages, seal: impl Fn(&Resume) -> Option<String>) {
    for (steps, _) in pages
        .beside
        .iter()
        .filter(|(_, field)| *field == Some(PageField::Cursor))
    {
        let Some(place) = at(response, steps) else {
            continue;
        };
        let is_over = is_end(place);
        let sealed = cursor_of(place).and_then(|cursor| {
            seal(&Resume {
                cursor: Some(cursor),
                skip: 0,
            })
        });
        match sealed {
            Some(sealed) => *place = Json::Text(sealed.into()),
            None if is_over => {}
            None => remove(response, steps),
        }
    }
}

/// Takes the objects out that the caller may not see, so that a list of hidden ones reads like an empty one. Their number.
pub fn leave_out(response: &mut Json, pages: &Pages, shows: impl Fn(&Json) -> bool) -> u32 {
    let list = pages.list.as_deref().and_then(|steps| at(response, steps));
    let Some(Json::List(items)) = list else {
        return 0;
    };
    let before = items.len();
    items.retain(shows);
    u32::try_from(before.saturating_sub(items.len())).unwrap_or(u32::MAX)
}

/// Takes out whatever stands beside the list and may tell of objects that were left out: everything but what is declared
/// to tell nothing.
pub fn withhold(response: &mut Json, pages: &Pages) {
    for (steps, field) in &pages.beside {
        if *field != Some(PageField::Plain) {
            remove(response, steps);
        }
    }
}

/// Takes out counts and whatever is undeclared beside the list; cursors stay. For lists that a fixed value narrows: whether the
/// upstream counted within it cannot be seen.
pub fn withhold_counts(response: &mut Json, pages: &Pages) {
    for (steps, field) in &pages.beside {
        if matches!(field, None | Some(PageField::Count)) {
            remove(response, steps);
        }
    }
}

/// The value at some steps; objects only.
pub fn at<'j>(value: &'j mut Json, steps: &[Arc<str>]) -> Option<&'j mut Json> {
    let mut here = value;
    for step in steps {
        let Json::Object(members) = here else {
            return None;
        };
        let (_, child) = members.iter_mut().find(|(key, _)| **key == **step)?;
        here = child;
    }
    Some(here)
}

fn remove(value: &mut Json, steps: &[Arc<str>]) {
    if let Some((last, parents)) = steps.split_last()
        && let Some(Json::Object(members)) = at(value, parents)
    {
        members.retain(|(key, _)| **key != **last);
    }
}

/// Sets the value at some steps; what is not there on the way is made.
fn put(value: &mut Json, steps: &[Arc<str>], what: Json) {
    let mut here = value;
    for step in steps {
        if !matches!(here, Json::Object(_)) {
            *here = Json::Object(Vec::new());
        }
        let Json::Object(members) = here else { return };
        if !members.iter().any(|(key, _)| **key == **step) {
            members.push((Text::new(step), Json::Null));
        }
        let Some((_, below)) = members.iter_mut().find(|(key, _)| **key == **step) else {
            return;
        };
        here = below;
    }
    *here = what;
}
