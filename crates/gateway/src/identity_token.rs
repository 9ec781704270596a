//! `Portcullis-Identity`: who is calling, signed for one upstream (RFC 7519, EdDSA by RFC 8037).
//! Exports `Tokens`, a small cache on each thread: one signature per caller and api in a minute.
//! Used by stage `upstream`.
//! Start reading at `Tokens::identity`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crypto::JwtSigner;
use identity::Caller;
use model::json::write_string;
use model::{KeyId, Timestamp};

/// Seconds a token is valid. The upstream sees a fresh one at least every half of that.
const LIFETIME_S: i64 = 120;
/// Seconds after which a new one is signed.
const FRESH_S: i64 = 60;
/// Cached tokens per thread; the cache is emptied when it is full.
const CACHED_MAX: usize = 4096;

type Key = (KeyId, Arc<str>, Option<Arc<str>>);

/// Tokens signed lately.
#[derive(Default)]
pub struct Tokens(RefCell<HashMap<Key, (i64, Arc<str>)>>);

impl Tokens {
    /// A token that names this caller to this api's upstream.
    pub fn identity(
        &self,
        caller: &Caller,
        api: &Arc<str>,
        now: Timestamp,
        signer: &JwtSigner,
    ) -> Arc<str> {
        let principal = caller.principal();
        let key = (caller.credential(), Arc::clone(api), principal.user.clone());
        let mut cache = self.0.borrow_mut();
        if let Some((issued, token)) = cache.get(&key)
            && is_fresh(*issued, now)
        {
            return Arc::clone(token);
        }
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        let token: Arc<str> = signer.sign(&claims(caller, api, now)).into();
        cache.insert(key, (now.seconds(), Arc::clone(&token)));
        token
    }
}

/// Whether a token that was signed then may still be shown. A clock that was set, in either direction, makes a new one.
fn is_fresh(issued: i64, now: Timestamp) -> bool {
    (0..FRESH_S).contains(&now.seconds().saturating_sub(issued))
}

fn claims(caller: &Caller, api: &str, now: Timestamp) -> Vec<u8> {
    let principal = caller.principal();
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(br#"{"iss":"portcullis","aud":"#);
    write_string(api, &mut out);
    out.extend_from_slice(br#","sub":"#);
    write_string(&principal.integration, &mut out);
    if !caller.is_anonymous() {
        out.extend_from_slice(format!(r#","credential":"{}""#, caller.credential()).as_bytes());
    }
    if let Some(user) = &principal.user {
        out.extend_from_slice(br#","user":"#);
        write_string(user, &mut out);
    }
    let issued = now.seconds();
    // Nobody is vouched for beyond the end of what they showed.
    let end = (issued + LIFETIME_S).min(caller.expires_at().seconds());
    out.extend_from_slice(format!(r#","iat":{issued},"exp":{end}}}"#).as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Wherever the clock was set between signing and showing: what is shown began before now and has half its life left.
        #[test]
        fn a_token_that_is_shown_again_is_valid_by_the_clock_of_now(
            issued in -4_000_000_000i64..4_000_000_000, step in prop_oneof![-200i64..200, -90_000i64..90_000, any::<i64>()],
        ) {
            let now = Timestamp::from_micros(issued.saturating_add(step).saturating_mul(1_000_000));
            if is_fresh(issued, now) {
                prop_assert!(issued <= now.seconds() && now.seconds() + (LIFETIME_S - FRESH_S) <= issued + LIFETIME_S);
            }
        }
    }
}
