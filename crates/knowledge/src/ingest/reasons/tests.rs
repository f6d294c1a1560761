//! Reasons as clients read them.

use std::collections::BTreeMap;

use outcrop_extract::Failure;

use super::{reason, told, whole};

fn unwrap(reason: &str) -> String {
    let texts: Vec<String> = serde_json::from_str(reason).unwrap();
    assert_eq!(texts.len(), 1);
    texts.into_iter().next().unwrap()
}

#[test]
fn files_of_one_reason_are_told_together() {
    let files = vec!["s3://b/k1".to_owned(), "s3://b/k2".to_owned()];
    let all = told(&BTreeMap::from([(reason(&Failure::Unsupported), files)]));
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
    let all = told(&BTreeMap::from([(reason(&Failure::Limit("too long".into())), files.clone())]));
    assert!(all.iter().all(|one| one.chars().count() <= 2048));
    let whole: String = all.iter().map(|one| unwrap(one)).collect();
    for file in files {
        assert!(whole.contains(&file), "{file}");
    }
}

#[test]
fn a_reason_that_is_no_files_is_an_array_too() {
    assert_eq!(unwrap(&whole("The bucket b could not be listed.")), "The bucket b could not be listed.");
}
