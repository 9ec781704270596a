//! The directories of detection rules that `inspection.rules` names, and the files of them that count.
//! Exports `rule_directories` (what has to be read besides the configuration), `is_rule_file` and `resolved`. Pure.
//! Used by the binary, which reads them into `Files`, and by compile.
//! Start reading at `rule_directories`.

use yaml::{Node, Rules, Value};

use crate::files::{Files, SERVER_FILE, resolve};

/// Most directories of rules.
pub const RULE_DIRECTORIES_MAX: usize = 16;
/// Most files of rules and phrases in all directories together.
pub const RULE_FILES_MAX: usize = 500;
/// Largest file of rules or phrases.
pub const RULE_FILE_BYTES_MAX: usize = 4 << 20;
/// Most bytes of all rules and phrases together.
pub const RULE_BYTES_MAX: usize = 16 << 20;

/// The directories that `inspection.rules` names, as [`Files`] knows them: relative to the configuration directory, or
/// absolute. What is written wrongly is left out here and refused by `compile`.
pub fn rule_directories(files: &Files) -> Vec<String> {
    let text = files.text(SERVER_FILE).unwrap_or_default();
    let Ok(root) = yaml::read(text, Rules::OWN_FILE) else {
        return Vec::new();
    };
    let rules = member(&root, "inspection").and_then(|inspection| member(inspection, "rules"));
    let Some(Value::List(items)) = rules.map(|node| &node.value) else {
        return Vec::new();
    };
    let written = items.iter().filter_map(Node::as_text);
    let mut found: Vec<String> = written.filter_map(|path| resolved(path).ok()).collect();
    found.dedup();
    found.truncate(RULE_DIRECTORIES_MAX);
    found
}

fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    let mut pairs = entries.pairs.iter();
    pairs
        .find(|(key, _)| key.as_text() == Some(name))
        .map(|(_, value)| value)
}

/// Whether a file of a rule directory is read: rules (`.conf`) and phrases (`.data`). Everything else there (examples, tests, a
/// licence) belongs to the release of the rules and is ignored.
pub fn is_rule_file(path: &str) -> bool {
    path.ends_with(".conf") || path.ends_with(".data")
}

/// The one name of a directory: inside the configuration directory where it is relative, anywhere where it is absolute.
pub(crate) fn resolved(path: &str) -> Result<String, &'static str> {
    if !path.starts_with('/') {
        return resolve(SERVER_FILE, path);
    }
    if path.contains('\0') || path.split('/').any(|part| part == "..") {
        return Err("is not a plain absolute path");
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    Ok(format!("/{}", parts.join("/")))
}

/// The path of a file in a directory.
pub fn in_directory(directory: &str, name: &str) -> String {
    match directory {
        "" => name.to_owned(),
        "/" => format!("/{name}"),
        _ => format!("{directory}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(yaml: &str) -> Vec<String> {
        let mut files = Files::new();
        files.insert(SERVER_FILE, yaml.as_bytes());
        rule_directories(&files)
    }

    #[test]
    fn directories_are_relative_to_the_configuration_or_absolute() {
        assert_eq!(
            named("inspection: { rules: [crs, ./crs/rules/, /etc/crs//rules/.] }"),
            ["crs", "crs/rules", "/etc/crs/rules"]
        );
    }

    #[test]
    fn what_leaves_the_directory_or_is_no_list_is_not_read() {
        for yaml in [
            "inspection: { rules: [../elsewhere] }",
            "inspection: { rules: [/etc/../root] }",
            "inspection: { rules: crs }",
            "inspection: [",
            "",
        ] {
            assert!(named(yaml).is_empty(), "{yaml}");
        }
    }

    #[test]
    fn more_directories_than_the_bound_are_not_read() {
        let many: Vec<String> = (0..40).map(|n| format!("d{n}")).collect();
        let yaml = format!("inspection: {{ rules: [{}] }}", many.join(", "));
        assert_eq!(named(&yaml).len(), RULE_DIRECTORIES_MAX);
    }
}
