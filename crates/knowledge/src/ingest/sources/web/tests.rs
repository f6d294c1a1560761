use outcrop_api::bedrock_agent::{
    SeedUrl, UrlConfiguration, WebCrawlerConfiguration, WebCrawlerLimits, WebDataSourceConfiguration, WebScopeType,
    WebSourceConfiguration,
};

use super::rules::{Wanted, canonical};
use super::sitemap;
use super::visit::Asks;
use super::*;

fn told(seed: &str, crawler: WebCrawlerConfiguration) -> WebDataSourceConfiguration {
    let seed = SeedUrl { url: Some(seed.to_owned()) };
    WebDataSourceConfiguration {
        source_configuration: WebSourceConfiguration {
            url_configuration: UrlConfiguration { seed_urls: Some(vec![seed]) },
        },
        crawler_configuration: Some(crawler),
    }
}

fn rules(seed: &str, crawler: WebCrawlerConfiguration) -> Rules {
    Rules::read(&told(seed, crawler), None).unwrap()
}

fn wanted(rules: &Rules, url: &str) -> Wanted {
    rules.wanted(&Url::parse(url).unwrap(), &rules.seeds)
}

fn all(rules: &Rules, cases: &[(&str, Wanted)]) {
    for (url, expected) in cases {
        assert_eq!(wanted(rules, url), *expected, "{url}");
    }
}

#[test]
fn without_a_scope_the_seeds_path_is_crawled() {
    let below = rules("https://docs.example.co.uk/guide/index.html", Default::default());
    all(
        &below,
        &[
            ("https://docs.example.co.uk/guide/", Wanted::Page),
            ("https://docs.example.co.uk/guide/a/b?c=d", Wanted::Page),
            ("http://docs.example.co.uk/guide/a", Wanted::Page),
            ("https://docs.example.co.uk/guide", Wanted::Page),
            ("https://docs.example.co.uk/guidelines", Wanted::No),
            ("https://docs.example.co.uk/other", Wanted::No),
            ("https://docs.example.co.uk:8443/guide/", Wanted::No),
            ("https://www.example.co.uk/guide/", Wanted::No),
            ("https://elsewhere.org/handbook.PDF", Wanted::File),
            ("https://docs.example.co.uk/guide/logo.png", Wanted::No),
        ],
    );
    let bare = rules("https://example.org/guide", Default::default());
    all(&bare, &[("https://example.org/guide/x", Wanted::Page), ("https://example.org/guidex", Wanted::No)]);
}

#[test]
fn a_scope_may_be_the_host_or_the_domain() {
    let scope = |scope| WebCrawlerConfiguration { scope: Some(scope), ..Default::default() };
    let host = rules("https://docs.example.co.uk/guide/", scope(WebScopeType::HostOnly));
    all(&host, &[("https://docs.example.co.uk/other", Wanted::Page), ("https://www.example.co.uk/", Wanted::No)]);
    let domain = rules("https://docs.example.co.uk/guide/", scope(WebScopeType::Subdomains));
    all(
        &domain,
        &[
            ("https://www.example.co.uk/", Wanted::Page),
            ("https://example.co.uk/", Wanted::Page),
            // Another's domain below the same public suffix.
            ("https://other.co.uk/", Wanted::No),
        ],
    );
}

#[test]
fn exclusion_wins() {
    let filtered = rules(
        "https://example.org/",
        WebCrawlerConfiguration {
            inclusion_filters: Some(vec![".*/guide/.*".to_owned()]),
            exclusion_filters: Some(vec![r".*\.pdf$".to_owned(), "draft".to_owned()]),
            ..Default::default()
        },
    );
    all(
        &filtered,
        &[
            ("https://example.org/guide/a", Wanted::Page),
            ("https://example.org/blog/a", Wanted::No),
            ("https://example.org/guide/draft-2", Wanted::No),
            ("https://example.org/guide/a.pdf", Wanted::No),
            ("https://elsewhere.org/guide/a.docx", Wanted::File),
        ],
    );
}

#[test]
fn what_cannot_be_crawled_is_refused_with_its_reason() {
    let refused = |seed: &str, crawler| Rules::read(&told(seed, crawler), None).unwrap_err();
    let exclude = |pattern: &str| WebCrawlerConfiguration {
        exclusion_filters: Some(vec![pattern.to_owned()]),
        ..Default::default()
    };
    for pattern in ["(", "(?=a)b", r"(a)\1", "(a{1000}){1000}"] {
        let error = refused("https://example.org", exclude(pattern));
        assert!(error.starts_with("the exclusion filter ") && error.contains("regular expression"), "{error}");
    }
    for seed in ["ftp://example.org", "https://user@example.org", "https://"] {
        assert!(refused(seed, Default::default()).starts_with("the seed URL"), "{seed}");
    }
    let limits = WebCrawlerLimits { max_pages: Some(25_001), ..Default::default() };
    let crawler = WebCrawlerConfiguration { crawler_limits: Some(limits), ..Default::default() };
    assert!(refused("https://example.org", crawler).contains("25000"));
    assert!(Rules::read(&WebDataSourceConfiguration::default(), None).is_err());
}

#[test]
fn a_page_has_one_address() {
    let one = |url: &str| canonical(Url::parse(url).unwrap()).map(String::from);
    for same in ["http://Example.org:80/a/../b#c", "http://example.org/./b", "http://example.org/%2e/b"] {
        assert_eq!(one(same).as_deref(), Some("http://example.org/b"), "{same}");
    }
    // However an address is written, it is the one that the gate judges.
    assert_eq!(one("http://0x7f.1/").as_deref(), Some("http://127.0.0.1/"));
    assert_eq!(one("http://user:secret@example.org/"), None);
    assert_eq!(one("file:///etc/passwd"), None);
    assert_eq!(one(&format!("http://example.org/{}", "a".repeat(3000))), None);
}

#[test]
fn the_crawler_has_a_name_of_its_own() {
    let agent = |crawler| rules("https://example.org", crawler).agent("SOURCE1234");
    let plain = agent(Default::default());
    assert!(plain.starts_with("bedrockbot-") && plain.len() == 47, "{plain}");
    assert_eq!(plain, agent(Default::default()));
    let suffix = WebCrawlerConfiguration { user_agent: Some("docs@example.org".into()), ..Default::default() };
    assert_eq!(agent(suffix), format!("{plain} docs@example.org"));
}

#[test]
fn sitemaps_list_pages_and_sitemaps() {
    let pages = br#"<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
        <url><loc> https://example.org/a?x=1&amp;y=2 </loc><lastmod>2024-01-01</lastmod></url>
        <url><loc><![CDATA[https://example.org/b]]></loc></url><url><loc>no URL</loc></url></urlset>"#;
    let strings = |urls: Vec<Url>| urls.into_iter().map(String::from).collect::<Vec<_>>();
    let read = sitemap::read(pages);
    assert_eq!(strings(read.pages), ["https://example.org/a?x=1&y=2", "https://example.org/b"]);
    for reference in ["&amp;", "&#38;", "&#x26;"] {
        let escaped = format!("<urlset><url><loc>https://example.org/?a=1{reference}b=2</loc></url></urlset>");
        assert_eq!(strings(sitemap::read(escaped.as_bytes()).pages), ["https://example.org/?a=1&b=2"], "{reference}");
    }
    let index = br#"<sitemapindex><sitemap><loc>https://example.org/s1.xml</loc></sitemap></sitemapindex>"#;
    assert_eq!(strings(sitemap::read(index).more), ["https://example.org/s1.xml"]);
    assert_eq!(strings(sitemap::read(b"https://example.org/c\nhttps://example.org/d\n").pages).len(), 2);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, pages).unwrap();
    assert_eq!(sitemap::read(&packed.finish().unwrap()).pages.len(), 2);
    for bad in [&b"<urlset><loc>https://example.org/"[..], b"<html><p>Not found</html>", b"\x1f\x8bbroken", b""] {
        assert_eq!(sitemap::read(bad), Default::default());
    }
}

#[test]
fn headers_ask_what_a_page_may_ask() {
    let asked = |headers: &[&str]| {
        let asks = Asks::read(headers.iter().copied(), "bedrockbot-1");
        (asks.no_index, asks.no_follow)
    };
    assert_eq!(asked(&["noarchive, NoIndex"]), (true, false));
    assert_eq!(asked(&["noarchive", "nofollow"]), (false, true));
    assert_eq!(asked(&["none"]), (true, true));
    for own in ["bedrockbot-1", "BedrockBot", "*"] {
        assert_eq!(asked(&[format!("{own}: noindex, nofollow").as_str()]), (true, true), "{own}");
    }
    assert_eq!(asked(&["otherbot: noindex, nofollow"]), (false, false));
    assert_eq!(asked(&["otherbot: noindex, bedrockbot: nofollow"]), (false, true));
    assert_eq!(asked(&["max-snippet: 20, noindex"]), (true, false));
    assert_eq!(asked(&["unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT, nofollow"]), (false, true));
    assert_eq!(asked(&[]), (false, false));
}
