//! Reads what was written, a line at a time: a month of a million calls needs no more memory than one of them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::DeserializeOwned;

use super::{LedgerError, day_of, days, folder};
use crate::Entry;

/// The calls that ended in `time`, day after day, those of one day as they were written.
pub fn read(
    data: &Path,
    time: Range<Timestamp>,
) -> Result<impl Iterator<Item = Result<Entry, LedgerError>>, LedgerError> {
    let lines = Reader::<Entry>::open(&folder(data), time.clone())?;
    Ok(lines.filter(move |entry| entry.as_ref().is_ok_and(|entry| time.contains(&entry.at)) || entry.is_err()))
}

/// The values of the lines of all files of the days of a time.
pub struct Reader<T> {
    folder: PathBuf,
    days: VecDeque<(Date, Vec<PathBuf>)>,
    lines: Option<(PathBuf, Box<dyn BufRead + Send>)>,
    line: Vec<u8>,
    /// The file of which it was told that it is damaged.
    told: Option<PathBuf>,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Reader<T> {
    /// Of a folder that [`Days`](super::Days) writes.
    pub fn open(folder: &Path, time: Range<Timestamp>) -> Result<Self, LedgerError> {
        let (first, last) = (day_of(time.start), day_of(time.end));
        let days = days::files(folder)?.into_iter().filter(|(day, _)| (first..=last).contains(day)).collect();
        Ok(Self {
            folder: folder.to_owned(),
            days,
            lines: None,
            line: Vec::new(),
            told: None,
            of: std::marker::PhantomData,
        })
    }

    /// Opens the next file; none where there is no more.
    fn advance(&mut self) -> Result<Option<()>, LedgerError> {
        while let Some((day, paths)) = self.days.front_mut() {
            let Some(path) = paths.first().cloned() else {
                self.days.pop_front();
                continue;
            };
            let file = match File::open(&path) {
                Ok(file) => file,
                // It was compressed since it was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let (day, left) = (*day, paths.len());
                    let mut now = days::files(&self.folder)?.remove(&day).unwrap_or_default();
                    // What had been read of the day stays in front: names of parts are in order of their making.
                    let mut rest = now.split_off(now.len().saturating_sub(left));
                    rest.retain(|other| *other != path);
                    *paths = rest;
                    continue;
                }
                Err(error) => return Err(LedgerError::io(&path, error)),
            };
            paths.remove(0);
            let plain = BufReader::with_capacity(1 << 16, file);
            let lines: Box<dyn BufRead + Send> = match path.extension().is_some_and(|end| end == "gz") {
                true => Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(plain))),
                false => Box::new(plain),
            };
            self.lines = Some((path, lines));
            return Ok(Some(()));
        }
        Ok(None)
    }

    fn step(&mut self) -> Result<Option<T>, LedgerError> {
        loop {
            let Some((path, lines)) = &mut self.lines else {
                match self.advance()? {
                    Some(()) => continue,
                    None => return Ok(None),
                }
            };
            self.line.clear();
            match lines.read_until(b'\n', &mut self.line) {
                Ok(0) => self.lines = None,
                Ok(_) => match serde_json::from_slice(&self.line) {
                    Ok(value) => return Ok(Some(value)),
                    // A line that was cut off, or is just being written, is no JSON; one that has its end should be.
                    Err(error) if self.line.ends_with(b"\n") && self.told.as_ref() != Some(path) => {
                        tracing::warn!(file = %path.display(), %error, "lines that cannot be read are left out");
                        self.told = Some(path.clone());
                    }
                    Err(_) => {}
                },
                Err(source) => {
                    let error = LedgerError::io(path, source);
                    self.lines = None;
                    return Err(error);
                }
            }
        }
    }
}

impl<T: DeserializeOwned> Iterator for Reader<T> {
    type Item = Result<T, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
