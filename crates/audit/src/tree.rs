//! The hashes of the ledger: leaves, the chain, the Merkle tree of RFC 6962 with proofs.
//! Exports `leaf_hash`, `chain_hash`, `Frontier` (the tree's right edge, O(log n)) and `Proof`. Pure.
//! Used by the recorder, the readers and both verifiers.
//! Start reading at `Frontier`; prefixes 0x00 and 0x01 are RFC 6962 §2.1, 0x02 is our chain.

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The chain value before the first record.
pub const GENESIS: Hash = [0; 32];

const LEAF: u8 = 0x00;
const NODE: u8 = 0x01;
const CHAIN: u8 = 0x02;

/// `SHA-256(0x00 ‖ record)`.
pub fn leaf_hash(record: &[u8]) -> Hash {
    crypto::sha256(&[&[LEAF], record])
}

/// `SHA-256(0x02 ‖ previous ‖ leaf)`.
pub fn chain_hash(previous: &Hash, leaf: &Hash) -> Hash {
    crypto::sha256(&[&[CHAIN], previous, leaf])
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    crypto::sha256(&[&[NODE], left, right])
}

/// The right edge of the Merkle tree: the roots of its complete subtrees, largest first.
///
/// INVARIANT: one entry per bit set in `size`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    stack: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Frontier::default()
    }

    /// A tree of `size` leaves given by its complete subtrees; `None` if their number cannot be right.
    pub fn from_parts(size: u64, stack: Vec<Hash>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (stack.len() == expected).then_some(Frontier { size, stack })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, largest first.
    pub fn parts(&self) -> &[Hash] {
        &self.stack
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut rest = self.size;
        while rest & 1 == 1 {
            if let Some(left) = self.stack.pop() {
                hash = node_hash(&left, &hash);
            }
            rest >>= 1;
        }
        self.stack.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The Merkle tree hash of RFC 6962 §2.1; of no leaves it is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut from_right = self.stack.iter().rev();
        let Some(last) = from_right.next() else {
            return crypto::sha256(&[]);
        };
        from_right.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// That one record is in the tree of a checkpoint, without showing the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The record's number, from 0.
    pub seq: u64,
    /// Leaves in the tree.
    pub size: u64,
    /// The record's leaf hash.
    pub leaf: Hash,
    /// Sibling hashes from the leaf to the root (RFC 9162 §2.1.3.1).
    pub path: Vec<Hash>,
}

impl Proof {
    /// Whether the proof leads to this root (RFC 9162 §2.1.3.2).
    pub fn verify(&self, root: &Hash) -> bool {
        if self.seq >= self.size {
            return false;
        }
        let (mut node, mut last) = (self.seq, self.size - 1);
        let mut hash = self.leaf;
        for sibling in &self.path {
            if last == 0 {
                return false;
            }
            if node & 1 == 1 || node == last {
                hash = node_hash(sibling, &hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        last == 0 && hash == *root
    }
}

/// Builds a proof while the leaves stream by in order, with O(log n) memory.
#[derive(Debug)]
pub(crate) struct ProofBuilder {
    seq: u64,
    size: u64,
    leaf: Option<Hash>,
    /// Sibling ranges from the root to the leaf, with the subtree gathered for each.
    siblings: Vec<(u64, u64, Frontier)>,
}

impl ProofBuilder {
    /// For record `seq` in the tree of the first `size` records; `None` when it is not in there.
    pub(crate) fn new(seq: u64, size: u64) -> Option<Self> {
        if seq >= size {
            return None;
        }
        let (mut low, mut high) = (0, size);
        let mut siblings = Vec::new();
        while high - low > 1 {
            let middle = low + split(high - low);
            if seq < middle {
                siblings.push((middle, high, Frontier::new()));
                high = middle;
            } else {
                siblings.push((low, middle, Frontier::new()));
                low = middle;
            }
        }
        Some(ProofBuilder {
            seq,
            size,
            leaf: None,
            siblings,
        })
    }

    /// Takes the next leaf.
    pub(crate) fn take(&mut self, seq: u64, leaf: Hash) {
        if seq == self.seq {
            self.leaf = Some(leaf);
            return;
        }
        let home = self
            .siblings
            .iter_mut()
            .find(|(low, high, _)| (*low..*high).contains(&seq));
        if let Some((_, _, subtree)) = home {
            subtree.push(leaf);
        }
    }

    /// The proof, once all leaves were seen.
    pub(crate) fn finish(self) -> Option<Proof> {
        let is_complete = self
            .siblings
            .iter()
            .all(|(low, high, tree)| tree.size() == high - low);
        if !is_complete {
            return None;
        }
        Some(Proof {
            seq: self.seq,
            size: self.size,
            leaf: self.leaf?,
            path: self
                .siblings
                .iter()
                .rev()
                .map(|(_, _, tree)| tree.root())
                .collect(),
        })
    }
}

/// The largest power of two smaller than `n`; `n` is at least 2.
fn split(n: u64) -> u64 {
    let top = 63 - (n - 1).leading_zeros();
    1 << top
}

#[cfg(test)]
mod tests;
