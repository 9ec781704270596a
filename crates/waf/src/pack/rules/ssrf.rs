//! Targets that are no addresses: sockets, names that resolve to what their owner wants, places that parsers read apart.

use crate::finding::Class;
use crate::pack::Rule;

pub(crate) const RULES: &[Rule] = &[Rule::critical(
    Class::Ssrf,
    "pack.ssrf.target",
    r"(?i)/var/run/docker\.sock\b|\bcurl\b[^\n]{0,80}--unix-socket\b|\bhttps?://\$\{|\bhttps?://[^\s/]{1,100}(?:\s*[&#\\]\s*|\s+)@[\w.]|\blocalhost:(?:\+|0{2,})\d|://[^/\s]{0,100}(?-u:\xe2[\x91-\x93])|\b[\w-]+\.(?:1u\.ms|rbndr\.us|r3dir\.me|burpcollaborator\.net|oastify\.com|interact\.sh|oast\.(?:fun|me|site|pro|live|online)|dnslog\.cn)\b|^\s*(?:https?:)?(?://)?(?:localhost\d?(?:\.localdomain\d?)?|(?:[\w-]{1,40}\.)?(?:localtest|lvh)\.me|ipv?6-(?:localhost|loopback)|(?:host|gateway|kubernetes)\.docker\.internal|host\.containers\.internal|kubernetes\.default(?:\.svc(?:\.cluster\.local)?)?)\.?/\S*\s*$",
    "The text names a target that leads elsewhere than it reads.",
)];
