//! Which rules of the pack cannot match the texts of a field.
//! Exports `Pack::live`: the rules that are left for such a field.
//! Used by `prove` at load.
//! Start reading at `Pack::live`.

use super::ssrf::Reach;
use super::{Pack, SQLI_TOKENS, XSS_TOKENS, ssrf};
use crate::detector::InjectionDetector;
use crate::field_plan::{PackLive, Proof};
use crate::hosts::Hosts;
use crate::image::{Automaton, Image};
use crate::language::Language;

impl Pack {
    /// Decides for every rule whether a value of these languages may match it; counts those of the level.
    pub(crate) fn live(
        &self,
        languages: &[Option<Language>],
        level: u8,
        proofs: &mut [Proof],
    ) -> Vec<PackLive> {
        let mut all: Vec<PackLive> = languages
            .iter()
            .map(|language| self.without_patterns(language.as_ref()))
            .collect();
        for (rule, id) in self.rules.iter().zip(0u32..) {
            let mut automaton = Automaton::default();
            let asked = languages.iter().zip(&mut all).zip(proofs.iter_mut());
            for ((language, live), proof) in asked {
                let is_live = !language.as_ref().is_some_and(|language| {
                    self.patterns.cannot_match(id, language, &mut automaton)
                });
                live.patterns.push(is_live);
                if is_live {
                    live.level = live.level.min(rule.paranoia);
                }
                if rule.paranoia <= level {
                    proof.count(rule.id, !is_live);
                }
            }
        }
        for (live, proof) in all.iter().zip(proofs) {
            proof.count(SQLI_TOKENS.id, !live.sqli);
            proof.count(XSS_TOKENS.id, !live.xss);
            proof.count("pack.ssrf", !live.address);
        }
        all
    }

    /// The rules that are no patterns.
    fn without_patterns(&self, language: Option<&Language>) -> PackLive {
        let dead = |test: &dyn Fn(&Language) -> bool| language.is_some_and(test);
        PackLive {
            patterns: Vec::new(),
            sqli: !dead(&|language| self.cannot_be_sql(language)),
            xss: !dead(&|language| self.cannot_be_script(language)),
            address: !dead(&cannot_be_address),
            level: u8::MAX,
        }
    }

    fn cannot_be_sql(&self, language: &Language) -> bool {
        match language.values() {
            Some(values) => !values.iter().any(|text| self.detector.sqli(text).is_some()),
            None => Image::plain(language).cannot_be_sql(),
        }
    }

    fn cannot_be_script(&self, language: &Language) -> bool {
        match language.values() {
            Some(values) => !values.iter().any(|text| self.detector.xss(text)),
            None => Image::plain(language).cannot_be_script(),
        }
    }
}

/// Of a field that is not declared an address.
fn cannot_be_address(language: &Language) -> bool {
    if let Some(values) = language.values() {
        let hosts = Hosts::default();
        let reach = Reach {
            is_typed: false,
            hosts: &hosts,
        };
        return !values.iter().any(|text| ssrf::judge(text, reach).is_some());
    }
    let image = Image::plain(language);
    !ADDRESS_SIGNS.iter().any(|sign| image.may_contain(sign))
}

/// One of these is in every text that `ssrf::judge` finds: two slashes of either kind, the end of a scheme that needs
/// none (`http:`, `ws:`, `jar:`), or the address itself.
const ADDRESS_SIGNS: [&[u8]; 11] = [
    b"//",
    b"\\\\",
    b"/\\",
    b"\\/",
    b"p:",
    b"P:",
    b"s:",
    b"S:",
    b"r:",
    b"R:",
    b"169.254.169.254",
];
