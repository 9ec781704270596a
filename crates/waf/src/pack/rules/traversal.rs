//! Paths that leave their folder, and files of the system.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Traversal, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.traversal.steps",
        r"(?:^|[^.\w])?\.\.+[/\\]+[./\\]*\.\.[/\\]|\.\.;/|\.\.\.\.[/\\]{2}|\.\.[/\\]+(?:windows|winnt|etc|proc|boot)[/\\]|\.\.0x(?:2f|5c)",
        "The text climbs more than one folder.",
    ),
    rule(
        "pack.traversal.whole",
        r"(?i)^[\s./\\]*\.\.[/\\](?:[\w\-/\\ %]*|[\w.\-/\\ %]*(?:\x00[\w.]*|\.(?:php\d?|conf|cnf|cfg|config|ini|env|py|rb|pl|go|java|class|key|pem|crt|ya?ml|xml|json|log|db|sqlite|sql|sh|bak|old|properties|toml|aspx?|jsp|htaccess|htpasswd|lock|dat|exe|dll)|/\.\w+)|\.\w[\w./\-]*)$",
        "The whole text is a path that leaves its folder.",
    ),
    rule(
        "pack.traversal.unix_file",
        r"(?i)(?:^|=)etc/(?:passwd|shadow|group|hosts)\b|(?:^|[^\w/])(?:file:/{0,3})?/+(?:\./+)*(?:etc/+(?:\./+)*(?:passwd|shadow|gshadow|sudoers|security/)|proc/+(?:self|\d+)/+(?:environ|cmdline|maps|fd|root|cwd|exe|mem|status|net)|root/+\.|dev/(?:tcp|udp)/|var/+run/+secrets/)|(?i)^\S{0,200}/+(?:\./+)*(?:etc/+(?:\./+)*(?:group|hosts|inetd|xinetd|init|rc\d?\.|pam\.|security|vsftpd|proftp|pure-ftpd|sysctl|services|networks?|samba|snmp|squid|logrotate|r?syslog|lighttpd|dhcp|ldap|exports|ftp|mtab|master\.passwd|[wu]tmp|bash|environment|aliases|login|sysconfig|lsb-release|printcap|issue|motd|fstab|crontab|hostname|resolv\.conf|mysql|apache2?|httpd|nginx|ssh|ssl|php|my\.cnf|profile|cron|shells|os-release|redhat|debian)|proc/+(?:version|cpuinfo|cmdline|net|mounts|self|meminfo|\d+)|var/+(?:log|www|lib/mysql|mail|spool)/|usr/local/(?:apache|etc)|opt/\w+/(?:conf|etc|logs?)/|boot/grub|run/secrets/|usr/spool/|(?:logs?|apache2?|httpd|nginx|lampp)/(?:\S*/)?(?:access|error)[_.-]?log|(?:\S*/)?(?:httpd|vsftpd|proftpd?|my|php|nginx|lighttpd|grub)\.(?:conf|cnf|ini)\s*$)\S*\s*$",
        "The text names a file of a Unix system.",
    ),
    rule(
        "pack.traversal.windows_file",
        r"(?i)(?:\bc:|%systemroot%|%windir%)[/\\]+(?:boot\.ini|winnt[/\\]|windows[/\\]+(?:win\.ini|system\.ini|repair[/\\]|panther[/\\]|system32[/\\]+(?:config|drivers[/\\]+etc|inetsrv|cmd\.exe))|(?:users|documents and settings)[/\\]+administrator[/\\])|^\s*c:[/\\]+(?:inetpub|xampp|wamp)[/\\]\S*\s*$|\b(?:boot|win)\.ini\b|\bsystem32[/\\]+cmd\.exe\?|^\s*[/\\]?(?:[a-z]:)?[/\\]*(?:windows|winnt)[/\\]+(?:\S*\.(?:ini|log|bak|sam)|repair\S*|system32[/\\]?)\s*$|^\s*[/\\]?(?:[a-z]:)?[/\\]*(?:program files[/\\]+(?:apache|mysql|php|xampp|filezilla)|system32[/\\]+inetsrv)",
        "The text names a file of a Windows system.",
    ),
    rule(
        "pack.traversal.app_file",
        r"(?i)(?:^|[/\\.\s=])(?:web-inf[/\\]|meta-inf[/\\]|\.ht(?:access|passwd)\b|\.git[/\\](?:config|head|index)|\.svn[/\\]entries|\.ssh[/\\](?:id_|authorized_keys)|\.aws[/\\]credentials|\.bash_(?:history|profile)|wp-config\.php|\.env\b\s*$|\.docker[/\\]config)",
        "The text names a file that holds configuration or secrets of an application.",
    ),
    rule(
        "pack.traversal.encoded",
        r"(?i)\.\.%(?:25)*(?:2f|5c|u2215|u2216|uf025|c[01]%(?:25)*[0-9a-z]{2})|%(?:25)*(?:2e|c0%(?:25)*[a2]e)%(?:25)*(?:2e|c0%(?:25)*[a2]e)(?:%(?:25)*(?:2f|5c|c[01]%)|[/\\])|(?:0x2e){2}(?:0x(?:2f|5c)|[/\\])|(?:\.\.(?:2f|5c)){3}",
        "The text climbs a folder in an encoding that hides it.",
    ),
    Rule {
        confirm: Confirm::SameSides,
        ..rule(
            "pack.traversal.odd_steps",
            r"\.\.([^\s.%]{0,4}%[^\s.]{1,12})\.\.([^\s.%]{0,4}%[^\s.]{1,12})\.\.",
            "The text climbs folders with separators that only some decoders know.",
        )
    },
];
