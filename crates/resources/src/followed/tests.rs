use std::collections::BTreeMap;
use std::sync::Mutex;

use outcrop_store::{Batch, NewDocument, Op};

use super::*;
use crate::testing::{Bench, bench};

#[derive(Default)]
struct Bodies(Mutex<BTreeMap<String, Vec<u8>>>);

impl Memory for Bodies {
    fn replace(&self, all: Vec<Document>) {
        *self.0.lock().unwrap() = all.into_iter().map(|d| (d.key.id, d.body)).collect();
    }

    fn update(&self, changes: Vec<(String, Option<Document>)>) {
        let mut bodies = self.0.lock().unwrap();
        for (id, document) in changes {
            match document {
                Some(document) => bodies.insert(id, document.body),
                None => bodies.remove(&id),
            };
        }
    }
}

fn followed(b: &Bench, kind: &'static str) -> Followed<Bodies> {
    Followed::new(b.resources.clone(), kind, Bodies::default())
}

fn insert(kind: &str, id: &str) -> Op {
    Op::Insert(NewDocument { key: key(kind, id), name: None, parent: None, body: b"1".to_vec(), sealed_by: None })
}

async fn ids(marks: &Followed<Bodies>) -> Vec<String> {
    marks.catch_up().await.unwrap();
    marks.memory().0.lock().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn everything_is_read_however_much_it_is() {
    let b = bench().await;
    let (early, late) = (followed(&b, "mark"), followed(&b, "mark"));
    assert!(ids(&early).await.is_empty());
    let many: Vec<_> = (0..STRIDE + 3).map(|i| insert("mark", &i.to_string())).collect();
    b.resources.store.commit(Batch::new(many)).await.unwrap();
    // By the changes, and from the beginning.
    assert_eq!((ids(&early).await.len(), ids(&late).await.len()), (STRIDE + 3, STRIDE + 3));
}

#[tokio::test]
async fn another_kind_is_another_place() {
    let b = bench().await;
    let (marks, others) = (followed(&b, "mark"), followed(&b, "other"));
    assert!(ids(&marks).await.is_empty() && ids(&others).await.is_empty());
    b.resources.store.commit(Batch::new([insert("mark", "a"), insert("mark", "b")])).await.unwrap();
    b.resources.store.commit(Op::Discard { key: key("mark", "a") }.into()).await.unwrap();
    assert_eq!((ids(&marks).await, ids(&others).await), (vec!["b".to_owned()], vec![]));
}
