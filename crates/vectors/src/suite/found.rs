//! What is found, in which order, with which score.

use super::*;
use crate::Parent;

const X: [f32; 4] = [1.0, 0.0, 0.0, 0.0];
const Y: [f32; 4] = [0.0, 1.0, 0.0, 0.0];

/// Scores are of 0 to 1 and never rise.
fn check(hits: &[Hit]) {
    assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)), "{hits:?}");
    assert!(hits.windows(2).all(|two| two[0].score >= two[1].score), "{hits:?}");
}

pub(super) async fn order_and_scores(engine: &dyn Engine) {
    let index = opened(engine, "suite-order").await;
    let records = vec![
        record("opposite", "d", [-2.0, 0.0, 0.0, 0.0]),
        record("aside", "c", [0.0, 0.0, 3.0, 0.0]),
        record("half", "b", [1.0, 0.0, 0.0, 1.0]),
        record("same", "a", [5.0, 0.0, 0.0, 0.0]),
    ];
    index.replace(vec![document("s", "a", records)]).await.unwrap();
    let hits = index.search(near(X)).await.unwrap();
    assert_eq!(ids(&hits), ["same", "half", "aside", "opposite"]);
    check(&hits);
    assert!(hits[0].score > hits[1].score && hits[1].score > hits[2].score, "{hits:?}");
    for (hit, cosine) in hits.iter().zip([1.0, 0.5f64.sqrt(), 0.0, -1.0]) {
        assert!(hit.cosine.is_some_and(|found| (found - cosine).abs() < 1e-3), "{hit:?}");
    }
    for limit in 0..=4 {
        assert_eq!(ids(&index.search(Query { limit, ..near(X) }).await.unwrap()), ids(&hits[..limit]));
    }
}

/// With so few that nothing can be standardised.
pub(super) async fn few(engine: &dyn Engine) {
    let index = opened(engine, "suite-few").await;
    let ask = |text: &str| Query { mode: Mode::Hybrid, text: text.to_owned(), ..near(X) };
    for (count, text) in ["red apples", "green pears", "red pears"].iter().enumerate() {
        let id = format!("r{count}");
        index.replace(vec![document("s", &id, vec![record(&id, text, [1.0, count as f32, 0.0, 0.0])])]).await.unwrap();
        for text in ["pears", "apples", "nothing of it", "", "?!", "red red green"] {
            let hits = index.search(ask(text)).await.unwrap();
            assert_eq!(hits.len(), count + 1, "{text:?}");
            check(&hits);
        }
    }
    // All alike, by vector and by words.
    let index = opened(engine, "suite-few").await;
    for id in ["a", "b", "c"] {
        index.replace(vec![document("s", id, vec![record(id, "same words", Y)])]).await.unwrap();
    }
    let hits = index.search(Query { vector: Vector::Float(Y.to_vec()), ..ask("same words") }).await.unwrap();
    assert_eq!(hits.len(), 3);
    check(&hits);
    let zero = Query { vector: Vector::Float(vec![0.0; 4]), ..ask("words") };
    check(&index.search(zero).await.unwrap());
}

pub(super) async fn parents(engine: &dyn Engine) {
    let index = opened(engine, "suite-parents").await;
    let parent = |name: &str| Some(Arc::new(Parent { id: name.to_owned(), text: format!("all of {name}") }));
    let mut records = Vec::new();
    for (at, of) in [(0, "p"), (1, "p"), (2, "q"), (3, "p"), (4, "q")] {
        let mut record = record(&format!("c{at}"), &format!("child {at}"), [1.0, at as f32, 0.0, 0.0]);
        record.parent = parent(of);
        record.metadata = metadata([("at", Value::Number(f64::from(at)))]);
        records.push(record);
    }
    records.push(record("alone", "alone", [1.0, 2.5, 0.0, 0.0]));
    index.replace(vec![document("s", "a", records)]).await.unwrap();
    let hits = index.search(near(X)).await.unwrap();
    assert_eq!(ids(&hits), ["p", "q", "alone"]);
    assert_eq!(
        (hits[0].text.as_str(), hits[1].text.as_str(), hits[2].text.as_str()),
        ("all of p", "all of q", "alone")
    );
    // The best child speaks for its parent.
    assert!((hits[0].cosine.unwrap() - 1.0).abs() < 1e-3);
    assert_eq!(hits[0].metadata.get("at"), Some(&Value::Number(0.0)));
    // Three children of one parent do not keep others out.
    let hits = index.search(Query { limit: 2, ..near(X) }).await.unwrap();
    assert_eq!(ids(&hits), ["p", "q"]);
    let only = Filter::GreaterThan("at".to_owned(), 2.5);
    let hits = index.search(within(only)).await.unwrap();
    assert_eq!(ids(&hits), ["p", "q"]);
    assert_eq!(hits[0].metadata.get("at"), Some(&Value::Number(3.0)));
}

pub(super) async fn words(engine: &dyn Engine) {
    if !engine.hybrid() {
        return;
    }
    let index = opened(engine, "suite-words").await;
    let mut records: Vec<Record> = (0..30)
        .map(|at| record(&format!("r{at:02}"), &format!("common text about things, page {at}"), [1.0, 0.2, 0.0, 0.0]))
        .collect();
    records[17].text = "the zeppelin was landing".to_owned();
    index.replace(vec![document("s", "a", records)]).await.unwrap();
    let ask = |text: &str| Query { mode: Mode::Hybrid, text: text.to_owned(), limit: 5, ..near(X) };
    // Words decide where vectors cannot.
    let hits = index.search(ask("Zeppelin")).await.unwrap();
    assert_eq!(hits[0].id, "r17");
    assert!(hits[0].score > hits[1].score);
    check(&hits);
    // Vectors alone do not see them.
    let semantic = index.search(Query { mode: Mode::Semantic, ..ask("Zeppelin") }).await.unwrap();
    assert!((semantic[0].score - semantic[4].score).abs() < 1e-6);
    // What is gone is not found by words either; what is new is.
    let new = record("new", "a dirigible and nothing else", [1.0, 0.2, 0.0, 0.0]);
    index
        .replace(vec![document("s", "a", vec![new, record("other", "common text", [1.0, 0.2, 0.0, 0.0])])])
        .await
        .unwrap();
    assert_eq!(index.search(ask("zeppelin")).await.unwrap().len(), 2);
    assert_eq!(index.search(ask("dirigible")).await.unwrap()[0].id, "new");
    let long = "dirigible ".repeat(10_000) + &"x".repeat(10_000);
    assert_eq!(index.search(ask(&long)).await.unwrap()[0].id, "new");
}

pub(super) async fn bits(engine: &dyn Engine) {
    let shape = Shape { dimensions: 16, binary: true };
    engine.discard("suite-bits").await.unwrap();
    let index = engine.open("suite-bits", shape).await.unwrap();
    let bits = |id: &str, bits: [u8; 2]| Record { vector: Vector::Binary(bits.to_vec()), ..record(id, id, X) };
    let records = vec![bits("far", [0xff, 0xff]), bits("half", [0xff, 0]), bits("one", [1, 0]), bits("same", [0, 0])];
    index.replace(vec![document("s", "a", records)]).await.unwrap();
    let query = Query { vector: Vector::Binary(vec![0, 0]), ..near(X) };
    let hits = index.search(query).await.unwrap();
    assert_eq!(ids(&hits), ["same", "one", "half", "far"]);
    check(&hits);
    assert!(hits.iter().all(|hit| hit.cosine.is_none()));
    let refused = index.replace(vec![document("s", "b", vec![record("b", "b", X)])]).await;
    assert!(matches!(refused, Err(crate::VectorError::Shape { .. })));
}
