//! Rotations and backups that are killed, and a disk that is full: beside a server that must not notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use outcrop_store::{
    Batch, BlobKey, Blobs, Error, Folder, KeyState, MASTER, NewDocument, Op, Options, Scope, Sqlite, Store, backup,
    restore, rotate,
};
use tokio::io::AsyncReadExt;

const FOLDER: &str = "OUTCROP_STORE_KEEPING_FOLDER";
const ROWS: usize = 1500;
const BLOBS: usize = 40;

fn key(id: usize) -> outcrop_store::Key {
    Scope::new("000000000000", "us-east-1").key("thing", id.to_string())
}

async fn write(store: &Sqlite, blobs: &Folder) {
    let insert = |id| {
        let (key, body, sealed_by) = (key(id), vec![b'x'; 1000], Some(MASTER.to_owned()));
        Op::Insert(NewDocument { key, name: None, parent: None, body, sealed_by })
    };
    store.commit(Batch::new((0..ROWS).map(insert).collect::<Vec<_>>())).await.unwrap();
    for id in 0..BLOBS {
        let content = std::io::Cursor::new(vec![id as u8; 100_000]);
        blobs.put(&BlobKey::new(id.to_string()).unwrap(), Box::new(content), 1 << 20, Some(MASTER)).await.unwrap();
    }
}

async fn check(store: &Sqlite, blobs: &Folder) {
    for id in 0..ROWS {
        assert_eq!(store.get(key(id)).await.unwrap().unwrap().body, vec![b'x'; 1000]);
    }
    for id in 0..BLOBS {
        let mut content = Vec::new();
        let mut blob = blobs.open(&BlobKey::new(id.to_string()).unwrap()).await.unwrap().unwrap();
        blob.content.read_to_end(&mut content).await.unwrap();
        assert!(content == vec![id as u8; 100_000]);
    }
}

fn open(folder: &Path) -> (Sqlite, Folder) {
    let store = Sqlite::open(folder, &Options::default()).unwrap();
    let blobs = Folder::open(&folder.join("blobs"), store.vault()).unwrap();
    (store, blobs)
}

/// One line for each step, each in one system call.
fn tell(step: impl std::fmt::Debug) {
    std::io::stdout().lock().write_all(format!("\nstep {step:?}\n").as_bytes()).unwrap();
}

#[test]
#[ignore = "only the tests below run it, in a process of its own"]
fn rotator() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    rotate(Path::new(&folder), &Options::default(), &[MASTER.to_owned()], &mut tell).unwrap();
}

#[test]
#[ignore = "only the tests below run it, in a process of its own"]
fn backuper() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    backup(&folder, &Options::default(), &folder.with_file_name("backup"), false, &mut tell).unwrap();
}

fn start(what: &str, folder: &Path) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", what, "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

/// Runs it and kills it after so many steps; whether it had come to its end before.
fn kill(what: &str, folder: &Path, steps: usize) -> bool {
    let (mut child, mut lines) = start(what, folder);
    let (mut seen, mut line) = (0, String::new());
    while seen < steps {
        line.clear();
        if lines.read_line(&mut line).unwrap() == 0 {
            assert!(child.wait().unwrap().success());
            return true;
        }
        seen += usize::from(line.starts_with("step "));
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    false
}

#[tokio::test]
async fn a_killed_rotation_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (store, blobs) = open(folder.path());
    write(&store, &blobs).await;
    // In the rows, between batches; then in the blobs. The server reads everything after each.
    let mut ended = 0;
    for steps in [1, 2, 4, 3, 15, 20] {
        ended += usize::from(kill("rotator", folder.path(), steps));
        check(&store, &blobs).await;
    }
    assert_eq!(ended, 0, "each was killed before its end");
    let states = async || store.keys().await.unwrap().iter().map(|key| key.state).collect::<Vec<_>>();
    assert_eq!(states().await, [KeyState::Old, KeyState::Current], "still the first rotation");
    let rotated = rotate(folder.path(), &Options::default(), &[MASTER.to_owned()], &mut |_| ()).unwrap().remove(0);
    assert_eq!(states().await, [KeyState::Retired, KeyState::Current]);
    assert!(rotated.rows < ROWS as u64 && rotated.blobs < BLOBS as u64, "what was done is not done again: {rotated:?}");
    let file = folder.path().join("master.keys");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 2, "one new key, however often it was killed");
    drop((store, blobs));
    std::fs::write(&file, lines[1]).unwrap();
    let (store, blobs) = open(folder.path());
    check(&store, &blobs).await;
}

#[tokio::test]
async fn a_killed_backup_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    let (data, to) = (folder.path().join("data"), folder.path().join("backup"));
    let (store, blobs) = open(&data);
    write(&store, &blobs).await;
    for steps in [1, 2, 10, 30] {
        assert!(!kill("backuper", &data, steps), "killed before its end");
        assert!(!to.exists(), "no half backup bears the name");
        check(&store, &blobs).await;
    }
    // The next one is whole, and clears away what the killed ones kept.
    let (mut child, _lines) = start("backuper", &data);
    assert!(child.wait().unwrap().success());
    assert!(!data.join("blobs/kept").exists());
    let restored = folder.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    std::fs::copy(data.join("master.keys"), restored.join("master.keys")).unwrap();
    restore(&to, &restored, &Options::default(), false, &mut |_| ()).unwrap();
    let (store, blobs) = open(&restored);
    check(&store, &blobs).await;
}

struct SmallDisk(PathBuf);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_ends_a_backup_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (data, at) = (folder.path().join("data"), folder.path().join("small"));
    std::fs::create_dir(&at).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "outcrop-test"]).arg(&at).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("not tested: this user may not mount a small file system");
        return;
    }
    let disk = SmallDisk(at);
    let (store, blobs) = open(&data);
    write(&store, &blobs).await;
    // Some 2 MB of rows, then 4 MB of blobs: the disk is full in the middle of them.
    for name in ["backup", "backup.tar"] {
        let full = backup(&data, &Options::default(), &disk.0.join(name), false, &mut |_| ());
        assert!(matches!(full, Err(Error::Full)), "{full:?}");
        assert_eq!(std::fs::read_dir(&disk.0).unwrap().count(), 0, "nothing of it stays");
        check(&store, &blobs).await;
    }
    // A restore onto it ends the same way, and puts nothing in place.
    let to = folder.path().join("backup");
    backup(&data, &Options::default(), &to, false, &mut |_| ()).unwrap();
    let full = restore(&to, &disk.0, &Options::default(), false, &mut |_| ());
    assert!(matches!(full, Err(Error::Full)), "{full:?}");
    assert!(!disk.0.join("outcrop.db").exists() && !disk.0.join("restoring").exists());
}
