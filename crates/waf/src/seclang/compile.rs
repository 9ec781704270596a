//! Connects statements: chains, defaults, updates, markers.
//! Exports `RuleSet::load`. Every mistake carries file and line.
//! Used by whoever has rule files.
//! Start reading at `compile`.

mod finish;
mod gates;
mod links;
mod lists;
mod operators;
mod tags;

pub(super) use lists::compile_target;

use super::ast::{Action, Disrupt, RuleSource, Statement, Target};
use super::parse;
use super::program::{Rule, RuleSet, Slots};
use crate::finding::Class;
use crate::settings::{LoadError, RuleFiles};
use crate::transform::Transform;
use operators::PatternSource;
use std::collections::HashMap;
use tags::{class, paranoia};

impl RuleSet {
    /// Reads and compiles rule files. All mistakes of all files are reported together.
    pub fn load(files: &RuleFiles) -> Result<RuleSet, Vec<LoadError>> {
        compile(files)
    }
}

/// Compiles all files in order.
fn compile(files: &RuleFiles) -> Result<RuleSet, Vec<LoadError>> {
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
pub(super) mod tests;
