//! What a crawl may visit: scope, filters and limits, as the data source's configuration has them.

use std::time::Duration;

use http::HeaderValue;
use outcrop_api::bedrock_agent::{WebDataSourceConfiguration, WebScopeType};
use regex::{RegexSet, RegexSetBuilder};
use sha2::{Digest, Sha256};
use url::{Host, Url};

use crate::control::connector::Bounds;

/// The most pages of a crawl (AWS's quota).
const MOST_PAGES: usize = 25_000;
/// Addresses a minute that a host is asked for, at most (the service model's).
const MOST_A_MINUTE: u32 = 300;
/// The memory that one pattern may take when it is compiled.
const PATTERN_BYTES: usize = 1 << 20;
/// What every crawler of Bedrock's is called in a `robots.txt`.
pub(super) const ROBOT: &str = "bedrockbot";

/// Files that are read wherever they are linked from, in the scope or outside (user guide).
const FILES: [&str; 12] =
    [".pdf", ".docx", ".doc", ".pptx", ".xlsx", ".xls", ".csv", ".txt", ".md", ".markdown", ".eml", ".rtf"];
/// What is linked to and is no document: not worth asking a server for.
const OTHERS: [&str; 22] = [
    ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".bmp", ".css", ".js", ".mjs", ".woff", ".woff2", ".zip",
    ".gz", ".tgz", ".mp3", ".mp4", ".webm", ".mov", ".exe", ".dmg",
];

/// What a crawl may visit.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Where it begins.
    pub seeds: Vec<Url>,
    /// Lists of pages that it begins at, too.
    pub sitemaps: Vec<Url>,
    scope: Scope,
    include: Option<RegexSet>,
    exclude: Option<RegexSet>,
    /// More pages than these fail the job.
    pub most_pages: usize,
    /// The pause between two visits to a host.
    pub interval: Duration,
    agent: Option<String>,
    suffix: Option<String>,
    /// How many links it goes from where it begins, and how many from one page, where the data source says.
    pub depth: Option<u32>,
    pub links: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The seed's host, at and below its path.
    Below,
    /// The seed's host.
    Host,
    /// The seed's domain, as it is registered.
    Domain,
}

/// What a link is to a crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// To be read, and followed.
    Page,
    /// To be read if it is a file.
    File,
    /// To be left.
    No,
}

impl Rules {
    /// Reads a configuration, with what a connector says beside it; what is wrong with it, where something is.
    pub(crate) fn read(told: &WebDataSourceConfiguration, bounds: Option<&Bounds>) -> Result<Self, String> {
        let seeds = told.source_configuration.url_configuration.seed_urls.iter().flatten();
        let seeds = seeds.filter_map(|seed| seed.url.as_deref()).map(|url| start("seed", url));
        let seeds: Vec<_> = seeds.collect::<Result<_, _>>()?;
        let sitemaps = bounds.iter().flat_map(|bounds| &bounds.sitemaps).map(|url| start("sitemap", url));
        let sitemaps: Vec<_> = sitemaps.collect::<Result<_, _>>()?;
        if seeds.is_empty() && sitemaps.is_empty() {
            return Err("urlConfiguration.seedUrls is required for a web data source".to_owned());
        }
        let crawler = told.crawler_configuration.clone().unwrap_or_default();
        let limits = crawler.crawler_limits.unwrap_or_default();
        let number = |told: Option<i32>| told.and_then(|told| usize::try_from(told).ok());
        let most_pages = number(limits.max_pages).unwrap_or(MOST_PAGES);
        if most_pages > MOST_PAGES {
            return Err(format!("crawlerLimits.maxPages must not be more than {MOST_PAGES}"));
        }
        let a_minute = limits.rate_limit.and_then(|told| u32::try_from(told).ok()).unwrap_or(MOST_A_MINUTE);
        for told in [&crawler.user_agent, &crawler.user_agent_header].into_iter().flatten() {
            HeaderValue::from_str(told)
                .map_err(|_| "the user agent has characters that no HTTP header may have".to_owned())?;
        }
        Ok(Self {
            seeds,
            sitemaps,
            scope: match crawler.scope {
                Some(WebScopeType::HostOnly) => Scope::Host,
                Some(WebScopeType::Subdomains) => Scope::Domain,
                _ => Scope::Below,
            },
            include: patterns("inclusion", crawler.inclusion_filters.as_deref())?,
            exclude: patterns("exclusion", crawler.exclusion_filters.as_deref())?,
            most_pages,
            interval: Duration::from_secs(60) / a_minute.clamp(1, MOST_A_MINUTE),
            agent: crawler.user_agent_header,
            suffix: crawler.user_agent,
            depth: bounds.map(|bounds| bounds.depth),
            links: bounds.map(|bounds| bounds.links),
        })
    }

    /// Where it begins: a sitemap lists what lies beside it and below.
    pub(super) fn starts(&self) -> Vec<Url> {
        self.seeds.iter().chain(&self.sitemaps).cloned().collect()
    }

    /// What the crawler calls itself: `bedrockbot-UUID`, with the suffix that the data source gives it.
    pub(super) fn agent(&self, source: &str) -> String {
        if let Some(whole) = &self.agent {
            return whole.clone();
        }
        let digest = Sha256::digest(source.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        let id = uuid::Builder::from_custom_bytes(id).into_uuid();
        match &self.suffix {
            Some(suffix) => format!("{ROBOT}-{id} {suffix}"),
            None => format!("{ROBOT}-{id}"),
        }
    }

    /// What a link is, for a crawl from `seeds`.
    pub(super) fn wanted(&self, url: &Url, seeds: &[Url]) -> Wanted {
        let path = url.path().to_ascii_lowercase();
        if OTHERS.iter().any(|ending| path.ends_with(ending)) || !self.takes(url) {
            return Wanted::No;
        }
        if seeds.iter().any(|seed| self.holds(seed, url)) {
            return Wanted::Page;
        }
        if FILES.iter().any(|ending| path.ends_with(ending)) { Wanted::File } else { Wanted::No }
    }

    /// What the filters say; exclusion wins.
    pub(crate) fn takes(&self, url: &Url) -> bool {
        let url = url.as_str();
        self.include.as_ref().is_none_or(|include| include.is_match(url))
            && !self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(url))
    }

    fn holds(&self, seed: &Url, url: &Url) -> bool {
        match self.scope {
            Scope::Below => same_host(seed, url) && below(seed.path(), url.path()),
            Scope::Host => same_host(seed, url),
            Scope::Domain => same_host(seed, url) || same_domain(seed, url),
        }
    }
}

/// The canonical form of where a crawl begins.
fn start(what: &str, told: &str) -> Result<Url, String> {
    let url = Url::parse(told).map_err(|error| format!("the {what} URL {told} is not valid: {error}"))?;
    canonical(url).ok_or_else(|| {
        format!("the {what} URL {told} is not valid: expected http:// or https:// and a host, without user or password")
    })
}

/// One form for one page: no fragment; the parser has taken away a default port and dot segments. None for what is
/// not on the web.
pub(super) fn canonical(mut url: Url) -> Option<Url> {
    /// A longer address is none that a server would take.
    const LONGEST: usize = 2048;
    let plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !plain {
        return None;
    }
    url.set_fragment(None);
    (url.as_str().len() <= LONGEST).then_some(url)
}

/// The same host at the same port; `http` and `https` at their own ports are one host.
fn same_host(one: &Url, other: &Url) -> bool {
    one.host() == other.host() && one.port() == other.port()
}

/// The same domain, as somebody registered it: `docs.example.co.uk` and `www.example.co.uk`.
pub(super) fn same_domain(one: &Url, other: &Url) -> bool {
    let domain = |url: &Url| match url.host() {
        Some(Host::Domain(name)) => psl::domain_str(name).map(str::to_owned),
        _ => None,
    };
    domain(one).is_some_and(|one| domain(other).is_some_and(|other| one == other))
}

/// Whether a path extends a seed's. A seed that names a file stands for its folder.
fn below(seed: &str, path: &str) -> bool {
    let last = seed.rsplit('/').next().unwrap_or_default();
    let folder = if last.contains('.') { &seed[..seed.len() - last.len()] } else { seed };
    path.strip_prefix(folder).is_some_and(|rest| folder.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
        // The folder itself, written without its slash.
        || folder.strip_suffix('/').is_some_and(|folder| folder == path)
}

/// Regular expressions that take time linear in what they read: those that could not be are refused, look-around and
/// references among them.
pub(crate) fn patterns(which: &str, told: Option<&[String]>) -> Result<Option<RegexSet>, String> {
    let Some(told) = told.filter(|told| !told.is_empty()) else { return Ok(None) };
    for pattern in told {
        let one = RegexSetBuilder::new([pattern]).size_limit(PATTERN_BYTES).build();
        one.map_err(|error| format!("the {which} filter {pattern} is not a valid regular expression: {error}"))?;
    }
    let all = RegexSetBuilder::new(told).size_limit(PATTERN_BYTES * told.len()).build();
    all.map(Some).map_err(|error| format!("the {which} filters cannot be used together: {error}"))
}
