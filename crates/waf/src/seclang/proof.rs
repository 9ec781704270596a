//! Which links of a rule set cannot match the texts of a field.
//! Exports `RuleSet::live`: what is left to ask about an argument of that field.
//! Used by `prove` at load.
//! Start reading at `RuleSet::live`.

use super::macros::Piece;
use super::operator::{Number, Operator, TextTest, bad_url_encoding, integer};
use super::program::{Link, Quick, Rule, RuleSet, SetChange, SetKey};
use super::variable::Variable;
use crate::detector::{InjectionDetector, Sentences};
use crate::field_plan::{CrsLive, Proof};
use crate::image::{Automaton, Image};
use crate::language::Language;
use crate::transform::Transform;
use std::collections::HashMap;

/// Answers for pairs of chain and pattern, which many rules share.
type Known = HashMap<(usize, u32), bool>;

/// One language while the rules go by.
struct Asked<'l> {
    language: Option<&'l Language>,
    live: CrsLive,
    known: Known,
    /// No link of the rule at hand may match.
    dead: bool,
}

impl RuleSet {
    /// Decides for every link whether an argument of these languages may match it; counts rules up to the level.
    pub(crate) fn live(
        &self,
        languages: &[Option<Language>],
        level: u8,
        proofs: &mut [Proof],
    ) -> Vec<CrsLive> {
        let languages = languages.iter().map(|language| Asked {
            language: language.as_ref(),
            live: CrsLive {
                patterns: vec![0; self.stride()],
                links: Vec::new(),
            },
            known: Known::new(),
            dead: true,
        });
        let mut all: Vec<Asked<'_>> = languages.collect();
        for rule in &self.rules {
            for asked in &mut all {
                asked.dead = true;
            }
            for link in &rule.links {
                self.ask(link, &mut all);
            }
            if rule.paranoia <= level && rule.links.iter().any(|link| self.asks(link)) {
                let asleep = self.never_starts(rule);
                for (asked, proof) in all.iter().zip(proofs.iter_mut()) {
                    proof.count(&rule.id.to_string(), asked.dead || asleep);
                }
            }
        }
        all.into_iter().map(|asked| asked.live).collect()
    }

    /// Notes for every language whether the link may match it.
    fn ask(&self, link: &Link, all: &mut [Asked<'_>]) {
        let asks = self.asks(link);
        let mut automaton = Automaton::default();
        for asked in all {
            let Asked {
                language,
                live,
                known,
                dead,
            } = asked;
            let may = asks
                && !language.is_some_and(|language| {
                    self.cannot_match(link, language, known, &mut automaton)
                });
            live.links.push(may || !asks);
            *dead &= !may;
            if let Some(gate) = link.gate.filter(|_| may)
                && let Some(bits) = live.patterns.get_mut(gate.pattern / 64)
            {
                *bits |= 1 << (gate.pattern % 64);
            }
        }
    }

    /// Whether a link looks at the value of an argument or a cookie.
    fn asks(&self, link: &Link) -> bool {
        let sets = self.target_sets.get(link.targets);
        sets.is_some_and(|set| {
            set.wanted.iter().any(|wanted| {
                !wanted.count
                    && matches!(
                        wanted.variable,
                        Variable::Args | Variable::ArgsGet | Variable::RequestCookies
                    )
            })
        })
    }

    /// A chain whose first link asks for a setting nobody makes: a limit the operator left open.
    fn never_starts(&self, rule: &Rule) -> bool {
        let first = rule.links.first();
        first.is_some_and(|link| match &link.quick {
            Some(quick) => !self.may_be_set(quick) && !holds_unset(quick, link.negated),
            None => false,
        })
    }

    fn may_be_set(&self, quick: &Quick) -> bool {
        const GIVEN: [&str; 3] = [
            "blocking_paranoia_level",
            "detection_paranoia_level",
            "inbound_anomaly_score_threshold",
        ];
        let name = self.slots.names.get(quick.slot);
        let name = name.map(String::as_str).unwrap_or_default();
        let links = self.rules.iter().flat_map(|rule| &rule.links);
        let mut sets = links.flat_map(|link| &link.sets);
        // The first slots are captures.
        quick.slot < 10
            || GIVEN.contains(&name)
            || sets.any(|set| match &set.key {
                SetKey::Slot(slot) => {
                    *slot == quick.slot && !matches!(set.change, SetChange::Unset)
                }
                SetKey::Text(text) => match text.pieces.first() {
                    Some(Piece::Literal(begin)) => {
                        name.as_bytes().starts_with(&begin.to_ascii_lowercase())
                    }
                    _ => true,
                },
            })
    }

    fn cannot_match(
        &self,
        link: &Link,
        language: &Language,
        known: &mut Known,
        automaton: &mut Automaton,
    ) -> bool {
        // What a link before has matched may be asked about again, transformed: of that nothing is known.
        let made = self.target_sets.get(link.targets);
        let Some(operator) = link
            .operator
            .as_ref()
            .filter(|_| made.is_some_and(|set| !set.dynamic))
        else {
            return false;
        };
        let chain = self
            .chains
            .get(link.chain)
            .map(|chain| &**chain)
            .unwrap_or_default();
        // With multiMatch the text is asked about after every step.
        let from = if link.multi_match { 0 } else { chain.len() };
        let stages = (from..=chain.len()).filter_map(|end| chain.get(..end));
        if let Some(values) = language.values() {
            let mut texts = stages.flat_map(|stage| values.iter().map(move |text| (text, stage)));
            return texts.all(|(text, stage)| {
                let text = stage.iter().fold(text.clone(), |text, transform| {
                    transform.apply(&text).unwrap_or(text)
                });
                self.holds(operator, &text) == Some(link.negated)
            });
        }
        if link.negated {
            return false;
        }
        let pattern = match operator {
            Operator::Pattern(id) | Operator::Phrases(id) if !link.multi_match => Some(*id),
            _ => None,
        };
        let key = pattern.map(|id| (link.chain, id));
        if let Some(known) = key.and_then(|key| known.get(&key)) {
            return *known;
        }
        let mut stages = stages;
        let dead = stages.all(|stage| match image(language, stage) {
            Some(image) => self.cannot_hold(operator, &image, automaton),
            None => false,
        });
        if let Some(key) = key {
            known.insert(key, dead);
        }
        dead
    }

    /// Whether the operator holds for one text. `None`: that depends on the message.
    fn holds(&self, operator: &Operator, text: &[u8]) -> Option<bool> {
        Some(match operator {
            Operator::Pattern(id) | Operator::Phrases(id) => self.patterns.is_match(*id, text),
            Operator::Compare(order, Number::Fixed(number)) => order.holds(integer(text), *number),
            Operator::Text(test, argument) => test.holds(text, argument.fixed()?),
            Operator::Bytes(allowed) => text.iter().any(|byte| !allowed.has(*byte)),
            Operator::DetectSqli => Sentences.sqli(text).is_some(),
            Operator::DetectXss => Sentences.xss(text),
            Operator::UrlEncoding => bad_url_encoding(text),
            Operator::Utf8 => std::str::from_utf8(text).is_err(),
            Operator::Always => true,
            Operator::Compare(..) | Operator::Addresses(_) => return None,
        })
    }

    /// Whether the operator holds for no text of the image.
    fn cannot_hold(
        &self,
        operator: &Operator,
        image: &Image<'_>,
        automaton: &mut Automaton,
    ) -> bool {
        match operator {
            Operator::Pattern(id) | Operator::Phrases(id) => {
                self.patterns.cannot_match_image(*id, image, automaton)
            }
            Operator::DetectSqli => image.cannot_be_sql(),
            Operator::DetectXss => image.cannot_be_script(),
            Operator::Bytes(allowed) => image.alphabet().is_within(allowed),
            Operator::UrlEncoding => !image.alphabet().has(b'%'),
            Operator::Utf8 => image.alphabet().iter().all(|byte| byte.is_ascii()),
            Operator::Text(test, argument) => match (test, argument.fixed()) {
                (TextTest::Within, _) | (_, None) => false,
                (TextTest::Equals, Some(text)) => !image.may_be(text),
                (_, Some(text)) => !image.may_contain(text),
            },
            Operator::Compare(..) | Operator::Addresses(_) | Operator::Always => false,
        }
    }
}

/// Whether a comparison with a variable that is not there can hold.
fn holds_unset(quick: &Quick, negated: bool) -> bool {
    match (quick.count, &quick.number) {
        (false, _) => false,
        (true, Number::Fixed(number)) => quick.order.holds(0, *number) != negated,
        (true, _) => true,
    }
}

fn image<'l>(language: &'l Language, chain: &[Transform]) -> Option<Image<'l>> {
    chain
        .iter()
        .try_fold(Image::plain(language), |image, transform| {
            image.after(*transform)
        })
}
