//! A terminal as the reader of a page has one: a shell that keeps its directory and variables from command to command.
//! Exports `Terminal`.
//! Used by `docs`.
//! Start reading at `Terminal::follow`.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::page::Step;

/// Longest wait for an answer. Compiling the stand-in upstream is the slowest step.
const PATIENCE: Duration = testkit::PATIENCE;
/// Printed after each command, to know that it ended.
const END: &str = "=end-of-command=";

/// One shell.
pub struct Terminal {
    shell: Child,
    /// Everything printed and not yet expected.
    output: Arc<Mutex<String>>,
}

impl Terminal {
    /// A shell in this directory, with the program first in its path.
    pub fn open(dir: &Path, program: &Path) -> Terminal {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh")
            .current_dir(dir)
            .env(
                "PATH",
                format!("{}:{path}", program.parent().unwrap().display()),
            )
            .env("USER", "operator")
            .env_remove("PORTCULLIS_CONFIG")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(shell.stdin.as_mut().unwrap(), "exec 2>&1").unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let (heard, mut pipe) = (Arc::clone(&output), shell.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                heard
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        Terminal { shell, output }
    }

    /// Types the command of a step and compares what is printed with what the page says.
    /// `goes_on`: the command is a server that keeps running; its output is awaited, not its end.
    pub fn follow(&mut self, step: &Step, goes_on: bool) {
        if let Some(command) = &step.command {
            let end = if goes_on {
                String::new()
            } else {
                format!("printf '\\n{END}'\n")
            };
            write!(self.shell.stdin.as_mut().unwrap(), "{command}\n{end}").unwrap();
        }
        let started = Instant::now();
        loop {
            let heard = self.output.lock().unwrap().clone();
            let printed = heard.split(END).next().unwrap_or_default();
            let is_over = heard.contains(END);
            if (is_over && is_match(&step.expected, printed))
                || (goes_on && is_match(&format!("…{}…", step.expected), printed))
            {
                self.output.lock().unwrap().clear();
                return;
            }
            let asked = step
                .command
                .as_deref()
                .unwrap_or("(what the running command says next)");
            assert!(
                !is_over && started.elapsed() < PATIENCE,
                "$ {asked}\n--- the page says ---\n{}\n--- the terminal says ---\n{printed}",
                step.expected
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The whole group: the shell and the server it runs.
        let group = format!("-{}", self.shell.id());
        testkit::send_signal("TERM", &group);
        drop(self.shell.wait());
    }
}

/// Whether a text is what a page shows. White space does not count, because pages wrap long lines; `…` is anything.
fn is_match(expected: &str, printed: &str) -> bool {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let (expected, printed) = (bare(expected), bare(printed));
    let mut parts = expected.split('…');
    let Some(mut rest) = printed.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn pages_are_compared_with_wildcards_and_without_white_space() {
    assert!(is_match("a …\n  c", "a b c"));
    assert!(is_match("{ \"id\": \"…\" }", "{\"id\":\"dec_1\"}\n"));
    assert!(is_match("…ready…", "portcullis: ready on 1"));
    assert!(!is_match("a", "a b") && !is_match("a … d", "a b c") && !is_match("b", "a b"));
}
