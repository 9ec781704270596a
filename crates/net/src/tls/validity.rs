//! When a certificate ends, read from its DER. For warnings only: verification is always rustls' own.
//! Exports `not_after`. Pure; bounded by the input.
//! Used by `TlsSlot`.
//! Start reading at `not_after`.

use model::Timestamp;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of the validity period (RFC 5280 §4.1.2.5), or `None` for anything unexpected.
pub(crate) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (tag, certificate, _) = element(certificate)?;
    let (inner_tag, tbs, _) = element(certificate)?;
    if tag != SEQUENCE || inner_tag != SEQUENCE {
        return None;
    }
    // TBSCertificate: [0] version?, serialNumber, signature, issuer, validity, …
    let (tag, _, after) = element(tbs)?;
    let rest = if tag == EXPLICIT_VERSION { after } else { tbs };
    let (tag, _, rest) = element(rest)?;
    if tag != INTEGER {
        return None;
    }
    let (_, _, rest) = element(rest)?;
    let (_, _, rest) = element(rest)?;
    let (_, validity, _) = element(rest)?;
    let (_, _, rest) = element(validity)?;
    let (tag, end, _) = element(rest)?;
    moment(tag, std::str::from_utf8(end).ok()?)
}

/// Tag, content and what follows. Definite lengths up to 2^24 only, as DER demands.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0, |n, d| n << 8 | usize::from(*d));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn moment(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            // RFC 5280 §4.1.2.5.1: 50 and above are of the twentieth century.
            let century = if year < "50" { "20" } else { "19" };
            (format!("{century}{year}"), rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2);
    Timestamp::parse(&format!(
        "{year}-{}-{}T{}:{}:{}Z",
        part(0)?,
        part(2)?,
        part(4)?,
        part(6)?,
        part(8)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let mut params = rcgen::CertificateParams::new(vec![String::from("gate.test")]).unwrap();
        params.not_after = rcgen::date_time_ymd(2031, 7, 9);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let end = not_after(certificate.der()).map(|t| t.to_string());
        assert_eq!(end.as_deref(), Some("2031-07-09T00:00:00.000Z"));
        for cut in 0..certificate.der().len() {
            let _ = not_after(&certificate.der()[..cut]);
        }
    }

    #[test]
    fn both_centuries_and_both_forms_are_known() {
        let text = |tag, text| moment(tag, text).map(|t| t.to_string());
        assert_eq!(
            text(UTC_TIME, "491231235959Z").as_deref(),
            Some("2049-12-31T23:59:59.000Z")
        );
        assert_eq!(
            text(UTC_TIME, "500101000000Z").as_deref(),
            Some("1950-01-01T00:00:00.000Z")
        );
        assert_eq!(
            text(GENERALIZED_TIME, "20500101000000Z").as_deref(),
            Some("2050-01-01T00:00:00.000Z")
        );
        assert_eq!(text(UTC_TIME, "5001010000"), None);
    }
}
