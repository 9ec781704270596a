//! What an operator may set about inspection, and the mistakes found in it.
//! Exports `Settings`, `Exclusion`, `RuleFiles`, `LoadError`. Plain data.
//! Used by `compile`; reading files is the caller's work.
//! Start reading at `Settings`.

use crate::hosts::HostPattern;
use std::collections::BTreeMap;

/// How texts are inspected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How suspicious to be: 1 for free text, up to 4 which refuses nearly everything. Default 1.
    pub paranoia: u8,
    /// A message whose score reaches this is refused. Default 5, the score of one critical rule.
    pub threshold: u32,
    /// Findings that are known to be wrong. Each needs an owner and an expiry date.
    pub exclusions: Vec<Exclusion>,
    /// Internal hosts that addresses in requests may lead to, at most `hosts::HOSTS_MAX`. Default none.
    pub internal_hosts: Vec<HostPattern>,
    /// Use the rules that come with the product. Default true.
    pub default_pack: bool,
    /// The most work one message may cost, in bytes read by patterns. Past it the message is refused
    /// with `inspect.deadline`. Default 64 MiB.
    pub work_max: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            paranoia: 1,
            threshold: 5,
            exclusions: Vec::new(),
            internal_hosts: Vec::new(),
            default_pack: true,
            work_max: 64 << 20,
        }
    }
}

/// A finding that is known to be wrong, for one field, for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The operation it applies to. Left out, it applies to every operation.
    pub operation: Option<String>,
    /// The field: a JSON pointer or a name. `*` stands for one segment, for example `/items/*/note`.
    pub pointer: String,
    /// Rule ids or classes (`sqli`) that are silenced there.
    pub rules: Vec<String>,
    /// Who answers for it.
    pub owner: String,
    /// The first day on which it no longer applies, `YYYY-MM-DD`, UTC.
    pub expires: String,
    /// Why it is right.
    pub reason: String,
}

/// One file of a rule directory, read by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// The name that mistakes mention, for example `REQUEST-942-….conf`.
    pub name: String,
    /// The bytes of the file.
    pub text: Vec<u8>,
}

/// The files of the rule directories: `*.conf` in load order, `*.data` by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleFiles {
    /// Rule files in the order they load.
    pub rules: Vec<RuleFile>,
    /// Phrase files by file name, as `@pmFromFile` names them.
    pub data: BTreeMap<String, Vec<u8>>,
}

impl RuleFiles {
    /// No rule directory.
    pub fn none() -> RuleFiles {
        RuleFiles::default()
    }
}

/// A mistake in settings or rules. Nothing loads while there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The file, or `settings`.
    pub file: String,
    /// The line, counted from 1; 0 when there is none.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl LoadError {
    /// A mistake in the settings themselves.
    pub fn setting(message: impl Into<String>, help: impl Into<String>) -> LoadError {
        LoadError {
            file: "settings".to_owned(),
            line: 0,
            message: message.into(),
            help: help.into(),
        }
    }
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}:{}: {} ({})",
            self.file, self.line, self.message, self.help
        )
    }
}
