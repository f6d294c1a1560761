//! Whatever was acknowledged survives `kill -9`, sealed or not.
//!
//! The test starts its own binary again as a process that writes as fast as it can and prints each
//! acknowledgement, kills it after a number of those, opens the folder and looks for every one. The process is
//! killed between system calls, not between power and disk: that the commit is synced is SQLite's
//! `synchronous = FULL`, which the test cannot prove.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use outcrop_store::{
    Batch, BlobKey, Blobs, Cursor, Document, Error, Folder, MASTER, NewDocument, Op, Options, Order, Query, Scope,
    Sqlite, Store,
};
use tokio::io::AsyncReadExt;

const FOLDER: &str = "OUTCROP_STORE_CRASH_FOLDER";
const WRITES: usize = 200;

fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

fn content(id: &str) -> Vec<u8> {
    id.bytes().cycle().take(10_000).collect()
}

fn body(id: &str) -> Vec<u8> {
    format!("{{\"self\":\"{id}\"}}").into_bytes()
}

/// One in four: a blob is three syncs of its own, which would be most of the test's time.
fn has_blob(id: &str) -> bool {
    id.bytes().map(usize::from).sum::<usize>() % 4 == 0
}

/// Every other one.
fn is_sealed(id: &str) -> bool {
    id.bytes().map(usize::from).sum::<usize>() % 8 < 4
}

/// The process that is killed: `WRITES` writers at once, each over and over: perhaps a blob, then a document and a
/// counter.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only `survives_kill` runs it, in a process of its own"]
async fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let store = Arc::new(Sqlite::open(folder, &Options::default()).unwrap());
    let blobs = Arc::new(Folder::open(&folder.join("blobs"), store.vault()).unwrap());
    let writers: Vec<_> = (0..WRITES)
        .map(|writer| {
            let (store, blobs) = (store.clone(), blobs.clone());
            tokio::spawn(async move {
                for round in 0.. {
                    let id = format!("{}-{writer}-{round}", std::process::id());
                    let sealed_by = is_sealed(&id).then(|| MASTER.to_owned());
                    if has_blob(&id) {
                        let content = Box::new(std::io::Cursor::new(content(&id)));
                        blobs.put(&BlobKey::new(&*id).unwrap(), content, 1 << 20, sealed_by.as_deref()).await.unwrap();
                    }
                    let body = body(&id);
                    let (key, name) = (scope().key("thing", &id), Some(id.clone()));
                    let new = NewDocument { key, name, parent: None, body, sealed_by };
                    let count = Op::Add { scope: scope(), counter: "n".into(), by: 1, min: 0, max: i64::MAX };
                    store.commit(Batch::new([Op::Insert(new), count])).await.unwrap();
                    // One system call a line, so that a line is there whole or not at all.
                    std::io::stdout().lock().write_all(format!("\nack {id}\n").as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Runs the writer and kills it after so many acknowledgements; every one that came out of the pipe.
fn write_and_kill(folder: &Path, after: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut text = Vec::new();
    let mut seen = 0;
    while seen < after {
        let start = text.len();
        assert!(lines.read_until(b'\n', &mut text).unwrap() > 0, "the writer ended by itself");
        seen += usize::from(text[start..].starts_with(b"ack "));
    }
    child.kill().unwrap(); // SIGKILL
    lines.read_to_end(&mut text).unwrap();
    child.wait().unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.ends_with('\n'), "a cut line would hide an acknowledgement");
    text.lines().filter_map(|line| line.strip_prefix("ack ")).map(str::to_owned).collect()
}

async fn everything(store: &Sqlite) -> Vec<Document> {
    let (mut all, mut after): (Vec<Document>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let (kind, order) = ("thing".into(), Order::OldestFirst);
        let query = Query { scope: scope(), kind, parent: None, after, order, limit: 1000 };
        let page = store.list(query).await.unwrap();
        let Some(last) = page.last() else { return all };
        after = Some(last.cursor);
        all.extend(page);
    }
}

#[tokio::test]
async fn survives_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut checked, mut with_blob) = (Vec::new(), 0, 0);
    // From before most writers had their first answer to well into the run, and past a checkpoint of the log.
    for after in [1, 2, 17, 50, 111, 200, 201, 333, 500, 900] {
        let acks = write_and_kill(folder.path(), after);
        assert!(acks.len() >= after);
        acknowledged.extend(acks);

        let store = Sqlite::open(folder.path(), &Options::default()).unwrap();
        let blobs = Folder::open(&folder.path().join("blobs"), store.vault()).unwrap();
        let mut times = BTreeMap::<String, usize>::new();
        let documents = everything(&store).await;
        for document in &documents {
            *times.entry(document.key.id.clone()).or_default() += 1;
        }
        for id in &acknowledged {
            assert_eq!(times.get(id), Some(&1), "{id} was acknowledged");
        }
        let counted = store.counter(scope(), "n".into()).await.unwrap();
        assert_eq!(counted, documents.len() as i64, "a document and its count are one transaction");
        assert_eq!(store.latest_change().await.unwrap(), documents.len() as u64);
        for document in &documents[checked..] {
            let id = &document.key.id;
            assert_eq!(document.body, body(id));
            assert_eq!(document.sealed_by.as_deref(), is_sealed(id).then_some(MASTER));
            if has_blob(id) {
                let blob = blobs.open(&BlobKey::new(&**id).unwrap()).await.unwrap().expect("a name has its blob");
                assert_eq!(blob.size, content(id).len() as u64);
                let mut bytes = Vec::new();
                blob.content.take(1 << 20).read_to_end(&mut bytes).await.unwrap();
                assert_eq!(bytes, content(id));
                with_blob += 1;
            }
        }
        checked = documents.len();
    }
    assert!(with_blob > 0);
    let again = NewDocument {
        key: scope().key("thing", &*acknowledged[0]),
        name: None,
        parent: None,
        body: vec![],
        sealed_by: None,
    };
    let store = Sqlite::open(folder.path(), &Options::default()).unwrap();
    let exists = store.commit(Batch::from(Op::Insert(again))).await;
    assert!(matches!(exists, Err(Error::Exists { .. })), "{exists:?}");
}
