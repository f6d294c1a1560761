//! Bytes that are on the disk and not yet an object.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use md5::{Digest, Md5};

use super::durable;
use crate::{BucketError, Result, blocking};

/// The largest object, and the largest part of one, that S3 takes in one piece.
pub const LARGEST: u64 = 5 << 30;
/// How much is written at a time.
const PIECE: usize = 256 * 1024;

/// A file of its own, gone with this value unless it becomes an object.
#[derive(Debug)]
pub(crate) struct Staged {
    file: File,
    path: PathBuf,
    md5: Md5,
    /// How many bytes it has.
    pub size: u64,
}

impl Staged {
    /// An empty one in `folder`.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let (file, path) = durable::temporary(folder)?;
        Ok(Self { file, path, md5: Md5::new(), size: 0 })
    }

    /// All that comes, whole and kept by the disk.
    pub async fn filled(folder: PathBuf, bytes: impl Stream<Item = Result<Bytes>> + Send) -> Result<Self> {
        let mut staged = blocking(move || Ok(Self::new(&folder)?)).await?;
        let mut bytes = std::pin::pin!(bytes);
        let mut held = Vec::new();
        loop {
            let next = bytes.next().await.transpose()?;
            let last = next.is_none();
            held.extend_from_slice(&next.unwrap_or_default());
            if staged.size + held.len() as u64 > LARGEST {
                let text = "Your proposed upload exceeds the maximum allowed size".to_owned();
                return Err(BucketError::Sent { code: "EntityTooLarge", text });
            }
            if held.len() >= PIECE || last {
                let piece = std::mem::take(&mut held);
                staged = blocking(move || {
                    staged.write(&piece)?;
                    if last {
                        staged.file.sync_all()?;
                    }
                    Ok(staged)
                })
                .await?;
            }
            if last {
                return Ok(staged);
            }
        }
    }

    /// Adds bytes.
    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.md5.update(piece);
        self.size += piece.len() as u64;
        Ok(())
    }

    /// Adds all of a file, which needs no MD5 of the whole.
    pub fn append(&mut self, file: &mut File) -> io::Result<()> {
        self.size += io::copy(file, &mut self.file)?;
        Ok(())
    }

    /// Has the disk keep it.
    pub fn keep(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// The MD5 of what was written.
    pub fn md5(&self) -> [u8; 16] {
        self.md5.clone().finalize().into()
    }

    /// What the file system says of it.
    pub fn metadata(&self) -> io::Result<std::fs::Metadata> {
        self.file.metadata()
    }

    /// Makes it what `path` names, in one step.
    pub fn rename(&self, path: &Path) -> io::Result<()> {
        durable::rename(&self.path, path)
    }

    /// The file once more, to be read.
    pub fn reopen(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Gone already where it became an object.
        std::fs::remove_file(&self.path).ok();
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
