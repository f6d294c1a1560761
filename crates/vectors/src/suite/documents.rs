//! Documents: replaced, described, forgotten.

use super::*;
use crate::VectorError;

const X: [f32; 4] = [1.0, 0.0, 0.0, 0.0];
const Y: [f32; 4] = [0.0, 1.0, 0.0, 0.0];

pub(super) async fn replaced_and_removed(engine: &dyn Engine) {
    let index = opened(engine, "suite-replaced").await;
    assert_eq!(index.search(near(X)).await.unwrap(), []);
    let first = document("s", "a", vec![record("a1", "one", X), record("a2", "two", Y)]);
    index.replace(vec![first, document("s", "b", vec![record("b1", "three", X)])]).await.unwrap();
    assert_eq!(sorted_ids(&*index, near(X)).await, ["a1", "a2", "b1"]);
    let stats = index.stats().await.unwrap();
    assert_eq!((stats.documents, stats.chunks), (2, 3));

    // A document's old chunks are gone, and nobody else's.
    index.replace(vec![document("s", "a", vec![record("a3", "four", Y)])]).await.unwrap();
    let hits = index.search(near(Y)).await.unwrap();
    assert_eq!(ids(&hits), ["a3", "b1"]);
    assert_eq!((hits[0].source.as_str(), hits[0].document.as_str(), hits[0].text.as_str()), ("s", "a", "four"));

    // The same name in another source is another document.
    index.replace(vec![document("t", "a", vec![record("t1", "five", Y)])]).await.unwrap();
    assert_eq!(sorted_ids(&*index, near(X)).await, ["a3", "b1", "t1"]);

    // The same again changes nothing; of two in one call the later counts; none removes.
    index.replace(vec![document("t", "a", vec![record("t1", "five", Y)])]).await.unwrap();
    let twice = vec![
        document("s", "c", vec![record("c1", "six", X)]),
        document("s", "c", vec![record("c2", "seven", X)]),
        document("s", "a", Vec::new()),
        document("s", "never there", Vec::new()),
    ];
    index.replace(twice).await.unwrap();
    assert_eq!(sorted_ids(&*index, near(X)).await, ["b1", "c2", "t1"]);

    // Opened again, it is the same index.
    let again = engine.open("suite-replaced", SHAPE).await.unwrap();
    assert_eq!(sorted_ids(&*again, near(X)).await, ["b1", "c2", "t1"]);
    assert_eq!(again.stats().await.unwrap().chunks, 3);
}

pub(super) async fn described(engine: &dyn Engine) {
    let index = opened(engine, "suite-described").await;
    let mut records = vec![record("a1", "one", X), record("a2", "two", Y)];
    records[0].metadata =
        metadata([("colour", string("red")), ("size", Value::Number(1.0)), ("own:page", string("1"))]);
    records[1].metadata = metadata([("own:page", string("2"))]);
    index.replace(vec![document("s", "a", records), document("s", "b", vec![record("b1", "b", X)])]).await.unwrap();
    let red = || within(Filter::Equals("colour".to_owned(), string("red")));
    assert_eq!(sorted_ids(&*index, red()).await, ["a1"]);

    let new = metadata([("colour", string("blue")), ("on", Value::Boolean(true))]);
    index.describe("s", "a", &["own:", "never:"], new.clone()).await.unwrap();
    assert_eq!(sorted_ids(&*index, red()).await, [""; 0]);
    let hits = index.search(within(Filter::Equals("colour".to_owned(), string("blue")))).await.unwrap();
    assert_eq!(ids(&hits), ["a1", "a2"]);
    // What is a chunk's own stays, for filters too.
    for (hit, page) in hits.iter().zip(["1", "2"]) {
        let mut whole = new.clone();
        whole.insert("own:page".to_owned(), string(page));
        assert_eq!(hit.metadata, whole);
    }
    let second = within(Filter::Equals("own:page".to_owned(), string("2")));
    assert_eq!(sorted_ids(&*index, second).await, ["a2"]);
    assert_eq!(sorted_ids(&*index, within(Filter::GreaterThan("size".to_owned(), 0.0))).await, [""; 0]);
    index.describe("s", "not there", &[], new).await.unwrap();
    assert_eq!(sorted_ids(&*index, near(X)).await, ["a1", "a2", "b1"]);
}

pub(super) async fn forgotten(engine: &dyn Engine) {
    let index = opened(engine, "suite-forgotten").await;
    let documents = ["a", "b", "c"].map(|name| document("s", name, vec![record(name, "text", X)]));
    index.replace(documents.to_vec()).await.unwrap();
    index.replace(vec![document("t", "a", vec![record("ta", "text", X)])]).await.unwrap();
    index.forget("s").await.unwrap();
    assert_eq!(sorted_ids(&*index, near(X)).await, ["ta"]);
    let words = Query { mode: Mode::Hybrid, text: "text".to_owned(), ..near(X) };
    assert_eq!(sorted_ids(&*index, words).await, ["ta"]);
    index.forget("never there").await.unwrap();
    let stats = index.stats().await.unwrap();
    assert_eq!((stats.documents, stats.chunks), (1, 1));
}

pub(super) async fn discarded(engine: &dyn Engine) {
    let index = opened(engine, "suite-discarded").await;
    index.replace(vec![document("s", "a", vec![record("a", "text", X)])]).await.unwrap();
    drop(index);
    engine.discard("suite-discarded").await.unwrap();
    engine.discard("suite-discarded").await.unwrap();
    // Made anew it is empty, and may be of another shape.
    let other = Shape { dimensions: 8, binary: false };
    let index = engine.open("suite-discarded", other).await.unwrap();
    assert_eq!(index.stats().await.unwrap().chunks, 0);
}

pub(super) async fn shapes(engine: &dyn Engine) {
    let index = opened(engine, "suite-shapes").await;
    index.replace(vec![document("s", "a", vec![record("a", "text", X)])]).await.unwrap();
    let other = Shape { dimensions: 3, binary: false };
    let refused = engine.open("suite-shapes", other).await.err();
    assert!(matches!(refused, Some(VectorError::Shape { holds: SHAPE, given }) if given == other), "{refused:?}");

    let mut wrong = record("b", "text", X);
    wrong.vector = Vector::Float(vec![1.0, 2.0, 3.0]);
    let both = vec![document("s", "c", vec![record("c", "text", X)]), document("s", "b", vec![wrong])];
    let refused = index.replace(both).await.err();
    assert!(matches!(refused, Some(VectorError::Shape { .. })), "{refused:?}");
    let mut wrong = record("b", "text", X);
    wrong.vector = Vector::Float(vec![1.0, f32::NAN, 3.0, 4.0]);
    let refused = index.replace(vec![document("s", "b", vec![wrong])]).await.err();
    assert!(matches!(refused, Some(VectorError::Invalid(_))), "{refused:?}");
    // Refused whole: nothing of it is there.
    assert_eq!(sorted_ids(&*index, near(X)).await, ["a"]);

    let query = Query { vector: Vector::Float(vec![1.0]), ..near(X) };
    assert!(matches!(index.search(query).await, Err(VectorError::Shape { .. })));
    let query = Query { vector: Vector::Binary(vec![1]), ..near(X) };
    assert!(matches!(index.search(query).await, Err(VectorError::Shape { .. })));
}

pub(super) async fn many(engine: &dyn Engine) {
    let index = opened(engine, "suite-many").await;
    let number = |i: usize| ((i * 7919) % 3001) as f32 / 3001.0 - 0.5;
    let name = |i: usize| format!("r{i:04}");
    let of = |i: usize| record(&name(i), &format!("number {i}"), [1.0, number(i), number(i + 1), number(i + 2)]);
    let documents = (0..60).map(|d| document("s", &format!("d{d}"), (d * 20..d * 20 + 20).map(of).collect()));
    index.replace(documents.collect()).await.unwrap();
    assert_eq!(index.stats().await.unwrap().chunks, 1200);
    for i in (0..1200).step_by(97) {
        let query = Query { vector: of(i).vector, limit: 3, ..near(X) };
        let hits = index.search(query).await.unwrap();
        assert_eq!((hits.len(), hits[0].id.as_str()), (3, name(i).as_str()));
    }
    let gone = (0..60).step_by(2).map(|d| document("s", &format!("d{d}"), Vec::new()));
    index.replace(gone.collect()).await.unwrap();
    let hits = index.search(Query { limit: 1000, ..near(X) }).await.unwrap();
    assert_eq!(hits.len(), 600);
    assert!(hits.iter().all(|hit| hit.id[1..].parse::<usize>().unwrap() / 20 % 2 == 1));
}
