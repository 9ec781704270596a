//! Who is at the other end of a local socket, by the kernel's word.
//! Exports `LocalPeer`.
//! Used by the admin service's socket.
//! Start reading at `LocalPeer::of`.

use std::io;
use std::os::unix::net::UnixStream;

/// The other end of a local socket, as it was when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalPeer {
    /// Number of its user.
    pub uid: u32,
    /// Its process; none where it cannot be seen from here, as from another container.
    pub process: Option<u32>,
}

impl LocalPeer {
    /// Asks the kernel (SO_PEERCRED). The stream blocks afterwards, as it did before.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn of(stream: &UnixStream) -> io::Result<LocalPeer> {
        // The standard library does not offer this yet. tokio does, for streams that are registered with a runtime and do not
        // block; people ask seldom enough that one can be made for each question.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let _inside = runtime.enter();
        let copy = stream.try_clone()?;
        copy.set_nonblocking(true)?;
        let found = tokio::net::UnixStream::from_std(copy).and_then(|copy| copy.peer_cred());
        // Both are one socket to the kernel.
        stream.set_nonblocking(false)?;
        let found = found?;
        Ok(LocalPeer {
            uid: found.uid(),
            process: found
                .pid()
                .and_then(|pid| u32::try_from(pid).ok())
                .filter(|pid| *pid > 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn the_other_end_is_this_process_and_the_stream_still_blocks() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let peer = LocalPeer::of(&ours).unwrap();
        assert_eq!(peer.process, Some(std::process::id()));
        let writer = std::thread::spawn(move || (&theirs).write_all(b"x").unwrap());
        let mut byte = [0];
        (&ours).read_exact(&mut byte).unwrap();
        writer.join().unwrap();
    }
}
