//! Which keys the blobs of a folder are sealed with, and wrapping their data keys with another.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::format::{self, CLEAR, Header, is_used};
use super::{failed, lock};
use crate::seal::{DataKey, WRAP, wrapped_by};
use crate::vault::Vault;
use crate::{KeyId, Result};

/// How many blobs each key opens.
pub(crate) type BlobKeys = BTreeMap<KeyId, u64>;

/// Looks at every blob's header.
pub(crate) fn survey(root: &Path) -> Result<BlobKeys> {
    let mut keys = BlobKeys::new();
    for (_, path) in files(root)? {
        let Some(mut file) = opened(&path, false)? else { continue };
        let header = Header::read(&mut file).map_err(|error| failed("reading", &path, &error))?;
        for key in header.keys() {
            *keys.entry(key).or_default() += 1;
        }
    }
    Ok(keys)
}

/// Every blob: digest and path, in order.
pub(crate) fn files(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for first in 0..=255_u8 {
        let first = format!("{first:02x}");
        let folder = root.join(&first);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("listing", &folder, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| failed("listing", &folder, &error))?;
            let name = entry.file_name();
            files.push((format!("{first}{}", name.to_string_lossy()), entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

fn opened(path: &Path, write: bool) -> Result<Option<File>> {
    match OpenOptions::new().read(true).write(write).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None), // Deleted since it was listed.
        Err(error) => Err(failed("opening", path, &error)),
    }
}

/// Wraps the data key of every blob that `old` has wrapped with `new`. May be killed and run again, beside servers that
/// read, write and delete; those must seal with `new` already. `progress` gets blobs looked at and all.
pub(crate) fn rewrap(
    root: &Path,
    vault: &Vault,
    old: KeyId,
    new: KeyId,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64> {
    if !root.exists() {
        return Ok(0);
    }
    // Whoever has sealed with the old key and not yet named its blob: after this it has, or will look again.
    drop(lock::still(root)?);
    let files = files(root)?;
    let (mut rewrapped, all) = (0, files.len() as u64);
    for (done, (digest, path)) in files.iter().enumerate() {
        if let Some(mut file) = opened(path, true)? {
            let header = Header::read(&mut file).map_err(|error| failed("reading", path, &error))?;
            if let Header::Sealed(wraps) = header
                && header.keys().contains(&old)
            {
                replace(&file, path, digest, wraps, vault, (old, new))?;
                rewrapped += 1;
            }
        }
        progress(done as u64 + 1, all);
    }
    Ok(rewrapped)
}

fn replace(
    file: &File,
    path: &Path,
    digest: &str,
    wraps: [[u8; WRAP]; 2],
    vault: &Vault,
    (old, new): (KeyId, KeyId),
) -> Result<()> {
    let write = |place: usize, wrap: [u8; WRAP]| {
        let written = file.write_all_at(&wrap, (CLEAR + place * WRAP) as u64).and_then(|()| file.sync_data());
        written.map_err(|error| failed("writing", path, &error))
    };
    let place = |key| wraps.iter().position(|wrap| is_used(wrap) && wrapped_by(wrap) == key);
    let Some(from) = place(old) else { return Ok(()) };
    // One that a power cut has torn bears the id and opens nothing.
    let (key, address) = (vault.key(new)?, format::address(digest));
    let is_whole = |place: usize| DataKey::unwrap(&wraps[place], &key, &address).is_some();
    if !place(new).is_some_and(is_whole) {
        let data = format::data_key(&wraps, digest, |id| vault.key(id))?;
        write(1 - from, data.wrap(&key, &address)?)?;
    }
    write(from, [0; WRAP])
}
