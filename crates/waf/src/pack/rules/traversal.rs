//! Paths that leave their folder, and files of the system.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Traversal, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.traversal.steps",
        r"(?:^|[^.\w])?\.\.+[/\\]+[./\\]*\.\.[/\\]|\.\.;/|\.\.\.\.[/\\]{2}|\.\.0x(?:2f|5c)",
        "The text climbs more than one folder.",
    ),
    rule(
        "pack.traversal.whole",
        r"(?i)^[\s./\\]*\.\.[/\\](?:[\w\-/\\ %]*|[\w.\-/\\ %]*(?:\x00[\w.]*|\.(?:php\d?|conf|cnf|cfg|config|ini|env|py|rb|pl|go|java|class|key|pem|crt|ya?ml|xml|json|log|db|sqlite|sql|sh|bak|old|properties|toml|aspx?|jsp|htaccess|htpasswd|lock|dat|exe|dll)|/\.\w+)|\.\w[\w./\-]*)$",
        "The whole text is a path that leaves its folder.",
    ),
    rule(
        "pack.traversal.unix_file",
        r"(?i)(?:^|[^\w/])(?:file:/{0,3})?/+(?:\./+)*(?:etc/+(?:\./+)*(?:passwd|shadow|gshadow|sudoers|security/)|proc/+(?:self|\d+)/+(?:environ|cmdline|maps|fd|root|cwd|exe|mem|status|net)|root/+\.|dev/(?:tcp|udp)/|var/+run/+secrets/)|(?i)^\S{0,200}/+(?:\./+)*(?:etc/+(?:\./+)*(?:group|hosts|issue|motd|fstab|crontab|hostname|resolv\.conf|mysql|apache2?|httpd|nginx|ssh|ssl|php|my\.cnf|profile|cron|shells|os-release|redhat|debian)|proc/+(?:version|cpuinfo|cmdline|net|mounts|self|meminfo|\d+)|var/+(?:log|www|lib/mysql|mail|spool)/|usr/local/(?:apache|etc)|opt/\w+/(?:conf|etc)/)\S*\s*$",
        "The text names a file of a Unix system.",
    ),
    rule(
        "pack.traversal.windows_file",
        r"(?i)(?:\bc:|%systemroot%|%windir%)[/\\]+(?:boot\.ini|winnt[/\\]|windows[/\\]+(?:win\.ini|system\.ini|repair[/\\]|panther[/\\]|system32[/\\]+(?:config|drivers[/\\]+etc|inetsrv|cmd\.exe))|(?:users|documents and settings)[/\\]+administrator[/\\])|^\s*c:[/\\]+(?:inetpub|xampp|wamp)[/\\]\S*\s*$|\b(?:boot|win)\.ini\b",
        "The text names a file of a Windows system.",
    ),
    rule(
        "pack.traversal.app_file",
        r"(?i)(?:^|[/\\.\s=])(?:web-inf[/\\]|meta-inf[/\\]|\.ht(?:access|passwd)\b|\.git[/\\](?:config|head|index)|\.svn[/\\]entries|\.ssh[/\\](?:id_|authorized_keys)|\.aws[/\\]credentials|\.bash_(?:history|profile)|wp-config\.php|\.env\b\s*$|\.docker[/\\]config)",
        "The text names a file that holds configuration or secrets of an application.",
    ),
];
