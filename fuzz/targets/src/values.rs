//! Short texts that mean something: times, ids, rates, addresses, references. Nothing panics, and what is printed is read back as
//! the same.

use std::str::FromStr;

use model::time::Span;
use model::{DecisionId, KeyId, Method, Timestamp};

/// One input.
pub fn run(text: &str) {
    if let Some(time) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
    }
    if let Some(span) = Span::parse(text) {
        assert_eq!(Span::parse(&span.to_string()), Some(span));
    }
    if let Some(id) = DecisionId::parse(text) {
        assert_eq!(DecisionId::parse(&id.to_string()), Some(id));
    }
    if let Some(id) = KeyId::parse(text) {
        assert_eq!(KeyId::parse(&id.to_string()), Some(id));
    }
    let _ = Timestamp::parse_http_date(text);
    let _ = (Method::parse(text), Method::read(text));
    let _ = identity::api_key::read(text);
    let _ = (
        policy::Rate::from_str(text),
        policy::Strikes::from_str(text),
    );
    let _ = policy::Source::parse(text);
    let _ = (
        policy::FixedTarget::parse(text),
        policy::FixedSource::parse(text),
    );
    let _ = policy::block::Subject::from_str(text);
    if let Some(key) = audit::PublicKey::parse(text) {
        assert_eq!(audit::PublicKey::parse(&key.to_string()), Some(key));
    }
    let _ = crypto::Kek::parse(text);
    let _ = config::SecretRef::from_str(text);
}
