//! Replays the router's fuzzing corpus through the fuzzer's own entry function.

// All of this is test: failing is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/entries/router.rs"]
mod router;

#[test]
fn router_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/router");
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        // Captured output names the file whose run fails.
        eprintln!("{}", path.display());
        router::run(&fs::read(&path).unwrap());
        files += 1;
    }
    assert!(files >= 15, "{} has only {files} files", folder.display());
}
