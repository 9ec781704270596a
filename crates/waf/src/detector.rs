//! The tokenising detectors for SQL injection and script, behind one trait.
//! Gives `InjectionDetector` and `Libinjection`, the only place that names the library.
//! Used by the default pack and by the operators detectSQLi and detectXSS.
//! Start reading at `InjectionDetector`.

use libinjectionrs::{SqliFlags, SqliState};

/// Decides by tokenising, not by patterns.
pub trait InjectionDetector {
    /// The fingerprint when the text reads as SQL injection.
    fn sqli(&self, text: &[u8]) -> Option<String>;
    /// Whether the text reads as script for a browser.
    fn xss(&self, text: &[u8]) -> bool;
}

/// The detector of the libinjection family.
#[derive(Clone, Copy, Debug, Default)]
pub struct Libinjection;

impl InjectionDetector for Libinjection {
    fn sqli(&self, text: &[u8]) -> Option<String> {
        // One word is one token, and no fingerprint of one word is an injection.
        if text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        {
            return None;
        }
        let mut state = SqliState::new(text, SqliFlags::FLAG_NONE);
        state.detect().then(|| state.fingerprint_string())
    }

    fn xss(&self, text: &[u8]) -> bool {
        // Without an element or the value of an attribute there is nothing to find.
        if memchr::memchr2(b'<', b'=', text).is_none() {
            return false;
        }
        libinjectionrs::detect_xss(text).is_injection()
    }
}
