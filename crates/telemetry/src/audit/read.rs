//! Reading the trail: oldest first to export it, newest first to search it. All chains as one, by time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::folder::{days, nodes, path};

const BLOCK: u64 = 64 * 1024;
/// Longer than any record: what has no line's end in it is none.
const LONGEST: usize = 1 << 20;

/// One line, where it was found.
#[derive(Debug, Clone)]
pub struct Line {
    /// The record, without its line's end.
    pub bytes: Vec<u8>,
    /// Where reading goes on behind it.
    place: Place,
}

/// Where a reader of one chain, newest first, is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    node: String,
    day: Date,
    /// What lies before this byte of the day's file is still to be read.
    before: u64,
}

/// A line's `eventTime`, as it stands there. Times of this form are in order as texts are.
pub fn time_of(line: &[u8]) -> &str {
    const TIME: &[u8] = b"\"eventTime\":\"";
    let time = memmem::find(line, TIME).and_then(|at| line.get(at + TIME.len()..at + TIME.len() + 20));
    time.and_then(|time| std::str::from_utf8(time).ok()).unwrap_or_default()
}

/// All lines of days in `from..=to`, oldest first.
pub fn forward(root: &Path, from: Date, to: Date, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut readers = Vec::new();
    for node in nodes(root)? {
        let folder = root.join(&node);
        let days = days(&folder)?.into_iter().filter(|day| (from..=to).contains(day));
        let files: Vec<PathBuf> = days.rev().map(|day| path(&folder, day)).collect();
        let mut reader = Forward { files, open: None, line: Vec::new() };
        if reader.next()? {
            readers.push(reader);
        }
    }
    while let Some(at) = (0..readers.len()).min_by(|a, b| time_of(&readers[*a].line).cmp(time_of(&readers[*b].line))) {
        each(&readers[at].line)?;
        if !readers[at].next()? {
            readers.remove(at);
        }
    }
    Ok(())
}

struct Forward {
    /// Newest first.
    files: Vec<PathBuf>,
    open: Option<BufReader<File>>,
    line: Vec<u8>,
}

impl Forward {
    fn next(&mut self) -> io::Result<bool> {
        loop {
            self.line.clear();
            if let Some(open) = &mut self.open {
                open.read_until(b'\n', &mut self.line)?;
                if self.line.pop_if(|end| *end == b'\n').is_some() {
                    return Ok(true);
                }
            }
            let Some(file) = self.files.pop() else { return Ok(false) };
            self.open = Some(BufReader::new(File::open(file)?));
        }
    }
}

/// All lines of days in `from..=to`, newest first.
#[derive(Debug)]
pub struct Backward(Vec<(Chain, Option<Line>)>);

impl Backward {
    /// From the newest line on, or from where another reader was.
    pub fn open(root: &Path, from: Date, to: Date, places: Option<&[Place]>) -> io::Result<Self> {
        let mut chains = Vec::new();
        for node in nodes(root)? {
            let place = places.map(|places| places.iter().find(|place| place.node == node));
            // A chain that began after the first page belongs to none.
            if place == Some(None) {
                continue;
            }
            let folder = root.join(&node);
            let place = place.flatten();
            let last = place.map_or(to, |place| place.day.min(to));
            let days = days(&folder)?.into_iter().filter(|day| (from..=last).contains(day)).collect();
            let resume = place.map(|place| (place.day, place.before));
            let mut chain = Chain { folder, node, days, resume, day: last, file: None, start: 0, tail: Vec::new() };
            let first = chain.next()?;
            chains.push((chain, first));
        }
        Ok(Self(chains))
    }

    /// The next older line.
    pub fn older(&mut self) -> io::Result<Option<Vec<u8>>> {
        let waiting = self.0.iter_mut().filter(|(_, line)| line.is_some());
        let newest = waiting.max_by(|(_, a), (_, b)| {
            let time = |line: &'_ Option<Line>| line.as_ref().map(|line| time_of(&line.bytes).to_owned());
            time(a).cmp(&time(b))
        });
        let Some((chain, line)) = newest else { return Ok(None) };
        let next = chain.next()?;
        Ok(std::mem::replace(line, next).map(|line| line.bytes))
    }

    /// Where another reader has to begin to go on here; none where nothing is left.
    pub fn places(&self) -> Option<Vec<Place>> {
        let at = |(chain, line): &(Chain, Option<Line>)| match line {
            Some(line) => line.place.clone(),
            // Read to its end: at the very beginning.
            None => Place { node: chain.node.clone(), day: chain.day, before: 0 },
        };
        self.0.iter().any(|(_, line)| line.is_some()).then(|| self.0.iter().map(at).collect())
    }
}

#[derive(Debug)]
struct Chain {
    folder: PathBuf,
    node: String,
    /// Oldest first.
    days: Vec<Date>,
    resume: Option<(Date, u64)>,
    day: Date,
    file: Option<File>,
    /// Where in the file `tail` begins.
    start: u64,
    /// Whole lines that were read and not given out.
    tail: Vec<u8>,
}

impl Chain {
    fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            if self.file.is_none() && !self.open()? {
                return Ok(None);
            }
            let end = self.tail.len().saturating_sub(1);
            let begin = memchr::memrchr(b'\n', &self.tail[..end]).map(|at| at + 1);
            if let Some(begin) = begin.or((self.start == 0 && end > 0).then_some(0)) {
                let bytes = self.tail[begin..end].to_vec();
                let place =
                    Place { node: self.node.clone(), day: self.day, before: self.start + self.tail.len() as u64 };
                self.tail.truncate(begin);
                return Ok(Some(Line { bytes, place }));
            }
            if self.start == 0 || self.tail.len() > LONGEST {
                self.file = None;
                continue;
            }
            self.read_more()?;
        }
    }

    /// Opens the newest file that is left.
    fn open(&mut self) -> io::Result<bool> {
        let Some(day) = self.days.pop() else { return Ok(false) };
        let file = File::open(path(&self.folder, day))?;
        let mut end = file.metadata()?.len();
        if let Some((resumed, before)) = self.resume.take()
            && resumed == day
        {
            end = end.min(before);
        }
        (self.day, self.start) = (day, end);
        self.tail.clear();
        self.file = Some(file);
        // A line that is still being written is none yet; nor is what a forged place cuts in two.
        while self.start > 0 && !self.tail.contains(&b'\n') && self.tail.len() <= LONGEST {
            self.read_more()?;
        }
        self.tail.truncate(memchr::memrchr(b'\n', &self.tail).map_or(0, |at| at + 1));
        Ok(true)
    }

    fn read_more(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let more = self.start.min(BLOCK);
        self.start -= more;
        let mut block = vec![0; more as usize];
        file.seek(SeekFrom::Start(self.start))?;
        file.read_exact(&mut block)?;
        block.append(&mut self.tail);
        self.tail = block;
        Ok(())
    }
}
