//! One connection, byte by byte: what breaks here no HTTP library would send.

use super::answer::Asked;
use super::{Counts, Fault, Options};
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest request that is read.
const MAX_REQUEST: usize = 4 * 1024 * 1024;
/// How often an endless answer goes on.
const BEAT: Duration = Duration::from_millis(5);

pub(super) struct Exchange {
    stream: TcpStream,
    received: Vec<u8>,
}

/// A request as far as it matters.
struct Request {
    key: String,
    body: Vec<u8>,
}

impl Exchange {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, received: Vec::new() }
    }

    /// Answers request after request until the connection ends, by either side's doing.
    pub(super) async fn serve(mut self, options: &Options, counts: &Counts) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        while let Some(request) = self.request().await? {
            let call = counts.calls.fetch_add(1, Ordering::Relaxed);
            if options.key.as_ref().is_some_and(|key| *key != request.key) {
                counts.refused.fetch_add(1, Ordering::Relaxed);
                let message = format!("Incorrect API key provided: {}.", request.key);
                self.error("401 Unauthorized", "", &message, "invalid_api_key").await?;
                continue;
            }
            let Some(asked) = Asked::read(&request.body) else {
                self.error("400 Bad Request", "", "This is no chat completion.", "invalid_request_error").await?;
                continue;
            };
            match options.fault(call) {
                Some(fault) => {
                    counts.faults[fault as usize].fetch_add(1, Ordering::Relaxed);
                    if !self.broken(fault, &asked, options).await? {
                        return Ok(());
                    }
                }
                None => {
                    self.answered(&asked).await?;
                    counts.whole.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    async fn request(&mut self) -> io::Result<Option<Request>> {
        let head = loop {
            if let Some(at) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await? {
                return Ok(None);
            }
        };
        let text = String::from_utf8_lossy(&self.received[..head]).into_owned();
        let header = |name: &str| {
            text.lines().find_map(|line| {
                let (known, value) = line.split_once(':')?;
                known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while self.received.len() < head + length {
            if !self.more().await? {
                return Ok(None);
            }
        }
        let body = self.received[head..head + length].to_vec();
        self.received.drain(..head + length);
        let key = header("authorization").unwrap_or_default().trim_start_matches("Bearer ").to_owned();
        Ok(Some(Request { key, body }))
    }

    async fn more(&mut self) -> io::Result<bool> {
        if self.received.len() > MAX_REQUEST {
            return Err(io::Error::other("the request is too long"));
        }
        Ok(self.stream.read_buf(&mut self.received).await? > 0)
    }

    /// An answer in good order.
    async fn answered(&mut self, asked: &Asked) -> io::Result<()> {
        if !asked.streamed {
            return self.whole("200 OK", "application/json", "", asked.whole().as_bytes()).await;
        }
        self.head("text/event-stream").await?;
        for event in asked.events() {
            self.chunk(event.as_bytes()).await?;
        }
        self.stream.write_all(b"0\r\n\r\n").await
    }

    /// Breaks, and tells whether the connection may be used again.
    async fn broken(&mut self, fault: Fault, asked: &Asked, options: &Options) -> io::Result<bool> {
        match fault {
            Fault::Refuse => self.reset().await?,
            Fault::Hang => self.until_left().await,
            Fault::Throttle => {
                self.error("429 Too Many Requests", "", "Slow down.", "rate_limit_exceeded").await?;
                return Ok(true);
            }
            Fault::ThrottleRetryAfter => {
                let extra = format!("retry-after: {}\r\n", options.retry_after);
                self.error("429 Too Many Requests", &extra, "Slow down.", "rate_limit_exceeded").await?;
                return Ok(true);
            }
            Fault::ServerError => {
                self.error("500 Internal Server Error", "", "It is on us.", "server_error").await?;
                return Ok(true);
            }
            Fault::WrongType => {
                self.whole("200 OK", "text/html", "", b"<!doctype html><title>Sign in</title>").await?;
                return Ok(true);
            }
            Fault::Malformed | Fault::Reset | Fault::HalfChunk | Fault::Endless | Fault::LongLine => {
                return self.broken_within(fault, asked, options).await;
            }
        }
        Ok(false)
    }

    /// Breaks in the body of an answer that began well.
    async fn broken_within(&mut self, fault: Fault, asked: &Asked, options: &Options) -> io::Result<bool> {
        let whole = asked.whole();
        let half = &whole.as_bytes()[..whole.len() / 2];
        self.head(if asked.streamed { "text/event-stream" } else { "application/json" }).await?;
        if asked.streamed {
            for event in asked.events().iter().take(options.pieces_before) {
                self.chunk(event.as_bytes()).await?;
            }
        }
        // In a stream what comes is the beginning of an event.
        let begun: &[u8] = if asked.streamed { b"data: " } else { b"" };
        match fault {
            Fault::Malformed => {
                self.chunk(&[begun, half, b"\n\n"].concat()).await?;
                self.stream.write_all(b"0\r\n\r\n").await?;
                return Ok(true);
            }
            Fault::HalfChunk => {
                let size = format!("{:x}\r\n", begun.len() + whole.len());
                self.stream.write_all(&[size.as_bytes(), begun, half].concat()).await?;
                self.stream.shutdown().await?;
            }
            Fault::Endless => {
                // Blanks in a document and comments in a stream are nothing yet.
                let nothing = if asked.streamed { ": still here\n\n".repeat(8) } else { " ".repeat(128) };
                while self.chunk(nothing.as_bytes()).await.is_ok() {
                    tokio::time::sleep(BEAT).await;
                }
            }
            Fault::LongLine => {
                self.chunk(&[begun, "x".repeat(options.line_bytes).as_bytes(), b"\n\n"].concat()).await?;
                self.stream.write_all(b"0\r\n\r\n").await?;
                return Ok(true);
            }
            _ => {
                self.stream.write_all(&[b"400\r\n", begun, half].concat()).await?;
                self.reset().await?;
            }
        }
        Ok(false)
    }

    /// Ends the connection with a reset in place of a close.
    async fn reset(&mut self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    /// Waits until the client has gone.
    async fn until_left(&mut self) {
        let mut dropped = [0; 1024];
        while self.stream.read(&mut dropped).await.is_ok_and(|read| read > 0) {}
    }

    async fn error(&mut self, status: &str, extra: &str, message: &str, code: &str) -> io::Result<()> {
        let error = serde_json::json!({"error": {"message": message, "type": code, "param": null, "code": code}});
        self.whole(status, "application/json", extra, error.to_string().as_bytes()).await
    }

    async fn whole(&mut self, status: &str, kind: &str, extra: &str, body: &[u8]) -> io::Result<()> {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{extra}content-length: {length}\r\n\r\n");
        self.stream.write_all(&[head.as_bytes(), body].concat()).await
    }

    async fn head(&mut self, kind: &str) -> io::Result<()> {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await
    }

    async fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let size = format!("{:x}\r\n", bytes.len());
        self.stream.write_all(&[size.as_bytes(), bytes, b"\r\n"].concat()).await
    }
}
