//! A folder of files of lines, one file a day.
//!
//! `2026-11-21.jsonl` is written to. When the day is over it is renamed to a part of that day, compressed beside it, and
//! deleted; while both are there, only the compressed one counts. A line that comes late begins another part.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::Date;

use super::{LedgerError, append};

/// The folder.
#[derive(Debug, Clone)]
pub struct Days {
    folder: PathBuf,
    compressing: Arc<AtomicBool>,
}

impl Days {
    /// The folder, made where it is missing.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        fs::create_dir_all(folder).map_err(|error| LedgerError::io(folder, error))?;
        Ok(Self { folder: folder.to_owned(), compressing: Arc::default() })
    }

    /// Appends whole lines to the file of `day` and brings them to the disk. Says how many bytes were written.
    pub fn append(&self, day: Date, lines: &[u8]) -> (usize, Result<(), LedgerError>) {
        let path = self.folder.join(format!("{day}.jsonl"));
        let (written, result) = append(&path, lines);
        (written, result.map_err(|error| LedgerError::io(&path, error)))
    }

    /// Compresses the files of the days before `today`, on a thread of its own, and deletes those of more than
    /// `keep_days` days ago (0: none).
    pub fn tidy(&self, today: Date, keep_days: u32) {
        let oldest = today.checked_sub(jiff::Span::new().days(i64::from(keep_days.min(100_000))));
        let oldest = oldest.ok().filter(|_| keep_days > 0);
        if let Err(error) = self.tidy_from(today, oldest) {
            tracing::warn!(folder = %self.folder.display(), %error, "old files cannot be tidied up");
        }
    }

    fn tidy_from(&self, today: Date, oldest: Option<Date>) -> Result<(), LedgerError> {
        let mut over = Vec::new();
        for (day, paths) in files(&self.folder)? {
            for path in paths {
                if oldest.is_some_and(|oldest| day < oldest) {
                    gone(fs::remove_file(&path)).map_err(|error| LedgerError::io(&path, error))?;
                } else if day < today && path.extension().is_some_and(|end| end == "jsonl") {
                    over.push((day, path));
                }
            }
        }
        if over.is_empty() || self.compressing.swap(true, SeqCst) {
            return Ok(());
        }
        let (folder, compressing) = (self.folder.clone(), Arc::clone(&self.compressing));
        let work = move || {
            for (day, path) in over {
                if let Err(error) = close(&folder, day, &path) {
                    tracing::warn!(path = %path.display(), %error, "an old file cannot be compressed");
                }
            }
            compressing.store(false, SeqCst);
        };
        let thread = std::thread::Builder::new().name("usage-gzip".into()).spawn(work);
        thread.map(drop).map_err(|error| LedgerError::io(&self.folder, error))
    }
}

/// Makes of the file of a day that is over one of its compressed parts.
pub(super) fn close(folder: &Path, day: Date, path: &Path) -> std::io::Result<()> {
    let open = folder.join(format!("{day}.jsonl"));
    let part = if path == open {
        // No two parts have one name, whoever makes them.
        let now = jiff::Timestamp::now().as_nanosecond();
        let part = folder.join(format!("{day}.{now}-{}.jsonl", std::process::id()));
        match fs::rename(&open, &part) {
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            done => done?,
        }
        part
    } else {
        path.to_owned()
    };
    let unfinished = part.with_extension("jsonl.gz.unfinished");
    let mut from = match fs::File::open(&part) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => BufReader::new(opened?),
    };
    let mut to = GzEncoder::new(BufWriter::new(fs::File::create(&unfinished)?), Compression::default());
    std::io::copy(&mut from, &mut to)?;
    let mut file = to.finish()?;
    file.flush()?;
    file.get_ref().sync_all()?;
    fs::rename(&unfinished, part.with_extension("jsonl.gz"))?;
    fs::File::open(folder)?.sync_all()?;
    gone(fs::remove_file(&part))
}

fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The files of each day that count, in the order of days. A folder that is not there has none.
pub(super) fn files(folder: &Path) -> Result<BTreeMap<Date, Vec<PathBuf>>, LedgerError> {
    let told = |error| LedgerError::io(folder, error);
    let mut days: BTreeMap<Date, Vec<PathBuf>> = BTreeMap::new();
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(days),
        listed => listed.map_err(told)?,
    };
    for one in listed {
        let path = one.map_err(told)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some((day, _)) = name.split_once('.') else { continue };
        let Ok(day) = day.parse::<Date>() else { continue };
        if name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") {
            days.entry(day).or_default().push(path);
        }
    }
    for paths in days.values_mut() {
        paths.sort();
        let all = paths.clone();
        paths.retain(|path| {
            !all.contains(&path.with_extension("jsonl.gz")) || path.extension().is_some_and(|e| e == "gz")
        });
    }
    Ok(days)
}
