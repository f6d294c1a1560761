use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::{Error, MASTER, Options, Sqlite, suite};

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

/// Reads all of a blob, or says why not.
async fn read(blobs: &Folder, key: &BlobKey) -> Result<Vec<u8>> {
    let mut blob = blobs.open(key).await?.unwrap();
    let mut content = Vec::new();
    let read = blob.content.read_to_end(&mut content).await;
    read.map(|_| content).map_err(|error| Error::io("reading", &error))
}

#[tokio::test]
async fn a_sealed_blob_tells_every_change() {
    let (_folder, _store, blobs) = bench();
    let (a, b) = (BlobKey::new("a").unwrap(), BlobKey::new("b").unwrap());
    let content: Vec<u8> = (0..200_000_u32).map(|index| (index % 251) as u8).collect();
    for key in [&a, &b] {
        blobs.put(key, Box::new(std::io::Cursor::new(content.clone())), 1 << 20, Some(MASTER)).await.unwrap();
    }
    let path = blobs.path(&digest(&a));
    let whole = std::fs::read(&path).unwrap();
    assert!(!whole.windows(50).any(|window| window == &content[..50]), "nothing lies in clear");
    let sealed = PIECE + crate::seal::TAG;
    let (header, pieces) = whole.split_at(format::SEALED);
    let piece = |index: usize| &pieces[index * sealed..((index + 1) * sealed).min(pieces.len())];
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let changes = [
        ("the magic", flipped(3)),
        ("the wrap", flipped(50)),
        ("the first byte", flipped(format::SEALED)),
        ("the last tag", flipped(whole.len() - 1)),
        ("cut in a piece", whole[..whole.len() - 1].to_vec()),
        ("cut after a piece", [header, piece(0), piece(1)].concat()),
        ("cut in the header", whole[..100].to_vec()),
        ("no piece", header.to_vec()),
        ("two changed places", [header, piece(1), piece(0), piece(2), piece(3)].concat()),
        ("one is twice", [header, piece(0), piece(0), piece(2), piece(3)].concat()),
        ("one is missing", [header, piece(0), piece(2), piece(3)].concat()),
        ("more at the end", [&whole[..], &[0; 5]].concat()),
        ("another blob's", std::fs::read(blobs.path(&digest(&b))).unwrap()),
    ];
    for (what, bytes) in changes {
        std::fs::write(&path, bytes).unwrap();
        assert!(read(&blobs, &a).await.is_err(), "{what}");
    }
    std::fs::write(&path, whole).unwrap();
    assert!(read(&blobs, &a).await.unwrap() == content);
}

/// In the middle of a rotation both wraps are there; afterwards the old key is of no use.
#[tokio::test]
async fn a_rotation_that_stops_anywhere_leaves_every_blob_readable() {
    let (folder, store, blobs) = bench();
    let key = BlobKey::new("a").unwrap();
    blobs.put(&key, Box::new(&b"abc"[..]), 3, Some(MASTER)).await.unwrap();
    let old = store.keys().await.unwrap().iter().find(|key| key.name == MASTER).unwrap().id;
    let new = crate::vault::append(&folder.path().join("master.keys")).unwrap();
    store.vault().reload();
    let path = blobs.path(&digest(&key));
    let before = std::fs::read(&path).unwrap();
    assert_eq!(rewrap(&blobs.root, &store.vault(), old, new, &mut |_, _| ()).unwrap(), 1);
    let after = std::fs::read(&path).unwrap();
    assert_eq!(read(&blobs, &key).await.unwrap(), b"abc");
    assert_eq!(survey(&blobs.root).unwrap().into_iter().collect::<Vec<_>>(), [(new, 1)]);
    // As a kill between the two writes leaves it, and with the second write torn.
    let slots = |file: &[u8]| [0, 1].map(|slot| file[format::CLEAR + slot * WRAP..][..WRAP].to_vec());
    let ([first, _], [_, second]) = (slots(&before), slots(&after));
    for torn in [WRAP, 40, 8, 1] {
        let mut file = before.clone();
        file[format::CLEAR + WRAP..][..torn].copy_from_slice(&second[..torn]);
        assert_eq!(file[format::CLEAR..][..WRAP], first[..]);
        std::fs::write(&path, file).unwrap();
        assert_eq!(read(&blobs, &key).await.unwrap(), b"abc", "{torn} bytes of the new wrap are there");
        rewrap(&blobs.root, &store.vault(), old, new, &mut |_, _| ()).unwrap();
        assert_eq!(read(&blobs, &key).await.unwrap(), b"abc");
        assert_eq!(survey(&blobs.root).unwrap().keys().collect::<Vec<_>>(), [&new], "{torn}");
    }
}
