//! Random bytes from the operating system's generator, through the crypto library.
//! Exports `random` and `random_secret`. Called by the doors only: judges are handed their randomness.
//! Used for nonces, keys, credentials and ids.
//! Start reading at `random`.

use zeroize::Zeroize;

use crate::Secret;

/// `N` random bytes.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        // A gateway without randomness would reuse nonces and issue guessable keys. Ending is the only safe answer.
        crate::fatal::stop("the operating system's random generator failed");
    }
    bytes
}

/// `N` random bytes as a secret.
pub fn random_secret<const N: usize>() -> Secret<[u8; N]> {
    let mut bytes = random();
    let secret = Secret::new(bytes);
    bytes.zeroize();
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(random::<32>(), random::<32>());
        assert!(!random_secret::<32>().same(random::<32>()));
    }
}
