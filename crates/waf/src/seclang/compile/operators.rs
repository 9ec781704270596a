//! Operators with their arguments; patterns and phrases are known once, however many rules ask for them.
//! Exports the part of `Builder` that makes an `Operator`, and `Asked`, the patterns of a rule set.
//! Used by `compile`.
//! Start reading at `Builder::operator`.

use super::super::ast::OperatorSource;
use super::super::macros::Text;
use super::super::operator::{Network, Operator, OperatorName, Order, TextTest, byte_ranges};
use super::tags::in_byte_mode;
use super::{Builder, at};
use crate::scan::{PatternSet, Source};
use crate::settings::LoadError;
use regex_syntax::hir::Hir;

/// What one number of the pattern set stands for.
pub(super) enum PatternSource {
    Pattern(Box<Hir>, String, u32),
    Phrases(Vec<Vec<u8>>),
}

impl<'f> Builder<'f> {
    pub(super) fn operator(&mut self, source: &OperatorSource) -> Result<Operator, String> {
        let argument = source.argument.as_str();
        let compare = |builder: &mut Builder<'f>, order| -> Result<Operator, String> {
            let text = Text::parse(argument.trim())?;
            Ok(Operator::Compare(order, builder.number(&text)))
        };
        let test = |builder: &mut Builder<'f>, test| -> Result<Operator, String> {
            let text = Text::parse(argument)?;
            builder.know(&text);
            Ok(Operator::Text(test, text))
        };
        match source.name {
            OperatorName::Rx => self.pattern(argument),
            OperatorName::Pm => {
                let phrases = argument
                    .split_whitespace()
                    .map(|word| word.as_bytes().to_vec())
                    .collect();
                self.phrases(argument, phrases)
            }
            OperatorName::PmFromFile => self.phrase_files(argument),
            OperatorName::Eq => compare(self, Order::Equal),
            OperatorName::Ge => compare(self, Order::AtLeast),
            OperatorName::Gt => compare(self, Order::Above),
            OperatorName::Le => compare(self, Order::AtMost),
            OperatorName::Lt => compare(self, Order::Below),
            OperatorName::BeginsWith => test(self, TextTest::Begins),
            OperatorName::Contains => test(self, TextTest::Contains),
            OperatorName::EndsWith => test(self, TextTest::Ends),
            OperatorName::Streq => test(self, TextTest::Equals),
            OperatorName::Within => test(self, TextTest::Within),
            OperatorName::ValidateByteRange => byte_ranges(argument).map(Operator::Bytes),
            OperatorName::IpMatch => {
                let networks: Result<Vec<Network>, String> =
                    argument.split(',').map(Network::parse).collect();
                networks.map(Operator::Addresses)
            }
            OperatorName::DetectSqli => Ok(Operator::DetectSqli),
            OperatorName::DetectXss => Ok(Operator::DetectXss),
            OperatorName::ValidateUrlEncoding => Ok(Operator::UrlEncoding),
            OperatorName::ValidateUtf8Encoding => Ok(Operator::Utf8),
            OperatorName::UnconditionalMatch => Ok(Operator::Always),
        }
    }

    fn pattern(&mut self, text: &str) -> Result<Operator, String> {
        if let Some(known) = self.known_sources.get(text) {
            return Ok(Operator::Pattern(*known));
        }
        let parsed = crate::syntax::parse(&in_byte_mode(text))?;
        let number =
            u32::try_from(self.sources.len()).map_err(|_| "too many patterns".to_owned())?;
        self.sources.push(PatternSource::Pattern(
            Box::new(parsed),
            self.file.clone(),
            self.line,
        ));
        self.known_sources.insert(text.to_owned(), number);
        Ok(Operator::Pattern(number))
    }

    fn phrases(&mut self, key: &str, phrases: Vec<Vec<u8>>) -> Result<Operator, String> {
        let key = format!("\0{key}");
        if let Some(known) = self.known_sources.get(&key) {
            return Ok(Operator::Phrases(*known));
        }
        if phrases.is_empty() {
            return Err("there is no phrase".to_owned());
        }
        let number =
            u32::try_from(self.sources.len()).map_err(|_| "too many patterns".to_owned())?;
        self.sources.push(PatternSource::Phrases(phrases));
        self.known_sources.insert(key, number);
        Ok(Operator::Phrases(number))
    }

    fn phrase_files(&mut self, argument: &str) -> Result<Operator, String> {
        let mut phrases = Vec::new();
        for name in argument.split_whitespace() {
            let Some(text) = self.files.data.get(name) else {
                return Err(format!("the phrase file {name} is not there"));
            };
            for line in text.split(|byte| *byte == b'\n') {
                let line = line.trim_ascii();
                if !line.is_empty() && !line.starts_with(b"#") {
                    phrases.push(line.to_vec());
                }
            }
        }
        self.phrases(argument, phrases)
    }

    pub(super) fn patterns(&self) -> Result<PatternSet, LoadError> {
        let patterns =
            PatternSet::compile_sources(self.sources.iter().map(|source| match source {
                PatternSource::Pattern(parsed, ..) => Source::Parsed(parsed),
                PatternSource::Phrases(phrases) => Source::Phrases(phrases.clone()),
            }));
        patterns.map_err(|(number, message)| match self.sources.get(number) {
            Some(PatternSource::Pattern(_, file, line)) => at(file, *line, message),
            _ => at("rules", 0, message),
        })
    }
}
