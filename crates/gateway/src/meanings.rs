//! What the status of an upstream's answer means for the caller: passed on, explained by us, or a fault.
//! Exports `meaning`, `Meaning` and `ROWS`, the table of the manual. Pure.
//! Used by stage `response`, and by `cargo xtask gen` for `docs/upstream-answers.md`.
//! Start reading at `meaning`.

use model::{Method, Reason};
use policy::Concealment;

use crate::reasons::{BUSY, DENIED, FAILED, OUTCOME_UNKNOWN, REJECTED};

/// What an answer means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The upstream did what was asked: its status, and what the grants let out of the body.
    Done,
    /// The upstream says that there is nothing in the list: as one of which the caller may see nothing.
    Empty,
    /// The answer is only a part of what was asked for, and nobody asked for a part.
    Part,
    /// The caller's copy is still good (RFC 9110 §15.4.5).
    Unchanged,
    /// The upstream's own status, with the granted fields of its declared error body. With none of them: our problem
    /// document for this reason, with `status` or the reason's own.
    Passed {
        /// The reason of our document.
        reason: &'static Reason,
        /// Its status.
        status: u16,
        /// `default` does not count as a declaration.
        needs_own: bool,
    },
    /// Our problem document, whatever the contract and the grants say.
    Ours(&'static Reason),
}

/// What an answer is judged by, besides its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Method that was sent.
    pub method: Method,
    /// The operation changes nothing, whatever its method is.
    pub is_read: bool,
    /// The caller's condition on its copy was sent along.
    pub is_conditional: bool,
    /// What the grants hide from this caller.
    pub concealment: Concealment,
    /// The request names one object.
    pub names_object: bool,
    /// The contract declares 403 itself: then it is about the request, and not about the gateway's own call.
    pub declares_403: bool,
}

impl Asked {
    /// Whether it may be sent again without knowing what became of it (RFC 9110 §9.2.2).
    pub fn may_repeat(&self) -> bool {
        may_repeat(self.method, self.is_read)
    }
}

/// Whether a call may be sent again without knowing what became of it (RFC 9110 §9.2.2).
pub const fn may_repeat(method: Method, is_read: bool) -> bool {
    is_read || method.is_idempotent()
}

/// Whether a look-up that was answered with this status leaves open what the object is. Told apart from a 404, it would say
/// that the object exists. A 403 that is not declared is told as a failure where the grants hide nothing anyhow.
pub fn leaves_the_object_open(status: u16, declares_403: bool, concealment: Concealment) -> bool {
    let look_up = Asked {
        method: Method::Get,
        is_read: true,
        is_conditional: false,
        concealment: Concealment::Everything,
        names_object: true,
        declares_403,
    };
    let is_about_call = matches!(status, 400..=499) && (status != 403 || declares_403);
    let is_open = is_about_call || concealment != Concealment::Nothing;
    let meaning = meaning(status, &look_up);
    is_open && matches!(meaning, Meaning::Ours(reason) if reason == &policy::ABSENT)
}

/// Whether a status is about what a list is a list of, and not about the question or the server: forbidden, not there, in the way of
/// something, gone, locked, withheld by law (RFC 9110 §15.5.4, §15.5.5, §15.5.10, §15.5.11; RFC 4918 §11.3; RFC 7725 §3).
const fn is_about_members(status: u16) -> bool {
    matches!(status, 403 | 404 | 409 | 410 | 423 | 451)
}

/// What a status means.
pub fn meaning(status: u16, asked: &Asked) -> Meaning {
    let passed = |reason, status, needs_own| Meaning::Passed {
        reason,
        status,
        needs_own,
    };
    let failed = if asked.may_repeat() {
        &FAILED
    } else {
        &OUTCOME_UNKNOWN
    };
    let is_hidden = match asked.concealment {
        Concealment::Nothing | Concealment::Members => false,
        Concealment::Absence => matches!(status, 404 | 410),
        Concealment::Everything => matches!(status, 400..=499),
    };
    match status {
        206 | 226 => Meaning::Part,
        200..=299 => Meaning::Done,
        _ if asked.concealment == Concealment::Members && is_about_members(status) => {
            Meaning::Empty
        }
        304 if asked.is_conditional && asked.is_read => Meaning::Unchanged,
        ..=399 => Meaning::Ours(failed),
        401 | 407 | 511 => Meaning::Ours(&DENIED),
        403 if !asked.declares_403 && !is_hidden => Meaning::Ours(&DENIED),
        // The call was not carried out, and what is wrong with it is the gateway's own doing.
        408 | 421 | 425 | 426 => Meaning::Ours(&FAILED),
        429 => passed(&BUSY, 429, false),
        503 => passed(&BUSY, 503, true),
        400..=499 if is_hidden => Meaning::Ours(&policy::ABSENT),
        404 if asked.names_object => passed(&policy::ABSENT, 404, false),
        400..=499 => passed(&REJECTED, status, false),
        _ => passed(failed, 502, true),
    }
}

/// One line of the table in the manual.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Statuses as the page shows them.
    pub shown: &'static str,
    /// The statuses.
    pub statuses: &'static [std::ops::RangeInclusive<u16>],
    /// What the caller gets.
    pub caller: &'static str,
}

const fn row(
    shown: &'static str,
    statuses: &'static [std::ops::RangeInclusive<u16>],
    caller: &'static str,
) -> Row {
    Row {
        shown,
        statuses,
        caller,
    }
}

/// Every status an upstream can answer with. The first line that has a status is the one that holds.
pub const ROWS: &[Row] = &[
    row(
        "100–199",
        &[100..=199],
        "Read over, up to eight of them; 101 (another protocol) ends the call: `upstream.protocol`, or `upstream.outcome_unknown` for POST and PATCH.",
    ),
    row(
        "206, 226",
        &[206..=206, 226..=226],
        "A part, which nobody asked for (`Range` is not sent). A read: 502 `response.contract`. A write: 200 without a body, because it was carried out.",
    ),
    row(
        "other 2xx",
        &[200..=299],
        "The status, and of a JSON body (but for 205, which has none) the granted fields, or a granted text (`$`) or file (`$file`). A body that cannot be shown (another media type, broken, against the contract while `checks.response` is `enforce`, \
         an object the caller may not see, a leak to block): a read gets 502 `response.contract`, `response.leak` or the refusal of the object; \
         **a write gets the status and no body**, and the record says `the body was withheld` and why.",
    ),
    row(
        "304",
        &[304..=304],
        "304 without a body, where the caller's `If-None-Match` was sent along; otherwise as the other redirects.",
    ),
    row(
        "other 3xx",
        &[300..=399],
        "Refused: no redirect is followed or passed on. 502 `upstream.failed`; after a POST or PATCH, which may have been carried out, 502 `upstream.outcome_unknown`.",
    ),
    row(
        "401, 407, 511",
        &[401..=401, 407..=407, 511..=511],
        "502 `upstream.denied`, also where the contract declares them: the upstream does not accept the gateway's own call, and that is for the operator to fix.",
    ),
    row(
        "403 where the operation does not declare it",
        &[403..=403],
        "502 `upstream.denied`, as above. Where the grant conceals it may as well be about what is hidden: 404 `object.absent` on a read that answers with one object that \
         the caller is not known to see, 200 and the empty list on a list. The record has the 403. A 403 that the operation declares by its number is about the request, as 409.",
    ),
    row(
        "408, 421, 425, 426",
        &[408..=408, 421..=421, 425..=426],
        "502 `upstream.failed`: what is wrong is the gateway's call and not the caller's, and nothing was carried out.",
    ),
    row(
        "429",
        &[429..=429],
        "429 with `Retry-After` (seconds, at most 86400), with granted error fields or as `upstream.busy`.",
    ),
    row(
        "503",
        &[503..=503],
        "503 with `Retry-After` (seconds, at most 86400), with granted error fields where 503 or 5XX itself is declared, or as `upstream.busy`.",
    ),
    row(
        "404, 410",
        &[404..=404, 410..=410],
        "Where the grant conceals (`deny_as: not_found`, with objects that are judged): 404 `object.absent`, byte for byte what a hidden object reads, whatever `errors` grants; \
         on a list, 200 and the empty list, as where all of its objects are hidden. \
         Otherwise the status with granted error fields, or `object.absent` (404 on one object), or `upstream.rejected`.",
    ),
    row(
        "409, 423, 451",
        &[409..=409, 423..=423, 451..=451],
        "As the other 4xx. On a list from which objects may be left out, where the grant conceals: 200 and the empty list.",
    ),
    row(
        "other 4xx",
        &[400..=499],
        "The status, with granted error fields or as `upstream.rejected`. On a read that answers with one object that the caller is not known to see, where the grant conceals: 404 `object.absent`, \
         because any of them may be how this upstream says that there is none.",
    ),
    row(
        "other 5xx",
        &[500..=599],
        "Where the contract declares this status or 5XX (not `default`) and error fields are granted: the status with them. Otherwise 502 `upstream.failed`; \
         after a POST or PATCH 502 `upstream.outcome_unknown`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_tells_absent_from_broken_and_from_nothing_else() {
        let open = |concealment| -> Vec<u16> {
            let all = 100..600;
            all.filter(|s| leaves_the_object_open(*s, false, concealment))
                .collect()
        };
        let (told, concealed) = (open(Concealment::Nothing), open(Concealment::Absence));
        assert!([400, 404, 409, 410, 422].iter().all(|s| told.contains(s)));
        assert!(told.iter().all(|s| concealed.contains(s)));
        // Where something is hidden, this may be how the upstream says it.
        assert!(!told.contains(&403) && concealed.contains(&403));
        let ours = [200, 304, 401, 407, 408, 421, 425, 426, 429, 500, 502, 503];
        assert!(!ours.iter().any(|s| concealed.contains(s)));
        assert!(leaves_the_object_open(403, true, Concealment::Nothing));
    }

    fn asked(method: Method) -> Asked {
        Asked {
            method,
            is_read: method.is_safe(),
            is_conditional: false,
            concealment: Concealment::Nothing,
            names_object: true,
            declares_403: false,
        }
    }

    fn row_of(status: u16) -> &'static str {
        let holds = |row: &&Row| row.statuses.iter().any(|range| range.contains(&status));
        ROWS.iter().find(holds).map(|row| row.shown).unwrap()
    }

    /// Statuses of one line mean the same, so that the page cannot say less than the code does.
    #[test]
    fn every_line_of_the_table_is_one_meaning() {
        for method in Method::ALL {
            for concealment in [
                Concealment::Nothing,
                Concealment::Absence,
                Concealment::Members,
                Concealment::Everything,
            ] {
                let asked = Asked {
                    concealment,
                    ..asked(method)
                };
                let mut known: Vec<(&str, String)> = Vec::new();
                for status in 200..600 {
                    let found = match meaning(status, &asked) {
                        Meaning::Passed {
                            reason, needs_own, ..
                        } if reason != &policy::ABSENT => {
                            format!("passed {} {needs_own}", reason.code)
                        }
                        // 404 and 410 share a line that tells them apart.
                        Meaning::Passed { .. } => "passed upstream.rejected false".to_owned(),
                        other => format!("{other:?}"),
                    };
                    let row = row_of(status);
                    match known.iter().find(|(name, _)| *name == row) {
                        Some((_, first)) => assert_eq!(&found, first, "{method} {status} in {row}"),
                        None => known.push((row, found)),
                    }
                }
                assert_eq!(
                    known.len(),
                    ROWS.len() - 1,
                    "every line but that of interim answers"
                );
            }
        }
    }

    #[test]
    fn nobody_is_asked_to_repeat_what_may_have_been_done() {
        for status in 200..600 {
            for method in [Method::Post, Method::Patch] {
                let reason = match meaning(status, &asked(method)) {
                    Meaning::Passed { reason, .. } | Meaning::Ours(reason) => reason,
                    _ => continue,
                };
                let is_certain = matches!(status, 408 | 421 | 425 | 426);
                assert!(
                    is_certain || !reason.remedy.contains("Try again"),
                    "{method} {status}: {}",
                    reason.remedy
                );
            }
        }
    }

    #[test]
    fn an_absent_object_reads_like_a_hidden_one_where_the_grant_conceals() {
        for method in Method::ALL {
            for concealment in [Concealment::Absence, Concealment::Everything] {
                let asked = Asked {
                    concealment,
                    ..asked(method)
                };
                for status in [404, 410] {
                    assert_eq!(meaning(status, &asked), Meaning::Ours(&policy::ABSENT));
                }
            }
        }
        let everything = Asked {
            concealment: Concealment::Everything,
            ..asked(Method::Get)
        };
        assert_eq!(meaning(409, &everything), Meaning::Ours(&policy::ABSENT));
        let members = Asked {
            concealment: Concealment::Members,
            ..asked(Method::Get)
        };
        let empty = [403, 404, 409, 410, 423, 451];
        assert!(
            empty
                .iter()
                .all(|s| meaning(*s, &members) == Meaning::Empty)
        );
        let failed = meaning(500, &members);
        assert!(matches!(failed, Meaning::Passed { reason, .. } if reason == &FAILED));
        assert_eq!(meaning(403, &everything), Meaning::Ours(&policy::ABSENT));
        assert!(matches!(
            meaning(422, &members),
            Meaning::Passed { status: 422, .. }
        ));
        let shown = meaning(409, &asked(Method::Get));
        assert!(matches!(shown, Meaning::Passed { status: 409, .. }));
    }
}
