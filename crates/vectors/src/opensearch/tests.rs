use super::*;
use crate::served::{Served, outbound};
use crate::suite::{self, Can};
use crate::{Mode, Record, Vector};

const SHAPE: Shape = Shape { dimensions: 2, binary: false };
const REGION: &str = "eu-west-3";
/// A key, its secret, and a session's token.
const KEYS: [&str; 3] =
    ["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEXAMPLETOKEN=="];

fn basic(password: &str) -> OpenSearchLogin {
    OpenSearchLogin::Basic("outcrop".to_owned(), password.to_owned())
}

/// A stand-in that believes signatures for a service of AWS only, which botocore's own signer checks.
fn believing(service: &str) -> Served {
    Served::start_as("opensearch", &[&[service, REGION], &KEYS[..]].concat())
}

fn signed(served: &Served, service: &'static str, region: &str, keys: [&str; 3]) -> OpenSearch {
    let identity = Identity::of(outbound(), service, region, keys);
    OpenSearch::new(&served.url, OpenSearchLogin::Signed(Box::new(identity)), false, &outbound()).unwrap()
}

/// Against a program that speaks the documented interface: no package carries an OpenSearch.
#[tokio::test]
async fn opensearch() {
    let served = Served::start("opensearch");
    let store = OpenSearch::new(&served.url, basic("not a secret"), false, &outbound()).unwrap();
    suite::run(&*store.at(None), Can { binary: true }).await;
    shared(&store).await;
    unfit(&store).await;
    refused_whole(&store).await;
    broken_off(&store).await;

    let wrong = OpenSearch::new(&served.url, basic("wr0ng"), false, &outbound()).unwrap();
    let refused = wrong.at(None).open("x", SHAPE).await.err().unwrap().to_string();
    assert!(refused.contains("401") && !refused.contains("wr0ng"), "{refused}");

    let index = store.at(None).open("gone", SHAPE).await.unwrap();
    drop(served);
    let gone = index.stats().await.unwrap_err();
    assert!(matches!(gone, VectorError::Failed(_)), "{gone:?}");
}

#[tokio::test]
async fn signed_for_a_managed_cluster() {
    let served = believing("es");
    let store = signed(&served, "es", REGION, KEYS);
    suite::run(&*store.at(None), Can { binary: true }).await;

    let [key, secret, token] = KEYS;
    let strangers = [
        signed(&served, "es", "us-east-1", KEYS),
        signed(&served, "es", REGION, [key, "wr0ng", token]),
        OpenSearch::new(&served.url, basic("not a secret"), false, &outbound()).unwrap(),
    ];
    for (at, stranger) in strangers.iter().enumerate() {
        let refused = stranger.at(None).open("x", SHAPE).await.err().unwrap().to_string();
        assert!(refused.contains("403"), "{refused}");
        // What AWS says of a signature may repeat what was signed.
        assert!(at == 2 || !refused.contains(token) && !refused.contains(secret), "{refused}");
    }
}

/// OpenSearch Serverless wants the body's hash, refreshes when it likes, and names documents itself: a document that is
/// written again at once leaves nothing of the first writing behind.
#[tokio::test]
async fn signed_for_serverless() {
    let served = believing("aoss");
    let store = signed(&served, "aoss", REGION, KEYS);
    let index = store.at(None).open("own", SHAPE).await.unwrap();
    for id in ["first", "second", "third"] {
        index.replace(vec![document(vec![record(id, vec![1.0, 0.0])])]).await.unwrap();
    }
    let shown = async || {
        // As many searches as it takes until all is.
        for _ in 0..2 {
            index.stats().await.unwrap();
        }
        let hits = index.search(near([1.0, 0.0])).await.unwrap();
        hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>()
    };
    assert_eq!(shown().await, ["third"]);
    index.forget("s").await.unwrap();
    assert!(shown().await.is_empty());
}

fn place(name: &str) -> Place {
    Place {
        database: None,
        name: name.to_owned(),
        key: None,
        vector: "bedrock-knowledge-base-default-vector".to_owned(),
        text: "AMAZON_BEDROCK_TEXT_CHUNK".to_owned(),
        metadata: "AMAZON_BEDROCK_METADATA".to_owned(),
        attributes: None,
    }
}

fn record(id: &str, vector: Vec<f32>) -> Record {
    let metadata = Metadata::new();
    Record { id: id.to_owned(), text: id.to_owned(), parent: None, vector: Vector::Float(vector), metadata }
}

fn document(records: Vec<Record>) -> Replace {
    Replace { source: "s".to_owned(), document: "d".to_owned(), records }
}

fn near(vector: [f32; 2]) -> Query {
    let vector = Vector::Float(vector.to_vec());
    Query { vector, text: String::new(), mode: Mode::Semantic, filter: None, limit: 9, said: None }
}

async fn make(store: &OpenSearch, name: &str, vector: Json) {
    let fields = json!({
        "bedrock-knowledge-base-default-vector": vector,
        "AMAZON_BEDROCK_TEXT_CHUNK": { "type": "text" },
        "AMAZON_BEDROCK_METADATA": { "type": "text", "index": false },
    });
    let index = json!({ "settings": { "index": { "knn": true } }, "mappings": { "properties": fields } });
    store.0.http.must(Method::PUT, &format!("/{name}"), &index).await.unwrap();
}

/// Two knowledge bases in an index as AWS's console makes it: faiss, l2.
async fn shared(store: &OpenSearch) {
    let method = json!({ "name": "hnsw", "engine": "faiss", "space_type": "l2" });
    make(store, "theirs", json!({ "type": "knn_vector", "dimension": 2, "method": method })).await;
    let engine = store.at(Some(place("theirs")));
    let (one, other) = (engine.open("one", SHAPE).await.unwrap(), engine.open("other", SHAPE).await.unwrap());
    one.replace(vec![document(vec![record("a", vec![2.0, 0.0]), record("b", vec![0.0, 3.0])])]).await.unwrap();
    other.replace(vec![document(vec![record("c", vec![1.0, 0.0])])]).await.unwrap();
    let hits = one.search(near([1.0, 0.0])).await.unwrap();
    let found: Vec<_> = hits.iter().map(|hit| (hit.id.as_str(), hit.cosine.unwrap().round() as i64)).collect();
    assert_eq!(found, [("a", 1), ("b", 0)]);
    let raw =
        store.0.http.must(Method::POST, "/theirs/_search", &json!({ "query": { "match_all": {} } })).await.unwrap();
    assert_eq!(raw["hits"]["total"]["value"], 3);
    let fields = raw["hits"]["hits"][0]["_source"].as_object().unwrap();
    assert!(fields.contains_key("AMAZON_BEDROCK_TEXT_CHUNK") && fields.contains_key("AMAZON_BEDROCK_METADATA"));
    // What is forgotten is one's own, the index is nobody's to delete.
    engine.discard("one").await.unwrap();
    let again = OpenSearch::at(store, Some(place("theirs")));
    assert_eq!(again.open("one", SHAPE).await.unwrap().stats().await.unwrap().chunks, 0);
    assert_eq!(other.search(near([1.0, 0.0])).await.unwrap().len(), 1);
}

async fn unfit(store: &OpenSearch) {
    let ask = async |place: Place| store.at(Some(place)).open("one", SHAPE).await.err().unwrap();
    assert_eq!(ask(place("not-there")).await.to_string(), "no such index [not-there]");
    assert!(ask(place("_all")).await.to_string().contains("no index can be called"));
    make(store, "wide", json!({ "type": "knn_vector", "dimension": 8 })).await;
    assert!(matches!(ask(place("wide")).await, VectorError::Shape { .. }));
    make(store, "text", json!({ "type": "text" })).await;
    assert!(ask(place("text")).await.to_string().contains("is no knn_vector"));
    let wrong = Place { text: "missing".to_owned(), ..place("wide") };
    assert!(ask(wrong).await.to_string().contains("has no field missing"));
}

/// A write that the engine breaks off half-way, once: the next one leaves no chunk twice.
async fn broken_off(store: &OpenSearch) {
    let index = store.at(None).open("broken", SHAPE).await.unwrap();
    let write =
        || index.replace(vec![document(vec![record("first", vec![1.0, 0.0]), record("BREAK", vec![1.0, 0.1])])]);
    assert!(matches!(write().await, Err(VectorError::Failed(_))));
    write().await.unwrap();
    let mut hits: Vec<_> = index.search(near([1.0, 0.0])).await.unwrap().into_iter().map(|hit| hit.id).collect();
    hits.sort_unstable();
    assert_eq!(hits, ["BREAK", "first"]);
    assert_eq!(index.stats().await.unwrap().chunks, 2);
}

/// One chunk that the engine refuses: none of the document's is there, and the old ones stay.
async fn refused_whole(store: &OpenSearch) {
    let index = store.at(None).open("refusing", SHAPE).await.unwrap();
    index.replace(vec![document(vec![record("old", vec![1.0, 0.0])])]).await.unwrap();
    let refused = index.replace(vec![document(vec![record("new", vec![1.0, 0.0]), record("REFUSE", vec![1.0, 0.0])])]);
    assert!(matches!(refused.await, Err(VectorError::Failed(_))));
    let hits = index.search(near([1.0, 0.0])).await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["old"]);
    assert_eq!(index.stats().await.unwrap().chunks, 1);
}
