//! A table of two or three fakes, and what a client sees of them.

use futures_util::StreamExt;
use http::StatusCode;
use http_body_util::BodyExt;
use outcrop_access::Mode;
use outcrop_api::bedrock_runtime::{
    self as runtime, ConverseStreamOutput, InvokeModelRequest, InvokeModelResponse, MessageStartEvent,
};
use outcrop_api::{Events, Original, Reply, bedrock, bedrock_agent};
use outcrop_wire::eventstream::Decoder;
use serde_json::{Value, json};

use super::*;

/// A signature that `dev` believes.
fn signed(method: &str, path: &str, body: impl Into<Bytes>) -> Request<Body> {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, \
         Signature={}",
        "0".repeat(64)
    );
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("x-amz-date", "20260102T030405Z")
        .header("authorization", authorization)
        .body(Body::full(body))
        .unwrap()
}

fn pipeline(table: Table) -> Arc<Pipeline> {
    Arc::new(Pipeline {
        dev: true,
        gate: Gate::new(Mode::Dev, "us-east-1"),
        sts: sts::tests::testing(),
        resource_policies: outcrop_access::ResourcePolicies::default(),
        table,
        doors: None,
        audit: None,
        logs: None,
        budgets: None,
        slices: Slices::default(),
        s3: None,
        body_bytes: 1000,
        body_timeout: Duration::from_secs(20),
        deadline: Duration::from_secs(20),
        observe: Observe::default(),
        trusted_proxies: Vec::new(),
        stop: CancellationToken::new(),
    })
}

struct Seen {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
    /// Status, exception and message; whatever else an error must have is checked.
    fn error(&self) -> (u16, &str, String) {
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("x-amzn-requestid").len(), 36);
        let message = self.json()["message"].as_str().unwrap().to_owned();
        (self.status.as_u16(), self.header("x-amzn-errortype"), message)
    }
}

async fn send(pipeline: &Arc<Pipeline>, request: Request<Body>) -> Seen {
    let (parts, body) = Arc::clone(pipeline).answer(request).await.into_parts();
    Seen { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
}

async fn invoked(_: Context, r: InvokeModelRequest) -> Result<Reply<InvokeModelResponse>, Fault> {
    let latency = r.performance_config_latency.map(|l| l.as_str().to_owned());
    let body = json!({ "model": r.model_id, "body": r.body.as_deref().map(<[u8]>::len), "latency": latency });
    let output = InvokeModelResponse {
        body: body.to_string().into(),
        content_type: "application/json".into(),
        ..Default::default()
    };
    Ok(Reply::from(output).with("x-outcrop-extra", 7))
}

fn table() -> Table {
    let mut table = Table::default();
    table.on::<runtime::InvokeModel>(run::<runtime::InvokeModel, _, _, _, _>(invoked));
    table.on::<bedrock::ListInferenceProfiles>(run::<bedrock::ListInferenceProfiles, _, _, _, _>(
        |_, r: bedrock::ListInferenceProfilesRequest| async move {
            // What was bound comes back as the token.
            let said =
                format!("{:?} {:?} {:?}", r.max_results, r.next_token, r.type_equals.as_ref().map(|t| t.as_str()));
            Ok::<_, Fault>(bedrock::ListInferenceProfilesResponse { next_token: Some(said), ..Default::default() })
        },
    ));
    table.on::<bedrock_agent::DeleteAgentActionGroup>(run::<bedrock_agent::DeleteAgentActionGroup, _, _, _, _>(
        |_, r: bedrock_agent::DeleteAgentActionGroupRequest| async move {
            let said = format!("{} {:?}", r.agent_id, r.skip_resource_in_use_check);
            if r.skip_resource_in_use_check != Some(true) {
                return Err(Fault::new(Kind::Conflict, said));
            }
            Ok(bedrock_agent::DeleteAgentActionGroupResponse::default())
        },
    ));
    table
}

#[tokio::test]
async fn labels_headers_and_payload_reach_the_function() {
    let pipeline = pipeline(table());
    let mut request = signed("POST", "/model/a%3Ab/invoke", b"\xff\x00raw".as_slice());
    request.headers_mut().insert("x-amzn-bedrock-performanceconfig-latency", "optimized".parse().unwrap());
    let seen = send(&pipeline, request).await;
    assert_eq!(seen.status, 200, "{:?}", seen.body);
    assert_eq!(seen.json(), json!({ "model": "a:b", "body": 5, "latency": "optimized" }));
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!((seen.header("x-outcrop-extra"), seen.header("x-amzn-requestid").len()), ("7", 36));
}

#[tokio::test]
async fn queries_are_bound_and_checked() {
    let pipeline = pipeline(table());
    let path = "/inference-profiles?maxResults=7&nextToken=a%2Bb%3D%3d&type=APPLICATION&unknown=%ff";
    let seen = send(&pipeline, signed("GET", path, "")).await;
    assert_eq!(seen.json()["nextToken"], r#"Some(7) Some("a+b==") Some("APPLICATION")"#);

    let seen = send(&pipeline, signed("GET", "/inference-profiles?maxResults=0&type=X", "")).await;
    let (status, kind, message) = seen.error();
    assert_eq!((status, kind), (400, "ValidationException"));
    assert!(message.starts_with("2 validation errors detected: Value '0' at 'maxResults'"), "{message}");

    let path = "/agents/AGENTID123/agentversions/DRAFT/actiongroups/GROUPID123/?skipResourceInUseCheck=";
    let seen = send(&pipeline, signed("DELETE", &format!("{path}true"), "")).await;
    assert_eq!((seen.status.as_u16(), seen.body.len(), seen.header("content-type")), (204, 0, ""));
    // The same exception is 409 in this service and 400 in bedrock.
    let seen = send(&pipeline, signed("DELETE", &format!("{path}false"), "")).await;
    assert_eq!(seen.error(), (409, "ConflictException", "AGENTID123 Some(false)".into()));
    let seen = send(&pipeline, signed("DELETE", &format!("{path}maybe"), "")).await;
    let (status, kind, message) = seen.error();
    assert_eq!((status, kind), (400, "ValidationException"), "{message}");
}

#[tokio::test]
async fn what_is_not_built_names_itself() {
    let pipeline = pipeline(table());
    for (method, path, name) in [
        ("GET", "/guardrails", "ListGuardrails"),
        ("POST", "/model/m/converse", "Converse"),
        ("POST", "/model/m/invoke-with-bidirectional-stream", "InvokeModelWithBidirectionalStream"),
        ("POST", "/agents/AGENTID123/", "PrepareAgent"),
    ] {
        let seen = send(&pipeline, signed(method, path, "")).await;
        let (status, kind, message) = seen.error();
        assert_eq!((status, kind), (501, "NotImplementedException"));
        assert!(message.starts_with(&format!("{name} of ")), "{message}");
    }
    let seen = send(&pipeline, signed("POST", "/agents/AGENTID123/", "{}")).await;
    assert!(seen.error().2.starts_with("InvokeInlineAgent of "), "a body makes the difference");
}

#[tokio::test]
async fn every_refusal_is_an_aws_error() {
    let pipeline = pipeline(table());
    let mut unsigned = signed("POST", "/model/m/invoke", "{}");
    unsigned.headers_mut().remove("authorization");
    for (request, status, kind) in [
        (unsigned, 403, "MissingAuthenticationTokenException"),
        (signed("POST", "/nowhere", ""), 404, "UnknownOperationException"),
        (signed("PUT", "/model/m/invoke", ""), 405, "UnknownOperationException"),
        (signed("POST", "/model/%zz/invoke", ""), 400, "SerializationException"),
        (signed("POST", "/model//invoke", ""), 400, "ValidationException"),
        (signed("POST", "/model/m/invoke", vec![b'x'; 1001]), 413, "RequestEntityTooLargeException"),
    ] {
        let shown = format!("{} {}", request.method(), request.uri());
        let seen = send(&pipeline, request).await;
        let (got, name, _) = seen.error();
        assert_eq!((got, name), (status, kind), "{shown}");
    }
}

#[tokio::test]
async fn an_operation_has_a_deadline() {
    let mut table = Table::default();
    table.on::<runtime::InvokeModel>(run::<runtime::InvokeModel, _, _, _, _>(|_, _| {
        std::future::pending::<Result<InvokeModelResponse, Fault>>()
    }));
    let pipeline = Arc::new(Pipeline { deadline: Duration::ZERO, ..Arc::into_inner(pipeline(table)).unwrap() });
    let seen = send(&pipeline, signed("POST", "/model/m/invoke", "{}")).await;
    assert_eq!(seen.error().1, "ModelTimeoutException");
}

#[tokio::test]
async fn health_needs_no_credentials() {
    let pipeline = pipeline(table());
    let ask = |method: &str| Request::builder().method(method).uri(HEALTH).body(Body::empty()).unwrap();
    let seen = send(&pipeline, ask("GET")).await;
    assert_eq!((seen.status.as_u16(), seen.json()), (200, json!({ "status": "ok" })));
    assert_eq!(seen.header("x-amzn-requestid").len(), 36);
    assert_eq!(send(&pipeline, ask("POST")).await.error().0, 405);
}

/// A ConverseStream that sends these, then what it told: event or exception, its name, its payload.
async fn streamed(sent: Vec<Result<ConverseStreamOutput, Fault>>) -> Vec<(String, String, Value)> {
    let mut table = Table::default();
    let sent = std::sync::Mutex::new(Some(sent));
    table.on::<runtime::ConverseStream>(run_stream::<runtime::ConverseStream, _, _, _>(move |_, _| {
        let events: Events<_> = futures_util::stream::iter(sent.lock().unwrap().take().unwrap()).boxed();
        async { Ok::<_, Fault>((Reply::from(runtime::ConverseStreamResponse {}), events)) }
    }));
    let seen = send(&pipeline(table), signed("POST", "/model/m/converse-stream", "{}")).await;
    assert_eq!(seen.header("content-type"), "application/vnd.amazon.eventstream");
    assert_eq!(seen.header("x-amzn-requestid").len(), 36);
    let mut decoder = Decoder::new();
    decoder.feed(&seen.body);
    let mut told = Vec::new();
    while let Some(message) = decoder.next().unwrap() {
        let kind = message.text(":message-type").unwrap();
        let name = message.text(&format!(":{kind}-type")).unwrap().to_owned();
        assert_eq!(message.text(":content-type"), Some("application/json"));
        told.push((kind.to_owned(), name, serde_json::from_slice(message.payload).unwrap()));
    }
    assert!(decoder.is_at_boundary());
    told
}

#[tokio::test]
async fn events_are_framed_and_an_error_is_told_in_the_stream() {
    let start = || Ok(ConverseStreamOutput::MessageStart(MessageStartEvent { role: "assistant".into() }));
    let begun = ("event".to_owned(), "messageStart".to_owned(), json!({ "role": "assistant" }));
    assert_eq!(streamed(vec![start()]).await, std::slice::from_ref(&begun));
    for (kind, name) in [
        (Kind::ModelStreamError, "modelStreamErrorException"),
        (Kind::Throttling, "throttlingException"),
        (Kind::ServiceUnavailable, "serviceUnavailableException"),
        (Kind::Conflict, "internalServerException"),
    ] {
        let told = streamed(vec![start(), Err(Fault::new(kind, "no"))]).await;
        assert_eq!(told, [begun.clone(), ("exception".into(), name.into(), json!({ "message": "no" }))]);
    }
    // What the model's own server said has a place in one of them only.
    let original = Original { status: Some(529), message: "Overloaded".into() };
    for (kind, told) in [
        (
            Kind::ModelStreamError,
            json!({ "message": "no", "originalStatusCode": 529, "originalMessage": "Overloaded" }),
        ),
        (Kind::ServiceUnavailable, json!({ "message": "no" })),
    ] {
        let fault = Fault { original: Some(Box::new(original.clone())), ..Fault::new(kind, "no") };
        assert_eq!(streamed(vec![start(), Err(fault)]).await[1].2, told);
    }
}

#[tokio::test]
async fn the_function_knows_where_the_request_came_from() {
    let mut table = Table::default();
    table.on::<bedrock::ListInferenceProfiles>(run::<bedrock::ListInferenceProfiles, _, _, _, _>(
        |cx: Context, _| async move {
            let said = format!("{:?} {}", cx.client.ip, cx.client.secure);
            Ok::<_, Fault>(bedrock::ListInferenceProfilesResponse { next_token: Some(said), ..Default::default() })
        },
    ));
    let mut pipeline = pipeline(table);
    Arc::get_mut(&mut pipeline).unwrap().trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    for (peer, secure, said) in [
        (Some("10.0.0.1:5"), false, "Some(203.0.113.9) true"),
        // Nobody believes this one.
        (Some("192.0.2.1:5"), false, "Some(192.0.2.1) false"),
        (Some("192.0.2.1:5"), true, "Some(192.0.2.1) true"),
        (None, false, "None false"),
    ] {
        let mut request = signed("GET", "/inference-profiles", "");
        request.headers_mut().insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
        request.headers_mut().insert("x-forwarded-proto", "https".parse().unwrap());
        let address = peer.map(|peer| peer.parse().unwrap());
        request.extensions_mut().insert(Peer { address, secure, certificate: None });
        assert_eq!(send(&pipeline, request).await.json()["nextToken"], said);
    }
}
