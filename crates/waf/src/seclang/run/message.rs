//! What a transaction is told: the head, arguments, bodies, the answer, and who judges beside the rules.
//! Exports the first half of `Transaction`.
//! Used by `inspect` and by the regression suite.
//! Start reading at `Transaction::new`.

use super::super::collection::Collection;
use super::super::memory;
use super::super::program::RuleSet;
use super::super::store::{Head, Message, Scope, Store};
use super::super::tx_value::TxValue;
use super::super::variable::Variable;
use super::{Guard, Mode, Source, Transaction};
use crate::body::{self, Processor};
use crate::detector::{InjectionDetector, Libinjection};
use crate::field_plan::CrsLive;

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
        let mut store = Store::new(rules, head, std::mem::take(&mut memory.store));
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
        live: Option<&'r CrsLive>,
    ) {
        let collection = match source {
            Source::Query => Collection::ArgsGet,
            Source::Body => Collection::ArgsPost,
            Source::Cookie => Collection::Cookies,
        };
        self.fields.extend(live);
        let field = live.and_then(|_| u32::try_from(self.fields.len()).ok());
        self.store
            .scoped(collection, name, value, scope, field.unwrap_or(0));
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
            self.store.entry(Collection::ResponseHeaders, name, value);
        }
    }

    /// Gives the body of the answer, before phase 4.
    pub fn response_body(&mut self, body: &[u8]) {
        self.store.single(Variable::ResponseBody, body);
    }
}
