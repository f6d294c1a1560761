//! What there is, in SQLite: documents, their chunks, where each chunk's vector lies, and what was removed.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::words::Mark;
use crate::{Metadata, Parent, Result, Shape, VectorError};

/// The version of the tables.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE about (version INTEGER NOT NULL, dimensions INTEGER NOT NULL, binary INTEGER NOT NULL);
    CREATE TABLE documents (doc INTEGER PRIMARY KEY, source TEXT NOT NULL, document TEXT NOT NULL,
        UNIQUE (source, document));
    CREATE TABLE parents (parent INTEGER PRIMARY KEY, doc INTEGER NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL);
    CREATE INDEX parents_of ON parents (doc);
    -- Keys are never used again, so that what is derived can say how far it has come.
    CREATE TABLE chunks (key INTEGER PRIMARY KEY AUTOINCREMENT, doc INTEGER NOT NULL, slot INTEGER NOT NULL,
        parent INTEGER, id TEXT NOT NULL, metadata TEXT NOT NULL);
    CREATE INDEX chunks_of ON chunks (doc);
    -- Apart, so that opening an index does not read it.
    CREATE TABLE texts (key INTEGER PRIMARY KEY, text TEXT NOT NULL);
    -- Chunks that are gone, for as long as the words have not forgotten them.
    CREATE TABLE removed (removal INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL);
";

pub(super) fn failed(why: rusqlite::Error) -> VectorError {
    VectorError::failed("the index's database", why)
}

/// Opens the database to write, and makes it where there is none.
pub(super) fn open(path: &Path, shape: Shape) -> Result<Connection> {
    let mut connection = connect(path)?;
    let made: Option<(i64, u32, bool)> = if connection.table_exists(None, "about").map_err(failed)? {
        let about = "SELECT version, dimensions, binary FROM about";
        connection.query_row(about, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional().map_err(failed)?
    } else {
        None
    };
    let Some((version, dimensions, binary)) = made else {
        let transaction = connection.transaction().map_err(failed)?;
        transaction.execute_batch(TABLES).map_err(failed)?;
        let about = "INSERT INTO about VALUES (?, ?, ?)";
        transaction.execute(about, params![VERSION, shape.dimensions, shape.binary]).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        return Ok(connection);
    };
    if version != VERSION {
        return Err(VectorError::Failed(format!("{} is of version {version}, not {VERSION}", path.display())));
    }
    let holds = Shape { dimensions, binary };
    if holds != shape {
        return Err(VectorError::Shape { holds, given: shape });
    }
    Ok(connection)
}

/// Another connection, to read by.
pub(super) fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(failed)?;
    // Mapped, reading a page is no call of the system and no copy.
    let mode = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;
        PRAGMA mmap_size = 17179869184;";
    connection.execute_batch(mode).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A chunk's row, without its text.
pub(super) struct Row {
    pub key: i64,
    pub slot: u32,
    pub parent: Option<i64>,
    pub metadata: Metadata,
}

/// Attributes as they are kept.
pub(super) fn metadata_text(metadata: &Metadata) -> Result<String> {
    serde_json::to_string(metadata).map_err(|why| VectorError::failed("attributes", why))
}

fn metadata(text: &str) -> rusqlite::Result<Metadata> {
    serde_json::from_str(text)
        .map_err(|why| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(why)))
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let metadata = metadata(row.get_ref(3)?.as_str()?)?;
    Ok(Row { key: row.get(0)?, slot: row.get(1)?, parent: row.get(2)?, metadata })
}

/// Every chunk there is.
pub(super) fn each(connection: &Connection, mut take: impl FnMut(Row) -> Result<()>) -> Result<()> {
    let mut statement =
        connection.prepare("SELECT key, slot, parent, metadata FROM chunks ORDER BY key").map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(found) = rows.next().map_err(failed)? {
        take(row(found).map_err(failed)?)?;
    }
    Ok(())
}

/// How many places the vectors' file has at least.
pub(super) fn places(connection: &Connection) -> Result<u64> {
    let places = "SELECT coalesce(max(slot) + 1, 0) FROM chunks";
    connection.query_row(places, [], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs())).map_err(failed)
}

/// How far the truth has come.
pub(super) fn mark(connection: &Connection) -> Result<Mark> {
    let at = |table: &str| -> Result<i64> {
        let highest = "SELECT seq FROM sqlite_sequence WHERE name = ?";
        let mut statement = connection.prepare_cached(highest).map_err(failed)?;
        Ok(statement.query_row([table], |row| row.get(0)).optional().map_err(failed)?.unwrap_or(0))
    };
    Ok(Mark { chunk: at("chunks")?, removal: at("removed")? })
}

/// What the words have not seen: chunks to forget, then chunks to add.
pub(super) fn since(
    connection: &Connection,
    mark: Mark,
    mut forget: impl FnMut(i64) -> Result<()>,
    mut add: impl FnMut(i64, u32, &str) -> Result<()>,
) -> Result<()> {
    let mut statement =
        connection.prepare("SELECT key FROM removed WHERE removal > ? ORDER BY removal").map_err(failed)?;
    let mut rows = statement.query([mark.removal]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        forget(row.get(0).map_err(failed)?)?;
    }
    let added =
        "SELECT c.key, c.slot, t.text FROM chunks c JOIN texts t ON t.key = c.key WHERE c.key > ? ORDER BY c.key";
    let mut statement = connection.prepare(added).map_err(failed)?;
    let mut rows = statement.query([mark.chunk]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let text = row.get_ref(2).and_then(|text| Ok(text.as_str()?)).map_err(failed)?;
        add(row.get(0).map_err(failed)?, row.get(1).map_err(failed)?, text)?;
    }
    Ok(())
}

/// Forgets removals that the words know.
pub(super) fn prune(transaction: &Transaction<'_>, mark: Mark) -> Result<()> {
    let mut statement = transaction.prepare_cached("DELETE FROM removed WHERE removal <= ?").map_err(failed)?;
    statement.execute([mark.removal]).map_err(failed)?;
    Ok(())
}

pub(super) fn find_document(connection: &Connection, source: &str, document: &str) -> Result<Option<i64>> {
    let find = "SELECT doc FROM documents WHERE source = ? AND document = ?";
    let mut statement = connection.prepare_cached(find).map_err(failed)?;
    statement.query_row([source, document], |row| row.get(0)).optional().map_err(failed)
}

pub(super) fn add_document(transaction: &Transaction<'_>, source: &str, document: &str) -> Result<i64> {
    let add = "INSERT INTO documents (source, document) VALUES (?, ?)";
    transaction.prepare_cached(add).and_then(|mut s| s.insert([source, document])).map_err(failed)
}

pub(super) fn documents_of(connection: &Connection, source: &str) -> Result<Vec<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT doc FROM documents WHERE source = ? ORDER BY doc").map_err(failed)?;
    let rows = statement.query_map([source], |row| row.get(0)).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

/// A document's chunks, in order.
pub(super) fn chunks_of(connection: &Connection, doc: i64) -> Result<Vec<Row>> {
    let find = "SELECT key, slot, parent, metadata FROM chunks WHERE doc = ? ORDER BY key";
    let mut statement = connection.prepare_cached(find).map_err(failed)?;
    let rows = statement.query_map([doc], row).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

/// Removes a document and all that it has. What it had.
pub(super) fn remove_document(transaction: &Transaction<'_>, doc: i64) -> Result<Vec<Row>> {
    let had = chunks_of(transaction, doc)?;
    let run = |sql: &str, of: i64| transaction.prepare_cached(sql).and_then(|mut s| s.execute([of])).map_err(failed);
    for chunk in &had {
        run("DELETE FROM texts WHERE key = ?", chunk.key)?;
        run("INSERT INTO removed (key) VALUES (?)", chunk.key)?;
    }
    run("DELETE FROM chunks WHERE doc = ?", doc)?;
    run("DELETE FROM parents WHERE doc = ?", doc)?;
    run("DELETE FROM documents WHERE doc = ?", doc)?;
    Ok(had)
}

pub(super) fn add_parent(transaction: &Transaction<'_>, doc: i64, parent: &Parent) -> Result<i64> {
    let add = "INSERT INTO parents (doc, id, text) VALUES (?, ?, ?)";
    let mut statement = transaction.prepare_cached(add).map_err(failed)?;
    let key = statement.insert(params![doc, parent.id, parent.text]).map_err(failed)?;
    Ok(key)
}

/// Adds a chunk; its key.
pub(super) fn add_chunk(
    transaction: &Transaction<'_>,
    doc: i64,
    slot: u32,
    parent: Option<i64>,
    chunk: (&str, &str, &str),
) -> Result<i64> {
    let (id, metadata, text) = chunk;
    let add = "INSERT INTO chunks (doc, slot, parent, id, metadata) VALUES (?, ?, ?, ?, ?)";
    let mut statement = transaction.prepare_cached(add).map_err(failed)?;
    let key = statement.insert(params![doc, slot, parent, id, metadata]).map_err(failed)?;
    let mut statement = transaction.prepare_cached("INSERT INTO texts (key, text) VALUES (?, ?)").map_err(failed)?;
    statement.execute(params![key, text]).map_err(failed)?;
    Ok(key)
}

/// Gives a chunk other attributes.
pub(super) fn describe(transaction: &Transaction<'_>, key: i64, metadata: &str) -> Result<()> {
    let mut statement = transaction.prepare_cached("UPDATE chunks SET metadata = ? WHERE key = ?").map_err(failed)?;
    statement.execute(params![metadata, key]).map_err(failed)?;
    Ok(())
}

/// A hit, as it is returned: the chunk's, or its parent's.
pub(super) struct Shown {
    pub id: String,
    pub text: String,
    pub source: String,
    pub document: String,
    pub metadata: Metadata,
}

/// What chunks' keys stand for, in their order, without those that are gone. One statement, so that all is read of
/// one moment.
pub(super) fn show(connection: &Connection, keys: &[i64]) -> Result<Vec<Shown>> {
    let find = "SELECT coalesce(p.id, c.id), coalesce(p.text, t.text), d.source, d.document, c.metadata, wanted.key
        FROM json_each(?) wanted CROSS JOIN chunks c ON c.key = wanted.value
        JOIN documents d ON d.doc = c.doc JOIN texts t ON t.key = c.key
        LEFT JOIN parents p ON p.parent = c.parent";
    let shown = |row: &rusqlite::Row<'_>| {
        let metadata = metadata(row.get_ref(4)?.as_str()?)?;
        let shown = Shown { id: row.get(0)?, text: row.get(1)?, source: row.get(2)?, document: row.get(3)?, metadata };
        Ok((row.get(5)?, shown))
    };
    let mut statement = connection.prepare_cached(find).map_err(failed)?;
    let keys = serde_json::to_string(keys).map_err(|why| VectorError::failed("keys", why))?;
    let rows = statement.query_map([keys], shown).map_err(failed)?;
    let mut rows: Vec<(i64, Shown)> = rows.collect::<rusqlite::Result<_>>().map_err(failed)?;
    rows.sort_by_key(|(at, _)| *at);
    Ok(rows.into_iter().map(|(_, shown)| shown).collect())
}

/// How many documents and chunks there are.
pub(super) fn counts(connection: &Connection) -> Result<(u64, u64)> {
    let count = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks)";
    connection
        .query_row(count, [], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs())))
        .map_err(failed)
}
