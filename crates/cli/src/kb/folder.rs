//! The documents of a folder.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// What the server can read, by the file's ending.
const READABLE: &[&str] = &[
    "txt", "md", "markdown", "rst", "adoc", "asciidoc", "org", "html", "htm", "pdf", "docx", "xlsx", "xls", "pptx",
    "csv", "tsv", "eml",
];
/// Beside a document: its attributes.
const SIDECAR: &str = ".metadata.json";

/// What is in a folder.
#[derive(Debug, Default, PartialEq)]
pub struct Files {
    /// The documents and their sidecars, by key.
    pub documents: Vec<(String, PathBuf)>,
    /// How many files are of other kinds.
    pub others: usize,
}

/// The documents of a folder or a file. Hidden files and what `.gitignore` names are left out.
pub fn scan(root: &Path) -> Result<Files, String> {
    let mut files = Files::default();
    if root.is_file() {
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !readable(&name) {
            return Err(format!("{}: cannot be read; a document ends in .{}", root.display(), READABLE.join(", .")));
        }
        let sidecar = PathBuf::from(format!("{}{SIDECAR}", root.display()));
        if sidecar.is_file() {
            files.documents.push((format!("{name}{SIDECAR}"), sidecar));
        }
        files.documents.push((name, root.to_owned()));
        return Ok(files);
    }
    for entry in WalkBuilder::new(root).require_git(false).sort_by_file_name(std::cmp::Ord::cmp).build() {
        let entry = entry.map_err(|error| error.to_string())?;
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        let key = parts.join("/");
        if readable(&key) {
            files.documents.push((key, entry.into_path()));
        } else {
            files.others += 1;
        }
    }
    Ok(files)
}

fn readable(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(SIDECAR).unwrap_or(&name);
    name.rsplit_once('.').is_some_and(|(stem, ending)| !stem.is_empty() && READABLE.contains(&ending))
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
        std::fs::write(root.join(".gitignore"), "skip.txt\n").unwrap();
        let files = scan(root).unwrap();
        let keys: Vec<_> = files.documents.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a/c.PDF", "a/c.PDF.metadata.json", "a/d.rst", "b.md"]);
        assert_eq!(files.others, 2);
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
