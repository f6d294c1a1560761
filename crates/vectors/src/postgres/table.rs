//! Tables: a knowledge base's own, and those that their owners made.

use tokio_postgres::{Client, GenericClient};

use super::connect::failed;
use crate::{Place, Result, Shape, VectorError};

/// The most numbers of a vector that pgvector's HNSW takes.
const MOST_INDEXED: u32 = 2000;
/// The longest name that PostgreSQL keeps whole.
const MOST_NAME: usize = 63;

/// A table and its columns, all as they are written in a statement.
pub(super) struct Table {
    pub name: String,
    pub key: Option<String>,
    pub vector: String,
    /// What its vectors are, as the server names the type.
    pub kind: String,
    pub text: String,
    pub metadata: String,
    pub metadata_kind: String,
    /// The column, and its type.
    pub attributes: Option<(String, String)>,
    /// Whether other knowledge bases and programs have rows in it.
    pub shared: bool,
    /// The text search configuration of its full-text index.
    pub words: &'static str,
    /// Whether pgvector goes on searching where a filter leaves too few (since 0.8).
    pub iterative: bool,
}

impl Table {
    /// A knowledge base's own table, made where it is missing.
    pub async fn own(client: &mut Client, base: &str, shape: Shape) -> Result<Self> {
        let name = own_name(base)?;
        let transaction = client.transaction().await.map_err(failed)?;
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))";
        transaction.execute(lock, &[&name]).await.map_err(failed)?;
        if find(&transaction, &name).await?.is_none() {
            extension(&transaction).await?;
            transaction.batch_execute(&made(&name, shape, "jsonb", &Names::own(), "english")).await.map_err(failed)?;
        }
        let names = Names::own();
        let table = Self::read(&transaction, &name, &names, shape, false).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(table)
    }

    /// A table that its owner made.
    pub async fn shared(client: &mut Client, place: &Place, shape: Shape, create: bool) -> Result<Self> {
        let names = Names::of(place);
        let transaction = client.transaction().await.map_err(failed)?;
        if create && find(&transaction, &place.name).await?.is_none() {
            extension(&transaction).await?;
            let name = as_declared(&place.name);
            transaction.batch_execute(&made(&name, shape, "json", &names, "simple")).await.map_err(failed)?;
        }
        let table = Self::read(&transaction, &place.name, &names, shape, true).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(table)
    }

    async fn read(client: &impl GenericClient, name: &str, names: &Names, shape: Shape, shared: bool) -> Result<Self> {
        let Some((oid, name)) = find(client, name).await? else {
            return Err(VectorError::Invalid(format!("the table {name} does not exist, or may not be seen")));
        };
        let columns = "SELECT attname::text, quote_ident(attname), format_type(atttypid, atttypmod), atttypmod \
                       FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped";
        let columns = client.query(columns, &[&oid]).await.map_err(failed)?;
        // As in SQL, what is declared without capitals in mind is found without them.
        let column = |wanted: &str| {
            let exact = columns.iter().find(|row| row.get::<_, &str>(0) == wanted);
            let folded = || columns.iter().find(|row| row.get::<_, &str>(0) == wanted.to_lowercase());
            let Some(row) = exact.or_else(folded) else {
                return Err(VectorError::Invalid(format!("the table {name} has no column {wanted}")));
            };
            Ok((row.get::<_, String>(1), row.get::<_, String>(2), row.get::<_, i32>(3)))
        };
        let (vector, kind, _) = column(&names.vector)?;
        let (metadata, metadata_kind, _) = column(&names.metadata)?;
        let attributes = names.attributes.as_deref().map(column).transpose()?;
        for (name, kind, _) in attributes.iter().chain([&(metadata.clone(), metadata_kind.clone(), 0)]) {
            if kind != "json" && kind != "jsonb" {
                return Err(VectorError::Invalid(format!(
                    "the column {name} is of the type {kind}, not json or jsonb"
                )));
            }
        }
        let holds = holds(client, &name, &vector, &kind, shape).await?;
        if holds != shape {
            return Err(VectorError::Shape { holds, given: shape });
        }
        let version = "SELECT extversion FROM pg_extension WHERE extname = 'vector'";
        let version = client.query_opt(version, &[]).await.map_err(failed)?;
        let version: String = version.map(|row| row.get(0)).unwrap_or_default();
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        Ok(Self {
            iterative: (parts.next(), parts.next()) >= (Some(0), Some(8)),
            key: names.key.as_deref().map(column).transpose()?.map(|(key, ..)| key),
            text: column(&names.text)?.0,
            attributes: attributes.map(|(column, kind, _)| (column, kind)),
            words: if shared { "simple" } else { "english" },
            name,
            vector,
            kind,
            metadata,
            metadata_kind,
            shared,
        })
    }

    /// Attributes, as jsonb.
    pub fn attributes(&self) -> String {
        match &self.attributes {
            Some((column, _)) => format!("({column}::jsonb)"),
            None => format!("(({}::jsonb) -> 'attributes')", self.metadata),
        }
    }

    /// What the full-text index is of.
    pub fn said(&self) -> String {
        format!("to_tsvector('{}', {})", self.words, self.text)
    }
}

/// Drops a knowledge base's own table, there or not.
pub(super) async fn drop_own(client: &Client, base: &str) -> Result<()> {
    client.batch_execute(&format!("DROP TABLE IF EXISTS {}", own_name(base)?)).await.map_err(failed)
}

fn own_name(base: &str) -> Result<String> {
    let name = format!("outcrop_{base}");
    if name.len() > MOST_NAME || name.contains(['"', '\'', '\0']) {
        return Err(VectorError::Invalid(format!("a table cannot be named after {base:?}")));
    }
    Ok(format!("\"{name}\""))
}

/// The table that a name means, by the server's own rules: its number, and its name as it is written.
async fn find(client: &impl GenericClient, name: &str) -> Result<Option<(u32, String)>> {
    let named = "SELECT to_regclass($1::text)::oid, to_regclass($1::text)::text";
    let found = client.query_one(named, &[&name]).await.map_err(failed)?;
    Ok(found.get::<_, Option<u32>>(0).zip(found.get::<_, Option<String>>(1)))
}

async fn extension(client: &impl GenericClient) -> Result<()> {
    let there = "SELECT 1 FROM pg_extension WHERE extname = 'vector'";
    if client.query_opt(there, &[]).await.map_err(failed)?.is_some() {
        return Ok(());
    }
    client.batch_execute("CREATE EXTENSION vector").await.map_err(|error| {
        let said = failed(error);
        VectorError::Invalid(format!("the database has no pgvector, and it could not be added ({said})"))
    })
}

/// The shape of a table's vectors: its column says it, else the first that it holds.
async fn holds(client: &impl GenericClient, table: &str, vector: &str, kind: &str, given: Shape) -> Result<Shape> {
    let (name, size) = match kind.split_once('(') {
        Some((name, size)) => (name, size.trim_end_matches(')').parse().ok()),
        None => (kind, None),
    };
    let binary = match name.rsplit('.').next() {
        Some("bit" | "bit varying") => true,
        Some("vector" | "halfvec") => false,
        _ => return Err(VectorError::Invalid(format!("the column {vector} is of the type {kind}, not vector"))),
    };
    if let Some(dimensions) = size {
        return Ok(Shape { dimensions, binary });
    }
    let of = if binary { "length" } else { "vector_dims" };
    let first = format!("SELECT {of}({vector})::int4 FROM {table} WHERE {vector} IS NOT NULL LIMIT 1");
    let first = client.query_opt(&first, &[]).await.map_err(failed)?;
    let dimensions = first.and_then(|row| u32::try_from(row.get::<_, i32>(0)).ok()).unwrap_or(given.dimensions);
    Ok(Shape { dimensions, binary })
}

/// The columns of a table, as they are declared.
struct Names {
    key: Option<String>,
    vector: String,
    text: String,
    metadata: String,
    attributes: Option<String>,
}

impl Names {
    /// Those that AWS's guide has for Aurora.
    fn own() -> Self {
        Self {
            key: Some("id".to_owned()),
            vector: "embedding".to_owned(),
            text: "chunks".to_owned(),
            metadata: "metadata".to_owned(),
            attributes: Some("custom_metadata".to_owned()),
        }
    }

    fn of(place: &Place) -> Self {
        Self {
            key: place.key.clone(),
            vector: place.vector.clone(),
            text: place.text.clone(),
            metadata: place.metadata.clone(),
            attributes: place.attributes.clone(),
        }
    }
}

/// `schema.table` as it is written in a statement.
fn as_declared(name: &str) -> String {
    let parts: Vec<_> = name.split('.').map(|part| quoted(&part.trim_matches('"').to_lowercase())).collect();
    parts.join(".")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What makes a table with its indexes, which are those of AWS's guide.
fn made(name: &str, shape: Shape, metadata_kind: &str, names: &Names, words: &str) -> String {
    let (vector, text, metadata) = (quoted(&names.vector), quoted(&names.text), quoted(&names.metadata));
    let (kind, how) = if shape.binary { ("bit", "bit_hamming_ops") } else { ("vector", "vector_cosine_ops") };
    let key = names.key.as_ref().map(|key| format!("{} uuid PRIMARY KEY, ", quoted(key))).unwrap_or_default();
    let attributes = names.attributes.as_deref().map(quoted);
    let more = attributes.as_ref().map(|column| format!(", {column} jsonb")).unwrap_or_default();
    let mut all = format!(
        "CREATE TABLE {name} ({key}{vector} {kind}({}) NOT NULL, {text} text NOT NULL, {metadata} {metadata_kind} NOT \
         NULL{more}); CREATE INDEX ON {name} ((md5({metadata} ->> 'document'))); CREATE INDEX ON {name} USING gin \
         (to_tsvector('{words}', {text}));",
        shape.dimensions
    );
    if shape.binary || shape.dimensions <= MOST_INDEXED {
        all += &format!(" CREATE INDEX ON {name} USING hnsw ({vector} {how});");
    }
    if let Some(column) = attributes {
        all += &format!(" CREATE INDEX ON {name} USING gin ({column} jsonb_path_ops);");
    }
    all
}
