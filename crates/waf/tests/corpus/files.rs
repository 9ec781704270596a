//! Texts kept in files, one per line: attacks by class, and ordinary texts.
//! `␊ ␍ ␉ ␀` stand for the control bytes they picture; `¦` stands for nothing and only keeps
//! scanners from taking an invented key for a real one.

/// Attacks with their class.
pub fn attacks() -> Vec<(&'static str, String)> {
    by_class(include_str!("attacks.txt"))
}

/// What people and their programs write.
pub fn ordinary() -> Vec<String> {
    lines(include_str!("ordinary_more.txt"))
}

/// Lines below headings `## class`.
pub fn by_class(text: &str) -> Vec<(&str, String)> {
    let mut class = "";
    let mut all = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("## ") {
            Some(name) => class = name,
            None => all.push((class, plain(line))),
        }
    }
    all
}

/// One text on each line.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(plain).collect()
}

fn plain(line: &str) -> String {
    line.chars()
        .filter(|letter| *letter != '¦')
        .map(|letter| match letter {
            '␊' => '\n',
            '␍' => '\r',
            '␉' => '\t',
            '␀' => '\0',
            other => other,
        })
        .collect()
}
