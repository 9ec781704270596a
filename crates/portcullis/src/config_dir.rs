//! Which configuration a command works on.
//! Exports `argument`, `of`, and `socket`, `target` for commands that ask a running server. Flag, then `PORTCULLIS_CONFIG`, then `gate`, then the demo's, then the directory one stands in.
//! Used by every command that needs a configuration.
//! Start reading at `of`.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, value_parser};

/// Its twin in the environment.
pub const VARIABLE: &str = "PORTCULLIS_CONFIG";
/// File that makes a directory a configuration.
const SERVER: &str = "portcullis.yaml";

/// The `--config` argument.
pub fn argument() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("Directory that holds portcullis.yaml [default: $PORTCULLIS_CONFIG, else gate, .demo/gate or .]")
}

/// The `--socket` argument.
pub fn socket() -> Arg {
    Arg::new("socket")
        .long("socket")
        .value_name("PATH")
        .value_parser(value_parser!(PathBuf))
        .help("Socket of the running server, where its directory does not lead to it [default: what the server wrote beside its configuration]")
}

/// An installation: its directory, and the socket of its server where that was named.
#[derive(Clone, Debug)]
pub struct Target {
    /// The configuration directory.
    pub dir: PathBuf,
    /// The socket. Where it is named nothing else is asked or opened.
    pub socket: Option<PathBuf>,
}

/// The installation of this directory.
impl From<&Path> for Target {
    fn from(dir: &Path) -> Target {
        Target {
            dir: dir.to_path_buf(),
            socket: None,
        }
    }
}

/// The installation meant.
pub fn target(arguments: &ArgMatches) -> Target {
    let socket = arguments.try_get_one::<PathBuf>("socket");
    Target {
        dir: of(arguments),
        socket: socket.ok().flatten().cloned(),
    }
}

/// The directory meant.
pub fn of(arguments: &ArgMatches) -> PathBuf {
    let given = arguments.get_one::<PathBuf>("config").cloned();
    let named = || {
        std::env::var_os(VARIABLE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    given
        .or_else(named)
        .unwrap_or_else(|| usual(|dir| dir.join(SERVER).is_file()))
}

/// Where a configuration usually lies.
fn usual(is_there: impl Fn(&Path) -> bool) -> PathBuf {
    let candidates = ["gate", ".demo/gate"].map(PathBuf::from);
    candidates
        .into_iter()
        .find(|dir| is_there(dir))
        .unwrap_or_else(|| PathBuf::from("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_configuration_comes_before_the_demos() {
        assert_eq!(usual(|_| true), Path::new("gate"));
        assert_eq!(
            usual(|dir| dir.starts_with(".demo")),
            Path::new(".demo/gate")
        );
        assert_eq!(usual(|_| false), Path::new("."));
    }

    #[test]
    fn the_flag_wins() {
        let matches = clap::Command::new("x").arg(argument()).get_matches_from([
            "x",
            "--config",
            "elsewhere",
        ]);
        assert_eq!(of(&matches), Path::new("elsewhere"));
    }
}
