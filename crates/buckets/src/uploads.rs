//! Objects that come in parts: each part a file of its own, joined in the end.

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use crate::folder::{Said, Staged, durable, hex};
use crate::{Attributes, BucketError, Result};

/// The least size of every part but the last.
const LEAST_PART: u64 = 5 << 20;
/// The largest object that parts make, where a disk holds it twice.
const LARGEST: u64 = 5 << 40;
/// The largest number of a part.
pub(crate) const MOST_PARTS: u32 = 10_000;

/// An upload that is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What its caller names it by.
    pub id: String,
    /// What it will be.
    pub key: String,
    /// When it was begun.
    pub begun: Timestamp,
}

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its place, from 1.
    pub number: u32,
    /// MD5 of its bytes, without quotes.
    pub etag: String,
    /// How many bytes it has.
    pub size: u64,
    /// When it came.
    pub modified: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    key: String,
    begun: Timestamp,
    attributes: Attributes,
}

const KEPT: &str = "upload.json";

/// The uploads of a bucket. All of it blocks.
#[derive(Debug, Clone)]
pub(crate) struct Uploads(pub PathBuf);

impl Uploads {
    pub fn begin(&self, key: &str, attributes: Attributes) -> Result<String> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let kept = Kept { key: key.to_owned(), begun: Timestamp::now(), attributes };
        let text = serde_json::to_vec(&kept).map_err(std::io::Error::other)?;
        durable::write(&self.0.join(&id).join(KEPT), &text)?;
        Ok(id)
    }

    /// The folder of an upload to `key`.
    pub fn folder(&self, key: &str, id: &str) -> Result<PathBuf> {
        let folder = self.0.join(id);
        let fits = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let kept = if fits { read(&folder) } else { None };
        kept.filter(|kept| kept.key == key).map(|_| folder).ok_or(BucketError::NoSuchUpload)
    }

    /// Makes staged bytes a part, in place of one of the same number.
    pub fn put(&self, key: &str, id: &str, number: u32, staged: &Staged) -> Result<Part> {
        let folder = self.folder(key, id)?;
        let etag = hex(&staged.md5());
        for old in parts(&folder)?.into_iter().filter(|part| part.number == number && part.etag != etag) {
            durable::absent(std::fs::remove_file(folder.join(name(old.number, &old.etag))))?;
        }
        staged.rename(&folder.join(name(number, &etag)))?;
        Ok(Part { number, etag, size: staged.size, modified: Timestamp::now() })
    }

    /// The parts, by number.
    pub fn parts(&self, key: &str, id: &str) -> Result<Vec<Part>> {
        parts(&self.folder(key, id)?)
    }

    /// Joins the parts that are named, into a file in `staging`; with it what is said of the object.
    pub fn join(&self, key: &str, id: &str, named: &[(u32, String)], staging: &Path) -> Result<(Staged, Said)> {
        let folder = self.folder(key, id)?;
        let there = parts(&folder)?;
        if named.is_empty() || named.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            let text = "The list of parts was not in ascending order. Parts must be ordered by part number.".to_owned();
            return Err(BucketError::Sent { code: "InvalidPartOrder", text });
        }
        let mut joined = Vec::with_capacity(named.len());
        for (at, (number, etag)) in named.iter().enumerate() {
            let part = there.iter().find(|part| part.number == *number && part.etag == *etag).ok_or_else(|| {
                let text = "One or more of the specified parts could not be found. The part may not have been \
                            uploaded, or the specified entity tag may not match the part's entity tag.";
                BucketError::Sent { code: "InvalidPart", text: text.to_owned() }
            })?;
            if at + 1 < named.len() && part.size < LEAST_PART {
                let text = "Your proposed upload is smaller than the minimum allowed size".to_owned();
                return Err(BucketError::Sent { code: "EntityTooSmall", text });
            }
            joined.push(part);
        }
        if joined.iter().map(|part| part.size).sum::<u64>() > LARGEST {
            let text = "Your proposed upload exceeds the maximum allowed size".to_owned();
            return Err(BucketError::Sent { code: "EntityTooLarge", text });
        }
        let mut whole = Staged::new(staging)?;
        for part in &joined {
            whole.append(&mut File::open(folder.join(name(part.number, &part.etag)))?)?;
        }
        whole.keep()?;
        let attributes = read(&folder).ok_or(BucketError::NoSuchUpload)?.attributes;
        let parts = joined.iter().map(|part| part.size).collect();
        Ok((whole, Said { etag: etag(named), attributes, parts, upload: Some(id.to_owned()) }))
    }

    /// Forgets an upload and its parts.
    pub fn forget(&self, key: &str, id: &str) -> Result<()> {
        let folder = self.folder(key, id)?;
        // Without it the rest is no upload.
        durable::absent(std::fs::remove_file(folder.join(KEPT)))?;
        Ok(durable::absent(std::fs::remove_dir_all(folder))?)
    }

    /// All uploads whose keys begin with `prefix`, by key.
    pub fn list(&self, prefix: &str) -> Result<Vec<Upload>> {
        let folders = match std::fs::read_dir(&self.0) {
            Ok(folders) => folders,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut uploads = Vec::new();
        for folder in folders {
            let folder = folder?;
            let Ok(id) = folder.file_name().into_string() else { continue };
            if let Some(kept) = read(&folder.path()).filter(|kept| kept.key.starts_with(prefix)) {
                uploads.push(Upload { id, key: kept.key, begun: kept.begun });
            }
        }
        uploads.sort_by(|a, b| (&a.key, a.begun).cmp(&(&b.key, b.begun)));
        Ok(uploads)
    }
}

/// The ETag of an object of these parts: the MD5 of theirs, and how many they are.
pub(crate) fn etag(named: &[(u32, String)]) -> String {
    let mut digest = Md5::new();
    named.iter().for_each(|(_, etag)| digest.update(unhex(etag)));
    format!("{}-{}", hex(&digest.finalize()), named.len())
}

fn read(folder: &Path) -> Option<Kept> {
    std::fs::read(folder.join(KEPT)).ok().and_then(|text| serde_json::from_slice(&text).ok())
}

fn name(number: u32, etag: &str) -> String {
    format!("{number:05}-{etag}")
}

fn parts(folder: &Path) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Some((number, etag)) = name.split_once('-') else { continue };
        let (Ok(number), 32) = (number.parse(), etag.len()) else { continue };
        let metadata = entry.metadata()?;
        let modified = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok()).unwrap_or_default();
        parts.push(Part { number, etag: etag.to_owned(), size: metadata.len(), modified });
    }
    parts.sort_by_key(|part| part.number);
    Ok(parts)
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or_default();
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | pair.get(1).map_or(0, |b| digit(*b))).collect()
}
