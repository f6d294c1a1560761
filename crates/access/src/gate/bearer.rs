//! Bedrock API keys, sent as bearer tokens.
//!
//! A long-term key is opaque and looked up by its hash. A short-term key is a presigned call of nothing,
//! `bedrock-api-key-` + base64 of `bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-…&Version=1`, exactly as
//! the PyPI package `aws-bedrock-token-generator` 1.1.0 makes it: it verifies under the secret of the access key that
//! it names.

use super::head::Head;
use super::signed::check_scope;
use super::{Books, Proof, window};
use crate::{AccessError, ApiKey, Caller, CallerKind, account_of_key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use outcrop_wire::sigv4::{EMPTY_BODY, PathRule, Place, Presigned, Request, SigningKey, ToSign};
use std::sync::Arc;

const PREFIX: &str = "bedrock-api-key-";
const HOST: &str = "bedrock.amazonaws.com";
/// The longest life that the generator and AWS admit: 12 hours.
const MAX_SECONDS: u32 = 43_200;
/// How far the clock of the token's maker may be ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Takes any token for true. One that says whose it is and where it is for is taken at its word.
pub(super) fn believe(token: &str, head: &Head<'_>, region: &str, unnamed: &str) -> Proof {
    let region = head.host_region().unwrap_or(region).to_owned();
    let service = "bedrock".to_owned();
    if let Ok(url) = decode(token)
        && let Ok(Some(presigned)) = Presigned::parse(query(&url))
    {
        let id = presigned.authorization.access_key_id();
        let account = account_of_key(id);
        let caller = Caller::root(account.as_deref().unwrap_or(unnamed), Some(id), CallerKind::ApiKey);
        return Proof {
            caller,
            permissions: Arc::default(),
            region: presigned.authorization.scope().region.to_owned(),
            service,
        };
    }
    let account = ApiKey::account_in(token);
    let account = account.as_deref().unwrap_or(unnamed);
    let caller = Caller::root(account, None, CallerKind::ApiKey);
    Proof { caller, permissions: Arc::default(), region, service }
}

/// Verifies a token of either kind.
pub(super) async fn verify(
    books: &Books<'_>,
    token: &str,
    head: &Head<'_>,
    region: &str,
) -> Result<Proof, AccessError> {
    if token.starts_with(PREFIX) {
        return short_term(books, token, head).await;
    }
    let key = books.keys.api_key(&ApiKey::hash(token)).await?.ok_or(AccessError::Unknown("no such API key"))?;
    if key.expires_at.is_some_and(|end| end <= books.now) {
        return Err(AccessError::Expired);
    }
    let region = head.host_region().unwrap_or(region).to_owned();
    let permissions = books.directory.user(&key.account, &key.user);
    if let Some(usage) = books.usage {
        usage.note(&key.id, &key.account, books.now);
    }
    Ok(Proof { caller: key.caller(), permissions, region, service: "bedrock".to_owned() })
}

async fn short_term(books: &Books<'_>, token: &str, head: &Head<'_>) -> Result<Proof, AccessError> {
    let (keys, now) = (books.keys, books.now);
    let url = decode(token)?;
    let query = query(&url);
    let presigned = Presigned::parse(query)?.ok_or(AccessError::Malformed("the API key holds no signature"))?;
    if !query.split('&').any(|pair| pair == "Action=CallWithBearerToken") {
        return Err(AccessError::Malformed("the API key was presigned for another action"));
    }
    if presigned.expires > MAX_SECONDS {
        return Err(AccessError::Malformed("a short-term API key is good for at most 12 hours"));
    }
    let authorization = &presigned.authorization;
    let key = keys
        .access_key(authorization.access_key_id())
        .await?
        .ok_or(AccessError::Unknown("no such access key behind the API key"))?;
    key.check(presigned.security_token.as_deref(), now)?;
    let scope = authorization.scope();
    check_scope(scope, &["bedrock"], &presigned.date, head)?;
    let headers: [(&str, &[u8]); 1] = [("host", HOST.as_bytes())];
    let to_sign = ToSign {
        request: Request { method: "POST", path: "/", query, headers: &headers },
        signed_headers: authorization.signed_headers(),
        payload: EMPTY_BODY,
        timestamp: &presigned.date,
        scope,
        place: Place::Query,
        path_rule: PathRule::Normal,
    };
    if authorization.signed_headers() != "host"
        || !to_sign.verify(&SigningKey::derive(key.secret.reveal(), scope), authorization.signature())
    {
        return Err(AccessError::Unknown("the API key's signature does not match"));
    }
    let age = now.duration_since(window::parse(&presigned.date)?);
    if age >= SignedDuration::from_secs(i64::from(presigned.expires)) {
        return Err(AccessError::Expired);
    }
    if -age > SKEW {
        return Err(AccessError::Unknown("the API key is from the future"));
    }
    let permissions = books.directory.permissions(&key)?;
    if let Some(usage) = books.usage.filter(|_| key.session.is_none()) {
        usage.note(&key.id, &key.account, now);
    }
    let caller = key.caller(CallerKind::ApiKey);
    Ok(Proof { caller, permissions, region: scope.region.to_owned(), service: "bedrock".to_owned() })
}

/// The URL inside a short-term key, without its scheme.
fn decode(token: &str) -> Result<String, AccessError> {
    let malformed = AccessError::Malformed("the short-term API key is not in the form that its generator gives it");
    let bytes = token.strip_prefix(PREFIX).and_then(|coded| STANDARD.decode(coded).ok());
    let url = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    url.filter(|url| url.strip_prefix(HOST).is_some_and(|rest| rest.starts_with("/?"))).ok_or(malformed)
}

/// The signed part of the URL's query: the generator appends `Version=1` after signing.
fn query(url: &str) -> &str {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.strip_suffix("&Version=1").unwrap_or(query)
}
