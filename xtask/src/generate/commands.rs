//! What the program itself is asked: the help of every verb, and the schemas of what is printed with `-o json`.
//! Exports `page`, `outputs`. Runs `portcullis VERB --help` and `portcullis schema outputs`.
//! Used by `generate::write`; the suite compares the committed page with the program.
//! Start reading at `page`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Page;

const HEAD: &str = "# Commands\n\n\
    Generated from `portcullis VERB --help`; `cargo xtask gen` writes it again.\n\n\
    Data goes to standard output, words go to standard error. `-o json` gives a document with `schema_version` instead of a table.\n\
    Commands that need a configuration take `--config DIR`, or `PORTCULLIS_CONFIG`, or find `gate` or `.demo/gate` by themselves.\n\
    They ask the running server where one runs, and otherwise work on its store directly. What the server is asked, who may ask it, and what \
    `-o json` prints is in [admin-commands.md](admin-commands.md); what the other commands print with `-o json` is described by a JSON Schema each in \
    [schemas/outputs](schemas/outputs), and by `portcullis schema output/NAME`.\n";

/// Deepest nesting of verbs.
const DEPTH_MAX: usize = 3;

/// The whole page.
pub fn page(root: &Path) -> Result<Page, String> {
    let mut out = String::from(HEAD);
    section(root, &[], &mut out)?;
    Ok((PathBuf::from("docs/commands.md"), out))
}

/// One page for each document of the command line.
pub fn outputs(root: &Path) -> Result<Vec<Page>, String> {
    let text = said(root, &["schema", "outputs"])?;
    let all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text)
        .map_err(|error| format!("`portcullis schema outputs`: {error}"))?;
    let page = |(name, schema): (String, serde_json::Value)| {
        let path = format!("docs/schemas/outputs/{name}.schema.json");
        (PathBuf::from(path), format!("{schema:#}\n"))
    };
    Ok(all.into_iter().map(page).collect())
}

/// The help of one verb, then of the verbs below it.
fn section(root: &Path, verb: &[&str], out: &mut String) -> Result<(), String> {
    let help = help(root, verb)?;
    let title = [&["portcullis"], verb].concat().join(" ");
    let _ = write!(
        out,
        "\n{} `{title}`\n\n```text\n{}\n```\n",
        if verb.len() > 1 { "###" } else { "##" },
        help.trim_end()
    );
    for below in verbs(&help).filter(|_| verb.len() < DEPTH_MAX) {
        section(root, &[verb, &[below]].concat(), out)?;
    }
    Ok(())
}

fn help(root: &Path, verb: &[&str]) -> Result<String, String> {
    said(root, &[verb, &["--help"]].concat())
}

/// What the program prints.
fn said(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut line = vec!["run", "--quiet", "--package", "portcullis", "--"];
    line.extend(arguments);
    let output = Command::new(env!("CARGO"))
        .args(&line)
        .current_dir(root)
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => Err(format!(
            "`cargo {}` failed:\n{}",
            line.join(" "),
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => Err(format!("cannot run cargo: {error}")),
    }
}

/// The verbs a help lists, without `help` itself.
fn verbs(help: &str) -> impl Iterator<Item = &str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help")
}

#[cfg(test)]
mod tests {
    #[test]
    fn verbs_are_read_from_a_help() {
        let help = "About.\n\nUsage: x\n\nCommands:\n  check  Compile\n  demo   Run\n  help   Print\n\nOptions:\n  -h\n";
        assert_eq!(super::verbs(help).collect::<Vec<_>>(), ["check", "demo"]);
    }
}
