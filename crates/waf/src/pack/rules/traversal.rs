//! Paths that leave their folder, and files of the system.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Traversal, id, pattern, why)
}

/// Endings of files that hold settings, code or data.
macro_rules! endings {
    () => {
        concat!(
            r"php\d?|conf|cnf|cfg|config|ini|env|py|rb|pl|go|java|class|key|pem|crt|ya?ml|xml|json|log|db|sqlite|sql|",
            r"sh|bak|old|properties|toml|aspx?|jsp|htaccess|htpasswd|lock|dat|exe|dll",
        )
    };
}

/// Files of the system that tell users or secrets.
macro_rules! telling_files {
    () => {
        concat!(
            r"etc/+(?:\./+)*(?:passwd|shadow|gshadow|sudoers|security/)|proc/+(?:self|\d+)/+(?:environ|cmdline|maps|fd|",
            r"root|cwd|exe|mem|status|net)|root/+\.|dev/(?:tcp|udp)/|var/+run/+secrets/",
        )
    };
}

/// Files and folders below `/etc`.
macro_rules! settings {
    () => {
        concat!(
            r"group|hosts|inetd|xinetd|init|rc\d?\.|pam\.|security|vsftpd|proftp|pure-ftpd|sysctl|services|networks?|",
            r"samba|snmp|squid|logrotate|r?syslog|lighttpd|dhcp|ldap|exports|ftp|mtab|master\.passwd|[wu]tmp|bash|",
            r"environment|aliases|login|sysconfig|lsb-release|printcap|issue|motd|fstab|crontab|hostname|resolv\.conf|",
            r"mysql|apache2?|httpd|nginx|ssh|ssl|php|my\.cnf|profile|cron|shells|os-release|redhat|debian",
        )
    };
}

/// Files of Windows.
macro_rules! windows_files {
    () => {
        concat!(
            r"boot\.ini|winnt[/\\]|windows[/\\]+(?:win\.ini|system\.ini|repair[/\\]|panther[/\\]|",
            r"system32[/\\]+(?:config|drivers[/\\]+etc|inetsrv|cmd\.exe))|(?:users|",
            r"documents and settings)[/\\]+administrator[/\\]",
        )
    };
}

/// Files that a web server must not show.
macro_rules! web_files {
    () => {
        concat!(
            r"web-inf[/\\]|meta-inf[/\\]|\.ht(?:access|passwd)\b|\.git[/\\](?:config|head|index)|\.svn[/\\]entries|",
            r"\.ssh[/\\](?:id_|authorized_keys)|\.aws[/\\]credentials|\.bash_(?:history|profile)|wp-config\.php|",
            r"\.env\b\s*$|\.docker[/\\]config",
        )
    };
}

/// Folders that servers write to.
macro_rules! folders {
    () => {
        concat!(
            r"(?:local/+)?(?:etc|lib|lib64|libexec|sbin|share)/|log/|logs/|www/|lib/|mail/|spool/|backups?/|cache/|",
            r"run/|db/|sess_|apache\d*|httpd|tomcat|jboss|lampp|xampp",
        )
    };
}

/// Files with settings or secrets.
macro_rules! secret_files {
    () => {
        concat!(
            r"[\w.-]+\.sql\.(?:zip|gz|bz2?|tar|tgz|7z|rar|xz)|wp-config[\w.-]{0,20}|config(?:uration)?\.inc\.php|",
            r"(?:credentials|secrets)\.(?:json|ya?ml)|database\.ya?ml|web\.config|phpinfo\.php|(?:debian|mysql|",
            r"my)\.cnf|id_(?:rsa|dsa|ecdsa|ed25519)(?:\.pub)?",
        )
    };
}

/// Hidden files and folders of tools, without their dot.
macro_rules! hidden_files {
    () => {
        concat!(
            r"env(?:rc)?(?:\.\w{1,12})?|git(?:config|credentials|modules|ignore|attributes|-credentials)?|",
            r"svn(?:ignore)?|hg(?:ignore)?|cvs|bzr|ssh|aws|azure|boto|docker(?:env|cfg|ignore)?|kube|minikube|helm|",
            r"terraform|vagrant\.d|ansible|netrc|pgpass|my\.cnf|(?:bash|zsh|sh|ksh|csh|tcsh|mysql|psql|sqlite|php|",
            r"python|node_repl|rediscli|nano|irb)_?(?:history|rc|profile|logout|env|_aliases)|(?:z|l|r)?history|",
            r"lesshst|viminfo|vimrc|profile|rhosts|forward|gnupg|pki|password-store|htaccess|htpasswd|htdigest|npmrc|",
            r"yarnrc|pypirc|gem|cargo|rustup|nvm|npm|m2|gradle|s3cfg|gsutil|config|local|cache|subversion|xauthority|",
            r"dbus|thunderbird|mozilla|google_authenticator|credentials|secrets?|ds_store|idea|vscode|travis\.ya?ml|",
            r"wget-hsts|ftpconfig|msmtprc|lftp|tor|java|drush|composer",
        )
    };
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.traversal.steps",
        r"(?:^|[^.\w])?\.\.+[/\\]+[./\\]*\.\.[/\\]|\.\.;[^/\s]{0,40}/|\.\t{1,4}\.\t{0,4}[/\\]|\.\.\.\.[/\\]{2}|\.\.[/\\]+(?:windows|winnt|etc|proc|boot)[/\\]|\.\.0x(?:2f|5c)",
        "The text climbs more than one folder.",
    ),
    rule(
        "pack.traversal.whole",
        any![
            "(?i)";
            "steps up, and nothing but a path or a file behind them" => concat!(
                r"^[\s./\\]*\.\.[/\\](?:[\w\-/\\ %]*|[\w.\-/\\ %]*(?:\x00[\w.]*|\.(?:",
                endings!(),
                r")|/\.\w+)|\.\w[\w./\-]*)$",
            ),
        ],
        "The whole text is a path that leaves its folder.",
    ),
    rule(
        "pack.traversal.unix_file",
        any![
            "(?i)";
            "a list of users without its root" => r"(?:^|=)etc/(?:passwd|shadow|group|hosts)\b",
            "a file of the system that tells users or secrets" => concat!(
                r"(?:^|[^\w/])(?:file:/{0,3})?/+(?:\./+)*(?:",
                telling_files!(),
                r")",
            ),
            "nothing but the path of a file of the system" => concat!(
                r"(?i)^\S{0,200}/+(?:\./+)*(?:etc/+(?:\./+)*(?:",
                settings!(),
                r")|proc/+(?:version|cpuinfo|cmdline|net|mounts|self|meminfo|\d+)|var/+(?:log|www|lib/mysql|mail|spool)/|usr/local/(?:apache|etc)|opt/\w+/(?:conf|etc|",
                r"logs?)/|boot/grub|run/secrets/|usr/spool/|(?:logs?|apache2?|httpd|nginx|lampp)/(?:\S*/)?(?:access|error)[_.-]?log|(?:\S*/)?(?:httpd|vsftpd|proftpd?|",
                r"my|php|nginx|lighttpd|grub)\.(?:conf|cnf|ini)\s*$)\S*\s*$",
            ),
        ],
        "The text names a file of a Unix system.",
    ),
    rule(
        "pack.traversal.windows_file",
        any![
            "(?i)";
            "a file of Windows by its whole path" => concat!(
                r"(?:\bc:|%systemroot%|%windir%)[/\\]+(?:",
                windows_files!(),
                r")",
            ),
            "a folder of a web server on Windows" => r"^\s*c:[/\\]+(?:inetpub|xampp|wamp)[/\\]\S*\s*$",
            "a file with settings of Windows" => r"\b(?:boot|win)\.ini\b",
            "the shell of Windows as a page" => r"\bsystem32[/\\]+cmd\.exe\?",
            "a folder of Windows without its drive" =>
                r"^\s*[/\\]?(?:[a-z]:)?[/\\]*(?:windows|winnt)[/\\]+(?:\S*\.(?:ini|log|bak|sam)|repair\S*|system32[/\\]?)\s*$",
            "a folder of programs of Windows" =>
                r"^\s*[/\\]?(?:[a-z]:)?[/\\]*(?:program files[/\\]+(?:apache|mysql|php|xampp|filezilla)|system32[/\\]+inetsrv)",
        ],
        "The text names a file of a Windows system.",
    ),
    rule(
        "pack.traversal.app_file",
        any![
            "(?i)";
            "a file that a web server must not show" => concat!(
                r"(?:^|[/\\.\s=])(?:",
                web_files!(),
                r")",
            ),
        ],
        "The text names a file that holds configuration or secrets of an application.",
    ),
    rule(
        "pack.traversal.encoded",
        any![
            "(?i)";
            "a step up and an encoded separator" =>
                r"\.\.%(?:25)*(?:2f|5c|u2215|u2216|uf025|c[01]%(?:25)*[0-9a-z]{2}|(?:e0|f0%(?:25)*80)%(?:25)*8[01]%(?:25)*[0-9a-z]{2})",
            "an encoded step up" =>
                r"%(?:25)*(?:2e|c0%(?:25)*[a2]e)%(?:25)*(?:2e|c0%(?:25)*[a2]e)(?:%(?:25)*(?:2f|5c|c[01]%)|[/\\])",
            "a step up in numbers" => r"(?:0x2e){2}(?:0x(?:2f|5c)|[/\\])",
            "a step up whose percent signs are gone" => r"(?:\.\.(?:2f|5c)){3}",
        ],
        "The text climbs a folder in an encoding that hides it.",
    ),
    rule(
        "pack.traversal.system_path",
        any![
            "(?i)";
            "nothing but a path below a folder of the system" =>
                r#"^\s*['"]?(?:file:/{0,3})?/+(?:\./+)*(?:etc|proc|sys|root|boot|dev|run|private/etc)/+\S{1,200}['"]?\s*$"#,
            "nothing but a path below a folder that servers write to" => concat!(
                r#"^\s*['"]?(?:file:/{0,3})?/+(?:\./+)*(?:(?:var|usr)/+\S|(?:tmp|opt|srv|home|mnt)/+(?:\./+)*(?:"#,
                folders!(),
                r#")|(?:xampp|wamp|lampp|inetpub|jakarta|lsws|lighttpd|pgsql|postgresql|winnt|windows|system32)/+\S)\S{0,200}['"]?\s*$"#,
            ),
            "nothing but a file with settings or secrets" => concat!(
                r#"^\s*['"]?(?:[\w./-]*/)?(?:"#,
                secret_files!(),
                r#")['"]?\s*$"#,
            ),
            "nothing but a file of settings in a folder" =>
                r#"^\s*['"]?/(?:[\w./-]*/)?(?:config|settings|configuration|secrets|application)(?:[._-](?:dev|prod|test|sample|local|default)\w{0,10})?\.(?:php|ini|ya?ml|json|toml|xml|py|rb|pl|asp|properties)['"]?\s*$"#,
            "a folder of a web server" =>
                r#"^\s*['"]?/?apache(?:2|22|24)?/(?:conf|logs?|vhosts|sites|mods)\S{0,80}\s*$"#,
        ],
        "The whole text is the path of a file that belongs to the system.",
    ),
    rule(
        "pack.traversal.hidden_file",
        any![
            "(?i)";
            "nothing but a hidden file or folder" =>
                r#"^\s*['"]?(?:[a-z]{2,6}://[\w.:-]+|~)?/(?:[\w./~-]*/)?\.(?:[a-vx-z][\w-]{2}|w[a-df-z][\w-]|we[a-km-z])[\w.-]*(?:/\S{0,200})?['"]?\s*$"#,
            "nothing but a hidden file that is known" => concat!(
                r#"^\s*['"]?(?:[\w./\\:~-]*[/\\])?\.(?:"#,
                hidden_files!(),
                r#")(?:[/\\]\S{0,200})?['"]?\s*$"#,
            ),
        ],
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
