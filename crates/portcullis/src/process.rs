//! What others on the machine may see of this process: nothing that is in its memory.
//! Exports `keep_private`.
//! Used by `main`, before anything is read that is secret.
//! Start reading at `keep_private`.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::terminal;

/// Keys, credentials and bodies are in memory, and a key-encryption key may be in the environment: no core dump holds them, and no
/// other process of the same user reads them through `/proc` or as a debugger. Root still can.
pub fn keep_private() {
    // The first takes /proc/PID/environ, mem and the right to attach away from the user, and dumps with it; the second holds
    // where an administrator has dumps written for such processes all the same (fs.suid_dumpable).
    let undumped = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = undumped.and_then(|()| setrlimit(Resource::Core, none)) {
        terminal::say(format_args!(
            "portcullis: the kernel does not keep this process from being dumped ({error}); others may read its memory"
        ));
    }
}
