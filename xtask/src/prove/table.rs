//! Figures of bars, read from what tests reported and from the table of findings, and printed.
//! Exports `Figure`, `read`, `print`, `findings`, `outcomes`.
//! Used by `prove`.
//! Start reading at `print`.

use std::collections::BTreeSet;
use std::path::Path;

/// One figure of one bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    bar: String,
    what: String,
    figure: String,
    verdict: Verdict,
}

/// What a figure says of its bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Holds,
    Missed,
    /// Nothing: it is measured another way.
    Open,
}

impl Figure {
    /// A figure that was found out here.
    pub fn new(bar: &str, what: &str, figure: String, holds: bool) -> Figure {
        Figure {
            bar: bar.to_owned(),
            what: what.to_owned(),
            figure,
            verdict: if holds {
                Verdict::Holds
            } else {
                Verdict::Missed
            },
        }
    }

    /// A figure that this run does not measure, and why.
    pub fn not_measured(bar: &str, why: &str) -> Figure {
        Figure {
            bar: bar.to_owned(),
            what: "not measured".to_owned(),
            figure: why.to_owned(),
            verdict: Verdict::Open,
        }
    }

    /// A line as `testkit::bar` writes it.
    fn parse(line: &str) -> Option<Figure> {
        let mut parts = line.split('\t');
        let (bar, what, figure) = (parts.next()?, parts.next()?, parts.next()?);
        let holds = match parts.next()? {
            "holds" => true,
            "missed" => false,
            _ => return None,
        };
        Some(Figure::new(bar, what, figure.to_owned(), holds))
    }
}

/// Everything that was reported into this file; empty when nothing was.
pub fn read(file: &Path) -> Vec<Figure> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(Figure::parse).collect()
}

/// Prints each bar with its figures. Gives one line per bar that was missed or reported nothing.
pub fn print(bars: &[(&str, &str)], figures: &[Figure]) -> Vec<String> {
    let mut missed = Vec::new();
    for (bar, title) in bars {
        println!("{bar}  {title}");
        let own: Vec<&Figure> = figures.iter().filter(|f| f.bar == *bar).collect();
        for figure in &own {
            let verdict = match figure.verdict {
                Verdict::Holds => "holds ",
                Verdict::Missed => "MISSED",
                Verdict::Open => "-     ",
            };
            println!("    {verdict}  {}: {}", figure.what, figure.figure);
            if figure.verdict == Verdict::Missed {
                missed.push(format!("{bar} missed: {}: {}", figure.what, figure.figure));
            }
        }
        if own.is_empty() {
            println!("    MISSED  nothing was reported");
            missed.push(format!("{bar} missed: nothing was reported"));
        }
    }
    missed
}

/// A row of the table of findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// Its short name.
    pub id: String,
    /// Names of the tests that try it again.
    pub tests: Vec<String>,
}

/// Rows of the table below this heading: `| id | finding | [`test`](file) … |`.
pub fn findings(page: &str, heading: &str) -> Vec<Finding> {
    let mut lines = page.lines().skip_while(|line| *line != heading).skip(1);
    let mut rows = Vec::new();
    for line in lines.by_ref().take_while(|line| !line.starts_with("## ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (Some(id), Some(tests)) = (cells.get(1), cells.iter().rev().nth(1)) else {
            continue;
        };
        if id.is_empty() || *id == "id" || id.starts_with('-') {
            continue;
        }
        let names = tests.split("[`").skip(1);
        rows.push(Finding {
            id: (*id).to_owned(),
            tests: names
                .filter_map(|rest| Some(rest.split_once('`')?.0.to_owned()))
                .collect(),
        });
    }
    rows
}

/// How many of these tests passed by what `cargo test` printed, and those that did not or were never run.
pub fn outcomes<'a>(text: &str, names: &BTreeSet<&'a str>) -> (usize, Vec<&'a str>) {
    let passed: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok"))
        .map(|path| path.rsplit("::").next().unwrap_or(path))
        .collect();
    let unseen: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !passed.contains(name))
        .collect();
    (names.len() - unseen.len(), unseen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_table_are_read_with_their_tests() {
        let page = "# A\n## T\n| id | finding | tests |\n|---|---|---|\n| A1 | x | [`one_thing`](a.rs), [`other`](b.rs) |\n| A2 | y | open |\n## U\n| B | z | [`no`](c) |\n";
        let rows = findings(page, "## T");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].tests, ["one_thing", "other"]);
        assert!(rows[1].tests.is_empty());
    }

    #[test]
    fn a_test_that_was_not_run_has_not_passed() {
        let names = BTreeSet::from(["one", "two", "three"]);
        let text = "test a::one ... ok\ntest b::two ... FAILED\n";
        assert_eq!(outcomes(text, &names), (1, vec!["three", "two"]));
    }

    #[test]
    fn figures_are_read_back() {
        let line = "X4\tcalls lost\t0\tholds";
        assert_eq!(
            Figure::parse(line),
            Some(Figure::new("X4", "calls lost", "0".to_owned(), true))
        );
        assert_eq!(Figure::parse("X4\tcalls lost\t0\tperhaps"), None);
    }
}
