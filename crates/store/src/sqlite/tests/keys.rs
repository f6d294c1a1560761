//! What lies on the disk, and what happens without the right keys.

use super::*;
use crate::{KeySource, MASTER, OtherSource, Secret};

fn named(keys: &[(&str, &str)], default_key: Option<&str>) -> Options {
    let source = |hex: &str| {
        let text = hex.repeat(32);
        KeySource::Other(OtherSource {
            what: format!("test:{hex}"),
            live: true,
            read: Arc::new(move || Ok(text.clone())),
        })
    };
    let keys = keys.iter().map(|(name, hex)| ((*name).to_owned(), source(hex))).collect();
    Options { encryption: Encryption { keys, default_key: default_key.map(str::to_owned) }, ..Options::default() }
}

fn sealed(id: &str, body: &str, by: &str) -> Batch {
    let key = Scope::new("1", "r").key("thing", id);
    let body = body.into();
    Batch::from(Op::Insert(NewDocument { key, name: None, parent: None, body, sealed_by: Some(by.into()) }))
}

fn secret(id: &str, text: &str) -> Batch {
    Batch::from(Op::InsertSecret { kind: "key".into(), id: id.into(), secret: Secret::new(text) })
}

fn on_disk(folder: &Path) -> Vec<u8> {
    let files = ["outcrop.db", "outcrop.db-wal"].map(|file| std::fs::read(folder.join(file)).unwrap_or_default());
    files.concat()
}

fn count(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

#[tokio::test]
async fn what_is_sealed_does_not_lie_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path(), &named(&[("a", "11")], None)).unwrap();
    store.commit(insert("clear", "needle-in-clear")).await.unwrap();
    store.commit(sealed("sealed", "needle-sealed-document", "a")).await.unwrap();
    store.commit(secret("s", "needle-secret")).await.unwrap();
    let row = Op::Enqueue { queue: "q".into(), body: b"needle-queue".to_vec(), sealed_by: Some(MASTER.into()) };
    store.commit(row.into()).await.unwrap();
    let bytes = on_disk(folder.path());
    assert!(count(&bytes, "needle-in-clear") > 0, "the search finds what is there");
    for needle in ["needle-sealed-document", "needle-secret", "needle-queue"] {
        assert_eq!(count(&bytes, needle), 0, "{needle}");
    }
}

#[tokio::test]
async fn a_default_key_seals_everything() {
    let folder = tempfile::tempdir().unwrap();
    let clear = Sqlite::open(folder.path(), &named(&[("a", "11")], None)).unwrap();
    clear.commit(insert("before", "needle-before")).await.unwrap();
    drop(clear);
    let store = Sqlite::open(folder.path(), &named(&[("a", "11")], Some("a"))).unwrap();
    store.commit(insert("after", "needle-after")).await.unwrap();
    store
        .commit(Op::Enqueue { queue: "q".into(), body: b"needle-queue".to_vec(), sealed_by: None }.into())
        .await
        .unwrap();
    let put = |body: &str| Op::Put {
        key: Scope::new("1", "r").key("thing", "before"),
        expect: None,
        name: None,
        body: body.into(),
    };
    store.commit(put("needle-put").into()).await.unwrap();
    for id in ["before", "after"] {
        let document = store.get(Scope::new("1", "r").key("thing", id)).await.unwrap().unwrap();
        assert_eq!(document.sealed_by.as_deref(), Some("a"), "{id}");
    }
    let bytes = on_disk(folder.path());
    for needle in ["needle-after", "needle-queue", "needle-put"] {
        assert_eq!(count(&bytes, needle), 0, "{needle}");
    }
    let unknown = Sqlite::open_beside(folder.path(), &named(&[], Some("nobody"))).err().unwrap();
    assert!(matches!(unknown, Error::UnknownKeyName(_)), "{unknown}");
}

/// Whoever can write the file can move rows about, but not make them say something else.
#[tokio::test]
async fn ciphertexts_cannot_be_moved_or_altered() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    for id in ["a", "b"] {
        store.commit(sealed(id, &format!("of {id}"), MASTER)).await.unwrap();
        store.commit(secret(id, &format!("of {id}"))).await.unwrap();
        let row = Op::Enqueue { queue: "q".into(), body: id.into(), sealed_by: Some(MASTER.into()) };
        store.commit(row.into()).await.unwrap();
    }
    let other = Connection::open(folder.path().join("outcrop.db")).unwrap();
    let run = |sql: &str| assert_eq!(other.execute(sql, ()).unwrap(), 1, "{sql}");
    let key = Scope::new("1", "r").key("thing", "a");
    let refused = |error: Error, what: &str| {
        assert!(matches!(&error, Error::Sealed { what: told, .. } if told.contains(what)), "{error}");
        assert!(error.to_string().contains("restore it from a backup"), "{error}");
        assert!(!error.message().contains(what), "{}", error.message());
    };
    run("UPDATE documents SET body = (SELECT body FROM documents WHERE id = 'b') WHERE id = 'a'");
    refused(store.get(key.clone()).await.unwrap_err(), "thing a");
    run("UPDATE secrets SET secret = (SELECT secret FROM secrets WHERE id = 'b') WHERE id = 'a'");
    refused(store.secret("key".into(), "a".into()).await.unwrap_err(), "key a");
    run("UPDATE queue SET body = (SELECT body FROM queue WHERE row = 2) WHERE row = 1");
    let claim = store.commit(Op::Claim { queue: "q".into(), lease: Duration::ZERO }.into()).await;
    refused(claim.unwrap_err(), "row 1");
    // A key's id that stands beside it, changed to another's: the envelope's own counts.
    run("UPDATE documents SET account = '2' WHERE id = 'b'");
    refused(store.get(Scope::new("2", "r").key("thing", "b")).await.unwrap_err(), "thing b");
    // What cannot be opened can be replaced and deleted.
    let put = Op::Put { key: key.clone(), expect: None, name: None, body: b"again".to_vec() };
    store.commit(put.into()).await.unwrap();
    assert_eq!(store.get(key.clone()).await.unwrap().unwrap().body, b"again");
    store.commit(Op::Delete { key, expect: None }.into()).await.unwrap();
}

#[tokio::test]
async fn without_its_master_key_it_does_not_open_and_makes_no_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master.keys");
    let store = open(folder.path()).unwrap();
    store.commit(secret("a", "kept")).await.unwrap();
    let id = store.keys().await.unwrap()[0].id;
    drop(store);
    let right = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let told = |error: Error, more: &str| {
        assert!(matches!(&error, Error::MissingKey { id: missing, .. } if *missing == id), "{error}");
        for said in [&id.to_string(), "master", &file.display().to_string(), more] {
            assert!(error.to_string().contains(said), "{said}: {error}");
        }
    };
    told(open(folder.path()).err().unwrap(), "there is no such file");
    assert!(!file.exists(), "a lost key is not replaced by a new one");
    std::fs::write(&file, "77".repeat(32)).unwrap();
    let wrong = crate::keys::parse(&"77".repeat(32)).unwrap()[0].id.to_string();
    told(open(folder.path()).err().unwrap(), &wrong);
    std::fs::write(&file, "not a key").unwrap();
    told(open(folder.path()).err().unwrap(), "line 1");
    std::fs::write(&file, right).unwrap();
    let secret = open(folder.path()).unwrap().secret("key".into(), "a".into()).await.unwrap();
    assert_eq!(secret.unwrap().expose(), b"kept");
}

#[tokio::test]
async fn a_named_key_may_go_when_it_seals_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let both = named(&[("a", "11"), ("b", "22")], None);
    let store = Sqlite::open(folder.path(), &both).unwrap();
    store.commit(sealed("x", "1", "a")).await.unwrap();
    drop(store);
    drop(Sqlite::open(folder.path(), &named(&[("a", "11")], None)).unwrap());
    let missing = Sqlite::open(folder.path(), &named(&[("b", "22")], None)).err().unwrap();
    assert!(matches!(&missing, Error::MissingKey { name, rows: 1, .. } if name == "a"), "{missing}");
    let said =
        "is missing: the configuration names no key \"a\" (was --config forgotten?). It was last read from test:11.";
    assert!(missing.to_string().contains(said), "{missing}");
    let twice = Sqlite::open(folder.path(), &named(&[("a", "11"), ("c", "11")], None)).err().unwrap();
    assert!(twice.to_string().contains("a key has one name"), "{twice}");
    let store = Sqlite::open(folder.path(), &both).unwrap();
    assert_eq!(store.get(Scope::new("1", "r").key("thing", "x")).await.unwrap().unwrap().body, b"1");
}

/// Two processes that use a new folder for the first time at once agree on its key.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let stores: Vec<_> = std::thread::scope(|scope| {
        let open = || Sqlite::open_beside(folder.path(), &Options::default()).unwrap();
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (place, store) in stores.iter().enumerate() {
        store.commit(secret(&place.to_string(), "x")).await.unwrap();
    }
    for store in &stores {
        for place in 0..stores.len() {
            store.secret("key".into(), place.to_string()).await.unwrap().unwrap();
        }
        assert_eq!(store.keys().await.unwrap().len(), 1);
    }
    let files = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name());
    let keys: Vec<_> = files.filter(|name| name.to_string_lossy().contains("keys")).collect();
    assert_eq!(keys, ["master.keys"], "nothing unfinished stays");
}
