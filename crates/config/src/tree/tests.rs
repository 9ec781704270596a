use super::*;

fn refused(text: &str) -> String {
    let mistakes = parse(text).unwrap_err();
    let lines: Vec<String> = mistakes
        .iter()
        .map(|m| format!("{}: {}", m.line.unwrap_or(0), m.message))
        .collect();
    lines.join("\n")
}
