//! OpenSearch, over its REST interface.
//!
//! Each knowledge base has an index of its own (`outcrop-` and its id, made and deleted here), or shares one that its
//! owner made: then every document of it says whose it is. What is written is seen when the index is refreshed, which an
//! own index is only when all of it is there: so no search sees half of a document. A shared one its owner may refresh
//! in between.
//!
//! OpenSearch Serverless is refreshed by nobody: it shows what is written within a minute or so. `shown` waits for that
//! where what is written next depends on it.
//!
//! Start at [`OpenSearch`]; `layout` knows fields, `find` searches, `write` writes, `filter` writes filters.

mod filter;
mod find;
mod layout;
mod shown;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use http::Method;
use http::header::AUTHORIZATION;
use outcrop_outbound::Outbound;
use outcrop_signing::Identity;
use serde_json::{Value as Json, json};

use crate::http::{Http, Key};
use crate::{Engine, Hit, Index, Metadata, Place, Query, Replace, Result, Shape, Stats, Store, VectorError, ranked};
use layout::Layout;
use shown::Unseen;

/// An OpenSearch cluster.
#[derive(Clone)]
pub struct OpenSearch(Arc<Inner>);

/// The indexes that are open, by where they are declared to be and whose they are.
type Open = HashMap<(Option<Place>, String), Arc<Kept>>;

struct Inner {
    http: Http,
    /// What was looked at already.
    open: Mutex<Open>,
    /// Whether indexes that are declared and missing are made.
    create: bool,
    /// Whether it is OpenSearch Serverless.
    serverless: bool,
}

/// What a cluster knows this server by.
pub enum OpenSearchLogin {
    /// Nothing: whoever reaches it may.
    None,
    /// A user's name and password.
    Basic(String, String),
    /// Requests are signed for AWS: `es` for managed clusters, `aoss` for OpenSearch Serverless.
    Signed(Box<Identity>),
}

/// One knowledge base's documents.
pub(crate) struct Kept {
    store: OpenSearch,
    layout: Layout,
    base: String,
    /// Who writes does so alone: a refresh would show another's half.
    turn: tokio::sync::Mutex<Unseen>,
}

struct At {
    store: OpenSearch,
    place: Option<Place>,
}

impl OpenSearch {
    /// The cluster, or the collection, at `url`. With `create`, indexes that knowledge bases declare are made where they
    /// are missing.
    pub fn new(url: &str, login: OpenSearchLogin, create: bool, outbound: &Outbound) -> Result<Self> {
        let serverless = matches!(&login, OpenSearchLogin::Signed(identity) if identity.service() == "aoss");
        let key = match login {
            OpenSearchLogin::None => Key::Nothing,
            OpenSearchLogin::Basic(user, password) => {
                let both = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
                Key::header(AUTHORIZATION, &format!("Basic {both}"))?
            }
            OpenSearchLogin::Signed(identity) => Key::Signature(identity),
        };
        let http = Http::new(url, key, outbound)?;
        Ok(Self(Arc::new(Inner { http, open: Mutex::default(), create, serverless })))
    }
}

impl Store for OpenSearch {
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
                let layout = match &self.place {
                    None => Layout::own(inner, base, shape).await?,
                    Some(place) => Layout::shared(inner, place, shape).await?,
                };
                let turn = Default::default();
                let kept = Arc::new(Kept { store: self.store.clone(), layout, base: base.to_owned(), turn });
                inner.open.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(kept).clone()
            }
        };
        if kept.layout.shape != shape {
            return Err(VectorError::Shape { holds: kept.layout.shape, given: shape });
        }
        Ok(kept)
    }

    async fn discard(&self, base: &str) -> Result<()> {
        let key = (self.place.clone(), base.to_owned());
        let known = self.store.0.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        let http = &self.store.0.http;
        let Some(place) = &self.place else {
            return http.ask(Method::DELETE, &layout::own_path(base)?, None).await.map(drop);
        };
        let kept = match known {
            Some(kept) => kept,
            None => {
                let Some(layout) = Layout::found(http, place).await? else { return Ok(()) };
                let turn = Default::default();
                Arc::new(Kept { store: self.store.clone(), layout, base: base.to_owned(), turn })
            }
        };
        kept.remove(Vec::new()).await
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
        self.remove(vec![json!({ "term": { "outcrop.dataSource": source } })]).await
    }

    async fn search(&self, query: Query) -> Result<Vec<Hit>> {
        ranked::search(self, &query).await
    }

    async fn stats(&self) -> Result<Stats> {
        let aggregation = json!({ "documents": { "cardinality": { "field": "outcrop.key" } } });
        let asked = json!({
            "size": 0, "track_total_hits": true, "query": self.own(Vec::new()), "aggs": aggregation,
        });
        let found = self.post("_search", &asked).await?;
        let number = |place: &str| found.pointer(place).and_then(Json::as_u64).unwrap_or(0);
        let bytes = match self.layout.shared {
            // Of what others share, nobody knows whose the bytes are.
            true => 0,
            false => {
                let told =
                    self.store.0.http.ask(Method::GET, &format!("{}/_stats/store", self.layout.path), None).await?;
                let told = told.unwrap_or_default();
                told.pointer("/_all/primaries/store/size_in_bytes").and_then(Json::as_u64).unwrap_or(0)
            }
        };
        Ok(Stats { chunks: number("/hits/total/value"), documents: number("/aggregations/documents/value"), bytes })
    }
}

impl Kept {
    async fn post(&self, what: &str, body: &Json) -> Result<Json> {
        self.store.0.http.must(Method::POST, &format!("{}/{what}", self.layout.path), body).await
    }

    /// A query for this knowledge base's documents, of those that `more` leaves.
    fn own(&self, mut more: Vec<Json>) -> Json {
        more.push(json!({ "term": { "outcrop.knowledgeBase": self.base } }));
        json!({ "bool": { "filter": more } })
    }
}
