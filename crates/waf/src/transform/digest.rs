//! SHA-1 and hexadecimal, as rules use them to name things. Nothing here protects anything.
//! Exports `sha1` and `hex`.
//! Used by `Transform::apply`.
//! Start reading at `sha1`.

/// FIPS 180-4 SHA-1. Rules derive sampling numbers and names from it.
pub(super) fn sha1(text: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xEFCD_AB89,
        0x98BA_DCFE,
        0x1032_5476,
        0xC3D2_E1F0,
    ];
    let mut padded = text.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(text.len())
        .unwrap_or(u64::MAX)
        .wrapping_mul(8);
    padded.extend_from_slice(&bits.to_be_bytes());
    for block in padded.chunks_exact(64) {
        state = compress(state, block);
    }
    let mut out = [0u8; 20];
    for (place, byte) in out
        .iter_mut()
        .zip(state.iter().flat_map(|word| word.to_be_bytes()))
    {
        *place = byte;
    }
    out
}

fn compress(state: [u32; 5], block: &[u8]) -> [u32; 5] {
    let mut words: Vec<u32> = block
        .chunks_exact(4)
        .map(|four| {
            four.iter()
                .fold(0u32, |word, byte| (word << 8) | u32::from(*byte))
        })
        .collect();
    for at in 16..80 {
        let back = |distance: usize| words.get(at - distance).copied().unwrap_or(0);
        let next = (back(3) ^ back(8) ^ back(14) ^ back(16)).rotate_left(1);
        words.push(next);
    }
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for (round, word) in words.iter().enumerate() {
        let (mix, constant) = match round {
            0..20 => ((b & c) | (!b & d), 0x5A82_7999),
            20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC),
            _ => (b ^ c ^ d, 0xCA62_C1D6u32),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(mix)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(*word);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    let [s0, s1, s2, s3, s4] = state;
    [
        s0.wrapping_add(a),
        s1.wrapping_add(b),
        s2.wrapping_add(c),
        s3.wrapping_add(d),
        s4.wrapping_add(e),
    ]
}

/// Lower case hexadecimal.
pub(super) fn hex(text: &[u8]) -> Vec<u8> {
    text.iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect()
}
