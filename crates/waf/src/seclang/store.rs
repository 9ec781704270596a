//! The variables of one transaction.
//! Exports `Message`, which the caller fills, and `Store`, which rules ask.
//! Used by `run` and `targets`.
//! Start reading at `Message`.

use super::collection::Collection;
use super::program::RuleSet;
use super::sides;
use super::texts::{Buffers, TextId, Texts};
use super::tx_value::TxValue;
use super::variable::Variable;
use crate::body::Body;
use crate::transform::Transform;
use std::collections::HashMap;

/// The head of a request as it came.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The method as sent.
    pub method: Vec<u8>,
    /// The request target as sent, query included.
    pub target: Vec<u8>,
    /// For example `HTTP/1.1`.
    pub protocol: Vec<u8>,
    /// Headers in order, names as sent.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The address of the client.
    pub client: String,
    /// A number of the request that never repeats.
    pub unique_id: String,
    /// Query and cookies were read by somebody else: they come by `Transaction::argument`.
    pub is_cut: bool,
}

/// The same, borrowed, headers left aside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'m> {
    pub(crate) method: &'m [u8],
    pub(crate) target: &'m [u8],
    pub(crate) protocol: &'m [u8],
    pub(crate) client: &'m str,
    pub(crate) unique_id: &'m str,
    pub(crate) is_cut: bool,
}

impl Message {
    pub(super) fn head(&self) -> Head<'_> {
        Head {
            method: &self.method,
            target: &self.target,
            protocol: &self.protocol,
            client: &self.client,
            unique_id: &self.unique_id,
            is_cut: self.is_cut,
        }
    }
}

/// A name with its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) name: TextId,
    /// The name in lower case.
    pub(super) lower: TextId,
    pub(super) value: TextId,
    pub(super) scope: Scope,
    /// What is proven about the value: a place in the transaction's list, counted from one; 0: nothing.
    pub(super) field: u32,
}

impl Entry {
    /// The text rules see on one side of the collection, if they may see it.
    pub(super) fn side(&self, by_name: bool) -> Option<TextId> {
        match (by_name, self.scope) {
            (true, Scope::Value) | (false, Scope::Name) => None,
            (true, _) => Some(self.name),
            (false, _) => Some(self.value),
        }
    }
}

/// Which side of an entry rules may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Name and value.
    Both,
    /// The name comes from a contract: only the value can carry an attack.
    Value,
    /// A name by itself.
    Name,
}

/// Everything rules can ask for.
#[derive(Debug)]
pub(super) struct Store<'r> {
    pub(super) texts: Texts<'r>,
    pub(super) collections: [Vec<Entry>; Collection::COUNT],
    singles: [Option<TextId>; Variable::COUNT],
    pub(super) slots: Vec<Option<TxValue>>,
    others: HashMap<Vec<u8>, TxValue>,
    rules: &'r RuleSet,
    files_bytes: usize,
}

/// The memory behind a store, to be used again.
#[derive(Debug, Default)]
pub(super) struct StoreMemory {
    pub(super) texts: Buffers,
    pub(super) collections: [Vec<Entry>; Collection::COUNT],
    pub(super) slots: Vec<Option<TxValue>>,
}

impl<'r> Store<'r> {
    pub(super) fn new(rules: &'r RuleSet, head: &Head<'_>, memory: StoreMemory) -> Store<'r> {
        let mut slots = memory.slots;
        slots.resize(rules.slots.names.len(), None);
        let mut store = Store {
            texts: Texts::new(rules, memory.texts),
            collections: memory.collections,
            singles: [None; Variable::COUNT],
            slots,
            others: HashMap::new(),
            rules,
            files_bytes: 0,
        };
        store.request(head);
        store
    }

    /// Takes the memory back; the store is empty afterwards.
    pub(super) fn take_memory(&mut self) -> StoreMemory {
        StoreMemory {
            texts: std::mem::take(&mut self.texts.buffers),
            collections: std::mem::take(&mut self.collections),
            slots: std::mem::take(&mut self.slots),
        }
    }

    fn request(&mut self, head: &Head<'_>) {
        let target = head.target;
        let (raw_path, query) = split_once(target, b'?');
        let path = without_origin(raw_path);
        // Servers hand the decoded path to rules; the raw one stays in REQUEST_URI.
        let name = crate::body::percent_decoded(path);
        let base = path
            .iter()
            .rposition(|byte| matches!(byte, b'/' | b'\\'))
            .map_or(0, |at| at + 1);
        let line = [head.method, b" ", target, b" ", head.protocol].concat();
        let mut uri = path.to_vec();
        if let Some(query) = query {
            uri.push(b'?');
            uri.extend_from_slice(query);
        }
        self.single(Variable::RequestMethod, head.method);
        self.single(Variable::RequestUriRaw, target);
        self.single(Variable::RequestUri, &uri);
        self.single(Variable::RequestFilename, &name);
        self.single(
            Variable::RequestBasename,
            name.get(base..).unwrap_or_default(),
        );
        self.single(Variable::RequestLine, &line);
        self.single(Variable::RequestProtocol, head.protocol);
        self.single(Variable::RemoteAddr, head.client.as_bytes());
        self.single(Variable::UniqueId, head.unique_id.as_bytes());
        self.single(Variable::QueryString, query.unwrap_or_default());
        if !head.is_cut {
            for (name, value) in crate::body::urlencoded(query.unwrap_or_default()) {
                self.entry(Collection::ArgsGet, &name, &value);
            }
        }
    }

    /// Adds a header; `is_cut`: cookies were read by somebody else.
    pub(super) fn add_header(&mut self, name: &[u8], value: &[u8], is_cut: bool) {
        self.entry(Collection::Headers, name, value);
        if !is_cut && name.eq_ignore_ascii_case(b"cookie") {
            for (name, value) in crate::body::cookies(value) {
                self.entry(Collection::Cookies, &name, &value);
            }
        }
    }

    pub(super) fn single(&mut self, variable: Variable, bytes: &[u8]) {
        let text = self.texts.add(bytes);
        if let Some(place) = self.singles.get_mut(variable as usize) {
            *place = Some(text);
        }
    }

    pub(super) fn entry(&mut self, collection: Collection, name: &[u8], value: &[u8]) {
        self.scoped(collection, name, value, Scope::Both, 0);
    }

    pub(super) fn scoped(
        &mut self,
        collection: Collection,
        name: &[u8],
        value: &[u8],
        scope: Scope,
        field: u32,
    ) {
        let name = self.texts.add(name);
        let entry = Entry {
            name,
            lower: self.texts.step(name, Transform::Lowercase),
            value: self.texts.add(value),
            scope,
            field,
        };
        if let Some(entries) = self.collections.get_mut(collection as usize) {
            entries.push(entry);
        }
    }

    pub(super) fn collection(&self, collection: Collection) -> &[Entry] {
        self.collections
            .get(collection as usize)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    pub(super) fn find_single(&self, variable: Variable) -> Option<TextId> {
        self.singles.get(variable as usize).copied().flatten()
    }

    /// The text of the single variable a side stands for.
    pub(super) fn single_of(&self, side: usize) -> Option<TextId> {
        let place = side.checked_sub(sides::of_single_first())?;
        self.singles.get(place).copied().flatten()
    }

    /// The first header of that name, which is in lower case.
    pub(super) fn header(&self, name: &[u8]) -> Option<&[u8]> {
        self.collection(Collection::Headers)
            .iter()
            .find(|entry| self.texts.bytes(entry.lower) == name)
            .map(|entry| self.texts.bytes(entry.value))
    }

    /// Takes in a parsed body.
    pub(super) fn body(&mut self, body: Body, raw: &[u8], keep_raw: bool) {
        self.single(
            Variable::RequestBodyLength,
            raw.len().to_string().as_bytes(),
        );
        if keep_raw {
            self.single(Variable::RequestBody, raw);
        }
        for (name, value) in body.arguments {
            self.entry(Collection::ArgsPost, &name, &value);
        }
        for file in body.files {
            self.files_bytes += file.bytes;
            self.entry(Collection::Files, &file.field, &file.name);
        }
        for (part, header) in body.part_headers {
            self.entry(Collection::PartHeaders, &part, &header);
        }
        if let Some(text) = body.xml_text {
            self.entry(Collection::XmlText, b"/*", &text);
        }
        for attribute in body.xml_attributes {
            self.entry(Collection::XmlAttributes, b"//@*", &attribute);
        }
    }

    pub(super) fn files_bytes(&self) -> usize {
        self.files_bytes
    }

    pub(super) fn arguments_bytes(&self) -> usize {
        [Collection::ArgsGet, Collection::ArgsPost]
            .into_iter()
            .flat_map(|collection| self.collection(collection))
            .map(|entry| self.texts.bytes(entry.name).len() + self.texts.bytes(entry.value).len())
            .sum()
    }

    pub(super) fn slot(&self, slot: usize) -> Option<&TxValue> {
        self.slots.get(slot).and_then(Option::as_ref)
    }

    pub(super) fn slot_name(&self, slot: usize) -> &'r [u8] {
        let name = self.rules.slots.names.get(slot);
        name.map(String::as_bytes).unwrap_or_default()
    }

    pub(super) fn set_slot(&mut self, slot: usize, value: Option<TxValue>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }

    /// A TX value by its name in lower case.
    pub(super) fn tx(&self, name: &[u8]) -> Option<&TxValue> {
        let slot = std::str::from_utf8(name)
            .ok()
            .and_then(|name| self.rules.slots.find(name));
        match slot {
            Some(slot) => self.slot(slot),
            None => self.others.get(name),
        }
    }

    pub(super) fn set_tx(&mut self, name: &[u8], value: Option<TxValue>) {
        let slot = std::str::from_utf8(name)
            .ok()
            .and_then(|name| self.rules.slots.find(name));
        match (slot, value) {
            (Some(slot), value) => self.set_slot(slot, value),
            (None, Some(value)) => {
                self.others.insert(name.to_vec(), value);
            }
            (None, None) => {
                self.others.remove(name);
            }
        }
    }

    /// The TX values whose names no rule set knew at load, in name order.
    pub(super) fn other_tx(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut others: Vec<_> = self
            .others
            .iter()
            .map(|(name, value)| (name.clone(), value.bytes()))
            .collect();
        others.sort();
        others
    }
}

fn split_once(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(at, text) {
        Some(place) => (text.get(..place).unwrap_or_default(), text.get(place + 1..)),
        None => (text, None),
    }
}

/// `http://host/path` is a path to rules.
fn without_origin(path: &[u8]) -> &[u8] {
    if path.first() == Some(&b'/') {
        return path;
    }
    let Some(at) = memchr::memmem::find(path, b"://") else {
        return path;
    };
    let host = path.get(at + 3..).unwrap_or_default();
    match memchr::memchr(b'/', host) {
        Some(slash) => host.get(slash..).unwrap_or_default(),
        None => b"/",
    }
}
