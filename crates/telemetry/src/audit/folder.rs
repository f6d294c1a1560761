//! The files of one chain: whose it is, where it ends, appending to it, letting go of what is too old.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::chain::{self, Head};

/// What ends the name of a day's file.
const SUFFIX: &str = ".jsonl";
const ANCHOR: &str = "anchor.json";
/// How much is read at a time while the last line is looked for.
const BLOCK: u64 = 64 * 1024;

/// Where a chain goes on after its oldest files were removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anchor {
    /// The last line that was removed.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

/// A chain that this process writes, and nobody else: it holds the lock.
#[derive(Debug)]
pub(super) struct Log {
    folder: PathBuf,
    /// The chain's name.
    pub node: String,
    /// Its end.
    pub head: Head,
    /// The bytes of a line that a process was killed in the middle of.
    pub torn: u64,
    /// The day of the newest file. It never goes back, whatever the clock does: files are in the chain's order.
    pub day: Date,
    file: Option<File>,
    /// How long the newest file is, whole lines only.
    length: u64,
    /// A part of a line may stand behind that.
    unclean: bool,
    _lock: File,
}

impl Log {
    /// The first chain of this role that no running process has, or a new one.
    pub fn open(root: &Path, role: &str) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        for node in nodes(root)? {
            if node.strip_prefix(role).is_some_and(|rest| rest.starts_with('-'))
                && let Some(lock) = lock(&root.join(&node))?
            {
                return Self::resume(root.join(&node), node, lock);
            }
        }
        loop {
            let node = format!("{role}-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
            let folder = root.join(&node);
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    // Somebody who looks for a chain of this role may have been faster.
                    if let Some(lock) = lock(&folder)? {
                        return Self::resume(folder, node, lock);
                    }
                }
            }
        }
    }

    fn resume(folder: PathBuf, node: String, lock: File) -> io::Result<Self> {
        let head = match anchor(&folder)? {
            Some(anchor) => Head {
                sequence: anchor.sequence,
                hash: anchor.hash.as_bytes().try_into().map_err(|_| broken("its anchor is damaged"))?,
            },
            None => Head::of(&node),
        };
        let mut log =
            Self { folder, node, head, torn: 0, day: Date::MIN, file: None, length: 0, unclean: false, _lock: lock };
        for day in days(&log.folder)?.into_iter().rev() {
            let mut file = open(&log.folder, day)?;
            let (whole, last) = last_line(&mut file)?;
            let length = file.metadata()?.len();
            if whole < length {
                log.torn += length - whole;
                file.set_len(whole)?;
            }
            if log.file.is_none() {
                (log.day, log.length, log.file) = (day, whole, Some(file));
            }
            if let Some(last) = last {
                log.head = match chain::check(&last) {
                    Ok(link) => Head { sequence: link.sequence, hash: link.hash },
                    // `verify` names the line. What follows is chained to what stands there now.
                    Err(_) => Head { sequence: log.head.sequence, hash: chain::hex(&last) },
                };
                break;
            }
        }
        Ok(log)
    }

    /// Appends whole lines to the file of `day`. After an error the file is as it was.
    pub fn append(&mut self, day: Date, lines: &[u8]) -> io::Result<()> {
        if self.file.is_none() || day > self.day {
            if let Some(file) = &self.file {
                file.sync_data()?;
            }
            let file = open(&self.folder, day)?;
            self.length = file.metadata()?.len();
            self.file = Some(file);
            self.day = day;
            // The file itself must be there after a loss of power, too.
            File::open(&self.folder)?.sync_all()?;
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        // Half a line would hide the one that follows.
        if self.unclean {
            file.set_len(self.length)?;
        }
        self.unclean = true;
        if let Err(error) = file.write_all(lines) {
            self.unclean = file.set_len(self.length).is_err();
            return Err(error);
        }
        self.unclean = false;
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Has the disk keep what was appended.
    pub fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    /// Removes the files of days before `day`, and keeps where the chain goes on. None where there were none.
    pub fn prune(&self, day: Date) -> io::Result<Option<Anchor>> {
        let old: Vec<Date> = days(&self.folder)?.into_iter().filter(|one| *one < day && *one < self.day).collect();
        let Some(newest) = old.last() else { return Ok(None) };
        let (_, last) = last_line(&mut open(&self.folder, *newest)?)?;
        let link = last.as_deref().map(chain::check).transpose().map_err(broken)?;
        let Some(link) = link else { return Ok(None) };
        let anchor = Anchor { sequence: link.sequence, hash: chain::shown(&link.hash).to_owned() };
        let fresh = self.folder.join("anchor.new");
        std::fs::write(&fresh, serde_json::to_vec(&anchor)?)?;
        File::open(&fresh)?.sync_all()?;
        std::fs::rename(&fresh, self.folder.join(ANCHOR))?;
        File::open(&self.folder)?.sync_all()?;
        for day in old {
            std::fs::remove_file(path(&self.folder, day))?;
        }
        Ok(Some(anchor))
    }
}

/// The chains below `root`, by name.
pub(super) fn nodes(root: &Path) -> io::Result<Vec<String>> {
    let mut nodes = Vec::new();
    let entries = match std::fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(nodes),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            nodes.push(name);
        }
    }
    nodes.sort();
    Ok(nodes)
}

/// The days of which a chain has a file, oldest first.
pub(super) fn days(folder: &Path) -> io::Result<Vec<Date>> {
    let mut days = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let day = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).and_then(|day| day.parse::<Date>().ok());
        days.extend(day);
    }
    days.sort();
    Ok(days)
}

/// The file of a day.
pub(super) fn path(folder: &Path, day: Date) -> PathBuf {
    folder.join(format!("{day}{SUFFIX}"))
}

/// Where a chain goes on whose oldest files were removed.
pub(super) fn anchor(folder: &Path) -> io::Result<Option<Anchor>> {
    match std::fs::read(folder.join(ANCHOR)) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn lock(folder: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn open(folder: &Path, day: Date) -> io::Result<File> {
    OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path(folder, day))
}

/// How far whole lines reach, and the last of them without its end.
fn last_line(file: &mut File) -> io::Result<(u64, Option<Vec<u8>>)> {
    let (mut start, mut tail) = (file.metadata()?.len(), Vec::new());
    loop {
        let ends = memchr::memrchr(b'\n', &tail);
        let begins = ends.and_then(|end| memchr::memrchr(b'\n', &tail[..end]));
        if let (Some(end), Some(begin)) = (ends, begins.map(|at| at + 1).or((start == 0).then_some(0))) {
            return Ok((start + end as u64 + 1, Some(tail[begin..end].to_vec())));
        }
        if start == 0 {
            return Ok((0, None));
        }
        let more = start.min(BLOCK);
        start -= more;
        let mut block = vec![0; more as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block)?;
        block.append(&mut tail);
        tail = block;
    }
}
