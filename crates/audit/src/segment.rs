//! The bytes of a segment file: a header, then sealed frames, one per group commit.
//! Gives `Header`, `SegmentKey`, `frame_bytes`, `Scanner` (verified forward reading) and `Tip`.
//! Used by the writer, recovery, the readers and the directory verifier.
//! Start reading at `Header`; the layout for auditors is docs/ledger-format.md.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::tree::{Frontier, GENESIS, Hash, chain_hash, leaf_hash};

const MAGIC: &[u8; 8] = b"PORTLEDG";
const VERSION: u32 = 1;
/// Bytes of a header without frontier and seal.
const FIXED: usize = 8 + 4 + 8 + 32 + 16 + 1;
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

/// Seals the frames of one segment.
pub(crate) struct SegmentKey {
    key: crypto::SealKey,
    /// Digest of the header: binds every frame to its file.
    header: Hash,
}

/// What a segment begins with: where the ledger stood when it was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Number of its first record, chain value and tree before it.
    pub start: Tip,
    /// Makes the sealing key unique, should a segment of the same number ever be started twice.
    salt: [u8; 16],
}

impl Header {
    pub(crate) fn new(start: Tip, salt: [u8; 16]) -> Self {
        Header { start, salt }
    }

    /// The header's bytes, ending with a seal over them, and the key for the frames.
    pub(crate) fn encode(&self, ledger: &crypto::SealKey) -> (Vec<u8>, SegmentKey) {
        let parts = self.start.tree.parts();
        let mut bytes = Vec::with_capacity(FIXED + parts.len() * 32 + crypto::SealKey::OVERHEAD);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.start.next_seq().to_le_bytes());
        bytes.extend_from_slice(&self.start.chain);
        bytes.extend_from_slice(&self.salt);
        bytes.push(u8::try_from(parts.len()).unwrap_or(u8::MAX));
        for part in parts {
            bytes.extend_from_slice(part);
        }
        let key = self.subkey(ledger);
        let seal = key.seal(&bytes, &[]);
        bytes.extend_from_slice(&seal);
        let header = crypto::sha256(&[&bytes]);
        (bytes, SegmentKey { key, header })
    }

    fn subkey(&self, ledger: &crypto::SealKey) -> crypto::SealKey {
        let salt = crypto::text::hex(&self.salt);
        ledger.subkey(&format!("ledger segment {} {salt}", self.start.next_seq()))
    }

    fn read(
        source: &mut impl Read,
        ledger: &crypto::SealKey,
    ) -> Result<(Header, SegmentKey, u64), &'static str> {
        let mut bytes = vec![0; FIXED];
        source
            .read_exact(&mut bytes)
            .map_err(|_| "the header is cut off")?;
        let (header, parts) = Header::fixed(&bytes).ok_or("this is not the header of a segment")?;
        let mut rest = vec![0; parts * 32 + crypto::SealKey::OVERHEAD];
        source
            .read_exact(&mut rest)
            .map_err(|_| "the header is cut off")?;
        let (hashes, seal) = rest
            .split_at_checked(parts * 32)
            .ok_or("the header is cut off")?;
        bytes.extend_from_slice(hashes);
        let stack = hashes.as_chunks::<32>().0.to_vec();
        let (seq, chain, salt) = header;
        let tree = Frontier::from_parts(seq, stack).ok_or("the header contradicts itself")?;
        let header = Header {
            start: Tip { chain, tree },
            salt,
        };
        let key = header.subkey(ledger);
        key.open(&bytes, seal)
            .map_err(|_| "the seal of the header does not open")?;
        bytes.extend_from_slice(seal);
        let digest = crypto::sha256(&[&bytes]);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok((
            header,
            SegmentKey {
                key,
                header: digest,
            },
            length,
        ))
    }

    /// The fixed part and the number of tree hashes that follow.
    #[expect(
        clippy::type_complexity,
        reason = "taken apart by the one caller at once"
    )]
    fn fixed(bytes: &[u8]) -> Option<((u64, Hash, [u8; 16]), usize)> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let (chain, rest) = rest.split_first_chunk::<32>()?;
        let (salt, rest) = rest.split_first_chunk::<16>()?;
        let parts = usize::from(*rest.first()?);
        let is_ours = magic == MAGIC && u32::from_le_bytes(*version) == VERSION && parts <= 64;
        is_ours.then_some(((u64::from_le_bytes(*seq), *chain, *salt), parts))
    }
}

impl SegmentKey {
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

    /// A frame ready to be appended. `payload` is the records, each after its length (4 bytes, little-endian).
    pub(crate) fn frame(
        &self,
        payload: &[u8],
        first_seq: u64,
        count: u32,
        before: &Hash,
        after: &Hash,
    ) -> Vec<u8> {
        let sealed = self
            .key
            .seal(&self.context(first_seq, count, before, after), payload);
        let mut bytes = Vec::with_capacity(FRAME_HEAD + sealed.len());
        bytes.extend_from_slice(
            &u32::try_from(sealed.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&first_seq.to_le_bytes());
        bytes.extend_from_slice(after);
        bytes.extend_from_slice(&sealed);
        bytes
    }
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
        let is_possible =
            (crypto::SealKey::OVERHEAD..=FRAME_BYTES_MAX).contains(&sealed_len) && count > 0;
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
    payload: Vec<u8>,
}

impl Frame {
    /// The records in order.
    pub(crate) fn records(&self) -> impl Iterator<Item = &[u8]> {
        records(&self.payload)
    }
}

/// Splits a payload into records; ends at the first that does not fit.
fn records(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
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
    next_seq: u64,
    chain: Hash,
}

impl Scanner {
    /// Opens the file and checks its header.
    pub(crate) fn open(
        path: &Path,
        ledger: &crypto::SealKey,
    ) -> io::Result<Result<Scanner, Damage>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut source = BufReader::with_capacity(256 * 1024, file);
        Ok(match Header::read(&mut source, ledger) {
            Ok((header, key, offset)) => Ok(Scanner {
                source,
                key,
                length,
                offset,
                next_seq: header.start.next_seq(),
                chain: header.start.chain,
                start: header.start,
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
        let step = i64::try_from(head.sealed_len).unwrap_or(i64::MAX);
        self.source.seek_relative(step)?;
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
        let mut sealed = vec![0; head.sealed_len];
        self.source.read_exact(&mut sealed)?;
        let aad = self
            .key
            .context(head.first_seq, head.count, &self.chain, &head.after);
        let Ok(payload) = self.key.key.open(&aad, &sealed) else {
            return Ok(Err(
                self.damage(&head, "the seal of the frame does not open")
            ));
        };
        if !self.chains(&payload, &head) {
            return Ok(Err(
                self.damage(&head, "the frame's records do not continue the chain")
            ));
        }
        self.advance(&head);
        Ok(Ok(Some(Frame {
            first_seq: head.first_seq,
            payload,
        })))
    }

    fn advance(&mut self, head: &FrameHead) {
        let step = FRAME_HEAD.saturating_add(head.sealed_len);
        self.offset = self
            .offset
            .saturating_add(u64::try_from(step).unwrap_or(u64::MAX));
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
        if left - (FRAME_HEAD as u64) < head.sealed_len as u64 {
            return Ok(Err(torn("the frame is cut off")));
        }
        Ok(Ok(Some(head)))
    }

    fn damage(&self, head: &FrameHead, what: &'static str) -> Damage {
        let end = self.offset + (FRAME_HEAD + head.sealed_len) as u64;
        Damage {
            offset: self.offset,
            seq: self.next_seq,
            through: self.next_seq.saturating_add(u64::from(head.count) - 1),
            what,
            is_torn: end == self.length,
        }
    }

    /// Whether the payload holds exactly the promised records and leads to the promised chain value.
    fn chains(&self, payload: &[u8], head: &FrameHead) -> bool {
        let (mut chain, mut count, mut length) = (self.chain, 0_u32, 0_usize);
        for record in records(payload) {
            chain = chain_hash(&chain, &leaf_hash(record));
            count = count.saturating_add(1);
            length = length.saturating_add(record.len() + 4);
        }
        count == head.count && length == payload.len() && chain == head.after
    }
}

#[cfg(test)]
mod tests;
