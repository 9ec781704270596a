//! Long ordinary texts, made from a seed: work orders, mails with and without markup, minutes, price lists, tables,
//! logs, tickets, in several languages and with every sign people write.
//! Exports `texts` and `text`. The same seed gives the same text.
//! Start reading at `text`; what its pieces are made of stands in `words`.

mod words;

use words::*;

/// Numbers of SplitMix64.
pub struct Numbers(u64);

impl Numbers {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// Below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap_or(0)
    }

    /// One of a list.
    pub fn one<'w>(&mut self, list: &[&'w str]) -> &'w str {
        list[self.below(list.len())]
    }

    fn within(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }
}

/// So many texts of at least `length` characters, of every kind in turn.
pub fn texts(seed: u64, count: usize, length: usize) -> Vec<String> {
    (0..count)
        .map(|number| text(seed.wrapping_add(number as u64 * 7_919), number, length))
        .collect()
}

/// A text of the kind with this number.
pub fn text(seed: u64, kind: usize, length: usize) -> String {
    let mut n = Numbers::new(seed);
    let kinds: [fn(&mut Numbers) -> String; 14] = [
        work_order, mail, minutes, price_list, table, log, html_mail, ticket, translated, parts,
        checklist, settings, letter, hand_over,
    ];
    let mut out = String::new();
    while out.chars().count() < length {
        out.push_str(&kinds[kind % kinds.len()](&mut n));
        out.push_str(n.one(&["\n", "\n\n", "\r\n", "\r\n\r\n"]));
    }
    out
}

/// A sentence in English: a template whose slots are filled, and sometimes a remark behind it.
fn sentence(n: &mut Numbers) -> String {
    let template = n.one(SENTENCES);
    let mut text = filled(n, template);
    if n.below(3) == 0 {
        text.push_str(n.one(&[" ", "; ", " - ", " -- ", " (", ", "]));
        let template = n.one(REMARKS);
        let is_open = text.ends_with('(');
        text.push_str(&filled(n, template));
        if is_open {
            text.push(')');
        }
    }
    text.push_str(n.one(&[".", ".", ".", "!", "", ";", " :-)", "..."]));
    text
}

fn filled(n: &mut Numbers, template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('{') {
        let (slot, tail) = tail.split_once('}').unwrap_or((tail, ""));
        out.push_str(before);
        out.push_str(&value(n, slot));
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn value(n: &mut Numbers, slot: &str) -> String {
    match slot {
        "n" => n.within(1, 40).to_string(),
        "big" => n.within(100, 99_999).to_string(),
        "part" => part(n),
        "price" => format!("{}.{:02}", n.within(1, 900), n.below(100)),
        "date" => date(n),
        "time" => format!("{:02}:{:02}", n.below(24), n.below(60)),
        "thing" => n.one(THINGS).to_owned(),
        "things" => n.one(PLURALS).to_owned(),
        "place" => n.one(PLACES).to_owned(),
        "name" => n.one(NAMES).to_owned(),
        "verb" => n.one(VERBS).to_owned(),
        "measure" => measure(n),
        "quote" => {
            let (open, close) = [
                ("\"", "\""),
                ("'", "'"),
                ("“", "”"),
                ("«", "»"),
                ("„", "“"),
                ("`", "`"),
            ][n.below(6)];
            format!("{open}{}{close}", n.one(LABELS))
        }
        "host" => n.one(HOSTS).to_owned(),
        "path" => n.one(PATHS).to_owned(),
        "mail" => n.one(MAILS).to_owned(),
        "url" => n.one(URLS).to_owned(),
        other => format!("{{{other}}}"),
    }
}

fn part(n: &mut Numbers) -> String {
    let letters = n.one(&[
        "GRF", "V", "ABB-S", "6ES7", "DN", "KSB", "R", "XU", "OR", "SEL", "IF", "CAT",
    ]);
    let (a, b) = (n.within(1, 9_999), n.within(1, 99));
    match n.below(8) {
        0 => format!("{letters}-{a}-B"),
        1 => format!("{letters}{a}/{b}"),
        2 => format!("#{a}/{b}-{letters}"),
        3 => format!("{letters}.{a}.{b}"),
        4 => format!("{a}x{b}.5 {letters}"),
        5 => format!("{letters}_{a}*{b}"),
        6 => format!("{letters} {a}+{b}"),
        _ => format!("{letters}:{a};{b}"),
    }
}

fn date(n: &mut Numbers) -> String {
    let (d, m, y) = (n.within(1, 28), n.within(1, 12), n.within(2024, 2027));
    match n.below(4) {
        0 => format!("{y}-{m:02}-{d:02}"),
        1 => format!("{d:02}.{m:02}.{y}"),
        2 => format!("{d}/{m}/{}", y - 2000),
        _ => format!(
            "{d} {} {y}",
            n.one(&["Jan", "March", "May", "September", "Dec"])
        ),
    }
}

fn measure(n: &mut Numbers) -> String {
    let (a, b) = (n.within(1, 90), n.within(1, 90));
    let template = n.one(MEASURES);
    template
        .replace("{a}", &a.to_string())
        .replace("{b}", &b.to_string())
}

fn paragraph(n: &mut Numbers) -> String {
    let count = n.within(3, 7);
    let all: Vec<String> = (0..count).map(|_| sentence(n)).collect();
    all.join(n.one(&[" ", " ", "\n", "  "]))
}

fn listed(
    n: &mut Numbers,
    count: usize,
    mut line: impl FnMut(&mut Numbers, usize) -> String,
) -> String {
    let all: Vec<String> = (0..count).map(|number| line(n, number)).collect();
    all.join("\n")
}

fn work_order(n: &mut Numbers) -> String {
    let head = filled(n, "Work order {big}: {verb} {thing}, {place} ({date})");
    let steps = n.within(3, 6);
    let mark = n.one(&["- ", "* ", "1) ", "• ", "-> ", "=> ", "[ ] ", "+ "]);
    let list = listed(n, steps, |n, _| format!("{mark}{}", sentence(n)));
    format!("{head}\n\n{}\n{list}\n{}", paragraph(n), paragraph(n))
}

fn mail(n: &mut Numbers) -> String {
    let head = filled(
        n,
        "From: {name} <{mail}>\nTo: {name} <{mail}>; {name} <{mail}>\nCc: {mail}\nSent: {date} {time}\nSubject: RE: FW: {thing}, {place}\n",
    );
    let old = paragraph(n);
    let quoted: Vec<String> = old.lines().map(|line| format!("> {line}")).collect();
    let said = filled(n, "On {date} at {time}, {name} <{mail}> wrote:");
    let end = filled(
        n,
        "-- \n{name} | Facility Services | T +49 (0)89 {big}-{n} | {url}",
    );
    format!(
        "{head}\nHi {},\n\n{}\n\n{said}\n{}\n\n{end}",
        n.one(NAMES),
        paragraph(n),
        quoted.join("\n")
    )
}

fn minutes(n: &mut Numbers) -> String {
    let head = filled(
        n,
        "Minutes of {date}, {time}-{time}; present: {name}, {name}; absent: {name}",
    );
    let count = n.within(4, 8);
    let list = listed(n, count, |n, number| {
        let who = n.one(NAMES);
        format!("{}. {} [{who}; due {}]", number + 1, sentence(n), date(n))
    });
    format!("{head}\n{list}\nDecision: {}", sentence(n))
}

fn price_list(n: &mut Numbers) -> String {
    let count = n.within(6, 14);
    let rule = n.one(&[
        "----------------",
        "================",
        "________________",
        "****************",
    ]);
    let list = listed(n, count, |n, number| {
        let template = n.one(PRICE_LINES);
        format!("Pos. {}; {}", number + 1, filled(n, template))
    });
    let sum = filled(
        n,
        "Sum = {price} EUR; VAT 19% = {price} EUR; discount > 5 pcs: -{n}%",
    );
    format!("{rule}\n{list}\n{rule}\n{sum}\n{}", paragraph(n))
}

fn table(n: &mut Numbers) -> String {
    let count = n.within(4, 10);
    let list = listed(n, count, |n, number| {
        let template = n.one(TABLE_LINES);
        format!("| {} {}", number + 1, filled(n, template))
    });
    format!(
        "| # | Part | Where | Remark |\n|---|:---|---:|---|\n{list}\n\n{}",
        paragraph(n)
    )
}

fn log(n: &mut Numbers) -> String {
    let count = n.within(6, 12);
    let list = listed(n, count, |n, _| {
        let template = n.one(LOG_LINES);
        filled(n, template)
    });
    format!("{}\n\n{list}\n\n{}", sentence(n), paragraph(n))
}

fn html_mail(n: &mut Numbers) -> String {
    let count = n.within(3, 6);
    let list = listed(n, count, |n, _| {
        let template = n.one(HTML_LINES);
        let text = sentence(n).replace('<', "&lt;").replace('>', "&gt;");
        filled(
            n,
            &template.replace("{text}", &text.replace('{', "(").replace('}', ")")),
        )
    });
    let head = n.one(HTML_HEADS);
    format!("{head}{list}\n{}", n.one(HTML_ENDS))
}

fn ticket(n: &mut Numbers) -> String {
    let template = n.one(TICKETS);
    format!(
        "{}\n{}\n{}",
        filled(n, template),
        paragraph(n),
        paragraph(n)
    )
}

fn translated(n: &mut Numbers) -> String {
    let tongue = TONGUES[n.below(TONGUES.len())];
    let count = n.within(5, 9);
    let all: Vec<String> = (0..count)
        .map(|_| {
            let template = n.one(tongue);
            filled(n, template)
        })
        .collect();
    all.join(n.one(&[" ", "\n", "; "]))
}

fn parts(n: &mut Numbers) -> String {
    let count = n.within(8, 20);
    let gap = n.one(&[", ", "; ", " / ", " | ", "\t", " & ", "\n", " + "]);
    let all: Vec<String> = (0..count)
        .map(|_| {
            format!(
                "{}{}",
                part(n),
                n.one(&["", " (2x)", " = ok", " > min", "?", " 'new'", " - n/a"])
            )
        })
        .collect();
    format!("{}: {}\n{}", n.one(LABELS), all.join(gap), sentence(n))
}

fn checklist(n: &mut Numbers) -> String {
    let count = n.within(6, 12);
    let list = listed(n, count, |n, _| {
        let template = n.one(CHECKS);
        filled(n, template)
    });
    format!("{}\n{list}", sentence(n))
}

fn settings(n: &mut Numbers) -> String {
    let count = n.within(5, 10);
    let list = listed(n, count, |n, _| {
        let template = n.one(SETTINGS);
        filled(n, template)
    });
    format!("{}\n{list}\n{}", sentence(n), paragraph(n))
}

fn letter(n: &mut Numbers) -> String {
    let head = filled(n, "{name}\n{place}\n\n{date}\n\nDear {name},\n");
    format!(
        "{head}\n{}\n\n{}\n\nYours,\n{}",
        paragraph(n),
        paragraph(n),
        n.one(NAMES)
    )
}

fn hand_over(n: &mut Numbers) -> String {
    let count = n.within(5, 10);
    listed(n, count, |n, _| {
        let template = n.one(NOTES);
        let (a, b) = (filled(n, template), n.one(NOTES));
        let b = filled(n, b);
        format!(
            "{}{}{b}",
            a,
            n.one(&["; ", " | ", " & ", ", ", ". ", " -- ", " / ", "\n"])
        )
    })
}
