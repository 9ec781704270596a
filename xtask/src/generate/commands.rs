//! The reference of commands: the help of every verb, asked from the program itself.
//! Exports `page`. Runs `portcullis VERB --help`.
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
    `-o json` prints is in [admin-commands.md](admin-commands.md).\n";

/// Deepest nesting of verbs.
const DEPTH_MAX: usize = 3;

/// The whole page.
pub fn page(root: &Path) -> Result<Page, String> {
    let mut out = String::from(HEAD);
    section(root, &[], &mut out)?;
    Ok((PathBuf::from("docs/commands.md"), out))
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
    let mut line = vec!["run", "--quiet", "--package", "portcullis", "--"];
    line.extend(verb);
    line.push("--help");
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
