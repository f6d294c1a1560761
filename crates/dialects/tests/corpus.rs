//! Replays the dialects' fuzzing corpus, and every body of the golden files, through the fuzzer's own entry function.

// All of this is test: failing is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use outcrop_dialects::NAMES;
use std::fs;
use std::path::Path;

#[path = "../../../fuzz/entries/dialects.rs"]
mod dialects;

#[path = "../../../fuzz/entries/streams.rs"]
mod streams;

#[test]
fn dialects_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/dialects");
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        // Captured output names the file whose run fails.
        eprintln!("{}", path.display());
        dialects::run(&fs::read(&path).unwrap());
        files += 1;
    }
    assert!(files >= NAMES.len(), "{} has only {files} files", folder.display());
}

#[test]
fn golden_bodies() {
    for name in NAMES {
        for (file, value) in support::files(name, "").into_iter().filter(|(f, _)| f.starts_with(['d', 'e', 'r', 'i'])) {
            for case in support::cases(&value).iter().filter(|case| case.get("body").is_some()) {
                eprintln!("{name}/{file}");
                dialects::run(&support::body(case));
            }
        }
    }
}

#[test]
fn streams_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/streams");
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        eprintln!("{}", path.display());
        streams::run(&fs::read(&path).unwrap());
        files += 1;
    }
    assert!(files > 10, "{} has only {files} files", folder.display());
}
