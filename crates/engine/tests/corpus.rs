//! Replays the corpus of the fuzzer of GGUF headers through the fuzzer's own entry, so that what was once found stays
//! found without a fuzzer at hand.

// All of this is test: failing is what it is for.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/entries/gguf.rs"]
mod gguf;

#[test]
fn gguf_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/gguf");
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        // Captured output names the file whose run fails.
        eprintln!("{}", path.display());
        gguf::run(&fs::read(&path).unwrap());
        files += 1;
    }
    assert!(files >= 8, "{} has only {files} files", folder.display());
}

/// What fuzzing starts from also holds where it begins: every cut of a true header, and every byte of it changed.
#[test]
fn true_headers_cut_and_changed() {
    let whole = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/bert.gguf")).unwrap();
    let header = &whole[..6000];
    for end in (0..header.len()).step_by(7) {
        gguf::run(&header[..end]);
    }
    for at in 0..1500 {
        let mut changed = header.to_vec();
        changed[at] ^= 0xFF;
        gguf::run(&changed);
    }
}
