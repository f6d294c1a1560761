use outcrop_access::{Permissions, Policy, PolicyKind};
use outcrop_api::bedrock_runtime::{ConverseOutput, ConverseResponse, CountTokensRequest};
use outcrop_buckets::Settings;
use outcrop_extract::wall::Limits;
use serde_json::{Value, json};

use super::*;
use crate::tests::{Bench, HAIKU, bench, filled, hello, scripted, tiny};

/// A bench with a bucket, and a wall that reads nothing but plain text: there is no child here.
async fn reading() -> (Bench, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let buckets = Buckets::open(data.path(), Settings { region: "us-east-1".into(), ..Settings::default() });
    let mut bench = bench(scripted(hello()), tiny()).await;
    buckets.create(&bench.cx, "mine", "us-east-1").await.unwrap();
    buckets.put(&bench.cx, "mine", "a.txt", Bytes::from_static(b"Tea costs 3 euros.")).await.unwrap();
    let wall = Arc::new(Wall::new("/nonexistent", Vec::new(), Limits::default()));
    bench.gateway = bench.gateway.papers(Papers { buckets, wall });
    (bench, data)
}

fn asking(blocks: &[Value]) -> Value {
    let mut content = vec![json!({"text": "What does it say?"})];
    content.extend_from_slice(blocks);
    json!({"messages": [{"role": "user", "content": content}]})
}

/// Asks with these blocks, and is told hello.
async fn ask(bench: &Bench, blocks: &[Value]) -> Result<ConverseResponse, Fault> {
    if bench.provider.events.lock().unwrap().is_empty() {
        *bench.provider.events.lock().unwrap() = hello();
    }
    let request = ConverseRequest { model_id: HAIKU.into(), ..filled(asking(blocks)) };
    bench.converse(request).await.map(|reply| reply.output)
}

fn document(source: Value) -> Value {
    json!({"document": {"name": "Prices", "format": "txt", "source": source}})
}

fn asked(bench: &Bench) -> DocumentBlock {
    let asked = bench.provider.asked.lock().unwrap();
    documents(&asked.last().unwrap().request)[0].clone()
}

#[tokio::test]
async fn an_object_is_read_with_the_callers_rights() {
    let (mut bench, _data) = reading().await;
    let at = json!({"s3Location": {"uri": "s3://mine/a.txt"}});
    ask(&bench, &[document(at.clone())]).await.unwrap();
    let DocumentSource::Bytes(bytes) = asked(&bench).source else { panic!("no bytes") };
    assert_eq!(bytes, "Tea costs 3 euros.");

    let owned = json!({"s3Location": {"uri": "s3://mine/a.txt", "bucketOwner": "999988887777"}});
    let denied = ask(&bench, &[document(owned)]).await.unwrap_err();
    assert_eq!(denied.kind, Kind::AccessDenied);
    for (uri, text) in
        [("s3://mine/none", "does not exist"), ("s3://none/a", "does not exist"), ("s3://mine", "no S3 URI")]
    {
        let place = json!({"s3Location": {"uri": uri}});
        let refused = ask(&bench, &[document(place)]).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Validation);
        assert!(refused.message.contains(text) && refused.message.contains(uri), "{}", refused.message);
    }

    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}]}"#;
    let policy = Policy::parse(policy, PolicyKind::Identity).unwrap();
    bench.cx.caller.arn = "arn:aws:iam::111122223333:user/ada".into();
    bench.cx.permissions = Arc::new(Permissions { identity: Some(vec![Arc::new(policy)]), ..Permissions::default() });
    let denied = ask(&bench, &[document(at)]).await.unwrap_err();
    assert_eq!(denied.kind, Kind::AccessDenied);
    assert!(denied.message.contains("s3:GetObject"), "{}", denied.message);
}

#[tokio::test]
async fn a_file_in_another_character_set_becomes_text_and_what_nobody_reads_is_named() {
    let (bench, _data) = reading().await;
    // "Käse" in Latin-1.
    let latin = json!({"bytes": "S+RzZSBrb3N0ZXQgZHJlaSBFdXJvLg=="});
    ask(&bench, &[document(latin)]).await.unwrap();
    let DocumentSource::Text(text) = asked(&bench).source else { panic!("no text") };
    assert!(text.contains("kostet drei Euro."), "{text}");
    let pdf = json!({"document": {"name": "Report", "format": "pdf", "source": {"bytes": "JVBERi0xLjQ="}}});
    let refused = ask(&bench, &[pdf]).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Validation);
    assert!(refused.message.contains("\"Report\" at messages.0.content.1.document"), "{}", refused.message);
}

#[tokio::test]
async fn what_is_not_cited_natively_is_cited_here_and_counted_as_it_is_sent() {
    let (bench, _data) = reading().await;
    *bench.provider.events.lock().unwrap() = crate::tests::says(&["Tea costs 3 eu", "ros. I like it."]);
    let mut cited = document(json!({"text": "Tea costs 3 euros. Coffee costs 4."}));
    cited["document"]["citations"] = json!({"enabled": true});
    let answer = ask(&bench, &[cited.clone()]).await.unwrap();
    assert!(asked(&bench).citations.is_none());
    let ConverseOutput::Message(message) = answer.output else { panic!("no message") };
    assert!(matches!(&message.content[0], ContentBlock::CitationsContent(_)), "{:?}", message.content);
    assert!(matches!(&message.content[1], ContentBlock::Text(text) if text == "I like it."), "{:?}", message.content);
    let body = asking(&[cited]);
    let count = filled(json!({"input": {"converse": {"messages": body["messages"]}}}));
    let count = CountTokensRequest { model_id: HAIKU.into(), ..count };
    bench.gateway.count_tokens(&bench.cx, count).await.unwrap();
    assert!(asked(&bench).citations.is_none());
}

#[tokio::test]
async fn documents_keep_to_their_limits() {
    let (bench, _data) = reading().await;
    let small = document(json!({"text": "x"}));
    let six: Vec<Value> = std::iter::repeat_n(small, 6).collect();
    ask(&bench, &six[..5]).await.unwrap();
    let refused = ask(&bench, &six).await.unwrap_err();
    assert!(refused.message.starts_with("The request has 6 documents; at most 5"), "{}", refused.message);
    let large = document(json!({"text": "x".repeat(DOCUMENT + 1)}));
    let refused = ask(&bench, &[large]).await.unwrap_err();
    assert!(refused.message.contains("at most 4.5 MB"), "{}", refused.message);
}
