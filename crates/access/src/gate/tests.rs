mod bearer;
mod dev;
mod permissions;
mod s3;
mod signed;

use super::*;
use crate::directory::{NewRole, NewUser};
use crate::keys::{Key, NewSession, Session, SessionOf};
use crate::{AccessKey, Directory, MemoryKeys, Secret};
use http::HeaderMap;
use outcrop_api::{AwsError, Kind};
use outcrop_wire::sigv4::{Request, Signer, sha256_hex};

const ID: &str = "AKIAQNZGKIQYEXAMPLE1";
const SESSION_ID: &str = "ASIAQNZGKIQYEXAMPLE1";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "FwoGZXIvYXdzEXAMPLE+token/with=odd==";
/// When the fixed strings below were made.
const MADE: &str = "2026-01-02T03:04:05Z";
const STAMP: &str = "20260102T030405Z";
const INVALID: &str = "The security token included in the request is invalid.";

fn at(time: &str, seconds: i64) -> Timestamp {
    time.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(seconds)
}

fn key(id: &str, user: &str, session: Option<Session>) -> Key {
    Key::Access(AccessKey {
        id: id.to_owned(),
        secret: Secret::new(SECRET),
        account: "123456789012".to_owned(),
        user: user.to_owned(),
        user_id: "AIDAEXAMPLE".to_owned(),
        created_at: at(MADE, 0),
        expires_at: None,
        session,
    })
}

/// A serving gate with a user's key and a session's, `seconds` after the fixed strings were made.
async fn serve(seconds: i64) -> Gate {
    let keys = MemoryKeys::default();
    keys.add(key(ID, "ada", None)).await.unwrap();
    keys.add(key(SESSION_ID, "reader/s1", Some(session()))).await.unwrap();
    gate(Mode::Serve(Arc::new(keys)), seconds)
}

/// A session of the role `reader` in the fixed strings.
fn session() -> Session {
    let of = SessionOf::Role { role: "reader".into(), name: "s1".into() };
    let key = AccessKey::generate_session(NewSession::new("123456789012", of), 3600, at(MADE, 0)).unwrap();
    Session { token: Secret::new(SESSION_TOKEN), ..key.session.unwrap() }
}

/// Where `reader` is a role and `ada` a user with one policy and a tag.
fn directory() -> Arc<Directory> {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;
    let role = NewRole {
        account: "123456789012".into(),
        name: "reader".into(),
        trust: trust.into(),
        policies: vec!["AmazonBedrockReadOnly".into()],
        max_session_seconds: 3600,
        ..NewRole::default()
    };
    let user = NewUser {
        account: "123456789012".into(),
        name: "ada".into(),
        policies: vec!["AmazonBedrockLimitedAccess".into()],
        tags: [("team".to_owned(), "red".to_owned())].into(),
    };
    Arc::new(Directory::builder().role(role).user(user).build().unwrap())
}

fn gate(mode: Mode, seconds: i64) -> Gate {
    Gate::new(mode, "eu-west-3").with_directory(directory()).with_clock(Arc::new(move || at(MADE, seconds)))
}

/// A request that can be changed before it is sent.
#[derive(Clone)]
struct Call {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(&'static str, String)>,
    authority: Option<&'static str>,
    body: &'static [u8],
}

impl Call {
    fn new(path: &str, body: &'static [u8]) -> Self {
        let headers = vec![("host", "127.0.0.1:7711".to_owned()), ("content-type", "application/json".to_owned())];
        Self { method: "POST", path: path.to_owned(), query: String::new(), headers, authority: None, body }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    /// Signed for `service` in `region` at [`MADE`] over the named headers.
    fn signed(self, signed_headers: &str, region: &str, service: &str) -> Self {
        let call = self.with("x-amz-date", STAMP);
        let mut headers: Vec<_> = call.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        if let Some(authority) = call.authority {
            headers.push((":authority", authority.as_bytes()));
        }
        let request = Request { method: call.method, path: &call.path, query: &call.query, headers: &headers };
        let declared = call.headers.iter().find(|(name, _)| *name == "x-amz-content-sha256").map(|(_, v)| v.clone());
        let payload = declared.unwrap_or_else(|| sha256_hex(call.body));
        let signer = Signer { access_key_id: ID, secret: SECRET, region, service };
        let authorization = signer.authorization(request, signed_headers, STAMP, &payload);
        call.with("authorization", authorization)
    }

    async fn prove(&self, gate: &Gate) -> Result<Proof, AccessError> {
        self.prove_body(gate, Body::Whole(self.body)).await
    }

    async fn prove_body(&self, gate: &Gate, body: Body<'_>) -> Result<Proof, AccessError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(*name, value.parse().unwrap());
        }
        let (method, path, query) = (self.method, self.path.as_str(), self.query.as_str());
        let head = Head { method, path, query, headers: &headers, authority: self.authority };
        gate.prove(&head, body).await
    }

    async fn refused(&self, gate: &Gate) -> (Kind, String) {
        let error = self.prove(gate).await.unwrap_err();
        for text in [error.message(), error.to_string(), format!("{error:?}")] {
            assert!(!text.contains(SECRET) && !text.contains(SESSION_TOKEN), "{text}");
        }
        (error.kind(), error.message())
    }
}

#[tokio::test]
async fn without_credentials_nobody_enters() {
    let gates = [serve(0).await, gate(Mode::Dev, 0)];
    let calls = [
        Call::new("/model/m/converse", b"{}"),
        Call::new("/model/m/converse", b"{}").with("authorization", ""),
        Call::new("/model/m/converse", b"{}").with("authorization", "Bearer "),
    ];
    for gate in &gates {
        for call in &calls {
            let refused = call.refused(gate).await;
            assert_eq!(refused, (Kind::MissingAuthenticationToken, "Missing Authentication Token".to_owned()));
        }
    }
}

#[tokio::test]
async fn malformed_credentials_are_refused_in_both_modes() {
    let good = Call::new("/model/m/converse", b"{}").signed("host;x-amz-date", "us-east-1", "bedrock");
    let authorization = good.headers.iter().find(|(name, _)| *name == "authorization").unwrap().1.clone();
    let cases = [
        (good.clone().with("authorization", "Basic dXNlcjpwYXNz"), "neither AWS4-HMAC-SHA256 nor Bearer"),
        (good.clone().with("authorization", authorization.replace("Signature=", "Sig=")), "'Signature' is missing"),
        (good.clone().with("authorization", authorization.replace("aws4_request", "aws4")), "the credential is not"),
        (good.clone().without("x-amz-date"), "no X-Amz-Date"),
        (good.clone().with("x-amz-date", "2026-01-02T03:04:05Z"), "YYYYMMDDTHHMMSSZ"),
        (good.clone().with("x-amz-date", "20261302T030405Z"), "YYYYMMDDTHHMMSSZ"),
    ];
    for gate in [serve(0).await, gate(Mode::Dev, 0)] {
        good.prove(&gate).await.unwrap();
        for (call, reason) in &cases {
            let (kind, message) = call.refused(&gate).await;
            assert_eq!(kind, Kind::UnrecognizedClient);
            assert!(message.starts_with(INVALID) && message.contains(reason), "{message}");
        }
        let mut twice = good.clone();
        twice.headers.push(("authorization", authorization.clone()));
        assert_eq!(twice.refused(&gate).await.0, Kind::UnrecognizedClient);
    }
}
