//! A value that must not be seen: prints as `***`, compares in constant time, wipes itself.
//! Exports `Secret` and `same`. It has no `Serialize`, so that no record can carry one by accident.
//! Used wherever a key, a credential or a token is held.
//! Start reading at `Secret`.

use std::fmt;

use zeroize::Zeroize;

/// A secret value. Look inside with [`Secret::expose`], and keep what you see out of logs and records.
///
/// The value lives on the heap and stays there, so that moving the secret leaves no copy behind.
pub struct Secret<T: Zeroize>(Box<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into custody.
    pub fn new(value: T) -> Self {
        Secret(Box::new(value))
    }

    /// The value itself.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Whether the bytes are equal, in constant time (the length is not secret).
    pub fn same(&self, other: impl AsRef<[u8]>) -> bool {
        same(self.0.as_ref().as_ref(), other.as_ref())
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Secret(self.0.clone())
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T: Zeroize> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether two byte strings are equal, without telling by the time taken where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_stars_in_every_form() {
        let secret = Secret::new(String::from("canary"));
        assert_eq!(
            format!("{secret} {secret:?} {:#?}", Some(&secret))
                .matches("***")
                .count(),
            3
        );
        assert!(!format!("{secret} {secret:?}").contains("canary"));
    }

    #[test]
    fn comparison_sees_value_and_length() {
        let secret = Secret::new(*b"0123");
        assert!(secret.same("0123") && !secret.same("0124") && !secret.same("012"));
        assert!(same(b"", b"") && !same(b"", b"x"));
    }
}
