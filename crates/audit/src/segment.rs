//! The bytes of a segment file: a header, then sealed frames, one per group commit.
//! Exports `Header`, `SegmentKey`, `Scanner` (verified forward reading) and `Tip`.
//! Used by the writer, recovery, the readers and the directory verifier.
//! Start reading at `Header`; the layout for auditors is docs/ledger-format.md.
//!
//! Format 2 is written. Segments of format 1, whose key follows from the root and which have no leaves of their own, are read
//! for ever, and one that was begun is carried on.

pub(crate) mod key;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crypto::{Keys, SealKey, Secret};

use crate::fault::LedgerFault;
use crate::tree::{Frontier, GENESIS, Hash, chain_hash, leaf_hash};

const MAGIC: &[u8; 8] = b"PORTLEDG";
/// Bytes of a header in front of its origin (format 2) or its number of tree hashes.
const FIXED: usize = 8 + 4 + 8 + 32 + 16;
/// Bytes in front of a frame's sealed part: length, count, first number, chain value after it.
pub(crate) const FRAME_HEAD: usize = 4 + 4 + 8 + 32;
/// No frame is larger; a larger length is damage, not a reason to allocate.
pub(crate) const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where the ledger stands: everything that is needed to add the next record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tip {
    /// Chain value after the last record.
    pub chain: Hash,
    /// The tree; its size is the number of the next record.
    pub tree: Frontier,
}

impl Tip {
    pub(crate) fn empty() -> Self {
        Tip {
            chain: GENESIS,
            tree: Frontier::new(),
        }
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.tree.size()
    }

    pub(crate) fn push(&mut self, leaf: Hash) {
        self.chain = chain_hash(&self.chain, &leaf);
        self.tree.push(leaf);
    }
}

/// File name of the segment that begins with this record: 20 digits, so that names sort like numbers.
pub(crate) fn file_name(first_seq: u64) -> String {
    format!("{first_seq:020}.seg")
}

/// The segments of a directory in order. Other files are passed over.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        let number = name
            .strip_suffix(".seg")
            .filter(|digits| digits.len() == 20);
        if let Some(seq) = number.and_then(|digits| digits.parse().ok()) {
            found.push((seq, path));
        }
    }
    found.sort();
    Ok(found)
}

/// How a segment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One key for everything, derived from the root.
    One,
    /// Leaves under a key derived from the root, contents under a random key that can be destroyed.
    Two,
}

impl Format {
    fn number(self) -> u32 {
        match self {
            Format::One => 1,
            Format::Two => 2,
        }
    }

    fn from_number(number: u32) -> Option<Format> {
        let all = [Format::One, Format::Two];
        all.into_iter().find(|one| one.number() == number)
    }
}

/// Seals the frames of one segment.
pub(crate) struct SegmentKey {
    /// Digest of the header: binds every frame to its file.
    header: Hash,
    /// Seals the leaves in format 2; they stay readable when the contents are not.
    leaves: Option<SealKey>,
    /// Seals the records; `None` when it was destroyed.
    content: Option<SealKey>,
    /// How it was destroyed.
    destroyed: Option<key::Tombstone>,
    /// Whether the header is sealed under the present root, and not under one that was replaced.
    is_of_present_root: bool,
}

/// What a segment begins with: where the ledger stood when it was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Number of its first record, chain value and tree before it.
    pub start: Tip,
    /// Name of the ledger; empty in format 1.
    pub origin: String,
    /// Tells the segment from another one of the same number, should it ever be started twice.
    salt: [u8; 16],
    format: Format,
}

/// A segment ready to be made: the bytes it begins with, the file beside it, and what seals its frames.
pub(crate) struct Begun {
    pub header: Vec<u8>,
    pub key_file: Vec<u8>,
    pub key: SegmentKey,
}

impl Header {
    pub(crate) fn new(start: Tip, origin: &str, salt: [u8; 16]) -> Self {
        Header {
            start,
            origin: origin.to_owned(),
            salt,
            format: Format::Two,
        }
    }

    /// The header's bytes, ending with a seal over them, its key in the file beside it, and the keys for the frames.
    pub(crate) fn begin(&self, keys: &Keys, content: &Secret<[u8; 32]>) -> Begun {
        let mut header = self.plain();
        let seal = self.seal_key(&keys.ledger_seal).seal(&header, &[]);
        header.extend_from_slice(&seal);
        let key = SegmentKey {
            header: crypto::sha256(&[&header]),
            leaves: Some(self.leaves_key(&keys.ledger_seal)),
            content: Some(SealKey::from_secret(content)),
            destroyed: None,
            is_of_present_root: true,
        };
        let key_file = self.segment().wrap(content, &[&keys.ledger_wrap]);
        Begun {
            header,
            key_file,
            key,
        }
    }

    /// The bytes in front of the seal.
    fn plain(&self) -> Vec<u8> {
        let parts = self.start.tree.parts();
        let mut bytes = Vec::with_capacity(FIXED + 2 + self.origin.len() + parts.len() * 32);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.format.number().to_le_bytes());
        bytes.extend_from_slice(&self.start.next_seq().to_le_bytes());
        bytes.extend_from_slice(&self.start.chain);
        bytes.extend_from_slice(&self.salt);
        if self.format == Format::Two {
            bytes.push(u8::try_from(self.origin.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(self.origin.as_bytes());
        }
        bytes.push(u8::try_from(parts.len()).unwrap_or(u8::MAX));
        for part in parts {
            bytes.extend_from_slice(part);
        }
        bytes
    }

    fn segment(&self) -> key::Segment {
        key::Segment {
            first_seq: self.start.next_seq(),
            salt: self.salt,
        }
    }

    fn derived(&self, seals: &SealKey, purpose: &str) -> SealKey {
        let salt = crypto::text::hex(&self.salt);
        let seq = self.start.next_seq();
        seals.subkey(&format!("ledger {purpose} {seq} {salt}"))
    }

    fn leaves_key(&self, seals: &SealKey) -> SealKey {
        self.derived(seals, "segment leaves")
    }

    /// In format 1 the same key seals header and frames.
    fn seal_key(&self, seals: &SealKey) -> SealKey {
        self.derived(
            seals,
            match self.format {
                Format::One => "segment",
                Format::Two => "segment header",
            },
        )
    }

    /// Reads a header; `beside` gives the bytes of the key file, where the format has one.
    fn read(
        source: &mut impl Read,
        keys: &Keys,
        beside: impl FnOnce() -> Result<Vec<u8>, &'static str>,
    ) -> Result<(Header, SegmentKey, u64), &'static str> {
        let (header, plain) = Header::parse(source)?;
        let mut seal = [0; SealKey::OVERHEAD];
        source
            .read_exact(&mut seal)
            .map_err(|_| "the header is cut off")?;
        // The root may have been replaced since.
        let (age, seals, seal_key) = keys
            .ledger_seals()
            .enumerate()
            .map(|(age, seals)| (age, seals, header.seal_key(seals)))
            .find(|(_, _, key)| key.open(&plain, &seal).is_ok())
            .ok_or("the seal of the header does not open")?;
        let leaves = (header.format == Format::Two).then(|| header.leaves_key(seals));
        let (content, destroyed) = match header.format {
            Format::One => (Some(seal_key), None),
            Format::Two => header.content_key(keys, &beside()?)?,
        };
        let key = SegmentKey {
            header: crypto::sha256(&[&plain, &seal]),
            leaves,
            content,
            destroyed,
            is_of_present_root: age == 0,
        };
        let length = plain.len().saturating_add(seal.len());
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        Ok((header, key, length))
    }

    fn content_key(
        &self,
        keys: &Keys,
        file: &[u8],
    ) -> Result<(Option<SealKey>, Option<key::Tombstone>), &'static str> {
        let opened = self.segment().open(file, keys, &[&keys.ledger_wrap])?;
        Ok(match opened {
            key::Opened::Key(key) => (Some(SealKey::from_secret(&key)), None),
            key::Opened::Destroyed(note) => (None, Some(note)),
        })
    }

    /// What a header says, and its bytes in front of the seal.
    fn parse(source: &mut impl Read) -> Result<(Header, Vec<u8>), &'static str> {
        const NONE: &str = "this is not the header of a segment";
        let mut plain = Vec::new();
        let mut take = |count: usize, plain: &mut Vec<u8>| {
            let mut bytes = vec![0; count];
            source
                .read_exact(&mut bytes)
                .map_err(|_| "the header is cut off")?;
            plain.extend_from_slice(&bytes);
            Ok::<_, &'static str>(bytes)
        };
        let fixed = take(FIXED, &mut plain)?;
        let (format, seq, chain, salt) = fixed_part(&fixed).ok_or(NONE)?;
        let mut origin = String::new();
        if format == Format::Two {
            let length = take(1, &mut plain)?.first().copied().unwrap_or(0);
            let bytes = take(usize::from(length), &mut plain)?;
            origin = String::from_utf8(bytes).map_err(|_| NONE)?;
        }
        let parts = take(1, &mut plain)?.first().copied().unwrap_or(0);
        if parts > 64 {
            return Err(NONE);
        }
        let hashes = take(usize::from(parts) * 32, &mut plain)?;
        let stack = hashes.as_chunks::<32>().0.to_vec();
        let tree = Frontier::from_parts(seq, stack).ok_or("the header contradicts itself")?;
        let header = Header {
            start: Tip { chain, tree },
            origin,
            salt,
            format,
        };
        Ok((header, plain))
    }
}

/// Format, number of the first record, chain value and salt.
fn fixed_part(bytes: &[u8]) -> Option<(Format, u64, Hash, [u8; 16])> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (seq, rest) = rest.split_first_chunk::<8>()?;
    let (chain, rest) = rest.split_first_chunk::<32>()?;
    let salt = rest.first_chunk::<16>()?;
    let format = Format::from_number(u32::from_le_bytes(*version)).filter(|_| magic == MAGIC)?;
    Some((format, u64::from_le_bytes(*seq), *chain, *salt))
}

/// Records about to become a frame.
pub(crate) struct Group<'g> {
    /// The records, each after its length (4 bytes, little-endian).
    pub payload: &'g [u8],
    /// Their leaves.
    pub leaves: &'g [Hash],
    /// Number of the first one.
    pub first_seq: u64,
    /// Chain value before them.
    pub before: &'g Hash,
    /// Chain value after them.
    pub after: &'g Hash,
}

impl SegmentKey {
    /// Whether frames can be added: the key of a closed segment may have been destroyed.
    pub(crate) fn can_write(&self) -> bool {
        self.content.is_some()
    }

    /// Whether records may be added: it is of the format that is written today, and sealed under the present root.
    pub(crate) fn may_go_on(&self) -> bool {
        self.leaves.is_some() && self.is_of_present_root
    }

    /// What a frame's seal is bound to besides its content: file, place, neighbours.
    fn context(&self, first_seq: u64, count: u32, before: &Hash, after: &Hash) -> Vec<u8> {
        let mut aad = Vec::with_capacity(32 * 3 + 12);
        aad.extend_from_slice(&self.header);
        aad.extend_from_slice(&first_seq.to_le_bytes());
        aad.extend_from_slice(&count.to_le_bytes());
        aad.extend_from_slice(before);
        aad.extend_from_slice(after);
        aad
    }

    /// A frame ready to be appended; `None` when the key was destroyed.
    pub(crate) fn frame(&self, group: &Group<'_>) -> Option<Vec<u8>> {
        let count = u32::try_from(group.leaves.len()).unwrap_or(u32::MAX);
        let aad = self.context(group.first_seq, count, group.before, group.after);
        let sealed = self.content.as_ref()?.seal(&aad, group.payload);
        let leaves = self.leaves.as_ref();
        let leaves = leaves.map(|key| key.seal(&aad, group.leaves.as_flattened()));
        let mut bytes = Vec::with_capacity(FRAME_HEAD + leaves_len(count) + sealed.len());
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&group.first_seq.to_le_bytes());
        bytes.extend_from_slice(group.after);
        bytes.extend_from_slice(&leaves.unwrap_or_default());
        bytes.extend_from_slice(&sealed);
        Some(bytes)
    }

    /// Bytes between the head of a frame and its sealed records.
    fn leaves_len(&self, count: u32) -> usize {
        if self.leaves.is_some() {
            leaves_len(count)
        } else {
            0
        }
    }
}

/// Length of the sealed leaves of so many records.
fn leaves_len(count: u32) -> usize {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    count.saturating_mul(32).saturating_add(SealKey::OVERHEAD)
}

/// The plain part of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameHead {
    pub sealed_len: usize,
    pub count: u32,
    pub first_seq: u64,
    pub after: Hash,
}

impl FrameHead {
    pub(crate) fn decode(bytes: &[u8; FRAME_HEAD]) -> Option<FrameHead> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let sealed_len = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let count = u32::from_le_bytes(*count);
        let is_possible = (SealKey::OVERHEAD..=FRAME_BYTES_MAX).contains(&sealed_len) && count > 0;
        // Each record takes its length at least; a number beyond that is damage, not a reason to allocate.
        let is_possible = is_possible && count as usize <= sealed_len / 4;
        Some(FrameHead {
            sealed_len,
            count,
            first_seq: u64::from_le_bytes(*seq),
            after: *rest.first_chunk::<32>()?,
        })
        .filter(|_| is_possible)
    }
}

/// A frame that opened and chained.
#[derive(Debug)]
pub(crate) struct Frame {
    pub first_seq: u64,
    leaves: Vec<Hash>,
    /// `None` when the key of the segment was destroyed.
    payload: Option<Vec<u8>>,
}

impl Frame {
    /// The leaf of each record in order, also where the records cannot be read any more.
    pub(crate) fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    /// Whether the records can be read.
    pub(crate) fn is_readable(&self) -> bool {
        self.payload.is_some()
    }

    /// Leaf by leaf, each with its record where that can be read.
    pub(crate) fn passing(&self) -> impl Iterator<Item = (&Hash, Option<&[u8]>)> {
        let mut records = self.records();
        self.leaves.iter().map(move |leaf| (leaf, records.next()))
    }

    /// The records in order; none when they cannot be read any more.
    pub(crate) fn records(&self) -> impl Iterator<Item = &[u8]> {
        records(self.payload.as_deref().unwrap_or_default())
    }
}

/// Splits a payload into records; ends at the first that does not fit.
pub(crate) fn records(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (record, tail) = tail.split_at_checked(length)?;
        rest = tail;
        Some(record)
    })
}

/// Why reading stopped before the end of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where the last valid frame ends.
    pub offset: u64,
    /// The record expected there, and the last one the damaged frame claims to hold.
    pub seq: u64,
    pub through: u64,
    /// What is wrong.
    pub what: &'static str,
    /// It looks like a write that was not finished: nothing follows it.
    pub is_torn: bool,
}

/// Reads a segment forwards, checking seal, numbers and chain of every frame.
pub(crate) struct Scanner {
    source: BufReader<File>,
    key: SegmentKey,
    length: u64,
    offset: u64,
    start: Tip,
    origin: String,
    next_seq: u64,
    chain: Hash,
}

impl Scanner {
    /// Opens the file and checks its header.
    pub(crate) fn open(path: &Path, keys: &Keys) -> io::Result<Result<Scanner, Damage>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut source = BufReader::with_capacity(256 * 1024, file);
        let beside = || {
            std::fs::read(key::beside(path)).map_err(
                |_| "the key beside the segment cannot be read; bring its file back from a backup",
            )
        };
        Ok(match Header::read(&mut source, keys, beside) {
            Ok((header, key, offset)) => Ok(Scanner {
                source,
                key,
                length,
                offset,
                next_seq: header.start.next_seq(),
                chain: header.start.chain,
                start: header.start,
                origin: header.origin,
            }),
            Err(what) => Err(Damage {
                offset: 0,
                seq: 0,
                through: 0,
                what,
                is_torn: false,
            }),
        })
    }

    /// Where the ledger stood before this segment, as its sealed header says.
    pub(crate) fn start(&self) -> &Tip {
        &self.start
    }

    /// Name of the ledger, as the sealed header says; empty in format 1.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// How the key of its records was destroyed, if it was.
    pub(crate) fn destroyed(&self) -> Option<key::Tombstone> {
        self.key.destroyed
    }

    /// Where the last frame read ends.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Length of the file when it was opened.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Number of the next record.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Gives up reading and keeps the key, to append.
    pub(crate) fn into_key(self) -> SegmentKey {
        self.key
    }

    /// Moves to a frame whose place is known. `before` is the chain value there.
    pub(crate) fn seek(&mut self, offset: u64, first_seq: u64, before: Hash) -> io::Result<()> {
        self.source.seek(SeekFrom::Start(offset))?;
        (self.offset, self.next_seq, self.chain) = (offset, first_seq, before);
        Ok(())
    }

    /// The plain part of the frame at the present place; passes over the sealed part without opening it.
    pub(crate) fn skip(&mut self) -> io::Result<Option<(u64, FrameHead, Hash)>> {
        let (offset, before) = (self.offset, self.chain);
        let Ok(Some(head)) = self.head()? else {
            return Ok(None);
        };
        let step = head.sealed_len + self.key.leaves_len(head.count);
        self.source
            .seek_relative(i64::try_from(step).unwrap_or(i64::MAX))?;
        self.advance(&head);
        Ok(Some((offset, head, before)))
    }

    /// The next frame; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Result<Option<Frame>, Damage>> {
        let head = match self.head()? {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(Ok(None)),
            Err(damage) => return Ok(Err(damage)),
        };
        let mut sealed_leaves = vec![0; self.key.leaves_len(head.count)];
        self.source.read_exact(&mut sealed_leaves)?;
        let mut sealed = vec![0; head.sealed_len];
        self.source.read_exact(&mut sealed)?;
        Ok(match self.opened(&head, &sealed_leaves, &sealed) {
            Ok(frame) => {
                self.advance(&head);
                Ok(Some(frame))
            }
            Err(what) => Err(self.damage(&head, what)),
        })
    }

    /// Opens what can be opened and checks that it continues the chain.
    fn opened(
        &self,
        head: &FrameHead,
        sealed_leaves: &[u8],
        sealed: &[u8],
    ) -> Result<Frame, &'static str> {
        let aad = self
            .key
            .context(head.first_seq, head.count, &self.chain, &head.after);
        let content = self.key.content.as_ref();
        let payload = content.map(|key| key.open(&aad, sealed)).transpose();
        let payload = payload.map_err(|_| "the seal of the frame does not open")?;
        let told = self.key.leaves.as_ref();
        let told = told.map(|key| key.open(&aad, sealed_leaves)).transpose();
        let told = told.map_err(|_| "the seal of the frame's leaves does not open")?;
        let told = told.map(|bytes| bytes.as_chunks::<32>().0.to_vec());
        let made = payload
            .as_deref()
            .map(|payload| leaves_of(payload).ok_or("the frame holds half a record"));
        let leaves = match (told, made.transpose()?) {
            (Some(told), Some(made)) if told != made => {
                return Err("the frame's records are not those of its leaves");
            }
            (Some(leaves), _) | (None, Some(leaves)) => leaves,
            (None, None) => return Err("the frame has neither records nor leaves"),
        };
        let chain = leaves
            .iter()
            .fold(self.chain, |c, leaf| chain_hash(&c, leaf));
        let is_whole = u32::try_from(leaves.len()).is_ok_and(|count| count == head.count);
        if !is_whole || chain != head.after {
            return Err("the frame's records do not continue the chain");
        }
        Ok(Frame {
            first_seq: head.first_seq,
            leaves,
            payload,
        })
    }

    fn advance(&mut self, head: &FrameHead) {
        let step = self.frame_len(head);
        self.offset = self.offset.saturating_add(step);
        self.next_seq = head.first_seq.saturating_add(u64::from(head.count));
        self.chain = head.after;
    }

    fn head(&mut self) -> io::Result<Result<Option<FrameHead>, Damage>> {
        let left = self.length.saturating_sub(self.offset);
        if left == 0 {
            return Ok(Ok(None));
        }
        let torn = |what| Damage {
            offset: self.offset,
            seq: self.next_seq,
            through: self.next_seq,
            what,
            is_torn: true,
        };
        if left < FRAME_HEAD as u64 {
            return Ok(Err(torn("the frame is cut off")));
        }
        let mut bytes = [0; FRAME_HEAD];
        self.source.read_exact(&mut bytes)?;
        let Some(head) = FrameHead::decode(&bytes) else {
            return Ok(Err(torn("this is not the head of a frame")));
        };
        if head.first_seq != self.next_seq {
            return Ok(Err(Damage {
                is_torn: false,
                ..torn("another record was expected here")
            }));
        }
        if left < self.frame_len(&head) {
            return Ok(Err(torn("the frame is cut off")));
        }
        Ok(Ok(Some(head)))
    }

    fn damage(&self, head: &FrameHead, what: &'static str) -> Damage {
        let end = self.offset.saturating_add(self.frame_len(head));
        Damage {
            offset: self.offset,
            seq: self.next_seq,
            through: self.next_seq.saturating_add(u64::from(head.count) - 1),
            what,
            is_torn: end == self.length,
        }
    }

    /// Length of a frame with its head.
    fn frame_len(&self, head: &FrameHead) -> u64 {
        let leaves = self.key.leaves_len(head.count);
        (FRAME_HEAD
            .saturating_add(leaves)
            .saturating_add(head.sealed_len)) as u64
    }
}

/// The leaves of a payload's records; `None` when it does not end with a whole one.
fn leaves_of(payload: &[u8]) -> Option<Vec<Hash>> {
    let (mut leaves, mut length) = (Vec::new(), 0_usize);
    for record in records(payload) {
        leaves.push(leaf_hash(record));
        length = length.saturating_add(record.len() + 4);
    }
    (length == payload.len()).then_some(leaves)
}

/// The number of the first record whose segment was not destroyed.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn first_readable(dir: &Path) -> Result<u64, LedgerFault> {
    readable_from(dir, 0)
}

/// The same from this record on.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn readable_from(dir: &Path, seq: u64) -> Result<u64, LedgerFault> {
    let segments = list(dir).map_err(|error| LedgerFault::io(dir, &error))?;
    let home = segments
        .iter()
        .rposition(|(first_seq, _)| *first_seq <= seq);
    let (_, ours) = segments.split_at(home.unwrap_or(0));
    for (first_seq, path) in ours {
        let path = key::beside(path);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // One of format 1 has no key, and can be read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(seq.max(*first_seq)),
            Err(error) => return Err(LedgerFault::io(&path, &error)),
        };
        let is_destroyed = matches!(
            key::KeyFile::read(&bytes),
            Some((_, key::KeyFile::Destroyed(_)))
        );
        if !is_destroyed {
            return Ok(seq.max(*first_seq));
        }
    }
    Ok(ours
        .last()
        .map_or(seq, |(first_seq, _)| seq.max(*first_seq)))
}

#[cfg(test)]
mod tests;
