//! Paths that leave their folder, and files of the system.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule {
        id,
        class: Class::Traversal,
        score: 5,
        paranoia: 1,
        pattern,
        why,
    }
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.traversal.steps",
        r"(?:^|[^.\w])?\.\.+[/\\]+[./\\]*\.\.[/\\]|\.\.;/|\.\.\.\.[/\\]{2}",
        "The text climbs more than one folder.",
    ),
    rule(
        "pack.traversal.whole",
        r"^[\s./\\]*\.\.[/\\][\w.\-/\\ %]*\x00?[\w.]*$",
        "The whole text is a path that leaves its folder.",
    ),
    rule(
        "pack.traversal.unix_file",
        r"(?i)(?:^|[^\w/])(?:file:/{0,3})?/+(?:\./+)*(?:etc/+(?:\./+)*(?:passwd|shadow|group|hosts|issue|motd|fstab|sudoers|crontab|hostname|resolv\.conf|mysql/|apache2?/|httpd/|nginx/|ssh/|ssl/|php|my\.cnf|profile|security/)|proc/+(?:self|version|cpuinfo|cmdline|net|mounts|\d+)\b|var/+(?:log|www|lib/mysql|mail|run/secrets)/|root/+\.|usr/local/(?:apache|etc)|dev/(?:tcp|udp)/)",
        "The text names a file of a Unix system.",
    ),
    rule(
        "pack.traversal.windows_file",
        r"(?i)(?:\bc:|%systemroot%|%windir%)[/\\]+(?:boot\.ini|winnt[/\\]|windows[/\\]+(?:win\.ini|system\.ini|repair[/\\]|panther[/\\]|system32[/\\]+(?:config|drivers[/\\]+etc|inetsrv|cmd\.exe))|inetpub[/\\]|xampp[/\\]|(?:users|documents and settings)[/\\]+administrator)|\b(?:boot|win)\.ini\b",
        "The text names a file of a Windows system.",
    ),
    rule(
        "pack.traversal.app_file",
        r"(?i)(?:^|[/\\.\s=])(?:web-inf[/\\]|meta-inf[/\\]|\.ht(?:access|passwd)\b|\.git[/\\](?:config|head|index)|\.svn[/\\]entries|\.ssh[/\\](?:id_|authorized_keys)|\.aws[/\\]credentials|\.bash_(?:history|profile)|wp-config\.php|\.env\b\s*$|\.docker[/\\]config)",
        "The text names a file that holds configuration or secrets of an application.",
    ),
];
