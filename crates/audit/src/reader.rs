//! Reads a ledger: from a number on, by decision, filtered, newest first; and proves single records.
//! Exports `Ledger`, `Filter`. Every record shown opened under its seal and continues the chain.
//! Used by control, `explain`, `ledger show` and the export.
//! Start reading at `Ledger`. It may run beside the recorder: an unfinished frame is the end.

mod find;
mod mention;

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::{DecisionId, Event, Kind, Timestamp, Word};
use serde::Deserialize;

use crate::checkpoint::{PublicKey, SignedCheckpoint, is_origin};
use crate::entry::Entry;
use crate::fault::LedgerFault;
use crate::notes;
use crate::recent::Place;
use crate::segment::{self, Damage, Frame, Scanner};
use crate::signer::{self, Signers};
use crate::subjects::{ErasedSubject, Subjects, sealed};
use crate::tree::{Proof, ProofBuilder};

/// Frames that are read forwards at a time when the newest are wanted first.
const CHUNK: usize = 256;
/// Requests are recorded when they end; a filter by time looks this much further back.
const LATE: Duration = Duration::from_secs(3_600);
/// Every so many records that cannot match are parsed all the same, for their time.
const LOOK_EVERY: u64 = 64;

/// So many of the newest records are searched for intents without an outcome, however old they are.
const INTENTS_LOOK_MIN: usize = 10_000;

/// What is needed of a record to tell whether a call was decided.
#[derive(Deserialize)]
struct Brief {
    at: Timestamp,
    kind: Word<Kind>,
    id: Option<DecisionId>,
}

/// Which records are wanted. Everything that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Kind of event, e.g. `request`. Intents are given only when they are asked for: each is followed by its outcome.
    pub kind: Option<String>,
    /// Integration.
    pub integration: Option<String>,
    /// Stable code of a refusal.
    pub code: Option<String>,
    /// `allow`, `refuse`, `fault`, `done`, `failed`.
    pub outcome: Option<String>,
    /// The person of a call, of a change about one, or who made a change.
    pub user: Option<String>,
    /// A person as sealed values name them, in 32 hex digits.
    pub subject: Option<String>,
    /// An object: its kind and its id.
    pub object: Option<(String, String)>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Only records with a smaller number: the next page of a list that shows the newest first.
    pub before_seq: Option<u64>,
    /// At most so many; `0` means 100.
    pub limit: usize,
}

impl Filter {
    /// Most records one question gives.
    pub const LIMIT_MAX: usize = 10_000;

    fn limit(&self) -> usize {
        match self.limit {
            0 => 100,
            limit => limit.min(Self::LIMIT_MAX),
        }
    }

    /// Whether the record's text can match at all: names and codes appear in it as they are, but for names of persons.
    fn may_match(&self, json: &str, persons: &PersonsSought) -> bool {
        let words = [
            &self.kind,
            &self.integration,
            &self.code,
            &self.outcome,
            &self.subject,
        ];
        let mut words = words.into_iter().flatten();
        // Sealed values name their subjects. What is not sealed has the name itself, however it is escaped.
        let is_of_user = self.user.as_ref().is_none_or(|user| {
            let is_named = || json.contains(user.as_str());
            let is_sealed = sealed::holds_values(json.as_bytes());
            !is_sealed || is_in(&persons.users, json) || is_named()
        });
        let is_of_object = self.object.as_ref().is_none_or(|(_, id)| {
            // An id of other characters may stand there escaped.
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
            let is_named = || !id.bytes().all(is_plain) || json.contains(id.as_str());
            json.contains(",\"objects\":[") && (is_in(&persons.objects, json) || is_named())
        });
        is_of_user && is_of_object && words.all(|word| json.contains(word.as_str()))
    }

    fn matches(&self, event: &Event) -> bool {
        let is_of_user = |user: &String| {
            let stated = event.stated_person().map(|(_, name)| name);
            [stated, event.user.as_deref()].contains(&Some(user.as_str()))
        };
        let is_of_object = |(kind, id): &(String, String)| {
            let mut objects = event.objects.iter();
            objects.any(|object| object.kind == kind.as_str() && object.id == id.as_str())
        };
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == found
        };
        let is_kind = match &self.kind {
            Some(kind) => kind == event.kind.name(),
            None => event.kind != Kind::Intent,
        };
        is_kind
            && is(&self.integration, event.integration.as_deref())
            && is(&self.code, event.code.as_deref())
            && is(&self.outcome, Some(event.outcome.name()))
            && self.user.as_ref().is_none_or(is_of_user)
            && self.object.as_ref().is_none_or(is_of_object)
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }
}

/// Whoever is sought by a name, as sealed values name them.
#[derive(Default)]
struct PersonsSought {
    users: Vec<String>,
    objects: Vec<String>,
}

fn is_in(subjects: &[String], json: &str) -> bool {
    subjects
        .iter()
        .any(|subject| json.contains(subject.as_str()))
}

/// The name of the ledger in this directory: as the checkpoint that was kept elsewhere has it, else its own newest one. `None`
/// where there is neither. Nothing is proven by it before a checkpoint of this name verifies.
///
/// # Errors
/// When the file of checkpoints cannot be read.
pub fn origin_of(dir: &Path, witness: Option<&str>) -> Result<Option<String>, LedgerFault> {
    let named = |note: &str| {
        let name = note.lines().next().filter(|name| is_origin(name));
        name.map(str::to_owned)
    };
    if let Some(name) = witness.and_then(named) {
        return Ok(Some(name));
    }
    match notes::newest(dir) {
        Ok(newest) => Ok(newest.and_then(|(note, _)| named(&note))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LedgerFault::io(&dir.join(notes::FILE), &error)),
    }
}

/// The reading side of a ledger directory.
#[derive(Clone)]
pub struct Ledger {
    dir: PathBuf,
    keys: Arc<crypto::Keys>,
    first: PublicKey,
    /// The keys of persons, read when a record needs them.
    subjects: Arc<OnceLock<Result<Option<Arc<Subjects>>, LedgerFault>>>,
    in_order: find::InOrder,
}

impl Ledger {
    /// Opens a ledger to read; its name is taken from its newest checkpoint, which must be signed by our key.
    ///
    /// # Errors
    /// When there is no ledger, or it was written with other keys.
    pub fn open_read(dir: &Path, keys: Arc<crypto::Keys>) -> Result<Ledger, LedgerFault> {
        let path = dir.join(notes::FILE);
        let newest = notes::newest(dir).map_err(|error| LedgerFault::io(&path, &error))?;
        let (text, _) = newest
            .ok_or_else(|| LedgerFault::integrity(0, &path, "there is no complete checkpoint"))?;
        let origin = text.lines().next().unwrap_or_default();
        let ledger = Ledger::new(dir, keys, origin);
        let signers = ledger.signers()?;
        if !signers.are_named_in(&text) {
            return Err(signer::file::unknown_key(dir, &signers));
        }
        let what = "the signature of the newest checkpoint does not verify";
        let signed = signers.verify(&text, what);
        signed.map_err(|what| LedgerFault::integrity(0, &path, what))?;
        Ok(ledger)
    }

    /// The ledger of this name, also one that has no checkpoint yet.
    pub fn new(dir: &Path, keys: Arc<crypto::Keys>, origin: &str) -> Ledger {
        Ledger {
            dir: dir.to_owned(),
            first: PublicKey::new(origin, keys.ledger_signing.verifying_key()),
            keys,
            subjects: Arc::default(),
            in_order: find::InOrder::default(),
        }
    }

    /// Who signed its first checkpoints, and signs them still while nobody changed that.
    pub fn first_key(&self) -> &PublicKey {
        &self.first
    }

    /// Who signs now, as the newest checkpoint has it.
    ///
    /// # Errors
    /// When that cannot be read or does not verify.
    pub fn present_key(&self) -> Result<PublicKey, LedgerFault> {
        let size = self.newest_checkpoint()?.checkpoint.size;
        Ok(self.signers()?.begun(size).last().clone())
    }

    /// Who signs when. Whoever reads checkpoints asks after it took its place in their file: a change is written down before
    /// the first checkpoint of its key.
    pub(crate) fn signers(&self) -> Result<Signers, LedgerFault> {
        signer::file::read_own(&self.dir, &self.first).map(|found| found.signers)
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn keys(&self) -> &Arc<crypto::Keys> {
        &self.keys
    }

    /// The newest checkpoint in the file.
    ///
    /// # Errors
    /// When there is none that verifies.
    pub fn newest_checkpoint(&self) -> Result<SignedCheckpoint, LedgerFault> {
        let path = self.dir.join(notes::FILE);
        let newest = notes::newest(&self.dir).map_err(|error| LedgerFault::io(&path, &error))?;
        let what = "the newest checkpoint does not verify";
        let signed = match newest {
            Some((text, _)) => self.signers()?.verify(&text, what),
            None => Err(what.to_owned()),
        };
        signed.map_err(|what| LedgerFault::integrity(0, &path, what))
    }

    /// The records from this number on, in order, up to the present end.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn from_seq(&self, seq: u64) -> Result<Records, LedgerFault> {
        let mut segments = self.segments()?;
        let first = segments
            .iter()
            .rposition(|(start, _)| *start <= seq)
            .unwrap_or(0);
        Ok(Records {
            ledger: self.clone(),
            segments: segments.split_off(first).into(),
            scanner: None,
            ready: VecDeque::new(),
            from: seq,
        })
    }

    /// Number of the first record that can be read: those before it were destroyed.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn first_readable(&self) -> Result<u64, LedgerFault> {
        segment::first_readable(&self.dir)
    }

    /// The record with this number.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn get(&self, seq: u64) -> Result<Option<Entry>, LedgerFault> {
        let segments = self.segments()?;
        let Some((_, path)) = segments.iter().rfind(|(start, _)| *start <= seq) else {
            return Ok(None);
        };
        let frames = self.frames(path)?;
        let Some(place) = frames.iter().rfind(|place| place.first_seq <= seq) else {
            return Ok(None);
        };
        let index = usize::try_from(seq - place.first_seq).unwrap_or(usize::MAX);
        self.at(&Place {
            index,
            ..place.clone()
        })
    }

    /// The matching records, newest first.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn newest(&self, filter: &Filter) -> Result<Vec<Entry>, LedgerFault> {
        let (mut found, limit) = (Vec::new(), filter.limit());
        let persons = self.sought(filter)?;
        let subjects = self.subjects()?;
        let mut fault = None;
        self.walk_newest(|mut entry| {
            if filter.before_seq.is_some_and(|before| entry.seq >= before) {
                return true;
            }
            // The time is needed to know when to stop; a look at some of the records that do not match is enough.
            let is_looked_at = filter.since.is_some() && entry.seq.is_multiple_of(LOOK_EVERY);
            let is_candidate = filter.may_match(&entry.json, &persons);
            if !is_candidate && !is_looked_at {
                return true;
            }
            entry.opened = subjects
                .as_deref()
                .and_then(|known| known.opened(&entry.json));
            match entry.event() {
                Err(error) => fault = Some(error),
                Ok(event) if is_long_before(&event, filter.since) => return false,
                Ok(event) if is_candidate && filter.matches(&event) => found.push(entry),
                Ok(_) => {}
            }
            found.len() < limit && fault.is_none()
        })?;
        fault.map_or(Ok(found), Err)
    }

    fn sought(&self, filter: &Filter) -> Result<PersonsSought, LedgerFault> {
        let mut persons = PersonsSought::default();
        if let Some(user) = &filter.user {
            persons.users = self.subjects_named(user, filter.integration.as_deref())?;
        }
        if let Some((kind, id)) = &filter.object {
            persons.objects = self.subjects_of_object(kind, id, None)?;
            persons.objects.extend(self.subject_of_others()?);
        }
        Ok(persons)
    }

    /// Intents without an outcome: calls that were forwarded by a server that was killed. Looks at the records of this
    /// time before the newest one, and not beyond a stop in order, which leaves none behind.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn open_intents(&self, within: Duration) -> Result<Vec<Event>, LedgerFault> {
        let (mut decided, mut open) = (HashSet::new(), Vec::new());
        let (mut newest, mut fault, mut looked_at) = (None, None, 0);
        self.walk_newest(|entry| {
            let brief: Brief = match serde_json::from_str(&entry.json) {
                Ok(brief) => brief,
                Err(error) => {
                    let what = format!("record {}: {error}", entry.seq);
                    fault = Some(LedgerFault::Unusable { what });
                    return false;
                }
            };
            let last = *newest.get_or_insert(brief.at);
            looked_at += 1;
            // The clock may have been moved: some of the newest records are looked at whatever their times say.
            let is_long_ago = looked_at > INTENTS_LOOK_MIN && last.since(brief.at) > within;
            if brief.kind == Kind::Stop || is_long_ago {
                return false;
            }
            match brief.id {
                Some(id) if brief.kind != Kind::Intent => {
                    decided.insert(id);
                }
                Some(id) if !decided.contains(&id) => match self.opened(entry) {
                    Ok(entry) => open.extend(entry.event()),
                    Err(error) => fault = Some(error),
                },
                _ => {}
            }
            true
        })?;
        open.reverse();
        fault.map_or(Ok(open), Err)
    }

    /// Proves that a record is in the tree of a checkpoint. Reads the whole ledger up to there.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged, or the record is not covered by the newest checkpoint.
    pub fn prove(&self, seq: u64) -> Result<(Proof, SignedCheckpoint), LedgerFault> {
        let checkpoint = self.newest_checkpoint()?;
        let size = checkpoint.checkpoint.size;
        let missing = || LedgerFault::Unusable {
            what: format!(
                "record {seq} is not covered by the newest checkpoint, which ends before {size}"
            ),
        };
        let mut builder = ProofBuilder::new(seq, size).ok_or_else(missing)?;
        // Leaves outlive the contents: what was destroyed changes no proof.
        for (_, path) in self.segments()? {
            let mut scanner = self.scanner(&path)?;
            while let Some(frame) = self.next_frame(&mut scanner, &path)? {
                for (seq, leaf) in (frame.first_seq..size).zip(frame.leaves()) {
                    builder.take(seq, *leaf);
                }
            }
        }
        let proof = builder.finish().ok_or_else(missing)?;
        if !proof.verify(&checkpoint.checkpoint.root) {
            let what = "the records are not those the newest checkpoint signed";
            return Err(LedgerFault::integrity(seq, &self.dir, what));
        }
        Ok((proof, checkpoint))
    }

    /// The next frame of a segment; an unfinished one is the end.
    pub(crate) fn next_frame(
        &self,
        scanner: &mut Scanner,
        path: &Path,
    ) -> Result<Option<Frame>, LedgerFault> {
        let step = scanner
            .next()
            .map_err(|error| LedgerFault::io(path, &error))?;
        match step {
            Ok(frame) => Ok(frame),
            Err(damage) if damage.is_torn => Ok(None),
            Err(damage) => Err(wrong(path, &damage)),
        }
    }

    /// The record at a known place.
    pub(crate) fn at(&self, place: &Place) -> Result<Option<Entry>, LedgerFault> {
        let path = &place.segment;
        let io = |error: std::io::Error| LedgerFault::io(path, &error);
        let mut scanner = self.scanner(path)?;
        scanner
            .seek(place.offset, place.first_seq, place.before)
            .map_err(io)?;
        let frame = scanner
            .next()
            .map_err(io)?
            .map_err(|damage| wrong(path, &damage))?;
        let Some(frame) = frame else { return Ok(None) };
        self.must_be_readable(&frame, frame.first_seq)?;
        let found = entries(&frame).nth(place.index);
        found.map(|entry| self.opened(entry)).transpose()
    }

    /// The record with what is sealed in it in its place.
    /// A record with what is sealed in it in its place, as far as it can be read.
    ///
    /// # Errors
    /// When the keys of persons cannot be read.
    pub fn opened(&self, mut entry: Entry) -> Result<Entry, LedgerFault> {
        if sealed::holds_values(entry.json.as_bytes())
            && let Some(known) = self.subjects()?
        {
            entry.opened = known.opened(&entry.json);
        }
        Ok(entry)
    }

    /// The persons of this name that have a key, as sealed values name them; of all integrations where none is given.
    ///
    /// # Errors
    /// When the keys of persons cannot be read.
    pub fn subjects_named(
        &self,
        name: &str,
        integration: Option<&str>,
    ) -> Result<Vec<String>, LedgerFault> {
        let known = self.subjects()?;
        Ok(known.map_or_else(Vec::new, |known| known.named(name, integration)))
    }

    /// The persons who are this object and have a key of their own, as sealed values name them; of all apis where none is given.
    ///
    /// # Errors
    /// When the keys of persons cannot be read.
    pub fn subjects_of_object(
        &self,
        kind: &str,
        id: &str,
        api: Option<&str>,
    ) -> Result<Vec<String>, LedgerFault> {
        let known = self.subjects()?;
        Ok(known.map_or_else(Vec::new, |known| known.of_object(kind, id, api)))
    }

    /// Whoever has no key of their own, as sealed values name them all: persons whom strangers named, and those beyond the bound.
    ///
    /// # Errors
    /// When the keys of persons cannot be read.
    pub fn subject_of_others(&self) -> Result<Option<String>, LedgerFault> {
        let known = self.subjects()?;
        Ok(known.and_then(|known| known.of_others()))
    }

    /// Whether a record that is sealed under the key of this subject names an object: among its objects, or in what anybody may stand
    /// in. `api` is that of the object; any where none is given. Reads the whole ledger.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn is_named_beside(
        &self,
        subject: &str,
        (kind, id): (&str, &str),
        api: Option<&str>,
    ) -> Result<bool, LedgerFault> {
        let known = self.subjects()?;
        let sought = mention::Sought {
            subject,
            api,
            kind,
            id,
        };
        let (mut is_named, mut fault) = (false, None);
        self.walk_newest(|mut entry| {
            if !entry.json.contains(subject) {
                return true;
            }
            entry.opened = known.as_deref().and_then(|known| known.opened(&entry.json));
            match entry.event() {
                Ok(event) => is_named = sought.is_in(&event, &entry.json),
                Err(error) => fault = Some(error),
            }
            !is_named && fault.is_none()
        })?;
        fault.map_or(Ok(is_named), Err)
    }

    /// Whose values were erased, while a record names them.
    ///
    /// # Errors
    /// When the keys of persons cannot be read.
    pub fn erased_subjects(&self) -> Result<Vec<ErasedSubject>, LedgerFault> {
        let known = self.subjects()?;
        Ok(known.map_or_else(Vec::new, |known| known.erased()))
    }

    /// The number of the first record whose personal values are sealed, where records before it can still be read: those name
    /// persons as they are, and end with their segments.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn sealed_since(&self) -> Result<Option<u64>, LedgerFault> {
        let Some(known) = self.subjects()? else {
            return Ok(None);
        };
        let is_older = segment::first_readable(&self.dir)? < known.since();
        Ok(Some(known.since()).filter(|_| is_older))
    }

    /// The keys of persons: those of the recorder beside it, else those in the files; none in a ledger that is older.
    fn subjects(&self) -> Result<Option<Arc<Subjects>>, LedgerFault> {
        let read = || Subjects::read(&self.dir, &self.keys).map(|found| found.map(Arc::new));
        self.subjects.get_or_init(read).clone()
    }

    /// The same beside who writes: whoever is erased there is erased here.
    pub(crate) fn with_subjects(self, subjects: Arc<Subjects>) -> Ledger {
        Ledger {
            subjects: Arc::new(OnceLock::from(Ok(Some(subjects)))),
            ..self
        }
    }

    /// Records whose key was destroyed cannot be shown one after another as if they were not there. The first one that was
    /// asked for is `from`, or in front of the frame.
    fn must_be_readable(&self, frame: &Frame, from: u64) -> Result<(), LedgerFault> {
        if frame.is_readable() {
            return Ok(());
        }
        Err(LedgerFault::Destroyed {
            seq: frame.first_seq.max(from),
            next: segment::readable_from(&self.dir, frame.first_seq)?,
        })
    }

    fn segments(&self) -> Result<Vec<(u64, PathBuf)>, LedgerFault> {
        segment::list(&self.dir).map_err(|error| LedgerFault::io(&self.dir, &error))
    }

    pub(crate) fn scanner(&self, path: &Path) -> Result<Scanner, LedgerFault> {
        let scanner =
            Scanner::open(path, &self.keys).map_err(|error| LedgerFault::io(path, &error))?;
        scanner.map_err(|damage| wrong(path, &damage))
    }

    /// Where the frames of a segment stand, without opening them.
    fn frames(&self, path: &Path) -> Result<Vec<Place>, LedgerFault> {
        let mut scanner = self.scanner(path)?;
        let mut places = Vec::new();
        let io = |error: std::io::Error| LedgerFault::io(path, &error);
        while let Some((offset, head, before)) = scanner.skip().map_err(io)? {
            places.push(Place {
                segment: path.to_owned(),
                offset,
                first_seq: head.first_seq,
                before,
                index: 0,
            });
        }
        Ok(places)
    }

    /// Shows all records, newest first, until the visitor has had enough.
    fn walk_newest(&self, mut visit: impl FnMut(Entry) -> bool) -> Result<(), LedgerFault> {
        for (_, path) in self.segments()?.iter().rev() {
            let places = self.readable_frames(path)?;
            for chunk in places.chunks(CHUNK).rev() {
                let entries = self.chunk(path, chunk)?;
                if !entries.into_iter().rev().all(&mut visit) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn chunk(&self, path: &Path, places: &[Place]) -> Result<Vec<Entry>, LedgerFault> {
        let io = |error: std::io::Error| LedgerFault::io(path, &error);
        let Some(first) = places.first() else {
            return Ok(Vec::new());
        };
        let mut scanner = self.scanner(path)?;
        scanner
            .seek(first.offset, first.first_seq, first.before)
            .map_err(io)?;
        let mut found = Vec::new();
        for _ in places {
            match scanner.next().map_err(io)? {
                Ok(Some(frame)) => found.extend(entries(&frame)),
                Ok(None) => break,
                Err(damage) => return Err(wrong(path, &damage)),
            }
        }
        Ok(found)
    }
}

fn is_long_before(event: &Event, since: Option<Timestamp>) -> bool {
    let latest = event.latest.map_or(event.at, |latest| latest.max(event.at));
    since.is_some_and(|since| latest.plus(LATE) < since)
}

fn wrong(path: &Path, damage: &Damage) -> LedgerFault {
    LedgerFault::integrity(damage.seq, path, damage.what)
}

fn entries(frame: &Frame) -> impl Iterator<Item = Entry> {
    (frame.first_seq..)
        .zip(frame.records())
        .map(|(seq, record)| Entry::new(seq, record))
}

/// Records in order.
pub struct Records {
    ledger: Ledger,
    segments: VecDeque<(u64, PathBuf)>,
    scanner: Option<(Scanner, PathBuf)>,
    ready: VecDeque<Entry>,
    from: u64,
}

impl Records {
    /// The next frame's records, or the next segment; `false` at the end.
    fn advance(&mut self) -> Result<bool, LedgerFault> {
        let Some((scanner, path)) = &mut self.scanner else {
            let Some((_, path)) = self.segments.pop_front() else {
                return Ok(false);
            };
            let mut scanner = self.ledger.scanner(&path)?;
            self.skip_to_start(&mut scanner, &path)?;
            self.scanner = Some((scanner, path));
            return Ok(true);
        };
        let step = scanner
            .next()
            .map_err(|error| LedgerFault::io(path, &error))?;
        match step {
            Ok(Some(frame)) => {
                self.ledger.must_be_readable(&frame, self.from)?;
                self.ready.extend(entries(&frame));
            }
            Ok(None) => self.scanner = None,
            // Beside a running recorder the last frame may be half-written.
            Err(damage) if damage.is_torn && self.segments.is_empty() => self.scanner = None,
            Err(damage) => return Err(wrong(path, &damage)),
        }
        Ok(true)
    }

    /// Passes over frames that end before the wanted record.
    fn skip_to_start(&self, scanner: &mut Scanner, path: &Path) -> Result<(), LedgerFault> {
        let io = |error: std::io::Error| LedgerFault::io(path, &error);
        if scanner.next_seq() >= self.from {
            return Ok(());
        }
        let places = self.ledger.frames(path)?;
        if let Some(place) = places.iter().rfind(|place| place.first_seq <= self.from) {
            scanner
                .seek(place.offset, place.first_seq, place.before)
                .map_err(io)?;
        }
        Ok(())
    }
}

impl Iterator for Records {
    type Item = Result<Entry, LedgerFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                if entry.seq >= self.from {
                    return Some(Ok(entry));
                }
                continue;
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(fault) => {
                    (self.scanner, self.segments) = (None, VecDeque::new());
                    return Some(Err(fault));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
