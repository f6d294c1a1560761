//! Searching. Near is what pgvector says, by its HNSW index where that finds enough, else by comparing all rows that
//! the filter leaves; words are ts_rank's, of any word that is shared.

use async_trait::async_trait;
use tokio_postgres::Row as Found;

use super::Kept;
use super::connect::failed;
use super::filter::{Sql, condition};
use super::write::vector;
use crate::ranked::{Candidate, Finds};
use crate::record::Row;
use crate::{Mode, Query, Result, Shape, VectorError};

#[async_trait]
impl Finds for Kept {
    fn shape(&self) -> Shape {
        self.shape
    }

    async fn near(&self, query: &Query, limit: usize) -> Result<Vec<Candidate>> {
        let mut sql = Sql::default();
        let (from, distance) = self.asked(query, &mut sql);
        let limit_place = sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        sql.text = format!("{from} ORDER BY {distance} LIMIT {limit_place}::int8");
        let found = self.run(&sql, Some(limit)).await?;
        // Too few: there are no more, or the index gave up before the filter had let enough through.
        if found.len() < limit { self.run(&sql, None).await } else { Ok(found) }
    }

    async fn said(&self, query: &Query, limit: usize) -> Result<Vec<Candidate>> {
        let mut sql = Sql::default();
        let (from, _) = self.asked(query, &mut sql);
        let limit = sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        sql.text = format!("{from} AND {} @@ asked.words ORDER BY rank DESC LIMIT {limit}::int8", self.table.said());
        self.run(&sql, None).await
    }
}

impl Kept {
    /// The rows that a query may find, with what is shown and compared of each; and their distance.
    fn asked(&self, query: &Query, sql: &mut Sql) -> (String, String) {
        let table = &self.table;
        let own = self.own(sql);
        let given = sql.bind(vector(&query.vector));
        let (how, likeness) = match self.shape.binary {
            true => ("<~>", format!("1 - 2 * distance / {}", self.shape.dimensions.max(1))),
            false => ("<=>", "1 - distance".to_owned()),
        };
        let distance = format!("{} {how} {given}::text::{}", table.vector, table.kind);
        let attributes = table.attributes();
        let filter = query.filter.as_ref().map(|filter| condition(filter, &attributes, sql));
        let filter = filter.unwrap_or_else(|| "TRUE".to_owned());
        let words = match query.mode {
            Mode::Hybrid => {
                let text = sql.text(&query.text);
                // Any of the words; a lexeme may hold what a query would read as its own signs.
                format!(
                    "(SELECT string_agg('''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || '''', ' | ')::tsquery \
                     FROM unnest(tsvector_to_array(to_tsvector('{}', {text}))) AS word)",
                    table.words
                )
            }
            Mode::Semantic => "NULL::tsquery".to_owned(),
        };
        let likeness = likeness.replace("distance", &format!("({distance})"));
        let from = format!(
            "WITH asked AS MATERIALIZED (SELECT {words} AS words) SELECT {}, {}::text, {attributes}::text, \
             ({likeness})::float8, coalesce(ts_rank({}, asked.words), 0)::float8 AS rank FROM {}, asked WHERE {own} AND \
             {filter}",
            table.text,
            table.metadata,
            table.said(),
            table.name
        );
        (from, distance)
    }

    /// Asks, by the HNSW index where `by_index` says how many it is to find.
    async fn run(&self, sql: &Sql, by_index: Option<usize>) -> Result<Vec<Candidate>> {
        let mut client = self.pool.take().await?;
        let transaction = client.transaction().await.map_err(failed)?;
        let how = match by_index {
            Some(wanted) => {
                let more = if self.table.iterative { "SET LOCAL hnsw.iterative_scan = strict_order;" } else { "" };
                format!("{more} SET LOCAL hnsw.ef_search = {};", (wanted * 2).clamp(100, 1000))
            }
            // Not by an index that has an order; one that finds words or attributes is asked as before.
            None => "SET LOCAL enable_indexscan = off".to_owned(),
        };
        transaction.batch_execute(&how).await.map_err(failed)?;
        let rows = transaction.query(&sql.text, &sql.bound()).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        rows.iter().map(|row| candidate(row, self.table.attributes.is_some())).collect()
    }
}

fn candidate(row: &Found, beside: bool) -> Result<Candidate> {
    let bad = |error: serde_json::Error| VectorError::failed("a row's metadata", error);
    let kept: Row = serde_json::from_str(row.get(1)).map_err(bad)?;
    let attributes: Option<&str> = row.get(2);
    let metadata = match (attributes, beside) {
        (Some(attributes), true) => serde_json::from_str(attributes).map_err(bad)?,
        _ => kept.attributes.unwrap_or_default(),
    };
    let likeness: Option<f64> = row.get(3);
    Ok(Candidate {
        id: kept.chunk,
        source: kept.data_source,
        document: kept.document,
        text: row.get(0),
        parent: kept.parent,
        metadata,
        // Nothing is like a vector without a direction.
        likeness: likeness.filter(|likeness| likeness.is_finite()).unwrap_or(0.0),
        words: row.get(4),
    })
}
