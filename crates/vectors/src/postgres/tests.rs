use super::*;
use crate::served::{Served, outbound};
use crate::suite::{self, Can};
use crate::{Filter, Mode, Record, Value, Vector};

const PASSWORD: &str = "not a secret";
const SHAPE: Shape = Shape { dimensions: 4, binary: false };

/// One server for all, since starting it takes longest.
#[tokio::test]
async fn postgres() {
    let served = Served::start("postgres");
    let store = Postgres::new(&served.url, Some(PASSWORD), false, outbound()).unwrap();
    suite::run(&*store.at(None), Can { binary: true }).await;
    shared(&store).await;
    without_attributes(&store).await;
    unfit(&store).await;
    made(&served.url).await;
    filtered_by_index(&store).await;
    odd_text(&store).await;
    many_writers(&store).await;

    let wrong = Postgres::new(&served.url, Some("wr0ng"), false, outbound()).unwrap();
    let refused = wrong.at(None).open("x", SHAPE).await.err().unwrap().to_string();
    assert!(refused.contains("password authentication failed") && !refused.contains("wr0ng"), "{refused}");

    // Gone while it is used, and back: an error, and then as before.
    let index = store.at(None).open("again", SHAPE).await.unwrap();
    run(&store, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()").await;
    while index.stats().await.is_err() {}
    drop(served);
    let gone = index.search(near(vec![1.0; 4], 1)).await.unwrap_err();
    assert!(matches!(gone, VectorError::Failed(_)), "{gone:?}");
}

#[test]
fn a_url_that_cannot_be_is_refused_and_not_repeated() {
    for url in ["postgres://me:s3cret@localhost/db", "http://s3cret", "postgres://%zz:s3cret", "postgres:///s3cret"] {
        let refused = Postgres::new(url, None, false, outbound()).err().unwrap().to_string();
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}

async fn run(store: &Postgres, sql: &str) {
    store.0.first.take().await.unwrap().batch_execute(sql).await.unwrap();
}

async fn number(store: &Postgres, sql: &str) -> i64 {
    store.0.first.take().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
}

fn near(vector: Vec<f32>, limit: usize) -> Query {
    Query { vector: Vector::Float(vector), text: String::new(), mode: Mode::Semantic, filter: None, limit, said: None }
}

fn record(id: &str, text: &str, vector: Vec<f32>) -> Record {
    let metadata = Metadata::from([("colour".to_owned(), Value::String("red".to_owned()))]);
    Record { id: id.to_owned(), text: text.to_owned(), parent: None, vector: Vector::Float(vector), metadata }
}

fn document(name: &str, records: Vec<Record>) -> Replace {
    Replace { source: "s".to_owned(), document: name.to_owned(), records }
}

fn place(name: &str, attributes: Option<&str>) -> Place {
    Place {
        database: Some("postgres".to_owned()),
        name: name.to_owned(),
        key: Some("id".to_owned()),
        vector: "Embedding".to_owned(),
        text: "chunks".to_owned(),
        metadata: "metadata".to_owned(),
        attributes: attributes.map(str::to_owned),
    }
}

/// Two knowledge bases and their owner's own rows in one table, as AWS's guide makes it.
async fn shared(store: &Postgres) {
    run(
        store,
        "CREATE SCHEMA bedrock_integration; CREATE TABLE bedrock_integration.bedrock_kb (id uuid PRIMARY KEY, embedding \
         vector(4), chunks text, metadata json, custom_metadata jsonb); INSERT INTO bedrock_integration.bedrock_kb \
         VALUES (gen_random_uuid(), '[1,0,0,0]', 'theirs', '{}', NULL), (gen_random_uuid(), NULL, NULL, NULL, NULL)",
    )
    .await;
    let engine = store.at(Some(place("bedrock_integration.bedrock_kb", Some("custom_metadata"))));
    let (one, other) = (engine.open("one", SHAPE).await.unwrap(), engine.open("other", SHAPE).await.unwrap());
    let x = vec![1.0, 0.0, 0.0, 0.0];
    one.replace(vec![document("d", vec![record("a", "of one", x.clone())])]).await.unwrap();
    other.replace(vec![document("d", vec![record("b", "of other", x.clone())])]).await.unwrap();
    one.replace(vec![document("d", vec![record("c", "again of one", x.clone())])]).await.unwrap();
    for (index, text) in [(&one, "again of one"), (&other, "of other")] {
        let red = Filter::Equals("colour".to_owned(), Value::String("red".to_owned()));
        let hits = index.search(Query { filter: Some(red), ..near(x.clone(), 9) }).await.unwrap();
        assert_eq!((hits.len(), hits[0].text.as_str()), (1, text));
        assert_eq!(index.stats().await.unwrap(), Stats { documents: 1, chunks: 1, bytes: 0 });
    }
    let mapped = "SELECT count(*) FROM bedrock_integration.bedrock_kb WHERE chunks = 'again of one' AND \
                  custom_metadata @> '{\"colour\": \"red\"}' AND metadata ->> 'dataSource' = 's' AND metadata ->> \
                  'document' = 'd' AND embedding = '[1,0,0,0]'";
    assert_eq!(number(store, mapped).await, 1);
    engine.discard("one").await.unwrap();
    engine.discard("never there").await.unwrap();
    assert_eq!(number(store, "SELECT count(*) FROM bedrock_integration.bedrock_kb").await, 3);
    other.forget("s").await.unwrap();
    assert_eq!(number(store, "SELECT count(*) FROM bedrock_integration.bedrock_kb").await, 2);
}

async fn without_attributes(store: &Postgres) {
    run(store, "CREATE TABLE plain (id text PRIMARY KEY, embedding vector, chunks text, metadata json)").await;
    let engine = store.at(Some(place("plain", None)));
    let index = engine.open("one", SHAPE).await.unwrap();
    index.replace(vec![document("d", vec![record("a", "text", vec![1.0, 0.0, 0.0, 0.0])])]).await.unwrap();
    let colour = |is: &str| Filter::Equals("colour".to_owned(), Value::String(is.to_owned()));
    let ask = |is: &str| Query { filter: Some(colour(is)), ..near(vec![1.0; 4], 9) };
    assert_eq!(index.search(ask("red")).await.unwrap().len(), 1);
    let blue = Metadata::from([("colour".to_owned(), Value::String("blue".to_owned()))]);
    index.describe("s", "d", &[], blue.clone()).await.unwrap();
    assert_eq!(index.search(ask("red")).await.unwrap(), []);
    assert_eq!(index.search(ask("blue")).await.unwrap()[0].metadata, blue);
    // A column without dimensions: what it holds says them.
    let other = Shape { dimensions: 3, binary: false };
    let refused = store.at(Some(place("plain", None))).open("two", other).await.err();
    assert!(matches!(refused, Some(VectorError::Shape { holds: SHAPE, .. })), "{refused:?}");
}

async fn unfit(store: &Postgres) {
    let ask = async |place: Place| store.at(Some(place)).open("one", SHAPE).await.err().unwrap().to_string();
    assert!(ask(place("not_there", None)).await.contains("not_there does not exist"));
    let wrong = Place { vector: "missing".to_owned(), ..place("plain", None) };
    assert!(ask(wrong).await.contains("has no column missing"));
    let wrong = Place { vector: "chunks".to_owned(), ..place("plain", None) };
    assert!(ask(wrong).await.contains("of the type text, not vector"));
    let wrong = Place { metadata: "chunks".to_owned(), ..place("plain", None) };
    assert!(ask(wrong).await.contains("not json or jsonb"));
    let wrong = Place { database: Some("template1".to_owned()), ..place("plain", None) };
    assert!(ask(wrong).await.contains("the store that serves it is the database \"postgres\""));
    run(store, "CREATE TABLE wide (id uuid, embedding vector(8), chunks text, metadata json)").await;
    assert_eq!(ask(place("wide", None)).await, "the index holds 8 numbers vectors, not 4 numbers");
    let bits = Shape { dimensions: 8, binary: true };
    let refused = store.at(Some(place("wide", None))).open("one", bits).await.err();
    assert!(matches!(refused, Some(VectorError::Shape { .. })), "{refused:?}");
}

/// With `create`, in a database that the declaration names where the URL names none.
async fn made(url: &str) {
    let url = url.trim_end_matches("/postgres");
    let store = Postgres::new(url, Some(PASSWORD), true, outbound()).unwrap();
    let place = Place { database: Some("template1".to_owned()), ..place("Made_Here", Some("custom")) };
    let index = store.at(Some(place.clone())).open("one", SHAPE).await.unwrap();
    index.replace(vec![document("d", vec![record("a", "text", vec![1.0; 4])])]).await.unwrap();
    assert_eq!(index.stats().await.unwrap().chunks, 1);
    let engine = store.at(Some(place));
    engine.discard("one").await.unwrap();
    // The table stays: nobody knows who uses it by now.
    assert_eq!(engine.open("one", SHAPE).await.unwrap().stats().await.unwrap().chunks, 0);
}

/// A filter that keeps one in a hundred finds what comparing all of them finds.
async fn filtered_by_index(store: &Postgres) {
    let shape = Shape { dimensions: 16, binary: false };
    let mut random = fastrand::Rng::with_seed(5);
    let mut vector = || (0..16).map(|_| random.f32() - 0.5).collect::<Vec<_>>();
    let index = store.at(None).open("large", shape).await.unwrap();
    let mut kept = Vec::new();
    for group in 0..10 {
        let records = (0..500).map(|at| {
            let at = group * 500 + at;
            let metadata = Metadata::from([("part".to_owned(), Value::Number(f64::from(at % 100)))]);
            Record { metadata, ..record(&format!("r{at}"), "text", vector()) }
        });
        let records: Vec<_> = records.collect();
        kept.extend(records.iter().filter(|one| one.metadata["part"] == Value::Number(7.0)).cloned());
        index.replace(vec![document(&format!("d{group}"), records)]).await.unwrap();
    }
    run(store, "ANALYZE outcrop_large").await;
    let asked = vector();
    let cosine = |one: &Record| {
        let Vector::Float(numbers) = &one.vector else { return 0.0 };
        let length = |of: &[f32]| of.iter().map(|n| n * n).sum::<f32>().sqrt();
        numbers.iter().zip(&asked).map(|(a, b)| a * b).sum::<f32>() / length(numbers) / length(&asked)
    };
    kept.sort_by(|a, b| cosine(b).total_cmp(&cosine(a)));
    let part = Filter::Equals("part".to_owned(), Value::Number(7.0));
    let hits = index.search(Query { filter: Some(part), ..near(asked.clone(), 10) }).await.unwrap();
    let found: Vec<_> = hits.iter().map(|hit| &hit.id).collect();
    assert_eq!(found, kept.iter().take(10).map(|one| &one.id).collect::<Vec<_>>());
    assert_eq!(index.search(near(asked.clone(), 1000)).await.unwrap().len(), 1000);
}

async fn odd_text(store: &Postgres) {
    let index = store.at(None).open("odd", SHAPE).await.unwrap();
    let odd = "nul \0, 'quote', \\ back, \" double, <-> :* & | ! (";
    let mut one = record("a", odd, vec![1.0; 4]);
    one.metadata = Metadata::from([(odd.to_owned(), Value::String(odd.to_owned()))]);
    index.replace(vec![document(odd, vec![one])]).await.unwrap();
    let filter = Some(Filter::Equals(odd.to_owned(), Value::String(odd.to_owned())));
    let ask = Query { filter, text: odd.to_owned(), mode: Mode::Hybrid, ..near(vec![1.0; 4], 9) };
    assert_eq!(index.search(ask.clone()).await.unwrap().len(), 1);
    index.replace(vec![document(odd, Vec::new())]).await.unwrap();
    assert_eq!(index.search(ask).await.unwrap(), []);
}

/// Who replaces the same document at the same time leaves one of both.
async fn many_writers(store: &Postgres) {
    let index = store.at(None).open("writers", SHAPE).await.unwrap();
    let write = |writer: usize| {
        let index = index.clone();
        tokio::spawn(async move {
            for round in 0..5 {
                let records = (0..3).map(|at| record(&format!("{writer}-{round}-{at}"), "text", vec![1.0; 4]));
                index.replace(vec![document("d", records.collect())]).await.unwrap();
                let hits = index.search(near(vec![1.0; 4], 100)).await.unwrap();
                let (writer, _) = hits[0].id.rsplit_once('-').unwrap();
                assert_eq!(hits.len(), 3, "{hits:?}");
                assert!(hits.iter().all(|hit| hit.id.starts_with(writer)), "{hits:?}");
            }
        })
    };
    for writer in (0..4).map(write).collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}
