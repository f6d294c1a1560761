mod damage;
mod keys;
mod migrations;
mod rotation;

use std::os::unix::fs::PermissionsExt;

use outcrop_api::AwsError;

use super::*;
use crate::{NewDocument, Op, Outcome};

fn open(folder: &Path) -> Result<Sqlite> {
    Sqlite::open(folder, &Options::default())
}

fn insert(id: &str, body: impl Into<Vec<u8>>) -> Batch {
    let key = Scope::new("1", "r").key("thing", id);
    Batch::from(Op::Insert(NewDocument { key, name: None, parent: None, body: body.into(), sealed_by: None }))
}

async fn ids(store: &Sqlite) -> Vec<String> {
    let query = Query {
        scope: Scope::new("1", "r"),
        kind: "thing".into(),
        parent: None,
        after: None,
        order: crate::Order::OldestFirst,
        limit: 100_000,
    };
    store.list(query).await.unwrap().into_iter().map(|document| document.key.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { encryption: crate::suite::encryption(), ..Options::default() };
    crate::suite::run(&Sqlite::open(folder.path(), &options).unwrap()).await;
}

#[tokio::test]
async fn is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.commit(insert("a", "1")).await.unwrap();
    drop(store);
    assert_eq!(ids(&open(folder.path()).unwrap()).await, ["a"]);
}

/// What no killed process can show: a power cut must not lose the last commits either.
#[test]
fn every_commit_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let path = super::open::prepare(folder.path()).unwrap();
    let (connection, _) = super::open::writer(&path, &Options::default(), true).unwrap();
    let pragma =
        |name| connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
    assert_eq!(pragma("synchronous"), rusqlite::types::Value::Integer(2), "FULL");
    assert_eq!(pragma("journal_mode"), rusqlite::types::Value::Text("wal".into()));
}

#[tokio::test]
async fn only_this_user_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    let store = open(&folder).unwrap();
    store.commit(insert("a", "1")).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in ["outcrop.db", "outcrop.db-wal", "outcrop.db-shm", "lock", "master.keys", "secrets.mark"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn one_server_a_folder_and_commands_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = open(folder.path()).unwrap();
    let second = open(folder.path()).err().unwrap();
    assert!(matches!(&second, Error::InUse(path) if path == folder.path()), "{second}");
    // Both write at once, through SQLite's own locks, and nothing is lost.
    let command = Sqlite::open_beside(folder.path(), &Options::default()).unwrap();
    for round in 0..20 {
        let (a, b) = (format!("server-{round}"), format!("command-{round}"));
        let (a, b) = tokio::join!(server.commit(insert(&a, "")), command.commit(insert(&b, "")));
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(ids(&server).await.len(), 40);
    drop(command);
    drop(server);
    open(folder.path()).unwrap();
}

#[test]
fn a_folder_that_cannot_be_is_told_by_name_to_the_log_only() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = open(&file.path().join("data")).err().unwrap();
    let path = file.path().to_string_lossy().into_owned();
    assert!(error.to_string().contains(&path), "{error}");
    assert!(!error.message().contains(&path), "{}", error.message());
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    let path = folder.path().join("outcrop.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let error = open(folder.path()).err().unwrap();
    assert!(matches!(error, Error::NewerSchema { found: 999, .. }), "{error}");
    // Says who wrote it and how to go on: every schema from the second one on names its maker.
    for said in [concat!("written by Outcrop ", env!("CARGO_PKG_VERSION")), "schema 999", ".schema-2"] {
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outcrop.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = open(folder.path()).err().unwrap();
    assert!(matches!(error, Error::Foreign(_)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_damaged_file_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outcrop.db");
    let store = open(folder.path()).unwrap();
    for index in 0..200 {
        store.commit(insert(&format!("id-{index}"), vec![b'x'; 500])).await.unwrap();
    }
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    let mut torn = whole.clone();
    torn.truncate(whole.len() / 2);
    let mut middle = whole.clone();
    for page in middle.chunks_mut(4096).skip(10).step_by(3) {
        page[..64].fill(0xa5);
    }
    for damaged in [torn, middle, b"not a database at all, but long enough for a header".repeat(4)] {
        std::fs::write(&path, damaged).unwrap();
        let error = open(folder.path()).err().unwrap();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("is damaged"), "{error}");
    }
    std::fs::write(&path, whole).unwrap();
    assert_eq!(ids(&open(folder.path()).unwrap()).await.len(), 200);
}

#[tokio::test]
async fn a_full_database_refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path(), &Options { max_pages: Some(60), ..Options::default() }).unwrap();
    store.commit(insert("small", "1")).await.unwrap();
    let large = Batch::new([insert("before", "1").ops, insert("large", vec![0; 1_000_000]).ops].concat());
    let full = store.commit(large).await;
    assert!(matches!(full, Err(Error::Full)), "{full:?}");
    assert_eq!(ids(&store).await, ["small"], "nothing of it is there");
    store.commit(insert("after", "1")).await.unwrap();
    drop(store);
    assert_eq!(ids(&open(folder.path()).unwrap()).await, ["small", "after"]);
}

#[tokio::test]
async fn the_feed_forgets_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path(), &Options { keep_changes: 16, ..Options::default() }).unwrap();
    for index in 0..50 {
        store.commit(insert(&index.to_string(), "")).await.unwrap();
    }
    let lagged = store.changes(0, 10).await;
    let Err(Error::Lagged(oldest)) = lagged else { panic!("{lagged:?}") };
    assert!((30..=35).contains(&oldest), "{oldest}");
    let known = store.changes(oldest - 1, 100).await.unwrap();
    assert_eq!((known[0].sequence, known.last().unwrap().sequence), (oldest, 50));
}

#[tokio::test]
async fn what_was_accepted_is_finished_on_close() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()).unwrap());
    let mut commits = Vec::new();
    for index in 0..100 {
        let mut commit = Box::pin({
            let store = store.clone();
            async move { store.commit(insert(&index.to_string(), "")).await }
        });
        // Polled once: the batch is in the queue, its answer has not been awaited.
        std::future::poll_fn(|cx| std::task::Poll::Ready(commit.as_mut().poll(cx).is_ready())).await;
        commits.push(commit);
    }
    drop(commits);
    drop(Arc::into_inner(store).unwrap());
    assert_eq!(ids(&open(folder.path()).unwrap()).await.len(), 100);
}

/// A second connection keeps the writer waiting, so the bound is met without any timing.
#[tokio::test(start_paused = true)]
async fn a_full_queue_answers_busy() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path(), &Options { queue: 1, ..Options::default() }).unwrap();
    let blocker = Connection::open(folder.path().join("outcrop.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let commits = (0..300).map(|index| store.commit(insert(&index.to_string(), "")));
    let mut commits: Vec<_> = commits.map(Box::pin).collect();
    let mut busy = 0;
    std::future::poll_fn(|cx| {
        for commit in &mut commits {
            if let std::task::Poll::Ready(Err(Error::Busy)) = commit.as_mut().poll(cx) {
                busy += 1;
                return std::task::Poll::Ready(());
            }
        }
        std::task::Poll::Pending
    })
    .await;
    assert_eq!(busy, 1);
    blocker.execute_batch("ROLLBACK").unwrap();
}

#[tokio::test]
async fn outcomes_match_their_steps() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let queue = Op::Enqueue { queue: "q".into(), body: vec![], sealed_by: None };
    let outcomes = store.commit(Batch::new([insert("a", "").ops, vec![queue]].concat())).await.unwrap().outcomes();
    assert!(matches!(outcomes[..], [Outcome::Document(_), Outcome::Row(1)]), "{outcomes:?}");
}
