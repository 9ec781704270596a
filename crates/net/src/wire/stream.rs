//! A byte stream: plain, TLS from a caller, TLS to an upstream. One type, so that nothing above is generic.
//! Exports `Stream`.
//! Used by `Wire` and, for HTTP/2, by hyper.
//! Start reading at `Stream`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};

/// A connected stream.
pub(crate) enum Stream {
    Plain(TcpStream),
    FromCaller(Box<server::TlsStream<TcpStream>>),
    ToUpstream(Box<client::TlsStream<TcpStream>>),
}

impl Stream {
    /// Open, and nothing to read.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let mut bytes = [0u8; 1];
        let mut buffer = ReadBuf::new(&mut bytes);
        let mut cx = Context::from_waker(Waker::noop());
        Pin::new(self).poll_read(&mut cx, &mut buffer).is_pending()
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
