//! SQL that the tokenising detector does not see, or sees only in one dialect.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Sqli, id, pattern, why)
}

/// A rule about quotes that end a value.
const fn breaking(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule {
        confirm: Confirm::BreaksOut,
        ..rule(id, pattern, why)
    }
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.sqli.union",
        r#"(?i)\bunion\b[\s(+]+(?:(?:all|distinct(?:row)?)\b)?[\s(+]*select\b[\s(+]*(?:null|\d|['"@*(`]|0x|[\w.\x60]+\s*(?:,|\(|from\b))"#,
        "The text appends a second query.",
    ),
    rule(
        "pack.sqli.tautology_number",
        r#"(?i)(?:^|[\s'"`)(\d+])(?:or|and|xor|\|\||&&)[\s(+'"`]+(?:not\s+)?\d{1,12}['"`)\s]*(?:=|<=>|<>|!=|<|>|\blike\b|\brlike\b)[\s('"`]*\d{1,12}(?:$|['"`);\s#\-])"#,
        "The text adds a condition that is always true or false.",
    ),
    breaking(
        "pack.sqli.tautology_text",
        r#"(?i)(?:^|[\s'"`)(\d])(?:or|and|xor|\|\||&&)[\s(]*(?:not\s+)?['"`]\s*[^'"`]{0,40}['"`]\s*(?:=|<=>|<>|!=|<|>|\blike\b)\s*\(?['"`\w]"#,
        "The text compares two quoted texts to change a condition.",
    ),
    breaking(
        "pack.sqli.break_or",
        r#"(?i)['"`]\s*\)*\s*(?:or|and|xor|\|\||&&|having|where|rlike|regexp|like|between)\s*[\s('"`(@]\s*(?:not\s+|exists\s*\(|select\b|true\b|false\b|null\b|\d+\s*(?:=|<|>|--|#|/\*|\)|$)|\w+\s*(?:=|<>|!=|<|>)\s*['"`\w(]|\w+\s*\(|\w+\s+(?:is|like|in|between)\b|['"`][^'"`]*(?:$|['"`]\s*(?:=|--|#))|(?:''|"")\s*(?:$|['"=<>)-]))"#,
        "The text closes a quoted value and goes on as SQL.",
    ),
    breaking(
        "pack.sqli.break_comment",
        r#"(?i)^[^\s'"`]{0,40}\s{0,3}['"`]\s*\)*\s*(?:--(?:\s|$|-|\+)|#\s*$|/\*|;\s*(?:--|#|$|%00|\x00))"#,
        "The text closes a quoted value and comments out the rest.",
    ),
    rule(
        "pack.sqli.stacked",
        r#"(?i);\s*(?:drop\s+(?:table|database|user|view|schema|index|procedure|function|column)\b|truncate\s+table\b|alter\s+(?:table|user|database|login)\b|create\s+(?:table|user|database|login|function|procedure|trigger|or\s+replace)\b|delete\s+from\s+\w|insert\s+into\s+[\w.\x60\[]+[\s(]|update\s+[\w.\x60\[]+\s+set\b|exec(?:ute)?(?:\s+|\s*\()(?:immediate|master|sp_|xp_|@|'|\()|declare\s+@|shutdown\b|waitfor\s+(?:delay|time)|select\b.{0,80}(?:\bfrom\s+[\w.\x60"\[\]]+\s*(?:;|--|#|$|where\b|limit\b|order\s+by)|\(|@@|\*)|grant\s+\w+.{0,40}\bto\b|copy\s+[\w(].{0,60}\b(?:from|to)\s+program|begin\b.{0,60}\bdbms_|begin\s+[\w.$]+\s*\([^)]{0,80}\)\s*;\s*end\b|if\s*\([^;]{1,120}\)\s*(?:select|waitfor|drop|exec|begin|declare)\b|call\s+\w+\(|desc(?:ribe)?\s+\w+\s*;|merge\s+into\s+\w+\s+using\b|(?:reconfigure|backup\s+database|restore\s+database|kill\s+\d+)\b)"#,
        "The text appends a second statement.",
    ),
    rule(
        "pack.sqli.delay",
        r#"(?i)\bwaitfor\s+(?:delay|time)\s+['"\d@n(]|\bpg_sleep(?:_for|_until)?\s*\(|\bbenchmark\s*\(\s*\d+\s*,|\buser_lock\.sleep|\bdbms_(?:lock\.sleep|pipe\.receive_message|session\.sleep|utility\.)|(?:\bselect|\band|\bor|\bunion|\bwhere|\bif\s*\(|\bcase\b.{1,60}\bthen|\|\||&&|\bxor|\bby|[,+*/(=-])[\s(]*sleep\s*\(\s*\d|\brandomblob\s*\(\s*\d{6}|^\W*sleep\s*\(\s*\d+\s*\)\W*$"#,
        "The text makes the database wait.",
    ),
    rule(
        "pack.sqli.catalog",
        r#"(?i)\binformation_schema\b\s*(?:\.|['"`])|\bsys(?:objects|columns|databases)\b\s*(?:where|--|\)|$)|\bpg_(?:catalog\.|user\b|shadow\b|database\b|tables\b|read_file|ls_dir)|\bsqlite_(?:master|schema|version)\b|\b(?:all|user|dba)_(?:tables|tab_columns|users|objects)\b|\bmysql\.(?:user|db|innodb_\w+)\b|\bmaster\.(?:\.(?:xp_|sp_|sys)|dbo\.|sys\.)|\bsys\.(?:databases|tables|objects|user\$?|sql_logins|schema_table)|\bv\$(?:version|instance|database|session)\b|\bmsys(?:objects|aces|queries|relationships)\b|@@(?:version|hostname|datadir|servername|global|basedir|identity|language|microsoftversion|spid|version_compile)|\bfrom\s+(?:dual|rdb\$\w+)\b|\bhaving\s+\d+\s*=\s*\d+"#,
        "The text names a system table or variable of a database.",
    ),
    rule(
        "pack.sqli.function",
        r#"(?i)\bxp_(?:cmdshell|dirtree|regread|fileexist|regwrite)\b|\bsp_(?:executesql|oacreate|password|configure|makewebtask)\b|\butl_(?:http|inaddr|file|smtp)\b|\b(?:load_file|extractvalue|updatexml|group_concat|gtid_subset|json_keys|exp\s*\(\s*~|concat_ws|make_set|lo_import|lo_export|dblink|query_to_xml|database_to_xml|xmltype|ctxsys\.drithsx|sys_eval|sys_exec|openrowset|opendatasource|openquery|fn_xe_file|fn_trace_gettabe|dbms_xmlquery\.\w+|dbms_xmlgen\.\w+)\s*\(|\binto\s+(?:out|dump)file\s*['"0(]|\bchr?\s*\(\s*\d{2,3}\s*\)\s*(?:\|\||\+|,|&)|\bchar\s*\(\s*(?:0x)?\d{2,3}\s*(?:,\s*(?:0x)?\d{2,3}\s*)+\)|\bconcat\s*\(\s*(?:0x|char\s*\(|chr\s*\(|@@|select|version|user|database|current_user|'[^']{0,10}'\s*,\s*\()|\b(?:ascii|ord|hex|unhex|length|substr(?:ing)?|mid|left|right|char_length)\s*\(+\s*(?:select\b|substr|mid\s*\(|(?:user|database|version|current_user|system_user|session_user|schema)\s*\()|\bprocedure\s+analyse\s*\(|\belt\s*\(\s*\d|\bmake_set\s*\(|\bcast\s*\(\s*\(?\s*(?:select|chr|version|current)|\bconvert\s*\(\s*int\s*,|\bcase\s+when\b.{1,120}\bthen\b.{1,120}\b(?:else|end)\b|\bif\s*\(.{0,80}(?:\b(?:select|sleep|benchmark|substr|substring|ascii|mid|ord|length|version|database|now|sysdate|char|hex|user)\s*\(|\bselect\b|\d\s*(?:=|<|>|\blike\b)\s*\d|@@|0x).{0,80},.{0,80},|\biif\s*\(\s*(?:\d|'|\(|select)|\bst_(?:latfromgeohash|longfromgeohash|pointfromgeohash)\s*\(|\b(?:name_const|geometrycollection|multipoint|linestring)\s*\(\s*\(?\s*(?:select|version|user|database|@@)"#,
        "The text calls a database function that injections use.",
    ),
    rule(
        "pack.sqli.subselect",
        r#"(?i)^\s*select\s+(?:(?:current|session|system)_\w+|\w+\s*\(\s*\))\s*(?:;\s*)?(?:$|--|#)|\(\s*select\b.{1,300}(?:\bfrom\b|@@|\w\s*\(|\)\s*(?:=|<|>|as\b|,|--|\)|x\b|a\b))|\bselect\b[\s(]+(?:\*\s*(?:,|/\*|$|;|from\b)|count\s*\(|top\s+\d|null\b|@@|0x|char\s*\(|(?:user|version|database|current_user|schema|system_user|sleep|load_file)\s*\()[^.!?]{0,200}?(?:\bfrom\b|$|--|;|\))|\bexists\s*\(\s*select\b|\bin\s*\(\s*select\b"#,
        "The text holds a query inside an expression.",
    ),
    rule(
        "pack.sqli.order_by",
        r#"(?i)(?:^|['"`)\d\s])\s*(?:order|group)\s+by\s+(?:\d+(?:\s*,\s*\d+)*|[\w.]+\s*\(|if\s*\(|\(|case\b)[^\w]{0,3}\s*(?:--|#|/\*|;|$|,|\(|asc\b|desc\b)"#,
        "The text probes the columns of a query.",
    ),
    rule(
        "pack.sqli.query",
        r#"(?i)\bselect\b[^\n;]{1,60}\bfrom\s*`|\battach\s+database\s+['"]|\bpragma\s+\w+\s*\(|\bcopy\s*\(\s*select\b.{1,200}\)\s*to\s+['"]|\bcopy\s+\w+\s+from\s+program\b|\bun(?:i/\*[^*]{0,20}\*/on|/\*[^*]{0,20}\*/ion)\b|\bse(?:l/\*[^*]{0,20}\*/ect|/\*[^*]{0,20}\*/lect)\b|\bselect\b[\s\w.,*`"'()@=+|\-/\[\]]{1,200}\bfrom\b\s+[\w.`"\[\]@]+(?:\s+\w+){0,2}?\s*(?:\bwhere\b[\s(]+[\w.`"\[\]()]+\s*(?:=|<|>|!=|like\s*['"%(]|in\s*\(|is\s+(?:not\s+)?null\b|between\s+['"\d])|\blimit\s+\d|\border\s+by\s+[\w.]+\s*(?:$|;|--|#|,|asc\b|desc\b|limit\b)|\bgroup\s+by\s+\w+\s*(?:$|;|--|,|having\b)|\bunion\b[\s(]+(?:all\s+|distinct\s+)?\(?\s*select\b|;\s*(?:$|--|#|select\b|drop\b)|--\s*(?:$|[+-])|#\s*$|/\*)|^\s*select\s+(?:\*|[\w.`"]+(?:\s*,\s*[\w.`"()*]+)*|\w+\s*\([^)]{0,40}\))\s+from\s+[\w.`"]+\s*;?\s*$|\binsert\s+into\s+[\w.`"\[\]]+\s*(?:\([^)]{1,200}\)\s*)?(?:values\s*\(|select\b)|\bdelete\s+from\s+[\w.`"\[\]]+\s*(?:where\b.{0,80}(?:=|\blike\b|<|>)|;|--|$)|\bupdate\s+[\w.`"\[\]]+\s+set\s+[\w.`"\[\]]+\s*=|\bdrop\s+(?:table|database|view|procedure|schema)\s+(?:if\s+exists\s+)?[\w.`"\[\]]+\s*(?:;|--|$|cascade|'|")|\btruncate\s+table\s+\w|\balter\s+table\s+\w+\s+(?:add|drop|modify|alter)\b|\bcreate\s+(?:table|user|login|database)\s+[\w.'@`"]+\s*(?:\(|identified|with|;|$|--)|\bgrant\s+(?:(?:all(?:\s+privileges)?|select|insert|execute|usage)\s+on\s+\S+\s+to\b|dba\s+to\b)|\bbulk\s+insert\s+\w|\bexec(?:ute)?(?:\s+(?:master|sp_|xp_|immediate\s|@)|\(\s*(?:@|['"n]))|\bdeclare\s+@\w+\s+(?:n?varchar|n?char|int|table|sysname)"#,
        "The text is a statement for a database.",
    ),
    rule(
        "pack.sqli.probe",
        r#"(?i)^[\s(]*(?:-?\d{1,12}['")\s]*|[\w.-]{0,20}['"][\s)]+)union\b[\s(+]+(?:(?:all|distinct(?:row)?)\b[\s(+]*)?select\b|^\s*union\s+(?:all\s+)?select\s*$|^\W*(?:information_schema|pg_catalog|mysysaccessobjects|msysaccessobjects)\W*$|\b(?:declare|exec(?:ute)?)\s*\(?\s*@\w{0,40}\s*$|;\s*(?:insert\s+into|delete\s+from|drop\s+table|truncate\s+table)\s*$|\balter\s+table\s+[\w.\x60"\[\]]+\s+(?:add|drop|modify|alter|change|rename)\b|;\s*(?:replace|truncate)\s*(?:into\s+)?[\w\[\x60]{1,40}\s*[(\[]"#,
        "The text tries out what a database does with it.",
    ),
    rule(
        "pack.sqli.probe_call",
        r#"(?i)^\s*(?:benchmark|coalesce|(?:un)?compress|concat(?:_ws)?|current_user|session_user|system_user|user|database|db_name|version|(?:un)?hex|ifnull|nullif|[lr]?trim|md5|sha1|name_const|ord|pow|rand|strcmp|substr(?:ing)?|sysdate|mid|find_in_set|sleep|pg_sleep|cos|sin|char|chr|ascii)\s*\(\s*$|^\s*(?:if\s*\(\s*\d+\s*=|\)\s*like\s*\()\s*$|\bhaving\s+(?:count|sum|max|min|avg)\s*\(|\bprocedure\s+analyse\s*\(|\blo_get\s*\(\s*\d|\b(?:sqlite_compileoption_get|jsonb_pretty|json_build_object)\s*\("#,
        "The text tries out the functions of a database.",
    ),
    rule(
        "pack.sqli.cast",
        r#"(?i)'[\[{][^']{0,120}[\]}]'\s*::\s*jsonb?\b|\)\s*::\s*(?:int\d?|integer|bigint|text|jsonb?|numeric|double\s+precision|varchar|regclass)\b|\b(?:current_user|session_user|password|passwd)\s*::\s*(?:int|text|json)"#,
        "The text casts a value the way PostgreSQL does.",
    ),
    rule(
        "pack.sqli.json_operator",
        r#"(?i)'[\[{][^']{0,120}[\]}]'\s*(?:::\s*jsonb?\s*)?(?:<@|@>|\?[|&]?|#?->>?|#>>?|#-|@[?@]?|[=<>])\s*(?:'|\d|array\[)"#,
        "The text compares JSON the way a database does.",
    ),
    rule(
        "pack.sqli.number_glued",
        r#"(?i)\b\d+\.e(?:\(|\.[a-z])|^\s*(?:\d+|\x60)\s*as\s+["\x60]\w+["\x60]\s+from\b"#,
        "The text goes on as SQL right behind a number.",
    ),
    breaking(
        "pack.sqli.break_query",
        r#"(?i)^[\w.@-]{0,20}['"\x60][\s)]*(?:;\s*select\b|union\b[\s(+]*(?:(?:all|distinct)\b[\s(+]*)?select\b)"#,
        "The text closes a quoted value and begins a query.",
    ),
    rule(
        "pack.sqli.version_comment",
        r"(?i)/\*!\d{0,6}\s*(?:union|select|and|or|from|where|order|sleep|all|concat|group|table|information_schema)\b",
        "The text hides SQL in a conditional comment.",
    ),
    breaking(
        "pack.sqli.blind",
        r#"(?i)(?:^|['"`)\d\s])\s*\b(?:and|or|xor|rlike|regexp|\|\||&&)\b[\s(!~+'"`-]*(?:(?:ascii|ord|length|len|substr(?:ing)?|mid|left|right|hex|lower|upper|user|database|version|current_user|system_user|count|updatexml|extractvalue|sleep|benchmark|if|exp|floor|rand|char_length|conv|bin|strcmp|json_\w+|pg_sleep|to_char|utl_\w+\.\w+|ctxsys\.\w+|dbms_\w+\.\w+|make_set|elt|row|quote|convert|cast|coalesce|ifnull|nullif|isnull|row_count|last_insert_id|bitand|iif)\s*\(|select\s*(?:[*\d@'"(]|\w+\s*\(|[\w.]+\s+from\b|case\b|null\b)|exists\s*\(\s*select|@@|@\w+\s*(?:=|:=|--|<|>)|0x[0-9a-f]{2,}|true\s*=|false\s*=|\d+\s+(?:between\s+\d|in\s*\(|is\s+(?:not\s+)?null\b|like\s+['"%\d])|\w+\s+is\s+(?:not\s+)?null\b|\w+\s+(?:not\s+)?like\s+(?:['"%]|0x|char\s*\()|\w+\s*=\s*\w*\(\s*select|'\w*'\s*(?:=|like|in|between|is)|\w+\s+in\s*\()"#,
        "The text asks the database a question whose answer is seen in the outcome.",
    ),
    breaking(
        "pack.sqli.constant",
        r#"(?i)(?:['"`)]|^[\w$.-]{1,12})\s*\b(?:or|and|xor|\|\||&&)[\s(+]*(?:not\s+)?(?:true|false)\s*(?:\)|$|--|#|/\*|;)|^[\s)]*(?:or|and|xor|\|\||&&)\s+(?:not\s+)?(?:true|false|\d{1,6})\s*(?:--|#\s*$|/\*)"#,
        "The text adds a constant to a condition.",
    ),
    breaking(
        "pack.sqli.arith",
        r#"(?i)^\s*(?:-?\d+|['"])\s*(?:['"`)]\s*)(?:[-+*/%|^&]|div|mod)\s*(?:['"`(]|\d+\s*(?:--|#|/\*)|sleep|benchmark|\(?select)|^['"`]\s*(?:\+|\|\|)\s*['"`(]|^['"]\s*(?:=\s*['"]|-\|\|\d)|^\s*\d+\s*(?:--\s|#\s*$|/\*)"#,
        "The text breaks out of a value with arithmetic or a comment.",
    ),
    Rule {
        confirm: Confirm::SameSides,
        ..rule(
            "pack.sqli.self_comparison",
            r#"(?i)(?:\b(?:or|and|xor)\b|\|\||&&)[\s(+]*(?:not\s+)?(@{0,2}[\w$.]+(?:\([^()]{0,40}\))?|'[^']{0,40}'|"[^"]{0,40}")\s*(?:=|<=>|\blike\b)\s*(@{0,2}[\w$.]+(?:\([^()]{0,40}\))?|'[^']{0,40}'|"[^"]{0,40}")"#,
            "The text compares something with itself, which is always true.",
        )
    },
    Rule {
        confirm: Confirm::SameSides,
        ..rule(
            "pack.sqli.self_evident",
            r#"(?i)^\W*(@@\w{1,40}|[\w.]{1,40}\([^()]{0,40}\))\s*=\s*(@@\w{1,40}|[\w.]{1,40}\([^()]{0,40}\))\W*$"#,
            "The text compares the answer of a database with itself.",
        )
    },
    rule(
        "pack.sqli.condition",
        r#"(?i)^\s*\d{1,6}\s*[-+*/]\s*(?:true|false)\s*$|^[\s)]*(?:or|and)\s+'[^']{0,40}'\s*(?:=|<>|!=|<|>|\blike\b)\s*'|^\s*(?:-?\d{1,12}|[\w$.-]{1,20}['")])[\s)'"]*\s*\b(?:or|and|xor)\b\s+(?:not\s+)?(?:\w+\((?:[^)]{0,80}[\d'"=@*][^)]{0,80})?\)+\s*(?:[=<>]|--|#|$)|'[^']{0,40}'\s*(?:=|<>|!=|<|>|\blike\b)\s*'[^']{0,40}(?:'|$))"#,
        "The text adds a condition to a number or a word.",
    ),
];
