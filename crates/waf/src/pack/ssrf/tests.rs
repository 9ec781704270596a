//! Addresses in fields for addresses, addresses that are a whole text, and hosts that a sentence mentions.

use super::*;
use crate::hosts::HostPattern;

fn found(text: &str, is_typed: bool, hosts: &[&str]) -> Option<&'static str> {
    let hosts = hosts.iter().map(|host| HostPattern::parse(host).unwrap());
    let hosts = Hosts(hosts.collect());
    let reach = Reach {
        is_typed,
        hosts: &hosts,
    };
    judge(text.as_bytes(), reach).map(|hit| hit.id)
}

/// What a field for addresses must not hold, whatever parser reads it.
const INTERNAL_ADDRESSES: [&str; 34] = [
    "http://web:8091",
    "http://web",
    "HTTP://WEB/",
    "http://web./x",
    "http://db:5432",
    "http://user@web/",
    "https://user:pass@db/",
    "http:web/x",
    "http:\\\\web\\x",
    "//web/x",
    "///web/x",
    "\\\\nas\\photos",
    "web:8091/x",
    "redis://cache:6379/0",
    "postgresql://db/orders",
    "http://kitchen.internal",
    "http://kitchen.internal./menu",
    "https://plc01.plant.local/",
    "http://orders.shop.svc/",
    "http://orders.shop.svc.cluster.local/",
    "http://ip-10-0-0-1.eu-west-1.compute.internal/",
    "http://localhost.",
    "http://localhost.localdomain/",
    "http://host.docker.internal",
    "http://metadata.google.internal",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2001:0:4136:e378:8000:63bf:f5ff:fffe]/",
    "http://[fec0::1]/",
    "http://224.0.0.1/",
    "http://ｗｅｂ/",
];

#[test]
fn a_field_for_addresses_holds_no_internal_one() {
    for text in INTERNAL_ADDRESSES {
        assert!(found(text, true, &[]).is_some(), "{text}");
    }
}

#[test]
fn public_addresses_pass_in_every_field() {
    for text in [
        "https://hooks.example.org/x",
        "https://user:pass@hooks.example.org/x",
        "https://example.org/a//b",
        "https://example.org//web/x",
        "http://203.0.113.9:8080/x",
        "https://xn--kse-qla.example/",
        "https://käse.example/",
        "//cdn.example.org/a.png",
        "/photos/1.png",
        "photos/1.png",
        "../photos/1.png",
        "?page=2",
        "#top",
        "mailto:anna@example.org",
        "urn:isbn:9783161484100",
        "tel:112",
        "tel:+49-89-123",
        "app://home",
        "s3://orders/1.png",
        "https://internal.example.org/",
        "https://sso.example.org/?next=%2Fhome",
        "",
    ] {
        assert_eq!(found(text, true, &[]), None, "{text}");
        assert_eq!(found(text, false, &[]), None, "{text}");
    }
}

#[test]
fn a_text_that_is_nothing_but_an_internal_address_is_refused_too() {
    for text in [
        "http://web:8091",
        "http://db:5432/x",
        "http://kitchen.internal",
        "https://plc01.plant.local/a",
        "ws://cache:6379",
    ] {
        assert_eq!(found(text, false, &[]), Some(NAME.id), "{text}");
    }
    for text in [
        "http://intranet/wiki/pump",
        "\\\\nas\\photos",
        "smb://nas.local/photos",
        "web:8091",
    ] {
        assert_eq!(found(text, false, &[]), None, "{text}");
    }
}

#[test]
fn a_sentence_may_mention_a_host() {
    for text in [
        "The page http://web:8091/status shows errors, ask for the password of db:5432.",
        "see http://kitchen.internal or http://plc01.plant.local:80/ (local)",
        "kitchen.internal does not answer",
        "reboot web, then db; intranet is down",
        "http://web:8091 is down",
    ] {
        assert_eq!(found(text, false, &[]), None, "{text}");
    }
}

#[test]
fn allowed_hosts_pass_and_their_neighbours_do_not() {
    let hosts = ["web", "*.plant.internal", "10.0.4.17", "fd00::17"];
    for text in [
        "http://web:8091/x",
        "http:web",
        "https://cam1.plant.internal/x",
        "http://10.0.4.17/x",
        "http://[fd00::17]:80/",
    ] {
        assert!(found(text, true, &[]).is_some(), "{text}");
        assert_eq!(found(text, true, &hosts), None, "{text}");
        assert_eq!(found(text, false, &hosts), None, "{text}");
    }
    for text in [
        "http://db/",
        "http://web.internal/",
        "http://10.0.4.18/",
        "http://10.0.1041/",
        "http://0xa000411/",
        "http://[::ffff:10.0.4.17]/",
        "http://web@db/",
        "http://10.0.4.18@web/",
        "http://169.254.169.254/",
    ] {
        assert!(found(text, true, &hosts).is_some(), "{text}");
    }
}
