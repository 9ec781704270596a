//! Numbers that are told by their check digits: payment cards and bank accounts, wherever they stand in a text.
//! Exports `cards`, `ibans`. No patterns: their shapes would match in every answer.
//! Used by `LeakScanner::find`.
//! Start reading at `cards`.

/// Fewest digits of a card; thirteen are article numbers today, no card is issued with so few.
const DIGITS_MIN: usize = 14;
/// Most digits of a card.
const DIGITS_MAX: usize = 19;

/// The places of card numbers: their digits together, or in groups that begin with four, as cards print them. What stands
/// before or behind, such as the month a card ends, is not part of the number.
pub(super) fn cards(text: &[u8], mut found: impl FnMut(usize, usize)) {
    if !has_long_number(text) {
        return;
    }
    let groups = groups(text);
    let mut next = 0;
    while let Some(first) = groups.get(next) {
        next += 1;
        // What follows a point are the decimals of a number.
        if first.0 > 0 && text.get(first.0 - 1) == Some(&b'.') {
            continue;
        }
        let rest = groups.get(next - 1..).unwrap_or_default();
        if let Some((count, end)) = card(text, rest) {
            found(first.0, end);
            next += count - 1;
        }
    }
}

/// The card number that begins with the first of these groups: how many groups it takes, and where it ends.
fn card(text: &[u8], groups: &[(usize, usize)]) -> Option<(usize, usize)> {
    let first = groups.first()?;
    let separator = text.get(first.1).copied();
    let is_printed = first.1 - first.0 == 4 && matches!(separator, Some(b' ' | b'-'));
    let (mut digits, mut end, mut best) = (Vec::new(), first.0, None);
    for (count, group) in (1..).zip(groups) {
        let is_joined =
            count == 1 || (is_printed && group.0 == end + 1 && text.get(end).copied() == separator);
        if !is_joined {
            break;
        }
        let piece = text.get(group.0..group.1).unwrap_or_default();
        digits.extend(piece.iter().map(|byte| u32::from(byte - b'0')));
        end = group.1;
        if digits.len() > DIGITS_MAX {
            break;
        }
        if is_card(&digits) {
            best = Some((count, end));
        }
    }
    best
}

/// Digits that stand together, as from and to.
fn groups(text: &[u8]) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for (at, _) in text.iter().enumerate().filter(|(_, b)| b.is_ascii_digit()) {
        match out.last_mut() {
            Some(group) if group.1 == at => group.1 = at + 1,
            _ => out.push((at, at + 1)),
        }
    }
    out
}

/// ISO/IEC 7812-1: a prefix cards have, with the length it goes with, and the last digit by the Luhn formula.
fn is_card(digits: &[u32]) -> bool {
    if digits.len() < DIGITS_MIN || digits.iter().all(|digit| Some(digit) == digits.first()) {
        return false;
    }
    let head = digits
        .iter()
        .take(4)
        .fold(0, |head, digit| head * 10 + digit);
    let is_known = match head {
        4000..=4999 => matches!(digits.len(), 16 | 19),
        5100..=5599 | 2221..=2720 => digits.len() == 16,
        3400..=3499 | 3700..=3799 => digits.len() == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => true,
        3528..=3589 | 6011 | 6200..=6299 | 6440..=6599 => digits.len() >= 16,
        5000..=5099 | 5600..=5899 => true,
        _ => false,
    };
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let places = digits.iter().rev().enumerate();
    let sum: u32 = places
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ => doubled(*digit),
        })
        .sum();
    is_known && sum.is_multiple_of(10)
}

/// Whether fourteen digits may stand together, at most one byte between two of them. Such a place is at least fourteen
/// bytes long, so one of every thirteen probes falls into it with the byte behind, and one of the two is a digit.
fn has_long_number(text: &[u8]) -> bool {
    let is_part = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b' ' | b'-');
    let count = |place: &[u8]| place.iter().filter(|byte| byte.is_ascii_digit()).count();
    (0..text.len()).step_by(DIGITS_MIN - 1).any(|probe| {
        let (before, behind) = text.split_at(probe);
        if !behind.iter().take(2).any(u8::is_ascii_digit) {
            return false;
        }
        // More than a card is long is not looked at, so that a text of digits costs no more than others.
        let near = 2 * DIGITS_MAX;
        let before = before.iter().rev().take(near).take_while(is_part).count();
        let behind = behind.iter().take(near).take_while(is_part).count();
        count(text.get(probe - before..probe + behind).unwrap_or_default()) >= DIGITS_MIN
    })
}

/// ISO 13616: countries with the length of their account numbers.
const COUNTRIES: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The places of account numbers, in groups or together. Every one begins with two letters and two digits: of two bytes
/// that follow each other one is looked at, so one of the digits is.
pub(super) fn ibans(text: &[u8], mut found: impl FnMut(usize, usize)) {
    let mut done = 0;
    for probe in (0..text.len()).step_by(2) {
        if !text.get(probe).is_some_and(u8::is_ascii_digit) {
            continue;
        }
        for from in [probe.checked_sub(3), probe.checked_sub(2)]
            .into_iter()
            .flatten()
        {
            if from < done {
                continue;
            }
            if let Some(to) = iban(text, from) {
                found(from, to);
                done = to;
            }
        }
    }
}

/// Where the account number that begins here ends.
fn iban(text: &[u8], from: usize) -> Option<usize> {
    let is_inside = |at: Option<usize>| {
        at.and_then(|at| text.get(at))
            .is_some_and(u8::is_ascii_alphanumeric)
    };
    let rest = text.get(from..)?;
    let is_begun = rest.iter().take(2).all(u8::is_ascii_alphabetic)
        && rest.len() > 4
        && rest.iter().skip(2).take(2).all(u8::is_ascii_digit)
        && !is_inside(from.checked_sub(1));
    if !is_begun {
        return None;
    }
    let country = [
        rest.first()?.to_ascii_uppercase(),
        rest.get(1)?.to_ascii_uppercase(),
    ];
    let (_, length) = COUNTRIES.iter().find(|(known, _)| **known == country)?;
    let (mut letters, mut to) = (Vec::with_capacity(34), from);
    while letters.len() < *length {
        match text.get(to)? {
            byte if byte.is_ascii_alphanumeric() => letters.push(byte.to_ascii_uppercase()),
            b' ' if is_inside(to.checked_sub(1)) => {}
            _ => return None,
        }
        to += 1;
    }
    (!is_inside(Some(to)) && is_account(&letters)).then_some(to)
}

/// The rearranged number leaves 1 when divided by 97.
fn is_account(letters: &[u8]) -> bool {
    let (head, tail) = letters.split_at(letters.len().min(4));
    let rest = tail.iter().chain(head).fold(0u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        cards(text.as_bytes(), |from, to| {
            out.push(text.get(from..to).unwrap().to_owned())
        });
        ibans(text.as_bytes(), |from, to| {
            out.push(text.get(from..to).unwrap().to_owned())
        });
        out
    }

    #[test]
    fn what_stands_around_a_number_does_not_hide_it() {
        for (text, number) in [
            ("Room 23 4111 1111 1111 1111 12/27", "4111 1111 1111 1111"),
            ("23 4111111111111111 12/27 123", "4111111111111111"),
            ("4111-1111-1111-1111-12", "4111-1111-1111-1111"),
            (
                "amex 3782 822463 10005, diners 3056 930902 5904",
                "3782 822463 10005",
            ),
            (
                "an 12ab DE89 3704 0044 0532 0130 00 danke",
                "DE89 3704 0044 0532 0130 00",
            ),
            (
                "ab12 cdef de89370400440532013000 and more",
                "de89370400440532013000",
            ),
            ("NO9386011117947", "NO9386011117947"),
        ] {
            assert_eq!(
                found(text).first().map(String::as_str),
                Some(number),
                "{text}"
            );
        }
        assert_eq!(found("4111 1111 1111 1111 5500 0000 0000 0004").len(), 2);
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "EAN 4006381333931",
            "order 4711471147114711",
            "0.4111111111111111",
            "4111 1111 1111 1112",
            "1111111111111111",
            "030 1234567 0171 2345678 0172 99",
            "XX89 3704 0044 0532 0130 00",
            "DE89 3704 0044 0532 0130 001",
            "ADE89370400440532013000",
            "DE89",
            "DE8",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_number_is_found_wherever_it_stands(
            before in "[a-zA-Z0-9{}:,. -]{0,40}",
            after in "[a-zA-Z0-9{}:,. -]{0,40}",
        ) {
            for number in ["4111 1111 1111 1111", "30569309025904", "DE89 3704 0044 0532 0130 00"] {
                let text = format!("{before}/{number}/{after}");
                proptest::prop_assert!(found(&text).iter().any(|one| one == number), "{}", text);
            }
        }

        #[test]
        fn no_text_is_too_strange(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let mut count = 0;
            cards(&text, |from, to| count += to - from);
            ibans(&text, |from, to| count += to - from);
            proptest::prop_assert!(count <= 2 * text.len());
        }
    }
}
