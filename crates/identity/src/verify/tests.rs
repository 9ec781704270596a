use std::collections::BTreeMap;
use std::net::IpAddr;

use super::*;
use crate::credential::{CreateKeyRequest, Entropy, IssuedKey, create, revoke, rotate};
use crate::methods::METHODS;
use crate::{ApiKeySettings, CredentialTable, EXPIRED, Integrations, REASONS, REVOKED, Settings};
use crypto::{MacKey, Secret};
use model::{KeyId, Peer};
use proptest::prelude::*;

/// A world with one integration and the keys it was given.
struct Scene {
    table: CredentialTable,
    pepper: MacKey,
    integrations: Vec<IntegrationFacts>,
}

const HOME: &str = "10.20.0.7";

fn day(number: u32) -> Timestamp {
    Timestamp::from_micros(0).plus_days(number)
}

/// As an integration's file would say it, so that a new method changes nothing here.
fn settings(json: &str) -> Settings {
    serde_json::from_str(json).unwrap()
}

impl Scene {
    fn new() -> Scene {
        let facts = IntegrationFacts {
            id: model::IntegrationId::default(),
            name: "accounting".into(),
            attributes: Arc::new(BTreeMap::from([(
                String::from("partner"),
                String::from("north"),
            )])),
            is_paused: false,
            credentials: settings(r#"{"api_key":{}}"#),
            user_header: Some(String::from("x-user")),
        };
        Scene {
            table: CredentialTable::default(),
            pepper: MacKey::new(b"pepper"),
            integrations: vec![facts],
        }
    }

    fn facts(&mut self) -> &mut IntegrationFacts {
        &mut self.integrations[0]
    }

    fn issue(&mut self, number: u8) -> IssuedKey {
        let request = CreateKeyRequest {
            integration: "accounting",
            label: "",
            is_live: true,
            lasts: None,
        };
        let issued = create(
            &request,
            &ApiKeySettings::default(),
            &entropy(number),
            &self.pepper,
            day(10),
        );
        self.table = self.table.with(issued.record.clone());
        issued
    }

    fn ask(
        &self,
        headers: &[(&str, &str)],
        address: &str,
        now: Timestamp,
    ) -> Result<Caller, Box<Refusal>> {
        let mut sent = Headers::new();
        for (name, value) in headers {
            sent.push(name, value);
        }
        let address: IpAddr = address.parse().unwrap();
        let peer = Peer {
            address,
            address_text: model::text::shown(&address),
            port: 1,
            listener: "public".into(),
            listener_place: 0,
            tls: None,
        };
        let home: IpAddr = HOME.parse().unwrap();
        let integrations: Integrations = self.integrations.iter().cloned().collect();
        let world = VerifyContext {
            table: &self.table,
            digest_key: &self.pepper,
            integrations: &integrations,
            is_allowed_from: &|facts, address| &*facts.name == "accounting" && address == home,
        };
        verify(
            &Presented {
                method: model::Method::Get,
                authority: "api.example",
                path: "/v2/jobs",
                headers: &sent,
                peer: &peer,
                address,
            },
            &world,
            now,
        )
    }

    /// The code of the answer to a key sent from home on day 20.
    fn code(&self, headers: &[(&str, &str)]) -> &'static str {
        self.ask(headers, HOME, day(20))
            .map_or_else(|refusal| refusal.reason.code, |_| "accepted")
    }
}

fn entropy(number: u8) -> Entropy {
    Entropy {
        id: KeyId::from_bits(number.into()),
        random: Secret::new([number; 32]),
    }
}

fn bearer(issued: &IssuedKey) -> String {
    format!("Bearer {}", issued.key.expose())
}

#[test]
fn a_good_key_in_either_header_makes_a_caller() {
    let mut scene = Scene::new();
    let issued = scene.issue(1);
    let lower = bearer(&issued).replace("Bearer", "bEARER");
    for header in [
        ("Authorization", bearer(&issued)),
        ("authorization", lower),
        ("X-API-Key", issued.key.expose().clone()),
    ] {
        let caller = scene
            .ask(
                &[(header.0, &header.1), ("x-user", "o.brien@x")],
                HOME,
                day(20),
            )
            .unwrap();
        assert_eq!(&**caller.integration(), "accounting");
        assert_eq!(caller.principal().user.as_deref(), Some("o.brien@x"));
        assert_eq!(
            caller
                .principal()
                .attributes
                .get("partner")
                .map(String::as_str),
            Some("north")
        );
        assert_eq!(
            (caller.credential(), caller.method(), caller.is_live()),
            (issued.record.id, "api_key", true)
        );
        assert_eq!(caller.hint(), issued.record.hint);
        caller.touch(day(20));
    }
    assert_eq!(scene.table.take_uses(), [(issued.record.id, day(20))]);
}

#[test]
fn nothing_something_else_and_too_much_are_refused() {
    let mut scene = Scene::new();
    let issued = scene.issue(1);
    let key = bearer(&issued);
    assert_eq!(scene.code(&[]), "authn.missing");
    assert_eq!(
        scene.code(&[("cookie", &key), ("x-user", "a")]),
        "authn.missing"
    );
    for other in [
        "Basic dXNlcjpwYXNz",
        "Bearer",
        "Bearer ",
        "Bearer eyJhbGciOi",
        "",
        issued.key.expose(),
    ] {
        let code = scene.code(&[("authorization", other)]);
        assert!(code == "authn.invalid", "{other}: {code}");
    }
    assert_eq!(
        scene.code(&[("authorization", &key), ("x-api-key", issued.key.expose())]),
        "authn.invalid"
    );
    assert_eq!(
        scene.code(&[
            ("authorization", "Basic x"),
            ("x-api-key", issued.key.expose())
        ]),
        "authn.invalid"
    );
    assert_eq!(
        scene.code(&[("authorization", &key), ("authorization", &key)]),
        "authn.invalid"
    );
    assert_eq!(
        scene.code(&[("x-api-key", issued.key.expose()), ("x-api-key", "")]),
        "authn.invalid"
    );
}

#[test]
fn unknown_expired_and_revoked_keys_are_told_apart() {
    let mut scene = Scene::new();
    let issued = scene.issue(1);
    let key = bearer(&issued);
    let stranger = crate::ApiKey::generate([99; 32], true);
    assert_eq!(
        scene.code(&[("x-api-key", stranger.expose())]),
        "authn.invalid"
    );
    let late = scene
        .ask(&[("authorization", &key)], HOME, issued.record.expires_at)
        .unwrap_err();
    assert_eq!(late.reason, &EXPIRED);
    scene.table = scene.table.with(revoke(&issued.record, "leaked", day(15)));
    assert_eq!(scene.code(&[("authorization", &key)]), "authn.revoked");
    scene.table = scene.table.without(issued.record.id);
    assert_eq!(scene.code(&[("authorization", &key)]), "authn.invalid");
}

#[test]
fn both_keys_of_a_rotation_work_and_then_only_the_new_one() {
    let mut scene = Scene::new();
    let old = scene.issue(1);
    let (new, replaced) = rotate(
        &old.record,
        &ApiKeySettings::default(),
        &entropy(2),
        &scene.pepper,
        day(20),
    )
    .unwrap();
    scene.table = scene.table.with(new.record.clone()).with(replaced);
    let accepted = |issued: &IssuedKey, now| {
        scene
            .ask(&[("authorization", &bearer(issued))], HOME, now)
            .is_ok()
    };
    assert!(accepted(&old, day(20)) && accepted(&new, day(20)));
    assert!(!accepted(&old, day(21)) && accepted(&new, day(21)));
}

#[test]
fn the_integration_is_judged_after_the_key() {
    let mut scene = Scene::new();
    let issued = scene.issue(1);
    let key = bearer(&issued);
    let elsewhere = scene
        .ask(&[("authorization", &key)], "192.0.2.1", day(20))
        .unwrap_err();
    assert_eq!(
        (elsewhere.reason.code, elsewhere.status),
        ("authn.address_not_allowed", 403)
    );
    scene.facts().is_paused = true;
    assert_eq!(
        scene.code(&[("authorization", &key)]),
        "authn.integration_paused"
    );
    let stranger = crate::ApiKey::generate([99; 32], true);
    assert_eq!(
        scene.code(&[("x-api-key", stranger.expose())]),
        "authn.invalid",
        "a stranger learns of no pause"
    );
    scene.facts().credentials = settings("{}");
    assert_eq!(scene.code(&[("authorization", &key)]), "authn.invalid");
    scene.integrations.clear();
    assert_eq!(scene.code(&[("authorization", &key)]), "authn.invalid");
}

#[test]
fn a_shorter_max_age_in_the_configuration_ends_old_keys() {
    let mut scene = Scene::new();
    let issued = scene.issue(1);
    scene.facts().credentials.api_key = Some(ApiKeySettings {
        max_age: "5d".parse().unwrap(),
        ..ApiKeySettings::default()
    });
    assert_eq!(
        scene.code(&[("authorization", &bearer(&issued))]),
        EXPIRED.code
    );
    scene.table = scene.table.with(revoke(&issued.record, "", day(11)));
    assert_eq!(
        scene.code(&[("authorization", &bearer(&issued))]),
        REVOKED.code
    );
}

#[test]
fn an_unreadable_user_is_refused_and_an_absent_one_is_fine() {
    let mut scene = Scene::new();
    let key = bearer(&scene.issue(1));
    assert_eq!(scene.code(&[("authorization", &key)]), "accepted");
    let long = "x".repeat(129);
    for user in ["", " a", "a\tb", "ü", &long] {
        assert_eq!(
            scene.code(&[("authorization", &key), ("x-user", user)]),
            "authn.user_malformed",
            "{user:?}"
        );
    }
    assert_eq!(
        scene.code(&[("authorization", &key), ("x-user", "a"), ("x-user", "b")]),
        "authn.user_malformed"
    );
    scene.facts().user_header = None;
    let caller = scene
        .ask(&[("authorization", &key), ("x-user", "a")], HOME, day(20))
        .unwrap();
    assert_eq!(
        caller.principal().user,
        None,
        "an unconfigured header names nobody"
    );
}

#[test]
fn no_refusal_and_no_debug_form_holds_any_part_of_the_key() {
    let mut scene = Scene::new();
    let issued = scene.issue(1);
    let body = issued.key.expose().get(12..53).unwrap();
    let texts = [
        bearer(&issued),
        format!("{}x", bearer(&issued)),
        bearer(&issued).replace("live", "test"),
        format!("Basic {body}"),
    ];
    scene.facts().is_paused = true;
    for text in &texts {
        let refusal = scene
            .ask(&[("authorization", text)], HOME, day(20))
            .unwrap_err();
        assert!(!format!("{refusal:?}").contains(body));
    }
    scene.facts().is_paused = false;
    let caller = scene
        .ask(&[("authorization", &texts[0])], HOME, day(20))
        .unwrap();
    assert!(!format!("{caller:?} {:?}", scene.table).contains(body));
}

#[test]
fn the_registry_is_sorted_and_its_reasons_are_listed() {
    assert!(METHODS.is_sorted_by(|a, b| a.name < b.name));
    let all = crate::reasons();
    let of_methods = METHODS.iter().flat_map(|method| method.reasons);
    for reason in of_methods.chain(REASONS) {
        let known = all.iter().filter(|known| known.code == reason.code);
        assert_eq!(known.count(), 1, "{}", reason.code);
    }
    assert!(
        all.iter()
            .all(|reason| reason.code.starts_with("authn.") && reason.stage == model::Stage::Authn)
    );
    assert!(crate::methods::credential_headers().all(|name| name == name.to_ascii_lowercase()));
}

#[test]
fn settings_are_strict_and_have_sound_defaults() {
    let read = |json: &str| serde_json::from_str::<Settings>(json);
    let rules = read(r#"{"api_key":{"max_age":"30d"}}"#)
        .unwrap()
        .api_key
        .unwrap();
    assert_eq!(
        (rules.max_age.to_string(), rules.overlap().to_string()),
        (String::from("30d"), String::from("1d"))
    );
    assert_eq!(
        read("{}").unwrap().api_key,
        None,
        "a kind that is not listed is not accepted"
    );
    for wrong in [
        r#"{"api_keys":{}}"#,
        r#"{"api_key":{"maxage":"1d"}}"#,
        r#"{"api_key":{"max_age":90}}"#,
        r#"{"api_key":{"max_age":"0d"}}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn settings_that_make_no_sense_are_named_with_their_place() {
    let found = |json: &str| -> Vec<String> {
        let settings = serde_json::from_str::<Settings>(json).unwrap();
        let found = crate::check(&settings);
        assert!(found.iter().all(|mistake| !mistake.help.is_empty()));
        found.into_iter().filter_map(|m| m.pointer).collect()
    };
    for (json, pointers) in [
        (r#"{"api_key":{}}"#, &[][..]),
        (r#"{"api_key":{"max_age":"1m","user_header":"X-Who"}}"#, &[]),
        ("{}", &[""]),
        (r#"{"api_key":{"max_age":"59s"}}"#, &["/api_key/max_age"]),
        (r#"{"api_key":{"max_age":"731d"}}"#, &["/api_key/max_age"]),
        (
            r#"{"api_key":{"max_age":"10d","overlap":"11d"}}"#,
            &["/api_key/overlap"],
        ),
        (
            r#"{"api_key":{"user_header":"X-Api-Key"}}"#,
            &["/api_key/user_header"],
        ),
        (
            r#"{"api_key":{"user_header":"a b"}}"#,
            &["/api_key/user_header"],
        ),
    ] {
        assert_eq!(found(json), pointers, "{json}");
    }
}

proptest! {
    #[test]
    fn no_changed_key_is_ever_accepted(random: [u8; 32], at in 0..57_usize, other in "[ -~]", drop_one: bool) {
        let mut scene = Scene::new();
        let request = CreateKeyRequest { integration: "accounting", label: "", is_live: true, lasts: None };
        let entropy = Entropy { id: KeyId::from_bits(1), random: Secret::new(random) };
        let issued = create(&request, &ApiKeySettings::default(), &entropy, &scene.pepper, day(10));
        scene.table = scene.table.with(issued.record.clone());
        let mut key = issued.key.expose().clone();
        key.replace_range(at..at + 1, if drop_one { "" } else { &other });
        let is_same = key == *issued.key.expose();
        // White space at the ends belongs to the field, not to the value (RFC 9110 §5.5).
        prop_assume!(is_same || key.trim() == key);
        prop_assert_eq!(scene.code(&[("authorization", &format!("Bearer {key}"))]) == "accepted", is_same);
    }

    #[test]
    fn no_header_text_breaks_the_judge(name in "(authorization|x-api-key|x-user)", value: Vec<u8>) {
        let scene = Scene::new();
        let value = String::from_utf8_lossy(&value).into_owned();
        prop_assert_ne!(scene.code(&[(&name, &value)]), "accepted");
    }
}

#[test]
fn a_bound_credential_needs_the_certificate_it_is_bound_to() {
    let mut scene = Scene::new();
    let issued = scene.issue(1);
    let entry = scene.table.get(issued.record.id).unwrap();
    let mut verified = Verified {
        credential: Arc::clone(entry.reference()),
        scopes: crate::verified::Scopes::All,
        binding: Binding::Certificate([7; 32]),
        person: None,
        expires_at: day(30),
    };
    let headers = Headers::new();
    let ask = |verified: &Verified, shown: Option<Option<[u8; 32]>>| {
        let address: IpAddr = HOME.parse().unwrap();
        let peer = Peer {
            address,
            address_text: model::text::shown(&address),
            port: 1,
            listener: "public".into(),
            listener_place: 0,
            tls: shown.map(|client_certificate| model::http::Tls {
                version: "1.3",
                group: None,
                server_name: None,
                client_certificate,
            }),
        };
        let presented = Presented {
            method: model::Method::Get,
            authority: "api.example",
            path: "/v2/jobs",
            headers: &headers,
            peer: &peer,
            address,
        };
        bound(verified, &presented).map_err(|refusal| refusal.reason.code)
    };
    assert_eq!(ask(&verified, Some(Some([7; 32]))), Ok(()));
    for shown in [None, Some(None), Some(Some([8; 32]))] {
        assert_eq!(ask(&verified, shown), Err("authn.binding_mismatch"));
    }
    verified.binding = Binding::Bearer;
    assert_eq!(ask(&verified, None), Ok(()));
}

#[test]
fn a_credential_finds_its_integration_in_every_configuration() {
    let facts = |name: &str| IntegrationFacts {
        name: name.into(),
        ..Scene::new().integrations.remove(0)
    };
    let mut scene = Scene::new();
    let entry = |scene: &mut Scene| {
        let id = scene.issue(1).record.id;
        Arc::clone(scene.table.get(id).unwrap().reference())
    };
    let credential = entry(&mut scene);
    for (names, is_there) in [
        (vec!["accounting"], true),
        (vec!["aaa", "bbb", "accounting"], true),
        (vec!["accounting", "bbb"], true),
        // Where it stood before, another stands now.
        (vec!["aaa", "bbb"], false),
        (vec![], false),
        (vec!["aaa", "accounting"], true),
    ] {
        let all: Integrations = names.iter().map(|name| facts(name)).collect();
        for _ in 0..2 {
            let found = all.of(&credential).map(|facts| &*facts.name);
            assert_eq!(found, is_there.then_some("accounting"), "{names:?}");
        }
    }
}
