use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn own() -> (TempDir, Folder) {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("root")).unwrap();
    let folder = Folder::new(data.path().join("root"), data.path().join("side"), true);
    (data, folder)
}

fn put(folder: &Folder, key: &str, bytes: &[u8]) -> Result<Head> {
    let mut staged = Staged::new(&folder.staging()).unwrap();
    staged.write(bytes).unwrap();
    let said = Said { etag: hex(&staged.md5()), ..Said::default() };
    folder.put(key, &staged, said, &Condition::None)
}

fn keys(folder: &Folder, query: &Query) -> Vec<String> {
    let listing = folder.list(query).unwrap();
    listing.objects.into_iter().map(|object| object.key).chain(listing.prefixes).collect()
}

fn all() -> Query {
    Query { limit: usize::MAX, ..Query::default() }
}

#[test]
fn the_order_of_odd_paths_is_that_of_keys() {
    let long = "x".repeat(100);
    let mut keys =
        vec!["", "a", "a/", "b", "\u{1}", "ü", long.as_str()].into_iter().map(str::to_owned).collect::<Vec<_>>();
    keys.extend((99..=101).map(|length| "x".repeat(length)));
    keys.extend((0..3).map(|n| format!("{long}{n}")));
    keys.sort();
    let mut paths: Vec<String> = keys.iter().map(|key| odd(key)).collect();
    paths.sort();
    assert_eq!(paths.iter().map(|path| of_odd(path).unwrap()).collect::<Vec<_>>(), keys);
    assert_eq!((of_odd("zz."), of_odd("6."), of_odd("61")), (None, None, None));
}

#[test]
fn a_level_that_is_larger_than_what_is_held_is_read_in_parts() {
    let (_data, folder) = own();
    for n in 0..10_000 {
        std::fs::write(folder.root.join(format!("{n:05}")), b"").unwrap();
    }
    let found = keys(&folder, &all());
    assert_eq!(found.len(), 10_000);
    assert!(found.is_sorted());
    let after = Query { after: Some("09997".into()), ..all() };
    assert_eq!(keys(&folder, &after), ["09998", "09999"]);
}

#[test]
fn a_write_that_broke_off_is_nothing() {
    let (_data, folder) = own();
    let before = put(&folder, "k", b"old").unwrap();
    // The sheet of the new one is there, its bytes are not yet in place: as a crash leaves it.
    let staged = Staged::new(&folder.staging()).unwrap();
    let there = Stamp::of(&std::fs::metadata(folder.root.join("k")).unwrap());
    let entry =
        Entry { stamp: Stamp::of(&staged.metadata().unwrap()), said: Said { etag: "new".into(), ..Said::default() } };
    folder.sheets.announce("k", entry, Some(there)).unwrap();
    assert_eq!(folder.head("k").unwrap().unwrap(), before);
    staged.rename(&folder.root.join("k")).unwrap();
    assert_eq!(folder.head("k").unwrap().unwrap().object.etag, "new");
}

#[test]
fn what_was_never_an_object_is_gone() {
    let (_data, folder) = own();
    drop(Staged::new(&folder.staging()).unwrap());
    assert_eq!(std::fs::read_dir(folder.staging()).unwrap().count(), 0);
}

#[test]
fn a_file_changed_by_hand_is_another_object() {
    let (_data, folder) = own();
    let put = put(&folder, "k", b"one").unwrap();
    std::fs::write(folder.root.join("k"), b"three").unwrap();
    let head = folder.head("k").unwrap().unwrap();
    assert_ne!(head.object.etag, put.object.etag);
    assert!(head.object.etag.ends_with("-1"), "{}", head.object.etag);
    assert_eq!(folder.head("k").unwrap().unwrap().object.etag, head.object.etag);
}

#[test]
fn a_key_between_files_and_folders_has_its_place() {
    let (_data, folder) = own();
    for key in ["a", "a/b", "a/b/c", "a/", "a/b/"] {
        put(&folder, key, key.as_bytes()).unwrap();
    }
    assert_eq!(keys(&folder, &all()), ["a", "a/", "a/b", "a/b/", "a/b/c"]);
    for key in ["a", "a/b", "a/b/c", "a/", "a/b/"] {
        let (head, file) = folder.open(key).unwrap().unwrap();
        assert_eq!((head.object.size, std::io::read_to_string(file).unwrap().as_str()), (key.len() as u64, key));
        put(&folder, key, b"again").unwrap();
        folder.delete(key, &Condition::None).unwrap();
        assert!(folder.head(key).unwrap().is_none());
    }
    assert!(folder.is_empty().unwrap());
    assert_eq!(std::fs::read_dir(&folder.root).unwrap().count(), 0);
}

/// Keys of a small alphabet, so that they meet.
fn key() -> impl Strategy<Value = String> {
    "[ab./\u{e4}]{1,6}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is put, listed, folded and paged is what a sorted map of the same keys says.
    #[test]
    fn a_bucket_is_a_sorted_map(
        names in proptest::collection::btree_set(key(), 1..12),
        gone in proptest::collection::vec(key(), 0..4),
        prefix in "[ab/]{0,2}",
        limit in 1_usize..5,
        folded in any::<bool>(),
    ) {
        let (_data, folder) = own();
        let mut map = names.clone();
        for name in &names {
            put(&folder, name, name.as_bytes()).unwrap();
        }
        for name in gone {
            folder.delete(&name, &Condition::None).unwrap();
            map.remove(&name);
        }
        for name in &names {
            prop_assert_eq!(folder.head(name).unwrap().is_some(), map.contains(name));
        }
        let mut expected: Vec<String> = Vec::new();
        for name in map.iter().filter(|name| name.starts_with(&prefix)) {
            let at = if folded { name[prefix.len()..].find('/') } else { None };
            let told = at.map_or(name.as_str(), |at| &name[..=prefix.len() + at]);
            if expected.last().is_none_or(|last| last != told) {
                expected.push(told.to_owned());
            }
        }
        let mut query = Query { prefix, delimiter: folded.then(|| "/".to_owned()), after: None, limit };
        let mut found = Vec::new();
        loop {
            let listing = folder.list(&query).unwrap();
            let mut page: Vec<_> = listing.objects.into_iter().map(|o| o.key).chain(listing.prefixes).collect();
            page.sort();
            prop_assert!(page.len() <= limit);
            found.extend(page);
            query.after = listing.next;
            if query.after.is_none() {
                break;
            }
        }
        prop_assert_eq!(found, expected);
    }

    /// No key leaves the folder, and none is taken for another.
    #[test]
    fn every_text_is_a_key(name in "\\PC{1,40}|[./\\\\a\u{0}\n]{1,12}") {
        let (data, folder) = own();
        put(&folder, &name, b"x").unwrap();
        prop_assert_eq!(keys(&folder, &all()), [name.clone()]);
        let outside: Vec<_> = std::fs::read_dir(data.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        prop_assert_eq!(outside.len(), 2);
        folder.delete(&name, &Condition::None).unwrap();
        prop_assert!(folder.is_empty().unwrap());
    }
}
