//! Issuers' keys, fetched when needed and kept for a while; and the verification that needs them.

use super::claims::Claims;
use super::issuer::check_url;
use super::jwk::{self, PublicKey};
use super::jwt::Token;
use super::{Issuer, KeySource, TokenError};
use crate::{Clock, Directory};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// How long keys are used without asking again: a key that an issuer withdraws is believed for no longer.
const FRESH: SignedDuration = SignedDuration::from_mins(15);
/// How long keys are used when the issuer does not answer.
const STALE: SignedDuration = SignedDuration::from_hours(24);
/// How often an issuer is asked at most, so that tokens with invented key ids do not become a flood there.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// Fetches documents of configured issuers: with a limit on size and time, following no redirect.
#[async_trait]
pub trait Fetch: Send + Sync + 'static {
    /// The body of a GET that was answered with 200; `ca` are certificates to believe, in place of the system's.
    async fn get(&self, url: &str, ca: Option<&Path>) -> Result<Vec<u8>, FetchError>;
}

/// Why a document could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Nobody answered, or too late.
    #[error("{0}")]
    Unreachable(String),
    /// Something answered that cannot be used.
    #[error("{0}")]
    Unusable(String),
}

/// Verifies tokens.
pub struct Verifier {
    fetch: Arc<dyn Fetch>,
    clock: Clock,
    sets: Mutex<HashMap<String, Arc<KeySet>>>,
}

/// One issuer. `asking` is held while it is asked, so that it is asked once for many callers; what is known can be
/// read meanwhile.
#[derive(Default)]
struct KeySet {
    known: Mutex<Known>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default, Clone)]
struct Known {
    keys: Arc<Vec<PublicKey>>,
    fetched: Option<Timestamp>,
    asked: Option<Timestamp>,
    failure: Option<FetchError>,
}

impl Verifier {
    /// A verifier that fetches with `fetch`.
    pub fn new(fetch: Arc<dyn Fetch>, clock: Clock) -> Self {
        Self { fetch, clock, sets: Mutex::default() }
    }

    /// The claims of a token of one of the directory's issuers, and the issuer.
    pub async fn verify(&self, directory: &Directory, token: &str) -> Result<(Arc<Issuer>, Claims), TokenError> {
        let token = Token::parse(token)?;
        let iss = token.claims.get("iss").and_then(Value::as_str);
        let iss = iss.ok_or_else(|| TokenError::invalid("Missing a required claim: iss"))?;
        let issuer = directory.issuer(iss).ok_or_else(|| {
            let shown: String = iss.chars().take(256).collect();
            TokenError::Invalid(format!("No OpenIDConnect provider found in your account for {shown}"))
        })?;
        let keys = self.keys(&issuer, &token).await?;
        let mut candidates = keys.iter().filter(|key| fits(key, &token, keys.len()));
        if !candidates.any(|key| key.verifies(&token)) {
            return Err(TokenError::invalid("The token's signature is not valid."));
        }
        let claims = Claims::check(token.claims, &issuer, (self.clock)())?;
        Ok((issuer, claims))
    }

    /// The issuer's keys, one for the token among them.
    async fn keys(&self, issuer: &Issuer, token: &Token<'_>) -> Result<Arc<Vec<PublicKey>>, TokenError> {
        let no_key = |reason: String| TokenError::NoKey { issuer: issuer.issuer.clone(), reason };
        let has = |keys: &Vec<PublicKey>| keys.iter().any(|key| fits(key, token, keys.len()));
        if let KeySource::Document(text) = &issuer.keys {
            let keys = jwk::parse(text.as_bytes()).map_err(no_key)?;
            return if has(&keys) { Ok(Arc::new(keys)) } else { Err(no_key("no such key in jwks_file".into())) };
        }
        let set = {
            let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
            // A reload that changes where the keys are starts anew.
            sets.entry(format!("{} {:?} {:?}", issuer.issuer, issuer.keys, issuer.ca_file)).or_default().clone()
        };
        let younger = |than: SignedDuration, when: Option<Timestamp>| {
            when.is_some_and(|at| (self.clock)().duration_since(at) < than)
        };
        let good = |than, known: Known| (younger(than, known.fetched) && has(&known.keys)).then_some(known.keys);
        if let Some(keys) = good(FRESH, set.look()) {
            return Ok(keys);
        }
        let asking = match set.asking.try_lock() {
            Ok(asking) => asking,
            // Somebody asks already: an issuer that hangs holds up nobody whose key is known.
            Err(_) => match good(STALE, set.look()) {
                Some(keys) => return Ok(keys),
                None => set.asking.lock().await,
            },
        };
        let known = set.look();
        if !younger(ASK_AGAIN, known.asked) && good(FRESH, known).is_none() {
            let answer = self.ask(issuer).await;
            // From the answer on, not from the question: one that takes long is not followed by the next at once.
            set.learn(answer, (self.clock)(), &issuer.issuer);
        }
        drop(asking);
        let known = set.look();
        if let Some(keys) = good(STALE, known.clone()) {
            return Ok(keys);
        }
        match &known.failure {
            Some(FetchError::Unreachable(reason)) => {
                Err(TokenError::Unreachable { issuer: issuer.issuer.clone(), reason: reason.clone() })
            }
            Some(FetchError::Unusable(reason)) => Err(no_key(reason.clone())),
            None => Err(no_key("it publishes no key of the token's id and kind".into())),
        }
    }

    async fn ask(&self, issuer: &Issuer) -> Result<Vec<PublicKey>, FetchError> {
        let ca = issuer.ca_file.as_deref();
        let url = match &issuer.keys {
            KeySource::Url(url) => url.clone(),
            _ => {
                let base = issuer.issuer.strip_suffix('/').unwrap_or(&issuer.issuer);
                let document = self.fetch.get(&format!("{base}/.well-known/openid-configuration"), ca).await?;
                discovered(&document, issuer)?
            }
        };
        jwk::parse(&self.fetch.get(&url, ca).await?).map_err(|reason| FetchError::Unusable(format!("{url}: {reason}")))
    }
}

impl KeySet {
    fn look(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, answer: Result<Vec<PublicKey>, FetchError>, now: Timestamp, issuer: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.asked = Some(now);
        match answer {
            Ok(keys) => {
                known.keys = Arc::new(keys);
                known.fetched = Some(now);
                known.failure = None;
            }
            Err(error) => {
                tracing::warn!(issuer, %error, "the keys of an issuer could not be fetched");
                known.failure = Some(error);
            }
        }
    }
}

/// Whether a key may be the one that a token means. A token without a key id means the only key there is.
fn fits(key: &PublicKey, token: &Token<'_>, keys: usize) -> bool {
    let named = match &token.key_id {
        Some(id) => key.id.as_ref() == Some(id),
        None => keys == 1,
    };
    named && key.is_for(token.algorithm)
}

/// Where a discovery document says that the keys are. It must be the issuer's own, or it could speak for another.
fn discovered(document: &[u8], issuer: &Issuer) -> Result<String, FetchError> {
    let unusable =
        |reason: &str| FetchError::Unusable(format!("the discovery document of {}: {reason}", issuer.issuer));
    let document: Value = serde_json::from_slice(document).map_err(|_| unusable("it is not JSON"))?;
    if document.get("issuer").and_then(Value::as_str) != Some(&issuer.issuer) {
        return Err(unusable("its `issuer` is another"));
    }
    let url = document.get("jwks_uri").and_then(Value::as_str).ok_or_else(|| unusable("it has no `jwks_uri`"))?;
    check_url(url).map_err(|reason| unusable(&format!("its `jwks_uri` {reason}")))?;
    Ok(url.to_owned())
}
