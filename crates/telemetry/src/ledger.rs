//! The usage ledger: every call as a line of JSON, one file a UTC day, in `<data>/telemetry/usage`.
//!
//! Lines are appended and brought to the disk at every tick of the [`Hub`](crate::Hub), twice a second: a crash loses
//! less than the last second. A line that was cut off is left alone, ended, and passed over by readers. Where the disk is
//! full, lines wait in memory up to a bound, and what finds no room is counted. The file of a day that is over is
//! compressed; files older than the days to keep are deleted.
//!
//! Start at [`Ledger`], which writes, and [`read`], which reads a time at a time beside a running server.

mod days;
mod read;
#[cfg(test)]
mod tests;

pub use days::Days;
pub use read::{Reader, read};

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::{Consumer, Entry};

/// What waits where it cannot be written: some 200,000 calls.
const WAITING: usize = 64 << 20;
/// How often old files are looked for.
const TIDY: Duration = Duration::from_secs(3600);

/// Why the ledger could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk has no room.
    #[error("no room on the disk to write {path}: free some, what waits is written then")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl LedgerError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match source.kind() {
            StorageFull | QuotaExceeded => Self::Full { path: path.to_owned() },
            _ => Self::Io { path: path.to_owned(), source },
        }
    }
}

/// Writes the ledger. One of the [`Hub`](crate::Hub)'s consumers.
#[derive(Debug)]
pub struct Ledger {
    days: Days,
    /// Lines that are not on the disk, the oldest first.
    waiting: Vec<(Date, Vec<u8>)>,
    bytes: usize,
    most: usize,
    lost: Arc<AtomicU64>,
    failing: bool,
    tidied: Option<Instant>,
    keep_days: u32,
}

impl Ledger {
    /// The ledger of a server's data folder. Files are kept for `keep_days` days, 0 for ever.
    pub fn open(data: &Path, keep_days: u32) -> Result<Self, LedgerError> {
        let days = Days::open(&folder(data))?;
        let lost = Arc::default();
        Ok(Self { days, waiting: Vec::new(), bytes: 0, most: WAITING, lost, failing: false, tidied: None, keep_days })
    }

    /// How many calls were lost for want of room, counted as long as the server runs.
    pub fn lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.lost)
    }

    fn keep(&mut self, entry: &Entry) {
        let day = day_of(entry.at);
        if !matches!(self.waiting.last(), Some((last, _)) if *last == day) {
            self.waiting.push((day, Vec::new()));
        }
        let Some((_, lines)) = self.waiting.last_mut() else { return };
        let before = lines.len();
        if self.bytes > self.most || serde_json::to_writer(&mut *lines, entry).is_err() {
            lines.truncate(before);
            let lost = self.lost.fetch_add(1, Relaxed) + 1;
            if lost.is_power_of_two() {
                tracing::error!(lost, "usage records were lost: they could not be written for too long");
            }
            return;
        }
        lines.push(b'\n');
        self.bytes += lines.len() - before;
    }

    fn write(&mut self) -> Result<(), LedgerError> {
        while let Some((day, lines)) = self.waiting.first_mut() {
            let (written, result) = self.days.append(*day, lines);
            lines.drain(..written);
            self.bytes -= written;
            result?;
            self.waiting.remove(0);
        }
        Ok(())
    }
}

impl Consumer for Ledger {
    fn take(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.keep(entry);
        }
    }

    fn tick(&mut self) {
        match self.write() {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!(lost = self.lost.load(Relaxed), "usage is written again");
            }
            Ok(()) => {}
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::error!(%error, "usage cannot be written; it waits in memory");
            }
            Err(_) => {}
        }
        if self.tidied.is_none_or(|at| at.elapsed() >= TIDY) {
            self.tidied = Some(Instant::now());
            self.days.tidy(day_of(Timestamp::now()), self.keep_days);
        }
    }
}

/// Where the ledger lies in a data folder.
pub fn folder(data: &Path) -> PathBuf {
    data.join("telemetry").join("usage")
}

pub(crate) fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Appends to a file whole lines only: what was cut off before, by a crash or a full disk, is ended first. Says how many
/// bytes of whole lines were written, whatever came then.
pub(crate) fn append(path: &Path, lines: &[u8]) -> (usize, std::io::Result<()>) {
    let mut file = match std::fs::OpenOptions::new().create(true).read(true).append(true).open(path) {
        Ok(file) => file,
        Err(error) => return (0, Err(error)),
    };
    if let Err(error) = end_torn_line(&mut file) {
        return (0, Err(error));
    }
    let mut written = 0;
    while written < lines.len() {
        match file.write(&lines[written..]) {
            Ok(0) => return (whole(lines, written), Err(std::io::ErrorKind::WriteZero.into())),
            Ok(some) => written += some,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return (whole(lines, written), Err(error)),
        }
    }
    (written, file.sync_data())
}

/// The bytes of whole lines among the first `written`. The rest is written again: a line that was cut off is no JSON.
fn whole(lines: &[u8], written: usize) -> usize {
    lines[..written].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

fn end_torn_line(file: &mut std::fs::File) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(())
}
