//! Signatures: what `dev` believes and what `serve` verifies.

use super::credentials::Signed;
use super::head::{Body, Head};
use super::payload::{self, Payload, S3, Seal};
use super::{Books, Proof, hint, window};
use crate::keys::Usage;
use crate::{AccessError, Caller, CallerKind, account_of_key};
use jiff::Timestamp;
use outcrop_wire::sigv4::{
    EMPTY_BODY, PathRule, Place, STREAMING_EVENTS, Scope, SigningKey, ToSign, UNSIGNED_BODY, sha256_hex,
};
use std::sync::Arc;

/// A signature whose key is known and whose head is in order.
#[derive(Debug)]
pub(super) struct Pending {
    proof: Proof,
    key: SigningKey,
    date: String,
    signed_headers: String,
    signature: String,
    timestamp: String,
    place: Place,
    /// Where to note the key's use, and as when.
    used: Option<(Arc<Usage>, Timestamp)>,
}

/// Takes a signature's claim for true, so long as it has the right form. A session in `made` is believed to be
/// itself, with its token.
pub(super) async fn believe(
    signed: &Signed<'_>,
    unnamed: &str,
    made: Option<&Books<'_>>,
) -> Result<Proof, AccessError> {
    window::parse(&signed.timestamp)?;
    let id = signed.authorization.access_key_id();
    let scope = signed.authorization.scope();
    if let Some(made) = made.filter(|_| id.starts_with("ASIA"))
        && let Some(key) = made.keys.access_key(id).await?
    {
        key.check(signed.session_token.as_deref(), made.now)?;
        return Ok(Proof {
            permissions: made.directory.permissions(&key)?,
            caller: key.caller(CallerKind::Session),
            region: scope.region.to_owned(),
            service: scope.service.to_owned(),
        });
    }
    let account = account_of_key(id);
    let kind = if signed.session_token.is_some() { CallerKind::Session } else { CallerKind::User };
    Ok(Proof {
        caller: Caller::root(account.as_deref().unwrap_or(unnamed), Some(id), kind),
        permissions: Arc::default(),
        region: scope.region.to_owned(),
        service: scope.service.to_owned(),
    })
}

/// Finds the key and checks all but the signature.
pub(super) async fn examine(books: &Books<'_>, signed: &Signed<'_>, head: &Head<'_>) -> Result<Pending, AccessError> {
    let (keys, now) = (books.keys, books.now);
    let time = window::parse(&signed.timestamp)?;
    let authorization = &signed.authorization;
    let key =
        keys.access_key(authorization.access_key_id()).await?.ok_or(AccessError::Unknown("no such access key"))?;
    key.check(signed.session_token.as_deref(), now)?;
    let scope = authorization.scope();
    check_scope(scope, &SERVICES, &signed.timestamp, head)?;
    window::check(time, signed.expires, now)?;
    check_headers(authorization.signed_headers(), head)?;
    let kind = if key.session.is_some() { CallerKind::Session } else { CallerKind::User };
    Ok(Pending {
        proof: Proof {
            caller: key.caller(kind),
            permissions: books.directory.permissions(&key)?,
            region: scope.region.to_owned(),
            service: scope.service.to_owned(),
        },
        key: SigningKey::derive(key.secret.reveal(), scope),
        date: scope.date.to_owned(),
        signed_headers: authorization.signed_headers().to_owned(),
        signature: authorization.signature().to_owned(),
        timestamp: signed.timestamp.clone().into_owned(),
        place: signed.place,
        used: books.usage.filter(|_| key.session.is_none()).map(|usage| (usage.clone(), now)),
    })
}

/// What a signature may be for: Bedrock, STS, and the services of which a part is spoken on the same port. Which of
/// them a request is for is known later, and held against its scope there.
const SERVICES: [&str; 6] = ["bedrock", "sts", "s3", "monitoring", "servicequotas", "cloudtrail"];

/// Whether a signature is for this day, one of these services and the Region that the host names.
pub(super) fn check_scope(
    scope: Scope<'_>,
    services: &[&str],
    timestamp: &str,
    head: &Head<'_>,
) -> Result<(), AccessError> {
    if !timestamp.starts_with(scope.date) {
        let (date, day) = (scope.date, timestamp.get(..8).unwrap_or(timestamp));
        return Err(AccessError::Scope(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != \
             '{day}', from '{timestamp}'."
        )));
    }
    if !services.contains(&scope.service) {
        return Err(AccessError::Scope("Credential should be scoped to correct service: 'bedrock'.".to_owned()));
    }
    let region = scope.region;
    let letters = region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if region.len() > 32 || !letters || head.host_region().is_some_and(|host| host != region) {
        return Err(AccessError::Scope("Credential should be scoped to a valid region.".to_owned()));
    }
    Ok(())
}

/// Whether every signed header is there, the host among them: without it a request could be replayed elsewhere.
fn check_headers(signed_headers: &str, head: &Head<'_>) -> Result<(), AccessError> {
    let headers = head.signable();
    if head.request(&headers).missing_header(signed_headers).is_some() {
        return Err(AccessError::Mismatch(Some("a signed header did not arrive; a proxy may have removed it")));
    }
    if !signed_headers.split(';').any(|name| matches!(name, "host" | ":authority")) {
        return Err(AccessError::Malformed("'host' or ':authority' must be a signed header"));
    }
    Ok(())
}

impl Pending {
    /// Verifies the signature over head and body.
    pub fn verify(self, head: &Head<'_>, body: Body<'_>) -> Result<Proof, AccessError> {
        let payload = payload(head, body)?;
        self.check(head, &payload).map(|()| self.proof)
    }

    /// Verifies the signature over a head of S3's, which says what the body must be.
    pub fn verify_head(self, head: &Head<'_>) -> Result<(Proof, Payload), AccessError> {
        let declared = payload::declared(head, self.place)?;
        self.check(head, declared)?;
        let seal = Seal {
            key: self.key,
            timestamp: self.timestamp,
            scope: format!("{}/{}/{}/aws4_request", self.date, self.proof.region, self.proof.service),
            previous: self.signature.to_ascii_lowercase(),
        };
        Ok((self.proof, Payload::of(declared, Some(seal))?))
    }

    fn check(&self, head: &Head<'_>, payload: &str) -> Result<(), AccessError> {
        let headers = head.signable();
        let s3 = self.proof.service == S3;
        let to_sign = ToSign {
            request: head.request(&headers),
            signed_headers: &self.signed_headers,
            payload,
            timestamp: &self.timestamp,
            scope: Scope { date: &self.date, region: &self.proof.region, service: &self.proof.service },
            place: self.place,
            path_rule: if s3 { PathRule::S3 } else { PathRule::Normal },
        };
        let as_sent = ToSign { path_rule: PathRule::AsSent, ..to_sign };
        // Most clients sign the normalised path, some (Go) the path as it is; both are the same but for empty and
        // dot segments.
        let odd = !s3 && (head.path.contains("//") || head.path.contains("/."));
        if to_sign.verify(&self.key, &self.signature) || odd && as_sent.verify(&self.key, &self.signature) {
            if let (Some((usage, now)), Some(id)) = (&self.used, &self.proof.caller.access_key_id) {
                usage.note(id, &self.proof.caller.account, *now);
            }
            return Ok(());
        }
        Err(AccessError::Mismatch(hint::guess(&to_sign, &self.key, &self.signature)))
    }
}

/// What stands for the body in the signature: its hash, or a word where the client declares one that fits.
fn payload(head: &Head<'_>, body: Body<'_>) -> Result<String, AccessError> {
    let declared = head.header("x-amz-content-sha256");
    let body = match body {
        Body::Whole(body) => body,
        Body::Events if declared == Some(STREAMING_EVENTS) => return Ok(STREAMING_EVENTS.to_owned()),
        Body::Events => {
            return Err(AccessError::Mismatch(Some("an event stream must declare STREAMING-AWS4-HMAC-SHA256-EVENTS")));
        }
    };
    let hash = if body.is_empty() { EMPTY_BODY.to_owned() } else { sha256_hex(body) };
    match declared {
        None => Ok(hash),
        Some(declared) if declared.eq_ignore_ascii_case(&hash) => Ok(declared.to_owned()),
        // Unsigned bodies are for streams over TLS to S3; here only nothing may go unsigned.
        Some(UNSIGNED_BODY) if body.is_empty() => Ok(UNSIGNED_BODY.to_owned()),
        Some(UNSIGNED_BODY) => Err(AccessError::Mismatch(Some("the body must be signed"))),
        Some(_) => Err(AccessError::Mismatch(Some("x-amz-content-sha256 is not the SHA-256 of the body that arrived"))),
    }
}
