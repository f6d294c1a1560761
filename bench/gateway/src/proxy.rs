//! What the three minimal programs share: a hyper server, a pooled hyper client, and the way between.

use crate::stream::Rewritten;
use crate::{Error, argument, xlate};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use outcrop_wire::sigv4::{self, Authorization, PathRule, Place, SigningKey, ToSign};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;

type Answer = Response<UnsyncBoxBody<Bytes, Error>>;

/// What a program does with a request.
pub enum Work {
    /// Sends it on as it is.
    Pass,
    /// Rewrites it, and the answer back.
    Rewrite,
    /// The same for who signed with this key and secret.
    Verify(String, String),
}

struct Proxy {
    work: Work,
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    passing: Client<HttpConnector, Incoming>,
}

/// Serves on `--listen` in front of `--upstream http://HOST:PORT` until it is killed.
pub async fn serve(work: Work) -> Result<(), Error> {
    let listener = TcpListener::bind(argument("listen").as_deref().unwrap_or("127.0.0.1:0")).await?;
    let upstream = argument("upstream").ok_or("--upstream http://HOST:PORT is missing")?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector.clone());
    let passing = Client::builder(TokioExecutor::new()).build(connector);
    let proxy = Arc::new(Proxy { work, upstream, client, passing });
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let proxy = proxy.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&proxy, request));
            // A client that goes away in mid-answer is its own affair.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(proxy: &Proxy, request: Request<Incoming>) -> Result<Answer, Error> {
    let answered = match &proxy.work {
        Work::Pass => pass(proxy, request).await,
        Work::Rewrite | Work::Verify(..) => rewrite(proxy, request).await,
    };
    answered.or_else(|error| {
        let body = Full::from(error.to_string()).map_err(Error::from).boxed_unsync();
        Ok(Response::builder().status(StatusCode::BAD_GATEWAY).body(body)?)
    })
}

async fn pass(proxy: &Proxy, mut request: Request<Incoming>) -> Result<Answer, Error> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = format!("{}{target}", proxy.upstream).parse()?;
    request.headers_mut().remove(HOST);
    let answer = proxy.passing.request(request).await?;
    Ok(answer.map(|body| body.map_err(Error::from).boxed_unsync()))
}

async fn rewrite(proxy: &Proxy, request: Request<Incoming>) -> Result<Answer, Error> {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if let Work::Verify(key, secret) = &proxy.work {
        verify(
            head.method.as_str(),
            head.uri.path(),
            head.uri.query().unwrap_or(""),
            &head.headers,
            &body,
            key,
            secret,
        )?;
    }
    let streamed = head.uri.path().ends_with("/converse-stream");
    let asked = Request::post(format!("{}/v1/chat/completions", proxy.upstream))
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, "Bearer bench")
        .body(Full::from(xlate::request(&body, streamed)?))?;
    let answer = proxy.client.request(asked).await?;
    if answer.status() != StatusCode::OK {
        return Err(format!("the upstream answered {}", answer.status()).into());
    }
    let (kind, body) = if streamed {
        ("application/vnd.amazon.eventstream", Rewritten::new(answer.into_body(), began).boxed_unsync())
    } else {
        let chat = answer.into_body().collect().await?.to_bytes();
        let converse = xlate::answer(&chat, began.elapsed().as_millis() as u64)?;
        ("application/json", Full::from(converse).map_err(Error::from).boxed_unsync())
    };
    let mut answer = Response::new(body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(answer)
}

/// Whether the signature is that of `key`; how old it is, is not asked.
fn verify(
    method: &str,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
    key: &str,
    secret: &str,
) -> Result<(), Error> {
    let header = headers.get(AUTHORIZATION).ok_or("no authorization")?.to_str()?;
    let claim = Authorization::parse(header)?;
    let timestamp = headers.get("x-amz-date").ok_or("no x-amz-date")?.to_str()?;
    let raw: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = sigv4::Request { method, path, query, headers: &raw };
    let signed = ToSign {
        request,
        signed_headers: claim.signed_headers(),
        payload: &sigv4::sha256_hex(body),
        timestamp,
        scope: claim.scope(),
        place: Place::Header,
        path_rule: PathRule::Normal,
    };
    let known = claim.access_key_id() == key;
    if known && signed.verify(&SigningKey::derive(secret, claim.scope()), claim.signature()) {
        Ok(())
    } else {
        Err("the signature does not match".into())
    }
}
