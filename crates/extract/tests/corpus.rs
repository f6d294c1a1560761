//! Replays the fuzzer's corpus through the fuzzer's own entry function, so that what was once found stays found
//! without a fuzzer at hand.

// All of this is test: failing is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/entries/extract.rs"]
mod extract;

#[test]
fn extract_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/extract");
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        // Captured output names the file whose run fails.
        eprintln!("{}", path.display());
        extract::run(&fs::read(&path).unwrap());
        files += 1;
    }
    assert!(files >= 10, "{} has only {files} files", folder.display());
}
