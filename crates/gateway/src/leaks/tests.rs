use super::*;
use config::leaks::LeakSettings;
use model::event::Treatment;

fn rules(written: LeakSettings) -> ResponseRules {
    ResponseRules::compile(&written).unwrap()
}

/// Fields of the answer: `note` is free, `iban` is declared sensitive, `ean` has a pattern, `tags` may be called anything.
const CONTRACT: &str = r##"
openapi: 3.1.0
info: { title: T, version: "1" }
paths:
  /x:
    get:
      operationId: getX
      responses:
        "200":
          description: Done
          content: { application/json: { schema: { type: object, properties: {
            note: { type: string },
            iban: { type: string, x-portcullis-class: sensitive },
            ean: { type: string, pattern: "^[0-9]{14,16}$" },
            lines: { type: array, items: { type: object, properties: { text: { type: string } } } },
            tags: { type: object, additionalProperties: { type: string } } } } } }
"##;

fn operation() -> Operation {
    let source = contract::Source {
        file: "x.yaml",
        text: CONTRACT,
        overlay: None,
        load: &|_| None,
        unknown_fields: contract::UnknownFields::Refuse,
        bounds: RESPONSE_BOUNDS,
    };
    contract::compile(&source).unwrap().operations.remove(0)
}

fn guarded(body: &str, written: LeakSettings) -> Guarded {
    guard(body.as_bytes(), &operation(), 200, &rules(written))
}

fn sent(body: &str) -> String {
    match guarded(body, LeakSettings::default()).body {
        Some(changed) => String::from_utf8(changed).unwrap(),
        None => body.to_owned(),
    }
}

#[test]
fn an_ordinary_answer_leaves_byte_for_byte() {
    let body = r#"{"note":"Filter changed, 4711 hours. Said \"fine\".\nNext: May","lines":[{"text":"a"}]}"#;
    let found = guarded(body, LeakSettings::default());
    assert!(found.body.is_none() && found.seen.is_empty() && !found.is_blocked);
}

#[test]
fn numbers_are_masked_where_nobody_declared_them() {
    assert_eq!(
        sent(r#"{"note":"card 4111 1111 1111 1111, thanks"}"#),
        r#"{"note":"card ***************1111, thanks"}"#
    );
    assert_eq!(
        sent(r#"{"lines":[{"text":"ok"},{"text":"DE89370400440532013000"}]}"#),
        r#"{"lines":[{"text":"ok"},{"text":"******************3000"}]}"#
    );
}

#[test]
fn numbers_leave_where_the_contract_expects_them() {
    let declared = r#"{"iban":"DE89370400440532013000","ean":"4111111111111111"}"#;
    let found = guarded(declared, LeakSettings::default());
    assert!(found.body.is_none() && found.seen.is_empty());
    // A key has no business even there.
    let key = r#"{"iban":"AKIAQ2W3E4R5T6Z7U2I3"}"#;
    assert_eq!(sent(key), r#"{"iban":"********************"}"#);
}

#[test]
fn an_escape_does_not_hide_where_a_word_begins() {
    let body = r#"{"note":"key:\nAKIAQ2W3E4R5T6Z7U2I3"}"#;
    assert_eq!(sent(body), r#"{"note":"key:\n********************"}"#);
    let trace = r#"{"note":"Oops\n\tat com.example.Pump.start(Pump.java:42)"}"#;
    assert_eq!(sent(trace), r#"{"note":"***"}"#);
    assert_eq!(
        sent("{\"note\":\"\\u00014111111111111111\"}"),
        "{\"note\":\"\\u0001************1111\"}"
    );
}

#[test]
fn a_private_key_holds_the_whole_answer_back() {
    let key = format!("-----BEGIN {0} KEY-----\\nMIIBVQ==", "PRIVATE");
    let found = guarded(&format!(r#"{{"note":"{key}"}}"#), LeakSettings::default());
    assert!(found.is_blocked);
    let seen = found.seen.first().unwrap();
    assert_eq!(
        (&*seen.class, &*seen.place, &*seen.pointer, &*seen.rule),
        ("response.leak", "answer", "/note", "private_key")
    );
    assert!(seen.what == Treatment::Blocked);
}

#[test]
fn a_name_nobody_declared_is_judged_like_a_text() {
    let body = r#"{"tags":{"AKIAQ2W3E4R5T6Z7U2I3":"x","plain":"y"}}"#;
    assert_eq!(sent(body), r#"{"tags":{"plain":"y"}}"#);
}

#[test]
fn what_is_done_is_a_setting() {
    use config::leaks::LeakAction;
    let body = r#"{"note":"4111111111111111"}"#;
    let with = |action| LeakSettings {
        card_number: Some(action),
        ..LeakSettings::default()
    };
    let observed = guarded(body, with(LeakAction::Observe));
    assert!(observed.body.is_none() && !observed.is_blocked);
    assert!(observed.seen.first().unwrap().what == Treatment::Observed);
    let off = guarded(body, with(LeakAction::Off));
    assert!(off.body.is_none() && off.seen.is_empty());
    assert!(guarded(body, with(LeakAction::Block)).is_blocked);
}

mod anywhere {
    use super::*;
    use model::json::write_string;
    use proptest::prelude::*;

    const LEAKS: [&str; 5] = [
        "4111111111111111",
        "DE89370400440532013000",
        "AKIAQ2W3E4R5T6Z7U2I3",
        "ORA-00942: table",
        "Traceback (most recent call last):",
    ];

    proptest! {
        /// The pass over the whole body overlooks nothing that looking at each text finds.
        #[test]
        fn the_quick_pass_overlooks_nothing(
            before in "[ -~\n\t\u{1}äß\"\\\\]{0,12}",
            after in "[ -~\n\t\u{1}äß\"\\\\]{0,12}",
            leak in proptest::sample::select(&LEAKS[..]),
        ) {
            let text = format!("{before}{leak}{after}");
            let rules = rules(LeakSettings::default());
            let mut body = b"{\"n\":12,\"note\":".to_vec();
            write_string(&text, &mut body);
            body.extend_from_slice(b",\"m\":[1,2]}");
            let is_found = !rules.scanner.find(text.as_bytes(), &rules.kinds).is_empty();
            prop_assert!(!is_found || !is_clean(&body, &rules), "{}", text.escape_debug());
        }
    }
}

/// What leaves of a file, or that it does not, and what the record says of it.
fn file(bytes: &[u8], written: LeakSettings) -> (Option<Vec<u8>>, Vec<Treatment>) {
    file_of("application/octet-stream", bytes, written)
}

fn file_of(
    media_type: &str,
    bytes: &[u8],
    written: LeakSettings,
) -> (Option<Vec<u8>>, Vec<Treatment>) {
    let found = guard_file(bytes, media_type, &rules(written));
    let treatments = found.seen.iter().filter_map(|seen| seen.what.known());
    let treatments = treatments.collect();
    if found.is_blocked {
        return (None, treatments);
    }
    (
        Some(found.body.unwrap_or_else(|| bytes.to_vec())),
        treatments,
    )
}

#[test]
fn numbers_in_a_text_that_is_a_file_are_masked_and_other_files_are_not_broken() {
    let card = "4111 1111 1111 1111";
    let table = format!("name;card\nAnn;{card}\n");
    let (left, done) = file(table.as_bytes(), LeakSettings::default());
    let left = String::from_utf8(left.unwrap()).unwrap();
    assert!(
        left.starts_with("name;card\nAnn;") && !left.contains(card),
        "{left}"
    );
    assert_eq!(done, [Treatment::Masked]);
    let bytes = [b"\xff\xfe ", card.as_bytes()].concat();
    let (left, done) = file(&bytes, LeakSettings::default());
    assert_eq!((left, done), (Some(bytes), vec![Treatment::Observed]));
    assert_eq!(
        file(b"nothing", LeakSettings::default()),
        (Some(b"nothing".to_vec()), vec![])
    );
}

#[test]
fn a_private_key_leaves_in_no_file() {
    let key = b"\x00\xff-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----";
    let (left, done) = file(key, LeakSettings::default());
    assert_eq!((left, done), (None, vec![Treatment::Blocked]));
}

#[test]
fn a_private_key_leaves_in_no_spelling_of_letters() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----";
    let spelled = |width: usize, at: usize| -> Vec<u8> {
        let wide = |byte| {
            let mut unit = vec![0; width];
            unit[at] = byte;
            unit
        };
        key.bytes().flat_map(wide).collect()
    };
    // UTF-16 and UTF-32, the low byte first or last, and with the mark of UTF-16.
    let marked = [b"\xff\xfe".to_vec(), spelled(2, 0)].concat();
    for bytes in [
        spelled(2, 0),
        spelled(2, 1),
        spelled(4, 0),
        spelled(4, 3),
        marked,
    ] {
        let (left, done) = file(&bytes, LeakSettings::default());
        assert_eq!((left, done), (None, vec![Treatment::Blocked]));
    }
    let harmless: Vec<u8> = "name;town\n".bytes().flat_map(|byte| [byte, 0]).collect();
    let left = file(&harmless, LeakSettings::default());
    assert_eq!(left, (Some(harmless), vec![]));
}

const TRACES: [&str; 2] = [
    "order;note\n7;Traceback (most recent call last):\n  File \"/srv/app/x.py\", line 3\nsecret\n",
    "order;note\n7;ORA-00942: table or view HR.SALARIES does not exist\n",
];

#[test]
fn a_text_that_is_a_file_and_holds_a_trace_is_masked_or_held_back_as_is_set() {
    use config::leaks::LeakAction;
    let with = |action| LeakSettings {
        stack_trace: Some(action),
        database_error: Some(action),
        ..LeakSettings::default()
    };
    for trace in TRACES {
        let wide: Vec<u8> = trace.bytes().flat_map(|byte| [byte, 0]).collect();
        for bytes in [trace.as_bytes(), &wide] {
            let told = |written| file_of("text/csv", bytes, written);
            let hidden = (Some(b"***".to_vec()), vec![Treatment::Masked]);
            assert_eq!(told(with(LeakAction::Mask)), hidden, "{trace}");
            assert_eq!(told(LeakSettings::default()), hidden, "{trace}");
            assert_eq!(
                told(with(LeakAction::Block)),
                (None, vec![Treatment::Blocked])
            );
            let whole = Some(bytes.to_vec());
            assert_eq!(
                told(with(LeakAction::Observe)),
                (whole.clone(), vec![Treatment::Observed])
            );
            assert_eq!(told(with(LeakAction::Off)), (whole, vec![]));
        }
        // A file that is no text would be broken.
        let bytes = [b"\xff\x01", trace.as_bytes()].concat();
        let left = file(&bytes, LeakSettings::default());
        assert_eq!(left, (Some(bytes), vec![Treatment::Observed]));
    }
}

#[test]
fn numbers_in_a_wide_text_are_masked_where_they_stand() {
    let table = "name;card\nAnn;4111111111111111;x\n";
    let shown = "name;card\nAnn;************1111;x\n";
    for order in [[0, 1], [1, 0]] {
        let wide = |text: &str| -> Vec<u8> {
            let pair = |byte: u8| order.map(|at| [byte, 0][at]);
            text.bytes().flat_map(pair).collect()
        };
        let left = file_of("text/csv", &wide(table), LeakSettings::default());
        assert_eq!(left, (Some(wide(shown)), vec![Treatment::Masked]));
        let left = file_of("image/bmp", &wide(table), LeakSettings::default());
        assert_eq!(left, (Some(wide(table)), vec![Treatment::Observed]));
    }
}

#[test]
fn none_of_more_numbers_than_are_counted_leaves() {
    let card = "4111111111111111";
    let many = format!("{card}\n").repeat(1_000);
    let (left, _) = file(many.as_bytes(), LeakSettings::default());
    assert!(!String::from_utf8(left.unwrap()).unwrap().contains(card));
    let sent = sent(&format!(
        r#"{{"note":"{}"}}"#,
        format!("{card} ").repeat(1_000)
    ));
    assert!(!sent.contains(card), "{sent}");
    // And what blocks is found behind them.
    let blocks = LeakSettings {
        iban: Some(config::leaks::LeakAction::Block),
        ..LeakSettings::default()
    };
    let (left, _) = file(format!("{many}DE89370400440532013000").as_bytes(), blocks);
    assert_eq!(left, None);
}
