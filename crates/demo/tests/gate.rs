//! The demo's configuration is an example: no mistake, no warning.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

use config::{Compiled, Files, Options};
use demo::gate::files;
use demo::{INTEGRATIONS, Ports};
use model::Timestamp;

fn compiled(ports: &Ports) -> Compiled {
    let mut all = Files::new();
    for (path, text) in files(ports) {
        all.insert(path, text.into_bytes());
    }
    let options = Options {
        now: Timestamp::parse("2026-11-23T12:00:00Z").unwrap(),
    };
    let shown = |mistakes: &[model::Mistake]| -> String {
        mistakes
            .iter()
            .map(|m| config::render(m, &all))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let (compiled, warnings) =
        config::compile(&all, options).unwrap_or_else(|mistakes| panic!("{}", shown(&mistakes)));
    assert!(warnings.is_empty(), "{}", shown(&warnings));
    compiled
}

#[test]
fn the_demo_configuration_has_no_mistakes_and_no_warnings() {
    let compiled = compiled(&Ports::default());
    let mut names: Vec<&str> = compiled.integrations.keys().map(|name| &**name).collect();
    names.sort_unstable();
    assert_eq!(names, INTEGRATIONS);
    let (exposed, declared) = compiled.operation_counts();
    assert_eq!(declared, 68);
    assert!(exposed > 55, "{exposed}");
}

#[test]
fn it_compiles_on_other_ports_too() {
    let ports = Ports {
        local: 18080,
        public: 18443,
        internal: 18444,
        admin: 18081,
        upstream: 19101,
    };
    let compiled = compiled(&ports);
    let local = compiled.listener("local").unwrap();
    assert_eq!(local.address.port(), 18080);
}
