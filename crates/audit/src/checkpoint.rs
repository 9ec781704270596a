//! Signed statements of how long the ledger was and what it held, in the C2SP checkpoint form.
//! Exports `Checkpoint`, `SignedBy`, `SignedCheckpoint`, `PublicKey` (the "vkey" text of signed notes). Pure.
//! Written by the recorder and the export, checked by both verifiers and by foreign tools.
//! Start reading at `Checkpoint`; forms: C2SP tlog-checkpoint and signed-note.

use std::fmt;

use crypto::text::{base64, unbase64};

use crate::tree::Hash;

/// Signature algorithm byte of Ed25519 in signed notes.
const ED25519: u8 = 0x01;
/// In front of every signature line: an em dash and a space.
const DASH: &str = "\u{2014} ";
/// Longest note that is looked at.
pub(crate) const NOTE_BYTES_MAX: usize = 4096;
/// The form of exports that are written today. Every checkpoint says it, so that a file which holds one cannot pass for an
/// older form, in which less is proven.
pub(crate) const FORM: u64 = 4;

/// What the ledger held at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the ledger, also the name of its signing key.
    pub origin: String,
    /// Number of records covered: 0 to `size - 1`.
    pub size: u64,
    /// Merkle tree hash over their leaves.
    pub root: Hash,
    /// Chain value after the last of them.
    pub chain: Hash,
    /// Size stated by the checkpoint before this one, so that a missing one is noticed.
    pub after: u64,
    /// It closes an export that begins with this record: nothing of the export follows it. `None` for those of the ledger.
    pub closes: Option<u64>,
    /// Under which rules it was signed; `None` for checkpoints of versions that did not say so.
    pub by: Option<SignedBy>,
}

/// Under which rules a checkpoint was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// Epoch of the key that signed it: so many changes of the signer came before.
    pub epoch: u64,
    /// The form of exports at that time.
    pub form: u64,
}

impl SignedBy {
    /// What is signed today by the key of this epoch.
    pub(crate) const fn today(epoch: u64) -> Self {
        SignedBy { epoch, form: FORM }
    }
}

/// A checkpoint with its signature, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is stated.
    pub checkpoint: Checkpoint,
    /// The whole signed note, ending with a newline. Keep exactly these bytes.
    pub text: String,
}

impl Checkpoint {
    /// The signed bytes: origin, size, root, and extension lines: chain value and predecessor; which export it closes, where
    /// it closes one; the epoch of its key and the form of exports.
    pub fn body(&self) -> String {
        let (root, chain) = (base64(&self.root), base64(&self.chain));
        let closes = self.closes.map(|first| format!("closes {first}\n"));
        let by = self
            .by
            .map(|by| format!("signer {}\nform {}\n", by.epoch, by.form));
        format!(
            "{}\n{}\n{root}\nchain {chain}\nafter {}\n{}{}",
            self.origin,
            self.size,
            self.after,
            closes.unwrap_or_default(),
            by.unwrap_or_default()
        )
    }

    /// Signs it.
    pub fn sign(self, key: &crypto::SigningKey) -> SignedCheckpoint {
        let body = self.body();
        let text = format!("{body}\n{}", signature_line(&self.origin, key, &body));
        SignedCheckpoint {
            checkpoint: self,
            text,
        }
    }

    /// What a note states, whoever signed it.
    pub(crate) fn stated_in(note: &str) -> Option<Checkpoint> {
        let (body, _) = split_note(note)?;
        Checkpoint::parse_body(body)
    }

    fn parse_body(body: &str) -> Option<Checkpoint> {
        let mut lines = body.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|o| is_origin(o))?;
        let size = plain_number(lines.next()?)?;
        let root = decode_hash(lines.next()?)?;
        let chain = decode_hash(lines.next()?.strip_prefix("chain ")?)?;
        let after = plain_number(lines.next()?.strip_prefix("after ")?)?;
        let mut lines = lines.peekable();
        let mut closes = None;
        if let Some(line) = lines.next_if(|line| line.starts_with("closes ")) {
            closes = Some(plain_number(line.strip_prefix("closes ")?)?);
        }
        let mut by = None;
        if let Some(line) = lines.next() {
            by = Some(SignedBy {
                epoch: plain_number(line.strip_prefix("signer ")?)?,
                form: plain_number(lines.next()?.strip_prefix("form ")?)?,
            });
        }
        lines.next().is_none().then(|| Checkpoint {
            origin: origin.to_owned(),
            size,
            root,
            chain,
            after,
            closes,
            by,
        })
    }
}

impl SignedCheckpoint {
    /// Reads a signed note and checks its signature by `key`. Signatures by other keys are passed over,
    /// as the form demands (witnesses may add theirs).
    pub fn verify(text: &str, key: &PublicKey) -> Option<SignedCheckpoint> {
        let checkpoint = Checkpoint::stated_in(text)?;
        let is_signed = checkpoint.origin == key.name && key.has_signed_note(text);
        is_signed.then(|| SignedCheckpoint {
            checkpoint,
            text: text.to_owned(),
        })
    }
}

/// The line of a note that a key signs it with.
pub(crate) fn signature_line(name: &str, key: &crypto::SigningKey, body: &str) -> String {
    let mut line = key.verifying_key().note_key_id(name).to_vec();
    line.extend_from_slice(&key.sign(body.as_bytes()));
    format!("{DASH}{name} {}\n", base64(&line))
}

/// The body (with its last newline) and the signature lines.
pub(crate) fn split_note(text: &str) -> Option<(&str, &str)> {
    if text.len() > NOTE_BYTES_MAX || !text.ends_with('\n') {
        return None;
    }
    let (body, signatures) = text.split_once("\n\n")?;
    let body = text.get(..body.len() + 1)?;
    signatures.starts_with(DASH).then_some((body, signatures))
}

/// Who signs a ledger: name and Ed25519 public key. Its text is the verifier key of signed notes,
/// `name+id+base64`, which foreign tools read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: [u8; 4],
    key: crypto::VerifyingKey,
}

impl PublicKey {
    /// The key with this name.
    pub fn new(name: &str, key: crypto::VerifyingKey) -> Self {
        PublicKey {
            name: name.to_owned(),
            id: key.note_key_id(name),
            key,
        }
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '+');
        let name = parts.next().filter(|n| is_origin(n))?;
        let id = parts.next()?;
        let typed = unbase64(parts.next()?)?;
        let (algorithm, bytes) = typed.split_first()?;
        if *algorithm != ED25519 {
            return None;
        }
        let key = crypto::VerifyingKey::from_bytes(bytes.try_into().ok()?);
        let public = PublicKey::new(name, key);
        (crypto::text::hex(&public.id) == id).then_some(public)
    }

    /// The name it signs under: the ledger's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a note claims a signature by this key, valid or not.
    pub(crate) fn is_named_in(&self, note: &str) -> bool {
        let Some((_, signatures)) = split_note(note) else {
            return false;
        };
        signatures
            .split_terminator('\n')
            .any(|line| self.signature_in(line).is_some())
    }

    fn signature_in(&self, line: &str) -> Option<Vec<u8>> {
        let (name, coded) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = unbase64(coded).filter(|_| name == self.name)?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        (*id == self.id).then(|| signature.to_vec())
    }

    /// Whether one of the signatures of a note is by this key.
    pub(crate) fn has_signed_note(&self, note: &str) -> bool {
        let Some((body, signatures)) = split_note(note) else {
            return false;
        };
        let mut ours = signatures
            .split_terminator('\n')
            .filter_map(|line| self.signature_in(line));
        ours.any(|signature| self.key.verify(body.as_bytes(), &signature))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key.note_verifier(&self.name))
    }
}

/// Whether text can name a ledger: 1 to 200 visible ASCII characters, no space, no `+`.
pub fn is_origin(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'+')
}

/// A number in its one spelling: no sign, no leading zero.
pub(crate) fn plain_number(text: &str) -> Option<u64> {
    text.parse::<u64>()
        .ok()
        .filter(|number| number.to_string() == text)
}

pub(crate) fn decode_hash(text: &str) -> Option<Hash> {
    unbase64(text)?.try_into().ok()
}

#[cfg(test)]
mod tests;
