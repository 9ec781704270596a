//! Scripts from another host.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule {
        id,
        class: Class::Rfi,
        score: 5,
        paranoia: 1,
        pattern,
        why,
    }
}

pub(crate) const RULES: &[Rule] = &[rule(
    "pack.rfi.script",
    r"(?i)^\s*(?:https?|ftps?|sftp|//)[:/\\]*[^\s]{1,300}(?:\.(?:php\d?|phtml|asp|aspx|jsp|cfm|pl|cgi|txt|sh|py|dat|gif|jpg|png|inc)\?+(?:\w*=?)?$|/(?:c99|r57|shell|cmd|evil|backdoor|webshell|id1?|rfi|r0x|fx29id\d?)[\w-]*(?:\.\w{2,5})?\??)|(?:[?&]|^)(?:include|page|file|path|template|mosconfig_absolute_path|inc|dir|document_root|root_path|cmd)=(?:https?|ftp)://",
    "The text names a script on another host.",
)];
