//! Pages, and the tokens that lead from one to the next.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use outcrop_store::{Error as StoreError, Op, Order, Secret, Store};
use sha2::Sha256;

use crate::{Error, Result, Scope};

/// The most entries of a page.
pub const MAX_RESULTS: usize = 1000;
/// The entries of a page where the caller does not say. AWS documents no number; a caller who does not page sees as
/// much as one page may carry.
pub const DEFAULT_RESULTS: usize = MAX_RESULTS;

/// Bytes of a token's authenticator.
const MAC: usize = 32;

/// What a caller asks of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page<'a> {
    /// `ListInferenceProfiles`; a token of another operation is refused.
    pub operation: &'static str,
    /// `maxResults`.
    pub max_results: Option<i32>,
    /// `nextToken`.
    pub next_token: Option<&'a str>,
    /// Only what belongs to this resource.
    pub parent: Option<&'a str>,
    /// Every other filter, as text in which different filters differ; a token of another is refused.
    pub filter: &'a str,
    /// Which end comes first.
    pub order: Order,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<R> {
    /// Its entries.
    pub items: Vec<R>,
    /// Leads to the next page; `None` on the last.
    pub next_token: Option<String>,
}

impl<R> Listed<R> {
    /// The page with every entry turned into another.
    pub fn map<S>(self, turn: impl FnMut(R) -> S) -> Listed<S> {
        Listed { items: self.items.into_iter().map(turn).collect(), next_token: self.next_token }
    }
}

/// The key that tokens are sealed with.
#[derive(Debug, Clone)]
pub(crate) struct PagingKey(Arc<Secret>);

impl PagingKey {
    pub(crate) async fn load_or_make(store: &dyn Store) -> Result<Self> {
        let (kind, id) = ("paging", "1");
        loop {
            if let Some(secret) = store.secret(kind.to_owned(), id.to_owned()).await? {
                return Ok(Self(Arc::new(secret)));
            }
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(|error| Error::Internal(error.to_string()))?;
            let secret = Secret::new(bytes);
            let insert = Op::InsertSecret { kind: kind.to_owned(), id: id.to_owned(), secret };
            match store.commit(insert.into()).await {
                Ok(_) | Err(StoreError::Exists { .. }) => {} // Whoever was first made the one that all read.
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// One list that a caller is reading: how many entries, and from where. A token is the place, sealed together with
/// all that it belongs to (operation, account, region, parent, filter), so that it can be neither made up nor
/// carried to another list. `maxResults` may differ from page to page.
pub struct Pager<'a> {
    key: PagingKey,
    list: [&'a str; 6],
    limit: usize,
    start: Option<String>,
}

impl<'a> Pager<'a> {
    pub(crate) fn new(key: &PagingKey, scope: Scope<'a>, page: &Page<'a>) -> Result<Self> {
        // No id is empty, so a list without a parent is told from all that have one.
        let parent = page.parent.unwrap_or_default();
        let order = if page.order == Order::NewestFirst { "newest" } else { "" };
        let list = [page.operation, scope.account, scope.region, parent, page.filter, order];
        let mut pager = Self { key: key.clone(), list, limit: limit(page.max_results)?, start: None };
        if let Some(token) = page.next_token {
            pager.start = Some(pager.unseal(token)?);
        }
        Ok(pager)
    }

    /// At most so many entries.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The place that the caller's token holds; `None` is the beginning.
    pub fn start(&self) -> Option<&str> {
        self.start.as_deref()
    }

    /// A token for a place.
    pub fn seal(&self, place: &str) -> Result<String> {
        let mut token = self.mac(place.as_bytes())?.finalize().into_bytes().to_vec();
        token.extend_from_slice(place.as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// The refusal of a token.
    pub fn invalid(&self) -> Error {
        Error::Validation("The provided pagination token is invalid.".to_owned())
    }

    fn unseal(&self, token: &str) -> Result<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| self.invalid())?;
        let (mac, place) = bytes.split_at_checked(MAC).ok_or_else(|| self.invalid())?;
        self.mac(place)?.verify_slice(mac).map_err(|_| self.invalid())?;
        String::from_utf8(place.to_vec()).map_err(|_| self.invalid())
    }

    fn mac(&self, place: &[u8]) -> Result<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(self.key.0.expose());
        let mut mac = mac.map_err(|error| Error::Internal(error.to_string()))?;
        for part in self.list.iter().map(|part| part.as_bytes()).chain([place]) {
            // With its length first, so that no two lists read the same.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Ok(mac)
    }
}

fn limit(max_results: Option<i32>) -> Result<usize> {
    let Some(asked) = max_results else { return Ok(DEFAULT_RESULTS) };
    let bound = match asked {
        ..=0 => "greater than or equal to 1",
        1..=1000 => return Ok(asked.unsigned_abs() as usize),
        _ => "less than or equal to 1000",
    };
    Err(Error::Validation(format!(
        "1 validation error detected: Value '{asked}' at 'maxResults' failed to satisfy constraint: \
         Member must have value {bound}"
    )))
}
