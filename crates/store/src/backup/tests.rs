use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::AsyncReadExt;

use super::*;
use crate::{Batch, BlobKey, Blobs, Folder, MASTER, NewDocument, Op, Scope, Secret, Sqlite, Store};

fn options() -> Options {
    Options::default()
}

fn none(_: BackupProgress) {}

fn document(id: &str, body: &str) -> Op {
    let key = Scope::new("1", "r").key("thing", id);
    Op::Insert(NewDocument { key, name: None, parent: None, body: body.into(), sealed_by: Some(MASTER.into()) })
}

async fn put(blobs: &Folder, key: &str, size: usize) {
    let content = std::io::Cursor::new(key.bytes().cycle().take(size).collect::<Vec<_>>());
    let sealed_by = size.is_multiple_of(2).then_some(MASTER);
    blobs.put(&BlobKey::new(key).unwrap(), Box::new(content), 1 << 30, sealed_by).await.unwrap();
}

async fn get(blobs: &Folder, key: &str) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    blobs.open(&BlobKey::new(key).unwrap()).await.unwrap()?.content.read_to_end(&mut content).await.unwrap();
    assert!(content.iter().zip(key.bytes().cycle()).all(|(a, b)| *a == b), "{key} is not torn");
    Some(content)
}

struct Bench {
    folder: tempfile::TempDir,
    data: PathBuf,
    store: Sqlite,
    blobs: Folder,
}

async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = Sqlite::open(&data, &options()).unwrap();
    let blobs = Folder::open(&data.join("blobs"), store.vault()).unwrap();
    let secret = Op::InsertSecret { kind: "key".into(), id: "s".into(), secret: Secret::new("a secret") };
    store.commit(Batch::new([document("a", "first"), secret])).await.unwrap();
    put(&blobs, "one", 150_000).await;
    put(&blobs, "two", 7).await;
    Bench { folder, data, store, blobs }
}

impl Bench {
    fn backup(&self, name: &str) -> PathBuf {
        let to = self.folder.path().join(name);
        backup(&self.data, &options(), &to, false, &mut none).unwrap();
        to
    }

    /// A new folder with the master key in it.
    fn target(&self, name: &str) -> PathBuf {
        let target = self.folder.path().join(name);
        std::fs::create_dir(&target).unwrap();
        std::fs::copy(self.data.join("master.keys"), target.join("master.keys")).unwrap();
        target
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries =
        std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = entries.collect();
    names.sort();
    names
}

#[tokio::test]
async fn comes_back_from_a_folder_and_from_a_file() {
    let bench = bench().await;
    for name in ["folder", "file.tar"] {
        let to = bench.backup(name);
        let mode = std::fs::metadata(&to).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{name} is for this user only");
        let target = bench.target(&format!("restored-{name}"));
        let restored = restore(&to, &target, &options(), false, &mut none).unwrap();
        assert_eq!((restored.replaced, restored.missing), (None, vec![]));
        assert_eq!((restored.manifest.files.len(), restored.manifest.head.schema), (3, crate::sqlite::SCHEMA));
        let store = Sqlite::open(&target, &options()).unwrap();
        let blobs = Folder::open(&target.join("blobs"), store.vault()).unwrap();
        assert_eq!(store.get(Scope::new("1", "r").key("thing", "a")).await.unwrap().unwrap().body, b"first");
        assert_eq!(store.secret("key".into(), "s".into()).await.unwrap().unwrap().expose(), b"a secret");
        assert_eq!(get(&blobs, "one").await.unwrap().len(), 150_000);
        assert_eq!(get(&blobs, "two").await.unwrap().len(), 7);
        assert!(!names(&target).iter().any(|name| name.contains("restoring")));
    }
    assert_eq!(names(bench.folder.path()), ["data", "file.tar", "folder", "restored-file.tar", "restored-folder"]);
    assert!(!bench.data.join("blobs/kept").exists());
    let there = backup(&bench.data, &options(), &bench.folder.path().join("folder"), false, &mut none);
    assert!(matches!(there, Err(Error::AlreadyThere(_))), "{there:?}");
}

#[tokio::test]
async fn keys_are_left_out_unless_asked_for() {
    let bench = bench().await;
    let file = std::fs::read_to_string(bench.data.join("master.keys")).unwrap();
    let key = file.lines().last().unwrap();
    let holds = |path: &Path| std::fs::read(path).unwrap().windows(key.len()).any(|window| window == key.as_bytes());
    let without = bench.backup("without.tar");
    assert!(!holds(&without));
    let target = bench.folder.path().join("without-key");
    let restored = restore(&without, &target, &options(), false, &mut none).unwrap();
    let id = bench.store.keys().await.unwrap()[0].id.to_string();
    assert_eq!(restored.missing, [(MASTER.to_owned(), id)]);
    let refused = Sqlite::open(&target, &options()).err().unwrap();
    assert!(matches!(refused, Error::MissingKey { .. }), "{refused}");

    let with = bench.folder.path().join("with.tar");
    backup(&bench.data, &options(), &with, true, &mut none).unwrap();
    assert!(holds(&with));
    let target = bench.folder.path().join("with-key");
    let restored = restore(&with, &target, &options(), false, &mut none).unwrap();
    assert_eq!((restored.missing, restored.keys), (vec![], vec![target.join("master.keys")]));
    Sqlite::open(&target, &options()).unwrap().secret("key".into(), "s".into()).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_in_the_folder_is_not_lost() {
    let bench = bench().await;
    let to = bench.backup("backup");
    let target = bench.target("target");
    let other = Sqlite::open(&target, &options()).unwrap();
    other.commit(document("other", "kept").into()).await.unwrap();
    let in_use = restore(&to, &target, &options(), true, &mut none).unwrap_err();
    assert!(matches!(in_use, Error::InUse(_)), "{in_use}");
    drop(other);
    let refused = restore(&to, &target, &options(), false, &mut none).unwrap_err();
    assert!(matches!(refused, Error::NotEmpty(_)) && refused.to_string().contains("--force"), "{refused}");
    let restored = restore(&to, &target, &options(), true, &mut none).unwrap();
    let store = Sqlite::open(&target, &options()).unwrap();
    assert!(store.get(Scope::new("1", "r").key("thing", "a")).await.unwrap().is_some());
    assert!(store.get(Scope::new("1", "r").key("thing", "other")).await.unwrap().is_none());
    let aside = restored.replaced.unwrap();
    std::fs::copy(target.join("master.keys"), aside.join("master.keys")).unwrap();
    let old = Sqlite::open(&aside, &options()).unwrap();
    assert!(old.get(Scope::new("1", "r").key("thing", "other")).await.unwrap().is_some());
}

#[tokio::test]
async fn an_altered_backup_restores_nothing() {
    let bench = bench().await;
    let (folder, file) = (bench.backup("folder"), bench.backup("file.tar"));
    let target = bench.target("target");
    let refused = |from: &Path, said: &str| {
        let error = restore(from, &target, &options(), false, &mut none).unwrap_err();
        assert!(matches!(error, Error::BadBackup { .. }) && error.to_string().contains(said), "{error}");
        assert_eq!(names(&target), ["lock", "master.keys"], "{said}");
    };
    let whole = std::fs::read(&file).unwrap();
    let find = |text: &[u8]| whole.windows(text.len()).position(|window| window == text).unwrap();
    let altered = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    };
    altered(5000); // In the database.
    refused(&file, "outcrop.db is not what its manifest says");
    altered(find(b"outcrop blob 1") + 20);
    refused(&file, "is not what its manifest says");
    altered(find(b"\"outcrop-backup\"") + 40);
    refused(&file, "its manifest was altered");
    for length in [whole.len() / 2, 512] {
        std::fs::write(&file, &whole[..length]).unwrap();
        refused(&file, "");
    }
    std::fs::write(&file, "secret".repeat(1000)).unwrap();
    let error = restore(&file, &target, &options(), false, &mut none).unwrap_err().to_string();
    let said = "it is neither a backup folder nor a whole .tar file";
    assert_eq!(error, format!("{} cannot be restored: {said}", file.display()), "nothing of the file's content");
    refused(&file, said);
    let blob = crate::folder::files(&folder.join("blobs")).unwrap()[0].1.clone();
    let content = std::fs::read(&blob).unwrap();
    std::fs::write(&blob, &content[1..]).unwrap();
    refused(&folder, "is not what its manifest says");
    std::fs::remove_file(&blob).unwrap();
    refused(&folder, "is missing");
    std::fs::remove_file(folder.join("manifest.jsonl")).unwrap();
    refused(&folder, "manifest.jsonl is missing");
    let (none_at, new) = (bench.folder.path().join("nosuch"), bench.folder.path().join("new"));
    let error = restore(&none_at, &new, &options(), false, &mut none).unwrap_err();
    assert_eq!(error.to_string(), format!("there is no backup at {}", none_at.display()));
    restore(&folder, &new, &options(), false, &mut none).unwrap_err();
    assert!(!new.exists(), "a restore that fails leaves no folder behind");
}

/// A file that leads out of the folder is no file of a backup.
#[tokio::test]
async fn a_backup_leads_nowhere_but_into_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["../evil", "/tmp/evil", "blobs/../../evil", "outcrop.db/../../evil", "keys/../evil.keys"] {
        let path = folder.path().join("evil.tar");
        let mut builder = tar::Builder::new(std::fs::File::create(&path).unwrap());
        let mut header = tar::Header::new_ustar();
        header.set_size(1);
        // As no tar program would write it.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, &b"x"[..]).unwrap();
        builder.into_inner().unwrap();
        let target = folder.path().join("target");
        let refused = restore(&path, &target, &options(), false, &mut none).unwrap_err();
        assert!(matches!(refused, Error::BadBackup { .. }), "{refused}");
        assert_eq!(names(folder.path()), ["evil.tar"], "{name}");
    }
}

#[test]
fn an_interrupted_restore_is_not_mistaken_for_data() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("restoring")).unwrap();
    let refused = Sqlite::open(folder.path(), &options()).err().unwrap();
    assert!(matches!(refused, Error::Interrupted(_)), "{refused}");
    assert!(!folder.path().join("outcrop.db").exists());
}

/// Writers write, replace and delete as fast as they can while backups are made. Of each backup: what was acknowledged
/// before it began is in it, and every blob that its documents name is whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_writes_loses_nothing_and_tears_nothing() {
    let bench = Arc::new(bench().await);
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new([const { AtomicUsize::new(0) }; 4]));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (bench, stop, acknowledged) = (bench.clone(), stop.clone(), acknowledged.clone());
            tokio::spawn(async move {
                for round in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    // The blob before the document that names it, and after it when both go.
                    let (kept, brief) = (format!("kept-{writer}-{round}"), format!("brief-{writer}-{round}"));
                    put(&bench.blobs, &kept, 20_000 + round).await;
                    bench.store.commit(document(&kept, &kept).into()).await.unwrap();
                    acknowledged[writer].store(round + 1, Ordering::SeqCst);
                    put(&bench.blobs, &brief, 5_000).await;
                    bench.store.commit(document(&brief, &brief).into()).await.unwrap();
                    let key = Scope::new("1", "r").key("thing", &*brief);
                    bench.store.commit(Op::Delete { key, expect: None }.into()).await.unwrap();
                    bench.blobs.delete(&BlobKey::new(&*brief).unwrap()).await.unwrap();
                }
            })
        })
        .collect();
    for (number, name) in ["one", "two.tar", "three"].into_iter().enumerate() {
        // Some new writes before each.
        while acknowledged.iter().any(|count| count.load(Ordering::SeqCst) < 3 * (number + 1)) {
            tokio::task::yield_now().await;
        }
        let before: Vec<usize> = acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).collect();
        let (of, name) = (bench.clone(), name.to_owned());
        let to = tokio::task::spawn_blocking(move || of.backup(&name)).await.unwrap();
        let target = bench.target(&format!("restored-{number}"));
        restore(&to, &target, &options(), false, &mut none).unwrap();
        let store = Sqlite::open(&target, &options()).unwrap();
        let blobs = Folder::open(&target.join("blobs"), store.vault()).unwrap();
        for (writer, count) in before.iter().enumerate() {
            for round in 0..*count {
                let key = Scope::new("1", "r").key("thing", format!("kept-{writer}-{round}"));
                assert!(store.get(key).await.unwrap().is_some(), "{writer}-{round} was acknowledged before");
            }
        }
        let (kind, order) = ("thing".into(), crate::Order::OldestFirst);
        let query =
            crate::Query { scope: Scope::new("1", "r"), kind, parent: None, after: None, order, limit: 100_000 };
        let all = store.list(query).await.unwrap();
        for document in all.iter().filter(|document| document.key.id != "a") {
            assert_eq!(document.body, document.key.id.as_bytes());
            assert!(get(&blobs, &document.key.id).await.is_some(), "{} has its blob", document.key.id);
        }
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Only the manifest's own words decide, so that a stranger's cannot lead anywhere.
#[test]
fn manifests_are_read_as_written_and_nothing_else_is() {
    let file = |name: &str| BackupFile { name: name.into(), size: 1, sha256: "00".into() };
    let head = Head { outcrop_backup: 1, version: "0.1.0".into(), schema: 2, made: "now".into(), keys: vec![] };
    let with = |files: Vec<BackupFile>| Manifest { head: head.clone(), files };
    let blob = format!("blobs/ab/{}", "0".repeat(62));
    let good = with(vec![file("outcrop.db"), file(&blob), file("keys/a-b_1.keys")]);
    assert_eq!(Manifest::parse(&good.write()).unwrap(), good);
    for name in ["../x", "blobs/ab/x", "blobs/AB/0", "keys/.keys", "keys/a/b.keys", "manifest.jsonl", "", "/outcrop.db"]
    {
        assert!(Manifest::parse(&with(vec![file("outcrop.db"), file(name)]).write()).is_err(), "{name}");
    }
    assert!(Manifest::parse(&with(vec![]).write()).is_err(), "no database");
    assert!(Manifest::parse(&with(vec![file("outcrop.db"); 2]).write()).is_err(), "twice");
    let newer = Manifest { head: Head { outcrop_backup: 2, ..head.clone() }, ..good.clone() };
    assert!(Manifest::parse(&newer.write()).unwrap_err().contains("format is 2"));
    let text = good.write();
    for at in 0..text.len() {
        assert!(Manifest::parse(&text[..at]).is_err(), "cut at {at}");
        let mut altered = text.clone();
        altered[at] ^= 1;
        assert!(Manifest::parse(&altered).is_err(), "altered at {at}");
    }
}
