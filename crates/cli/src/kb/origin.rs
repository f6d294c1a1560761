//! Where documents come from: a folder, a bucket, a web site.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::args;
use crate::kb::add::{is_name, source_name};

/// What the description of a knowledge base begins with that was made by `kb add`.
const OF: &str = "Documents of ";
/// The characters of a description, at most.
const DESCRIPTION: usize = 200;

/// Where documents are.
pub enum Origin {
    /// A folder or a file.
    Local(PathBuf),
    /// A bucket, and what keys begin with.
    Bucket(String, String),
    /// A page to begin at.
    Site(String),
}

impl Origin {
    /// Reads what was typed.
    pub fn read(what: &str) -> Result<Self, String> {
        if let Some(rest) = what.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            return Ok(Self::Bucket(bucket.to_owned(), prefix.to_owned()));
        }
        if what.starts_with("https://") || what.starts_with("http://") {
            let (_, host, _) = parts(what);
            if host.is_empty() || host.contains('@') {
                return Err(format!("{what} names no host, or more than that: expected https://HOST/PATH"));
            }
            return Ok(Self::Site(what.to_owned()));
        }
        if what.contains("://") {
            return Err(format!(
                "{what}: what can be added is a folder, a file, s3://BUCKET/PREFIX or https://HOST/PATH"
            ));
        }
        let path = Path::new(what);
        let whole = path.canonicalize().map_err(|error| format!("{what}: {error}"))?;
        Ok(Self::Local(whole))
    }

    /// Refuses options of crawling where nothing is crawled.
    pub fn takes(&self, crawl: &args::KbCrawl) -> Result<(), String> {
        match self {
            Self::Local(_) | Self::Bucket(..) if *crawl != args::KbCrawl::default() => Err(
                "--scope, --depth, --include, --exclude, --max-pages and --rate say how a URL is crawled: leave them out \
                 for a folder or a bucket"
                    .into(),
            ),
            _ => Ok(()),
        }
    }

    /// What a knowledge base of it is called.
    pub fn name(&self) -> String {
        let name = match self {
            Self::Local(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Bucket(bucket, _) => bucket.clone(),
            Self::Site(url) => parts(url).1.to_owned(),
        };
        if is_name(&name) { name } else { source_name(&name) }
    }

    /// A knowledge base's description that says whose documents it has.
    pub fn described(&self) -> String {
        let of = match self {
            Self::Local(path) => path.display().to_string(),
            Self::Bucket(bucket, prefix) => format!("s3://{bucket}/{prefix}"),
            Self::Site(url) => url.clone(),
        };
        // Bedrock's limit. The end tells more than the beginning.
        let skipped = of.chars().count().saturating_sub(DESCRIPTION - OF.len());
        OF.chars().chain(of.chars().skip(skipped)).collect()
    }

    /// Which bucket is read, where one is; `own` holds the copy of a folder.
    pub fn bucket<'a>(&'a self, own: &'a str) -> Option<(&'a str, &'a str)> {
        match self {
            Self::Local(_) => Some((own, "")),
            Self::Bucket(bucket, prefix) => Some((bucket, prefix)),
            Self::Site(_) => None,
        }
    }
}

/// Whether a knowledge base of that description was made of another folder than `origin`.
pub fn others(description: &str, origin: &Origin) -> bool {
    matches!(origin, Origin::Local(_)) && description.starts_with(OF) && description != origin.described()
}

/// The configuration of a source that crawls from `seed`.
pub fn web(seed: &str, crawl: &args::KbCrawl) -> Value {
    let mut crawler = json!({"crawlerLimits": {"rateLimit": crawl.rate, "maxPages": crawl.max_pages}});
    match crawl.scope {
        // What AWS does without a word.
        args::Scope::Path => {}
        args::Scope::Host => crawler["scope"] = json!("HOST_ONLY"),
        args::Scope::Domain => crawler["scope"] = json!("SUBDOMAINS"),
    }
    let include = match crawl.depth {
        Some(depth) => vec![within(seed, crawl.scope, depth)],
        None => crawl.include.clone(),
    };
    if !include.is_empty() {
        crawler["inclusionFilters"] = json!(include);
    }
    if !crawl.exclude.is_empty() {
        crawler["exclusionFilters"] = json!(crawl.exclude);
    }
    let source = json!({"urlConfiguration": {"seedUrls": [{"url": seed}]}});
    json!({"type": "WEB", "webConfiguration": {"sourceConfiguration": source, "crawlerConfiguration": crawler}})
}

/// Bedrock's crawler knows no depth; a pattern of the URLs that lie so deep says the same, there and here.
fn within(seed: &str, scope: args::Scope, depth: u32) -> String {
    let (_, host, path) = parts(seed);
    let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
    let folder = if scope == args::Scope::Path && !folder.is_empty() { folder } else { "/" };
    let host = if scope == args::Scope::Domain { "[^/]+".to_owned() } else { escaped(host) };
    format!("^https?://{host}{}([^/?#]+/){{0,{depth}}}[^/?#]*([?#].*)?$", escaped(folder))
}

/// Scheme, host with port, and path of a URL.
fn parts(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (scheme, host, path)
}

fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        if r".+*?()|[]{}^$\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_site_and_has_its_hosts_name() {
        let site = Origin::read("https://docs.example.com/guide/?x=1").unwrap();
        assert_eq!(site.name(), "docs-example-com");
        assert!(site.bucket("own").is_none());
        assert_eq!(Origin::Local("/srv/Team (old)  notes".into()).name(), "Team-old-notes");
        assert_eq!(Origin::Local("/srv/team_docs".into()).name(), "team_docs");
        assert!(Origin::read("ftp://x").err().unwrap().contains("what can be added"));
        assert!(Origin::read("https://").is_err() && Origin::read("https://user@host/").is_err());
        assert_eq!(Origin::read("s3://handbooks/2026/").unwrap().bucket("own"), Some(("handbooks", "2026/")));
    }

    #[test]
    fn options_become_the_crawlers_configuration() {
        let plain = web("https://example.com/", &args::KbCrawl::default());
        let crawler = &plain["webConfiguration"]["crawlerConfiguration"];
        assert_eq!(*crawler, json!({"crawlerLimits": {"rateLimit": 300, "maxPages": 1000}}));
        let (include, exclude) = (vec!["a".into()], vec!["b".into()]);
        let told = args::KbCrawl { scope: args::Scope::Host, include, exclude, ..Default::default() };
        let told = web("https://example.com/", &told)["webConfiguration"]["crawlerConfiguration"].take();
        assert_eq!(told["scope"], "HOST_ONLY");
        assert_eq!((&told["inclusionFilters"], &told["exclusionFilters"]), (&json!(["a"]), &json!(["b"])));
    }

    #[test]
    fn a_depth_is_a_pattern() {
        let path = within("https://example.com:8443/guide/index.html", args::Scope::Path, 2);
        assert_eq!(path, r"^https?://example\.com:8443/guide/([^/?#]+/){0,2}[^/?#]*([?#].*)?$");
        assert_eq!(
            within("https://example.com", args::Scope::Domain, 0),
            r"^https?://[^/]+/([^/?#]+/){0,0}[^/?#]*([?#].*)?$"
        );
    }
}
