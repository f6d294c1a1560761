//! Services that keep documents behind a REST interface and a login: Confluence, SharePoint, Salesforce.
//!
//! What is common to them is here: a listing remembers how each of its documents is fetched, filters choose by the name
//! of an object, and [`api`] speaks with the service. One file each says what the service's own interface is.

mod api;
pub(crate) mod confluence;
mod filters;
pub(crate) mod salesforce;
pub(crate) mod sharepoint;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use outcrop_access::Context;
use outcrop_vectors::{Metadata, Value};
use tokio::sync::OnceCell;

use super::{FetchError, Fetched, Item, Listing, Outside, Source, SourceError};
use crate::secrets::Fields;
use api::{Api, Trouble};
pub(crate) use filters::Filters;

/// The most documents of a source.
const MOST: usize = 1_000_000;

/// A service's own interface.
#[async_trait]
pub(crate) trait Service: Send + Sync {
    /// Opens it with what its secret holds.
    async fn login(&self, outside: &Outside, secret: Opened) -> Result<Api, Trouble>;
    /// Finds all documents.
    async fn list(&self, api: &Api, into: &mut Found) -> Result<(), Trouble>;
    /// Fetches one.
    async fn fetch(&self, api: &Api, record: &Record) -> Result<Content, Trouble>;
}

/// A secret that was read.
pub(crate) struct Opened {
    pub arn: String,
    pub fields: Fields,
}

impl Opened {
    fn field(&self, name: &str) -> Result<&str, Trouble> {
        let found = self.fields.get(name).map(|value| value.reveal());
        found.ok_or_else(|| Trouble::Never(format!("The secret {} has no {name}.", self.arn)))
    }

    /// A field, or what connectors of MANAGED knowledge bases call it.
    fn either(&self, name: &str, managed: &str) -> Result<&str, Trouble> {
        self.field(name).or_else(|missing| self.field(managed).map_err(|_| missing))
    }
}

/// How a document is fetched, and what its listing said of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// What kind of object it is, as filters name it.
    pub object: &'static str,
    /// Where the service has it.
    pub path: String,
    /// What it is called.
    pub title: String,
    /// What it is, where the listing says.
    pub mime: Option<String>,
    /// What is told of it beside its text.
    pub attributes: Metadata,
}

/// A document's own bytes.
pub(crate) struct Content {
    pub bytes: Bytes,
    pub name: String,
    pub mime: Option<String>,
}

impl Content {
    /// A page of a title and HTML.
    fn page(title: &str, html: &str) -> Self {
        let title = title.replace('&', "&amp;").replace('<', "&lt;");
        let page = format!("<!doctype html><title>{title}</title><main><h1>{title}</h1>\n{html}\n</main>");
        Self { bytes: page.into(), name: "page.html".to_owned(), mime: Some("text/html; charset=utf-8".to_owned()) }
    }

    fn text(text: String) -> Self {
        Self { bytes: text.into(), name: "record.txt".to_owned(), mime: Some("text/plain; charset=utf-8".to_owned()) }
    }
}

/// What a listing has found.
#[derive(Default)]
pub(crate) struct Found {
    items: Vec<Item>,
    records: HashMap<String, Record>,
    /// Parts of the source that could not be listed, and why.
    refused: Vec<String>,
}

impl Found {
    /// Takes note of a part that is refused: the others are listed all the same.
    fn part(&mut self, name: &str, listed: Result<(), Trouble>) -> Result<(), Trouble> {
        let why = match listed {
            Err(Trouble::Gone(why) | Trouble::Refused(why)) => why,
            listed => return listed,
        };
        self.refused.push(format!(
            "{name} could not be listed: {why} What is known of it stays; until it can be listed, nothing is deleted."
        ));
        Ok(())
    }

    /// Adds a document. `id` is its address for people; one that is there already is the same document.
    fn add(&mut self, id: String, version: String, size: Option<u64>, record: Record) -> Result<(), Trouble> {
        if self.items.len() >= MOST {
            return Err(Trouble::Never(format!("The source has more than {MOST} documents. Filter it.")));
        }
        if self.records.insert(id.clone(), record).is_none() {
            self.items.push(Item { id, version, sidecar: None, size });
        }
        Ok(())
    }
}

/// A service, as a source.
pub(crate) struct Connector<S> {
    service: S,
    outside: Outside,
    acting: Context,
    secret: String,
    api: OnceCell<Api>,
    records: Mutex<HashMap<String, Record>>,
}

impl<S: Service> Connector<S> {
    pub(super) fn new(service: S, outside: &Outside, acting: Context, secret: &str) -> Self {
        Self {
            service,
            outside: outside.clone(),
            acting,
            secret: secret.to_owned(),
            api: OnceCell::new(),
            records: Mutex::default(),
        }
    }

    async fn api(&self) -> Result<&Api, Trouble> {
        let login = || async {
            let fields = self.outside.secrets.get(&self.acting, &self.secret).map_err(Trouble::Never)?;
            self.service.login(&self.outside, Opened { arn: self.secret.clone(), fields }).await
        };
        self.api.get_or_try_init(login).await
    }
}

#[async_trait]
impl<S: Service> Source for Connector<S> {
    async fn list(&self) -> Result<Listing, SourceError> {
        let mut found = Found::default();
        let listed = async { self.service.list(self.api().await?, &mut found).await };
        listed.await.map_err(|trouble| match trouble {
            Trouble::Later(text) => SourceError::Later(text),
            Trouble::Gone(text) | Trouble::Never(text) | Trouble::Refused(text) | Trouble::Bad(text) => {
                SourceError::Never(text)
            }
        })?;
        let partial = match found.refused.first() {
            Some(why) if found.items.is_empty() => return Err(SourceError::Never(why.clone())),
            first => first.is_some(),
        };
        *self.records.lock().unwrap_or_else(PoisonError::into_inner) = found.records;
        Ok(Listing { items: found.items, partial, notes: found.refused, ..Listing::default() })
    }

    async fn fetch(&self, item: &Item) -> Result<Fetched, FetchError> {
        let record = self.records.lock().unwrap_or_else(PoisonError::into_inner).get(&item.id).cloned();
        let Some(mut record) = record else { return Err(FetchError::Gone) };
        let fetched = async { self.service.fetch(self.api().await?, &record).await };
        let content = fetched.await.map_err(|trouble| match trouble {
            Trouble::Gone(_) => FetchError::Gone,
            Trouble::Bad(text) => FetchError::Bad(text),
            Trouble::Later(text) | Trouble::Never(text) | Trouble::Refused(text) => FetchError::Later(text),
        })?;
        let text = |text: &str| Value::String(text.to_owned());
        record.attributes.insert("title".to_owned(), text(&record.title));
        record.attributes.insert("object_type".to_owned(), text(record.object));
        let Content { bytes, name, mime } = content;
        Ok(Fetched { bytes, name, mime, attributes: record.attributes, ..Fetched::default() })
    }
}

/// All of a listing, page for page: what stands under `entries`, and where the next page is, as a JSON pointer. A page
/// without entries is no page: taken for an empty one, it would have documents deleted.
async fn all(
    api: &Api,
    path: String,
    (entries, next): (&str, &str),
    mut each: impl FnMut(&serde_json::Value) -> Result<(), Trouble> + Send,
) -> Result<(), Trouble> {
    let (mut at, mut seen) = (Some(path), HashSet::new());
    while let Some(path) = at {
        let page = api.json(&path).await?;
        let listed = page.get(entries).and_then(serde_json::Value::as_array);
        for one in listed.ok_or_else(|| Trouble::Later(format!("The answer to {path} has no {entries}.")))? {
            each(one)?;
        }
        at = page.pointer(next).and_then(serde_json::Value::as_str).map(str::to_owned);
        if !seen.insert(path) {
            return Err(Trouble::Never("A listing leads back to a page of its own.".to_owned()));
        }
    }
    Ok(())
}

/// `epoch_modification_time`, of a time that a service tells.
fn modified(told: Option<&str>, attributes: &mut Metadata) {
    // Salesforce writes its zone without a colon.
    let time = told.and_then(|told| told.replace("+0000", "Z").parse::<jiff::Timestamp>().ok());
    if let Some(time) = time {
        attributes.insert("epoch_modification_time".to_owned(), Value::Number(time.as_second() as f64));
    }
}

/// A text member of a service's answer.
fn text<'a>(value: &'a serde_json::Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// A part of a path or query: everything but what no URL gives a meaning to is `%XX`.
fn encoded(part: &str) -> String {
    let mut all = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => all.push(char::from(byte)),
            byte => all.push_str(&format!("%{byte:02X}")),
        }
    }
    all
}
