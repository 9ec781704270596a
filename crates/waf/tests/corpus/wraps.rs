//! The encodings a payload is shown in.

/// The wraps every payload is shown in.
pub const WRAPS: [&str; 5] = ["raw", "base64", "percent", "unicode", "json"];

/// Encodes `text` for one wrap.
pub fn wrap(kind: &str, text: &str) -> String {
    match kind {
        "base64" => base64(text.as_bytes()),
        "percent" => text.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        "unicode" => text
            .chars()
            .map(|letter| format!("\\u{:04x}", u32::from(letter)))
            .collect(),
        "json" => serde_json::json!({ "meta": { "note": text, "n": 3 } }).to_string(),
        _ => text.to_owned(),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let held = chunk
            .iter()
            .fold(0u32, |held, byte| (held << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(char::from(DIGITS[(held >> (18 - 6 * place)) as usize & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}
