//! Reads a page of the manual: files to write, commands to type, answers to expect, links, cited tests.
//! Exports `blocks`, `without_numbers`, `commands`, `links`, `anchors`, `cited_tests`.
//! Used by `docs`.
//! Start reading at `blocks`.

/// Something a page asks its reader to do.
pub enum Block {
    /// Write a file: a block behind a line that is nothing but the name in backticks and a colon.
    File { name: String, text: String },
    /// Type into a terminal: a block marked `console`, or `console terminal=2`.
    Console { terminal: u8, steps: Vec<Step> },
}

/// One command and what it answers; without a command, what a running one says next.
#[derive(Default)]
pub struct Step {
    /// What is typed after `$ `; lines after `> ` continue it.
    pub command: Option<String>,
    /// What is printed. `…` stands for anything.
    pub expected: String,
}

/// The blocks of a page, in order. A block of a file without a name is a mistake of the page.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut before = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            before = if line.is_empty() { before } else { line };
            continue;
        };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let mut words = info.split_whitespace();
        match words.next() {
            Some("console") => {
                let terminal = words
                    .next()
                    .and_then(|word| word.strip_prefix("terminal="))
                    .map_or(1, |n| n.parse().unwrap());
                found.push(Block::Console {
                    terminal,
                    steps: steps(&body),
                });
            }
            Some("sh" | "text") => {}
            _ => {
                let name = before
                    .strip_prefix('`')
                    .and_then(|rest| rest.strip_suffix("`:"));
                let name =
                    name.unwrap_or_else(|| panic!("the block behind `{before}` has no file name"));
                found.push(Block::File {
                    name: name.to_owned(),
                    text: body.join("\n") + "\n",
                });
            }
        }
        before = "";
    }
    found
}

fn steps(body: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in body {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: Some(command.to_owned()),
                expected: String::new(),
            });
        } else if let Some(more) = line.strip_prefix("> ") {
            let command = steps
                .last_mut()
                .and_then(|step| step.command.as_mut())
                .expect("`> ` continues a command");
            command.push('\n');
            command.push_str(more);
        } else {
            if steps.is_empty() {
                steps.push(Step::default());
            }
            let step = steps.last_mut().unwrap();
            step.expected.push_str(line);
            step.expected.push('\n');
        }
    }
    steps
}

/// A line with `…` for every word that holds a digit: ports, counts and hashes differ from run to run.
pub fn without_numbers(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        if word.contains(|c: char| c.is_ascii_digit()) {
            "…"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A command as a page names it.
pub struct Named<'a> {
    /// `key`
    pub verb: &'a str,
    /// `create`
    pub below: Option<&'a str>,
}

/// Commands in code: `portcullis VERB …` behind a backtick, a prompt, or at the beginning of a line.
pub fn commands(text: &str) -> impl Iterator<Item = Named<'_>> {
    let is_word = |word: &&str| {
        word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            && word.starts_with(|c: char| c != '-')
    };
    text.match_indices("portcullis ")
        .filter_map(move |(at, found)| {
            let is_code = text[..at].is_empty()
                || text[..at].ends_with(['`', '\n', '('])
                || text[..at].ends_with("$ ");
            let line = text[at + found.len()..].lines().next().unwrap_or_default();
            let mut words = line.split(['`', ' ']);
            let verb = words
                .next()
                .filter(is_word)
                .filter(|verb| is_code && !verb.is_empty())?;
            Some(Named {
                verb,
                below: words.next().filter(is_word).filter(|word| !word.is_empty()),
            })
        })
}

/// Targets of links: `](target)`.
pub fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

/// Names of headings as links write them.
pub fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// Links of the form [`name_of_a_test`](path.rs): the name and the path.
pub fn cited_tests(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("[`").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once("`](")?;
        let (file, _) = rest.split_once(')')?;
        file.ends_with(".rs")
            .then_some((name, file))
            .filter(|(name, _)| name.contains('_'))
    })
}
