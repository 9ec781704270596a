//! Commands for shells and code for interpreters.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Rce, id, pattern, why)
}

/// Tools whose names are no words of a language.
macro_rules! tools {
    () => {
        concat!(
            r"aa-\w+|ansible(?:-\w+)?|aptitude|apt|aria2c|arj|ash|base32|base58|bcdboot|blkid|bsdtar|bunzip2|bzcat|",
            r"bzip2|c[89]9|capsh|chattr|chef-\w+|chroot|cpan|cpio|cpulimit|crash|cscli|debugfs|dnf|dosbox|easy_install|",
            r"egrep|ethtool|fdisk|fgrep|flock|gcc[\d.]*|gcore|gdb|genisoimage|getcap|gtester|gunzip|gzip|htop|iconv|",
            r"insmod|ionice|irb|iwmi|jjs|journalctl|jrunscript|jshell|lastlog(?:in)?|ldconfig|ldd|loginctl|logsave|",
            r"losetup|lsblk|lsattr|lsmod|lspci|ltrace|lua[\d.]*|lwp-\w+|lzma|mawk|minicom|mkfs(?:\.\w+)?|mknod|",
            r"modprobe|nawk|nft|ngrep|nmcli|nsenter|objdump|pacman|pdb|perf|pgrep|php\d[\d.]*|pidstat|pkexec|pkill|pry|",
            r"pwsh|python[\d.]+|readelf|regedit|rlogin|rlwrap|rmmod|rmt(?:-\w+)?|rpm|rsh|rview|rvim|setarch|setcap|",
            r"sftp|slsh|smbclient|sqlmap|ssh(?:-copy-id|-keygen|-keyscan)?|stdbuf|strace|sysctl|taskset|tclsh|tcpdump|",
            r"timedatectl|tmux|tshark|umount|unrar|unshare|unxz|unzstd|valgrind|vigr|vipw|visudo|whois|wish|xdotool|",
            r"xmodmap|xxd|xz(?:cat)?|zcat|zgrep|zip(?:grep|info|note|split)|zstd(?:cat)?|zypper",
        )
    };
}

/// Commands that are no words of a language.
macro_rules! commands {
    () => {
        concat!(
            r"whoami|uname|ifconfig|netstat|wget|curl|ncat|netcat|telnet|bash|zsh|ksh|csh|tcsh|dash|nslookup|",
            r"traceroute|passwd|chmod|chown|mkfifo|lsof|printenv|tftp|crontab|systeminfo|ipconfig|tasklist|powershell|",
            r"pwsh|cmd(?:\.exe)?|certutil|bitsadmin|wmic|rundll32|regsvr32|mshta|cscript|wscript|getent|arp|nmap|socat|",
            r"scp|rsync|useradd|adduser|usermod|iptables|systemctl|mysql|psql|mysqldump|sqlite3|dpkg|apt-get|yum|",
            r"base64|xxd|sed|awk|gawk|grep|egrep|tac|xargs|lsb_release|lscpu|dmesg|pwd|ls|ps|nc|sh|tee|openssl|busybox|",
            r"kubectl",
        )
    };
}

/// Commands that are words, or short enough to be one.
macro_rules! word_commands {
    () => {
        concat!(
            r"id\s+(?:-\w|root\b)|cat|tac|nl|od|uniq|dig|ping6?|killall|rm|cp|mv|mkdir|rmdir|ln|dd|tar|unzip|vi|vim|",
            r"nano|stat|del|ren|attrib|echo|printf|eval|su|sudo|whereis|expr|shutdown|sleep|timeout|taskkill",
        )
    };
}

/// Commands that are usual words.
macro_rules! usual_words {
    () => {
        concat!(
            r"gcc|more|less|head|tail|sort|cut|find|host|kill|touch|zip|ed|split|diff|file|type|copy|move|net|reg|sc|",
            r"at|start|source|alias|export|exec|read|test|man|make|locate|which|reboot|halt|service",
        )
    };
}

/// Commands that are run inside of others.
macro_rules! substituted {
    () => {
        concat!(
            r"id|ls|pwd|ps|whoami|uname|cat|curl|wget|ping|sleep|nslookup|dig|host|echo|bash|sh|nc|env|hostname|date|",
            r"ifconfig|netstat|which|find|rm|touch|head|tail|php|perl|python[23]?|printf|rev|tr|base64|printenv|w|who|",
            r"ipconfig|dir|type|systeminfo|tasklist",
        )
    };
}

/// Programs that stand below `bin`.
macro_rules! programs {
    () => {
        concat!(
            r"sh|bash|zsh|dash|ksh|csh|cat|ls|id|nc|netcat|ncat|wget|curl|ping|python[23]?|perl|ruby|php|whoami|uname|",
            r"echo|sleep|chmod|rm|env|telnet|ifconfig|nslookup|head|tail|find|ps|kill|touch|more|less|tac|awk|sed|grep|",
            r"base64|busybox|mail|sendmail|dd",
        )
    };
}

/// What tells that a script is fetched, or handed on.
macro_rules! fetched_scripts {
    () => {
        concat!(r"\.(?:sh|py|pl|exe|ps1|elf|bin|txt|php|cgi)\b|[`$]|/x\b|\s+-[oO]\b|\s*\|",)
    };
}

/// Commands of PowerShell that run or fetch something.
macro_rules! powershell {
    () => {
        concat!(
            r"invoke-(?:expression|webrequest|command|restmethod|mimikatz|shellcode)|new-object\s+(?:system\.)?net\.|",
            r"start-process\b|set-executionpolicy|frombase64string|downloadstring|downloadfile|add-type\b|iex\s*\(|",
            r"iwr\s+",
        )
    };
}

/// Commands of the shell of Windows.
macro_rules! windows_commands {
    () => {
        concat!(
            r"dir|type|ver|tree|more|findstr|where|whoami|ipconfig|net|copy|del|echo|set|start|ping|tasklist|",
            r"systeminfo|vol|nslookup|certutil|reg",
        )
    };
}

/// Programs of Windows that fetch or run something for whoever asks.
macro_rules! windows_programs {
    () => {
        concat!(
            r"certutil(?:\.exe)?\s+.{0,40}-urlcache|bitsadmin\s+/transfer|mshta\s+(?:http|vbscript|javascript)|",
            r"regsvr32\s+/|rundll32(?:\.exe)?\s+\S+,|wmic\s+(?:process|os|useraccount|product|/node)|",
            r"schtasks\s+/create|reg\s+(?:add|query|save|delete)\s+hk",
        )
    };
}

/// Functions of PHP that run, read or change something.
macro_rules! php_functions {
    () => {
        concat!(
            r"system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec|eval|assert|create_function|",
            r"call_user_func(?:_array)?|file_get_contents|file_put_contents|fopen|readfile|show_source|highlight_file|",
            r"unserialize|base64_decode|gzinflate|gzuncompress|str_rot13|preg_replace|array_map|array_filter|usort|",
            r"ob_start|move_uploaded_file|unlink|symlink|chmod|mail|putenv|ini_set|dl|scandir|glob|opendir|print_r|",
            r"var_dump|register_shutdown_function|extract|parse_str",
        )
    };
}

/// What hidden code is made with.
macro_rules! php_made {
    () => {
        concat!(
            r"base64_decode|gzinflate|str_rot13|chr\s*\(|system|exec|implode|file_get|getenv|current\s*\(|",
            r"array_\w+\s*\(|phpinfo|__file__",
        )
    };
}

/// Classes of the base library that reach the system.
macro_rules! java_classes {
    () => {
        concat!(
            r"lang\.(?:runtime|system|process|processbuilder|class|thread|reflect|string|object|math)\b|net\.(?:url|",
            r"socket|urlclassloader)\b|io\.(?:file\w*|bufferedreader|inputstream\w*)\b|util\.(?:scanner|arraylist|",
            r"priorityqueue)\b|rmi\.|beans\.",
        )
    };
}

/// Libraries with classes that make code of data.
macro_rules! gadgets {
    () => {
        concat!(
            r"org\.apache\.commons\.collections|com\.sun\.rowset|org\.springframework\.(?:context|beans|core|util)|",
            r"com\.sun\.org\.apache|org\.codehaus\.groovy|sun\.misc\.unsafe|clojure\.lang|bsh\.interpreter|",
            r"freemarker\.template|ognl\.|org\.yaml\.snakeyaml|com\.mchange",
        )
    };
}

/// Functions of Python that run or list something.
macro_rules! python_functions {
    () => {
        concat!(
            r"system|popen\d?|exec[lv]?p?e?|spawn\w*|getoutput|getstatusoutput|check_output|check_call|call|run|remove|",
            r"import_module|listdir|modules",
        )
    };
}

/// What may follow a condition in a batch file.
macro_rules! batch_commands {
    () => {
        concat!(
            r#"\(|@?echo\b|set\s+"?\w+=|goto\b|call\b|del\b|copy\b|start\b|cmd\b|md\b|rd\b|rmdir\b|exit\b|type\b|dir\b"#,
        )
    };
}

/// Functions of PHP whose names are no words.
macro_rules! php_calls {
    () => {
        concat!(
            r"base64_(?:de|en)code|bzdecompress|bzcompress|call_user_func(?:_array)?|p?fsockopen|gz(?:decode|inflate|",
            r"uncompress|open|file)|get_defined_(?:functions|vars|constants)|posix_\w{2,20}|pcntl_\w{2,20}|shell_exec|",
            r"proc_open|passthru|zlib_decode|curl_(?:init|exec|setopt)|print_r|var_dump|var_export|strrev|str_rot13|",
            r"file_exists|file_(?:get|put)_contents|is_array|array_(?:map|walk|filter)|create_function|func_get_args|",
            r"highlight_file|php_uname|phpversion|preg_replace_callback|show_source|stream_socket_client|",
            r"tidy_parse_string|odbc_\w{4,40}|mysqli?_query|unserialize|strip_tags|intval|assert_options|ini_set|",
            r"move_uploaded_file",
        )
    };
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.rce.separator_command",
        any![
            "(?i)";
            "a command that is no word, behind a separator" => concat!(
                r"(?:[;|&\n\r]|\$\(|<\(|>\(|\{|%0a|\|\||&&)\s*(?:\{\s*)?(?:sudo\s+|nohup\s+|time\s+|exec\s+|command\s+|busybox\s+|env\s+)?(?:[\w./*?-]*/)?(?:",
                commands!(),
                r#")(?:\s+s_client|\s*(?:$|[;|&`)<>}\n\r#'"\\])|\s+(?:-|/|['"$.~*?{]|https?:|\w+[./:@]|[\w.-]+\s*(?:$|[;|&`)<>}\n\r#])))"#,
            ),
            "an interpreter behind a separator" => concat!(
                r"(?:[;|&\n\r]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:python[23]?|perl|ruby|node(?:js)?|php\d?|strings|rev|hostname)(?:\s*(?:$|[|`)<>#]|&&|&\s*$|;\s*$)|",
                r#"\s+(?:-|['"]|/|<|\$)|\s+\S+\.(?:py|pl|rb|php|js|c)\s*(?:$|[;|&]))"#,
            ),
        ],
        "The text starts a command after a separator of the shell.",
    ),
    rule(
        "pack.rce.separator_word",
        any![
            "(?i)";
            "a command that is a word, alone behind a separator" => concat!(
                r#"(?:[;|&\n\r]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:(?:id|env|df|du|uptime|reboot|poweroff|ver|vol|sysinfo|hostnamectl)\s*(?:$|[;|`)<>}#'"]|&&|&\s*$)|"#,
                r"(?:who|date|history|dir|tree)[^\S\r\n]*(?:[`)<>#]|&&|\|\s*(?:[a-z]{2,8}\s*$|[a-z]+\s+-)))",
            ),
            "one with arguments that only a command has" => concat!(
                r"(?:[;|&\n\r]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:(?:",
                word_commands!(),
                r#")[^\S\r\n]+(?:-{1,2}\w|/(?:\w|\?|\*)|[~.$*%`'"\\<>]|\w+=|(?:[^\s(/\\*\d][^\s(/\\*]*[/\\*]|[/\\*][^\s(/])[^\s(]*|(?:user|view|localgroup|share|use|start|query|add|hklm|"#,
                r#"hkcu|passwd|etc|flag|su|root)\b|localhost\b\s*(?:$|[;|&`)<>#]|-))|(?:sleep|timeout|ping6?|expr|stat)\s+\d+\s*(?:$|[;|&`)#'"]))"#,
            ),
            "one that is a usual word, with arguments that only a command has" => concat!(
                r"(?:[;|&]|\$\(|\|\||&&)[^\S\r\n]*(?:[\w./*?-]*/)?(?:",
                usual_words!(),
                r")[^\S\r\n]+(?:-{1,2}\w+\s*(?:$|\S)|/(?:\w|\?|\*)|[~$*%`\\<>]|\.{1,2}/|\w+=|[/~.*\\]\S*|[^\s<>!()]*(?:/\w+[.*]|\*|\\\w|etc/)\S*|(?:user|view|localgroup|share|use|hklm|hkcu|localhost|passwd|flag)\b)",
            ),
            "a command of two words" =>
                r"[;|&]\s*(?:\.\s+/|git\s+clone\s|docker\s+(?:run|exec)\s+-|systemctl\s+(?:stop|disable|start|restart|mask)\s|su\s+-)",
            "a file name that tar takes for an option" => r"--checkpoint-action=exec",
            "a question to the system's databases" =>
                r"[;|&]\s*getent\s+(?:hosts|ahosts|passwd|group|shadow|services)\b",
            "a question whether a program is there" =>
                r"[;|&]\s*which\s+(?:nc|ncat|python[23]?|curl|wget|perl|gcc|bash|php|ruby|node)\b",
            "an option that runs a command" =>
                r#"^\s*['"]?\s*-{1,2}o?(?:proxycommand|upload-pack|receive-pack|use-askpass|checkpoint-action|to-command)[=\s]"#,
        ],
        "The text starts a command after a separator of the shell.",
    ),
    Rule {
        confirm: Confirm::FollowsValue,
        ..rule(
            "pack.rce.separator_alone",
            r"(?i)(?:[;|&\n\r]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:w|who|date|set|top|last|halt|mount|history|dir|tree)\s*(?:$|[|&`)<>#]|;\s*(?:$|[a-z]{2,8}\s*$))",
            "The text starts a command after a value and a separator of the shell.",
        )
    },
    rule(
        "pack.rce.echo",
        any![
            "(?i)";
            "an answer, behind a separator" =>
                r#"(?:[;|&\n\r]|\$\(|\|\||&&)\s*(?:(?:echo|printf|sleep)\s*(?:['"$\\<>-]|\d+\s*(?:$|[;|&`)#'"])|\w+\s*(?:[;|&`)<>#]|>))|print\s*['"`$<])"#,
            "a word that is answered" => r"(?:[;|&]|\$\(|\|\||&&)\s*(?:echo|printf)\s+\w+\s*$",
            "a wait" => r"(?:^|[\s;|&])sleep\s+\d+\s*(?:;|\||&|#|$)",
        ],
        "The text makes a shell answer or wait.",
    ),
    rule(
        "pack.rce.substitution",
        any![
            "(?i)";
            "a command in brackets" => concat!(
                r"\$\(\s*(?:(?:",
                substituted!(),
                r#")\s*(?:\)|$|[<|;&>])|[a-z]{2,12}\s+[-/$'"<\w.]|<)"#,
            ),
            "a command with arguments between backticks" => concat!(
                r"\x60\s*(?:",
                substituted!(),
                r#")\s+(?:[-/$'"<|~]|\.\.?/)[^\x60]{0,120}\x60"#,
            ),
            "one that reaches a host" => r"\x60\s*(?:curl|wget|ping|nslookup|dig|host|nc)\s+\w+[.:/][^\x60]{0,120}\x60",
            "one that waits" => r"\x60\s*sleep\s+\d+\s*\x60",
            "a command between backticks, inside a word" => concat!(
                r#"(?:^|[^\s\x60(\["'])\x60(?:"#,
                substituted!(),
                r")\b\s*[|;&]?[^\x60]{0,60}\x60",
            ),
            "a text that is nothing but that" => concat!(
                r#"^\s*['"]?\x60\s*(?:"#,
                substituted!(),
                r#")\b[^\x60]{0,60}\x60[.\w]*['"]?\s*$"#,
            ),
            "a command and another one, between backticks" => concat!(
                r"\x60\s*(?:",
                substituted!(),
                r")\s*[|;&>][^\x60]{0,120}\x60",
            ),
            "a variable of the shell in braces" => r"\$\{\s*(?:IFS|PATH|HOME|SHELL|PWD|BASH|HOSTNAME|@)\b",
            "blanks by a variable" => r"\$IFS\b",
            "a sum" => r"\$\(\(\s*[\d+*\- ]+\)\)",
            "a command in braces" => r"\{(?:cat|ls|echo|id|curl|wget|ping|bash|sh|nc|sleep),[^}]{1,60}\}",
            "a file of the system read" => r"<\s*/etc/",
            "a file written where the system keeps its own" => r">\s*/(?:tmp|dev|var|etc|home)/",
            "blanks that are set" => r"\bIFS\s*=",
            "a letter by its number" => r"\$'\\x",
            "an argument of the shell" => r"\$@\w",
            "a path of jokers" => r"/\?{2,}/",
            "a program by a path with jokers" => r"/b[i?*]n/\w*[?*][\w?*]*(?:\s|$|[;|&)])",
            "the folder of programs, with jokers" => r"/(?:[?*]in|b[?*]n|bi[?*])/\w",
            "the folder of settings, with jokers" => r"/(?:e[?*]{1,2}c?|[?*]{1,2}c|[?*]tc|et[?*])/[\w?*]{3}",
            "the list of users, with jokers" =>
                r"/etc/(?:[?*][as]|p[?*]s|pa[?*]|pas[?*]|pass[?*]|passw[?*]|sh[?*]|sha[?*])",
        ],
        "The text uses substitution of a shell.",
    ),
    rule(
        "pack.rce.binary",
        any![
            "(?i)";
            "a program by its path" => concat!(
                r"(?:^|[^\w])/(?:usr/(?:local/)?)?s?bin/+(?:\./+)*(?:",
                programs!(),
                r")\b",
            ),
            "a connection by a file" => r"/dev/(?:tcp|udp)/[\w.]+/\d",
            "a shell that is given a command" => r"\b(?:ba|z|k|c|da)?sh\s+-(?:c|i)\b",
            "a listener or a connection with a shell" =>
                r"\b(?:nc|ncat|netcat)(?:\.\w+)?\s+(?:-\w+\s+)*(?:-e|-c|-lvp?|-nv\w*|\d{1,3}(?:\.\d{1,3}){3}\s+\d+)",
            "a pipe with a name" => r"\bmkfifo\s+/",
            "a program that fetches a script" => concat!(
                r#"\b(?:wget|curl|fetch|lwp-download|lynx)\s+(?:-{1,2}[\w-]+(?:[= ]\S+)?\s+)*['"]?(?:(?:https?|ftp)?:?//\S*(?:"#,
                fetched_scripts!(),
                r")|(?:file|dict|gopher)://)",
            ),
            "a program that sends a file" =>
                r"\b(?:wget|curl)\s[^\n]{0,120}(?:-d\s*@|--data(?:-binary)?\s+@|-F\s+\S+=@|-T\s+/)",
            "nothing but a fetch" => r"^\s*(?:wget|curl)\s+(?:https?://)?\S+\s*$",
            "an interpreter that is given code" => r#"\b(?:python[23]?|perl|ruby|php|node|lua)\s+-(?:c|e|r)\s*['"\w]"#,
            "a shell at the end of a pipe" => r"\|\s*(?:ba|z|k|da)?sh\b\s*(?:$|[;|&<>-])",
            "rights that are given" => r"\bchmod\s+(?:[ugoa]*\+[rw]?[xs]\s+[/~.$*]|[0-7]?7[0-7]{2}|[246][0-7]{3})\s+\S",
            "files that are removed" => r#"\brm\s+-(?:rf|fr|r|f)\b\s*(?:[/~.$*'"\x60\\-]|\S+[/*.]|\w+\s*(?:$|[;|&\n]))"#,
            "a file that is shown" => r"\bcat\s+(?:/etc/|/proc/|/home/|/root/|/var/|/flag|\.\./|~/|<)",
            "a host without a name that is tried" =>
                r"\bping\s+(?:-[cnit]\s*\d+\s+)?(?:\d{1,3}(?:\.\d{1,3}){3}|localhost)\b\s*(?:$|[;|&`-])",
            "a name that is resolved" => r"\bnslookup\s+(?:-\w+\S*\s+)?[\w$`(.{-]+\.[\w.$`(){-]+",
            "a host that is tried so often" => r"\bping\s+-[cn]\s*\d+\s+\S",
            "what system it is" => r"\buname\s+-\w\b",
            "users and shares of Windows" =>
                r"\bnet\s+(?:user|localgroup|group|view|share)\b\s*(?:$|/|\w+\s+\S+\s+/add|[;|&])",
            "a folder that is listed" => r"\bls\s+-[lahRrt1]{1,4}\s*(?:$|[;|&>/~.*])",
            "nothing but a question about the system" =>
                r"^\s*(?:whoami|ifconfig|ipconfig|systeminfo|uname)(?:\s+[-/]\w+)?\s*$",
        ],
        "The text is a command line.",
    ),
    rule(
        "pack.rce.windows",
        any![
            "(?i)";
            "the shell of Windows with a command" => r"\bcmd(?:\.exe)?\s*(?:/|\^)+\s*[ckr]\b",
            "PowerShell with a command" =>
                r#"\bpowershell(?:\.exe)?\s+(?:-|/|\$|\(\s*(?:new-|get-|invoke|iex|\$|\[|['"])|['"&]|iex|get-|invoke)"#,
            "a command of PowerShell" => concat!(
                r"\b(?:",
                powershell!(),
                r")",
            ),
            "a command behind a separator" => concat!(
                r"[&|]\s*(?:",
                windows_commands!(),
                r")\s+(?:[a-z]:\\|/|%\w+%|\\\\|-n\s+\d|user\b|view\b|localgroup\b|query\b)",
            ),
            "nothing but a command" => concat!(
                r"^\s*(?:",
                windows_commands!(),
                r")\s+(?:[a-z]:\\|/|%\w+%|\\\\|-n\s+\d|user\b|view\b|localgroup\b|query\b)\S*(?:\s+\S+)?\s*$",
            ),
            "a program of Windows that attackers use for something else" => concat!(
                r"\b(?:",
                windows_programs!(),
                r")",
            ),
            "a variable and a path behind it" =>
                r"%(?:comspec|systemroot|windir|programfiles|userprofile|temp)(?::[~\d,-]+%|%[\\/]\S)",
            "the shell by its variable" => r"%comspec%",
            "a program and its arguments, as a cell starts it" =>
                r"\b(?:cmd|msexcel|powershell|rundll32|mshta)\s*\|\s*'[^']{1,120}'\s*!",
            "a cell that starts a program" => r#"\bdde\s?\(\s*"(?:cmd|msexcel|powershell)"#,
            "letters cut out of a variable" => r"%[a-z][\w()]{1,40}:~-?\d+(?:,-?\d+)?%",
            "letters behind carets" => r"(?:[a-z]\^){4}",
            "carets before letters" => r"(?:\^[a-z]){4}",
            "a script of PowerShell" => r"\bpowershell(?:\.exe)?\s+[a-z]:\\",
            "a folder of a drive" => r"[;|&]\s*(?:dir|type|del|copy)\s+[a-z]:\\",
            "a program that changes the system" => r"[;|&]\s*(?:netsh|schtasks|taskkill|icacls|bitsadmin)\s+\S",
            "a route" => r"[;|&]\s*route\s+(?:print|add|-n)\b",
            "a network setting" => r"^\s*netsh\s+\w+\s+\w+",
            "a process of .NET" => r"\bsystem\.diagnostics\.process\b",
            "the shell object of scripts" => r"\bwscript\.shell\b",
            "the shell object of the desktop" => r"\bshell\.application\b",
            "a cell that starts a program by its name" =>
                r"^\s*[=+@-]\s*(?:cmd|msexcel|powershell|dde|rundll32|mshta)\s*\|",
            "a cell that fetches something" =>
                r"^\s*[=+@-]+\s*(?:hyperlink|dde|importxml|importdata|importfeed|importhtml|importrange|webservice|image)\s*\(",
        ],
        "The text is a command for Windows.",
    ),
    rule(
        "pack.rce.php",
        any![
            "(?i)";
            "the mark where code begins" => r"<\?(?:php\b|=|\s|$)",
            "a function that runs, reads or changes something, with an argument that code has" => concat!(
                r"\b(?:",
                php_functions!(),
                r#")(?:\s*\(+\s*(?:['"]\s*(?:[a-z_/.<$;:\\\x60]|\d*\s*\))|\$(?:_|\{|[a-z])|~|\()|\(+\s*(?:"#,
                php_made!(),
                r"))",
            ),
            "a file taken in" =>
                r#"\b(?:include|require)(?:_once)?\s*\(?\s*(?:\$|['"]\s*(?:https?:|ftps?:|php:|data:|phar:|zip:|\.{0,2}/|\$|[\w/-]+\.(?:php|inc|txt|phtml|log|jpg)\b))"#,
            "a page about the installation" => r"\bphpinfo\s*\(",
            "its version" => r"\bphpversion\s*\(",
            "a stream of PHP" =>
                r"\b(?:php|phar|zip|compress\.zlib|compress\.bzip2|zlib|glob|expect|ssh2(?:\.(?:shell|exec|tunnel|sftp|scp))?|rar|ogg|data)://",
            "code in a forum's marks" => r"\[/?\\?php\]",
            "code in a template's marks" => r"\{/?php\}",
            "a variable with what was sent" =>
                r"\$_(?:get|post|request|cookie|server|files|session|env)\b\s*(?:\[|\{|$)",
            "all variables" => r"\$globals\b",
            "a serialised object" => r#"\bo:\d+:"[\w\\]+":\d+:\{"#,
            "a serialised list" => r"\ba:\d+:\{[is]:\d+[:;]",
            "a serialised object with a reader of its own" => r#"\bc:\d+:"[\w\\]+":\d+:\{"#,
            "an end that tells something" => r#"\bdie\s*\(\s*(?:md5|['"@]|system|exec)"#,
            "a print that tells something" => r"\bprint\s*\(?\s*(?:md5|\x60|system)\s*\(",
            "an echo that tells something" => r"\becho\s+(?:\x60|md5\s*\(|shell_exec|system\s*\()",
            "a variable whose name is called" => r"\{\$\{\s*\w+\s*\(",
            "a variable whose name is a function" => r"\$\{\s*@?(?:print|system|eval|exec|phpinfo|passthru|assert)\b",
        ],
        "The text is PHP code or a serialised PHP object.",
    ),
    rule(
        "pack.rce.java",
        any![
            "(?i)";
            "a process from the runtime" => r"\bruntime\s*(?:\.|\s*\(\s*\)\s*\.)\s*(?:getruntime|exec)",
            "the runtime" => r"\bgetruntime\s*\(",
            "a process builder" => r"\bnew\s+(?:java\.lang\.)?processbuilder\b",
            "the same, without its package" => r"\bprocessbuilder\s*\(",
            "a class of the base library" => concat!(
                r#"(?:^|["'(@={\[!:]|\bnew\s+)\s*java\.(?:"#,
                java_classes!(),
                r#")[^\n:]{0,3}(?:["'@(\].)]|$)"#,
            ),
            "a class of the extended library" =>
                r#"\bjavax\.(?:script|naming|management|swing|imageio)\.\w+(?:["'@(\s]|$)"#,
            "a class by its name" => r#"\bclass\.forname\s*\(\s*["']"#,
            "the class of an object" => r"\bgetclass\s*\(\s*\)\s*\.",
            "a script engine" => r"\bscriptenginemanager\b",
            "a class that is known to make code of data" => concat!(
                r#"(?:^|["'@(!\[]|\bnew\s+)\s*(?:"#,
                gadgets!(),
                r#")[\w.$]*(?:["'(@\]]|$)"#,
            ),
            "the same, of pools, logs and mappers" =>
                r#"(?:["'@!\[]|\bnew\s+)\s*(?:com\.zaxxer|ch\.qos\.logback|org\.hibernate)[\w.$]*["'(@\]]"#,
            "the helpers of FreeMarker" => r"\bfreemarker\.template\.utility",
            "an expression of OGNL" => r"@?ognl\.ognl",
            "the loader behind a module" => r#"\bclass(?:\.|\[['"]?)module(?:\.|['"]?\]\[['"]?)classloader"#,
            "a loader" => r"\bclassloader\.",
            "the rights of an OGNL expression" => r"#_memberaccess",
            "its class" => r"@ognl\.",
            "its surroundings" => r"#context\b",
            "the helpers of XWork" => r"\bxwork\.",
            "a command in a variable" => r"#cmd\s*=",
            "an object of the request in a variable" =>
                r"#(?:process|response|request|session|rt|out|p|a|_)\s*=\s*[(@#]",
            "an object in YAML" => r"!!javax?\.",
            "the same, of other languages" => r"!!(?:python|ruby)/",
            "a serialised object in base64" => r"\bro0ab[a-z0-9+/]{6}",
            "the same, as bytes" => r"\xac\xed\x00\x05",
            "the same, in hexadecimal" => r"\baced00057[0-9a-e][0-9a-f]{6}",
        ],
        "The text is Java code, an expression for it, or a serialised object.",
    ),
    rule(
        "pack.rce.python",
        any![
            "(?i)";
            "a module that is imported" => r"\b__import__\s*\(",
            "a function of a module that reaches the system" => concat!(
                r"\b(?:os|posix|nt|commands|subprocess|pty|shutil|importlib|builtins|sys)\s*\.\s*(?:",
                python_functions!(),
                r")\s*[(\[.]",
            ),
            "processes" => r"\bsubprocess\.",
            "an attribute that leads to the interpreter" =>
                r"\b__(?:class|mro|base|bases|subclasses|globals|builtins|import|code|getattribute|reduce(?:_ex)?)__\b",
            "the same, of an object" => r"\.__(?:init|dict|self)__\b",
            "an import and a statement" => r"\bimport\s+(?:os|subprocess|pty|socket|sys|commands)\b\s*;",
            "code that is made of a text" =>
                r#"\b(?:eval|exec|compile)\s*\(\s*(?:['"](?:__import__|import|os\.|open\(|print|\d+\s*[*+])|compile|open|request|input|base64|bytes|chr\s*\()"#,
            "an attribute by its name" => r#"\bgetattr\s*\(\s*\w+\s*,\s*['"]__"#,
            "a command in a pickle" => r"\bcos\s*\n\s*system",
            "the same, of another module" => r"\bcposix\s*\n\s*system",
            "a text in a pickle" => r"\(S'",
            "a file that is opened" => r#"\bopen\s*\(\s*['"](?:/etc|/proc|/flag|\.\./)[^)]*\)(?:\.read)?"#,
            "an object in YAML" => r"\byaml\.load\b",
            "a pickle that is read" => r"\bpickle\.loads?\b",
        ],
        "The text is Python code.",
    ),
    rule(
        "pack.rce.javascript",
        any![
            "(?i)";
            "a module that reaches the system" =>
                r#"\brequire\s*\(\s*['"`](?:child_process|fs|net|http|https|os|vm|util|module|dns|node:\w+)['"`]"#,
            "processes" => r"\bchild_process\b",
            "what a process gives access to" =>
                r#"\bprocess\s*(?:\.|\[['"`])\s*(?:mainmodule|binding|exit\s*\(|kill|dlopen|_load)"#,
            "a serialised function" => r"_\$\$nd_func\$\$_",
            "the process by the global object" => r"\bglobal(?:this)?\.process\b",
            "a process that is waited for" => r"\b(?:exec|spawn|fork|execfile)sync\s*\(",
            "files" => r"\bfs\.(?:readfile|writefile|readdir|unlink)",
            "modules" => r"\bmodule\._load",
            "code in a constructor" => r#"\bconstructor\s*\(\s*['"`]return"#,
            "a function that does nothing but harm" =>
                r"\bfunction\s*\(\s*\)\s*\{\s*(?:require|process|eval|while|sleep|alert)\b",
            "an answer with something of the process" =>
                r#"\bres(?:ponse)?\.(?:end|send|write)\s*\(\s*(?:require|process|fs|['"`\d])"#,
            "a loop without end" => r#"(?:^|['";])\s*(?:while|for)\s*\(\s*(?:true|1|;;)\s*\)"#,
            "code that is made of a text" => r"\bnew\s+function\s*\(",
        ],
        "The text is code for a script engine.",
    ),
    rule(
        "pack.rce.ruby_perl",
        any![
            "(?i)";
            "a class and what it runs, opens or makes" =>
                r#"\b(?:kernel|io|process|file|dir|open3|object|net::http|erb|marshal)\s*(?:\.|::)\s*(?:system|exec|popen\d?|spawn|open|read|write|fork|const_get|send|new|load|sysopen|readlines|glob|entries)\b\s*[(\s'"]"#,
            "a command in Ruby's marks" => r"(?-i:%x(?:[\[{(|!]|/[a-z]{2}))",
            "a module of Perl" => r"(?:^|[;\n{'])\s*use\s+(?:(?:socket|lwp|warnings|strict)(?:::\w+)*\s*(?:;|qw\b|'|$)|io::)",
            "code in an object" => r"\binstance_eval\b",
            "a variable of an object" => r"\binstance_variable_get\b",
            "a pipe that is opened" => r#"\bopen\s*\(\s*['"]\|"#,
        ],
        "The text is Ruby or Perl code.",
    ),
    rule(
        "pack.rce.shellshock",
        r"\(\s*\)\s*\{\s*(?::|_|[\w\s]*)\s*;\s*\}?\s*(?:;|>_\[|\w)",
        "The text defines a function the way Shellshock does.",
    ),
    rule(
        "pack.rce.include",
        r"(?i)<!--\s*#\s*(?:exec|include|printenv|echo|fsize|flastmod|set|config)\b|<!--esi\b|<esi:(?:include|vars|inline|debug|assign)",
        "The text is an instruction for a server that assembles pages.",
    ),
    rule(
        "pack.rce.expansion",
        r#"(?:[;&|]|\$\()\s*\{[^{}\s]{0,40},[^{}\s]{0,60}\}|\x60\{\w{1,20},-\w|^\s*\{,[^{}\s\d][^{}\n]{0,80}\}\s*$|^\s*\{\w{1,20},-\w{1,20}\}\w*\s*$"#,
        "The text lets a shell put a command together.",
    ),
    Rule {
        confirm: Confirm::SameSides,
        ..rule(
            "pack.rce.assignment",
            r"(?:^|[;|&\s])([A-Za-z_]\w{0,20})=[^;\n]{1,60};\s*\$\{?([A-Za-z_]\w{0,20})",
            "The text gives a shell a command under another name.",
        )
    },
    rule(
        "pack.rce.input",
        r#"\bxxd\s+-r\b|\|\s*\$0\b|\btr\s+\S{1,20}\s+\S{1,20}\s*<<<|<<<\s*\$"#,
        "The text hands a shell its command in disguise.",
    ),
    rule(
        "pack.rce.object",
        r"!ruby/(?:object|hash|struct|array)\b|^\s*AAEAAAD/////|\bMarshal\.load\b",
        "The text is a serialised object.",
    ),
    rule(
        "pack.rce.tool",
        concat!(
            r#"(?i)(?:[;|&]|\$\(|\x60)\s*(?:\w{1,20}=\S{0,40}\s+)?['"]?(?:[\w.-]*/)*(?:"#,
            tools!(),
            r#")['"]?(?:\s*(?:$|[;|&<>)\x60])|\s+(?:-|/|\.{1,2}/|[$~<>!'"]|\w+@\w|https?:|\w+\s*$))"#
        ),
        "The text runs a tool of a Unix system after a separator of the shell.",
    ),
    rule(
        "pack.rce.tool_line",
        concat!(
            r#"(?i)^\s*['"]?(?:(?:[\w.-]*/)+)?(?:"#,
            tools!(),
            r#")['"]?\s+-{1,2}\w|^\s*['"]?(?:[\w.-]*/)*(?:ansible-\w+|chef-\w+|cscli|visudo|vipw|rmt-\w+|bcdboot|gunzip|zcat|zstdcat|unxz|xzcat|bzcat)\b['"]?(?:\s*$|\s+[\w/<.-])|^\s*env\s+-{1,2}\w"#
        ),
        "The text is a command line for a tool of a Unix system.",
    ),
    rule(
        "pack.rce.wrapped_tool",
        concat!(
            r#"(?i)^\s*['"]?(?:time|nohup|strace|ltrace|sudo|doas|setsid|exec|command|busybox)['"]?\s+(?:-\w+\s+)*(?:"#,
            tools!(),
            r#"|whoami|ifconfig|ipconfig|netstat|uname|curl|wget|bash|sh|id|ls|cat|nc|who|ps)(?:\s*$|\s+(?:-|/|[$~<>'"]|\w+[./:]))"#
        ),
        "The text runs a tool of a Unix system by another one.",
    ),
    rule(
        "pack.rce.folder",
        r#"(?i);\s*cd\s+(?:/|etc\b)|^\s*cd\s+/\S{0,40}\s*;|;\s*chmod\s+[ugoa]*[+=-][rwxst]{1,4}\s+\S|^\s*\$(?:shell|\{shell\})\s+-|^\s*['"]?ll['"]?\s+/\S"#,
        "The text works in a folder of the system.",
    ),
    rule(
        "pack.rce.alias",
        r#"(?i)(?:^|[;|&\s])alias\s+(?:[-+][\w+]*\s+)*['"]?[\w.]{1,30}['"]?=['"]?[\w$(./{]"#,
        "The text gives a shell a command under another name.",
    ),
    rule(
        "pack.rce.expression",
        r"\$\[\s*[\d+*/ -]{0,20}\]|<\(\s*\w{2,12}\s+[\w/.-]+\s*\)|\$\{[@\w]{0,12}#|^\s*\(\s*\)\s*\{\s*(?::\s*;?\s*\}?\s*)?$",
        "The text lets a shell work something out.",
    ),
    rule(
        "pack.rce.bracket_glob",
        r#"(?i)(?:^|[\s;|&<=`(])/[\w./-]{0,60}\w\[[!^]?[a-z?*/](?:-[a-z])?[a-z/]{0,20}\](?:[a-z]|$|/|\s-)|/\[[!^]?[a-z?*/](?:-[a-z])?/{0,20}\][a-z]"#,
        "The text names a file so that only a shell puts the name together.",
    ),
    rule(
        "pack.rce.batch",
        any![
            "(?i)";
            "a loop of the shell of Windows" =>
                r#"(?:^|[&|;\s(@])for\s+(?:/[dflr]\s+(?:"[^"]{0,80}"\s+|'[^']{0,80}'\s+|[a-z]:\\\S*\s+|\.\s+|%\S{1,20}%?\s+|\([^)]{0,40}\)\s+)?){0,4}%{1,2}\S{0,12}\s+in\s*\(.{0,200}\)\s*do\b"#,
            "a condition of it, and a command" => concat!(
                r#"(?:^|[&|;\s(@])if\s+(?:/i\s+)?(?:not\s+)?(?:(?:exist|defined|errorlevel|cmdextversion)\s+\S{1,80}|"?[%!]\w{1,40}[%!]"?\s*(?:==|\b(?:equ|neq|lss|leq|"#,
                r"gtr|geq)\b)\s*\S{1,40}|\S{1,40}\s*==\s*\S{1,40})\s+(?:",
                batch_commands!(),
                r")",
            ),
            "a comparison of a variable" =>
                r#"\bif\s*(?:/i\s+)?(?:not\s+)?["\[({]?[%!][\w~:,-]{1,30}[%!]?["\])}]?\s*(?:==|\b(?:equ|neq|lss|leq|gtr|geq)\b)"#,
            "a comparison without case" => r"^\s*if\s*/i\s+\S",
            "the registry's editor" => r"[;|&]\s*regedit\b",
            "a branch of the registry" => r"\bHKEY_(?:LOCAL_MACHINE|CURRENT_USER|CLASSES_ROOT|USERS)\b",
        ],
        "The text is a script for Windows.",
    ),
    rule(
        "pack.rce.php_name",
        any![
            "(?i)";
            "a function of PHP that is called, with blanks or comments before its bracket" => concat!(
                r"(?:",
                php_calls!(),
                r")(?:\s|/\*[^*]{0,40}\*/){0,4}=?\(",
            ),
        ],
        "The text calls a function of PHP.",
    ),
    rule(
        "pack.rce.php_variable",
        r#"(?i)\$[a-z_]\w{0,30}(?:\[[^\]]{0,40}\]|\{[^}]{0,40}\}){0,6}(?:/\*[^*]{0,20}\*/)?\(\s*(?:\)|\d|['"$@])|\$\$[a-z_]\w*\s*\(|(?:->|::)\$\w{1,30}\(|@?\$_{1,8}\[|\$\s*\{\s*['"@$]|\$\s+\{\s*\w"#,
        "The text calls what a variable of PHP names.",
    ),
    rule(
        "pack.rce.php_quoted",
        any![
            "(?i)";
            "a function by its name as a text, and called" =>
                r#"[(\["']\s*(?:system|exec|passthru|shell_exec|popen|assert|eval)\s*[)\]"']{1,3}(?:\[0\])?(?:\s*\(\s*['"]?(?:ls|id|whoami|uname|cat|dir|pwd|\$)|\(['"\w$])"#,
            "a command as an argument without quotes" =>
                r"\b(?:system|exec|popen)\s*\(\s*(?:ls|id|whoami|uname|cat|dir|pwd)\s*\)",
        ],
        "The text calls a function of PHP by a name in quotes or brackets.",
    ),
    rule(
        "pack.rce.php_joined",
        r#"'\w{1,12}'\s*\.\s*'\w{1,12}'\s*;|"\w{1,12}"\s*\.\s*"\w{1,12}"\s*[;.]"#,
        "The text is PHP in pieces.",
    ),
    rule(
        "pack.rce.script_loop",
        any![
            "(?i)";
            "a loop without end" =>
                r"\bwhile\s*\(+\s*(?:!|[+-]?infinity\b|[+-]?\d{1,4}\s*\)|new\s+\w+\s*\)|this\s*\)|string\s*\)|true\s*\))",
            "the environment" => r"^\s*process\.env\b\S*\s*$",
            "a part of the process by its name" => r#"\bprocess\s*\[\s*(?:['"]?\s*\w|req\.)"#,
            "a module by its name" => r#"\brequire\s*\[\s*['"]?\w"#,
            "what a module gives" => r"^\s*module\.exports\s*=\s*$",
            "a serialised function" => r"__js_function",
            "a function by reflection" => r"\breflect\.\w{2,12}\.(?:call|apply)\b",
            "a function by way of a list" => r"\[\s*\]\s*\.\s*sort\s*\.\s*call",
        ],
        "The text is code for a script engine.",
    ),
    rule(
        "pack.rce.java_name",
        any![
            "(?i)";
            "nothing but a class of a library that makes code of data" =>
                r"^\s*(?:java|javax|sun|com\.sun|com\.opensymphony|org\.apache\.(?:commons|struts2?|xalan)|org\.omg\.corba|com\.bea)\.[\w.$]{1,120}(?:\s*$|\()",
            "the library itself" => r"^\s*org\.apache\.commons\s*$",
            "what makes objects in chains" =>
                r"\b(?:invoker|instantiate|clone|constant|chained|switch|map)transformer\b",
            "what makes objects by a pattern" => r"\b(?:prototype(?:clone|serialization)|instantiate)factory\b",
            "what calls in loops" => r"\b(?:for|while|transformer)closure\b",
            "a process by its class" => r"\bjava\.(?:\w{1,20}\.)?(?:runtime|processbuilder)\b",
            "what a process builder has" => r"\bprocessbuilder\.\w",
        ],
        "The text names a class that deserialisation attacks use.",
    ),
    rule(
        "pack.rce.format",
        r"%n%n|(?:%[xp]){4}|(?:%s){6}",
        "The text is a format that reads or writes memory.",
    ),
];
