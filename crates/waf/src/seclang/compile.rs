//! Connects statements: chains, defaults, updates, markers, patterns.
//! Gives `compile`. Every mistake carries file and line.
//! Used by `RuleSet::load`.
//! Start reading at `compile`.

mod gates;
mod lists;
mod tags;

pub(super) use lists::compile_target;

use super::ast::{
    Action, Change, Disrupt, OperatorSource, RuleSource, Selector, SetSource, Statement, Target,
    Variable,
};
use super::macros::{Piece, Text};
use super::operator::{Network, Number, Operator, OperatorName, Order, TextTest, byte_ranges};
use super::parse;
use super::program::{Link, Quick, Rule, RuleSet, Set, SetChange, SetKey, Slots};
use super::store::TxValue;
use super::texts::Triggers;
use super::transform::Transform;
use crate::finding::Class;
use crate::scan::{PatternSet, Source};
use crate::settings::{LoadError, RuleFiles};
use lists::Targets;
use regex_syntax::hir::Hir;
use std::collections::HashMap;
use tags::{class, in_byte_mode, paranoia};

/// Compiles all files in order.
pub(super) fn compile(files: &RuleFiles) -> Result<RuleSet, Vec<LoadError>> {
    let mut errors = Vec::new();
    let mut builder = Builder::new(files);
    for file in &files.rules {
        match parse::statements(&file.name, &file.text) {
            Ok(statements) => {
                builder.file = file.name.clone();
                for statement in statements {
                    if let Err(error) = builder.add(statement) {
                        errors.push(error);
                    }
                }
                if builder.open_chain.is_some() {
                    errors.push(builder.mistake(builder.line, "the file ends inside a chain"));
                    builder.open_chain = None;
                }
            }
            Err(more) => errors.extend(more),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    builder.finish()
}

/// A rule before its targets are final.
struct Draft {
    file: String,
    line: u32,
    rule: Rule,
    phase: usize,
    link_targets: Vec<Vec<Target>>,
    skip_after: Option<String>,
}

struct Builder<'f> {
    files: &'f RuleFiles,
    file: String,
    line: u32,
    drafts: Vec<Draft>,
    /// Marker name and how many rules stood before it.
    markers: Vec<(String, usize)>,
    defaults: [(Disrupt, bool, u16); 5],
    open_chain: Option<Draft>,
    slots: Slots,
    sources: Vec<PatternSource>,
    known_sources: HashMap<String, u32>,
    chains: Vec<Box<[Transform]>>,
    signature: String,
}

enum PatternSource {
    Pattern(Box<Hir>, String, u32),
    Phrases(Vec<Vec<u8>>),
}

impl<'f> Builder<'f> {
    fn new(files: &'f RuleFiles) -> Builder<'f> {
        Builder {
            files,
            file: String::new(),
            line: 0,
            drafts: Vec::new(),
            markers: Vec::new(),
            defaults: [(Disrupt::Pass, true, 403); 5],
            open_chain: None,
            slots: Slots::with_captures(),
            sources: Vec::new(),
            known_sources: HashMap::new(),
            chains: vec![Box::default()],
            signature: String::new(),
        }
    }

    fn mistake(&self, line: u32, message: impl Into<String>) -> LoadError {
        LoadError {
            file: self.file.clone(),
            line,
            message: message.into(),
            help: "Only what the Core Rule Set version 4 uses is understood, and lists of phrases (`*.data`) stand beside the rules. Mend the directive, or remove it.".to_owned(),
        }
    }

    fn add(&mut self, statement: Statement) -> Result<(), LoadError> {
        match statement {
            Statement::Rule(source) => self.rule(source),
            Statement::Marker(name) => {
                self.markers.push((name, self.drafts.len()));
                Ok(())
            }
            Statement::Signature(name) => {
                self.signature = name;
                Ok(())
            }
            Statement::DefaultAction(actions) => self.default_action(&actions),
            Statement::UpdateTarget { ids, targets } => {
                for draft in self
                    .drafts
                    .iter_mut()
                    .filter(|draft| ids.holds(draft.rule.id))
                {
                    if let Some(first) = draft.link_targets.first_mut() {
                        first.extend(targets.iter().cloned());
                    }
                }
                Ok(())
            }
            Statement::RemoveById(ids) => {
                self.remove(|rule| ids.holds(rule.id));
                Ok(())
            }
            Statement::RemoveByTag(tag) => {
                self.remove(|rule| rule.tags.contains(&tag));
                Ok(())
            }
        }
    }

    /// A removed rule stays in its place with nothing in it, so that markers keep theirs.
    fn remove(&mut self, gone: impl Fn(&Rule) -> bool) {
        for draft in self.drafts.iter_mut().filter(|draft| gone(&draft.rule)) {
            draft.rule.links.clear();
        }
    }

    fn default_action(&mut self, actions: &[Action]) -> Result<(), LoadError> {
        let phase = actions.iter().find_map(|action| match action {
            Action::Phase(phase) => Some(*phase),
            _ => None,
        });
        let Some(slot) = self
            .defaults
            .get_mut(usize::from(phase.unwrap_or(2)).wrapping_sub(1))
        else {
            return Err(self.mistake(self.line, "there is no such phase"));
        };
        for action in actions {
            match action {
                Action::Disrupt(disrupt) => slot.0 = *disrupt,
                Action::Log(log) => slot.1 = *log,
                Action::Status(status) => slot.2 = *status,
                _ => {}
            }
        }
        Ok(())
    }

    fn rule(&mut self, source: RuleSource) -> Result<(), LoadError> {
        self.line = source.line;
        let chained = source
            .actions
            .iter()
            .any(|action| matches!(action, Action::Chain));
        let link = self.link(&source)?;
        let mut draft = match self.open_chain.take() {
            Some(draft) => draft,
            None => self.head(&source)?,
        };
        draft.rule.links.push(link);
        draft.link_targets.push(source.targets);
        if chained {
            self.open_chain = Some(draft);
        } else {
            self.drafts.push(draft);
        }
        Ok(())
    }

    fn head(&self, source: &RuleSource) -> Result<Draft, LoadError> {
        let mut phase = 2u8;
        for action in &source.actions {
            if let Action::Phase(number) = action {
                phase = *number;
            }
        }
        let phase = usize::from(phase).wrapping_sub(1);
        let (default_disrupt, log, status) =
            self.defaults
                .get(phase)
                .copied()
                .unwrap_or((Disrupt::Pass, true, 403));
        let mut rule = Rule {
            id: 0,
            links: Vec::new(),
            disrupt: default_disrupt,
            status,
            log,
            message: None,
            data: None,
            tags: Vec::new(),
            severity: None,
            paranoia: 0,
            class: Class::Protocol,
            skip_to: None,
        };
        let mut skip_after = None;
        for action in &source.actions {
            match action {
                Action::Id(id) => rule.id = *id,
                Action::Disrupt(Disrupt::Block) => rule.disrupt = default_disrupt,
                Action::Disrupt(disrupt) => rule.disrupt = *disrupt,
                Action::Status(status) => rule.status = *status,
                Action::Log(log) => rule.log = *log,
                Action::Message(text) => rule.message = Some(text.clone()),
                Action::Data(text) => rule.data = Some(text.clone()),
                Action::Tag(tag) => rule.tags.push(tag.clone()),
                Action::Severity(level) => rule.severity = Some(*level),
                Action::SkipAfter(name) => skip_after = Some(name.clone()),
                _ => {}
            }
        }
        if rule.id == 0 {
            return Err(self.mistake(source.line, "the rule has no id"));
        }
        if self.drafts.iter().any(|draft| draft.rule.id == rule.id) {
            return Err(self.mistake(source.line, format!("the id {} is used twice", rule.id)));
        }
        rule.paranoia = paranoia(&rule.tags);
        rule.class = class(rule.id, &rule.tags);
        Ok(Draft {
            file: self.file.clone(),
            line: source.line,
            rule,
            phase,
            link_targets: Vec::new(),
            skip_after,
        })
    }

    fn link(&mut self, source: &RuleSource) -> Result<Link, LoadError> {
        let mut transforms = Vec::new();
        let mut link = Link {
            number: 0,
            targets: 0,
            chain: 0,
            gate: None,
            operator: None,
            negated: false,
            capture: false,
            multi_match: false,
            sets: Vec::new(),
            controls: Vec::new(),
            keeps_match: false,
            quick: None,
        };
        for action in &source.actions {
            match action {
                Action::Transform(transform) => transforms.push(*transform),
                Action::TransformNone => transforms.clear(),
                Action::Capture => link.capture = true,
                Action::MultiMatch => link.multi_match = true,
                Action::Set(set) => link.sets.push(self.set(set)),
                Action::Control(control) => link.controls.push(control.clone()),
                _ => {}
            }
        }
        link.chain = self.chain(transforms);
        if let Some(operator) = &source.operator {
            link.negated = operator.negated;
            link.operator = Some(
                self.operator(operator)
                    .map_err(|message| self.mistake(source.line, message))?,
            );
        }
        link.quick = self.quick(source, &mut link.operator, link.chain);
        let plain = |set: &Set| {
            matches!(
                (&set.key, &set.change),
                (SetKey::Slot(_), SetChange::Fixed(_) | SetChange::Unset)
            )
        };
        let silent = source
            .actions
            .iter()
            .any(|action| matches!(action, Action::Log(false)));
        let chained = source
            .actions
            .iter()
            .any(|action| matches!(action, Action::Chain));
        link.keeps_match = chained || !silent || !link.sets.iter().all(plain);
        Ok(link)
    }

    /// A rule that compares one TX number, without transformation.
    fn quick(
        &mut self,
        source: &RuleSource,
        operator: &mut Option<Operator>,
        chain: usize,
    ) -> Option<Quick> {
        let [target] = source.targets.as_slice() else {
            return None;
        };
        let Selector::Name(name) = &target.selector else {
            return None;
        };
        if target.variable != Variable::Tx || chain != 0 || target.excluded {
            return None;
        }
        match operator.take() {
            Some(Operator::Compare(order, number)) => Some(Quick {
                slot: self.slots.number(name),
                count: target.count,
                order,
                number,
            }),
            other => {
                *operator = other;
                None
            }
        }
    }

    fn chain(&mut self, transforms: Vec<Transform>) -> usize {
        let wanted = transforms.into_boxed_slice();
        if let Some(known) = self.chains.iter().position(|chain| *chain == wanted) {
            return known;
        }
        self.chains.push(wanted);
        self.chains.len() - 1
    }

    fn number(&mut self, text: &Text) -> Number {
        if let Some(fixed) = text.fixed() {
            return Number::Fixed(super::operator::integer(fixed));
        }
        match text.only_tx() {
            Some(name) => Number::Slot(self.slots.number(name)),
            None => {
                self.know(text);
                Number::Text(text.clone())
            }
        }
    }

    /// Gives every TX name of a text its slot.
    fn know(&mut self, text: &Text) {
        for piece in &text.pieces {
            if let Piece::Tx(name) = piece {
                self.slots.number(name);
            }
        }
    }

    fn set(&mut self, source: &SetSource) -> Set {
        let key = match source
            .key
            .fixed()
            .and_then(|key| std::str::from_utf8(key).ok())
        {
            Some(name) => SetKey::Slot(self.slots.number(name)),
            None => {
                self.know(&source.key);
                SetKey::Text(source.key.clone())
            }
        };
        let scores = source.key.fixed().is_some_and(|key| {
            key.starts_with(b"inbound_anomaly_score_pl")
                || key.starts_with(b"outbound_anomaly_score_pl")
        });
        let change = match &source.change {
            Change::Unset => SetChange::Unset,
            Change::Assign(text) => match text.fixed() {
                Some(bytes) => SetChange::Fixed(TxValue::of(bytes)),
                None => {
                    self.know(text);
                    match text.only_tx() {
                        Some(name) => SetChange::Copy(self.slots.number(name)),
                        None => SetChange::Assign(text.clone()),
                    }
                }
            },
            Change::Add(text) => SetChange::Add(self.number(text)),
            Change::Subtract(text) => SetChange::Subtract(self.number(text)),
        };
        Set {
            key,
            change,
            scores,
        }
    }

    fn operator(&mut self, source: &OperatorSource) -> Result<Operator, String> {
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
        let parsed = crate::scan::parse(&in_byte_mode(text))?;
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

    fn finish(mut self) -> Result<RuleSet, Vec<LoadError>> {
        let mut numbers: [Vec<usize>; 5] = Default::default();
        for (number, draft) in self.drafts.iter().enumerate() {
            if let Some(phase) = numbers.get_mut(draft.phase) {
                phase.push(number);
            }
        }
        let mut errors = Vec::new();
        let mut targets = Targets::default();
        let mut rules = Vec::new();
        for (number, draft) in std::mem::take(&mut self.drafts).into_iter().enumerate() {
            match self.connect(number, draft, &numbers, &mut targets) {
                Ok(rule) => rules.push(rule),
                Err(error) => errors.push(error),
            }
        }
        let patterns = match self.patterns() {
            Ok(patterns) if errors.is_empty() => patterns,
            Ok(_) => return Err(errors),
            Err(error) => {
                errors.push(error);
                return Err(errors);
            }
        };
        let links = rules.iter_mut().flat_map(|rule: &mut Rule| &mut rule.links);
        for (number, link) in links.enumerate() {
            link.number = number;
        }
        let words = patterns.len().div_ceil(64);
        lists::select_slots(&mut targets.sets, &self.slots);
        Ok(RuleSet {
            phases: numbers.map(|numbers| gates::phase(&rules, &numbers)),
            tree: gates::tree(&rules, &self.chains, words),
            asked: gates::asked(&rules, words),
            triggers: Triggers::default(),
            rules,
            patterns,
            chains: self.chains,
            target_sets: targets.sets,
            slots: self.slots,
            signature: self.signature,
        })
    }

    /// Gives the links their target lists and the rule the place it skips to.
    fn connect(
        &self,
        number: usize,
        draft: Draft,
        phases: &[Vec<usize>; 5],
        targets: &mut Targets,
    ) -> Result<Rule, LoadError> {
        let mut rule = draft.rule;
        for (link, wanted) in rule.links.iter_mut().zip(&draft.link_targets) {
            let set = targets
                .number(wanted)
                .map_err(|message| at(&draft.file, draft.line, message))?;
            link.targets = set;
            link.gate = gates::gate(link, targets.sets.get(set));
        }
        let Some(name) = draft.skip_after else {
            return Ok(rule);
        };
        // A marker stands before the rules that follow it, whatever their phase.
        let marker = self
            .markers
            .iter()
            .find(|(known, before)| *known == name && *before > number);
        let Some((_, before)) = marker else {
            return Err(at(
                &draft.file,
                draft.line,
                format!("no marker {name} follows"),
            ));
        };
        let phase = phases
            .get(draft.phase)
            .map(Vec::as_slice)
            .unwrap_or_default();
        rule.skip_to = Some(phase.partition_point(|rule| rule < before));
        Ok(rule)
    }

    fn patterns(&self) -> Result<PatternSet, LoadError> {
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

fn at(file: &str, line: u32, message: impl Into<String>) -> LoadError {
    LoadError {
        file: file.to_owned(),
        line,
        message: message.into(),
        help: "Correct the rule or leave it out.".to_owned(),
    }
}

#[cfg(test)]
mod tests;
