//! Runs the rules of a transaction, phase by phase.
//! Gives `Transaction`, `Event`, `Mode`.
//! Used by `inspect` and by the regression suite.
//! Start reading at `Transaction::phase`: skip, ask, act, log.

mod effects;
mod hits;

pub(super) use hits::Hits;

use super::ast::{Disrupt, IdRange, Variable};
use super::lists::Lists;
use super::memory::{self, Memory};
use super::operator::{Operator, bad_url_encoding, integer};
use super::program::{Link, Quick, Rule, RuleSet, Wanted};
use super::proof::Live;
use super::store::{Bag, Head, Message, Scope, Store, TxValue};
use super::targets::{Label, Matched, Value, key_of, names, resolve};
use super::texts::{TextId, marked};
use super::transform::Transform;
use crate::body::{self, Processor};
use crate::detector::{InjectionDetector, Libinjection};
use crate::finding::Class;

/// Whether a rule that denies ends the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Rules are evaluated and may deny.
    On,
    /// Rules are evaluated and only log.
    DetectionOnly,
    /// No rule is evaluated.
    Off,
}

/// A rule that matched and logs.
#[derive(Clone, Debug)]
pub struct Event {
    /// The id of the rule.
    pub id: u32,
    /// Its class.
    pub class: Class,
    /// Its paranoia level, 0 without one.
    pub paranoia: u8,
    /// What it added to anomaly counters.
    pub score: u32,
    /// The message, expanded.
    pub message: String,
    /// The data it logs, expanded.
    pub data: String,
    /// The variable that matched last, for example `ARGS`.
    pub variable: &'static str,
    /// Its key, for example the name of the argument.
    pub key: Vec<u8>,
    /// The transformations before the match.
    pub chain: Vec<&'static str>,
}

/// A match, before it counts.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'m> {
    /// The id of the rule.
    pub id: u32,
    /// Its class.
    pub class: Class,
    /// Its paranoia level, 0 without one.
    pub paranoia: u8,
    /// The variable that matched, for example `ARGS`.
    pub variable: &'static str,
    /// Its key.
    pub key: &'m [u8],
}

/// Decides whether a match counts: for exclusions and for paranoia per field.
pub trait Guard: std::fmt::Debug {
    /// Whether the match counts.
    fn admits(&self, candidate: &Candidate<'_>) -> bool;
}

/// Where an argument stood that somebody else has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The query.
    Query,
    /// The body.
    Body,
    /// A cookie.
    Cookie,
}

/// One message on its way through the phases.
#[derive(Debug)]
pub struct Transaction<'r> {
    rules: &'r RuleSet,
    store: Store<'r>,
    mode: Mode,
    events: Vec<Event>,
    denied: Option<(u32, u16)>,
    removed_ids: Vec<IdRange>,
    removed_tags: Vec<String>,
    removed_targets: Vec<(Removed, Wanted)>,
    force_body: bool,
    processor: Option<Processor>,
    lists: Lists,
    hits: Hits,
    fields: Vec<&'r Live>,
    work: u64,
    work_max: u64,
    guard: Option<&'r dyn Guard>,
    detector: &'r dyn InjectionDetector,
}

#[derive(Clone, Debug)]
enum Removed {
    Tag(String),
    Ids(IdRange),
}

/// What one rule has collected on its way.
#[derive(Debug, Default)]
struct Progress {
    matched: Matched,
    score: u32,
    chain: usize,
}

impl<'r> Transaction<'r> {
    /// Begins a transaction with the head of a request.
    pub fn new(rules: &'r RuleSet, message: &Message, mode: Mode) -> Transaction<'r> {
        let headers = message.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_slice(), value.as_slice()));
        Transaction::begin(rules, &message.head(), headers, mode)
    }

    /// The same with a borrowed head.
    pub(crate) fn begin<'m>(
        rules: &'r RuleSet,
        head: &Head<'m>,
        headers: impl Iterator<Item = (&'m [u8], &'m [u8])>,
        mode: Mode,
    ) -> Transaction<'r> {
        let mut memory = memory::take();
        let mut store = Store::new(rules, head, &mut memory);
        for (name, value) in headers {
            store.add_header(name, value, head.is_cut);
        }
        memory.hits.reset(rules);
        let processor = store.header(b"content-type").and_then(Processor::for_type);
        let mut transaction = Transaction {
            rules,
            store,
            mode,
            events: Vec::new(),
            denied: None,
            removed_ids: Vec::new(),
            removed_tags: Vec::new(),
            removed_targets: Vec::new(),
            force_body: false,
            processor,
            lists: std::mem::take(&mut memory.lists),
            hits: std::mem::take(&mut memory.hits),
            fields: Vec::new(),
            work: 0,
            work_max: u64::MAX,
            guard: None,
            detector: &Libinjection,
        };
        transaction.name_processor();
        transaction
    }

    /// Lets `guard` decide about every match.
    pub fn guarded_by(&mut self, guard: &'r dyn Guard) {
        self.guard = Some(guard);
    }

    /// Takes another detector for `@detectSQLi` and `@detectXSS`.
    pub fn detects_with(&mut self, detector: &'r dyn InjectionDetector) {
        self.detector = detector;
    }

    /// Stops evaluating once more bytes than this were read.
    pub fn limit_work(&mut self, bytes: u64) {
        self.work_max = bytes;
    }

    /// Whether evaluation stopped for want of work.
    pub fn is_exhausted(&self) -> bool {
        self.work() > self.work_max
    }

    /// Adds an argument that somebody else has read.
    pub fn argument(&mut self, source: Source, name: &[u8], value: &[u8], scope: Scope) {
        self.proven(source, name, value, scope, None);
    }

    /// The same, with what is left to ask about its value.
    pub(crate) fn proven(
        &mut self,
        source: Source,
        name: &[u8],
        value: &[u8],
        scope: Scope,
        live: Option<&'r Live>,
    ) {
        let bag = match source {
            Source::Query => Bag::ArgsGet,
            Source::Body => Bag::ArgsPost,
            Source::Cookie => Bag::Cookies,
        };
        self.fields.extend(live);
        let field = live.and_then(|_| u32::try_from(self.fields.len()).ok());
        self.store
            .scoped(bag, name, value, scope, field.unwrap_or(0));
    }

    /// Sets a TX variable before the rules run.
    pub fn set(&mut self, name: &str, value: i64) {
        self.store.set_tx(
            name.to_ascii_lowercase().as_bytes(),
            Some(TxValue::Number(value)),
        );
    }

    /// Gives the whole body, after phase 1. It is parsed as its type or a rule demands.
    pub fn body(&mut self, raw: &[u8]) {
        let content_type = self
            .store
            .header(b"content-type")
            .unwrap_or_default()
            .to_vec();
        let parsed = body::parse(self.processor, &content_type, raw);
        let keep_raw = self.force_body || self.processor == Some(Processor::Urlencoded);
        self.store.body(parsed, raw, keep_raw);
    }

    /// Tells the length of a body that somebody else has read.
    pub fn body_length(&mut self, bytes: usize) {
        self.store
            .single(Variable::RequestBodyLength, bytes.to_string().as_bytes());
    }

    /// Gives status and headers of the answer, before phase 3.
    pub fn response(&mut self, status: u16, headers: &[(Vec<u8>, Vec<u8>)]) {
        self.store
            .single(Variable::ResponseStatus, status.to_string().as_bytes());
        for (name, value) in headers {
            self.store.entry(Bag::ResponseHeaders, name, value);
        }
    }

    /// Gives the body of the answer, before phase 4.
    pub fn response_body(&mut self, body: &[u8]) {
        self.store.single(Variable::ResponseBody, body);
    }

    /// What was logged so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The rule that denied and its status.
    pub fn denied(&self) -> Option<(u32, u16)> {
        self.denied
    }

    /// Bytes read by transformations, automaton, patterns and tokenisers.
    pub fn work(&self) -> u64 {
        self.work.saturating_add(self.store.texts.work)
    }

    /// Runs the rules of phase 1 to 5 in order, until one denies.
    pub fn phase(&mut self, phase: usize) {
        let rules = self.rules;
        let Some(list) = phase
            .checked_sub(1)
            .and_then(|phase| rules.phases.get(phase))
        else {
            return;
        };
        self.lists.reset(rules.target_sets.len());
        let left = self.work_max.saturating_sub(self.work);
        self.hits
            .look(list.sides, &mut self.store, rules, &self.fields, left);
        let mut place = 0;
        while let Some(step) = list.steps.get(place) {
            place += 1;
            if step.gate.is_some_and(|gate| !self.hits.open(&gate)) {
                continue;
            }
            let Some(rule) = rules.rules.get(step.rule) else {
                return;
            };
            if self.mode == Mode::Off
                || self.is_exhausted()
                || (self.denied.is_some() && phase != 5)
            {
                return;
            }
            if self.is_removed(rule) || !self.rule(rule) {
                continue;
            }
            if let Some(to) = rule.skip_to {
                place = to;
            }
        }
    }

    fn is_removed(&self, rule: &Rule) -> bool {
        rule.links.is_empty()
            || self.removed_ids.iter().any(|ids| ids.holds(rule.id))
            || self.removed_tags.iter().any(|tag| rule.tags.contains(tag))
    }

    /// Evaluates a chain; true when every link matched.
    fn rule(&mut self, rule: &'r Rule) -> bool {
        let mut progress = Progress::default();
        for link in &rule.links {
            let matched = match (&link.quick, &link.operator) {
                (Some(quick), _) => self.quick(quick, link, &mut progress),
                (None, None) => {
                    self.act(link, &mut progress);
                    true
                }
                (None, Some(operator)) => self.link(rule, link, operator, &mut progress),
            };
            if !matched {
                return false;
            }
        }
        if rule.log {
            self.record(rule, &progress);
        }
        if rule.disrupt == Disrupt::Deny && self.mode == Mode::On {
            self.denied = Some((rule.id, rule.status));
        }
        true
    }

    fn quick(&mut self, quick: &Quick, link: &Link, progress: &mut Progress) -> bool {
        let left = match (self.store.slot(quick.slot), quick.count) {
            (value, true) => i64::from(value.is_some()),
            (Some(value), false) => value.number(),
            (None, false) => return false,
        };
        let right = self.number(&quick.number, progress);
        if quick.order.holds(left, right) == link.negated {
            return false;
        }
        if link.keeps_match {
            let text = self.store.texts.add(left.to_string().as_bytes());
            let name = self
                .rules
                .slots
                .names
                .get(quick.slot)
                .map(String::as_str)
                .unwrap_or_default();
            let label = Label::Text(self.store.texts.add(name.as_bytes()));
            progress.matched.values.push(Value {
                text,
                variable: Variable::Tx,
                label,
            });
        }
        self.act(link, progress);
        true
    }

    fn link(
        &mut self,
        rule: &Rule,
        link: &'r Link,
        operator: &'r Operator,
        progress: &mut Progress,
    ) -> bool {
        if link.gate.is_some_and(|gate| !self.hits.open(&gate)) {
            return false;
        }
        let rules = self.rules;
        let Some(set) = rules.target_sets.get(link.targets) else {
            return false;
        };
        let chain = rules
            .chains
            .get(link.chain)
            .map(|chain| &**chain)
            .unwrap_or_default();
        let mut any = false;
        if set.dynamic {
            let mut values = Vec::new();
            resolve(set, &mut self.store, &progress.matched, &mut values);
            for value in values {
                any |= self.one(rule, link, operator, value, chain, progress);
            }
            return any;
        }
        for number in self.lists.get(link.targets, set, &mut self.store) {
            if let Some(value) = self.lists.value(number) {
                any |= self.one(rule, link, operator, value, chain, progress);
            }
        }
        any
    }

    /// One value on its way through a chain, asked at the end or, with multiMatch, after every change.
    fn one(
        &mut self,
        rule: &Rule,
        link: &'r Link,
        operator: &'r Operator,
        value: Value,
        chain: &[Transform],
        progress: &mut Progress,
    ) -> bool {
        if self.is_proven_dead(link, &value) {
            return false;
        }
        if !link.multi_match {
            let text = self.store.texts.derive(value.text, chain);
            return self.ask(rule, link, operator, &value, text, progress);
        }
        let mut text = value.text;
        let mut any = self.ask(rule, link, operator, &value, text, progress);
        for transform in chain {
            let next = self.store.texts.step(text, *transform);
            if next != text {
                any |= self.ask(rule, link, operator, &value, next, progress);
            }
            text = next;
        }
        any
    }

    /// Whether the contract's language of this value leaves the link nothing to find.
    fn is_proven_dead(&self, link: &Link, value: &Value) -> bool {
        let Label::Entry(bag, number) = value.label else {
            return false;
        };
        if self.fields.is_empty() || value.variable.is_of_names() {
            return false;
        }
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let field = self
            .store
            .bag(bag)
            .get(number)
            .map_or(0, |entry| entry.field);
        let field = usize::try_from(field).unwrap_or(0).checked_sub(1);
        let live = field.and_then(|field| self.fields.get(field));
        live.is_some_and(|live| !live.has(link.number))
    }

    /// Asks the operator about one text; a match captures, counts and acts.
    fn ask(
        &mut self,
        rule: &Rule,
        link: &Link,
        operator: &Operator,
        value: &Value,
        text: TextId,
        progress: &mut Progress,
    ) -> bool {
        if self.holds(link, operator, text, progress) == link.negated {
            return false;
        }
        if !self.admits(rule, value) {
            return false;
        }
        progress.matched.values.push(Value { text, ..*value });
        progress.chain = link.chain;
        self.act(link, progress);
        true
    }

    /// Whether a match counts: the target was not taken out meanwhile, and the guard agrees.
    fn admits(&self, rule: &Rule, value: &Value) -> bool {
        let removed = self.removed_targets.iter().any(|(removed, wanted)| {
            let applies = match removed {
                Removed::Tag(tag) => rule.tags.contains(tag),
                Removed::Ids(ids) => ids.holds(rule.id),
            };
            applies && names(wanted, value, &self.store)
        });
        if removed {
            return false;
        }
        let Some(guard) = self.guard else { return true };
        guard.admits(&Candidate {
            id: rule.id,
            class: rule.class,
            paranoia: rule.paranoia,
            variable: value.variable.name(),
            key: key_of(value, &self.store),
        })
    }

    fn holds(
        &mut self,
        link: &Link,
        operator: &Operator,
        text: TextId,
        progress: &Progress,
    ) -> bool {
        match operator {
            Operator::Pattern(id) | Operator::Phrases(id) => return self.pattern(link, *id, text),
            Operator::Compare(order, number) => {
                let right = self.number(number, progress);
                return order.holds(integer(self.store.texts.bytes(text)), right);
            }
            Operator::Text(test, argument) => {
                let argument = self.expand(argument, progress);
                return test.holds(self.store.texts.bytes(text), &argument);
            }
            _ => {}
        }
        let bytes = self.store.texts.bytes(text);
        match operator {
            Operator::Bytes(allowed) => !self.store.texts.present(text).is_within(allowed),
            Operator::Addresses(networks) => std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| text.parse().ok())
                .is_some_and(|address| networks.iter().any(|network| network.holds(address))),
            Operator::DetectSqli => {
                self.work = self
                    .work
                    .saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
                self.detector.sqli(bytes).is_some()
            }
            Operator::DetectXss => {
                self.work = self
                    .work
                    .saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
                self.detector.xss(bytes)
            }
            Operator::UrlEncoding => bad_url_encoding(bytes),
            Operator::Utf8 => std::str::from_utf8(bytes).is_err(),
            Operator::Always => true,
            Operator::Pattern(_)
            | Operator::Phrases(_)
            | Operator::Compare(..)
            | Operator::Text(..) => false,
        }
    }

    fn pattern(&mut self, link: &Link, id: u32, text: TextId) -> bool {
        // A negated pattern matches nearly everything: to look for candidates first is lost on it.
        if !link.negated {
            self.store.texts.scan(text);
            if !marked(self.store.texts.candidates(text), id) {
                return false;
            }
        }
        let patterns = &self.rules.patterns;
        let bytes = self.store.texts.bytes(text);
        self.work = self
            .work
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
        let certain = !link.negated && patterns.is_certain(id);
        if !certain && !patterns.is_match(id, bytes) {
            return false;
        }
        if !link.capture {
            return true;
        }
        let Some(groups) = patterns.groups(id, bytes) else {
            return false;
        };
        let found: Vec<Option<Vec<u8>>> = groups
            .iter()
            .take(10)
            .map(|span| {
                span.and_then(|(from, to)| bytes.get(from..to))
                    .map(<[u8]>::to_vec)
            })
            .collect();
        for slot in 0..10 {
            let value = found.get(slot).cloned().flatten();
            self.store
                .set_slot(slot, value.map(|text| TxValue::Text(text.into())));
        }
        true
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        let store = &mut self.store;
        memory::give(Memory {
            texts: std::mem::take(&mut store.texts.buffers),
            bags: std::mem::take(&mut store.bags),
            slots: std::mem::take(&mut store.slots),
            lists: std::mem::take(&mut self.lists),
            hits: std::mem::take(&mut self.hits),
        });
    }
}
