//! Paths that leave their folder, and files of the system.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Traversal, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.traversal.steps",
        r"(?:^|[^.\w])?\.\.+[/\\]+[./\\]*\.\.[/\\]|\.\.;[^/\s]{0,40}/|\.\t{1,4}\.\t{0,4}[/\\]|\.\.\.\.[/\\]{2}|\.\.[/\\]+(?:windows|winnt|etc|proc|boot)[/\\]|\.\.0x(?:2f|5c)",
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
        r"(?i)\.\.%(?:25)*(?:2f|5c|u2215|u2216|uf025|c[01]%(?:25)*[0-9a-z]{2}|(?:e0|f0%(?:25)*80)%(?:25)*8[01]%(?:25)*[0-9a-z]{2})|%(?:25)*(?:2e|c0%(?:25)*[a2]e)%(?:25)*(?:2e|c0%(?:25)*[a2]e)(?:%(?:25)*(?:2f|5c|c[01]%)|[/\\])|(?:0x2e){2}(?:0x(?:2f|5c)|[/\\])|(?:\.\.(?:2f|5c)){3}",
        "The text climbs a folder in an encoding that hides it.",
    ),
    rule(
        "pack.traversal.system_path",
        r#"(?i)^\s*['"]?(?:file:/{0,3})?/+(?:\./+)*(?:etc|proc|sys|root|boot|dev|run|private/etc)/+\S{1,200}['"]?\s*$|^\s*['"]?(?:file:/{0,3})?/+(?:\./+)*(?:(?:var|usr)/+\S|(?:tmp|opt|srv|home|mnt)/+(?:\./+)*(?:(?:local/+)?(?:etc|lib|lib64|libexec|sbin|share)/|log/|logs/|www/|lib/|mail/|spool/|backups?/|cache/|run/|db/|sess_|apache\d*|httpd|tomcat|jboss|lampp|xampp)|(?:xampp|wamp|lampp|inetpub|jakarta|lsws|lighttpd|pgsql|postgresql|winnt|windows|system32)/+\S)\S{0,200}['"]?\s*$|^\s*['"]?(?:[\w./-]*/)?(?:[\w.-]+\.sql\.(?:zip|gz|bz2?|tar|tgz|7z|rar|xz)|wp-config[\w.-]{0,20}|config(?:uration)?\.inc\.php|(?:credentials|secrets)\.(?:json|ya?ml)|database\.ya?ml|web\.config|phpinfo\.php|(?:debian|mysql|my)\.cnf|id_(?:rsa|dsa|ecdsa|ed25519)(?:\.pub)?)['"]?\s*$|^\s*['"]?/(?:[\w./-]*/)?(?:config|settings|configuration|secrets|application)(?:[._-](?:dev|prod|test|sample|local|default)\w{0,10})?\.(?:php|ini|ya?ml|json|toml|xml|py|rb|pl|asp|properties)['"]?\s*$|^\s*['"]?/?apache(?:2|22|24)?/(?:conf|logs?|vhosts|sites|mods)\S{0,80}\s*$"#,
        "The whole text is the path of a file that belongs to the system.",
    ),
    rule(
        "pack.traversal.hidden_file",
        r#"(?i)^\s*['"]?(?:[a-z]{2,6}://[\w.:-]+|~)?/(?:[\w./~-]*/)?\.(?:[a-vx-z][\w-]{2}|w[a-df-z][\w-]|we[a-km-z])[\w.-]*(?:/\S{0,200})?['"]?\s*$|^\s*['"]?(?:[\w./\\:~-]*[/\\])?\.(?:env(?:rc)?(?:\.\w{1,12})?|git(?:config|credentials|modules|ignore|attributes|-credentials)?|svn(?:ignore)?|hg(?:ignore)?|cvs|bzr|ssh|aws|azure|boto|docker(?:env|cfg|ignore)?|kube|minikube|helm|terraform|vagrant\.d|ansible|netrc|pgpass|my\.cnf|(?:bash|zsh|sh|ksh|csh|tcsh|mysql|psql|sqlite|php|python|node_repl|rediscli|nano|irb)_?(?:history|rc|profile|logout|env|_aliases)|(?:z|l|r)?history|lesshst|viminfo|vimrc|profile|rhosts|forward|gnupg|pki|password-store|htaccess|htpasswd|htdigest|npmrc|yarnrc|pypirc|gem|cargo|rustup|nvm|npm|m2|gradle|s3cfg|gsutil|config|local|cache|subversion|xauthority|dbus|thunderbird|mozilla|google_authenticator|credentials|secrets?|ds_store|idea|vscode|travis\.ya?ml|wget-hsts|ftpconfig|msmtprc|lftp|tor|java|drush|composer)(?:[/\\]\S{0,200})?['"]?\s*$"#,
        "The whole text is the path of a file that programs hide.",
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
