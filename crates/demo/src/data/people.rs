//! Technicians and customers.
//! Exports `technicians`, `customers`, and the people, addresses and account numbers other records borrow.
//! Used by `World::grow`.
//! Start reading at `customers`.

use model::Json;

use super::words::{ABSENCES, COUNTRIES, Country, FAMILY, FIRM, GIVEN, SKILLS, STREETS, TRADE};
use super::{CUSTOMERS, Kind, PARTNERS, World, date, moment};
use crate::object;
use crate::record::{Fixed, ToJson, put};
use crate::split_mix::SplitMix64;

/// Forty people with salaries and home addresses.
pub fn technicians(world: &mut World, random: &mut SplitMix64) {
    for number in 1i64..=40 {
        let (given, family) = (random.pick(GIVEN), random.pick(FAMILY));
        let country = random.pick(COUNTRIES);
        let salary = random.between(31_000, 58_000).saturating_mul(100);
        let skills: Vec<&str> = (0..3).map(|_| random.pick(SKILLS)).collect();
        let employer = random.pick(&PARTNERS);
        let record = object! {
            "id": (100 + number).to_string(),
            "displayName": format!("{given} {}.", family.chars().next().unwrap_or('X')),
            "givenName": given,
            "familyName": family,
            "employer": employer,
            "skills": unrepeated(skills),
            "languages": vec!["en", country.0],
            "photoRef": format!("photo-{}", random.digits(8)),
            "van": format!("van-{}", random.between(1, 28)),
            "workPhone": phone(country, random),
            "privateMobile": phone(country, random),
            "privateEmail": format!("{}@home.example", ascii(given)),
            "homeAddress": address(country, random),
            "dateOfBirth": date(random.between(-20_000, -7_500)),
            "socialSecurityNumber": format!("{}-{}", random.digits(3), random.digits(6)),
            "salary": Fixed(salary),
            "hourlyCost": Fixed(salary / 1_650),
            "currency": country.4,
            "iban": iban(country.0, random),
            "absenceReason": random.is_lucky(15).then(|| random.pick(ABSENCES)),
            "position": object! { "latitude": degrees(random, 48, 55), "longitude": degrees(random, 0, 16) },
            "status": if random.is_lucky(90) { "active" } else { "away" },
            "createdAt": moment(-random.between(100, 3_000), 480),
            "updatedAt": moment(random.between(0, 260), random.between(400, 1_000)),
            "version": random.between(1, 30),
        };
        world.add(Kind::Technician, record);
    }
}

/// Four hundred companies and households.
pub fn customers(world: &mut World, random: &mut SplitMix64) {
    for number in 1..=CUSTOMERS {
        let country = random.pick(COUNTRIES);
        let is_company = random.is_lucky(70);
        let (given, family) = (random.pick(GIVEN), random.pick(FAMILY));
        let short = if is_company {
            format!("{} {}", random.pick(FIRM), random.pick(TRADE))
        } else {
            format!("{given} {family}")
        };
        let legal = if is_company {
            format!("{short} {}", country.1)
        } else {
            short.clone()
        };
        let domain = format!("{}.example", ascii(&short));
        let mut record = object! {
            "id": number.to_string(),
            "number": format!("C-{number:05}"),
            "kind": if is_company { "company" } else { "household" },
            "legalName": legal,
            "name": short,
            "taxId": is_company.then(|| format!("{}{}", country.0, random.digits(9))),
            "email": format!("office@{domain}"),
            "billingEmail": format!("invoices@{domain}"),
            "phone": phone(country, random),
            "language": language(country.0),
            "currency": country.4,
            "billingAddress": address(country, random),
        };
        if let Json::Object(members) = &mut record
            && let Json::Object(more) = confidential(country, (given, family), &domain, random)
        {
            members.extend(more);
        }
        // The first ones appear in the tour, so they are there for every seed.
        let is_there = random.is_lucky(96) || number <= 20;
        put(
            &mut record,
            "state",
            if is_there { "active" } else { "erased" },
        );
        world.add(Kind::Customer, record);
    }
}

/// The half of a customer that few may see.
fn confidential(
    country: Country,
    (given, family): (&str, &str),
    domain: &str,
    random: &mut SplitMix64,
) -> Json {
    object! {
        "contacts": vec![object! {
            "name": format!("{given} {family}"),
            "role": if random.is_lucky(50) { "facility manager" } else { "owner" },
            "email": format!("{}@{domain}", ascii(given)),
            "phone": phone(country, random),
        }],
        "iban": iban(country.0, random),
        "paymentToken": format!("tok_{:016x}", random.next()),
        "paymentTermsDays": random.pick(&[14i64, 30, 30, 60]),
        "creditLimit": Fixed(random.between(5, 400).saturating_mul(10_000)),
        "discountPercent": Fixed(random.between(0, 18).saturating_mul(100)),
        "riskScore": random.between(1, 100),
        "accountManager": format!("{} {}", random.pick(GIVEN), random.pick(FAMILY)),
        "internalNotes": random.pick(super::words::INTERNAL_NOTES),
        "marketingConsent": random.is_lucky(40),
        "satisfaction": random.between(1, 10),
        "tenantId": if random.is_lucky(85) { "brightline" } else { "brightline-north" },
        "partnerId": random.pick(&PARTNERS),
        "state": "active",
        "externalRefs": object! { "accounting": format!("DEB-{}", random.digits(6)), "crm": format!("rel-{}", random.digits(7)) },
        "createdAt": moment(-random.between(10, 2_500), random.between(420, 1_050)),
        "updatedAt": moment(random.between(0, 255), random.between(420, 1_050)),
        "version": random.between(1, 12),
    }
}

/// A postal address in this country.
pub fn address(country: Country, random: &mut SplitMix64) -> Json {
    object! {
        "street": format!("{} {}", random.pick(STREETS), random.between(1, 180)),
        "postalCode": random.digits(5),
        "city": country.2,
        "country": country.0,
    }
}

/// A telephone number from a range reserved for fiction.
pub fn phone(country: Country, random: &mut SplitMix64) -> String {
    format!("{}{}", country.3, random.digits(3))
}

/// An account number with a right check (ISO 7064 mod 97-10) at a bank that does not exist.
pub fn iban(country: &str, random: &mut SplitMix64) -> String {
    let account = format!("00{}", random.digits(16));
    let mut digits = account.clone();
    for letter in country.bytes().chain(*b"00") {
        match letter {
            b'A'..=b'Z' => digits.push_str(&(u32::from(letter - b'A') + 10).to_string()),
            _ => digits.push(char::from(letter)),
        }
    }
    let rest = digits
        .bytes()
        .fold(0u32, |sum, d| (sum * 10 + u32::from(d - b'0')) % 97);
    format!("{country}{:02}{account}", 98 - rest)
}

/// A coordinate with two digits.
pub fn degrees(random: &mut SplitMix64, low: i64, high: i64) -> Json {
    Fixed(random.between(low.saturating_mul(100), high.saturating_mul(100))).to_json()
}

/// The language spoken there.
pub fn language(country: &str) -> &'static str {
    match country {
        "DE" => "de",
        "FR" => "fr",
        "NL" => "nl",
        "PL" => "pl",
        "ES" => "es",
        _ => "en",
    }
}

/// Lower-case ASCII letters of a name; the others fall away or become their base letter.
pub fn ascii(name: &str) -> String {
    let folded = name.chars().flat_map(char::to_lowercase).map(|c| match c {
        'á' | 'à' | 'ä' | 'å' | 'ą' | 'ă' | 'â' | 'ã' => 'a',
        'é' | 'è' | 'ę' | 'ë' => 'e',
        'í' | 'ï' | 'ı' => 'i',
        'ó' | 'ö' | 'ø' | 'ő' => 'o',
        'ú' | 'ü' => 'u',
        'ł' => 'l',
        'ž' | 'ź' => 'z',
        'š' => 's',
        'ç' | 'ć' => 'c',
        'ñ' => 'n',
        c => c,
    });
    folded.filter(char::is_ascii_alphanumeric).collect()
}

fn unrepeated(mut words: Vec<&'static str>) -> Vec<&'static str> {
    words.sort_unstable();
    words.dedup();
    words
}
