//! What a page leads to. Only its tags are read: no tree is built, so that a page of any size or depth costs no more than
//! its bytes.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use crate::charset;

#[cfg(test)]
mod tests;

/// The most links of a page that are told.
const MOST: usize = 10_000;
/// A longer link is none that a server would take.
const LONGEST: usize = 2048;

/// What a page says of other pages, and of itself to programs that read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// What its links are relative to, where it says so.
    pub base: Option<String>,
    /// Its links, as they stand there.
    pub to: Vec<String>,
    /// It asks not to be kept in an index: `noindex`.
    pub no_index: bool,
    /// It asks that its links are not followed: `nofollow`.
    pub no_follow: bool,
}

/// The links of a page.
pub fn links(bytes: &[u8], charset: Option<&str>) -> Links {
    let declared = super::declared(bytes);
    let read = charset::decode(bytes, charset.or(declared.as_deref()));
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(read.text));
    // The sink never stops for a script or a character set: one call reads everything.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[derive(Default)]
struct Sink(RefCell<Links>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        if tag.kind != TagKind::StartTag {
            return TokenSinkResult::Continue;
        }
        self.0.borrow_mut().tag(&tag);
        match &*tag.name {
            // What stands in these is no markup.
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
            "textarea" | "title" => TokenSinkResult::RawData(RawKind::Rcdata),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Links {
    fn tag(&mut self, tag: &Tag) {
        let value = |key: &str| tag.attrs.iter().find(|one| &*one.name.local == key).map(|one| one.value.trim());
        match &*tag.name {
            "base" if self.base.is_none() => self.base = value("href").map(str::to_owned),
            "a" | "area" => {
                let unwanted = value("rel").is_some_and(|rel| words(rel).any(|word| word == "nofollow"));
                if let Some(href) = value("href")
                    && !unwanted
                {
                    self.lead(href);
                }
            }
            "meta" if value("http-equiv").is_some_and(|told| told.eq_ignore_ascii_case("refresh")) => {
                if let Some(to) = value("content").and_then(refresh) {
                    self.lead(to);
                }
            }
            "meta" if value("name").is_some_and(|name| name.eq_ignore_ascii_case("robots")) => {
                for word in words(value("content").unwrap_or_default()) {
                    self.no_index |= word == "noindex" || word == "none";
                    self.no_follow |= word == "nofollow" || word == "none";
                }
            }
            _ => {}
        }
    }

    fn lead(&mut self, href: &str) {
        if !href.starts_with('#') && (1..=LONGEST).contains(&href.len()) && self.to.len() < MOST {
            self.to.push(href.to_owned());
        }
    }
}

/// Where a page goes on to by itself: `0; url=next.html`. None where it only loads itself again.
fn refresh(content: &str) -> Option<&str> {
    let (_, rest) = content.split_once([';', ','])?;
    let rest = rest.trim_start();
    let named = rest.get(..3).filter(|key| key.eq_ignore_ascii_case("url")).and_then(|_| rest.get(3..));
    let to = named.and_then(|rest| rest.trim_start().strip_prefix('=')).unwrap_or(rest);
    Some(to.trim_matches(['"', '\'', ' ']))
}

fn words(list: &str) -> impl Iterator<Item = String> {
    list.split([',', ' ', '\t', '\n']).map(str::to_ascii_lowercase)
}
