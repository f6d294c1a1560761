//! PostgreSQL with pgvector.
//!
//! A knowledge base has a table of its own (`outcrop_` and its id, made and dropped here), or shares one that its owner
//! made: then every row says whose it is, and no other row is read, changed or removed. A document is replaced in one
//! transaction, so that no search sees half of it.
//!
//! Start at [`Postgres`]; `table` knows columns, `find` searches, `filter` writes filters as SQL.

mod connect;
mod filter;
mod find;
mod table;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use outcrop_outbound::Outbound;

use crate::{Engine, Index, Metadata, Place, Query, Replace, Result, Shape, Stats, Store, VectorError, ranked};
use connect::Pool;
use table::Table;

/// A PostgreSQL server, or one database of it. Connects when it is first used.
#[derive(Clone)]
pub struct Postgres(Arc<Inner>);

/// The indexes that are open, by where they are declared to be and whose they are.
type Open = HashMap<(Option<Place>, String), Arc<Kept>>;

struct Inner {
    /// Connections, by database.
    pools: Mutex<HashMap<Option<String>, Arc<Pool>>>,
    first: Arc<Pool>,
    /// What was looked at already.
    open: Mutex<Open>,
    /// Whether tables that are declared and missing are made.
    create: bool,
}

/// An index: one knowledge base's rows.
pub(crate) struct Kept {
    pool: Arc<Pool>,
    table: Table,
    base: String,
    shape: Shape,
}

struct At {
    store: Postgres,
    place: Option<Place>,
}

impl Postgres {
    /// The server that `url` names (`postgres://user@host:5432/database`), reached through `outbound`. With
    /// `sslmode=require` in the URL it is encrypted and the certificate must be right; without, it is not encrypted.
    /// With `create`, tables that knowledge bases declare are made where they are missing.
    pub fn new(url: &str, password: Option<&str>, create: bool, outbound: Outbound) -> Result<Self> {
        let first = Arc::new(Pool::new(url, password, outbound)?);
        Ok(Self(Arc::new(Inner { pools: Mutex::default(), first, open: Mutex::default(), create })))
    }

    /// The connections to a place's database. A URL that names a database means that one and no other.
    fn pool(&self, place: Option<&Place>) -> Result<Arc<Pool>> {
        let wanted = place.and_then(|place| place.database.clone());
        match (self.0.first.database(), wanted) {
            (Some(own), Some(other)) if own != other => Err(VectorError::Invalid(format!(
                "databaseName is {other:?}, and the store that serves it is the database {own:?}"
            ))),
            (None, Some(database)) => {
                let mut pools = self.0.pools.lock().unwrap_or_else(PoisonError::into_inner);
                let of = |database: &String| Arc::new(self.0.first.to(database));
                Ok(pools.entry(Some(database.clone())).or_insert_with(|| of(&database)).clone())
            }
            _ => Ok(self.0.first.clone()),
        }
    }
}

impl Store for Postgres {
    fn at(&self, place: Option<Place>) -> Arc<dyn Engine> {
        Arc::new(At { store: self.clone(), place })
    }
}

#[async_trait]
impl Engine for At {
    async fn open(&self, base: &str, shape: Shape) -> Result<Arc<dyn Index>> {
        let key = (self.place.clone(), base.to_owned());
        let inner = &self.store.0;
        let known = inner.open.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let kept = match known {
            Some(kept) => kept,
            None => {
                let pool = self.store.pool(self.place.as_ref())?;
                let mut client = pool.take().await?;
                let table = match &self.place {
                    None => Table::own(&mut client, base, shape).await?,
                    Some(place) => Table::shared(&mut client, place, shape, inner.create).await?,
                };
                drop(client);
                let kept = Arc::new(Kept { pool, table, base: base.to_owned(), shape });
                inner.open.lock().unwrap_or_else(PoisonError::into_inner).insert(key, kept.clone());
                kept
            }
        };
        if kept.shape != shape {
            return Err(VectorError::Shape { holds: kept.shape, given: shape });
        }
        Ok(kept)
    }

    async fn discard(&self, base: &str) -> Result<()> {
        let key = (self.place.clone(), base.to_owned());
        self.store.0.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        let client = self.store.pool(self.place.as_ref())?.take().await?;
        match &self.place {
            None => table::drop_own(&client, base).await,
            Some(place) => write::remove_all(&client, place, base).await,
        }
    }

    fn hybrid(&self) -> bool {
        true
    }
}

#[async_trait]
impl Index for Kept {
    async fn replace(&self, documents: Vec<Replace>) -> Result<()> {
        self.write(documents).await
    }

    async fn describe(&self, source: &str, document: &str, own: &[&str], metadata: Metadata) -> Result<()> {
        self.write_attributes(source, document, own, &metadata).await
    }

    async fn forget(&self, source: &str) -> Result<()> {
        self.remove_source(source).await
    }

    async fn search(&self, query: Query) -> Result<Vec<crate::Hit>> {
        ranked::search(self, &query).await
    }

    async fn stats(&self) -> Result<Stats> {
        self.count().await
    }
}
