//! Reasons as clients read them.

use std::collections::BTreeMap;

use outcrop_extract::Failure;

use super::{cause, left, told, unfetched, whole};
use crate::ingest::document::Status;
use crate::ingest::sources::FetchError;

fn unwrap(reason: &str) -> String {
    let texts: Vec<String> = serde_json::from_str(reason).unwrap();
    assert_eq!(texts.len(), 1);
    texts.into_iter().next().unwrap()
}

#[test]
fn files_of_one_reason_are_told_together() {
    let files = vec!["s3://b/k1".to_owned(), "s3://b/k2".to_owned()];
    let (status, reason) = left(&Failure::Unsupported);
    assert_eq!(status, Status::Ignored);
    let all = told(&[], &BTreeMap::from([(cause(&reason).to_owned(), files)]));
    assert_eq!(
        all.iter().map(|one| unwrap(one)).collect::<Vec<_>>(),
        [
            "Encountered error: Ignored 2 files as their file format was not supported. [Files: s3://b/k1, s3://b/k2]. Call \
          to Customer Source did not succeed."
        ]
    );
}

#[test]
fn no_reason_is_longer_than_the_model_allows_and_no_file_is_left_out() {
    let files: Vec<String> = (0..500).map(|number| format!("s3://bucket/{}/{number}", "x".repeat(60))).collect();
    let all = told(&[], &BTreeMap::from([(left(&Failure::Limit("too long".into())).1, files.clone())]));
    assert!(all.iter().all(|one| one.chars().count() <= 2048));
    let whole: String = all.iter().map(|one| unwrap(one)).collect();
    for file in files {
        assert!(whole.contains(&file), "{file}");
    }
}

#[test]
fn a_jobs_own_reasons_come_first() {
    let failed = BTreeMap::from([("It is locked.".to_owned(), vec!["s3://b/k".to_owned()])]);
    let all = told(&["Nothing was deleted.".to_owned()], &failed);
    assert_eq!(unwrap(&all[0]), "Nothing was deleted.");
    assert!(all.len() == 2 && unwrap(&all[1]).contains("s3://b/k"), "{all:?}");
    assert_eq!(told(&vec!["x".to_owned(); 3000], &failed).len(), 2048);
}

#[test]
fn a_reason_that_is_no_files_is_an_array_too() {
    assert_eq!(unwrap(&whole("The bucket b could not be listed.")), "The bucket b could not be listed.");
}

#[test]
fn what_is_ignored_says_what_to_do_and_is_told_by_its_cause() {
    let scanned = left(&Failure::NoText(": page 1 has no text layer".into()));
    let (empty, odd) = (left(&Failure::NoText(String::new())), left(&Failure::Unsupported));
    let large = unfetched(&FetchError::Large(": it has 60000000 bytes, and a file may have 52428800".into()));
    for ((status, reason), said, recorded) in [
        (&scanned, "page 1 has no text layer. Make text", "no text content found"),
        (&empty, "fill it", "no text content found"),
        (&odd, "Convert it to PDF", "their file format was not supported"),
        (&large, "Split it", "their size exceeds"),
    ] {
        assert_eq!(*status, Status::Ignored, "{reason}");
        assert!(reason.contains(said) && cause(reason).starts_with(recorded), "{reason}");
    }
    for failure in [Failure::Protected, Failure::Damaged("x".into()), Failure::Limit("x".into())] {
        let (status, reason) = left(&failure);
        assert_eq!((status, cause(&reason)), (Status::Failed, reason.as_str()));
    }
}
