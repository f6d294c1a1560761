//! A crawl: from the seeds and their sites' maps from link to link, the nearest first.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use outcrop_extract::Links;
use sha2::{Digest, Sha256};
use url::Url;

use super::rules::{Wanted, canonical, same_domain};
use super::sitemap::Sitemap;
use super::visit::{Asks, Found, Kind, is_page};
use super::{Web, spool};
use crate::ingest::sources::{Item, Listing, SourceError};

/// Visits that are under way at once, each with a page in memory at most.
const AT_ONCE: usize = 4;
/// Redirects from one page to the next.
const MOST_MOVES: u8 = 5;
/// Sitemaps within sitemaps, and sitemaps of a crawl.
const MOST_LEVELS: u32 = 3;
const MOST_SITEMAPS: usize = 500;
/// Addresses that a crawl may come by. More than there may be pages, for not all are there.
const MOST_ADDRESSES: usize = 200_000;

pub(super) struct Crawl<'a> {
    web: &'a Web,
    /// The places whose scope holds; where a seed has moved within its domain, that one too.
    seeds: Vec<Url>,
    queue: VecDeque<Visit>,
    /// Digests of addresses: whole ones would take much memory.
    seen: HashSet<[u8; 16]>,
    sitemaps: usize,
    listing: Listing,
}

struct Visit {
    url: Url,
    kind: Kind,
    /// Links from a seed; of a sitemap, how many others led to it.
    depth: u32,
    moves: u8,
    seed: bool,
}

impl<'a> Crawl<'a> {
    pub(super) fn of(web: &'a Web) -> Self {
        Self {
            web,
            seeds: web.rules.starts(),
            queue: VecDeque::new(),
            seen: HashSet::new(),
            sitemaps: 0,
            listing: Listing::default(),
        }
    }

    pub(super) async fn run(mut self) -> Result<Listing, SourceError> {
        let web = self.web;
        for (starts, kind) in [(&web.rules.seeds, Kind::Page), (&web.rules.sitemaps, Kind::Sitemap)] {
            for url in starts.iter().cloned() {
                self.add(Visit { url, kind, depth: 0, moves: 0, seed: true })?;
            }
        }
        // Where only the seeds are wanted, their sites' maps are not.
        for seed in web.rules.seeds.iter().filter(|_| web.depth > 0) {
            for url in web.hosts.sitemaps(seed).await {
                self.add(Visit { url, kind: Kind::Sitemap, depth: 0, moves: 0, seed: false })?;
            }
        }
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some(visit) = self.queue.pop_front()
            {
                under_way.push(async move {
                    let found = web.visit(&visit.url, visit.kind).await;
                    (visit, found)
                });
            }
            let Some((visit, found)) = under_way.next().await else { break };
            self.take(visit, found).await?;
        }
        // Nothing at all is not what anybody asked for.
        if self.listing.items.is_empty() {
            let kept = self.listing.kept.first().map(|(url, why)| format!("{url}: {why}"));
            let gone =
                self.seeds.first().map(|seed| format!("{seed}: it is not there, is no page, or may not be crawled"));
            let why = kept.or(gone).unwrap_or_default();
            return Err(SourceError::Never(format!("No page could be crawled. {why}")));
        }
        Ok(self.listing)
    }

    async fn take(&mut self, visit: Visit, found: Found) -> Result<(), SourceError> {
        let id = || visit.url.to_string();
        match found {
            Found::Page { bytes, mime, asks } => self.page(visit, bytes, mime, asks).await?,
            Found::File { version, size } => {
                self.item(Item { id: id(), version, sidecar: None, size }, &visit)?;
            }
            Found::Sitemap(sitemap) => self.sitemap(&visit, sitemap)?,
            Found::Gone | Found::Other | Found::Forbidden if visit.kind == Kind::Sitemap && visit.seed => {
                self.unlisted(id(), "it is not there, or may not be read".to_owned());
            }
            Found::Failed(why) | Found::TooLarge(why) if visit.kind == Kind::Sitemap && visit.seed => {
                self.unlisted(id(), why);
            }
            Found::Moved(to) => {
                self.listing.gone.insert(id());
                self.moved(visit, to)?;
            }
            // A sitemap that is not there, or that is no sitemap, is no loss.
            Found::Gone | Found::Other => drop(self.listing.gone.insert(id())),
            Found::Forbidden => {
                self.listing.gone.insert(id());
                self.listing.skipped += u64::from(visit.kind != Kind::Sitemap);
            }
            Found::Failed(why) if visit.kind == Kind::Sitemap => {
                tracing::info!(sitemap = %visit.url, why, "a sitemap could not be read");
                self.listing.partial = true;
            }
            Found::TooLarge(why) => self.listing.kept.push((id(), why)),
            // What it would have led to may be there.
            Found::Failed(why) => {
                self.listing.partial = true;
                self.listing.kept.push((id(), why));
            }
        }
        Ok(())
    }

    /// Follows what a sitemap lists: where the crawl begins at it, each of its pages is where the crawl begins.
    fn sitemap(&mut self, visit: &Visit, found: Sitemap) -> Result<(), SourceError> {
        if visit.seed && found.pages.is_empty() && found.more.is_empty() {
            self.unlisted(visit.url.to_string(), "it is no sitemap, or lists nothing".to_owned());
        }
        for url in found.pages {
            self.link(url, u32::from(!visit.seed))?;
        }
        if visit.depth < MOST_LEVELS {
            for url in found.more.into_iter().filter_map(canonical) {
                let (kind, depth, seed) = (Kind::Sitemap, visit.depth + 1, visit.seed);
                self.add(Visit { url, kind, depth, moves: 0, seed })?;
            }
        }
        Ok(())
    }

    /// What the crawl was to begin at and could not read: what it would have led to may be there.
    fn unlisted(&mut self, id: String, why: String) {
        self.listing.partial = true;
        self.listing.kept.push((id, format!("The sitemap could not be read: {why}")));
    }

    async fn page(&mut self, visit: Visit, bytes: Bytes, mime: Option<String>, asks: Asks) -> Result<(), SourceError> {
        let read = mime.as_deref().is_some_and(is_page);
        let (hashed, charset) = (bytes.clone(), mime.as_deref().and_then(charset).map(str::to_owned));
        let look = move || {
            let links = if read { outcrop_extract::links(&hashed, charset.as_deref()) } else { Links::default() };
            (hex(&Sha256::digest(&hashed)), links)
        };
        let looked = tokio::task::spawn_blocking(look).await;
        let (version, links) = looked.map_err(|error| SourceError::Later(error.to_string()))?;
        if links.no_index || asks.no_index {
            self.listing.gone.insert(visit.url.to_string());
            self.listing.skipped += 1;
        } else {
            let item = Item { id: visit.url.to_string(), version, sidecar: None, size: Some(bytes.len() as u64) };
            if self.item(item, &visit)? {
                spool::keep(&self.web.spool, visit.url.as_str(), bytes, mime).await;
            }
        }
        if links.no_follow || asks.no_follow || visit.depth >= self.web.depth {
            return Ok(());
        }
        let base = links.base.and_then(|base| visit.url.join(&base).ok()).unwrap_or_else(|| visit.url.clone());
        let mut left = self.web.links;
        for link in links.to {
            if left == 0 {
                break;
            }
            if let Ok(url) = base.join(&link) {
                left -= usize::from(self.link(url, visit.depth + 1)?);
            }
        }
        Ok(())
    }

    /// Adds a document. A seed that the filters leave out is only followed.
    fn item(&mut self, item: Item, visit: &Visit) -> Result<bool, SourceError> {
        if visit.seed && !self.web.rules.takes(&visit.url) {
            return Ok(false);
        }
        let most = self.web.rules.most_pages;
        if self.listing.items.len() >= most {
            return Err(SourceError::Never(format!(
                "The web pages exceed the limit of {most}. Raise maxPages, or narrow the scope or the filters: no page \
                 was ingested."
            )));
        }
        self.listing.items.push(item);
        Ok(true)
    }

    /// Follows a link; whether it is one to follow.
    fn link(&mut self, url: Url, depth: u32) -> Result<bool, SourceError> {
        let Some(url) = canonical(url) else { return Ok(false) };
        let kind = match self.web.rules.wanted(&url, &self.seeds) {
            Wanted::Page => Kind::Page,
            Wanted::File => Kind::File,
            Wanted::No => return Ok(false),
        };
        self.add(Visit { url, kind, depth, moves: 0, seed: false })?;
        Ok(true)
    }

    /// A redirect is a link like others, which the scope has to hold; but a seed may move within its domain.
    fn moved(&mut self, visit: Visit, to: Url) -> Result<(), SourceError> {
        let Visit { url, kind, depth, seed, .. } = visit;
        let moves = visit.moves + 1;
        if moves > MOST_MOVES {
            self.listing.kept.push((url.to_string(), "it redirects too often".to_owned()));
            return Ok(());
        }
        let home = same_domain(&url, &to) || url.host() == to.host();
        if seed && home {
            self.seeds.push(to.clone());
        }
        let wanted = match kind {
            Kind::Sitemap => home,
            _ => seed && home || self.web.rules.wanted(&to, &self.seeds) != Wanted::No,
        };
        if wanted {
            return self.add(Visit { url: to, kind, depth, moves, seed });
        }
        if seed {
            let why = format!("it redirects to {to}, which is outside of the scope");
            self.listing.kept.push((url.to_string(), why));
        }
        Ok(())
    }

    fn add(&mut self, visit: Visit) -> Result<(), SourceError> {
        if visit.kind == Kind::Sitemap {
            self.sitemaps += 1;
            if self.sitemaps > MOST_SITEMAPS {
                return Ok(());
            }
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&Sha256::digest(visit.url.as_str())[..16]);
        if !self.seen.insert(digest) {
            return Ok(());
        }
        if self.seen.len() > MOST_ADDRESSES {
            return Err(SourceError::Never(format!(
                "The crawl came by more than {MOST_ADDRESSES} addresses. Narrow the scope or the filters: no page was \
                 ingested."
            )));
        }
        self.queue.push_back(visit);
        Ok(())
    }
}

fn charset(mime: &str) -> Option<&str> {
    mime.split("charset=").nth(1).map(|charset| charset.trim_matches(['"', '\'', ' ', ';']))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
