//! Sitemaps (sitemaps.org): lists of pages, and lists of such lists, as XML or as text, plain or in gzip.

use std::io::Read;

use flate2::read::GzDecoder;
use quick_xml::Reader;
use quick_xml::events::Event;
use url::Url;

/// A sitemap's size when it is unpacked, and its pages (the protocol's limits).
const MOST_BYTES: u64 = 50 * 1024 * 1024;
const MOST_PAGES: usize = 50_000;

/// What a sitemap lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sitemap {
    /// Pages.
    pub pages: Vec<Url>,
    /// Other sitemaps.
    pub more: Vec<Url>,
}

/// Reads a sitemap as far as it can be read.
pub(super) fn read(bytes: &[u8]) -> Sitemap {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return parse(bytes);
    }
    let mut whole = Vec::new();
    // What is packed badly, or unpacks to more, is read up to there.
    GzDecoder::new(bytes).take(MOST_BYTES).read_to_end(&mut whole).ok();
    parse(&whole)
}

fn parse(bytes: &[u8]) -> Sitemap {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Sitemap::default();
    if !text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']).starts_with('<') {
        let lines = text.lines().filter_map(|line| Url::parse(line.trim()).ok());
        found.pages.extend(lines.take(MOST_PAGES));
        return found;
    }
    let mut reader = Reader::from_str(&text);
    let (mut index, mut inside, mut address) = (false, false, String::new());
    while found.pages.len() + found.more.len() < MOST_PAGES {
        match reader.read_event() {
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                "sitemapindex" => index = true,
                "loc" => (inside, address) = (true, String::new()),
                _ => {}
            },
            Ok(Event::Text(piece)) if inside => address.push_str(&piece),
            Ok(Event::CData(piece)) if inside => address.push_str(&piece),
            Ok(Event::GeneralRef(reference)) if inside => match reference.resolve_char_ref() {
                Ok(Some(char)) => address.push(char),
                _ => address.push_str(quick_xml::escape::resolve_xml_entity(&reference).unwrap_or_default()),
            },
            Ok(Event::End(tag)) if tag.local_name().as_ref() == "loc" => {
                inside = false;
                if let Ok(url) = Url::parse(address.trim()) {
                    if index { found.more.push(url) } else { found.pages.push(url) }
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    found
}
