use super::*;
use crate::served::{Served, outbound};
use crate::suite::{self, Can};

/// Against a program that speaks the documented interface: no package carries a Qdrant.
#[tokio::test]
async fn qdrant() {
    let served = Served::start("qdrant");
    let store = Qdrant::new(&served.url, Some("not a secret"), &outbound()).unwrap();
    suite::run(&*store.at(None), Can { binary: false }).await;
    let binary = store.open("bits", Shape { dimensions: 8, binary: true }).await.err();
    assert!(matches!(binary, Some(VectorError::Unsupported(_))), "{binary:?}");

    let wrong = Qdrant::new(&served.url, Some("wr0ng"), &outbound()).unwrap();
    let shape = Shape { dimensions: 4, binary: false };
    let refused = wrong.open("x", shape).await.err().unwrap().to_string();
    assert!(refused.contains("401") && !refused.contains("wr0ng"), "{refused}");

    halfway(&store).await;
    let index = store.open("gone", shape).await.unwrap();
    drop(served);
    let gone = index.stats().await.unwrap_err();
    assert!(matches!(gone, VectorError::Failed(_)), "{gone:?}");
}

#[test]
fn a_head_keeps_its_name() {
    assert_eq!(head("s", "d"), "213aac53-ff29-4c07-4edd-7b2db448898e");
}

/// A writing that ended before its document's head: the old chunks are found, and the new ones are not.
async fn halfway(store: &Qdrant) {
    let shape = Shape { dimensions: 2, binary: false };
    let record = |id: &str, vector: [f32; 2]| Record {
        id: id.to_owned(),
        text: id.to_owned(),
        parent: None,
        vector: Vector::Float(vector.to_vec()),
        metadata: Metadata::new(),
    };
    let document = |records| Replace { source: "s".to_owned(), document: "d".to_owned(), records };
    let index = store.open("halfway", shape).await.unwrap();
    index.replace(vec![document(vec![record("old", [1.0, 1.0])])]).await.unwrap();
    let collection = Collection { store: store.clone(), path: path("halfway").unwrap(), shape };
    let new = document((0..5).map(|at| record(&format!("new{at}"), [1.0, 0.0])).collect());
    let points: Vec<_> = new.records.iter().map(|one| collection.point(&new, one, "unfinished").unwrap()).collect();
    collection.upsert(&points).await.unwrap();
    let query = Query {
        vector: Vector::Float(vec![1.0, 0.0]),
        text: String::new(),
        mode: crate::Mode::Semantic,
        filter: None,
        limit: 1,
        said: None,
    };
    let ids = async || index.search(query.clone()).await.unwrap().into_iter().map(|hit| hit.id).collect::<Vec<_>>();
    assert_eq!(ids().await, ["old"]);
    index.replace(vec![new]).await.unwrap();
    assert!(ids().await[0].starts_with("new"));
    assert_eq!(index.stats().await.unwrap(), Stats { documents: 1, chunks: 5, bytes: 0 });
}
