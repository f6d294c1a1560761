//! The files of a folder in the order of their keys, without holding more of it than a bounded part of each level.

use std::collections::BinaryHeap;
use std::io;
use std::path::{Path, PathBuf};

use super::path::OWN;
use crate::names::LONGEST_KEY;

/// The most names of one level that are held.
const HELD: usize = 4096;

/// After what a walk goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bound {
    /// From the beginning.
    Start,
    /// Behind this path.
    After(String),
    /// Behind all paths that begin so.
    Past(String),
}

impl Bound {
    fn skips(&self, path: &str) -> bool {
        match self {
            Self::Start => false,
            Self::After(bound) => path <= bound.as_str(),
            Self::Past(bound) => path < bound.as_str() || path.starts_with(bound.as_str()),
        }
    }

    /// Whether all is skipped that begins with `folder`, which ends in `/`.
    fn skips_folder(&self, folder: &str) -> bool {
        match self {
            Self::Start => false,
            Self::After(bound) => folder < bound.as_str() && !bound.starts_with(folder),
            Self::Past(bound) => {
                folder.starts_with(bound.as_str()) || folder < bound.as_str() && !bound.starts_with(folder)
            }
        }
    }
}

/// A walk over the files of a tree.
pub(super) struct Walk {
    root: PathBuf,
    prefix: String,
    bound: Bound,
    levels: Vec<Level>,
    /// Whether links to files are files of the tree.
    links: bool,
}

struct Level {
    /// Below the root, empty or with `/` at its end.
    path: String,
    /// Names, those of folders with `/` at their end, the next one last.
    names: Vec<String>,
    /// The greatest of them, where there are more behind it.
    more_behind: Option<String>,
}

impl Walk {
    /// Over the paths below `root` that begin with `prefix`, behind `bound`.
    pub fn new(root: &Path, prefix: String, bound: Bound, links: bool) -> io::Result<Self> {
        let mut walk = Self { root: root.to_owned(), prefix, bound, levels: Vec::new(), links };
        // Straight to the folder that the prefix names.
        let folder = walk.prefix.rfind('/').map_or(String::new(), |at| walk.prefix[..=at].to_owned());
        let odd = folder.split_terminator('/').any(|part| matches!(part, "" | "." | ".."));
        if !odd && !folder.contains('\0') && folder.len() <= 3 * LONGEST_KEY {
            let level = walk.read(folder, None)?;
            walk.levels.push(level);
        }
        Ok(walk)
    }

    /// Goes on behind `bound`.
    pub fn seek(&mut self, bound: Bound) {
        self.bound = bound;
    }

    /// The next path.
    pub fn next(&mut self) -> io::Result<Option<String>> {
        while let Some(level) = self.levels.last_mut() {
            if let Some(name) = level.names.pop() {
                let path = format!("{}{name}", level.path);
                if !name.ends_with('/') {
                    if !self.bound.skips(&path) {
                        return Ok(Some(path));
                    }
                } else if !self.bound.skips_folder(&path) {
                    let level = self.read(path, None)?;
                    self.levels.push(level);
                }
            } else if let Some(level) = self.levels.pop()
                && let Some(behind) = level.more_behind
            {
                let level = self.read(level.path, Some(&behind))?;
                self.levels.push(level);
            }
        }
        Ok(None)
    }

    /// The names of one folder that may lead on, of those behind `behind` the first.
    fn read(&self, path: String, behind: Option<&str>) -> io::Result<Level> {
        let mut kept: BinaryHeap<String> = BinaryHeap::new();
        let mut more = false;
        let entries = match std::fs::read_dir(self.root.join(&path)) {
            Ok(entries) => entries,
            // It was taken away, or is no folder any more.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Level { path, names: Vec::new(), more_behind: None });
            }
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, entry.file_name().into_string());
            let Ok(mut name) = name else { continue };
            let file = kind.is_file() || self.links && kind.is_symlink();
            if name.starts_with(OWN) || !file && !kind.is_dir() {
                continue;
            }
            if !file {
                name.push('/');
            }
            let whole = format!("{path}{name}");
            let leads = match file {
                true => whole.starts_with(&self.prefix) && !self.bound.skips(&whole),
                false => {
                    (whole.starts_with(&self.prefix) || self.prefix.starts_with(&whole))
                        && !self.bound.skips_folder(&whole)
                }
            };
            if !leads || behind.is_some_and(|behind| name.as_str() <= behind) {
                continue;
            }
            kept.push(name);
            if kept.len() > HELD {
                kept.pop();
                more = true;
            }
        }
        let mut names = kept.into_sorted_vec();
        names.reverse();
        let more_behind = names.first().filter(|_| more).cloned();
        Ok(Level { path, names, more_behind })
    }
}
