//! Is this sealed, signed, equal? Keys, seals, signatures, digests and the secrets themselves.
//! Exports `Secret`, `SealKey`, `SigningKey`, `MacKey`, `sha256`, `Kek`, `Keys`, `same`. The only room that names a crypto library.
//! Used by store, identity, audit, net and the doors. Takes no clock and logs nothing.
//! Start reading at `keys`: the hierarchy from the key-encryption key down to one key per purpose.

mod fatal;
mod hash;
mod jwt;
pub mod keys;
mod random;
mod seal;
mod secret;
mod sign;
pub mod text;

pub use hash::{MacKey, Sha256, ShortHash, derive, sha256};
pub use jwt::{JwtSigner, verify_jwt};
pub use keys::{Kek, KeyFault, Keys, Root, WrapKey};
pub use random::{random, random_secret};
pub use seal::{OpenFault, SealKey};
pub use secret::{Secret, same};
pub use sign::{KeyRejected, SigningKey, VerifyingKey};
