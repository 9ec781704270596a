//! Commands for shells and code for interpreters.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Rce, id, pattern, why)
}

/// Tools whose names are no words of a language.
macro_rules! tools {
    () => {
        r"aa-\w+|ansible(?:-\w+)?|aptitude|apt|aria2c|arj|ash|base32|base58|bcdboot|blkid|bsdtar|bunzip2|bzcat|bzip2|c[89]9|capsh|chattr|chef-\w+|chroot|cpan|cpio|cpulimit|crash|cscli|debugfs|dnf|dosbox|easy_install|egrep|ethtool|fdisk|fgrep|flock|gcc[\d.]*|gcore|gdb|genisoimage|getcap|gtester|gunzip|gzip|htop|iconv|insmod|ionice|irb|iwmi|jjs|journalctl|jrunscript|jshell|lastlog(?:in)?|ldconfig|ldd|loginctl|logsave|losetup|lsblk|lsattr|lsmod|lspci|ltrace|lua[\d.]*|lwp-\w+|lzma|mawk|minicom|mkfs(?:\.\w+)?|mknod|modprobe|nawk|nft|ngrep|nmcli|nsenter|objdump|pacman|pdb|perf|pgrep|php\d[\d.]*|pidstat|pkexec|pkill|pry|pwsh|python[\d.]+|readelf|regedit|rlogin|rlwrap|rmmod|rmt(?:-\w+)?|rpm|rsh|rview|rvim|setarch|setcap|sftp|slsh|smbclient|sqlmap|ssh(?:-copy-id|-keygen|-keyscan)?|stdbuf|strace|sysctl|taskset|tclsh|tcpdump|timedatectl|tmux|tshark|umount|unrar|unshare|unxz|unzstd|valgrind|vigr|vipw|visudo|whois|wish|xdotool|xmodmap|xxd|xz(?:cat)?|zcat|zgrep|zip(?:grep|info|note|split)|zstd(?:cat)?|zypper"
    };
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.rce.separator_command",
        r#"(?i)(?:[;|&\n\r]|\$\(|<\(|>\(|\{|%0a|\|\||&&)\s*(?:\{\s*)?(?:sudo\s+|nohup\s+|time\s+|exec\s+|command\s+|busybox\s+|env\s+)?(?:[\w./*?-]*/)?(?:whoami|uname|ifconfig|netstat|wget|curl|ncat|netcat|telnet|bash|zsh|ksh|csh|tcsh|dash|nslookup|traceroute|passwd|chmod|chown|mkfifo|lsof|printenv|tftp|crontab|systeminfo|ipconfig|tasklist|powershell|pwsh|cmd(?:\.exe)?|certutil|bitsadmin|wmic|rundll32|regsvr32|mshta|cscript|wscript|getent|arp|nmap|socat|scp|rsync|useradd|adduser|usermod|iptables|systemctl|mysql|psql|mysqldump|sqlite3|dpkg|apt-get|yum|base64|xxd|sed|awk|gawk|grep|egrep|tac|xargs|lsb_release|lscpu|dmesg|pwd|ls|ps|nc|sh|tee|openssl|busybox|kubectl)(?:\s+s_client|\s*(?:$|[;|&`)<>}\n\r#'"\\])|\s+(?:-|/|['"$.~*?{]|https?:|\w+[./:@]|[\w.-]+\s*(?:$|[;|&`)<>}\n\r#])))|(?:[;|&\n\r]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:python[23]?|perl|ruby|node(?:js)?|php\d?|strings|rev|hostname)(?:\s*(?:$|[|`)<>#]|&&|&\s*$|;\s*$)|\s+(?:-|['"]|/|<|\$)|\s+\S+\.(?:py|pl|rb|php|js|c)\s*(?:$|[;|&]))"#,
        "The text starts a command after a separator of the shell.",
    ),
    rule(
        "pack.rce.separator_word",
        r#"(?i)(?:[;|&\n\r]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:(?:id|env|df|du|uptime|reboot|poweroff|ver|vol|sysinfo|hostnamectl)\s*(?:$|[;|`)<>}#'"]|&&|&\s*$)|(?:w|who|date|set|top|last|halt|mount|history|dir|tree)\s*(?:$|[|&`)<>#]|;\s*(?:$|[a-z]{2,8}\s*$)))|(?:[;|&\n\r]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:(?:id\s+(?:-\w|root\b)|cat|tac|nl|od|uniq|dig|ping6?|killall|rm|cp|mv|mkdir|rmdir|ln|dd|tar|unzip|vi|vim|nano|stat|del|ren|attrib|echo|printf|eval|su|sudo|whereis|expr|shutdown|sleep|timeout|taskkill)\s+(?:-{1,2}\w|/(?:\w|\?|\*)|[~.$*%`'"\\<>(]|\d+\s*(?:$|[;|&`)#'"])|\w+=|\S*[/\\*]\S*|(?:user|view|localgroup|share|use|start|query|add|hklm|hkcu|localhost|passwd|etc|flag|su|root)\b))|(?:[;|&]|\$\(|\|\||&&)\s*(?:[\w./*?-]*/)?(?:gcc|more|less|head|tail|sort|cut|find|host|kill|touch|zip|ed|split|diff|file|type|copy|move|net|reg|sc|at|start|source|alias|export|exec|read|test|man|make|locate|which|reboot|halt|service)\s+(?:-{1,2}\w+\s*(?:$|\S)|/(?:\w|\?|\*)|[~$*%`\\<>]|\.{1,2}/|\w+=|\S*[/\\*]\S*|(?:user|view|localgroup|share|use|hklm|hkcu|localhost|passwd|flag)\b)|[;|&]\s*(?:\.\s+/|git\s+clone\s|docker\s+(?:run|exec)\s+-|systemctl\s+(?:stop|disable|start|restart|mask)\s|su\s+-)|--checkpoint-action=exec|[;|&]\s*getent\s+(?:hosts|ahosts|passwd|group|shadow|services)\b|[;|&]\s*which\s+(?:nc|ncat|python[23]?|curl|wget|perl|gcc|bash|php|ruby|node)\b|^\s*['"]?\s*-{1,2}o?(?:proxycommand|upload-pack|receive-pack|use-askpass|checkpoint-action|to-command)[=\s]"#,
        "The text starts a command after a separator of the shell.",
    ),
    rule(
        "pack.rce.echo",
        r#"(?i)(?:[;|&\n\r]|\$\(|\|\||&&)\s*(?:(?:echo|printf|sleep)\s*(?:['"$\\<>-]|\d+\s*(?:$|[;|&`)#'"])|\w+\s*(?:$|[;|&`)<>#]|>))|print\s*['"`$<])|(?:^|[\s;|&])sleep\s+\d+\s*(?:;|\||&|#|$)"#,
        "The text makes a shell answer or wait.",
    ),
    rule(
        "pack.rce.substitution",
        r#"(?i)\$\(\s*(?:(?:id|ls|pwd|ps|whoami|uname|cat|curl|wget|ping|sleep|nslookup|dig|host|echo|bash|sh|nc|env|hostname|date|ifconfig|netstat|which|find|rm|touch|head|tail|php|perl|python[23]?|printf|rev|tr|base64|printenv|w|who|ipconfig|dir|type|systeminfo|tasklist)\s*(?:\)|$|[<|;&>])|[a-z]{2,12}\s+[-/$'"<\w.]|<)|\x60\s*(?:id|ls|pwd|ps|whoami|uname|cat|curl|wget|ping|sleep|nslookup|dig|host|echo|bash|sh|nc|env|hostname|date|ifconfig|netstat|which|find|rm|touch|head|tail|php|perl|python[23]?|printf|rev|tr|base64|printenv|w|who|ipconfig|dir|type|systeminfo|tasklist)\s+(?:[-/$'"<|~]|\.\.?/)[^\x60]{0,120}\x60|\x60\s*(?:curl|wget|ping|nslookup|dig|host|nc)\s+\w+[.:/][^\x60]{0,120}\x60|\x60\s*sleep\s+\d+\s*\x60|(?:^|[^\s\x60(\["'])\x60(?:id|ls|pwd|ps|whoami|uname|cat|curl|wget|ping|sleep|nslookup|dig|host|echo|bash|sh|nc|env|hostname|date|ifconfig|netstat|which|find|rm|touch|head|tail|php|perl|python[23]?|printf|rev|tr|base64|printenv|w|who|ipconfig|dir|type|systeminfo|tasklist)\b\s*[|;&]?[^\x60]{0,60}\x60|^\s*['"]?\x60\s*(?:id|ls|pwd|ps|whoami|uname|cat|curl|wget|ping|sleep|nslookup|dig|host|echo|bash|sh|nc|env|hostname|date|ifconfig|netstat|which|find|rm|touch|head|tail|php|perl|python[23]?|printf|rev|tr|base64|printenv|w|who|ipconfig|dir|type|systeminfo|tasklist)\b[^\x60]{0,60}\x60[.\w]*['"]?\s*$|\x60\s*(?:id|ls|pwd|ps|whoami|uname|cat|curl|wget|ping|sleep|nslookup|dig|host|echo|bash|sh|nc|env|hostname|date|ifconfig|netstat|which|find|rm|touch|head|tail|php|perl|python[23]?|printf|rev|tr|base64|printenv|w|who|ipconfig|dir|type|systeminfo|tasklist)\s*[|;&>][^\x60]{0,120}\x60|\$\{\s*(?:IFS|PATH|HOME|SHELL|PWD|BASH|HOSTNAME|@)\b|\$IFS\b|\$\(\(\s*[\d+*\- ]+\)\)|\{(?:cat|ls|echo|id|curl|wget|ping|bash|sh|nc|sleep),[^}]{1,60}\}|<\s*/etc/|>\s*/(?:tmp|dev|var|etc|home)/|\bIFS\s*=|\$'\\x|\$@\w|/\?{2,}/|/b[i?*]n/\w*[?*][\w?*]*(?:\s|$|[;|&)])|/(?:[?*]in|b[?*]n|bi[?*])/\w|/(?:e[?*]{1,2}c?|[?*]{1,2}c|[?*]tc|et[?*])/[\w?*]{3}|/etc/(?:[?*][as]|p[?*]s|pa[?*]|pas[?*]|pass[?*]|passw[?*]|sh[?*]|sha[?*])"#,
        "The text uses substitution of a shell.",
    ),
    rule(
        "pack.rce.binary",
        r#"(?i)(?:^|[^\w])/(?:usr/(?:local/)?)?s?bin/+(?:\./+)*(?:sh|bash|zsh|dash|ksh|csh|cat|ls|id|nc|netcat|ncat|wget|curl|ping|python[23]?|perl|ruby|php|whoami|uname|echo|sleep|chmod|rm|env|telnet|ifconfig|nslookup|head|tail|find|ps|kill|touch|more|less|tac|awk|sed|grep|base64|busybox|mail|sendmail|dd)\b|/dev/(?:tcp|udp)/[\w.]+/\d|\b(?:ba|z|k|c|da)?sh\s+-(?:c|i)\b|\b(?:nc|ncat|netcat)(?:\.\w+)?\s+(?:-\w+\s+)*(?:-e|-c|-lvp?|-nv\w*|\d{1,3}(?:\.\d{1,3}){3}\s+\d+)|\bmkfifo\s+/|\b(?:wget|curl|fetch|lwp-download|lynx)\s+(?:-{1,2}[\w-]+(?:[= ]\S+)?\s+)*['"]?(?:(?:https?|ftp)?:?//\S*(?:\.(?:sh|py|pl|exe|ps1|elf|bin|txt|php|cgi)\b|[`$]|/x\b|\s+-[oO]\b|\s*\|)|(?:file|dict|gopher)://)|\b(?:wget|curl)\s[^\n]{0,120}(?:-d\s*@|--data(?:-binary)?\s+@|-F\s+\S+=@|-T\s+/)|^\s*(?:wget|curl)\s+(?:https?://)?\S+\s*$|\b(?:python[23]?|perl|ruby|php|node|lua)\s+-(?:c|e|r)\s*['"\w]|\|\s*(?:ba|z|k|da)?sh\b\s*(?:$|[;|&<>-])|\bchmod\s+(?:[ugoa]*\+[rw]?[xs]\s+[/~.$*]|[0-7]?7[0-7]{2}|[246][0-7]{3})\s+\S|\brm\s+-(?:rf|fr|r|f)\b\s*(?:[/~.$*'"\x60\\-]|\S+[/*.]|\w+\s*(?:$|[;|&\n]))|\bcat\s+(?:/etc/|/proc/|/home/|/root/|/var/|/flag|\.\./|~/|<)|\bping\s+(?:-[cnit]\s*\d+\s+)?(?:\d{1,3}(?:\.\d{1,3}){3}|localhost)\b\s*(?:$|[;|&`-])|\bnslookup\s+(?:-\w+\S*\s+)?[\w$`(.{-]+\.[\w.$`(){-]+|\bping\s+-[cn]\s*\d+\s+\S|\buname\s+-\w\b|\bnet\s+(?:user|localgroup|group|view|share)\b\s*(?:$|/|\w+\s+\S+\s+/add|[;|&])|\bls\s+-[lahRrt1]{1,4}\s*(?:$|[;|&>/~.*])|^\s*(?:whoami|ifconfig|ipconfig|systeminfo|uname)(?:\s+[-/]\w+)?\s*$"#,
        "The text is a command line.",
    ),
    rule(
        "pack.rce.windows",
        r#"(?i)\bcmd(?:\.exe)?\s*(?:/|\^)+\s*[ckr]\b|\bpowershell(?:\.exe)?\s+(?:-|/|\$|\(\s*(?:new-|get-|invoke|iex|\$|\[|['"])|['"&]|iex|get-|invoke)|\b(?:invoke-(?:expression|webrequest|command|restmethod|mimikatz|shellcode)|new-object\s+(?:system\.)?net\.|start-process\b|set-executionpolicy|frombase64string|downloadstring|downloadfile|add-type\b|iex\s*\(|iwr\s+)|[&|]\s*(?:dir|type|ver|tree|more|findstr|where|whoami|ipconfig|net|copy|del|echo|set|start|ping|tasklist|systeminfo|vol|nslookup|certutil|reg)\s+(?:[a-z]:\\|/|%\w+%|\\\\|-n\s+\d|user\b|view\b|localgroup\b|query\b)|^\s*(?:dir|type|ver|tree|more|findstr|where|whoami|ipconfig|net|copy|del|echo|set|start|ping|tasklist|systeminfo|vol|nslookup|certutil|reg)\s+(?:[a-z]:\\|/|%\w+%|\\\\|-n\s+\d|user\b|view\b|localgroup\b|query\b)\S*(?:\s+\S+)?\s*$|\b(?:certutil(?:\.exe)?\s+.{0,40}-urlcache|bitsadmin\s+/transfer|mshta\s+(?:http|vbscript|javascript)|regsvr32\s+/|rundll32(?:\.exe)?\s+\S+,|wmic\s+(?:process|os|useraccount|product|/node)|schtasks\s+/create|reg\s+(?:add|query|save|delete)\s+hk)|%(?:comspec|systemroot|windir|programfiles|userprofile|temp)(?::[~\d,-]+%|%[\\/]\S)|%comspec%|\bdde\s?\(\s*"(?:cmd|msexcel|powershell)|%[a-z][\w()]{1,40}:~-?\d+(?:,-?\d+)?%|(?:[a-z]\^){4}|(?:\^[a-z]){4}|\bpowershell(?:\.exe)?\s+[a-z]:\\|[;|&]\s*(?:dir|type|del|copy)\s+[a-z]:\\|[;|&]\s*(?:netsh|schtasks|taskkill|icacls|bitsadmin)\s+\S|[;|&]\s*route\s+(?:print|add|-n)\b|^\s*netsh\s+\w+\s+\w+|\bsystem\.diagnostics\.process\b|\bwscript\.shell\b|\bshell\.application\b|^\s*[=+@-]\s*(?:cmd|msexcel|powershell|dde|rundll32|mshta)\s*\||^\s*[=+@-]+\s*(?:hyperlink|dde|importxml|importdata|importfeed|importhtml|importrange|webservice|image)\s*\("#,
        "The text is a command for Windows.",
    ),
    rule(
        "pack.rce.php",
        r#"(?i)<\?(?:php\b|=|\s|$)|\b(?:system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec|eval|assert|create_function|call_user_func(?:_array)?|file_get_contents|file_put_contents|fopen|readfile|show_source|highlight_file|unserialize|base64_decode|gzinflate|gzuncompress|str_rot13|preg_replace|array_map|array_filter|usort|ob_start|move_uploaded_file|unlink|symlink|chmod|mail|putenv|ini_set|dl|scandir|glob|opendir|print_r|var_dump|register_shutdown_function|extract|parse_str)(?:\s*\(+\s*(?:['"]\s*(?:[a-z_/.<$;:\\\x60]|\d*\s*\))|\$(?:_|\{|[a-z])|~|\()|\(+\s*(?:base64_decode|gzinflate|str_rot13|chr\s*\(|system|exec|implode|file_get|getenv|current\s*\(|array_\w+\s*\(|phpinfo|__file__))|\b(?:include|require)(?:_once)?\s*\(?\s*(?:\$|['"]\s*(?:https?:|ftps?:|php:|data:|phar:|zip:|\.{0,2}/|\$|[\w/-]+\.(?:php|inc|txt|phtml|log|jpg)\b))|\bphpinfo\s*\(|\bphpversion\s*\(|\b(?:php|phar|zip|compress\.zlib|compress\.bzip2|zlib|glob|expect|ssh2(?:\.(?:shell|exec|tunnel|sftp|scp))?|rar|ogg|data)://|\[/?\\?php\]|\{/?php\}|\$_(?:get|post|request|cookie|server|files|session|env)\b\s*(?:\[|\{|$)|\$globals\b|\bo:\d+:"[\w\\]+":\d+:\{|\ba:\d+:\{[is]:\d+[:;]|\bc:\d+:"[\w\\]+":\d+:\{|\bdie\s*\(\s*(?:md5|['"@]|system|exec)|\bprint\s*\(?\s*(?:md5|\x60|system)\s*\(|\becho\s+(?:\x60|md5\s*\(|shell_exec|system\s*\()|\{\$\{\s*\w+\s*\(|\$\{\s*@?(?:print|system|eval|exec|phpinfo|passthru|assert)\b"#,
        "The text is PHP code or a serialised PHP object.",
    ),
    rule(
        "pack.rce.java",
        r#"(?i)\bruntime\s*(?:\.|\s*\(\s*\)\s*\.)\s*(?:getruntime|exec)|\bgetruntime\s*\(|\bnew\s+(?:java\.lang\.)?processbuilder\b|\bprocessbuilder\s*\(|(?:^|["'(@={\[!:]|\bnew\s+)\s*java\.(?:lang\.(?:runtime|system|process|processbuilder|class|thread|reflect|string|object|math)\b|net\.(?:url|socket|urlclassloader)\b|io\.(?:file\w*|bufferedreader|inputstream\w*)\b|util\.(?:scanner|arraylist|priorityqueue)\b|rmi\.|beans\.)[^\n:]{0,3}(?:["'@(\].)]|$)|\bjavax\.(?:script|naming|management|swing|imageio)\.\w+(?:["'@(\s]|$)|\bclass\.forname\s*\(\s*["']|\bgetclass\s*\(\s*\)\s*\.|\bscriptenginemanager\b|(?:^|["'@(!\[]|\bnew\s+)\s*(?:org\.apache\.commons\.collections|com\.sun\.rowset|org\.springframework\.(?:context|beans|core|util)|com\.sun\.org\.apache|org\.codehaus\.groovy|sun\.misc\.unsafe|clojure\.lang|bsh\.interpreter|freemarker\.template|ognl\.|org\.yaml\.snakeyaml|com\.mchange)[\w.$]*(?:["'(@\]]|$)|(?:["'@!\[]|\bnew\s+)\s*(?:com\.zaxxer|ch\.qos\.logback|org\.hibernate)[\w.$]*["'(@\]]|\bfreemarker\.template\.utility|@?ognl\.ognl|\bclass(?:\.|\[['"]?)module(?:\.|['"]?\]\[['"]?)classloader|\bclassloader\.|#_memberaccess|@ognl\.|#context\b|\bxwork\.|#cmd\s*=|#(?:process|response|request|session|rt|out|p|a|_)\s*=\s*[(@#]|!!javax?\.|!!(?:python|ruby)/|\bro0ab[a-z0-9+/]{6}|\xac\xed\x00\x05|\baced00057[0-9a-e][0-9a-f]{6}"#,
        "The text is Java code, an expression for it, or a serialised object.",
    ),
    rule(
        "pack.rce.python",
        r#"(?i)\b__import__\s*\(|\b(?:os|posix|nt|commands|subprocess|pty|shutil|importlib|builtins|sys)\s*\.\s*(?:system|popen\d?|exec[lv]?p?e?|spawn\w*|getoutput|getstatusoutput|check_output|check_call|call|run|remove|import_module|listdir|modules)\s*[(\[.]|\bsubprocess\.|\b__(?:class|mro|base|bases|subclasses|globals|builtins|import|code|getattribute|reduce(?:_ex)?)__\b|\.__(?:init|dict|self)__\b|\bimport\s+(?:os|subprocess|pty|socket|sys|commands)\b\s*;|\b(?:eval|exec|compile)\s*\(\s*(?:['"](?:__import__|import|os\.|open\(|print|\d+\s*[*+])|compile|open|request|input|base64|bytes|chr\s*\()|\bgetattr\s*\(\s*\w+\s*,\s*['"]__|\bcos\s*\n\s*system|\bcposix\s*\n\s*system|\(S'|\bopen\s*\(\s*['"](?:/etc|/proc|/flag|\.\./)[^)]*\)(?:\.read)?|\byaml\.load\b|\bpickle\.loads?\b"#,
        "The text is Python code.",
    ),
    rule(
        "pack.rce.javascript",
        r#"(?i)\brequire\s*\(\s*['"`](?:child_process|fs|net|http|https|os|vm|util|module|dns|node:\w+)['"`]|\bchild_process\b|\bprocess\s*(?:\.|\[['"`])\s*(?:mainmodule|binding|exit\s*\(|kill|dlopen|_load)|_\$\$nd_func\$\$_|\bglobal(?:this)?\.process\b|\b(?:exec|spawn|fork|execfile)sync\s*\(|\bfs\.(?:readfile|writefile|readdir|unlink)|\bmodule\._load|\bconstructor\s*\(\s*['"`]return|\bfunction\s*\(\s*\)\s*\{\s*(?:require|process|eval|while|sleep|alert)\b|\bres(?:ponse)?\.(?:end|send|write)\s*\(\s*(?:require|process|fs|['"`\d])|(?:^|['";])\s*(?:while|for)\s*\(\s*(?:true|1|;;)\s*\)|\bnew\s+function\s*\("#,
        "The text is code for a script engine.",
    ),
    rule(
        "pack.rce.ruby_perl",
        r#"(?i)\b(?:kernel|io|process|file|dir|open3|object|net::http|erb|marshal)\s*(?:\.|::)\s*(?:system|exec|popen\d?|spawn|open|read|write|fork|const_get|send|new|load|sysopen|readlines|glob|entries)\b\s*[(\s'"]|(?-i:%x(?:[\[{(|!]|/[a-z]{2}))|\buse\s+(?:socket|io::|lwp|warnings|strict)\b|\binstance_eval\b|\binstance_variable_get\b|\bopen\s*\(\s*['"]\|"#,
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
        r#"(?i)(?:^|[&|;\s(@])for\s+(?:/[dflr]\s+(?:"[^"]{0,80}"\s+|'[^']{0,80}'\s+|[a-z]:\\\S*\s+|\.\s+|%\S{1,20}%?\s+|\([^)]{0,40}\)\s+)?){0,4}%{1,2}\S{0,12}\s+in\s*\(.{0,200}\)\s*do\b|(?:^|[&|;\s(@])if\s+(?:/i\s+)?(?:not\s+)?(?:(?:exist|defined|errorlevel|cmdextversion)\s+\S{1,80}|"?[%!]\w{1,40}[%!]"?\s*(?:==|\b(?:equ|neq|lss|leq|gtr|geq)\b)\s*\S{1,40}|\S{1,40}\s*==\s*\S{1,40})\s+(?:\(|@?echo\b|set\s+"?\w+=|goto\b|call\b|del\b|copy\b|start\b|cmd\b|md\b|rd\b|rmdir\b|exit\b|type\b|dir\b)|\bif\s*(?:/i\s+)?(?:not\s+)?["\[({]?[%!][\w~:,-]{1,30}[%!]?["\])}]?\s*(?:==|\b(?:equ|neq|lss|leq|gtr|geq)\b)|^\s*if\s*/i\s+\S|[;|&]\s*regedit\b|\bHKEY_(?:LOCAL_MACHINE|CURRENT_USER|CLASSES_ROOT|USERS)\b"#,
        "The text is a script for Windows.",
    ),
    rule(
        "pack.rce.php_name",
        r#"(?i)(?:base64_(?:de|en)code|bzdecompress|bzcompress|call_user_func(?:_array)?|p?fsockopen|gz(?:decode|inflate|uncompress|open|file)|get_defined_(?:functions|vars|constants)|posix_\w{2,20}|pcntl_\w{2,20}|shell_exec|proc_open|passthru|zlib_decode|curl_(?:init|exec|setopt)|print_r|var_dump|var_export|strrev|str_rot13|file_exists|file_(?:get|put)_contents|is_array|array_(?:map|walk|filter)|create_function|func_get_args|highlight_file|php_uname|phpversion|preg_replace_callback|show_source|stream_socket_client|tidy_parse_string|odbc_\w{4,40}|mysqli?_query|unserialize|strip_tags|intval|assert_options|ini_set|move_uploaded_file)(?:\s|/\*[^*]{0,40}\*/){0,4}=?\("#,
        "The text calls a function of PHP.",
    ),
    rule(
        "pack.rce.php_variable",
        r#"(?i)\$[a-z_]\w{0,30}(?:\[[^\]]{0,40}\]|\{[^}]{0,40}\}){0,6}(?:/\*[^*]{0,20}\*/)?\(\s*(?:\)|\d|['"$@])|\$\$[a-z_]\w*\s*\(|(?:->|::)\$\w{1,30}\(|@?\$_{1,8}\[|\$\s*\{\s*['"@$]|\$\s+\{\s*\w"#,
        "The text calls what a variable of PHP names.",
    ),
    rule(
        "pack.rce.php_quoted",
        r#"(?i)[(\["']\s*(?:system|exec|passthru|shell_exec|popen|assert|eval)\s*[)\]"']{1,3}(?:\[0\])?(?:\s*\(\s*['"]?(?:ls|id|whoami|uname|cat|dir|pwd|\$)|\(['"\w$])|\b(?:system|exec|popen)\s*\(\s*(?:ls|id|whoami|uname|cat|dir|pwd)\s*\)"#,
        "The text calls a function of PHP by a name in quotes or brackets.",
    ),
    rule(
        "pack.rce.php_joined",
        r#"'\w{1,12}'\s*\.\s*'\w{1,12}'\s*;|"\w{1,12}"\s*\.\s*"\w{1,12}"\s*[;.]"#,
        "The text is PHP in pieces.",
    ),
    rule(
        "pack.rce.script_loop",
        r#"(?i)\bwhile\s*\(+\s*(?:!|[+-]?infinity\b|[+-]?\d{1,4}\s*\)|new\s+\w+\s*\)|this\s*\)|string\s*\)|true\s*\))|^\s*process\.env\b\S*\s*$|\bprocess\s*\[\s*(?:['"]?\s*\w|req\.)|\brequire\s*\[\s*['"]?\w|^\s*module\.exports\s*=\s*$|__js_function|\breflect\.\w{2,12}\.(?:call|apply)\b|\[\s*\]\s*\.\s*sort\s*\.\s*call"#,
        "The text is code for a script engine.",
    ),
    rule(
        "pack.rce.java_name",
        r#"(?i)^\s*(?:java|javax|sun|com\.sun|com\.opensymphony|org\.apache\.(?:commons|struts2?|xalan)|org\.omg\.corba|com\.bea)\.[\w.$]{1,120}(?:\s*$|\()|^\s*org\.apache\.commons\s*$|\b(?:invoker|instantiate|clone|constant|chained|switch|map)transformer\b|\b(?:prototype(?:clone|serialization)|instantiate)factory\b|\b(?:for|while|transformer)closure\b|\bjava\.(?:\w{1,20}\.)?(?:runtime|processbuilder)\b|\bprocessbuilder\.\w"#,
        "The text names a class that deserialisation attacks use.",
    ),
    rule(
        "pack.rce.format",
        r"%n%n|(?:%[xp]){4}|(?:%s){6}",
        "The text is a format that reads or writes memory.",
    ),
];
