//! Drives libmodsecurity where it is installed: builds the small program under `bench/`, feeds it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Setup for blocking at one paranoia level, beside the example setup of the rule set.
pub fn blocking_setup(level: u8) -> String {
    format!(
        "SecAction \"id:900000,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level={level},setvar:tx.detection_paranoia_level={level},setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE'\"\n"
    )
}

/// The built program with a rules file for one level, or `None` with a visible SKIP.
pub struct Peer {
    program: PathBuf,
    folder: PathBuf,
}

impl Peer {
    pub fn build() -> Option<Peer> {
        if !Path::new("/usr/include/modsecurity/modsecurity.h").exists() {
            println!("SKIP: libmodsecurity is not installed (Debian: libmodsecurity-dev)");
            return None;
        }
        let folder = std::env::temp_dir().join(format!("waf-peer-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the program");
        let program = folder.join("modsec");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/modsec.cc");
        let built = Command::new("g++")
            .args(["-O2", "-std=c++17", "-o"])
            .arg(&program)
            .arg(source)
            .arg("-lmodsecurity")
            .status();
        match built {
            Ok(status) if status.success() => Some(Peer { program, folder }),
            other => {
                println!("SKIP: the program does not build: {other:?}");
                None
            }
        }
    }

    /// Runs the program over raw requests; one line of output per request.
    pub fn run(
        &self,
        corpus: &Path,
        level: u8,
        mode: &str,
        count: usize,
        requests: &[Vec<u8>],
    ) -> Vec<String> {
        let rules = self.folder.join(format!("rules-{level}.conf"));
        let setup = self.folder.join("setup.conf");
        std::fs::copy(corpus.join("crs-setup.conf.example"), &setup).expect("a copy");
        let text = format!(
            "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\nSecRequestBodyLimit 13107200\nSecRule REQUEST_HEADERS:Content-Type \"^(?:application(?:/soap\\+|/)|text/)xml\" \"id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML\"\nSecRule REQUEST_HEADERS:Content-Type \"^application/json\" \"id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON\"\nInclude {}\n{}Include {}/rules/*.conf\n",
            setup.display(),
            blocking_setup(level),
            corpus.display()
        );
        std::fs::write(&rules, text).expect("a rules file");
        let mut child = Command::new(&self.program)
            .arg(&rules)
            .args([mode, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input: Vec<u8> = requests
            .iter()
            .flat_map(|raw| [format!("{}\n", raw.len()).into_bytes(), raw.clone()].concat())
            .collect();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("the program ends");
        writer
            .join()
            .expect("the writer ends")
            .expect("input is taken");
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
