//! Web pages: a crawl from seed URLs, within a scope, at the pace that a site bears.
//!
//! A page is read once, while the crawl looks for links, and waits in a file ([`spool`]) for its turn. A linked file
//! whose server says how to tell its versions apart is not read before something about it is new.
//! Start at [`Web::list`]; [`crawl`] decides what is visited, [`visit`] visits.

mod body;
mod crawl;
mod hosts;
mod rules;
mod sitemap;
mod spool;
#[cfg(test)]
mod tests;
mod visit;

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use super::{FetchError, Fetched, Item, Listing, Outside, Source, SourceError};
use hosts::Hosts;
pub(crate) use rules::{Rules, patterns};
use spool::Spool;
use visit::{Found, Kind};

/// The web, or what of it a data source names.
pub(crate) struct Web {
    rules: Rules,
    hosts: Hosts,
    depth: u32,
    /// The most links that are followed from one page.
    links: usize,
    spool: Arc<Spool>,
}

impl Web {
    /// The crawler of a data source. Its name on the web is made of the source's id, so that who is crawled can tell
    /// one source from another.
    pub(crate) fn new(outside: &Outside, source: &str, rules: Rules) -> Self {
        let hosts = Hosts::new(outside.named.clone(), rules.agent(source), rules.interval);
        let depth = rules.depth.map_or(outside.crawl_depth, |told| told.min(outside.crawl_depth));
        let links = rules.links.unwrap_or(usize::MAX);
        Self { rules, hosts, depth, links, spool: Arc::default() }
    }
}

/// What is wrong with a crawl, where something is: that it begins at what may not be crawled, too.
pub(crate) fn check(outside: &Outside, rules: &Rules) -> Result<(), String> {
    for url in rules.starts() {
        let endpoint = outside.named.endpoint(&url.origin().ascii_serialization());
        endpoint.map_err(|error| format!("The URL {url} cannot be crawled: {error}"))?;
    }
    Ok(())
}

#[async_trait]
impl Source for Web {
    async fn list(&self) -> Result<Listing, SourceError> {
        crawl::Crawl::of(self).run().await
    }

    async fn fetch(&self, item: &Item) -> Result<Fetched, FetchError> {
        if let Some((bytes, mime)) = spool::read(&self.spool, &item.id).await {
            return Ok(fetched(&item.id, bytes, Some(mime)));
        }
        let url = Url::parse(&item.id).map_err(|error| FetchError::Bad(error.to_string()))?;
        match self.visit(&url, Kind::Read).await {
            Found::Page { bytes, mime, .. } => Ok(fetched(&item.id, bytes, mime)),
            Found::Gone | Found::Moved(_) | Found::Forbidden => Err(FetchError::Gone),
            Found::File { .. } | Found::Sitemap(_) | Found::Other => Err(FetchError::Bad("it is no document".into())),
            Found::TooLarge(why) => Err(FetchError::Large(format!(": {why}"))),
            Found::Failed(why) => Err(FetchError::Later(why)),
        }
    }
}

/// A page's address says little of what it is: `/index.php` is HTML, and so is `/`.
fn fetched(url: &str, bytes: bytes::Bytes, mime: Option<String>) -> Fetched {
    let name = match mime.as_deref().map(visit::essence) {
        Some("text/html" | "application/xhtml+xml") => "page.html".to_owned(),
        _ => {
            Url::parse(url).ok().and_then(|url| url.path_segments()?.next_back().map(str::to_owned)).unwrap_or_default()
        }
    };
    Fetched { bytes, name, mime, ..Fetched::default() }
}
