//! The tokenising detectors for SQL injection and script, behind one trait.
//! Gives `InjectionDetector` and `Libinjection`, the only place that names the library.
//! Used by the default pack and by the operators detectSQLi and detectXSS.
//! Start reading at `InjectionDetector`.

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
        let verdict = libinjectionrs::detect_sqli(text);
        if !verdict.is_injection() {
            return None;
        }
        Some(
            verdict
                .fingerprint
                .map(|print| print.as_str().trim_end_matches('\0').to_owned())
                .unwrap_or_default(),
        )
    }

    fn xss(&self, text: &[u8]) -> bool {
        libinjectionrs::detect_xss(text).is_injection()
    }
}
