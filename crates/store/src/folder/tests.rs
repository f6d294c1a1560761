use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::{MASTER, Options, Sqlite, suite};

/// A folder, the store that it belongs to, and what both lie in.
fn bench() -> (tempfile::TempDir, Sqlite, Folder) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { encryption: suite::encryption(), ..Options::default() };
    let store = Sqlite::open(folder.path(), &options).unwrap();
    let blobs = Folder::open(&folder.path().join("blobs"), store.vault()).unwrap();
    (folder, store, blobs)
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn keeps_the_contract() {
    let (_folder, _store, blobs) = bench();
    crate::suite::run_blobs(&blobs).await;
    assert_eq!(files(&blobs.unfinished), 0, "refused and broken puts leave nothing behind");
}

#[tokio::test]
async fn only_this_user_may_read() {
    let (_folder, _store, blobs) = bench();
    let key = BlobKey::new("a").unwrap();
    blobs.put(&key, Box::new(&b"abc"[..]), 3, None).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&blobs.root), mode(&blobs.path(&digest(&key)))), (0o700, 0o600));
}

#[tokio::test]
async fn opening_clears_what_was_left_unfinished_and_nothing_else() {
    let (_folder, _store, blobs) = bench();
    let key = BlobKey::new("a").unwrap();
    blobs.put(&key, Box::new(&b"abc"[..]), 3, None).await.unwrap();
    std::fs::write(blobs.unfinished.join("half"), "ab").unwrap();
    let blobs = Folder::open(&blobs.root, blobs.vault.clone()).unwrap();
    assert_eq!(files(&blobs.unfinished), 0);
    assert_eq!(blobs.open(&key).await.unwrap().unwrap().size, 3);
}

#[tokio::test]
async fn a_put_that_is_dropped_leaves_nothing() {
    let (_folder, _store, blobs) = bench();
    let key = BlobKey::new("a").unwrap();
    let (client, server) = tokio::io::duplex(16);
    let mut put = Box::pin(blobs.put(&key, Box::new(server), 1024, None));
    let mut client = client;
    tokio::select! {
        result = &mut put => panic!("the content has not ended: {result:?}"),
        written = client.write_all(&[0; 64]) => written.unwrap(), // More than the pipe holds: the put has begun.
    }
    assert_eq!(files(&blobs.unfinished), 1);
    drop(put);
    assert_eq!(files(&blobs.unfinished), 0);
    assert!(blobs.open(&key).await.unwrap().is_none());
}
