use proptest::prelude::*;

use super::*;

/// The tree hash written down as RFC 6962 §2.1 defines it.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => crypto::sha256(&[]),
        [one] => *one,
        _ => {
            let (left, right) =
                leaves.split_at(usize::try_from(split(leaves.len() as u64)).unwrap());
            node_hash(&naive(left), &naive(right))
        }
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_le_bytes())).collect()
}

fn tree(leaves: &[Hash]) -> Frontier {
    let mut tree = Frontier::new();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    tree
}

/// Inputs and roots used by the implementations of Certificate Transparency.
#[test]
fn roots_are_those_of_certificate_transparency() {
    let inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let leaves: Vec<Hash> = inputs
        .iter()
        .map(|hex| leaf_hash(&crypto::text::unhex(hex).unwrap()))
        .collect();
    let root = |count: usize| crypto::text::hex(&tree(&leaves[..count]).root());
    assert_eq!(
        root(0),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        root(1),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
    assert_eq!(
        root(8),
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    );
}

#[test]
fn every_record_of_small_trees_is_proven_and_no_other() {
    for size in 1..=40 {
        let leaves = leaves(size);
        let root = tree(&leaves).root();
        for seq in 0..size {
            let mut builder = ProofBuilder::new(seq, size).unwrap();
            (0..)
                .zip(&leaves)
                .for_each(|(n, leaf)| builder.take(n, *leaf));
            let proof = builder.finish().unwrap();
            assert!(proof.verify(&root), "{seq} of {size}");
            let moved = Proof {
                seq: (seq + 1) % size,
                ..proof.clone()
            };
            assert!(size == 1 || !moved.verify(&root), "{seq} of {size}");
            let foreign = Proof {
                leaf: leaf_hash(b"other"),
                ..proof.clone()
            };
            assert!(!foreign.verify(&root));
            let mut longer = proof.clone();
            longer.path.push(root);
            assert!(!longer.verify(&root));
        }
    }
    assert!(ProofBuilder::new(3, 3).is_none());
    assert!(ProofBuilder::new(0, 2).unwrap().finish().is_none());
}

#[test]
fn a_frontier_goes_on_from_its_parts_and_refuses_wrong_numbers() {
    let leaves = leaves(23);
    let half = tree(&leaves[..11]);
    let mut again = Frontier::from_parts(11, half.parts().to_vec()).unwrap();
    leaves[11..].iter().for_each(|leaf| again.push(*leaf));
    assert_eq!(again, tree(&leaves));
    assert_eq!(Frontier::from_parts(12, half.parts().to_vec()), None);
}

proptest! {
    #[test]
    fn the_root_is_that_of_the_definition(count in 0_u64..600) {
        let leaves = leaves(count);
        prop_assert_eq!(tree(&leaves).root(), naive(&leaves));
    }

    #[test]
    fn proofs_hold_in_larger_trees(size in 1_u64..700, pick: prop::sample::Index) {
        let leaves = leaves(size);
        let seq = pick.index(leaves.len()) as u64;
        let mut builder = ProofBuilder::new(seq, size).unwrap();
        (0..).zip(&leaves).for_each(|(n, leaf)| builder.take(n, *leaf));
        prop_assert!(builder.finish().unwrap().verify(&naive(&leaves)));
    }

    #[test]
    fn hostile_proofs_are_refused_without_a_panic(seq: u64, size: u64, path in proptest::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let proof = Proof { seq, size, leaf: [1; 32], path };
        prop_assert!(!proof.verify(&[2; 32]));
    }
}
