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

/// A rule about what goes on from a value.
const fn follows(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule {
        confirm: Confirm::FollowsValue,
        ..rule(id, pattern, why)
    }
}

/// How a condition goes on as SQL.
macro_rules! continued {
    () => {
        concat!(
            r"not\s+|exists\s*\(|select\b|true\b|false\b|null\b|\d+\s*(?:(?:=|<|>)\s*(?:[^\d\s]|\d+\s*(?:$|--|[^\w\s;,.:?!-]|",
            r";\s*(?:$|--|#)|(?:and|or|union|order|limit)\b))|--|#|/\*|\)|$)|[a-z_@]\w*\s*(?:=|<>|!=|<|",
            r#">)\s*['"`\w(]|\w+\s*\((?:[^;()]{0,120}$|[^;]{0,160}?\)\s*(?:$|[=<>!)'"|&]|--|#|/\*|and\b|or\b|is\b|in\b|like\b|"#,
            r#"between\b|limit\b|order\b))|\w+\s+(?:is|like|in|between)\b|['"`][^'"`]*(?:$|['"`]\s*(?:=|--|#))|(?:''|"#,
            r#""")\s*(?:$|['"=<>)-])"#,
        )
    };
}

/// The end of a statement.
macro_rules! ended {
    () => {
        r#"\s*(?:$|;|--|#|/\*|\x00)"#
    };
}

/// A name that is no number.
macro_rules! named {
    () => {
        r#"(?:\w*[a-z_$]\w*|[.\x60"\[\]@$])[\w.\x60"\[\]@$]*"#
    };
}

/// Statements that no sentence says, whatever stands before them.
macro_rules! statements {
    () => {
        concat!(
            r"exec(?:ute)?(?:\s+|\s*\()(?:immediate|master|sp_|xp_|@|'|\()|declare\s+@|waitfor\s+(?:delay|time)\s+['\d@n(]|",
            r"copy\s+[\w(].{0,60}\b(?:from|to)\s+program|begin\b.{0,60}\bdbms_|begin\s+[\w.$]+\s*\([^)]{0,80}\)\s*;\s*end\b|",
            r"if\s*\([^;]{1,120}\)\s*(?:select|waitfor|drop|exec|begin|declare)\b|merge\s+into\s+\w+\s+using\b|",
            r#"select\b[^;]{0,80}\bfrom\s+[\w.\x60"\[\]]+\s*(?:;|--|#|$|where\b|limit\b|order\s+by)|select\b[^;]{0,80}@@|"#,
            r"drop\s+(?:table|database|user|view|schema|index|procedure|function|login|trigger)\s+(?:if\s+exists\s+)?",
            named!(),
            r"\s*(?:$|;|--|#|/\*|,|cascade\b|restrict\b|on\s)|truncate\s+table\s+",
            named!(),
            ended!(),
            r"|alter\s+(?:table|user|database|login)\s+",
            named!(),
            r"\s+(?:add|drop|modify|alter|change|rename|set|identified|with|enable|disable|owner|account)\b|",
            r"create\s+(?:or\s+replace\s+)?(?:table|user|database|login|function|procedure|trigger|view)\s+(?:if\s+not\s+exists\s+)?",
            named!(),
            r"\s*(?:\(|;|$|--|identified\b|with\s+(?:password|login)|for\s+login|as\s|without\s+login|before\b|after\b)|",
            r"delete\s+from\s+",
            named!(),
            r"(?:\s+(?:where|using|limit)\b|\s*(?:;|--|#|$|/\*))|insert\s+into\s+",
            named!(),
            r#"\s*(?:values\b|select\b|default\s+values|\([^)]{0,200}\)\s*(?:values|select)|\(?\s*['"\d@])|update\s+"#,
            named!(),
            r#"\s+set\s+[\w.\x60"\[\]]+\s*=\s*(?:'[^']*'|"[^"]*"|[^\s,;'"]+)\s*(?:$|;|--|#|/\*|,|where\b|from\b|limit\b|[-+*/|(])|"#,
            r"(?:backup|restore)\s+(?:database|log)\s+\S+\s+(?:to|from)\s+(?:disk|url|tape)\b",
        )
    };
}

/// Statements that are sentences where they do not go on from a value.
macro_rules! plain_statements {
    () => {
        concat!(
            r"(?:shutdown(?:\s+(?:with\s+nowait|abort|immediate|normal|transactional))?|reconfigure(?:\s+with\s+override)?|",
            r"kill\s+\d+|call\s+\w+\([^)]{0,80}\)|desc(?:ribe)?\s+\w+|use\s+\w+|show\s+(?:tables|databases|grants))",
            ended!(),
            r"|(?:drop|truncate|alter|create|delete|insert|update|grant|revoke)\s+(?:table|database|user|view|schema|",
            r"index|procedure|function|column|login|trigger|from|into|all|select|execute|dba|connect)\b|update\s+\S+\s+set\b|",
            r"select\b[^;]{0,80}(?:\(|\*)|grant\s+[\w\s,]{1,40}\s(?:to|on)\b",
        )
    };
}

/// Functions that read, make or tell something.
macro_rules! functions {
    () => {
        concat!(
            r"load_file|extractvalue|updatexml|group_concat|gtid_subset|json_keys|exp\s*\(\s*~|concat_ws|make_set|",
            r"lo_import|lo_export|dblink|query_to_xml|database_to_xml|xmltype|ctxsys\.drithsx|sys_eval|sys_exec|",
            r"openrowset|opendatasource|openquery|fn_xe_file|fn_trace_gettabe|dbms_xmlquery\.\w+|dbms_xmlgen\.\w+",
        )
    };
}

/// What is asked for where an attack asks.
macro_rules! asked {
    () => {
        concat!(
            r"\*\s*(?:,|/\*|$|;|from\b)|count\s*\(|top\s+\d|null\b|@@|0x|char\s*\(|(?:user|version|database|",
            r"current_user|schema|system_user|sleep|load_file)\s*\(",
        )
    };
}

/// What follows the tables of a query.
macro_rules! clauses {
    () => {
        concat!(
            r#"\bwhere\b[\s(]+[\w.`"\[\]()]+\s*(?:=|<|>|!=|like\s*['"%(]|in\s*\(|is\s+(?:not\s+)?null\b|"#,
            r#"between\s+['"\d])|\blimit\s+\d|\border\s+by\s+[\w.]+\s*(?:$|;|--|#|,|asc\b|desc\b|limit\b)|"#,
            r"\bgroup\s+by\s+\w+\s*(?:$|;|--|,|having\b)|\bunion\b[\s(]+(?:all\s+|distinct\s+)?\(?\s*select\b|;\s*(?:$|",
            r"--|#|select\b|drop\b)|--\s*(?:$|[+-])|#\s*$|/\*",
        )
    };
}

/// Functions whose call may be all of a text.
macro_rules! begun {
    () => {
        concat!(
            r"benchmark|coalesce|(?:un)?compress|concat(?:_ws)?|current_user|session_user|system_user|user|database|",
            r"db_name|version|(?:un)?hex|ifnull|nullif|[lr]?trim|md5|sha1|name_const|ord|pow|rand|strcmp|",
            r"substr(?:ing)?|sysdate|mid|find_in_set|sleep|pg_sleep|cos|sin|char|chr|ascii",
        )
    };
}

/// Functions in a condition.
macro_rules! compared {
    () => {
        concat!(
            r"ascii|ord|length|len|substr(?:ing)?|mid|left|right|hex|lower|upper|user|database|version|current_user|",
            r"system_user|count|updatexml|extractvalue|sleep|benchmark|if|exp|floor|rand|char_length|conv|bin|strcmp|",
            r"json_\w+|pg_sleep|to_char|utl_\w+\.\w+|ctxsys\.\w+|dbms_\w+\.\w+|make_set|elt|row|quote|convert|cast|",
            r"coalesce|ifnull|nullif|isnull|row_count|last_insert_id|bitand|iif",
        )
    };
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.sqli.union",
        r#"(?i)\bunion\b[\s(+]+(?:(?:all|distinct(?:row)?)\b)?[\s(+]*select\b[\s(+]*(?:null|\d|['"@*(`]|0x|[\w.\x60]+\s*(?:,|\(|from\b))"#,
        "The text appends a second query.",
    ),
    follows(
        "pack.sqli.tautology_number",
        concat!(
            r#"(?i)(?:^|[\s'"`)(\d+])(?:or|and|xor|\|\||&&)[\s(+'"`]+(?:not\s+)?\d{1,12}['"`)\s]*(?:=|<=>|<>|!=|<|>|\blike\b|\brlike\b)[\s('"`]*\d{1,12}\s*"#,
            r#"(?:$|['"`)#\-+*/%]|;\s*(?:$|[-#/'"]|(?:select|drop|insert|update|delete|exec|declare|waitfor|shutdown|alter|create|grant|begin|if|set|use)\b)|"#,
            r"(?:and|or|xor|union|order|group|limit|having|like|between|is|in|into|procedure|for)\b|\|\||&&)",
        ),
        "The text adds a condition that is always true or false.",
    ),
    breaking(
        "pack.sqli.tautology_text",
        r#"(?i)(?:^|[\s'"`)(\d])(?:or|and|xor|\|\||&&)[\s(]*(?:not\s+)?['"`]\s*[^'"`]{0,40}['"`]\s*(?:=|<=>|<>|!=|<|>|\blike\b)\s*\(?['"`\w]"#,
        "The text compares two quoted texts to change a condition.",
    ),
    breaking(
        "pack.sqli.break_or",
        any![
            "(?i)";
            "a quotation that ends, and a condition" => concat!(
                r#"['"`]\s*\)*\s*(?:or|and|xor|\|\||&&|having|rlike|regexp|like|between)\s*[\s('"`(@]\s*(?:"#,
                continued!(),
                r")",
            ),
            "a quotation that ends, and what a query is about" =>
                r#"['"`]\s*\)*\s*where\b[\s(]*(?:\w+\s*(?:=|<>|!=|<|>)\s*['"`\w(.]+|\w+\s+(?:is|like|in|between)\b[^;]{0,60}|\d+)\s*(?:--|#|;|/\*|['"`)]|or\b|and\b|limit\b|order\b)"#,
        ],
        "The text closes a quoted value and goes on as SQL.",
    ),
    breaking(
        "pack.sqli.break_comment",
        r#"(?i)^[^\s'"`]{0,40}\s{0,3}['"`]\s*\)*\s*(?:--(?:\s|$|-|\+)|#\s*$|/\*|;\s*(?:--|#|$|%00|\x00))"#,
        "The text closes a quoted value and comments out the rest.",
    ),
    rule(
        "pack.sqli.stacked",
        any![
            "(?i)";
            "a statement behind a separator" => concat!(
                r";\s*(?:",
                statements!(),
                r")",
            ),
        ],
        "The text appends a second statement.",
    ),
    follows(
        "pack.sqli.stacked_words",
        any![
            "(?i)";
            "a statement behind a separator" => concat!(
                r";\s*(?:",
                plain_statements!(),
                r")",
            ),
        ],
        "The text ends a value and appends a second statement.",
    ),
    rule(
        "pack.sqli.delay",
        any![
            "(?i)";
            "a wait of SQL Server" => r#"\bwaitfor\s+(?:delay|time)\s+['"\d@n(]"#,
            "a wait of PostgreSQL" => r"\bpg_sleep(?:_for|_until)?\s*\(",
            "a computation that takes long" => r"\bbenchmark\s*\(\s*\d+\s*,",
            "a wait of Oracle" => r"\buser_lock\.sleep",
            "the same, by its packages" => r"\bdbms_(?:lock\.sleep|pipe\.receive_message|session\.sleep|utility\.)",
            "a wait where a value stands" =>
                r"(?:\bselect|\band|\bor|\bunion|\bwhere|\bif\s*\(|\bcase\b.{1,60}\bthen|\|\||&&|\bxor|\bby|[,+*/(=-])[\s(]*sleep\s*\(\s*\d",
            "a text that takes long to make" => r"\brandomblob\s*\(\s*\d{6}",
            "nothing but a wait" => r"^\W*sleep\s*\(\s*\d+\s*\)\W*$",
        ],
        "The text makes the database wait.",
    ),
    rule(
        "pack.sqli.catalog",
        any![
            "(?i)";
            "the catalogue" => r#"\binformation_schema\b\s*(?:\.|['"`])"#,
            "the catalogue of SQL Server" => r"\bsys(?:objects|columns|databases)\b\s*(?:where|--|\)|$)",
            "the catalogue of PostgreSQL" => r"\bpg_(?:catalog\.|user\b|shadow\b|database\b|tables\b|read_file|ls_dir)",
            "the catalogue of SQLite" => r"\bsqlite_(?:master|schema|version)\b",
            "the catalogue of Oracle" => r"\b(?:all|user|dba)_(?:tables|tab_columns|users|objects)\b",
            "the users of MySQL" => r"\bmysql\.(?:user|db|innodb_\w+)\b",
            "the system's own database" => r"\bmaster\.(?:\.(?:xp_|sp_|sys)|dbo\.|sys\.)",
            "the system's own objects" => r"\bsys\.(?:databases|tables|objects|user\$?|sql_logins|schema_table)",
            "what Oracle tells of itself" => r"\bv\$(?:version|instance|database|session)\b",
            "the catalogue of Access" => r"\bmsys(?:objects|aces|queries|relationships)\b",
            "a variable of the server" =>
                r"@@(?:version|hostname|datadir|servername|global|basedir|identity|language|microsoftversion|spid|version_compile)",
            "a table that is only there to ask" => r"\bfrom\s+(?:dual|rdb\$\w+)\b",
            "a comparison of groups that is always the same" => r"\bhaving\s+\d+\s*=\s*\d+",
        ],
        "The text names a system table or variable of a database.",
    ),
    rule(
        "pack.sqli.function",
        any![
            "(?i)";
            "a procedure that reaches the system" => r"\bxp_(?:cmdshell|dirtree|regread|fileexist|regwrite)\b",
            "one that runs or configures" => r"\bsp_(?:executesql|oacreate|password|configure|makewebtask)\b",
            "a package that reaches the network" => r"\butl_(?:http|inaddr|file|smtp)\b",
            "a function that reads, makes or tells something" => concat!(
                r"\b(?:",
                functions!(),
                r")\s*\(",
            ),
            "a file that is written" => r#"\binto\s+(?:out|dump)file\s*['"0(]"#,
            "a letter by its number" => r"\bchr?\s*\(\s*\d{2,3}\s*\)\s*(?:\|\||\+|,|&)",
            "letters by their numbers" => r"\bchar\s*\(\s*(?:0x)?\d{2,3}\s*(?:,\s*(?:0x)?\d{2,3}\s*)+\)",
            "texts joined with something that is asked" =>
                r"\bconcat\s*\(\s*(?:0x|char\s*\(|chr\s*\(|@@|select|version|user|database|current_user|'[^']{0,10}'\s*,\s*\()",
            "a letter of something that is asked" =>
                r"\b(?:ascii|ord|hex|unhex|length|substr(?:ing)?|mid|left|right|char_length)\s*\(+\s*(?:select\b|substr|mid\s*\(|(?:user|database|version|current_user|system_user|session_user|schema)\s*\()",
            "what a query reveals by its analysis" => r"\bprocedure\s+analyse\s*\(",
            "a choice by number" => r"\belt\s*\(\s*\d",
            "a set of texts" => r"\bmake_set\s*\(",
            "a conversion that fails and tells" => r"\bcast\s*\(\s*\(?\s*(?:select|chr|version|current)",
            "the same, to a number" => r"\bconvert\s*\(\s*int\s*,",
            "a choice by a condition" => r"\bcase\s+when\b.{1,120}\bthen\b.{1,120}\b(?:else|end)\b",
            "a condition with something that is asked" =>
                concat!(
                    r"\bif\s*\((?:[^)]{0,80}(?:\b(?:select|sleep|benchmark|substr(?:ing)?|ascii|mid|ord|length|version|database|now|sysdate|char|hex|user)\s*\(|",
                    r"\bselect\b|@@|0x).{0,80}|\s*\d+\s*(?:[=<>]|like\b)\s*\d+\s*|\s*\(\s*\d+\s*(?:[=<>]|like\b)\s*\d+\s*\)\s*),[^,\n]{0,80},",
                ),
            "the same, of other systems" => r"\biif\s*\(\s*(?:\d|'|\(|select)",
            "a shape that fails and tells" => r"\bst_(?:latfromgeohash|longfromgeohash|pointfromgeohash)\s*\(",
            "the same, by its name" =>
                r"\b(?:name_const|geometrycollection|multipoint|linestring)\s*\(\s*\(?\s*(?:select|version|user|database|@@)",
        ],
        "The text calls a database function that injections use.",
    ),
    rule(
        "pack.sqli.subselect",
        any![
            "(?i)";
            "nothing but a question about the session" =>
                r"^\s*select\s+(?:(?:current|session|system)_\w+|\w+\s*\(\s*\))\s*(?:;\s*)?(?:$|--|#)",
            "a query in brackets" => r"\(\s*select\b(?:[^()]{1,300}(?:\bfrom\b|@@|\w\()|[^()]{1,300}\)\s*(?:=|<|>|as\b|--|\)|x\b|a\b)|\s+(?:['\d@]|null\b)[^()]{0,80}\)\s*,)",
            "a query for everything, or for what the server tells" => concat!(
                r"\bselect\b[\s(]+(?:",
                asked!(),
                r")[^.!?]{0,200}?(?:\bfrom\b|$|--|;|\))",
            ),
            "nothing but a query in brackets" => r"^\s*\([\s\w(]{0,40}\(\s*select\b[^;]{0,200}\)\s*(?:--|#|/\*)",
            "whether a query finds something" => r"\bexists\s*\(\s*select\b",
            "among what a query finds" => r"\bin\s*\(\s*select\b",
        ],
        "The text holds a query inside an expression.",
    ),
    follows(
        "pack.sqli.order_by",
        r#"(?i)(?:^|['"`)\d\s])\s*(?:order|group)\s+by\s+(?:\d+(?:\s*,\s*\d+)*|[\w.]+\s*\(|if\s*\(|\(|case\b)[^\w]{0,3}\s*(?:--|#|/\*|;|$|,|\(|asc\b|desc\b)"#,
        "The text probes the columns of a query.",
    ),
    rule(
        "pack.sqli.query",
        any![
            "(?i)";
            "a table in backticks" => r"\bselect\b[^\n;]{1,60}\bfrom\s*`",
            "a database that is added" => r#"\battach\s+database\s+['"]"#,
            "a setting of SQLite" => r"\bpragma\s+\w+\s*\(",
            "a query whose answer is written to a file" => r#"\bcopy\s*\(\s*select\b.{1,200}\)\s*to\s+['"]"#,
            "a program that is read from" => r"\bcopy\s+\w+\s+from\s+program\b",
            "a comment inside the word union" => r"\bun(?:i/\*[^*]{0,20}\*/on|/\*[^*]{0,20}\*/ion)\b",
            "a comment inside the word select" => r"\bse(?:l/\*[^*]{0,20}\*/ect|/\*[^*]{0,20}\*/lect)\b",
            "a whole query" => concat!(
                r#"\bselect\b[\s\w.,*`"'()@=+|\-/\[\]]{1,200}\bfrom\b\s+[\w.`"\[\]@]+(?:\s+\w+){0,2}?\s*(?:"#,
                clauses!(),
                r")",
            ),
            "nothing but a query" =>
                r#"^\s*select\s+(?:\*|[\w.`"]+(?:\s*,\s*[\w.`"()*]+)*|\w+\s*\([^)]{0,40}\))\s+from\s+[\w.`"]+\s*;?\s*$"#,
            "rows that are added" =>
                r#"\binsert\s+into\s+[\w.`"\[\]]+\s*(?:\([^)]{1,200}\)\s*)?(?:values\s*\(|select\b)"#,
            "rows that are removed" => r#"\bdelete\s+from\s+[\w.`"\[\]]+\s*(?:where\b.{0,80}(?:=|\blike\b|<|>)|;|--|$)"#,
            "rows that are changed" => r#"\bupdate\s+[\w.`"\[\]]+\s+set\s+[\w.`"\[\]]+\s*="#,
            "a table that is dropped" =>
                concat!(r"\bdrop\s+(?:table|database|view|procedure|schema)\s+(?:if\s+exists\s+)?", named!(), r#"\s*(?:;|--|$|cascade|'|")"#),
            "a table that is emptied" => concat!(r"\btruncate\s+table\s+", named!(), r#"\s*(?:;|--|$|#|/\*|'|")"#),
            "a table that is changed" => r"\balter\s+table\s+\w+\s+(?:add|drop|modify|alter)\b",
            "something that is created" =>
                r#"\bcreate\s+(?:table|user|login|database)\s+[\w.'@`"]+\s*(?:\(|identified|with|;|$|--)"#,
            "a right that is given" =>
                r"\bgrant\s+(?:(?:all(?:\s+privileges)?|select|insert|execute|usage)\s+on\s+\S+\s+to\b|dba\s+to\b)",
            "a file that is read in" => r"\bbulk\s+insert\s+\w",
            "a statement that is made of a text" =>
                r#"\bexec(?:ute)?(?:\s+(?:master|sp_|xp_|immediate\s|@)|\(\s*(?:@|['"n]))"#,
            "a variable that is declared" => r"\bdeclare\s+@\w+\s+(?:n?varchar|n?char|int|table|sysname)",
        ],
        "The text is a statement for a database.",
    ),
    rule(
        "pack.sqli.probe",
        any![
            "(?i)";
            "a value that ends, and a second query" =>
                r#"^[\s(]*(?:-?\d{1,12}['")\s]*|[\w.-]{0,20}['"][\s)]+)union\b[\s(+]+(?:(?:all|distinct(?:row)?)\b[\s(+]*)?select\b"#,
            "nothing but the beginning of one" => r"^\s*union\s+(?:all\s+)?select\s*$",
            "nothing but a catalogue" =>
                r"^\W*(?:information_schema|pg_catalog|mysysaccessobjects|msysaccessobjects)\W*$",
            "a variable that is declared or run" => r"\b(?:declare|exec(?:ute)?)\s*\(?\s*@\w{0,40}\s*$",
            "a statement that only begins" => r";\s*(?:insert\s+into|delete\s+from|drop\s+table|truncate\s+table)\s*$",
            "a column that is changed" =>
                r#"\balter\s+table\s+[\w.\x60"\[\]]+\s+(?:add|drop|modify|alter|change|rename)\b"#,
            "rows that are replaced" => r";\s*(?:replace|truncate)\s*(?:into\s+)?[\w\[\x60]{1,40}\s*[(\[]",
        ],
        "The text tries out what a database does with it.",
    ),
    rule(
        "pack.sqli.probe_call",
        any![
            "(?i)";
            "nothing but the beginning of a call" => concat!(
                r"^\s*(?:",
                begun!(),
                r")\s*\(\s*$",
            ),
            "nothing but the beginning of a condition" => r"^\s*(?:if\s*\(\s*\d+\s*=|\)\s*like\s*\()\s*$",
            "a condition on a group" => r"\bhaving\s+(?:count|sum|max|min|avg)\s*\(",
            "what a query reveals by its analysis" => r"\bprocedure\s+analyse\s*\(",
            "an object by its number" => r"\blo_get\s*\(\s*\d",
            "a function that tells of the server" =>
                r"\b(?:sqlite_compileoption_get|jsonb_pretty|json_build_object)\s*\(",
        ],
        "The text tries out the functions of a database.",
    ),
    rule(
        "pack.sqli.cast",
        any![
            "(?i)";
            "a text that is turned into JSON" => r"'[\[{][^']{0,120}[\]}]'\s*::\s*jsonb?\b",
            "a value that is turned into another kind" =>
                r"\)\s*::\s*(?:int\d?|integer|bigint|text|jsonb?|numeric|double\s+precision|varchar|regclass)\b",
            "who asks, turned into another kind" =>
                r"\b(?:current_user|session_user|password|passwd)\s*::\s*(?:int|text|json)",
        ],
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
        any![
            "(?i)";
            "a condition with something that only SQL has" => concat!(
                r#"(?:^|['"`)\d\s])\s*\b(?:and|or|xor|rlike|regexp|\|\||&&)\b[\s(!~+'"`-]*(?:(?:"#,
                compared!(),
                r#")\s*\(|select\s*(?:[*\d@'"(]|\w+\s*\(|[\w.]+\s+from\b|case\b|null\b)|exists\s*\(\s*select|@@|@\w+\s*(?:=|:=|--|<|>)|0x[0-9a-f]{2,}|true\s*=|false\s*=|"#,
                r#"\d+\s+(?:between\s+\d|in\s*\(|is\s+(?:not\s+)?null\b|like\s+['"%\d])|\w+\s+is\s+(?:not\s+)?null\b|\w+\s+(?:not\s+)?like\s+(?:['"%]|0x|char\s*\()|"#,
                r"\w+\s*=\s*\w*\(\s*select|'\w*'\s*(?:=|like|in|between|is)|\w+\s+in\s*\()",
            ),
        ],
        "The text asks the database a question whose answer is seen in the outcome.",
    ),
    breaking(
        "pack.sqli.constant",
        r#"(?i)(?:['"`)]|^[\w$.-]{1,12})\s*\b(?:or|and|xor|\|\||&&)[\s(+]*(?:not\s+)?(?:true|false)\s*(?:\)|$|--|#|/\*|;)|^[\s)]*(?:or|and|xor|\|\||&&)\s+(?:not\s+)?(?:true|false|\d{1,6})\s*(?:--|#\s*$|/\*)"#,
        "The text adds a constant to a condition.",
    ),
    breaking(
        "pack.sqli.arith",
        any![
            "(?i)";
            "a value that ends, and an operator" =>
                r#"^\s*(?:-?\d+|['"])\s*(?:['"`)]\s*)(?:[-+*/%|^&]|div|mod)\s*(?:['"`(]|\d+\s*(?:--|#|/\*)|sleep|benchmark|\(?select)"#,
            "a text that goes on" => r#"^['"`]\s*(?:\+|\|\|)\s*['"`(]"#,
            "a text compared with nothing" => r#"^['"]\s*(?:=\s*['"]|-\|\|\d)"#,
            "a value and a comment" => r"^\s*\d+\s*(?:--\s|#\s*$|/\*)",
        ],
        "The text breaks out of a value with arithmetic or a comment.",
    ),
    Rule {
        confirm: Confirm::SameSidesAfterValue,
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
        any![
            "(?i)";
            "a sum with a truth value" => r"^\s*\d{1,6}\s*[-+*/]\s*(?:true|false)\s*$",
            "texts that are compared" => r"^[\s)]*(?:or|and)\s+'[^']{0,40}'\s*(?:=|<>|!=|<|>|\blike\b)\s*'",
            "a value that ends, and a condition" => concat!(
                r#"^\s*(?:-?\d{1,12}|[\w$.-]{1,20}['")])[\s)'"]*\s*\b(?:or|and|xor)\b\s+(?:not\s+)?(?:\w+\((?:[^)]{0,80}[\d'"=@*][^)]{0,80})?\)+\s*(?:[=<>]|--|#|$)|"#,
                r"'[^']{0,40}'\s*(?:=|<>|!=|<|>|\blike\b)\s*'[^']{0,40}(?:'|$))",
            ),
        ],
        "The text adds a condition to a number or a word.",
    ),
];
