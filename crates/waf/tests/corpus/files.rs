//! Texts kept in files, one per line: attacks by class, and ordinary texts.
//! `␊ ␍ ␉ ␀` stand for the control bytes they picture; `¦` stands for nothing and only keeps
//! scanners from taking an invented key for a real one.

/// Attacks with their class.
pub fn attacks() -> Vec<(&'static str, String)> {
    let mut class = "";
    let mut all = Vec::new();
    for line in include_str!("attacks.txt").lines() {
        match line.strip_prefix("## ") {
            Some(name) => class = name,
            None => all.push((class, plain(line))),
        }
    }
    all
}

/// What people and their programs write.
pub fn ordinary() -> Vec<String> {
    include_str!("ordinary_more.txt")
        .lines()
        .map(plain)
        .collect()
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
