//! Fields that a contract closes are inspected less, and nothing is found less.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

#[path = "crs/corpus.rs"]
mod corpus;

use waf::{FieldLanguage, Findings, Part, Place, Plan, RequestFacts, Settings};

/// A language, and a shape to make texts of it: `#` a digit, `h` a hex digit, `A` a letter, the rest as it stands.
fn languages() -> Vec<(FieldLanguage, &'static [&'static str])> {
    let pattern = |source: &str| FieldLanguage::Pattern {
        source: source.to_owned(),
        length_max: Some(40),
    };
    vec![
        (
            FieldLanguage::Integer,
            &["#", "-##", "##########", "429496729#", "22507385850720##"],
        ),
        (
            FieldLanguage::Number,
            &["#.##", "-#e##", "##.#E+##", "#.####e-###"],
        ),
        (
            FieldLanguage::Uuid,
            &["hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"],
        ),
        (FieldLanguage::Date, &["####-##-##"]),
        (
            FieldLanguage::DateTime,
            &["####-##-##T##:##:##Z", "####-##-##t##:##:##.###+##:##"],
        ),
        (pattern("^[A-Z]{3}-[0-9]{5}-[A-Z]$"), &["AAA-#####-A"]),
        (
            pattern("^[a-zA-Z0-9_.-]{1,40}$"),
            &["AAAAhhhh##__.-AAAA", "AAAA.AAAA", "AAAAAAAAAAAAAAAA"],
        ),
        (
            pattern("^/?[a-zA-Z0-9/.]{1,30}$"),
            &["/etc/passwd", "../../AA", "A/./A", "/AA//AA.."],
        ),
        (
            pattern("^[ -~]{1,12}$"),
            &["'or 1=1 -- A", "<b onA=A#>", "$(id) `A#`", "AA AA, A(#)"],
        ),
    ]
}

struct SplitMix64(u64);

impl SplitMix64 {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    fn text(&mut self, shape: &str) -> String {
        let mut pick = |from: &[u8]| char::from(from[self.below(from.len())]);
        shape
            .chars()
            .map(|mark| match mark {
                '#' => pick(b"0123456789"),
                'h' => pick(b"0123456789abcdefABCDEF"),
                'A' => pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                other => other,
            })
            .collect()
    }
}

fn judge(plan: &Plan, part: Part<'_>) -> Findings {
    let facts = RequestFacts {
        method: "POST",
        path: "/v2/work-orders",
        protocol: "HTTP/1.1",
        client: "127.0.0.1",
        headers: &[("Host", b"api.example.com"), ("Accept", b"*/*")],
        ..RequestFacts::default()
    };
    waf::inspect(&[part], &facts, plan, 0)
}

#[test]
fn what_is_proven_dead_finds_nothing() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let files = corpus::rule_files(&folder, "");
    for paranoia in [1, 4] {
        let settings = Settings {
            paranoia,
            ..Settings::default()
        };
        let plan = waf::compile(&settings, &files).unwrap_or_else(|errors| panic!("{errors:?}"));
        let mut dice = SplitMix64(u64::from(paranoia));
        let mut dead = 0;
        for (language, shapes) in languages() {
            let field = plan.field(&language);
            dead += field.proof().dead;
            for number in 0..40 {
                let text = dice.text(shapes[number % shapes.len()]);
                for place in [Place::Body, Place::Query, Place::Cookie] {
                    let part = Part::value(place, "/field", text.as_bytes());
                    let plain = judge(&plan, part);
                    assert_eq!(
                        judge(&plan, part.proven(&field)),
                        plain,
                        "{language:?}: {text}"
                    );
                }
            }
        }
        assert!(dead > 1000, "{dead} rules proven dead");
    }
}
