//! Through a proxy to an encrypted endpoint: `CONNECT` (RFC 9110, 9.3.6).

use http::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gate::Target;

/// The longest answer of a proxy, body aside.
const MAX_HEAD: usize = 16 << 10;

/// Asks the proxy at the other end of `tcp` for a way to `target`; what it says where it does not give one.
pub(crate) async fn open(
    tcp: &mut TcpStream,
    target: &Target,
    credentials: Option<&HeaderValue>,
) -> Result<(), String> {
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let port = target.port;
    let mut head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(credentials) = credentials {
        head.extend_from_slice(b"Proxy-Authorization: ");
        head.extend_from_slice(credentials.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    tcp.write_all(&head).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::with_capacity(256);
    loop {
        if tcp.read_buf(&mut answer).await.map_err(|error| error.to_string())? == 0 {
            return Err("it closed the connection".into());
        }
        let end = memchr::memmem::find(&answer, b"\r\n\r\n");
        match end {
            // The endpoint does not speak before it is spoken to.
            Some(end) if end + 4 < answer.len() => return Err("it sent more than its answer".into()),
            Some(_) => return read(&answer),
            None if answer.len() > MAX_HEAD => return Err("it answers without an end".into()),
            None => {}
        }
    }
}

fn read(answer: &[u8]) -> Result<(), String> {
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(407) => Err("it wants a user and a password (407)".into()),
        Some(status) => Err(format!("it answers {status}")),
        None => Err("it does not speak HTTP".into()),
    }
}
