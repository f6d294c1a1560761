//! A disk without space: a typed error, nothing half-written, and work goes on when there is space again.
//! Mounts a file system of 3 MiB, which only root may; for everybody else the unit test with a limited database
//! covers the rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use outcrop_store::{Batch, BlobKey, Blobs, Error, Folder, NewDocument, Op, Options, Scope, Sqlite, Store};

struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "outcrop-test"]).arg(at).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn insert(id: &str, size: usize) -> Batch {
    let key = Scope::new("000000000000", "us-east-1").key("thing", id);
    Batch::from(Op::Insert(NewDocument { key, name: None, parent: None, body: vec![b'x'; size], sealed_by: None }))
}

#[tokio::test]
async fn refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        eprintln!("not tested: this user may not mount a small file system");
        return;
    };
    let store = Sqlite::open(&disk.0.join("data"), &Options::default()).unwrap();
    let blobs = Folder::open(&disk.0.join("blobs"), store.vault()).unwrap();
    let (large, small) = (BlobKey::new("large").unwrap(), BlobKey::new("small").unwrap());

    let full = blobs.put(&large, Box::new(tokio::io::repeat(1)), u64::MAX, None).await;
    assert!(matches!(full, Err(Error::Full)), "{full:?}");
    assert!(blobs.open(&large).await.unwrap().is_none());
    blobs.put(&small, Box::new(&b"abc"[..]), 3, None).await.expect("what the failed put had taken is free again");

    let filler = disk.0.join("filler");
    store.commit(insert("first", 10)).await.unwrap();
    let filled = std::fs::write(&filler, vec![0; 4 << 20]);
    assert!(filled.is_err(), "the disk is full");
    let mut refused = None;
    let mut kept = vec!["first".to_owned()];
    for index in 0..1000 {
        let id = format!("try-{index}");
        match store.commit(insert(&id, 3000)).await {
            Ok(_) => kept.push(id),
            Err(error) => {
                refused = Some((id, error));
                break;
            }
        }
    }
    let (id, error) = refused.expect("the log cannot grow for ever on a full disk");
    assert!(matches!(error, Error::Full), "{error:?}");
    let get = async |store: &Sqlite, id: &str| {
        store.get(Scope::new("000000000000", "us-east-1").key("thing", id)).await.unwrap()
    };
    assert!(get(&store, &id).await.is_none(), "nothing of a refused batch");
    for id in &kept {
        assert!(get(&store, id).await.is_some(), "reads go on, and {id} was acknowledged");
    }

    std::fs::remove_file(&filler).unwrap();
    store.commit(insert(&id, 3000)).await.expect("writes work again once there is space");
    drop(store);
    let store = Sqlite::open(&disk.0.join("data"), &Options::default()).unwrap();
    for id in kept.iter().chain([&id]) {
        assert!(get(&store, id).await.is_some(), "{id}");
    }
}
