//! What a commit of the words that was killed leaves behind.

use std::path::Path;

use super::super::words::{Mark, Words};

fn copy(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) {
    for entry in std::fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if wanted(&name) {
            std::fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    }
}

#[test]
fn a_commit_that_was_killed_between_its_files_and_its_mark_is_made_again() {
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut words = Words::open(whole.path()).unwrap();
    words.add(1, 0, "one").unwrap();
    words.add(2, 1, "two").unwrap();
    words.commit(Mark { chunk: 2, removal: 0 }).unwrap();
    drop(words);
    copy(whole.path(), killed.path(), |name| !name.ends_with(".lock"));
    // Whoever opens the folder next numbers what it does alike, and so its files.
    let mut words = Words::open(whole.path()).unwrap();
    words.remove(1).unwrap();
    words.commit(Mark { chunk: 2, removal: 1 }).unwrap();
    drop(words);
    // The removal's file and the list of files are there; what says that they count is not.
    copy(whole.path(), killed.path(), |name| name.ends_with(".del") || name == ".managed.json");
    let left = std::fs::read_dir(killed.path()).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "del")).count(), 1);

    let mut words = Words::open(killed.path()).unwrap();
    assert_eq!(words.mark(), Mark { chunk: 2, removal: 0 });
    words.remove(1).unwrap();
    words.commit(Mark { chunk: 2, removal: 1 }).unwrap();
}
