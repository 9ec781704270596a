//! Commands for shells and code for interpreters.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule {
        id,
        class: Class::Rce,
        score: 5,
        paranoia: 1,
        pattern,
        why,
    }
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.rce.separator_command",
        r#"(?i)(?:[;|&\n\r`]|\$\(|<\(|>\(|\{|%0a|\|\||&&)\s*(?:\{\s*)?(?:sudo\s+|nohup\s+|time\s+|exec\s+|command\s+|busybox\s+|env\s+)?(?:[\w./*?-]*/)?(?:whoami|uname|ifconfig|netstat|wget|curl|ncat|netcat|telnet|bash|zsh|ksh|csh|tcsh|dash|nslookup|traceroute|passwd|chmod|chown|mkfifo|lsof|printenv|hostname|python[23]?|perl|ruby|nodejs|php\d?|gcc|tftp|crontab|systeminfo|ipconfig|tasklist|powershell|pwsh|cmd(?:\.exe)?|certutil|bitsadmin|wmic|rundll32|regsvr32|mshta|cscript|wscript|getent|arp|nmap|socat|scp|rsync|useradd|adduser|usermod|iptables|systemctl|mysql|psql|mysqldump|sqlite3|dpkg|apt-get|yum|base64|xxd|sed|awk|gawk|grep|egrep|tac|rev|strings|xargs|lsb_release|lscpu|dmesg|pwd|ls|ps|nc|sh)(?:\s*(?:$|[;|&`)<>}\n\r#'"\\])|\s+(?:-|/|['"$.~*?{]|https?:|\w+[./:@]|[\w.-]+\s*(?:$|[;|&`)<>}\n\r#])))"#,
        "The text starts a command after a separator of the shell.",
    ),
    rule(
        "pack.rce.separator_word",
        r#"(?i)(?:[;|&\n\r`]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:id|w|who|date|env|set|top|df|du|uptime|last|reboot|halt|poweroff|mount|history|ver|vol|dir|tree)\s*(?:$|[;|&`)<>}#'"])|(?:[;|&\n\r`]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:id\s+(?:-\w|root\b)|cat|tac|more|less|head|tail|nl|od|sort|uniq|cut|find|dig|host|ping6?|kill|killall|touch|rm|cp|mv|mkdir|rmdir|ln|dd|tar|zip|unzip|vi|vim|nano|ed|split|diff|file|stat|type|del|copy|move|ren|attrib|net|reg|sc|at|start|echo|printf|source|alias|export|eval|exec|read|test|su|sudo|man|make|locate|which|whereis|expr|shutdown|reboot|halt|service|sleep|timeout)\s+(?:-{1,2}\w|/(?:\w|\?|\*)|[~.$*%`'"\\<>(]|\d+\s*(?:$|[;|&`)#'"])|\w+=|\S*[/\\*]\S*|(?:user|view|localgroup|share|use|start|query|add|hklm|hkcu|localhost|passwd|etc|flag)\b)"#,
        "The text starts a command after a separator of the shell.",
    ),
    rule(
        "pack.rce.echo",
        r#"(?i)(?:[;|&\n\r`]|\$\(|\|\||&&)\s*(?:echo|printf|print|sleep)\s*(?:['"$(\\<>-]|\d+\s*(?:$|[;|&`)#'"])|\w+\s*(?:$|[;|&`)<>#]|>))|(?:^|[\s;|&])sleep\s+\d+\s*(?:;|\||&|#|$)"#,
        "The text makes a shell answer or wait.",
    ),
    rule(
        "pack.rce.substitution",
        r#"(?i)\$\(\s*(?:[a-z]{2,12}\b\s*(?:[-/$'"\)<|;&.]|\w+\s*[\)|;&<>/.])|<)|\x60\s*(?:id|ls|pwd|ps|whoami|uname|cat|curl|wget|ping|sleep|nslookup|dig|host|echo|bash|sh|nc|env|hostname|date|ifconfig|netstat|which|find|rm|touch|head|tail|php|perl|python[23]?)\b[^\x60]{0,120}\x60|\$\{\s*(?:IFS|PATH|HOME|SHELL|PWD|BASH|HOSTNAME|@)\b|\$IFS\b|\$\(\(\s*[\d+*\- ]+\)\)|\{(?:cat|ls|echo|id|curl|wget|ping|bash|sh|nc),[^}]{1,60}\}|<\s*/etc/|>\s*/(?:tmp|dev|var|etc|home)/|\bIFS\s*=|\$'\\x|\$@\w|/\?{2,}/|/b[i?*]n/\S*[?*]"#,
        "The text uses substitution of a shell.",
    ),
    rule(
        "pack.rce.binary",
        r#"(?i)(?:^|[^\w])/(?:usr/(?:local/)?)?s?bin/+(?:\./+)*(?:sh|bash|zsh|dash|ksh|csh|cat|ls|id|nc|netcat|ncat|wget|curl|ping|python[23]?|perl|ruby|php|whoami|uname|echo|sleep|chmod|rm|env|telnet|ifconfig|nslookup|head|tail|find|ps|kill|touch|more|less|tac|awk|sed|grep|base64|busybox|mail|sendmail|dd)\b|/dev/(?:tcp|udp)/[\w.]+/\d|\b(?:ba|z|k|c|da)?sh\s+-(?:c|i)\b|\b(?:nc|ncat|netcat)(?:\.\w+)?\s+(?:-\w+\s+)*(?:-e|-c|-lvp?|-nv\w*|\d{1,3}(?:\.\d{1,3}){3}\s+\d+)|\bmkfifo\s+/|\b(?:wget|curl|fetch|lwp-download|lynx)\s+(?:-{1,2}[\w-]+(?:[= ]\S+)?\s+)*['"]?(?:https?|ftp|file|dict|gopher)?:?//|\b(?:python[23]?|perl|ruby|php|node|lua)\s+-(?:c|e|r)\s*['"\w]|\|\s*(?:ba|z|k|da)?sh\b\s*(?:$|[;|&<>-])|\bchmod\s+(?:\+[xs]|[0-7]{3,4}|[ugoa]+[+=][rwxs]+)\s+\S|\brm\s+-(?:rf|fr|r|f)\b\s*\S|\bcat\s+(?:/etc/|/proc/|/home/|/root/|/var/|/flag|\.\./|~/|<)|\bping\s+(?:-[cnit]\s*\d+\s+)?(?:\d{1,3}(?:\.\d{1,3}){3}|localhost)\b\s*(?:$|[;|&`-])|\bnslookup\s+(?:-\w+\S*\s+)?[\w$`(.{-]+\.[\w.$`(){-]+|\bping\s+-[cn]\s*\d+\s+\S|\buname\s+-\w\b|\bnet\s+(?:user|localgroup|group|view|share)\b\s*(?:$|/|\w+\s+\S+\s+/add|[;|&])|\bls\s+-(?:l|a|la|al|lah|R)\b|^\s*(?:whoami|ifconfig|ipconfig|systeminfo|uname)(?:\s+[-/]\w+)?\s*$"#,
        "The text is a command line.",
    ),
    rule(
        "pack.rce.windows",
        r#"(?i)\bcmd(?:\.exe)?\s*(?:/|\^)+\s*[ckr]\b|\bpowershell(?:\.exe)?\s+(?:-|/|\$|\(|['"&]|iex|get-|invoke)|\b(?:invoke-(?:expression|webrequest|command|restmethod|mimikatz|shellcode)|new-object\s+(?:system\.)?net\.|start-process\b|set-executionpolicy|frombase64string|downloadstring|downloadfile|add-type\b|iex\s*\(|iwr\s+)|(?:[&|]|^)\s*(?:dir|type|ver|tree|more|findstr|where|whoami|ipconfig|net|copy|del|echo|set|start|ping|tasklist|systeminfo|vol|nslookup|certutil|reg)\s+(?:[a-z]:\\|[/%]|\\\\|-n\s+\d|user\b|view\b|localgroup\b|query\b)|\b(?:certutil(?:\.exe)?\s+.{0,40}-urlcache|bitsadmin\s+/transfer|mshta\s+(?:http|vbscript|javascript)|regsvr32\s+/|rundll32(?:\.exe)?\s+\S+,|wmic\s+(?:process|os|useraccount|product|/node)|schtasks\s+/create|reg\s+(?:add|query|save|delete)\s+hk)|%(?:comspec|systemroot|windir|programfiles|userprofile|temp)(?::[~\d,-]+)?%|\bwscript\.shell\b|\bshell\.application\b|^\s*[=+@-]\s*(?:cmd|msexcel|powershell|dde|rundll32|mshta)\s*\||^\s*[=+@-]+\s*(?:hyperlink|dde|importxml|importdata|importfeed|importhtml|importrange|webservice|image)\s*\("#,
        "The text is a command for Windows.",
    ),
    rule(
        "pack.rce.php",
        r#"(?i)<\?(?:php\b|=|\s|$)|\b(?:system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec|eval|assert|create_function|call_user_func(?:_array)?|file_get_contents|file_put_contents|fopen|readfile|show_source|highlight_file|include(?:_once)?|require(?:_once)?|unserialize|base64_decode|gzinflate|gzuncompress|str_rot13|preg_replace|array_map|array_filter|usort|ob_start|move_uploaded_file|unlink|symlink|chmod|mail|putenv|ini_set|dl|scandir|glob|opendir|print_r|var_dump|register_shutdown_function|extract|parse_str)\s*\(+\s*(?:['"]\s*(?:[a-z_/.<$;:\\\x60]|\d*\s*\))|\$(?:_|\{|[a-z])|base64_decode|gzinflate|str_rot13|chr\s*\(|system|exec|implode|file_get|getenv|current\s*\(|array_\w+\s*\(|phpinfo|__file__|~|\()|\bphpinfo\s*\(|\bphpversion\s*\(|\b(?:php|phar|zip|compress\.zlib|compress\.bzip2|zlib|glob|expect|ssh2|rar|ogg|data)://|\$_(?:get|post|request|cookie|server|files|session|env)\b\s*(?:\[|\{|$)|\$globals\b|\bo:\d+:"[\w\\]+":\d+:\{|\ba:\d+:\{[is]:\d+[:;]|\bc:\d+:"[\w\\]+":\d+:\{|\bdie\s*\(\s*(?:md5|['"@]|system|exec)|\bprint\s*\(?\s*(?:md5|\x60|system)\s*\(|\becho\s+(?:\x60|md5\s*\(|shell_exec|system\s*\()|\$\{\s*@?(?:print|system|eval|exec|phpinfo|passthru|assert)\b"#,
        "The text is PHP code or a serialised PHP object.",
    ),
    rule(
        "pack.rce.java",
        r#"(?i)\bruntime\s*(?:\.|\s*\(\s*\)\s*\.)\s*(?:getruntime|exec)|\bgetruntime\s*\(|\bprocessbuilder\b|\bjava\.(?:lang\.(?:runtime|system|process|class|thread|reflect|string|object|math)|net\.(?:url|socket)|io\.(?:file|buffered|input)|util\.scanner|rmi\.|beans\.)|\bjavax\.(?:script|naming|management|swing|imageio)\.|\bclass\.forname\s*\(|\bgetclass\s*\(\s*\)\s*\.|\.getclass\(\)|\bscriptenginemanager\b|\b(?:org\.apache\.commons\.collections|com\.sun\.rowset|org\.springframework\.(?:context|beans)|com\.sun\.org\.apache|org\.codehaus\.groovy|sun\.misc\.unsafe|clojure\.lang|bsh\.interpreter|freemarker\.template|ognl\.|org\.yaml\.snakeyaml|com\.mchange|com\.zaxxer|ch\.qos\.logback|org\.hibernate)|\bclass(?:\.|\[['"]?)module(?:\.|['"]?\]\[['"]?)classloader|\bclassloader\.|#_memberaccess|@ognl\.|#context\b|\bxwork\.|#cmd\s*=|#(?:process|response|request|session|rt|out|p|a|_)\s*=\s*[(@#]|!!javax?\.|!!(?:python|ruby)/|\bro0ab[a-z0-9+/]{6}|\xac\xed\x00\x05|\baced00057[0-9a-e][0-9a-f]{6}"#,
        "The text is Java code, an expression for it, or a serialised object.",
    ),
    rule(
        "pack.rce.python",
        r#"(?i)\b__import__\s*\(|\b(?:os|posix|nt|commands|subprocess|pty|shutil|importlib|builtins|sys)\s*\.\s*(?:system|popen\d?|exec[lv]?p?e?|spawn\w*|getoutput|getstatusoutput|check_output|check_call|call|run|remove|import_module|listdir|environ|modules)\s*[(\[.]|\bsubprocess\.|\b__(?:class|mro|base|bases|subclasses|globals|builtins|init|import|code|getattribute|reduce(?:_ex)?|dict|self)__\b|\bimport\s+(?:os|subprocess|pty|socket|sys|commands)\b\s*(?:[;,\n]|$|as\b)|\b(?:eval|exec|compile)\s*\(\s*(?:['"](?:__import__|import|os\.|open\(|print|\d+\s*[*+])|compile|open|request|input|base64|bytes|chr\s*\()|\bgetattr\s*\(\s*\w+\s*,\s*['"]__|\bcos\s*\n\s*system|\bcposix\s*\n\s*system|\(S'|\bopen\s*\(\s*['"](?:/etc|/proc|/flag|\.\./)[^)]*\)(?:\.read)?|\byaml\.load\b|\bpickle\.loads?\b"#,
        "The text is Python code.",
    ),
    rule(
        "pack.rce.javascript",
        r#"(?i)\brequire\s*\(\s*['"`](?:child_process|fs|net|http|https|os|vm|util|module|dns|node:\w+)['"`]|\bchild_process\b|\bprocess\s*(?:\.|\[['"`])\s*(?:mainmodule|binding|env|exit|cwd|version|platform|kill|dlopen|argv|_load|stdout)|_\$\$nd_func\$\$_|\bglobal(?:this)?\.process\b|\b(?:exec|spawn|fork|execfile)sync\s*\(|\bfs\.(?:readfile|writefile|readdir|unlink)|\bmodule\._load|\bconstructor\s*\(\s*['"`]return|\bfunction\s*\(\s*\)\s*\{\s*(?:return|var|require|process|eval|while|sleep|alert|this)|\bres(?:ponse)?\.(?:end|send|write)\s*\(\s*(?:require|process|fs|['"`\d])|\b(?:while|for)\s*\(\s*(?:true|1|;;)\s*\)|\bnew\s+function\s*\("#,
        "The text is code for a script engine.",
    ),
    rule(
        "pack.rce.ruby_perl",
        r#"(?i)\b(?:kernel|io|process|file|dir|open3|object|net::http|erb|marshal)\s*(?:\.|::)\s*(?:system|exec|popen\d?|spawn|open|read|write|fork|const_get|send|new|load|sysopen|readlines|glob|entries)\b\s*[(\s'"]|%x[\[{(|!/]|\buse\s+(?:socket|io::|lwp|warnings|strict)\b|\binstance_eval\b|\binstance_variable_get\b|\bopen\s*\(\s*['"]\|"#,
        "The text is Ruby or Perl code.",
    ),
    rule(
        "pack.rce.shellshock",
        r"\(\s*\)\s*\{\s*(?::|_|[\w\s]*)\s*;\s*\}?\s*(?:;|>_\[|\w)",
        "The text defines a function the way Shellshock does.",
    ),
    rule(
        "pack.rce.include",
        r"(?i)<!--\s*#\s*(?:exec|include|printenv|echo|fsize|flastmod|set|config)\b|<esi:(?:include|vars|inline|debug|assign)",
        "The text is an instruction for a server that assembles pages.",
    ),
];
