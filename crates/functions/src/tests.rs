use std::sync::Arc;

use outcrop_access::{Caller, CallerKind, Permissions, Policy, PolicyKind};
use outcrop_outbound::{Outbound, Settings};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:chunker";

fn root() -> Context {
    Context::new(Caller::root("111122223333", None, CallerKind::User), "us-east-1", "bedrock-agent")
}

fn bound(executor: Executor) -> Functions {
    let binding = Binding { executor, timeout: Duration::from_secs(20) };
    Functions::new(BTreeMap::from([(ARN.to_owned(), binding)]))
}

fn shell(script: &str) -> Functions {
    bound(Executor::Command(["sh", "-c", script].map(str::to_owned).to_vec()))
}

async fn failed(functions: Functions) -> String {
    functions.invoke(&root(), ARN, &json!({"a": 1})).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_command_gets_the_event_and_answers() {
    let event = json!({"a": "b\n"});
    for arn in [ARN.to_owned(), format!("{ARN}:live"), format!("{ARN}:7")] {
        assert_eq!(shell("cat").invoke(&root(), &arn, &event).await.unwrap(), event);
    }
    // It need not read it.
    assert_eq!(shell("echo '[1]'").invoke(&root(), ARN, &event).await.unwrap(), json!([1]));
    // The server's secrets are not its own.
    let environment = shell(r#"echo "\"${CARGO_MANIFEST_DIR-none}\"""#);
    assert_eq!(environment.invoke(&root(), ARN, &event).await.unwrap(), json!("none"));
}

#[tokio::test]
async fn what_goes_wrong_is_said() {
    assert!(failed(shell("echo broken >&2; exit 3")).await.ends_with("exit status: 3: broken"));
    assert!(failed(shell("echo hello")).await.contains("its answer is no JSON"));
    assert!(failed(shell("head -c 7000000 /dev/zero")).await.contains("more than 6291456 bytes"));
    assert!(failed(shell("head -c 5000000 /dev/zero >&2; exit 1")).await.contains("exit status: 1"));
    let none = bound(Executor::Command(vec!["/nonexistent/program".to_owned()]));
    assert!(failed(none).await.contains("/nonexistent/program cannot be started"));
    let binding = Binding {
        executor: Executor::Command(["sleep", "60"].map(str::to_owned).to_vec()),
        timeout: Duration::from_millis(50),
    };
    let slow = Functions::new(BTreeMap::from([(ARN.to_owned(), binding)]));
    assert!(failed(slow).await.contains("did not answer within 0.05 seconds"));
    assert!(failed(Functions::default()).await.starts_with("No executor is bound to the function arn:aws:lambda"));
}

#[tokio::test]
async fn who_may_not_invoke_it_does_not() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:other"}]}"#;
    let policy = Policy::parse(policy, PolicyKind::Identity).unwrap();
    let cx = root();
    let caller = Caller { arn: "arn:aws:iam::111122223333:role/kb".to_owned(), ..cx.caller.clone() };
    let permissions = Permissions { identity: Some(vec![Arc::new(policy)]), ..Permissions::default() };
    let cx = Context { caller, permissions: Arc::new(permissions), ..cx };
    let refused = shell("cat").invoke(&cx, ARN, &json!({})).await.unwrap_err();
    assert!(matches!(refused, FunctionError::Denied(_)), "{refused}");
}

/// Answers one request, and tells what it was.
async fn answering(head: &'static str, body: &'static str) -> (Functions, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/run", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = String::new();
        while !asked.ends_with('}') {
            let mut piece = [0; 1024];
            let n = stream.read(&mut piece).await.unwrap();
            asked.push_str(&String::from_utf8_lossy(&piece[..n]));
        }
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        asked
    });
    let outbound = Outbound::new(Settings::default()).unwrap();
    (bound(Executor::Endpoint(outbound.endpoint(&url).unwrap())), served)
}

#[tokio::test]
async fn an_endpoint_gets_the_event_by_post() {
    let (functions, served) = answering("200 OK", r#"{"done":true}"#).await;
    assert_eq!(functions.invoke(&root(), ARN, &json!({"a": 1})).await.unwrap(), json!({"done": true}));
    let asked = served.await.unwrap();
    assert!(asked.starts_with("POST /run HTTP/1.1") && asked.ends_with(r#"{"a":1}"#), "{asked}");
    let (functions, _served) = answering("500 Oh", "no disk").await;
    assert!(failed(functions).await.ends_with("it answered 500 Internal Server Error: no disk"));
    let (functions, _served) = answering("200 OK\r\nx-amz-function-error: Unhandled", r#"{"errorMessage":"x"}"#).await;
    assert!(failed(functions).await.contains(r#"{"errorMessage":"x"}"#));
}
