//! What a plain word means, by the core schema of YAML 1.2.2 §10.3.2.
//! Exports `plain`.
//! Used by the composer.
//! Start reading at `plain`.

use serde_json::Number;

use crate::{Rules, Value};

/// What an unquoted text is. `None` for infinities and NaN where the whole core schema is read: JSON has none.
pub fn plain(text: &str, rules: Rules) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" | ".nan" | ".NaN" | ".NAN"
            if rules.has_core_numbers =>
        {
            return None;
        }
        _ => match number(text, rules) {
            Some(number) => Value::Number(number),
            None => Value::Text(text.to_owned()),
        },
    })
}

fn number(text: &str, rules: Rules) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return None;
    }
    let of_radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok().map(Number::from);
    if rules.has_core_numbers {
        if let Some(digits) = text.strip_prefix("0x") {
            return of_radix(digits, 16);
        }
        if let Some(digits) = text.strip_prefix("0o") {
            return of_radix(digits, 8);
        }
    }
    let unsigned = match text.strip_prefix('+') {
        Some(rest) if rest.starts_with(['+', '-']) => return None,
        Some(rest) => rest,
        None => text,
    };
    if let Ok(whole) = unsigned.parse::<u64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = unsigned.parse::<i64>() {
        return Some(whole.into());
    }
    let is_float = unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let float = unsigned.parse::<f64>().ok().filter(|_| is_float)?;
    Number::from_f64(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_older_yaml_took_for_something_are_text() {
        for text in [
            "no",
            "yes",
            "on",
            "off",
            "y",
            "n",
            "2027-03-31",
            "1_000",
            "12:30",
            "1/min",
            "1e999",
            "++1",
            "+",
            ".",
        ] {
            for rules in [Rules::OWN_FILE, Rules::DOCUMENT] {
                let value = plain(text, rules).unwrap();
                assert!(matches!(value, Value::Text(t) if t == text), "{text}");
            }
        }
        for text in ["0x1F", "0o17", ".inf", "-.inf", ".NaN"] {
            let value = plain(text, Rules::OWN_FILE).unwrap();
            assert!(matches!(value, Value::Text(t) if t == text), "{text}");
        }
    }

    #[test]
    fn numbers_are_those_of_json() {
        for (text, wanted) in [
            ("-7", "-7"),
            ("+7", "7"),
            ("18446744073709551615", "18446744073709551615"),
            ("1.5", "1.5"),
            (".5", "0.5"),
            ("1e3", "1000.0"),
            ("0x1F", "31"),
            ("0o17", "15"),
        ] {
            let value = plain(text, Rules::DOCUMENT).unwrap();
            assert!(
                matches!(value, Value::Number(n) if n.to_string() == wanted),
                "{text}"
            );
        }
        assert!(plain(".inf", Rules::DOCUMENT).is_none());
    }
}
