//! Targets that are no addresses: sockets, names that resolve to what their owner wants, places that parsers read apart.

use crate::finding::Class;
use crate::pack::Rule;

/// Names of this machine and of its neighbours.
macro_rules! own_names {
    () => {
        concat!(
            r"localhost\d?(?:\.localdomain\d?)?|(?:[\w-]{1,40}\.)?(?:localtest|lvh)\.me|ipv?6-(?:localhost|loopback)|",
            r"(?:host|gateway|kubernetes)\.docker\.internal|host\.containers\.internal|",
            r"kubernetes\.default(?:\.svc(?:\.cluster\.local)?)?",
        )
    };
}

pub(crate) const RULES: &[Rule] = &[Rule::critical(
    Class::Ssrf,
    "pack.ssrf.target",
    any![
        "(?i)";
        "the socket of the container engine" => r"/var/run/docker\.sock\b",
        "a call by a socket of this machine" => r"\bcurl\b[^\n]{0,80}--unix-socket\b",
        "an address that a shell completes" => r"\bhttps?://\$\{",
        "an address with a user before the host" => r"\bhttps?://[^\s/]{1,100}(?:\s*[&#\\]\s*|\s+)@[\w.]",
        "a port that hides behind zeros" => r"\blocalhost:(?:\+|0{2,})\d",
        "a host in circled letters" => r"://[^/\s]{0,100}(?-u:\xe2[\x91-\x93])",
        "a name that resolves to anything, or tells who asked" =>
            r"\b[\w-]+\.(?:1u\.ms|rbndr\.us|r3dir\.me|burpcollaborator\.net|oastify\.com|interact\.sh|oast\.(?:fun|me|site|pro|live|online)|dnslog\.cn)\b",
        "this machine by one of its names" => concat!(
            r"^\s*(?:https?:)?(?://)?(?:",
            own_names!(),
            r")\.?/\S*\s*$",
        ),
    ],
    "The text names a target that leads elsewhere than it reads.",
)];
