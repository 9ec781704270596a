//! A byte stream: plain, TLS from a caller, TLS to an upstream. One type, so that nothing above is generic.
//! Exports `Stream`, `AtRest`.
//! Used by `Wire` and, for HTTP/2, by hyper.
//! Start reading at `Stream`.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};

/// A connected stream.
pub(crate) enum Stream {
    Plain(TcpStream),
    FromCaller(Box<server::TlsStream<TcpStream>>),
    ToUpstream(Box<client::TlsStream<TcpStream>>),
}

/// What a connection says that nobody has asked anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtRest {
    /// Nothing, and it is open.
    Quiet,
    /// Bytes that nobody asked for.
    Spoke,
    /// It was closed, or begins to be.
    Ended,
}

/// What waits in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    Nothing,
    Bytes,
    End,
}

impl Stream {
    pub(crate) fn at_rest(&mut self) -> AtRest {
        let is_plain = matches!(self, Stream::Plain(_));
        match self.pending() {
            Pending::Nothing if is_plain => AtRest::Quiet,
            Pending::Bytes if is_plain => AtRest::Spoke,
            Pending::End => AtRest::Ended,
            _ if self.has_spoken() => AtRest::Spoke,
            Pending::Nothing => AtRest::Quiet,
            // Records of TLS itself: at rest mostly its goodbye.
            Pending::Bytes => AtRest::Ended,
        }
    }

    /// Whether there is something to read. TLS: of what was decrypted; records of TLS itself say nothing.
    pub(crate) fn has_spoken(&mut self) -> bool {
        if matches!(self, Stream::Plain(_)) {
            return self.has_arrived();
        }
        let mut bytes = [0u8; 1];
        let mut buffer = ReadBuf::new(&mut bytes);
        let mut cx = Context::from_waker(Waker::noop());
        let read = Pin::new(self).poll_read(&mut cx, &mut buffer);
        matches!(read, Poll::Ready(Ok(()))) && !buffer.filled().is_empty()
    }

    /// Whether the kernel has bytes for us.
    pub(crate) fn has_arrived(&self) -> bool {
        self.pending() == Pending::Bytes
    }

    /// Asks the kernel itself, without taking anything. The runtime learns of what arrived when it next looks, and on a
    /// busy thread that may be after a call was written to the connection.
    fn pending(&self) -> Pending {
        let socket = match self {
            Stream::Plain(s) => s,
            Stream::FromCaller(s) => s.get_ref().0,
            Stream::ToUpstream(s) => s.get_ref().0,
        };
        match SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]) {
            Ok(0) => Pending::End,
            Ok(_) => Pending::Bytes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Pending::Nothing,
            Err(_) => Pending::End,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Stream::FromCaller(s) => Pin::new(s).poll_read(cx, buf),
            Stream::ToUpstream(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Stream::FromCaller(s) => Pin::new(s).poll_write(cx, buf),
            Stream::ToUpstream(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Stream::FromCaller(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Stream::ToUpstream(s) => Pin::new(s).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(s) => Pin::new(s).poll_flush(cx),
            Stream::FromCaller(s) => Pin::new(s).poll_flush(cx),
            Stream::ToUpstream(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Stream::FromCaller(s) => Pin::new(s).poll_shutdown(cx),
            Stream::ToUpstream(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}
