//! Fixed keys, small ledgers, seeded randomness and a failing disk for the tests of this room.
//! Exports `keys`, `event`, `ledger`, `destroyer`, `Dice`, `FaultyDisk`.
//! Used by tests only.
//! Start reading at `ledger`.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use model::{DecisionId, Event, Kind, Outcome, Timestamp};

use crate::disk::{Disk, DiskFile, RealDisk};
use crate::{Opening, Recorder, Settings};

pub(crate) fn keys_of(byte: u8) -> Arc<crypto::Keys> {
    keys_with(byte, 1)
}

/// Keys of a root, below a key-encryption key.
pub(crate) fn keys_with(root: u8, kek: u8) -> Arc<crypto::Keys> {
    let root = crypto::Root::from_secret(crypto::Secret::new([root; 32]));
    let kek = crypto::Kek::from_secret(crypto::Secret::new([kek; 32]));
    Arc::new(crypto::Keys::new(&root, &kek))
}

pub(crate) fn keys() -> Arc<crypto::Keys> {
    keys_of(7)
}

pub(crate) fn settings() -> Settings {
    Settings::new("test.example/ledger")
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000)
}

/// Event number `n`; texts of different lengths, one with characters JSON escapes.
pub(crate) fn event(n: u64) -> Event {
    let integration = if n.is_multiple_of(3) {
        "accounting"
    } else {
        "crm"
    };
    Event {
        at: Timestamp::from_micros(1_795_000_000_000_000 + i64::try_from(n).unwrap() * 1_000),
        kind: Kind::Request.into(),
        id: Some(DecisionId::from_bits(0x0190_0000 << 96 | u128::from(n))),
        outcome: if n.is_multiple_of(5) {
            Outcome::Refuse
        } else {
            Outcome::Allow
        }
        .into(),
        code: n.is_multiple_of(5).then(|| "authn.expired".into()),
        integration: Some(integration.into()),
        path: Some(format!("/v2/work-orders/{n}\"\n\u{2028}ü").into()),
        detail: Some("x".repeat(usize::try_from(n % 40).unwrap()).into()),
        ..Event::default()
    }
}

pub(crate) fn opening(dir: &Path, settings: Settings) -> Opening {
    Opening::new(dir, settings, keys())
}

pub(crate) fn recorder(dir: &Path, settings: Settings) -> Recorder {
    Recorder::open(opening(dir, settings), now()).unwrap().0
}

/// A stopped ledger with `count` records in groups of different sizes. Gives its newest checkpoint.
pub(crate) fn ledger(dir: &Path, count: u64, settings: Settings, dice: &mut Dice) -> String {
    let recorder = recorder(dir, settings);
    let mut next = 0;
    while next < count {
        let group = (1 + dice.below(4)).min(count - next);
        let pending: Vec<_> = (next..next + group)
            .map(|n| recorder.record(&event(n)))
            .collect();
        for (n, pending) in (next..).zip(pending) {
            assert_eq!(pending.wait(), Ok(n));
        }
        next += group;
    }
    recorder.stop().unwrap().unwrap().text.clone()
}

/// Records in a stopped ledger that somebody destroys a part of it. Gives the record's number, and the newest checkpoint.
pub(crate) fn destroyer(dir: &Path, settings: Settings) -> (u64, String) {
    let recorder = recorder(dir, settings);
    let intent = Event {
        kind: Kind::Intent.into(),
        operation: Some(crate::DESTROY.into()),
        outcome: Outcome::Pending.into(),
        user: Some("ann".into()),
        detail: Some("older than 2026: retention".into()),
        ..event(1)
    };
    let seq = recorder.record(&intent).wait().unwrap();
    (seq, recorder.stop().unwrap().unwrap().text.clone())
}

/// A small generator with a seed (xorshift64*), so that every failure can be repeated.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    pub(crate) fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap()
    }
}

/// What the disk does wrong.
#[derive(Default)]
pub(crate) struct Plan {
    /// Bytes that still fit, once set.
    pub space: Option<usize>,
    /// Error of every file that is made, while it is set.
    pub create_error: Option<io::ErrorKind>,
    /// Error of the next flush.
    pub sync_error: Option<io::ErrorKind>,
    /// Error of the next append, after half of the bytes.
    pub append_error: Option<io::ErrorKind>,
    /// Flushes of writes in place so far.
    pub over_flushes: u64,
    /// Error of the next write in place, after half of its parts.
    pub over_error: Option<io::ErrorKind>,
    /// Flushes so far.
    pub syncs: u64,
}

#[derive(Clone, Default)]
pub(crate) struct FaultyDisk(pub Arc<Mutex<Plan>>);

struct FaultyFile {
    file: Box<dyn DiskFile>,
    plan: Arc<Mutex<Plan>>,
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(FaultyFile {
            file: RealDisk.open(path)?,
            plan: Arc::clone(&self.0),
        }))
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
        if let Some(kind) = self.0.lock().unwrap().create_error {
            return Err(kind.into());
        }
        if let Some(space) = &mut self.0.lock().unwrap().space {
            let left = space.checked_sub(bytes.len());
            *space = left.ok_or(io::ErrorKind::StorageFull)?;
        }
        RealDisk.create(path, bytes)?;
        self.open(path)
    }

    fn write_over(
        &self,
        path: &Path,
        parts: &[(u64, Vec<u8>)],
        is_flushed: bool,
    ) -> io::Result<()> {
        let mut plan = self.0.lock().unwrap();
        plan.over_flushes += u64::from(is_flushed);
        if let Some(kind) = plan.over_error.take() {
            let half = parts.get(..parts.len() / 2).unwrap_or_default();
            RealDisk.write_over(path, half, is_flushed)?;
            return Err(kind.into());
        }
        if plan.space == Some(0) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        RealDisk.write_over(path, parts, is_flushed)
    }
}

impl DiskFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut plan = self.plan.lock().unwrap();
        if let Some(kind) = plan.append_error.take() {
            self.file.append(&bytes[..bytes.len() / 2])?;
            return Err(kind.into());
        }
        if let Some(space) = &mut plan.space {
            let fits = bytes.len().min(*space);
            *space -= fits;
            if fits < bytes.len() {
                self.file.append(&bytes[..fits])?;
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut plan = self.plan.lock().unwrap();
        plan.syncs += 1;
        match plan.sync_error.take() {
            Some(kind) => Err(kind.into()),
            None => self.file.sync(),
        }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }

    fn is_at(&self, path: &Path) -> bool {
        self.file.is_at(path)
    }
}
