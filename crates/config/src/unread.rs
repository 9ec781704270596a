//! What lies in a configuration directory and is not read.
//! Exports `Unread`.
//! Noted by `Files`; judged by `entries`.
//! Start reading at `Unread`.

/// An entry that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// A file or hidden directory that nothing reads by its name.
    Stray,
    /// A directory with almost the name of one that is read.
    Directory,
    /// A link that leads nowhere, or something that cannot be looked at, in the words of the system.
    Broken(String),
    /// A pipe, a socket or a device.
    Special,
    /// The name is not UTF-8.
    Name,
    /// A directory with nothing in it.
    Empty,
    /// A directory below one of rules that holds rules and is not named itself.
    Rules,
}
