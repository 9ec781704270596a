//! What would have allowed a refused request: the file, the line, and what to write there.
//! Gives `sentence`.
//! Used by `Explanation::of`.
//! Start reading at `sentence`.

use model::{Event, Reason};
use policy::block::shell_quoted;

/// What to change where. Empty for allowed requests; the remedy of the reason where no change of grants would help.
pub fn sentence(
    event: &Event,
    reason: Option<&Reason>,
    nearest: &[(String, String)],
    grants: &[String],
) -> String {
    let Some(reason) = reason else {
        return String::new();
    };
    if reason.code == "limit.blocked"
        && let Some(subject) = blocked(event)
    {
        return format!(
            "wait until then, or run `portcullis block lift {}` once what led to it is fixed",
            shell_quoted(subject)
        );
    }
    let (Some(who), Some(operation), Some(api)) =
        (&event.integration, &event.operation, &event.api)
    else {
        return reason.explain.to_owned();
    };
    let fields = ungranted(event);
    if !fields.is_empty() {
        return format!(
            "add {} to `writes` of the grant of `{operation}`{}; this widens its access",
            fields.join(", "),
            place(grants)
        );
    }
    match reason.code {
        "authz.operation_not_granted" => granted(who, operation, api, nearest),
        code if code.starts_with("object.") => {
            on_object(who, operation, nearest).unwrap_or_else(|| reason.explain.to_owned())
        }
        _ => reason.explain.to_owned(),
    }
}

/// Whom the block keeps out, as the record of a refusal by it says.
fn blocked(event: &Event) -> Option<&str> {
    let (subject, _) = event.detail.as_deref()?.split_once(" is blocked until ")?;
    Some(subject)
}

/// The operation is granted nowhere.
fn granted(who: &str, operation: &str, api: &str, nearest: &[(String, String)]) -> String {
    let own = format!(
        "`- {{ api: {api}, operations: [{operation}], fields: [id] }}` to `grants` of integrations/{who}.yaml, with the \
         `fields` it may see"
    );
    let same_kind = nearest
        .iter()
        .find(|(_, text)| text.contains("of the same kind of object"));
    match same_kind {
        Some((place, _)) if place.starts_with("roles/") => format!(
            "add `{operation}` to `operations` at {place} (for everybody with this role), or add {own}; this widens access"
        ),
        Some((place, _)) => format!(
            "add `{operation}` to `operations` at {place}, with the fields granted there, or add {own}; this widens its access"
        ),
        None => format!("add {own}; this widens its access"),
    }
}

/// The operation is granted, on other objects.
fn on_object(who: &str, operation: &str, nearest: &[(String, String)]) -> Option<String> {
    let (place, text) = nearest.first()?;
    match text.starts_with("this policy forbids") {
        true => Some(format!(
            "except such objects from the policy at {place}; no grant outweighs it"
        )),
        false => Some(format!(
            "widen `when` at {place} so that it holds for this object, or add a grant of `{operation}` with another `when` \
             to integrations/{who}.yaml; this widens its access"
        )),
    }
}

/// Fields of the body that were sent and not granted, as field paths: `lines.*.price`.
fn ungranted(event: &Event) -> Vec<String> {
    let errors = event.errors.iter();
    let pointers = errors.filter_map(|error| {
        let (place, rest) = error.split_once(' ')?;
        let (pointer, keyword) = rest.rsplit_once(' ')?;
        (place == "body" && keyword == "notGranted").then_some(pointer)
    });
    let mut fields: Vec<String> = pointers.map(path_of).collect();
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

fn place(grants: &[String]) -> String {
    match grants {
        [] => String::new(),
        places => format!(" at {}", places.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: &'static str, errors: &[&str]) -> Event {
        Event {
            integration: Some("crm".into()),
            operation: Some("getSite".into()),
            api: Some("field-service/v2".into()),
            code: Some(code.into()),
            errors: errors.iter().map(|e| (*e).to_owned()).collect(),
            ..Event::default()
        }
    }

    fn said(code: &'static str, errors: &[&str], nearest: &[(&str, &str)]) -> String {
        let all = gateway::snapshot::reasons();
        let reason = all.into_iter().find(|reason| reason.code == code);
        let owned = |(place, text): &(&str, &str)| ((*place).to_owned(), (*text).to_owned());
        let nearest: Vec<_> = nearest.iter().map(owned).collect();
        let grants = ["integrations/crm.yaml:7".to_owned()];
        sentence(&event(code, errors), reason, &nearest, &grants)
    }

    #[test]
    fn the_nearest_grant_is_named_with_its_line() {
        let near = "it grants `getCustomer` of the same kind of object; adding …";
        let own = said(
            "authz.operation_not_granted",
            &[],
            &[("integrations/crm.yaml:31", near)],
        );
        assert!(
            own.contains("add `getSite` to `operations` at integrations/crm.yaml:31"),
            "{own}"
        );
        let role = said(
            "authz.operation_not_granted",
            &[],
            &[("roles/partner.yaml:3", near)],
        );
        assert!(role.contains("everybody with this role"), "{role}");
        let none = said("authz.operation_not_granted", &[], &[]);
        assert!(
            none.contains("`- { api: field-service/v2, operations: [getSite], fields: [id] }` to `grants` of integrations/crm.yaml"),
            "{none}"
        );
    }

    #[test]
    fn a_condition_a_policy_and_a_field_are_named_with_their_place() {
        let condition = (
            "integrations/crm.yaml:9",
            "the condition `x` does not hold: …",
        );
        let loose = said("object.denied", &[], &[condition]);
        assert!(
            loose.contains("widen `when` at integrations/crm.yaml:9"),
            "{loose}"
        );
        let policy = (
            "policies/cancelled.cedar:2",
            "this policy forbids it, whatever is granted",
        );
        let forbidden = said("object.denied", &[], &[policy]);
        assert!(
            forbidden.contains("policies/cancelled.cedar:2"),
            "{forbidden}"
        );
        let writes = said(
            "validate.body",
            &[
                "body /lines/0/price notGranted",
                "body /owner notGranted",
                "body /n type",
            ],
            &[],
        );
        assert_eq!(
            writes,
            "add `lines.*.price`, `owner` to `writes` of the grant of `getSite` at integrations/crm.yaml:7; this widens its access"
        );
    }

    #[test]
    fn a_block_is_named_with_the_command_that_lifts_it() {
        let mut event = event("limit.blocked", &[]);
        event.detail = Some("user:crm/ann lee is blocked until 2026-11-30T10:00:00.000Z: …".into());
        let said = sentence(&event, Some(&policy::block::BLOCKED), &[], &[]);
        assert!(
            said.contains("`portcullis block lift 'user:crm/ann lee'`"),
            "{said}"
        );
    }

    #[test]
    fn what_no_grant_would_help_is_explained_by_its_reason() {
        assert!(said("validate.body", &["body /n type"], &[]).len() > 40);
        assert_eq!(sentence(&event("", &[]), None, &[], &[]), "");
    }
}
