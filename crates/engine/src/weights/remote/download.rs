//! Brings a file here, and goes on where an earlier attempt was cut off.
//!
//! The unfinished file is called after the hash it must have, and beside it lies the ETag that the server gave: only
//! the same file is continued (`Range` with `If-Range`), anything else begins again. Whatever came together, the hash
//! decides.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::super::{Progress, RecordedFile, Stage, WeightsError};
use super::blocking::Answer;
use super::net::{Client, Failure};
use super::source::without_secrets;
use super::{Found, RemoteError};

/// The file, whole and as promised, in `folder`.
pub(super) fn fetch(
    client: &Client,
    found: &Found,
    folder: &Path,
    progress: &mut dyn Progress,
) -> Result<PathBuf, WeightsError> {
    let mut part = Part::open(folder, &found.sha256)?;
    let what = without_secrets(&found.url);
    // Whoever gets on is not at the end of its attempts.
    loop {
        let before = part.length;
        let mut broken = None;
        let done = client.patiently(&what, || match part.go_on(client, found, progress) {
            Ok(done) => Ok(done),
            Err(WeightsFailure::Remote(failure)) => Err(failure),
            Err(WeightsFailure::Here(error)) => {
                broken = Some(error);
                Ok(true)
            }
        });
        if let Some(error) = broken {
            return Err(error);
        }
        match done {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) if part.length == before => return Err(error.into()),
            Err(RemoteError::Failed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let total = part.length;
    let hashed = RecordedFile::hash(&part.path, "", &mut |done| progress.bytes(Stage::Verify, done, total))?;
    let right = found.size.is_none_or(|size| size == total) && hashed.sha256 == found.sha256;
    if !right {
        part.forget();
        return Err(RemoteError::Hash { what, found: hashed.sha256, expected: found.sha256.clone() }.into());
    }
    let _ = std::fs::remove_file(&part.mark);
    Ok(part.path)
}

enum WeightsFailure {
    Remote(Failure),
    Here(WeightsError),
}

impl From<Failure> for WeightsFailure {
    fn from(failure: Failure) -> Self {
        Self::Remote(failure)
    }
}

/// What has come so far.
struct Part {
    path: PathBuf,
    /// Holds the ETag.
    mark: PathBuf,
    length: u64,
}

impl Part {
    fn open(folder: &Path, sha256: &str) -> Result<Self, WeightsError> {
        let path = folder.join(sha256);
        let length = match std::fs::metadata(&path) {
            Ok(meta) => meta.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(WeightsError::io("read", &path, error)),
        };
        Ok(Self { mark: path.with_extension("etag"), path, length })
    }

    fn forget(&mut self) {
        self.length = 0;
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(&self.mark);
    }

    /// One request. True when the file is whole as far as anybody can tell; false when another request is due.
    fn go_on(&mut self, client: &Client, found: &Found, progress: &mut dyn Progress) -> Result<bool, WeightsFailure> {
        if found.size.is_some_and(|size| size == self.length) {
            return Ok(true);
        }
        let etag = std::fs::read_to_string(&self.mark).ok().and_then(|etag| HeaderValue::try_from(etag).ok());
        let mut headers = HeaderMap::new();
        // Without a mark nobody can say whether the rest belongs to this beginning.
        if self.length > 0
            && let Some(etag) = &etag
            && let Ok(range) = HeaderValue::try_from(format!("bytes={}-", self.length))
        {
            headers.insert(RANGE, range);
            headers.insert(IF_RANGE, etag.clone());
        }
        let answer = client.get(&found.url, &headers)?;
        let status = answer.status();
        let continued = status == StatusCode::PARTIAL_CONTENT
            && begins_at(&answer) == Some(self.length)
            && answer.headers().get(ETAG).is_none_or(|now| Some(now) == etag.as_ref());
        if status == StatusCode::RANGE_NOT_SATISFIABLE || (status == StatusCode::PARTIAL_CONTENT && !continued) {
            // Not the file that was begun.
            self.forget();
            return Ok(false);
        }
        if !continued {
            self.forget();
            self.remember(&answer).map_err(WeightsFailure::Here)?;
        }
        self.take(answer, found, progress)
    }

    /// A weak ETag says that two files mean the same, not that their bytes are.
    fn remember(&self, answer: &Response<Answer<'_>>) -> Result<(), WeightsError> {
        let Some(etag) = answer.headers().get(ETAG).filter(|etag| etag.as_bytes().starts_with(b"\"")) else {
            return Ok(());
        };
        std::fs::write(&self.mark, etag.as_bytes()).map_err(|error| WeightsError::io("write", &self.mark, error))
    }

    fn take(
        &mut self,
        answer: Response<Answer<'_>>,
        found: &Found,
        progress: &mut dyn Progress,
    ) -> Result<bool, WeightsFailure> {
        let here = |path: &Path, error| WeightsFailure::Here(WeightsError::io("write", path, error));
        let announced =
            answer.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let total = announced.map(|length| self.length.saturating_add(length));
        let what = || without_secrets(&found.url);
        if let (Some(total), Some(size)) = (total, found.size)
            && total != size
        {
            self.forget();
            let why = format!("the server sends {total} bytes and the hub says {size}");
            return Err(Failure::Final(RemoteError::Failed { what: what(), why }).into());
        }
        let total = found.size.or(total);
        let mut file =
            OpenOptions::new().create(true).append(true).open(&self.path).map_err(|e| here(&self.path, e))?;
        let mut body = answer.into_body();
        loop {
            progress.bytes(Stage::Download, self.length, total.unwrap_or(0));
            let piece = match body.piece() {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(error) => {
                    self.keep(&file);
                    return Err(Failure::Passing { why: error.to_string(), wait: None, too_many: false }.into());
                }
            };
            if total.is_some_and(|total| self.length + piece.len() as u64 > total) {
                self.forget();
                let why = "the server sends more than it announced".into();
                return Err(Failure::Final(RemoteError::Failed { what: what(), why }).into());
            }
            file.write_all(&piece).map_err(|e| here(&self.path, e))?;
            self.length += piece.len() as u64;
        }
        self.keep(&file);
        match total {
            Some(total) if self.length < total => {
                let why = format!("the connection ended after {} of {total} bytes", self.length);
                Err(Failure::Passing { why, wait: None, too_many: false }.into())
            }
            _ => Ok(true),
        }
    }

    /// What a machine that loses power should still find; where that fails, less is there and no harm is done.
    fn keep(&self, file: &File) {
        let _ = file.sync_data();
    }
}

/// Where the piece that an answer holds begins.
fn begins_at(answer: &Response<Answer<'_>>) -> Option<u64> {
    let range = answer.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}
