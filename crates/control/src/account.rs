//! What an account of the operating system is called.
//! Exports `name`.
//! Used by `Actor`.
//! Start reading at `name`.

use std::fs::File;
use std::io::Read;

/// The accounts of this machine. Accounts of a directory service are not in it; they are named by their number.
const ACCOUNTS: &str = "/etc/passwd";
/// More is not read.
const BYTES_MAX: u64 = 1 << 20;

/// The name of the account with this number, as this machine has it; `None` where it has none.
pub(crate) fn name(uid: u32) -> Option<String> {
    let mut text = Vec::new();
    let file = File::open(ACCOUNTS).ok()?;
    file.take(BYTES_MAX).read_to_end(&mut text).ok()?;
    name_in(&String::from_utf8_lossy(&text), uid)
}

/// passwd(5): `name:password:uid:…`. The first line with the number counts, as for the system.
fn name_in(text: &str, uid: u32) -> Option<String> {
    let names = text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid) && !name.trim().is_empty()).then(|| name.to_owned())
    });
    names.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_account_with_the_number_names_it() {
        let text = "root:x:0:0:root:/root:/bin/sh\n# none\n::7:\nann:x:1000:1000::/:\nben:x:1000:1::/:\nbad\nodd:x:-1:\n";
        for (uid, expected) in [
            (0, Some("root")),
            (1000, Some("ann")),
            (7, None),
            (1, None),
            (u32::MAX, None),
        ] {
            assert_eq!(name_in(text, uid).as_deref(), expected, "{uid}");
        }
        assert_eq!(name(0).as_deref(), Some("root"));
    }
}
