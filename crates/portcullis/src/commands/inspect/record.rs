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
use gateway::recording::{KEEP_DAYS_MAX, SECONDS_MAX};
use model::time::Span;

use crate::exit::{CommandError, Exit, Outcome};
use crate::outputs::Recorded;
use crate::{admin_client, config_dir, output, outputs, terminal};

/// How often the server is asked for what it recorded.
const INTERVAL: Duration = Duration::from_millis(500);
const SECOND: (Duration, &str, u64) = (Duration::from_secs(1), "seconds", SECONDS_MAX);
const DAY: (Duration, &str, u64) = (Duration::from_secs(86_400), "days", KEEP_DAYS_MAX);

/// Records until the time or the number is reached.
pub fn run(arguments: &ArgMatches) -> Outcome {
    let asked = BeginRecording {
        seconds: whole(arguments, "for", SECOND)?,
        requests_max: arguments.get_one::<u64>("max").copied().unwrap_or(0),
        keep_days: whole(arguments, "keep", DAY)?,
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
    let recorded = Recorded {
        file: path.display().to_string(),
        requests: last.requests,
        left_out: last.left_out,
    };
    output::show(arguments, &outputs::INSPECT_RECORD, &recorded, || {
        terminal::line(format_args!(
            "{} requests recorded, {} left out for their size",
            recorded.requests, recorded.left_out
        ));
    })?;
    Ok(Exit::Done)
}

/// A length of time in whole units: what is left over is not dropped.
fn whole(
    arguments: &ArgMatches,
    name: &str,
    (unit, word, max): (Duration, &str, u64),
) -> Result<u64, CommandError> {
    let text = output::text(arguments, name);
    let wrong = |what: String| CommandError::new(Exit::Usage, what, "Write 90s, 10m, 2h or 7d.");
    let span = Span::parse(text).map(Span::duration);
    let millis = span.ok_or_else(|| wrong(format!("`{text}` is not a length of time")))?;
    let unit_of = unit;
    let (millis, unit) = (millis.as_millis(), unit.as_millis());
    if millis % unit > 0 {
        return Err(wrong(format!("--{name} `{text}` is not in whole {word}")));
    }
    let count = u64::try_from(millis / unit).unwrap_or(u64::MAX);
    if !(1..=max).contains(&count) {
        let most = Span(unit_of.saturating_mul(u32::try_from(max).unwrap_or(u32::MAX)));
        return Err(CommandError::new(
            Exit::Usage,
            format!("--{name} cannot be `{text}`"),
            format!("Write at least 1 of its {word}, and at most {most}."),
        ));
    }
    Ok(count)
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
