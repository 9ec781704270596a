use super::*;

#[test]
fn ports_are_replaced_everywhere_and_only_once() {
    let ports = Ports {
        local: 8443,
        public: 8444,
        internal: 9101,
        admin: 1,
        upstream: 8080,
    };
    let all: Vec<(&str, String)> = files(&ports).collect();
    let server = &all
        .iter()
        .find(|(path, _)| *path == "portcullis.yaml")
        .unwrap()
        .1;
    assert!(
        server.contains("127.0.0.1:8443")
            && server.contains("127.0.0.1:9101")
            && server.contains("127.0.0.1:1\"")
    );
    let api = &all
        .iter()
        .find(|(path, _)| *path == "apis/field-service.yaml")
        .unwrap()
        .1;
    assert_eq!(api.matches("127.0.0.1:8080").count(), 2);
}

#[test]
fn the_files_are_written_and_every_integration_has_one() {
    let place = std::env::temp_dir().join(format!("brightline-gate-{}", std::process::id()));
    write_gate(&place, &Ports::default()).unwrap();
    for name in INTEGRATIONS {
        assert!(
            place.join(format!("integrations/{name}.yaml")).exists(),
            "{name}"
        );
    }
    fs::remove_dir_all(&place).unwrap();
}

#[test]
fn a_second_start_keeps_keys_and_certificates() {
    let place = std::env::temp_dir().join(format!("brightline-demo-{}", std::process::id()));
    let now = Timestamp::parse("2026-11-23").unwrap();
    prepare(&place, &Ports::default(), now).unwrap();
    let read = |path: &str| fs::read(place.join(path)).unwrap();
    let before = (
        read("ca.pem"),
        read("gate/tls/public.pem"),
        read("gate/kek"),
    );
    prepare(&place, &Ports::default(), now).unwrap();
    assert_eq!(
        before,
        (
            read("ca.pem"),
            read("gate/tls/public.pem"),
            read("gate/kek")
        )
    );
    assert!(crypto::Kek::parse(std::str::from_utf8(&before.2).unwrap()).is_ok());
    fs::remove_dir_all(&place).unwrap();
}
