//! The socket as hyper sees it, with two corrections.
//!
//! A server that answers before it has read the request, a 413 for instance, and closes with bytes unread makes the
//! kernel send a reset, which throws away the answer on the client's side while it still writes. So after the last
//! byte the rest of the request is read and forgotten, for a short time (RFC 9112, 9.6).
//!
//! hyper answers a head it cannot parse by itself, with an empty body. A client of AWS reads every error as JSON, so
//! that answer is exchanged on its way out. It is recognised by what no answer of ours is: a 4xx head without content.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use outcrop_api::Kind;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::refusal;
use super::watch::Watch;

/// How long, and how much, is read after the answer.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES: usize = 64 * 1024 * 1024;

pub(super) struct Socket<T> {
    inner: T,
    watch: Arc<Watch>,
    linger: Option<(Pin<Box<Sleep>>, usize)>,
    /// What goes out instead of hyper's answer, and how much of it is out.
    instead: Option<(Vec<u8>, usize)>,
}

impl<T: AsyncWrite + Unpin> Socket<T> {
    pub(super) fn new(inner: T, watch: Arc<Watch>) -> Self {
        Self { inner, watch, linger: None, instead: None }
    }

    /// Writes the exchanged answer out; hyper is told that all of its own went.
    fn poll_instead(&mut self, cx: &mut Context<'_>, own: usize) -> Poll<io::Result<usize>> {
        let Some((answer, written)) = &mut self.instead else { return Poll::Ready(Ok(own)) };
        while *written < answer.len() {
            let n = ready!(Pin::new(&mut self.inner).poll_write(cx, &answer[*written..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *written += n;
        }
        self.instead = None;
        Poll::Ready(Ok(own))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Socket<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            let Some(answer) = in_json(buf) else { return Pin::new(&mut self.inner).poll_write(cx, buf) };
            self.watch.leave_unread();
            self.instead = Some((answer, 0));
        }
        self.poll_instead(cx, buf.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match bufs {
            [only] => self.poll_write(cx, only),
            _ => Pin::new(&mut self.inner).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = &mut *self;
        if socket.linger.is_none() {
            ready!(Pin::new(&mut socket.inner).poll_shutdown(cx))?;
        }
        if !socket.watch.left_unread() {
            return Poll::Ready(Ok(()));
        }
        let (until, left) = socket.linger.get_or_insert_with(|| (Box::pin(sleep(LINGER)), LINGER_BYTES));
        let mut rest = [0; 8 * 1024];
        while *left > 0 && until.as_mut().poll(cx).is_pending() {
            let mut rest = ReadBuf::new(&mut rest);
            match ready!(Pin::new(&mut socket.inner).poll_read(cx, &mut rest)) {
                Ok(()) if !rest.filled().is_empty() => *left = left.saturating_sub(rest.filled().len()),
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The JSON answer to send instead, if `written` is hyper's own answer to a head it could not read.
fn in_json(written: &[u8]) -> Option<Vec<u8>> {
    let status = written.strip_prefix(b"HTTP/1.1 ").or_else(|| written.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    if status[0] != b'4' || !written.ends_with(b"\r\n\r\n") || !contains(written, b"\r\ncontent-length: 0\r\n") {
        return None;
    }
    let message = match status {
        b"431" => "The header of the request is larger than this server accepts.",
        b"414" => "The path of the request is longer than this server accepts.",
        _ => "The request is not readable as HTTP.",
    };
    let kind = Kind::Validation;
    let body = refusal::body(message);
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: application/json\r\nx-amzn-errortype: {}\r\nx-amzn-requestid: {}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        match status {
            b"431" => "431 Request Header Fields Too Large",
            b"414" => "414 URI Too Long",
            _ => "400 Bad Request",
        },
        kind.name(),
        uuid::Uuid::new_v4(),
        body.len(),
    );
    Some([head.as_bytes(), body.as_bytes()].concat())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
