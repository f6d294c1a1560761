mod crash;
mod leftover;
mod near;

use std::path::Path;

use super::*;
use crate::suite::{self, Can};
use crate::{Mode, Query, Record, Replace, Vector};

const SHAPE: Shape = Shape { dimensions: 4, binary: false };

fn engine(folder: &Path) -> Embedded {
    Embedded::open(folder).unwrap()
}

#[tokio::test]
async fn passes_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    suite::run(&engine(folder.path()), Can { binary: true }).await;
}

fn document(name: &str, texts: &[&str]) -> Replace {
    let record = |(at, text): (usize, &&str)| Record {
        id: format!("{name}-{at}"),
        text: (*text).to_owned(),
        parent: None,
        vector: Vector::Float(vec![1.0, 0.01 * at as f32, 0.0, 0.0]),
        metadata: crate::Metadata::new(),
    };
    Replace {
        source: "s".to_owned(),
        document: name.to_owned(),
        records: texts.iter().enumerate().map(record).collect(),
    }
}

async fn found(index: &dyn Index, text: &str) -> Vec<String> {
    let vector = Vector::Float(vec![1.0, 0.0, 0.0, 0.0]);
    let query = Query { vector, text: text.to_owned(), mode: Mode::Hybrid, filter: None, limit: 10, said: None };
    index.search(query).await.unwrap().into_iter().map(|hit| hit.id).collect()
}

#[tokio::test]
async fn words_that_were_asked_before_the_vector_was_known_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let index = engine.open("b", SHAPE).await.unwrap();
    index.replace(vec![document("a", &["red apple", "green pear"]), document("b", &["a red plum"])]).await.unwrap();
    let vector = Vector::Float(vec![0.0, 1.0, 0.0, 0.0]);
    let text = "a red pear".to_owned();
    let query = Query { vector, text, mode: Mode::Hybrid, filter: None, limit: 10, said: None };
    let said = index.words(&query.text, None, query.limit).await.unwrap();
    assert!(said.is_some());
    let ahead = Query { said, ..query.clone() };
    assert_eq!(index.search(ahead.clone()).await.unwrap(), index.search(query.clone()).await.unwrap());

    // What has gone since is not found.
    index.replace(vec![document("a", &["a red pear"])]).await.unwrap();
    let hits = index.search(ahead).await.unwrap();
    let mut ids: Vec<&str> = hits.iter().map(|hit| hit.text.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a red pear", "a red plum"]);
    assert!(index.words("?!", None, 10).await.unwrap().is_none());
}

#[tokio::test]
async fn is_the_same_when_opened_again_and_words_that_were_lost_are_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let first = engine(folder.path());
    let index = first.open("b", SHAPE).await.unwrap();
    index.replace(vec![document("a", &["red apple", "green pear"]), document("b", &["plum"])]).await.unwrap();
    index.replace(vec![document("b", &["a yellow banana", "cherry"])]).await.unwrap();
    let expected = found(&*index, "cherries").await;
    assert_eq!(expected[0], "b-1");
    drop((index, first));

    let words = folder.path().join("b/words");
    let damage: [&dyn Fn(); 3] =
        [&|| {}, &|| fs::remove_dir_all(&words).unwrap(), &|| fs::write(words.join("meta.json"), "{").unwrap()];
    for damage in damage {
        damage();
        let engine = engine(folder.path());
        let index = engine.open("b", SHAPE).await.unwrap();
        assert_eq!(found(&*index, "cherries").await, expected);
        assert_eq!(index.stats().await.unwrap().chunks, 4);
    }
}

#[tokio::test]
async fn the_best_few_are_the_first_of_the_best_many() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let index = engine.open("b", SHAPE).await.unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut vector = move || Vector::Float((0..4).map(|_| random.f32() - 0.3).collect());
    let mut random = fastrand::Rng::with_seed(8);
    let mut text = move || (0..12).map(|_| format!("w{} ", random.u32(..9) * random.u32(..9))).collect::<String>();
    let mut documents: Vec<Replace> = (0..500).map(|at| document(&at.to_string(), &[&text()])).collect();
    documents.iter_mut().for_each(|one| one.records[0].vector = vector());
    index.replace(documents).await.unwrap();
    for _ in 0..20 {
        let query = Query { vector: vector(), text: text(), mode: Mode::Hybrid, filter: None, limit: 100, said: None };
        let many = index.search(query.clone()).await.unwrap();
        for limit in [1, 5, 20] {
            let few = index.search(Query { limit, ..query.clone() }).await.unwrap();
            assert_eq!(few, many[..limit]);
        }
    }
}

#[tokio::test]
async fn of_many_indexes_those_asked_for_last_stay_open() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let used = engine.open("used", SHAPE).await.unwrap();
    for at in 0..OPEN + 6 {
        let index = engine.open(&format!("b{at}"), SHAPE).await.unwrap();
        index.replace(vec![document("a", &["red apple"])]).await.unwrap();
    }
    let open = || engine.open.lock().unwrap().bases.len();
    assert_eq!(open(), OPEN);
    {
        let open = engine.open.lock().unwrap();
        assert!(open.bases.contains_key("used") && !open.bases.contains_key("b0"));
    }
    used.replace(vec![document("a", &["plum"])]).await.unwrap();
    let first = engine.open("b0", SHAPE).await.unwrap();
    assert_eq!(found(&*first, "apples").await, ["a-0"]);
    assert_eq!(open(), OPEN);
}

#[tokio::test]
async fn a_folder_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let first = engine(folder.path());
    assert!(matches!(Embedded::open(folder.path()), Err(VectorError::Failed(why)) if why.contains("in use")));
    drop(first);
    engine(folder.path());
}

#[tokio::test]
async fn a_deleted_index_says_so_and_its_name_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let index = engine.open("b", SHAPE).await.unwrap();
    engine.discard("b").await.unwrap();
    assert!(matches!(index.stats().await, Err(VectorError::Failed(why)) if why.contains("deleted")));
    assert!(index.replace(vec![document("a", &["x"])]).await.is_err());
    for name in ["", "..", "a/b", "a\0b", ".discarded-b"] {
        assert!(matches!(engine.discard(name).await, Err(VectorError::Invalid(_))));
        assert!(matches!(engine.open(name, SHAPE).await.err(), Some(VectorError::Invalid(_))));
    }
}
