//! Reading a sealed blob: a piece at a time, each proven before a byte of it is given out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};

use super::format::PIECE;
use crate::seal::{DataKey, TAG};

/// The content of a sealed blob, from a file that stands at its first piece.
pub(super) struct Opened {
    file: File,
    data: DataKey,
    digest: String,
    /// Which piece is next, and how many there are.
    next: u64,
    pieces: u64,
    /// The sealed piece that is being read.
    sealed: Vec<u8>,
    filled: usize,
    /// The opened piece and how much of it was given out.
    plain: Vec<u8>,
    given: usize,
}

impl Opened {
    pub(super) fn new(file: File, data: DataKey, digest: String, size: u64) -> Self {
        let pieces = size / PIECE as u64 + 1;
        Self { file, data, digest, next: 0, pieces, sealed: Vec::new(), filled: 0, plain: Vec::new(), given: 0 }
    }

    fn damaged(&self, reason: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("the blob {}: {reason}", self.digest))
    }

    /// Fills the sealed piece; the file has told how many there are, and their end must be where it said.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let last = self.next + 1 == self.pieces;
        self.sealed.resize(PIECE + TAG, 0);
        while self.filled < self.sealed.len() {
            let mut buffer = ReadBuf::new(&mut self.sealed[self.filled..]);
            ready!(Pin::new(&mut self.file).poll_read(cx, &mut buffer))?;
            let read = buffer.filled().len();
            if read == 0 {
                break;
            }
            self.filled += read;
        }
        let sealed = &self.sealed[..self.filled];
        let plain = self.data.open(self.next, last, sealed);
        self.plain = plain.ok_or_else(|| self.damaged("it was altered or cut off; restore it from a backup"))?;
        (self.given, self.filled) = (0, 0);
        self.next += 1;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Opened {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.given == this.plain.len() {
            if this.next == this.pieces {
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_piece(cx))?;
        }
        let rest = &this.plain[this.given..];
        let some = rest.len().min(out.remaining());
        out.put_slice(&rest[..some]);
        this.given += some;
        Poll::Ready(Ok(()))
    }
}
