//! Replays the fuzzers' corpus through the fuzzers' own entry functions, so that what was once found stays found
//! without a fuzzer at hand.

// All of this is test: failing is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/entries/envelope.rs"]
mod envelope;
#[path = "../../../fuzz/entries/manifest.rs"]
mod manifest;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        // Captured output names the file whose run fails.
        eprintln!("{}", path.display());
        run(&fs::read(&path).unwrap());
        files += 1;
    }
    assert!(files >= 4, "{} has only {files} files", folder.display());
}

#[test]
fn envelope_corpus() {
    replay("envelope", envelope::run);
}

#[test]
fn manifest_corpus() {
    replay("manifest", manifest::run);
}
