//! What the policies of one file are called, for whoever compares two configurations.
//! Exports `policy_names`. Pure.
//! Used by config, which says what a new configuration no longer has.
//! Start reading at `policy_names`.

use cedar_policy::{Effect, PolicySet};

/// One name for each policy: `forbid "frozen"` by its `@id`, and where it has none, its text on one line. Empty where the text
/// cannot be read.
pub fn policy_names(text: &str) -> Vec<String> {
    let Ok(set) = text.parse::<PolicySet>() else {
        return Vec::new();
    };
    let one = |policy: &cedar_policy::Policy| {
        let effect = match policy.effect() {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        };
        match policy.annotation("id").filter(|id| !id.is_empty()) {
            Some(id) => format!("{effect} \"{}\"", id.escape_debug()),
            None => policy
                .to_string()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        }
    };
    let mut names: Vec<String> = set.policies().map(one).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_named_by_their_id_or_by_their_text() {
        let text = "@id(\"frozen\")\nforbid (principal, action, resource);\npermit (\n  principal,\n  action, resource\n);\n";
        let names = policy_names(text);
        assert_eq!(names.first().map(String::as_str), Some("forbid \"frozen\""));
        assert!(
            names
                .get(1)
                .is_some_and(|name| name.starts_with("permit") && !name.contains('\n')),
            "{names:?}"
        );
        assert!(policy_names("forbid (").is_empty());
    }
}
