//! Names, versions and paths as a configuration writes them, made of what a contract and its file are called.
//! Exports `api_name`, `version_name`, `base_path`, `plain`, `is_plain`.
//! Used by everything that guesses.
//! Start reading at `api_name`.

use std::path::Path;

/// Names of the files that say nothing about the api.
const PLAIN_NAMES: [&str; 8] = [
    "openapi",
    "swagger",
    "api",
    "spec",
    "schema",
    "contract",
    "openapi-json",
    "index",
];

/// One line without anything that could end a comment.
pub fn plain(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !model::printable::is_active(*c))
        .take(100)
        .collect()
}

/// Name of the api: the file's, or where that says nothing, the title's.
pub fn api_name(source: &Path, title: &str) -> String {
    let stem = source.file_name().unwrap_or_default().to_string_lossy();
    let of_file = slug(stem.split('.').next().unwrap_or_default());
    if of_file.is_empty() || PLAIN_NAMES.contains(&of_file.as_str()) {
        slug(title)
    } else {
        of_file
    }
}

/// Letters, digits and single hyphens, beginning with a letter.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' => out.push(c),
            '0'..='9' if !out.is_empty() => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.chars()
        .take(63)
        .collect::<String>()
        .trim_end_matches('-')
        .to_owned()
}

/// `2.6.0` is `v2`.
pub fn version_name(version: &str) -> String {
    let digits: String = version
        .trim_start_matches(['v', 'V'])
        .chars()
        .take_while(char::is_ascii_digit)
        .take(4)
        .collect();
    match digits.as_str() {
        "" | "0" => "v1".to_owned(),
        digits => format!("v{digits}"),
    }
}

/// The path of the contract's server: what the upstream expects in front of the contract's paths.
pub fn base_path(server: &str) -> String {
    let path = match server.split_once("://") {
        Some((_, rest)) => rest
            .find('/')
            .and_then(|at| rest.get(at..))
            .unwrap_or_default(),
        None => server,
    };
    let path = path.trim_end_matches('/');
    let is_plain = path.starts_with('/')
        && path
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c))
        && !path.contains("//")
        && !path.contains("/.");
    if is_plain {
        path.to_owned()
    } else {
        "/".to_owned()
    }
}

/// Letters, digits and `_`: needs no quotes anywhere.
pub fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_file_or_else_from_the_title() {
        assert_eq!(
            api_name(Path::new("x/field-service.v2.openapi.yaml"), "T"),
            "field-service"
        );
        assert_eq!(
            api_name(Path::new("openapi.json"), "Über Pets & Co (2)"),
            "ber-pets-co-2"
        );
        assert_eq!(api_name(Path::new("3scale_API.yaml"), "T"), "scale-api");
    }

    #[test]
    fn versions_and_base_paths_are_read_where_they_stand() {
        assert_eq!(
            ["2.6.0", "v3", "0.9", "beta"].map(version_name),
            ["v2", "v3", "v1", "v1"]
        );
        assert_eq!(base_path("https://api.example/v2/"), "/v2");
        assert_eq!(base_path("/v3"), "/v3");
        assert_eq!(base_path("https://api.example"), "/");
        assert_eq!(base_path("https://{host}/{stage}/v1"), "/");
    }
}
