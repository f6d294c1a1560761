//! Writing: a document's rows go and come in one transaction.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use tokio_postgres::{Client, GenericClient, Transaction};

use super::Kept;
use super::connect::failed;
use super::filter::{Sql, clean, value};
use crate::record::Row;
use crate::{Metadata, Parent, Place, Record, Replace, Result, Stats, Vector, VectorError};

/// Rows that are sent together.
const STRIDE: usize = 200;

impl Kept {
    pub(super) async fn write(&self, documents: Vec<Replace>) -> Result<()> {
        // Of two of one name the later counts.
        let mut last: HashMap<(&str, &str), &[Record]> = HashMap::new();
        for document in &documents {
            for record in &document.records {
                record.vector.check(self.shape)?;
            }
            last.insert((&document.source, &document.document), &document.records);
        }
        let mut client = self.pool.take().await?;
        let transaction = client.transaction().await.map_err(failed)?;
        self.alone(&transaction).await?;
        let names: Vec<_> = last.keys().copied().collect();
        for some in names.chunks(STRIDE) {
            self.remove(&transaction, some).await?;
        }
        let mut rows = Vec::new();
        for ((source, document), records) in last {
            for record in records {
                rows.push((source, document, record));
                if rows.len() == STRIDE {
                    self.insert(&transaction, &std::mem::take(&mut rows)).await?;
                }
            }
        }
        self.insert(&transaction, &rows).await?;
        transaction.commit().await.map_err(failed)
    }

    /// Who writes to a knowledge base does so alone: what two removed at once, both would add.
    async fn alone(&self, transaction: &Transaction<'_>) -> Result<()> {
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended('outcrop ' || $1::text, 0))";
        transaction.execute(lock, &[&self.base]).await.map_err(failed)?;
        Ok(())
    }

    async fn remove(&self, client: &impl GenericClient, documents: &[(&str, &str)]) -> Result<()> {
        let mut sql = Sql::default();
        let own = self.own(&mut sql);
        let metadata = &self.table.metadata;
        let sources = sql.bind(documents.iter().map(|(source, _)| clean(source)).collect::<Vec<_>>());
        let names = sql.bind(documents.iter().map(|(_, name)| clean(name)).collect::<Vec<_>>());
        // By hash first, which is what the index holds: a name may be longer than an index's entry.
        sql.text = format!(
            "DELETE FROM {} AS kept USING unnest({sources}::text[], {names}::text[]) AS gone (source, name) WHERE {own} \
             AND md5({metadata} ->> 'document') = md5(gone.name) AND {metadata} ->> 'document' = gone.name AND \
             {metadata} ->> 'dataSource' = gone.source",
            self.table.name
        );
        client.execute(&sql.text, &sql.bound()).await.map_err(failed)?;
        Ok(())
    }

    async fn insert(&self, client: &impl GenericClient, rows: &[(&str, &str, &Record)]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let table = &self.table;
        let (mut vectors, mut texts, mut metadata, mut attributes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (source, document, record) in rows {
            vectors.push(vector(&record.vector));
            texts.push(clean(&record.text));
            metadata.push(json(&self.row(source, document, record))?);
            attributes.push(attributes_json(&record.metadata));
        }
        let mut sql = Sql::default();
        let arrays: Vec<_> = [vectors, texts, metadata, attributes].into_iter().map(|array| sql.bind(array)).collect();
        let mut columns = vec![table.vector.clone(), table.text.clone(), table.metadata.clone()];
        let mut values =
            vec![format!("vector::{}", table.kind), "chunk".to_owned(), format!("metadata::{}", table.metadata_kind)];
        if let Some((column, kind)) = &table.attributes {
            columns.push(column.clone());
            values.push(format!("attributes::{kind}"));
        }
        if let Some(key) = &table.key {
            columns.push(key.clone());
            values.push("gen_random_uuid()".to_owned());
        }
        let [vectors, texts, metadata, attributes] = &arrays[..] else { return Ok(()) };
        sql.text = format!(
            "INSERT INTO {} ({}) SELECT {} FROM unnest({vectors}::text[], {texts}::text[], {metadata}::text[], \
             {attributes}::text[]) AS new (vector, chunk, metadata, attributes)",
            table.name,
            columns.join(", "),
            values.join(", ")
        );
        client.execute(&sql.text, &sql.bound()).await.map_err(failed)?;
        Ok(())
    }

    fn row(&self, source: &str, document: &str, record: &Record) -> Row {
        let beside = self.table.attributes.is_none();
        let parent = |parent: &Parent| Parent { id: clean(&parent.id), text: clean(&parent.text) };
        Row {
            knowledge_base: self.base.clone(),
            data_source: clean(source),
            document: clean(document),
            chunk: clean(&record.id),
            parent: record.parent.as_deref().map(parent),
            attributes: beside.then(|| record.metadata.clone()),
        }
    }

    /// Gives every chunk of a document other attributes, but for those that are its own.
    pub(super) async fn write_attributes(
        &self,
        source: &str,
        document: &str,
        own: &[&str],
        new: &Metadata,
    ) -> Result<()> {
        let mut sql = Sql::default();
        let ours = self.own(&mut sql);
        let (source, document) = (sql.text(source), sql.text(document));
        let attributes = sql.text(&attributes_json(new));
        let own = sql.bind(own.iter().map(|one| clean(one)).collect::<Vec<_>>());
        let described = |old: &str| {
            format!(
                "(SELECT coalesce(jsonb_object_agg(key, value), '{{}}') FROM jsonb_each({old}) WHERE EXISTS (SELECT FROM \
                 unnest({own}::text[]) AS own (beginning) WHERE starts_with(key, beginning))) || {attributes}::jsonb"
            )
        };
        let (table, metadata) = (&self.table, &self.table.metadata);
        let set = match &table.attributes {
            Some((column, kind)) => format!("{column} = ({})::{kind}", described(&format!("{column}::jsonb"))),
            None => format!(
                "{metadata} = jsonb_set({metadata}::jsonb, '{{attributes}}', {})::{}",
                described(&format!("{metadata}::jsonb -> 'attributes'")),
                table.metadata_kind
            ),
        };
        sql.text = format!(
            "UPDATE {} SET {set} WHERE {ours} AND md5({metadata} ->> 'document') = md5({document}) AND {metadata} ->> \
             'document' = {document} AND {metadata} ->> 'dataSource' = {source}",
            table.name
        );
        let mut client = self.pool.take().await?;
        let transaction = client.transaction().await.map_err(failed)?;
        self.alone(&transaction).await?;
        transaction.execute(&sql.text, &sql.bound()).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    pub(super) async fn remove_source(&self, source: &str) -> Result<()> {
        let mut sql = Sql::default();
        let own = self.own(&mut sql);
        let source = sql.text(source);
        sql.text = format!(
            "DELETE FROM {} WHERE {own} AND {} ->> 'dataSource' = {source}",
            self.table.name, self.table.metadata
        );
        let mut client = self.pool.take().await?;
        let transaction = client.transaction().await.map_err(failed)?;
        self.alone(&transaction).await?;
        transaction.execute(&sql.text, &sql.bound()).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    pub(super) async fn count(&self) -> Result<Stats> {
        let mut sql = Sql::default();
        let own = self.own(&mut sql);
        let (table, metadata) = (&self.table.name, &self.table.metadata);
        // Of what others share, nobody knows whose the bytes are.
        let bytes = if self.table.shared {
            "0::int8".to_owned()
        } else {
            format!("pg_total_relation_size('{table}'::regclass)")
        };
        sql.text = format!(
            "SELECT count(*), count(DISTINCT ({metadata} ->> 'dataSource', {metadata} ->> 'document')), {bytes} FROM \
             {table} WHERE {own}"
        );
        let client = self.pool.take().await?;
        let row = client.query_one(&sql.text, &sql.bound()).await.map_err(failed)?;
        let number = |at: usize| u64::try_from(row.get::<_, i64>(at)).unwrap_or(0);
        Ok(Stats { chunks: number(0), documents: number(1), bytes: number(2) })
    }

    /// The condition that a row is this knowledge base's.
    pub(super) fn own(&self, sql: &mut Sql) -> String {
        if !self.table.shared {
            return "TRUE".to_owned();
        }
        let base = sql.text(&self.base);
        format!("{} ->> 'knowledgeBase' = {base}", self.table.metadata)
    }
}

/// Removes a knowledge base's rows from a table that is not its own. Where table or column are gone, so are they.
pub(super) async fn remove_all(client: &Client, place: &Place, base: &str) -> Result<()> {
    let named = "SELECT to_regclass($1::text)::text, quote_ident(attname) FROM pg_attribute WHERE attrelid = \
                 to_regclass($1::text) AND attname IN ($2::text, lower($2::text)) ORDER BY attname = $2::text DESC LIMIT 1";
    let found = client.query_opt(named, &[&place.name, &place.metadata]).await.map_err(failed)?;
    let Some(found) = found else { return Ok(()) };
    let (table, metadata): (String, String) = (found.get(0), found.get(1));
    let gone = format!("DELETE FROM {table} WHERE {metadata} ->> 'knowledgeBase' = $1::text");
    client.execute(&gone, &[&base]).await.map_err(failed)?;
    Ok(())
}

/// A vector as pgvector reads it.
pub(super) fn vector(vector: &Vector) -> String {
    match vector {
        Vector::Float(numbers) => {
            let numbers: Vec<_> = numbers.iter().map(f32::to_string).collect();
            format!("[{}]", numbers.join(","))
        }
        Vector::Binary(bytes) => bytes.iter().map(|byte| format!("{byte:08b}")).collect(),
    }
}

fn attributes_json(metadata: &Metadata) -> String {
    Json::Object(metadata.iter().map(|(key, one)| (clean(key), value(one))).collect::<Map<_, _>>()).to_string()
}

fn json(row: &Row) -> Result<String> {
    let mut json = serde_json::to_value(row).map_err(|error| VectorError::failed("writing metadata", error))?;
    if let Some(attributes) = &row.attributes {
        let kept: Map<_, _> = attributes.iter().map(|(key, one)| (clean(key), value(one))).collect();
        json["attributes"] = Json::Object(kept);
    }
    Ok(json.to_string())
}
