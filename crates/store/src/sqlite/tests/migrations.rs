//! From the schemas that people have to the one that this build writes.

use rusqlite::OptionalExtension;

use super::super::migrate::{self, Migration};
use super::*;

/// A folder with a database of schema 1, in WAL mode as its server left it.
fn old_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("outcrop.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.execute_batch(include_str!("schema_1.sql")).unwrap();
    // Enough that sealing them moves pages about.
    for index in 0..300 {
        let secret = [format!("more-{index}"), format!("{PLAIN} {index}")];
        connection.execute("INSERT INTO secrets VALUES ('more', ?, CAST(? AS BLOB))", secret).unwrap();
    }
    folder
}

fn holds(path: &Path, text: &str) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

const PLAIN: &str = "plain-secret-of-schema-1";

#[tokio::test]
async fn everything_of_schema_1_is_there_and_its_secrets_are_sealed() {
    let folder = old_folder();
    let path = folder.path().join("outcrop.db");
    let store = open(folder.path()).unwrap();
    assert_eq!(ids(&store).await, ["a", "b"]);
    let scope = Scope::new("1", "r");
    let a = store.get(scope.key("thing", "a")).await.unwrap().unwrap();
    assert_eq!((a.version, a.name.as_deref(), &a.body[..], a.cursor.0), (3, Some("name-a"), &b"{\"n\":1}"[..], 1));
    let secret = async |kind: &str, id: &str| store.secret(kind.into(), id.into()).await.unwrap().unwrap();
    assert_eq!(secret("access-key", "AKIA1").await.expose(), PLAIN.as_bytes());
    assert_eq!(secret("paging", "1").await.expose(), [1, 2, 3, 4, 5]);
    assert_eq!(store.counter(scope.clone(), "n".into()).await.unwrap(), 5);
    assert_eq!(store.tags(scope.clone(), "arn".into()).await.unwrap().len(), 1);
    assert_eq!(store.latest_change().await.unwrap(), 4);
    let claim = Op::Claim { queue: "work".into(), lease: Duration::ZERO };
    let claimed = store.commit(claim.into()).await.unwrap().outcomes();
    assert!(matches!(&claimed[..], [Outcome::Claim(Some(claim))] if claim.body == b"to do"), "{claimed:?}");
    for file in ["outcrop.db", "outcrop.db-wal"] {
        assert!(!holds(&folder.path().join(file), PLAIN), "{file} still holds the secret in clear");
    }
    drop(store);
    assert!(!holds(&path, PLAIN));

    let kept = migrate::old_copy(&path, 1);
    assert!(holds(&kept, PLAIN), "the old database is kept as it was");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let old = Connection::open(&kept).unwrap();
    let version: i64 = old.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let documents: i64 = old.query_row("SELECT count(*) FROM documents", (), |row| row.get(0)).unwrap();
    assert_eq!((version, documents), (1, 2));
    assert_eq!(ids(&open(folder.path()).unwrap()).await, ["a", "b"], "once is enough");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let folder = old_folder();
    let path = folder.path().join("outcrop.db");
    let dump = |path: &Path| {
        let connection = Connection::open(path).unwrap();
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        let mut tables = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
        let tables: Vec<Option<String>> = tables.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let secret: Option<Vec<u8>> =
            connection.query_row("SELECT secret FROM secrets", (), |row| row.get(0)).optional().unwrap();
        (version, tables, secret)
    };
    let before = dump(&path);
    let failing = |script| {
        [
            Migration { script: "", content: None },
            Migration { script: include_str!("../migrations/0002_sealed.sql"), content: None },
            Migration { script, content: None },
        ]
    };
    for script in ["UPDATE secrets SET secret = x'00'; SELECT * FROM nowhere;", "DROP TABLE secrets; nonsense"] {
        let mut connection = super::super::open::connect(&path).unwrap();
        let failed = migrate::run_all(&mut connection, &path, &Encryption::default(), true, &failing(script));
        assert!(matches!(failed, Err(Error::Io { .. })), "{failed:?}");
        drop(connection);
        assert_eq!(dump(&path), before);
    }
    assert_eq!(ids(&open(folder.path()).unwrap()).await, ["a", "b"], "the right migration still can");
}

/// Where the old database cannot be kept, nothing is changed.
#[tokio::test]
async fn without_room_for_the_old_one_there_is_no_migration() {
    let folder = old_folder();
    let path = folder.path().join("outcrop.db");
    // A folder in the copy's place: it cannot be written, whoever asks.
    std::fs::create_dir(path.with_extension("db.schema-1.unfinished")).unwrap();
    std::fs::write(path.with_extension("db.schema-1.unfinished").join("x"), "").unwrap();
    let refused = open(folder.path()).err().unwrap();
    assert!(refused.to_string().contains("schema-1"), "{refused}");
    let version: i64 =
        Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
}
