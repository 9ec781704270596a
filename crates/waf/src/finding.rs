//! What inspection saw: the class of attack, the rule, the field, the way it was decoded.
//! Exports `Class`, `Finding`, `Findings`. Plain data.
//! Used by whoever calls `inspect`; the caller of an API learns class and field only.
//! Start reading at `Finding`.

use crate::part::Place;

/// The kind of attack a rule looks for. The code is stable and public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// SQL injection.
    Sqli,
    /// Cross-site scripting.
    Xss,
    /// Operators or scripts for document databases.
    Nosqli,
    /// Shell commands and code meant for an interpreter.
    Rce,
    /// Path traversal and access to system files.
    Traversal,
    /// Template and expression-language injection.
    Ssti,
    /// Addresses that would make a server call where it must not.
    Ssrf,
    /// XML document types and external entities.
    Xxe,
    /// LDAP filter injection.
    Ldapi,
    /// XPath injection.
    Xpathi,
    /// Lookup expressions of logging libraries.
    Jndi,
    /// Keys that reach an object's prototype.
    PrototypePollution,
    /// Credentials and private keys where they do not belong.
    Secret,
    /// Line breaks, control bytes or malformed parts that confuse a parser.
    Protocol,
    /// Inclusion of a remote file.
    Rfi,
    /// Session fixation.
    Session,
    /// Scanners and bots.
    Scanner,
    /// Data that must not leave with an answer.
    Leak,
    /// The text cost more work than one request may spend.
    Deadline,
}

impl Class {
    /// Every class, in the order of the reference page.
    pub const ALL: [Class; 19] = [
        Class::Sqli,
        Class::Xss,
        Class::Nosqli,
        Class::Rce,
        Class::Traversal,
        Class::Ssti,
        Class::Ssrf,
        Class::Xxe,
        Class::Ldapi,
        Class::Xpathi,
        Class::Jndi,
        Class::PrototypePollution,
        Class::Secret,
        Class::Protocol,
        Class::Rfi,
        Class::Session,
        Class::Scanner,
        Class::Leak,
        Class::Deadline,
    ];

    /// The stable code, for example `inspect.sqli`.
    pub const fn code(self) -> &'static str {
        match self {
            Class::Sqli => "inspect.sqli",
            Class::Xss => "inspect.xss",
            Class::Nosqli => "inspect.nosqli",
            Class::Rce => "inspect.rce",
            Class::Traversal => "inspect.traversal",
            Class::Ssti => "inspect.ssti",
            Class::Ssrf => "inspect.ssrf",
            Class::Xxe => "inspect.xxe",
            Class::Ldapi => "inspect.ldapi",
            Class::Xpathi => "inspect.xpathi",
            Class::Jndi => "inspect.jndi",
            Class::PrototypePollution => "inspect.prototype_pollution",
            Class::Secret => "inspect.secret",
            Class::Protocol => "inspect.protocol",
            Class::Rfi => "inspect.rfi",
            Class::Session => "inspect.session",
            Class::Scanner => "inspect.scanner",
            Class::Leak => "inspect.leak",
            Class::Deadline => "inspect.deadline",
        }
    }

    /// What the class means, in words a caller may read.
    pub const fn title(self) -> &'static str {
        match self {
            Class::Sqli => "text that reads as SQL injection",
            Class::Xss => "text that reads as script for a browser",
            Class::Nosqli => "a database operator or script where data belongs",
            Class::Rce => "text that reads as a command or program code",
            Class::Traversal => "a path that leaves its folder or names a system file",
            Class::Ssti => "a template or expression where data belongs",
            Class::Ssrf => "an address that must not be called",
            Class::Xxe => "an XML document type or entity",
            Class::Ldapi => "text that reads as an LDAP filter",
            Class::Xpathi => "text that reads as an XPath condition",
            Class::Jndi => "a lookup expression",
            Class::PrototypePollution => "a key that reaches an object's prototype",
            Class::Secret => "a credential or private key",
            Class::Protocol => "control bytes or line breaks that change the message",
            Class::Rfi => "a reference to a remote file",
            Class::Session => "a session identifier set from outside",
            Class::Scanner => "a security scanner",
            Class::Leak => "data that must not leave",
            Class::Deadline => "text that costs too much to inspect",
        }
    }

    /// The class whose code (with or without `inspect.`) this is.
    pub fn named(code: &str) -> Option<Class> {
        let short = code.strip_prefix("inspect.").unwrap_or(code);
        Class::ALL
            .into_iter()
            .find(|class| class.code().strip_prefix("inspect.") == Some(short))
    }
}

/// One rule that matched one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of attack.
    pub class: Class,
    /// The rule: `pack.…` for ours, the numeric id for rules from a directory.
    pub rule: String,
    /// Where in the request the text stood.
    pub place: Place,
    /// JSON pointer in a body, otherwise the parameter, header or cookie name.
    pub pointer: String,
    /// How the text was decoded before the rule matched; empty means as sent.
    pub chain: Vec<&'static str>,
    /// What the finding adds to the score.
    pub score: u32,
    /// The paranoia level the rule belongs to.
    pub paranoia: u8,
    /// One sentence for the operator. Never shown to the caller.
    pub why: String,
}

/// Everything inspection has to say about one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The findings, strongest class first in the order they were met.
    pub findings: Vec<Finding>,
    /// The sum of the scores.
    pub score: u32,
    /// The score reached the threshold of the plan.
    pub refuse: bool,
    /// Findings that do not count: an exclusion silenced them, or they are hints without company. They are
    /// reported all the same.
    pub excluded: Vec<Finding>,
}

impl Findings {
    /// The finding to name in a refusal: the one with the highest score.
    pub fn worst(&self) -> Option<&Finding> {
        let mut worst: Option<&Finding> = None;
        for finding in &self.findings {
            if worst.is_none_or(|best| finding.score > best.score) {
                worst = Some(finding);
            }
        }
        worst
    }
}
