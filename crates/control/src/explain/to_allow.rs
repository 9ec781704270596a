//! What would have allowed a refused request: the file, the line, and what to write there, or that nothing should.
//! Exports `advice`.
//! Used by `Explanation::of`.
//! Start reading at `advice`. A grant is advised only where a grant decides; every other code has its own remedy.

use model::{Cause, Event};
use policy::Nearness;
use policy::block::shell_quoted;

use super::question::{Near, Reached};
use super::remedy::{Advice, By, NOT_GRANTED, of_code};

/// What is known beside the record.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What was nearest to a yes.
    pub nearest: &'a [Near],
    /// Places of the grants that cover the operation today.
    pub grants: &'a [String],
    /// Where the path leads today.
    pub reached: Option<&'a Reached>,
    /// Why parameters may not be used: sentence and place.
    pub parameters: &'a [String],
    /// An exclusion is proposed below.
    pub has_exclusion: bool,
}

/// What to change where; `None` for what was not refused and lost nothing.
pub fn advice(event: &Event, known: Known<'_>) -> Option<Advice> {
    let code = event.code.as_deref()?;
    let closer = match code {
        "limit.blocked" => lifted(event),
        "limit.exceeded" => raised(event),
        "authn.integration_paused" => resumed(event),
        "authn.address_not_allowed" => admitted(event),
        "route.not_found" => known.reached.map(Reached::advice),
        "authz.operation_not_granted" => granted(event, known.nearest),
        "authz.condition_failed" => on_request(event, known),
        "authz.parameter_not_granted" => usable(known.parameters),
        "authz.value_fixed" => Some(not_fixed(known.grants)),
        "validate.body" => writable(event, known.grants),
        "object.denied" | "object.create_denied" => Some(on_object(event, known)),
        "object.absent" => absent(event),
        code if code.starts_with("inspect.") && known.has_exclusion => Some(excluded()),
        _ => None,
    };
    closer.or_else(|| of_code(code))
}

/// Why it was refused, where the record says so in a word that this program knows.
fn cause(event: &Event) -> Option<Cause> {
    event.cause.as_ref().and_then(|cause| cause.known())
}

fn excluded() -> Advice {
    Advice::new(
        By::Configuration,
        "no grant decides this. If the text is meant as it stands, narrow the schema of the field in the contract, or use the exclusion below",
    )
}

/// Whom the block keeps out, as the record of a refusal by it says.
fn lifted(event: &Event) -> Option<Advice> {
    let subject = &event.blocked.as_ref()?.subject;
    let text = format!(
        "wait until then, or run `portcullis block lift {}` once what led to it is fixed; no grant decides this",
        shell_quoted(subject)
    );
    Some(Advice::new(By::Operator, text))
}

fn raised(event: &Event) -> Option<Advice> {
    let text = match event.integration.as_deref() {
        Some(who) => format!(
            "no grant decides this: the caller waits as long as it was told, or `rate` or `burst` below `limits` of integrations/{who}.yaml is raised \
             (for a limit per address, `address_limit` of the listener)"
        ),
        None => "no grant decides this: the caller waits as long as it was told, or `address_limit` of the listener is raised in portcullis.yaml"
            .to_owned(),
    };
    Some(Advice::new(By::Configuration, text))
}

fn resumed(event: &Event) -> Option<Advice> {
    let text = format!(
        "no grant decides this: `portcullis integration resume {}` ends the pause",
        shell_quoted(event.integration.as_deref()?)
    );
    Some(Advice::new(By::Operator, text))
}

fn admitted(event: &Event) -> Option<Advice> {
    let (who, address) = (event.integration.as_deref()?, event.address.as_deref()?);
    let text = format!(
        "no grant decides this: add `{address}` to `allow_from` of integrations/{who}.yaml if it is meant to call from there; this widens its access"
    );
    Some(Advice::new(By::Configuration, text))
}

/// The operation is granted nowhere.
fn granted(event: &Event, nearest: &[Near]) -> Option<Advice> {
    let who = event.integration.as_deref()?;
    let (operation, api) = (event.operation.as_deref()?, event.api.as_deref()?);
    let own = format!(
        "`- {{ api: {api}, operations: [{operation}] }}` to `grants` of integrations/{who}.yaml, with the `fields` it may see, the `writes` it may \
         send and the `when` under which"
    );
    let same_kind = nearest
        .iter()
        .find(|near| near.nearness == Nearness::SameKind);
    let text = match same_kind.map(|near| &near.place) {
        Some(place) if place.starts_with("roles/") => format!(
            "add {own}; or, where its `fields` and `when` fit the operation too, add `{operation}` to `operations` at {place}, for everybody with this \
             role. This widens access"
        ),
        Some(place) => format!(
            "add {own}; or, where its `fields` and `when` fit the operation too, add `{operation}` to `operations` at {place}. This widens its access"
        ),
        None => format!("add {own}. This widens its access"),
    };
    Some(Advice::new(By::Grant, text))
}

/// The operation is granted, for other requests.
fn on_request(event: &Event, known: Known<'_>) -> Option<Advice> {
    match cause(event) {
        Some(Cause::Policy) => forbidden(event, "requests"),
        _ => Some(widened(event, known, "this request")),
    }
}

/// A policy has refused.
fn forbidden(event: &Event, what: &str) -> Option<Advice> {
    let rule = event.rule.as_ref()?;
    let text = format!("except such {what} from the policy at {rule}; no grant outweighs it");
    Some(Advice::new(By::Policy, text))
}

fn widened(event: &Event, known: Known<'_>, what: &str) -> Advice {
    let unmet = known.nearest.iter();
    let mut places: Vec<&str> = unmet
        .filter(|near| matches!(near.nearness, Nearness::Unmet | Nearness::NotEvaluated))
        .map(|near| &*near.place)
        .collect();
    places.dedup();
    if places.is_empty() {
        places = known.grants.iter().map(String::as_str).collect();
    }
    let who = event.integration.as_deref().unwrap_or("NAME");
    let operation = event.operation.as_deref().unwrap_or("OPERATION");
    let add =
        format!("add a grant of `{operation}` with another `when` to integrations/{who}.yaml");
    let text = match places.as_slice() {
        [] => format!("{add}; this widens its access"),
        places => format!(
            "widen `when` at {} so that it holds for {what}, or {add}; this widens its access",
            places.join(" or ")
        ),
    };
    Advice::new(By::Grant, text)
}

/// The operation is granted, on other objects.
fn on_object(event: &Event, known: Known<'_>) -> Advice {
    let who = event.integration.as_deref().unwrap_or("the integration");
    let operation = event.operation.as_deref().unwrap_or("the operation");
    match cause(event) {
        Some(Cause::Policy) => forbidden(event, "objects")
            .unwrap_or_else(|| Advice::new(By::Policy, "a policy forbids it")),
        Some(Cause::Condition) => widened(event, known, "this object"),
        Some(Cause::ParentCondition) => widened(event, known, "the object that the path names"),
        Some(Cause::Reference) => Advice::new(
            By::Grant,
            format!(
                "the caller leaves the object out that the request names, or a grant in integrations/{who}.yaml lets it read that object: one of an \
                 operation that reads its kind, with a `when` that holds for it; this widens its access"
            ),
        ),
        Some(Cause::Writes) => Advice::new(
            By::Grant,
            format!(
                "the caller leaves the field out, or `writes` of a grant of `{operation}` whose `when` holds for this object names it{}; this widens \
                 its access",
                at(known.grants)
            ),
        ),
        _ => Advice::new(
            By::Configuration,
            "no condition can allow it: what it asks for was not there to be evaluated, as said above. The contract, the object's `resolve` or the \
             upstream has to show the object",
        ),
    }
}

fn absent(event: &Event) -> Option<Advice> {
    if cause(event) == Some(Cause::AmbiguousPath) {
        return Some(Advice::new(
            By::Nothing,
            "nothing should allow it: with such an id an upstream could read the path of another operation",
        ));
    }
    // An upstream that does not know the object says so with one of these, and there is nothing to allow.
    let is_odd = |status: &u16| ![404, 410].contains(status);
    let said = match (event.lookup_status.filter(is_odd), event.upstream_status) {
        (Some(status), _) => format!("{status} when the object was looked up"),
        (None, Some(status @ 400..)) if is_odd(&status) => {
            format!("{status}, which reads as an absent object where the grant conceals")
        }
        _ => return None,
    };
    Some(Advice::new(
        By::Upstream,
        format!("no grant decides this: the upstream answered {said}"),
    ))
}

fn usable(parameters: &[String]) -> Option<Advice> {
    if parameters.is_empty() {
        return None;
    }
    let text = format!(
        "the caller leaves the parameter out, or the grants let it be used: {}. Grant in full what it asks about, say in the overlay what that is \
         (`x-portcullis-filters`), list it under `query`, or fix it with `set`; this widens its access",
        parameters.join("; ")
    );
    Some(Advice::new(By::Grant, text))
}

fn not_fixed(grants: &[String]) -> Advice {
    let text = format!(
        "the caller leaves the value out, and the gateway writes it; another value needs another `set` of the grant{}",
        at(grants)
    );
    Advice::new(By::Caller, text)
}

/// Fields of the body that were sent and not granted.
fn writable(event: &Event, grants: &[String]) -> Option<Advice> {
    let fields = ungranted(event);
    if fields.is_empty() {
        return None;
    }
    let operation = event.operation.as_deref()?;
    let text = format!(
        "add {} to `writes` of the grant of `{operation}`{}; this widens its access",
        fields.join(", "),
        at(grants)
    );
    // Other things are wrong with the body as well, and no grant fixes those.
    let also = if fields_are_all(event) {
        ""
    } else {
        ". The other errors are the caller's to correct"
    };
    Some(Advice::new(By::Grant, format!("{text}{also}")))
}

/// Whether nothing but rights is wrong with the body.
fn fields_are_all(event: &Event) -> bool {
    let mut errors = event.errors.iter();
    errors.all(|error| error.keyword == NOT_GRANTED)
}

/// Fields of the body that were sent and not granted, as field paths: `lines.*.price`.
fn ungranted(event: &Event) -> Vec<String> {
    let errors = event.errors.iter();
    let ungranted = errors.filter(|one| one.place == "body" && one.keyword == NOT_GRANTED);
    let mut fields: Vec<String> = ungranted.map(|one| path_of(&one.pointer)).collect();
    fields.sort();
    fields.dedup();
    fields
}

fn path_of(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).map(|step| {
        let is_index = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
        if is_index { "*" } else { step }
    });
    format!("`{}`", steps.collect::<Vec<_>>().join("."))
}

fn at(grants: &[String]) -> String {
    match grants {
        [] => String::new(),
        places => format!(" at {}", places.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use model::event::{Blocked, ErrorAt};
    use model::{RuleRef, Timestamp, Word};

    use super::*;

    fn event(code: &'static str, errors: &[&str]) -> Event {
        Event {
            integration: Some("crm".into()),
            operation: Some("getSite".into()),
            api: Some("field-service/v2".into()),
            code: Some(code.into()),
            errors: errors.iter().map(|line| error(line)).collect(),
            ..Event::default()
        }
    }

    /// `body /owner notGranted`
    fn error(line: &str) -> ErrorAt {
        let mut parts = line.split(' ').map(Into::into);
        let mut next = || parts.next().unwrap();
        ErrorAt {
            place: next(),
            pointer: next(),
            keyword: next(),
        }
    }

    fn advised(event: &Event, nearest: &[(&str, Nearness)]) -> Advice {
        let near = |(place, nearness): &(&str, Nearness)| Near {
            place: (*place).to_owned(),
            nearness: *nearness,
            text: String::new(),
        };
        let nearest: Vec<Near> = nearest.iter().map(near).collect();
        let known = Known {
            nearest: &nearest,
            grants: &["integrations/crm.yaml:7".to_owned()],
            reached: None,
            parameters: &[],
            has_exclusion: false,
        };
        advice(event, known).unwrap()
    }

    fn refused(code: &'static str, (file, line): (&str, u32), cause: Option<Cause>) -> Event {
        Event {
            rule: Some(RuleRef {
                file: file.into(),
                line,
            }),
            cause: cause.map(Into::into),
            ..event(code, &[])
        }
    }

    #[test]
    fn the_nearest_grant_is_named_with_its_line() {
        let refused = event("authz.operation_not_granted", &[]);
        let own = advised(
            &refused,
            &[("integrations/crm.yaml:31", Nearness::SameKind)],
        );
        assert!(
            own.text
                .contains("add `getSite` to `operations` at integrations/crm.yaml:31"),
            "{own:?}"
        );
        let role = advised(&refused, &[("roles/partner.yaml:3", Nearness::SameKind)]);
        assert!(role.text.contains("everybody with this role"), "{role:?}");
        let none = advised(&refused, &[]);
        assert!(
            none.text.contains(
                "`- { api: field-service/v2, operations: [getSite] }` to `grants` of integrations/crm.yaml"
            ),
            "{none:?}"
        );
        assert_eq!(none.by, By::Grant);
    }

    #[test]
    fn a_condition_a_policy_a_reference_and_a_field_have_remedies_of_their_own() {
        let at_9 = [("integrations/crm.yaml:9", Nearness::Unmet)];
        let grant = ("integrations/crm.yaml", 9);
        for (rule, cause, by, words) in [
            (
                grant,
                Some(Cause::Condition),
                By::Grant,
                "widen `when` at integrations/crm.yaml:9",
            ),
            (
                ("policies/cancelled.cedar", 2),
                Some(Cause::Policy),
                By::Policy,
                "from the policy at policies/cancelled.cedar:2; no grant outweighs it",
            ),
            (
                grant,
                Some(Cause::Reference),
                By::Grant,
                "lets it read that object",
            ),
            (
                grant,
                Some(Cause::Writes),
                By::Grant,
                "`writes` of a grant of `getSite` whose `when` holds",
            ),
            (grant, None, By::Configuration, "no condition can allow it"),
        ] {
            let advice = advised(&refused("object.denied", rule, cause), &at_9);
            assert_eq!(advice.by, by, "{cause:?}: {advice:?}");
            assert!(advice.text.contains(words), "{cause:?}: {advice:?}");
        }
    }

    #[test]
    fn a_word_of_a_newer_program_leads_to_no_advice_that_widens_access() {
        let mut event = refused("object.denied", ("integrations/crm.yaml", 9), None);
        event.cause = Some(Word::new("geofence"));
        assert_eq!(advised(&event, &[]).by, By::Configuration);
    }

    #[test]
    fn fields_that_may_not_be_sent_are_named_as_grants_write_them() {
        let errors = [
            "body /lines/0/price notGranted",
            "body /owner notGranted",
            "body /n type",
        ];
        assert_eq!(
            advised(&event("validate.body", &errors), &[]).text,
            "add `lines.*.price`, `owner` to `writes` of the grant of `getSite` at integrations/crm.yaml:7; this widens its access. \
             The other errors are the caller's to correct"
        );
        let wrong = advised(&event("validate.body", &["body /n type"]), &[]);
        assert_eq!(wrong.by, By::Caller);
    }

    #[test]
    fn a_block_is_named_with_the_command_that_lifts_it() {
        let mut event = event("limit.blocked", &[]);
        event.blocked = Some(Blocked {
            subject: "user:crm/ann lee".into(),
            until: Timestamp::parse("2026-11-30T10:00:00.000Z").unwrap(),
        });
        let said = advised(&event, &[]);
        assert!(
            said.text
                .contains("`portcullis block lift 'user:crm/ann lee'`"),
            "{said:?}"
        );
    }

    #[test]
    fn an_allowed_request_needs_no_advice() {
        let known = Known {
            nearest: &[],
            grants: &[],
            reached: None,
            parameters: &[],
            has_exclusion: false,
        };
        assert_eq!(advice(&Event::default(), known), None);
    }
}
