//! The manual is true: the walk is done as written, the commands' page is the program's, links and cited tests exist.
//! Exports nothing. Needs `curl` and `rustc` for the walk, as its reader does.
//! Run with the suite.
//! Start reading at `the_walk_of_the_manual_works_as_written`; how pages are read is in `docs/page.rs`.

mod page;
mod terminal;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use page::Block;
use terminal::Terminal;

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// README and every page below `docs`.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![
        root().join("README.md"),
        root().join("ARCHITECTURE.md"),
        root().join("CONTRIBUTING.md"),
    ];
    for folder in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        found.extend(
            entries
                .flatten()
                .map(|e| e.path())
                .filter(|path| path.extension().is_some_and(|e| e == "md")),
        );
    }
    found.sort();
    found
}

#[test]
fn the_walk_of_the_manual_works_as_written() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("SKIP the walk: there is no curl (apt-get install curl)");
        return;
    }
    let dir = Scratch::new("walk");
    let text = fs::read_to_string(root().join("docs/protect-your-api.md")).unwrap();
    let ports = Ports::instead_of(&["8080", "8081", "9200"]);
    let text = ports.put_into(&text);
    let mut terminals: BTreeMap<u8, Terminal> = BTreeMap::new();
    let (mut files, mut commands) = (0, 0);
    for block in page::blocks(&text) {
        match block {
            Block::File { name, text } => {
                let path = dir.0.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
                files += 1;
            }
            Block::Console { terminal, steps } => {
                let shell = terminals
                    .entry(terminal)
                    .or_insert_with(|| Terminal::open(&dir.0, crate::program()));
                let last = steps.len() - 1;
                for (index, step) in steps.into_iter().enumerate() {
                    // In the first terminal everything ends; elsewhere the last command goes on running.
                    let goes_on = terminal > 1 && index == last;
                    shell.follow(&step, goes_on);
                    if step
                        .command
                        .as_ref()
                        .is_some_and(|command| command.starts_with("portcullis init"))
                    {
                        let server = dir.0.join("gate/portcullis.yaml");
                        fs::write(
                            &server,
                            ports.put_into(&fs::read_to_string(&server).unwrap()),
                        )
                        .unwrap();
                    }
                    commands += usize::from(step.command.is_some());
                }
            }
        }
    }
    assert!(
        files >= 4 && commands >= 12,
        "the walk has shrunk to {files} files and {commands} commands"
    );
}

#[test]
fn commands_named_in_the_manual_exist() {
    let page = fs::read_to_string(root().join("docs/commands.md")).unwrap();
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let known: Vec<&str> = headings.filter_map(|line| line.split('`').nth(1)).collect();
    let mut checked = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        for command in page::commands(&text) {
            let is_group = known
                .iter()
                .any(|known| known.starts_with(&format!("portcullis {} ", command.verb)));
            let whole = match command.below {
                Some(below) if is_group => format!("portcullis {} {below}", command.verb),
                _ => format!("portcullis {}", command.verb),
            };
            assert!(
                known.contains(&whole.as_str()),
                "{}: there is no `{whole}`",
                path.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} commands");
}

/// Free ports instead of those a page names, so that the walk disturbs nobody.
struct Ports(Vec<(String, String)>);

impl Ports {
    fn instead_of(named: &[&str]) -> Ports {
        let held: Vec<_> = named
            .iter()
            .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let free = held
            .iter()
            .map(|listener| listener.local_addr().unwrap().port());
        Ports(
            named
                .iter()
                .zip(free)
                .map(|(named, free)| (format!(":{named}"), format!(":{free}")))
                .collect(),
        )
    }

    fn put_into(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (named, free)| {
            text.replace(named, free)
        })
    }
}

#[test]
fn the_page_of_commands_is_what_the_program_says() {
    let page = fs::read_to_string(root().join("docs/commands.md")).unwrap();
    let mut open = vec![Vec::new()];
    let mut seen = 0;
    while let Some(verb) = open.pop() {
        let output = Command::new(crate::program())
            .args(&verb)
            .arg("--help")
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(
            page.contains(help.trim_end()),
            "the help of {verb:?} is not in docs/commands.md; run `cargo xtask gen`"
        );
        let listed = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty());
        for below in listed
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help")
        {
            open.push([verb.clone(), vec![below.to_owned()]].concat());
        }
        seen += 1;
    }
    assert!(seen > 15, "only {seen} verbs were found");
}

#[test]
fn the_first_screen_in_the_readme_is_what_the_demo_shows() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let block = readme
        .split("```text\n")
        .find(|block| block.contains("Gateway  "))
        .unwrap();
    let shown: Vec<&str> = block
        .lines()
        .take_while(|line| *line != "```")
        .filter(|line| !line.is_empty())
        .collect();
    let dir = Scratch::new("screen");
    let mut demo = Terminal::open(&dir.0, crate::program());
    let expected = shown
        .iter()
        .map(|line| page::without_numbers(line) + "…")
        .collect::<String>();
    demo.follow(
        &page::Step {
            command: Some("portcullis demo --no-traffic".to_owned()),
            expected,
        },
        true,
    );
}

#[test]
fn the_tour_of_the_demo_finds_nothing_wrong() {
    let dir = Scratch::new("tour");
    let mut demo = Terminal::open(&dir.0, crate::program());
    demo.follow(
        &page::Step {
            command: Some("portcullis demo --no-traffic".to_owned()),
            expected: "…Protection…".to_owned(),
        },
        true,
    );
    let tour = Command::new(crate::program())
        .args(["demo", "tour"])
        .current_dir(&dir.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tour.stdout);
    let wrong = String::from_utf8_lossy(&tour.stderr);
    assert!(tour.status.success(), "{said}\n{wrong}");
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut checked = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        for target in page::links(&text).filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let to = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            assert!(
                to.exists(),
                "{}: the link to `{target}` leads nowhere",
                path.display()
            );
            let is_there = anchor.is_empty()
                || page::anchors(&fs::read_to_string(&to).unwrap()).any(|a| a == anchor);
            assert!(
                is_there,
                "{}: there is no heading `{anchor}` in {}",
                path.display(),
                to.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} links");
}

#[test]
fn tests_cited_in_the_manual_exist() {
    let mut checked = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        for (name, file) in page::cited_tests(&text) {
            let source = path.parent().unwrap().join(file);
            let code = fs::read_to_string(&source)
                .unwrap_or_else(|_| panic!("{}: no file {file}", path.display()));
            assert!(
                code.contains(&format!("fn {name}(")),
                "{}: `{name}` is not in {file}",
                path.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} cited tests");
}

/// A directory for one walk, deleted at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        // Short: a Unix socket lies below it, and its path may have about 100 characters.
        let dir = std::env::temp_dir().join(format!("pc-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Scratch(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
