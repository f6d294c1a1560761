//! HTTP/1.1 over one kept connection, with as little work as possible, so that upstream and load generator cost less
//! than what stands between them. Only what the programs measured here send: no trailers, no continuation, no upgrades.

use crate::Error;
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;

/// One connection and the bytes of it that are not used up.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
}

/// The head of a request.
pub struct Request {
    /// The raw target.
    pub target: String,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body without its chunks' sizes.
    pub body: Vec<u8>,
}

enum Length {
    Exactly(usize),
    Chunked,
    UntilClosed,
}

impl Connection {
    /// Takes over a stream.
    pub fn new(stream: TcpStream) -> Result<Self, Error> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8 * 1024), start: 0 })
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// The next request, or `None` where the client has closed between two.
    pub async fn request(&mut self) -> Result<Option<Request>, Error> {
        let Some(end) = self.head().await? else { return Ok(None) };
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut head = httparse::Request::new(&mut headers);
        head.parse(&self.buffer[self.start..end])?;
        let target = head.path.unwrap_or("/").to_owned();
        let length = match length(head.headers)? {
            Length::UntilClosed => Length::Exactly(0),
            length => length,
        };
        self.start = end;
        let mut body = Vec::new();
        self.body(length, &mut body, |_| ()).await?;
        Ok(Some(Request { target, body }))
    }

    /// The answer to what was sent; `seen` is shown the body each time that it has grown.
    pub async fn answer(&mut self, seen: impl FnMut(&[u8])) -> Result<Answer, Error> {
        let end = self.head().await?.ok_or("closed before the answer")?;
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        head.parse(&self.buffer[self.start..end])?;
        let status = head.code.unwrap_or_default();
        let length = length(head.headers)?;
        self.start = end;
        let mut body = Vec::new();
        self.body(length, &mut body, seen).await?;
        Ok(Answer { status, body })
    }

    /// Reads until a head is whole and gives its end in the buffer.
    async fn head(&mut self) -> Result<Option<usize>, Error> {
        self.buffer.drain(..self.start);
        self.start = 0;
        loop {
            if let Some(at) = memmem::find(&self.buffer, b"\r\n\r\n") {
                return Ok(Some(at + 4));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err("the head is too long".into());
            }
            if !self.more().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err("closed in the head".into()) };
            }
        }
    }

    async fn body(&mut self, length: Length, body: &mut Vec<u8>, mut seen: impl FnMut(&[u8])) -> Result<(), Error> {
        match length {
            Length::Exactly(length) => self.take(length, body, &mut seen).await,
            Length::UntilClosed => {
                while self.take(1, body, &mut seen).await.is_ok() {}
                Ok(())
            }
            Length::Chunked => loop {
                let line = self.line().await?;
                let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
                let size = usize::from_str_radix(std::str::from_utf8(size)?.trim(), 16)?;
                if size > 0 {
                    self.take(size, body, &mut seen).await?;
                }
                if !self.line().await?.is_empty() {
                    return Err("a chunk is longer than it says".into());
                }
                if size == 0 {
                    return Ok(());
                }
            },
        }
    }

    /// Moves exactly `left` bytes into `body`.
    async fn take(&mut self, mut left: usize, body: &mut Vec<u8>, seen: &mut impl FnMut(&[u8])) -> Result<(), Error> {
        while left > 0 {
            if self.start == self.buffer.len() && !self.more().await? {
                return Err("closed in the body".into());
            }
            let taken = left.min(self.buffer.len() - self.start);
            body.extend_from_slice(&self.buffer[self.start..self.start + taken]);
            self.start += taken;
            left -= taken;
            seen(body);
        }
        Ok(())
    }

    /// The next line without its end.
    async fn line(&mut self) -> Result<Vec<u8>, Error> {
        loop {
            if let Some(at) = memmem::find(&self.buffer[self.start..], b"\r\n") {
                let line = self.buffer[self.start..self.start + at].to_vec();
                self.start += at + 2;
                return Ok(line);
            }
            if !self.more().await? {
                return Err("closed in a chunk's size".into());
            }
        }
    }

    async fn more(&mut self) -> Result<bool, Error> {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}

fn length(headers: &[httparse::Header<'_>]) -> Result<Length, Error> {
    for header in headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            return Ok(Length::Exactly(std::str::from_utf8(header.value)?.trim().parse()?));
        }
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok(Length::Chunked);
        }
    }
    Ok(Length::UntilClosed)
}
