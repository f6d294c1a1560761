//! The documents of a folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use outcrop_extract::{Format, detect};

use crate::text::counted;

/// What is read whatever its first bytes are, by the file's ending: where they are wrong, the server says why.
const READABLE: &[&str] = &[
    "txt", "md", "markdown", "rst", "adoc", "asciidoc", "org", "html", "htm", "pdf", "docx", "xlsx", "xls", "pptx",
    "csv", "tsv", "eml",
];
/// Beside a document: its attributes.
const SIDECAR: &str = ".metadata.json";
/// How much of a file of another ending is looked at.
const HEAD: u64 = 8192;

/// What is in a folder.
#[derive(Debug, Default, PartialEq)]
pub struct Files {
    /// The documents and their sidecars, by key.
    pub documents: Vec<(String, PathBuf)>,
    /// How many files are of other kinds, by their ending.
    pub others: BTreeMap<String, u64>,
    /// How many symbolic links were not followed.
    pub links: u64,
    /// How many files and folders were left out as hidden: their names begin with a dot.
    pub hidden: u64,
    /// How many pipes, sockets and devices were not read, which may have no end.
    pub endless: u64,
    /// What could not be looked into, by key, and why.
    pub unreadable: Vec<(String, String)>,
}

impl Files {
    /// Whether a key lies below what could not be looked into.
    pub fn hides(&self, key: &str) -> bool {
        let below = |dark: &str| key.strip_prefix(dark).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.unreadable.iter().any(|(dark, _)| below(dark))
    }

    /// What is no document, for people.
    pub fn told(&self) -> Vec<String> {
        let mut told: Vec<String> = self.unreadable.iter().map(|(key, why)| format!("{key}: {why}")).collect();
        if !self.others.is_empty() {
            let mut kinds: Vec<_> = self.others.iter().collect();
            kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            let kinds: Vec<_> = kinds.into_iter().map(|(ending, count)| format!("{ending} {count}")).collect();
            told.push(format!("{} of other kinds ({})", counted(self.others.values().sum(), "file"), kinds.join(", ")));
        }
        if self.links > 0 {
            told.push(counted(self.links, "symbolic link"));
        }
        if self.hidden > 0 {
            told.push(format!("{} hidden (names that begin with a dot)", self.hidden));
        }
        if self.endless > 0 {
            told.push(format!("{} (pipes, sockets, devices)", counted(self.endless, "special file")));
        }
        told
    }
}

/// The documents of a folder or a file. Hidden files and what `.gitignore` names are left out.
pub fn scan(root: &Path) -> Result<Files, String> {
    let mut files = Files::default();
    if root.is_file() {
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !readable(&name, root) {
            return Err(format!("{}: cannot be read; it is no text, and no format that is known", root.display()));
        }
        let sidecar = PathBuf::from(format!("{}{SIDECAR}", root.display()));
        if sidecar.is_file() {
            files.documents.push((format!("{name}{SIDECAR}"), sidecar));
        }
        files.documents.push((name, root.to_owned()));
        return Ok(files);
    }
    for entry in WalkBuilder::new(root).require_git(false).sort_by_file_name(std::cmp::Ord::cmp).build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => match dark(&error).map(|path| key_of(root, path)) {
                Some(key) if !key.is_empty() => {
                    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    files.unreadable.push((key, why));
                    continue;
                }
                _ => return Err(error.to_string()),
            },
        };
        if entry.depth() > 0 && is_hidden(entry.file_name()) {
            // One that a `.gitignore` asks for.
            files.hidden = files.hidden.saturating_sub(1);
        }
        let kind = entry.file_type();
        if kind.is_some_and(|kind| kind.is_dir()) {
            files.hidden += hidden_in(entry.path());
        } else if kind.is_some_and(|kind| kind.is_symlink()) {
            files.links += 1;
        } else if kind.is_some_and(|kind| kind.is_file()) {
            let key = key_of(root, entry.path());
            if readable(&key, entry.path()) {
                files.documents.push((key, entry.into_path()));
            } else {
                let ending = entry.path().extension().map(|ending| format!(".{}", ending.to_string_lossy()));
                *files.others.entry(ending.unwrap_or_else(|| "no ending".into()).to_lowercase()).or_default() += 1;
            }
        } else {
            files.endless += 1;
        }
    }
    Ok(files)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// How many of a folder's entries are hidden; what cannot be looked into is told elsewhere.
fn hidden_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| is_hidden(&entry.file_name())).count() as u64
}

fn key_of(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    relative.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The place that an error is about.
fn dark(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => dark(err),
        _ => None,
    }
}

/// Whether the server reads it: by its ending, else as the server itself tells.
fn readable(name: &str, path: &Path) -> bool {
    let lower = name.to_ascii_lowercase();
    let whole = lower.strip_suffix(SIDECAR).unwrap_or(&lower);
    if whole.rsplit_once('.').is_some_and(|(stem, ending)| !stem.is_empty() && READABLE.contains(&ending)) {
        return true;
    }
    let mut head = Vec::new();
    match File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head)) {
        Ok(_) => detect(&head, name, None) != Format::Unknown,
        // Said when it is to be sent.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_from_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("a/.git")).unwrap();
        for name in
            ["b.md", "a/c.PDF", "a/c.PDF.metadata.json", "a/d.rst", "a/main.rs", "a/.git/x.md", "skip.txt", "Makefile"]
        {
            std::fs::write(root.join(name), "x").unwrap();
        }
        std::fs::write(root.join("a/p.PNG"), b"\x89PNG\r\n\x1a\n\0\0\0\x0d\0\0").unwrap();
        std::fs::write(root.join("data"), b"\0\0\x01\x02").unwrap();
        std::fs::write(root.join(".gitignore"), "skip.txt\n").unwrap();
        let files = scan(root).unwrap();
        let keys: Vec<_> = files.documents.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["Makefile", "a/c.PDF", "a/c.PDF.metadata.json", "a/d.rst", "a/main.rs", "b.md"]);
        assert_eq!(
            files.told(),
            ["2 files of other kinds (.png 1, no ending 1)", "2 hidden (names that begin with a dot)"]
        );
        std::fs::write(root.join(".gitignore"), "skip.txt\n.*\n!.asked.md\n").unwrap();
        std::fs::write(root.join(".asked.md"), "x").unwrap();
        let files = scan(root).unwrap();
        assert_eq!((files.documents[0].0.as_str(), files.hidden), (".asked.md", 2));
    }

    #[cfg(unix)]
    #[test]
    fn what_has_no_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.md"), "x").unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("c.md")).unwrap();
        let files = scan(folder.path()).unwrap();
        assert_eq!(files.documents.len(), 1);
        assert_eq!(files.told(), ["1 special file (pipes, sockets, devices)"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.md"), "x").unwrap();
        std::os::unix::fs::symlink(folder.path().join("b.md"), folder.path().join("c.md")).unwrap();
        let files = scan(folder.path()).unwrap();
        assert_eq!((files.documents.len(), files.told()), (1, vec!["1 symbolic link".to_owned()]));
    }

    #[test]
    fn what_cannot_be_looked_into_hides_what_is_below() {
        let error =
            ignore::Error::WithPath { path: "/r/a/b".into(), err: Box::new(std::io::Error::other("no").into()) };
        let error = ignore::Error::WithDepth { depth: 2, err: Box::new(error) };
        let key = dark(&error).map(|path| key_of(Path::new("/r"), path)).unwrap();
        let files = Files { unreadable: vec![(key, "no".into())], ..Files::default() };
        assert!(files.hides("a/b/c.md") && files.hides("a/b") && !files.hides("a/bc.md"));
        assert_eq!(files.told(), ["a/b: no"]);
    }

    #[test]
    fn a_file_brings_its_sidecar() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("b.md");
        std::fs::write(&file, "x").unwrap();
        std::fs::write(folder.path().join("b.md.metadata.json"), "{}").unwrap();
        let keys: Vec<_> = scan(&file).unwrap().documents.into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["b.md.metadata.json", "b.md"]);
        assert!(scan(&folder.path().join("b.md.metadata.json")).is_ok());
        std::fs::write(folder.path().join("x.bin"), "x").unwrap();
        assert!(scan(&folder.path().join("x.bin")).unwrap_err().contains("cannot be read"));
    }
}
