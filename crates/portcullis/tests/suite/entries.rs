//! Every entry of a configuration directory is read, refused or ignored by a pattern that the manual names: whatever becomes
//! of the file of a policy, the configuration is not accepted without it.
//! Start reading at `no_spelling_of_a_policy_is_accepted_without_it`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use testkit::{Ended, Gate, RecordingUpstream, run};

use crate::program;

const POLICY: &str = "@id(\"nobody-deletes\")\nforbid (principal, action == notes::v1::Action::\"deleteNote\", resource);\n";
const FILE: &str = "policies/frozen.cedar";

fn gate() -> (Gate, RecordingUpstream) {
    let upstream = RecordingUpstream::always("{}");
    let gate = Gate::small(upstream.address());
    gate.write(FILE, POLICY);
    (gate, upstream)
}

fn check(gate: &Gate) -> Ended {
    let dir = gate.dir();
    run(
        program(),
        gate,
        &["check", dir.to_str().unwrap(), "--verbose"],
    )
}

#[track_caller]
fn assert_refused(gate: &Gate, what: &str, named: &str) {
    // Compiles the same files, without proofs about the rules: sooner than `check`.
    let ended = run(program(), gate, &["access", "alpha"]);
    assert_eq!(ended.code, Some(78), "{what} is accepted: {ended:?}");
    assert!(
        ended.stderr.contains(named),
        "{what}: `{named}` is not named: {}",
        ended.stderr
    );
}

/// Puts the policy where it would not be read.
fn moved(gate: &Gate, to: &str) {
    let (from, to) = (gate.dir().join(FILE), gate.dir().join(to));
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, to).unwrap();
}

#[test]
fn no_spelling_of_a_policy_is_accepted_without_it() {
    let (gate, _upstream) = gate();
    let fine = check(&gate);
    assert_eq!(fine.code, Some(0), "{fine:?}");
    for to in [
        "policies/frozen.cedar.txt",
        "policies/frozen.CEDAR",
        "policies/frozen.Cedar",
        "policies/frozen.cedar ",
        "policies/frozen",
        "policies/frozen.cedar.disabled",
        "policies/.frozen.cedar",
        "policies/more/frozen.cedar",
        "policies/more/frozen.txt",
        "policies/.more/frozen.cedar",
        "policies/README.cedar.txt",
        "policies/frozen.yaml",
        "frozen.cedar",
        "frozen.cedar.txt",
        "frozen.CEDAR",
        "other/frozen.cedar",
        "tls/frozen.cedar",
        "apis/frozen.cedar",
    ] {
        moved(&gate, to);
        let named = to
            .strip_suffix("/frozen.cedar")
            .filter(|_| to.contains("/.more"))
            .unwrap_or(to);
        assert_refused(&gate, to, named.trim_end());
        fs::rename(gate.dir().join(to), gate.dir().join(FILE)).unwrap();
        for dir in ["policies/more", "policies/.more", "other", "tls"] {
            drop(fs::remove_dir(gate.dir().join(dir)));
        }
    }
    for dir in ["Policies", "policy", "POLICIES"] {
        fs::rename(gate.dir().join("policies"), gate.dir().join(dir)).unwrap();
        assert_refused(&gate, dir, "Did you mean `policies/`?");
        fs::rename(gate.dir().join(dir), gate.dir().join("policies")).unwrap();
    }
    // What looks like a store does not hide the policies beside it; an empty directory there is said, and no more.
    fs::create_dir_all(gate.dir().join("policies/ledger")).unwrap();
    assert_eq!(check(&gate).code, Some(2));
    moved(&gate, "policies/ledger/frozen.cedar");
    assert_refused(&gate, "a store's directory", "policies/ledger/frozen.cedar");
}

#[test]
fn what_is_no_file_is_refused_wherever_it_lies() {
    let (gate, _upstream) = gate();
    for place in [
        FILE,
        "policies/other.cedar",
        "integrations/gamma.yaml",
        "roles/r.yaml",
        "apis/more.yaml",
        "stray",
        "docs/x",
    ] {
        let path = gate.dir().join(place);
        let before = fs::read(&path).ok();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let put = |make: &dyn Fn(&Path), what: &str| {
            drop(fs::remove_file(&path));
            make(&path);
            assert_refused(&gate, &format!("{what} at {place}"), place);
            fs::remove_file(&path).unwrap();
        };
        put(&|path| symlink("nowhere", path).unwrap(), "a dangling link");
        put(
            &|path| symlink(path.file_name().unwrap(), path).unwrap(),
            "a link to itself",
        );
        put(&|path| drop(UnixListener::bind(path).unwrap()), "a socket");
        put(
            &|path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
            "a pipe",
        );
        if let Some(bytes) = before {
            fs::write(&path, bytes).unwrap();
        }
    }
    let name = gate
        .dir()
        .join("policies")
        .join(OsStr::from_bytes(b"fro\xffzen.cedar"));
    fs::write(&name, POLICY).unwrap();
    assert_refused(&gate, "a name that is not UTF-8", "not UTF-8");
    fs::remove_file(&name).unwrap();
    // A link that leads to a file is that file.
    fs::rename(gate.dir().join(FILE), gate.home().join("frozen.cedar")).unwrap();
    symlink("../../frozen.cedar", gate.dir().join(FILE)).unwrap();
    assert_eq!(check(&gate).code, Some(0));
}

#[test]
fn other_files_are_refused_where_they_could_be_meant_and_said_where_they_could_not() {
    let (gate, _upstream) = gate();
    for place in [
        "integrations/gamma.yml",
        "integrations/gamma.YAML",
        "integrations/notes.txt",
        "integrations/sub/gamma.yaml",
        "roles/r.json",
        "roles/r.yaml.disabled",
        "overlays/o.YML",
        "apis/notes.v3.yaml",
        "apis/more.yml",
        "apis/more.txt",
        "Portcullis.yaml",
        "portcullis.yml",
        "portcullis.yaml.txt",
    ] {
        let text = if place.starts_with("apis/") {
            "owner: a\nversions: {}\n"
        } else {
            "owner: a\n"
        };
        gate.write(place, text);
        assert_refused(&gate, place, place);
        gate.remove(place);
        drop(fs::remove_dir(gate.dir().join("integrations/sub")));
    }
    for place in ["Makefile", "docs/logo.png", ".env", ".terraform/state"] {
        gate.write(place, "x");
        let ended = check(&gate);
        assert_eq!(ended.code, Some(2), "{place}: {ended:?}");
        assert!(
            ended.stderr.contains("nothing reads this file"),
            "{place}: {}",
            ended.stderr
        );
        gate.remove(place);
    }
}

#[test]
fn what_is_ignored_is_named_by_a_pattern_of_the_manual() {
    let (gate, _upstream) = gate();
    let manual = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md"),
    )
    .unwrap();
    for (place, pattern) in [
        ("policies/frozen.cedar~", "*~"),
        ("policies/.frozen.cedar.swp", ".*.swp"),
        ("policies/README.md", "README*"),
        ("policies/#frozen.cedar#", "#*#"),
        ("roles/.gitkeep", ".gitkeep"),
        (".git/policies/x.cedar", ".git"),
        ("apis/notes.yaml.orig", "*.orig"),
        ("..data/policies/x.cedar", "..*"),
        ("LICENSE", "LICENSE*"),
    ] {
        gate.write(place, "not configuration");
        let ended = check(&gate);
        assert_eq!(ended.code, Some(0), "{place}: {ended:?}");
        assert!(
            ended.stdout.contains(&format!("({pattern})")),
            "{place}: {}",
            ended.stdout
        );
        assert!(
            manual.contains(&format!("`{pattern}`")),
            "{pattern} is not in the manual"
        );
        gate.remove(place);
    }
    symlink("user@host.1:2", gate.dir().join("policies/.#frozen.cedar")).unwrap();
    assert_eq!(check(&gate).code, Some(0), "the lock of an editor");
}

#[test]
fn parts_of_a_contract_beside_the_catalogue_are_no_apis() {
    let (gate, _upstream) = gate();
    gate.write("apis/resp.yaml", "Note: { type: object, properties: { id: { $ref: 'id.yaml#/Id' }, title: { type: string }, text: { type: string }, \
         owner: { type: string }, amount: { type: number } } }\n");
    gate.write("apis/id.yaml", "Id: { type: string }\n");
    let contract = "apis/notes.v1.openapi.yaml";
    gate.edit(
        contract,
        "content: { application/json: { schema: { type: array, items: { $ref: \"#/components/schemas/Note\" } } } }\n    post:",
        "content: { application/json: { schema: { type: array, items: { $ref: \"./resp.yaml#/Note\" } } } }\n    post:",
    );
    let ended = check(&gate);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    // An entry of the catalogue stays one, whoever refers to it, and a file that nobody refers to is no part.
    gate.write(
        "apis/resp.yaml",
        "owner: a\nversions: {}\nNote: { type: object }\n",
    );
    assert_refused(&gate, "an entry of the catalogue", "apis/resp.yaml");
    gate.remove("apis/resp.yaml");
    gate.write("apis/other.yaml", "Id: { type: string }\n");
    assert_refused(&gate, "a file that is nobody's part", "apis/other.yaml");
}

#[test]
fn a_release_of_rules_lies_in_its_directory_with_its_tests() {
    let (gate, _upstream) = gate();
    let server = gate.text("portcullis.yaml");
    gate.write(
        "portcullis.yaml",
        format!("{server}inspection: {{ rules: [crs, crs/rules] }}\n"),
    );
    let rule =
        "SecRule ARGS \"@rx xyzzy\" \"id:1001,phase:2,deny,status:403,severity:'CRITICAL'\"\n";
    gate.write("crs/crs-setup.conf", "# nothing\n");
    gate.write("crs/rules/own.conf", rule);
    for place in [
        "crs/tests/regression/tests/REQUEST-911/911100.yaml",
        "crs/tests/docker-compose.yml",
        "crs/crs-setup.conf.example",
        "crs/rules/REQUEST-900.conf.example",
        "crs/LICENSE",
        "crs/.github/workflows/test.yml",
    ] {
        gate.write(place, "---\nmeta: {}\n");
    }
    let ended = check(&gate);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    // Rules that would not be loaded are said, and spellings of rules are refused.
    gate.edit("portcullis.yaml", "[crs, crs/rules]", "[crs]");
    let ended = check(&gate);
    assert!(
        ended.code == Some(2) && ended.stderr.contains("holds rules that are not loaded"),
        "{ended:?}"
    );
    gate.edit("portcullis.yaml", "[crs]", "[crs, crs/rules]");
    for place in ["crs/rules/more.CONF", "crs/rules/.more.conf"] {
        gate.write(place, rule);
        assert_refused(&gate, place, "in small letters");
        gate.remove(place);
    }
    symlink("nowhere", gate.dir().join("crs/rules/more.conf")).unwrap();
    assert_refused(&gate, "a dangling rule", "more.conf");
}

#[test]
fn the_core_rule_set_gives_no_warnings_of_its_tests() {
    let root = std::env::var_os("PORTCULLIS_CORPORA").map(std::path::PathBuf::from);
    let Some(crs) = root
        .map(|root| root.join("crs"))
        .filter(|crs| crs.join("tests").is_dir())
    else {
        println!("SKIP: no rule set; PORTCULLIS_CORPORA names no directory with crs/tests");
        return;
    };
    let (gate, _upstream) = gate();
    let server = gate.text("portcullis.yaml");
    gate.write(
        "portcullis.yaml",
        format!("{server}inspection: {{ rules: [crs, crs/rules] }}\n"),
    );
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&crs)
        .arg(gate.dir().join("crs"))
        .status()
        .unwrap();
    assert!(copied.success());
    gate.write(
        "crs/crs-setup.conf",
        gate.text("crs/crs-setup.conf.example"),
    );
    let ended = check(&gate);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
}
