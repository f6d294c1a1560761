//! The framing `aws-chunked`: `SIZE;chunk-signature=…`, the bytes, and behind the last, empty chunk the trailer.

use bytes::{Buf, Bytes, BytesMut};
use outcrop_access::Seal;
use sha2::{Digest, Sha256};

use super::super::error::Refused;
use super::incomplete;

/// The longest line of the framing.
const LINE: usize = 4096;
/// The most lines of a trailer.
const LINES: usize = 16;
/// The largest chunk.
const CHUNK: u64 = 5 << 30;

/// What of the framing comes next.
enum Next {
    Head,
    /// So many bytes, and then the end of the line.
    Data(u64),
    /// The end of a chunk's bytes.
    Break,
    Trailer,
    End,
}

/// Takes the framing off as it comes.
pub(super) struct Chunks {
    seal: Option<Seal>,
    next: Next,
    /// How many bytes are still to come in all.
    left: u64,
    hash: Sha256,
    /// The signature that the chunk's head has.
    signature: String,
    trailer: Vec<(String, String)>,
}

impl Chunks {
    pub fn new(seal: Option<Seal>, length: u64) -> Self {
        let (hash, signature, trailer) = Default::default();
        Self { seal, next: Next::Head, left: length, hash, signature, trailer }
    }

    pub fn ended(&self) -> bool {
        matches!(self.next, Next::End)
    }

    /// The lines of the trailer, names in lower case.
    pub fn trailer(&self) -> &[(String, String)] {
        &self.trailer
    }

    /// The next bytes of the object, if there are any in `buffer`.
    pub fn take(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, Refused> {
        loop {
            match self.next {
                Next::Head => {
                    let Some(line) = line(buffer)? else { return Ok(None) };
                    self.head(&line)?;
                }
                Next::Data(0) => self.next = Next::Break,
                Next::Data(size) => {
                    if buffer.is_empty() {
                        return Ok(None);
                    }
                    let here = usize::try_from(size).unwrap_or(usize::MAX).min(buffer.len());
                    let piece = buffer.split_to(here).freeze();
                    self.next = Next::Data(size - here as u64);
                    if self.seal.is_some() {
                        self.hash.update(&piece);
                    }
                    return Ok(Some(piece));
                }
                Next::Break => {
                    let Some(line) = line(buffer)? else { return Ok(None) };
                    if !line.is_empty() {
                        return Err(malformed("a chunk is longer than it says"));
                    }
                    self.verify_chunk()?;
                    self.next = Next::Head;
                }
                Next::Trailer => {
                    let Some(line) = line(buffer)? else { return Ok(None) };
                    match line.as_str() {
                        "" => self.end()?,
                        line => self.line(line)?,
                    }
                }
                Next::End if buffer.is_empty() => return Ok(None),
                Next::End => return Err(malformed("there is something behind the last chunk")),
            }
        }
    }

    fn head(&mut self, line: &str) -> Result<(), Refused> {
        let (size, rest) = line.split_once(';').unwrap_or((line, ""));
        let size = u64::from_str_radix(size.trim(), 16).ok().filter(|size| *size <= CHUNK);
        let size = size.ok_or_else(|| malformed("a chunk's size is not a hexadecimal number"))?;
        self.left = self.left.checked_sub(size).ok_or_else(incomplete)?;
        self.signature = rest.trim().strip_prefix("chunk-signature=").unwrap_or_default().to_owned();
        self.hash = Sha256::new();
        if size > 0 {
            self.next = Next::Data(size);
            return Ok(());
        }
        if self.left > 0 {
            return Err(incomplete());
        }
        self.verify_chunk()?;
        self.next = Next::Trailer;
        Ok(())
    }

    fn verify_chunk(&mut self) -> Result<(), Refused> {
        let hash = hex(&std::mem::take(&mut self.hash).finalize());
        let good = self.seal.as_mut().is_none_or(|seal| seal.chunk(&hash, &self.signature));
        if good { Ok(()) } else { Err(mismatch()) }
    }

    fn line(&mut self, line: &str) -> Result<(), Refused> {
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("a line of the trailer has no colon"))?;
        if self.trailer.len() == LINES {
            return Err(malformed("the trailer has too many lines"));
        }
        self.trailer.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        Ok(())
    }

    /// All has come, and what of it is signed was verified but for the trailer.
    fn end(&mut self) -> Result<(), Refused> {
        self.next = Next::End;
        let Some(seal) = &mut self.seal else { return Ok(()) };
        let signed = |(name, _): &&(String, String)| name != "x-amz-trailer-signature";
        let lines: String =
            self.trailer.iter().filter(signed).map(|(name, value)| format!("{name}:{value}\n")).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let signature = self.trailer.iter().find(|line| !signed(line)).map_or("", |(_, value)| value.as_str());
        let hash = hex(&Sha256::digest(lines.as_bytes()));
        if seal.trailer(&hash, signature) { Ok(()) } else { Err(mismatch()) }
    }
}

/// A line without its end, if it is there whole.
fn line(buffer: &mut BytesMut) -> Result<Option<String>, Refused> {
    let Some(at) = buffer.iter().take(LINE).position(|byte| *byte == b'\n') else {
        return if buffer.len() < LINE { Ok(None) } else { Err(malformed("a line of the framing is too long")) };
    };
    let mut line = buffer.split_to(at);
    buffer.advance(1);
    if line.ends_with(b"\r") {
        line.truncate(at - 1);
    }
    String::from_utf8(line.to_vec()).map(Some).map_err(|_| malformed("a line of the framing is not text"))
}

fn malformed(why: &str) -> Refused {
    Refused::new("InvalidRequest", format!("The body is not in the encoding aws-chunked: {why}."))
}

fn mismatch() -> Refused {
    let text = "The request signature we calculated does not match the signature you provided. Check your key and \
                signing method.";
    Refused::new("SignatureDoesNotMatch", text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
