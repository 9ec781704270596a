//! Records requests of the running server.
//! Exports `run`. The server seals each line; this end only writes them down.
//! Used by `portcullis inspect`.
//! Start reading at `run`.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use clap::ArgMatches;
use control::commands::inspection::{BeginRecording, FetchRecording};
use model::time::Span;
use serde_json::json;

use crate::exit::{CommandError, Exit, Outcome};
use crate::{admin_client, config_dir, output, terminal};

/// How often the server is asked for what it recorded.
const INTERVAL: Duration = Duration::from_millis(500);

/// Records until the time or the number is reached.
pub fn run(arguments: &ArgMatches) -> Outcome {
    let asked = BeginRecording {
        seconds: span(arguments, "for")?.as_secs(),
        requests_max: arguments.get_one::<u64>("max").copied().unwrap_or(0),
        keep_days: span(arguments, "keep")?.as_secs() / 86_400,
    };
    let target = config_dir::target(arguments);
    let path = output::path(arguments, "file");
    let mut file = output::create(&path)?;
    let begun =
        admin_client::ask(&target, &asked).inspect_err(|_| drop(std::fs::remove_file(&path)))?;
    let heading = begun.out.heading;
    let first = serde_json::to_string(&heading).unwrap_or_default();
    write(&mut file, &path, &[first])?;
    terminal::say(format_args!(
        "portcullis: recording to {}; Ctrl-C ends it",
        path.display()
    ));
    let more = FetchRecording { id: heading.id };
    let last = loop {
        std::thread::sleep(INTERVAL);
        let fetched = admin_client::ask(&target, &more)?.out;
        write(&mut file, &path, &fetched.lines)?;
        if fetched.is_over {
            break fetched;
        }
    };
    file.sync_all()
        .map_err(|error| output::unwritten(&path, &error))?;
    let (requests, left_out) = (last.requests, last.left_out);
    let document = json!({
        "schema_version": 1, "file": path.display().to_string(), "requests": requests, "left_out": left_out,
    });
    output::print(arguments, &document, || {
        terminal::line(format_args!(
            "{requests} requests recorded, {left_out} left out for their size"
        ));
    });
    Ok(Exit::Done)
}

fn span(arguments: &ArgMatches, name: &str) -> Result<Duration, CommandError> {
    let text = output::text(arguments, name);
    Span::parse(text).map(Span::duration).ok_or_else(|| {
        CommandError::new(
            Exit::Usage,
            format!("`{text}` is not a length of time"),
            "Write 90s, 10m, 2h or 7d.",
        )
    })
}

fn write(file: &mut File, path: &Path, lines: &[impl AsRef<str>]) -> Result<(), CommandError> {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.as_ref());
        text.push('\n');
    }
    file.write_all(text.as_bytes())
        .map_err(|error| output::unwritten(path, &error))
}
