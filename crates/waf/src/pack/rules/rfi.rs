//! Scripts from another host.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Rfi, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[rule(
    "pack.rfi.script",
    any![
        "(?i)";
        "a script by its ending, or by a name that attackers give it" => concat!(
            r"^\s*(?:https?|ftps?|sftp|//)[:/\\]*[^\s]{1,300}(?:\.(?:php\d?|phtml|asp|aspx|jsp|cfm|pl|cgi|txt|sh|py|dat|gif|jpg|png|inc)\?+(?:\w*=?)?$|/(?:c99|r57|",
            r"shell|cmd|evil|backdoor|webshell|id1?|rfi|r0x|fx29id\d?)[\w-]*(?:\.\w{2,5})?\??)",
        ),
        "a script on a host without a name" =>
            r"^\s*https?://\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/\S{0,200}\.(?:php\d?|txt|sh|pl|py|exe|ps1|elf|jsp|asp)\b",
        "a script on a share" => r"^\s*\\\\[\w.-]+\\\S{1,200}\.(?:php\d?|jsp|aspx?|exe|dll|ps1|bat|hta)\b",
        "a parameter that names a page, and an address in it" =>
            r"(?:[?&]|^)(?:include|page|file|path|template|mosconfig_absolute_path|inc|dir|document_root|root_path|cmd)=(?:https?|ftp)://",
        "a filter that makes code out of nothing" => r"\bconvert\.iconv\.",
        "the installer of PHP packages" => r"\bpearcmd\.php",
        "a parameter with a file of Windows" => r"[?&]\w{1,40}=[a-z]:\\windows\b",
        "a parameter with a share" => r"[?&]\w{1,40}=\\\\[\w.-]+\\",
    ],
    "The text names a script on another host.",
)];
