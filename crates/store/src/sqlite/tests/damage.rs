//! A page that goes bad under a running server.

use super::*;

#[tokio::test]
async fn a_damaged_page_is_told_by_the_read_that_meets_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outcrop.db");
    let store = open(folder.path()).unwrap();
    for index in 0..300 {
        store.commit(insert(&format!("id-{index}"), vec![b'x'; 1500])).await.unwrap();
    }
    drop(store); // Everything is in the database, and no reader has any page of it.
    let store = open(folder.path()).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(20) {
        page[..16].fill(0xa5);
    }
    std::fs::write(&path, &bytes).unwrap();
    let mut damaged = 0;
    for index in 0..300 {
        match store.get(Scope::new("1", "r").key("thing", format!("id-{index}"))).await {
            Ok(found) => assert_eq!(found.unwrap().body, vec![b'x'; 1500]),
            Err(error) => {
                assert!(matches!(&error, Error::Corrupt { path: told, .. } if *told == path), "{error}");
                assert!(error.to_string().contains("restore it from a backup"), "{error}");
                assert!(!error.message().contains("outcrop.db"), "{}", error.message());
                damaged += 1;
            }
        }
    }
    assert!(damaged > 0);
    let write = store.commit(insert("id-new", "1")).await;
    assert!(matches!(write, Err(Error::Corrupt { .. }) | Ok(_)), "{write:?}");
    let backup = crate::backup(folder.path(), &Options::default(), &folder.path().join("backup"), false, &mut |_| ());
    assert!(matches!(&backup, Err(Error::Corrupt { path: told, .. }) if *told == path), "{backup:?}");
    assert!(!folder.path().join("backup").exists(), "a damaged database makes no backup");
}
