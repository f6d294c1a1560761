//! Keys are changed under a running server.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::{BlobKey, Blobs, Folder, KeySource, KeyState, MASTER, OtherSource, Progress, Secret, rotate};

fn master() -> Vec<String> {
    vec![MASTER.to_owned()]
}

fn document(id: &str) -> Batch {
    let key = Scope::new("1", "r").key("thing", id);
    let body = format!("body of {id}").into_bytes();
    let sealed_by = Some(MASTER.to_owned());
    Batch::from(Op::Insert(NewDocument { key, name: None, parent: None, body, sealed_by }))
}

async fn check(store: &Sqlite, blobs: &Folder, count: usize) {
    for index in 0..count {
        let document = store.get(Scope::new("1", "r").key("thing", format!("{index}"))).await.unwrap().unwrap();
        assert_eq!(document.body, format!("body of {index}").into_bytes());
        let secret = store.secret("key".into(), format!("{index}")).await.unwrap().unwrap();
        assert_eq!(secret.expose(), format!("secret {index}").as_bytes());
    }
    for index in 0..20 {
        let mut blob = blobs.open(&BlobKey::new(format!("blob-{index}")).unwrap()).await.unwrap().unwrap();
        let mut content = Vec::new();
        blob.content.read_to_end(&mut content).await.unwrap();
        assert!(content == vec![index; 100_000]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_goes_on_and_the_old_key_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let server = Arc::new(open(folder.path()).unwrap());
    let blobs = Folder::open(&folder.path().join("blobs"), server.vault()).unwrap();
    for index in 0..600 {
        let secret = Secret::new(format!("secret {index}"));
        let secret = Op::InsertSecret { kind: "key".into(), id: format!("{index}"), secret };
        let batch = [document(&format!("{index}")).ops, vec![secret]].concat();
        server.commit(Batch::new(batch)).await.unwrap();
    }
    for index in 0..20_u8 {
        let (key, content) =
            (BlobKey::new(format!("blob-{index}")).unwrap(), std::io::Cursor::new(vec![index; 100_000]));
        blobs.put(&key, Box::new(content), 100_000, Some(MASTER)).await.unwrap();
    }
    server
        .commit(Op::Enqueue { queue: "q".into(), body: b"work".to_vec(), sealed_by: Some(MASTER.into()) }.into())
        .await
        .unwrap();
    let old = server.keys().await.unwrap();
    assert_eq!((old.len(), old[0].state, old[0].rows, old[0].blobs), (1, KeyState::Current, 1201, 20));

    // A blob whose content is still coming in, sealed with the old key, and writers that never stop.
    let (mut client, source) = tokio::io::duplex(16);
    let (late, half) = (BlobKey::new("late").unwrap(), vec![1; 100_000]);
    let mut put = Box::pin(blobs.put(&late, Box::new(source), 1 << 20, Some(MASTER)));
    tokio::select! {
        result = &mut put => panic!("the content has not ended: {result:?}"),
        written = client.write_all(&half) => written.unwrap(),
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (server, stop) = (server.clone(), stop.clone());
        async move {
            let mut written = 0;
            while !stop.load(Ordering::Relaxed) {
                server.commit(document(&format!("during-{written}"))).await.unwrap();
                written += 1;
            }
            written
        }
    });
    let path = folder.path().to_owned();
    let rotation = tokio::task::spawn_blocking(move || {
        let mut chosen = Vec::new();
        let mut tell = |progress| {
            if let Progress::Chosen(_, id) = progress {
                chosen.push(id)
            }
        };
        (rotate(&path, &Options::default(), &master(), &mut tell), chosen)
    });
    let (rotated, chosen) = rotation.await.unwrap();
    let rotated = rotated.unwrap().remove(0);
    stop.store(true, Ordering::Relaxed);
    let during = writer.await.unwrap();
    assert!(rotated.rows >= 1201 && rotated.blobs == 20, "{rotated:?}");
    assert_eq!((chosen, rotated.old), (vec![rotated.new], vec![old[0].id]));
    drop(client);
    put.await.unwrap();

    // The same server, which was never told.
    check(&server, &blobs, 600).await;
    let states: Vec<_> =
        server.keys().await.unwrap().iter().map(|key| (key.id, key.state, key.rows, key.blobs)).collect();
    let rows = 1201 + during;
    assert_eq!(states, [(old[0].id, KeyState::Retired, 0, 0), (rotated.new, KeyState::Current, rows, 21)]);

    // The old key's line is removed: everything still opens, the late blob too.
    let file = folder.path().join("master.keys");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 2);
    std::fs::write(&file, lines[1]).unwrap();
    drop(blobs);
    drop(server);
    let server = open(folder.path()).unwrap();
    let blobs = Folder::open(&folder.path().join("blobs"), server.vault()).unwrap();
    check(&server, &blobs, 600).await;
    let mut content = Vec::new();
    blobs.open(&late).await.unwrap().unwrap().content.read_to_end(&mut content).await.unwrap();
    assert!(content == half);
    let claimed =
        server.commit(Op::Claim { queue: "q".into(), lease: Duration::ZERO }.into()).await.unwrap().outcomes();
    assert!(matches!(&claimed[..], [Outcome::Claim(Some(claim))] if claim.body == b"work"), "{claimed:?}");
}

#[tokio::test]
async fn what_lay_in_clear_is_sealed_once_there_is_a_default_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    for index in 0..300 {
        store.commit(insert(&format!("{index}"), "needle")).await.unwrap();
    }
    let encryption = Encryption { default_key: Some(MASTER.into()), ..Encryption::default() };
    let options = Options { encryption, ..Options::default() };
    rotate(folder.path(), &options, &master(), &mut |_| ()).unwrap();
    let document = store.get(Scope::new("1", "r").key("thing", "7")).await.unwrap().unwrap();
    assert_eq!(
        (&document.body[..], document.sealed_by.as_deref(), document.version),
        (&b"needle"[..], Some(MASTER), 1)
    );
    let connection = Connection::open(folder.path().join("outcrop.db")).unwrap();
    let clear = "SELECT count(*) FROM documents WHERE sealed_by IS NULL OR instr(body, CAST('needle' AS BLOB)) > 0";
    assert_eq!(connection.query_row(clear, (), |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// A source that cannot be written to is changed first, and the server must have seen it.
#[tokio::test]
async fn a_key_from_the_environment_is_changed_there_first() {
    let folder = tempfile::tempdir().unwrap();
    let with = |text: String, live| {
        let source = OtherSource { what: "env:KEY".into(), live, read: Arc::new(move || Ok(text.clone())) };
        let keys = [(MASTER.to_owned(), KeySource::Other(source))].into();
        Options { encryption: Encryption { keys, default_key: None }, ..Options::default() }
    };
    let (one, both) = ("11".repeat(32), format!("{} {}", "11".repeat(32), "22".repeat(32)));
    let server = Sqlite::open(folder.path(), &with(one.clone(), false)).unwrap();
    server.commit(document("0")).await.unwrap();
    let rotate = |options: &Options| rotate(folder.path(), options, &master(), &mut |_| ());
    let nothing_new = rotate(&with(one, false)).unwrap_err().to_string();
    assert!(nothing_new.contains("env:KEY") && nothing_new.contains("openssl rand"), "{nothing_new}");
    let not_seen = rotate(&with(both.clone(), false)).unwrap_err().to_string();
    assert!(not_seen.contains("restart the server"), "{not_seen}");
    drop(server);
    let server = Sqlite::open(folder.path(), &with(both.clone(), false)).unwrap();
    let states = async || server.keys().await.unwrap().iter().map(|key| key.state).collect::<Vec<_>>();
    assert_eq!(states().await, [KeyState::Current, KeyState::Ready]);
    assert_eq!(rotate(&with(both, false)).unwrap()[0].rows, 1);
    assert_eq!(states().await, [KeyState::Retired, KeyState::Current]);
    assert_eq!(server.get(Scope::new("1", "r").key("thing", "0")).await.unwrap().unwrap().body, b"body of 0");
    let unknown = crate::rotate(folder.path(), &with("22".repeat(32), false), &["nobody".into()], &mut |_| ());
    assert!(matches!(unknown, Err(Error::UnknownKeyName(_))), "{unknown:?}");
}
