//! Walking a chain from its first line to its last.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::chain::{self, Head};
use super::folder::{anchor, days, nodes, path};

/// What was found of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub node: String,
    /// Lines that are as they were written.
    pub lines: u64,
    /// Lines that were let go by age before the first that is there.
    pub pruned: u64,
    /// The sequence and hash of the last line. Whoever keeps it elsewhere can tell whether lines were cut off the end.
    pub last: Option<(u64, String)>,
    /// The line that was looked for is there.
    pub found: bool,
    /// Bytes behind the last whole line: one that is being written, or that a killed process left. The next start
    /// removes them and says so in the chain.
    pub torn: u64,
    /// The first line that is not as it was.
    pub broken: Option<Broken>,
}

/// A line that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its file.
    pub file: PathBuf,
    /// Its place in it, from 1.
    pub line: u64,
    /// What is wrong.
    pub why: String,
}

/// Walks every chain below `root`; `looked_for` is the hash of a line that somebody remembers.
pub fn verify(root: &Path, looked_for: Option<&str>) -> io::Result<Vec<Report>> {
    nodes(root)?.into_iter().map(|node| chain_of(&root.join(&node), node, looked_for)).collect()
}

fn chain_of(folder: &Path, node: String, looked_for: Option<&str>) -> io::Result<Report> {
    let begin = Head::of(&node);
    let mut report = Report { lines: 0, pruned: 0, last: None, found: false, torn: 0, broken: None, node };
    let kept = anchor(folder)?;
    // The line before, as it must be named by the next. None before the first line of a chain that was pruned.
    let mut before = kept.is_none().then_some(begin);
    let (mut line, mut last) = (Vec::new(), None);
    for day in days(folder)? {
        let file = path(folder, day);
        let mut reader = BufReader::with_capacity(1 << 20, File::open(&file)?);
        for number in 1.. {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let mut broken = |why: String| report.broken = Some(Broken { file: file.clone(), line: number, why });
            if line.pop_if(|end| *end == b'\n').is_none() {
                report.torn = line.len() as u64;
                break;
            }
            let link = match chain::check(&line) {
                Ok(link) => link,
                Err(why) => {
                    broken(why.to_owned());
                    return Ok(report);
                }
            };
            let before_first = |link: &chain::Link| match &kept {
                // Files that were to be removed may still be there: then the anchor is one of the lines below.
                Some(kept) if link.sequence <= kept.sequence => {
                    Head { sequence: link.sequence - 1, hash: link.previous }
                }
                Some(kept) => {
                    Head { sequence: kept.sequence, hash: kept.hash.as_bytes().try_into().unwrap_or([0; 64]) }
                }
                None => Head::of(&link.node),
            };
            let expected = before.get_or_insert_with(|| before_first(&link));
            if link.node != report.node {
                broken(format!("it is of the chain {}", link.node));
                return Ok(report);
            }
            if link.sequence != expected.sequence + 1 {
                broken(format!("it is number {}, and number {} is due", link.sequence, expected.sequence + 1));
                return Ok(report);
            }
            if link.previous != expected.hash {
                broken("the line before it was altered: its hash is another than the one kept here".to_owned());
                return Ok(report);
            }
            if kept
                .as_ref()
                .is_some_and(|kept| kept.sequence == link.sequence && kept.hash.as_bytes() != link.hash.as_slice())
            {
                broken("it is another line than the one at which older files were to be removed".to_owned());
                return Ok(report);
            }
            if report.lines == 0 {
                report.pruned = link.sequence - 1;
            }
            report.lines += 1;
            report.found |= looked_for.is_some_and(|hash| hash.as_bytes() == link.hash.as_slice());
            *expected = Head { sequence: link.sequence, hash: link.hash };
            last = Some(link);
        }
    }
    report.last = last.map(|link| (link.sequence, chain::shown(&link.hash).to_owned()));
    Ok(report)
}
