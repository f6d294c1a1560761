use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

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

impl Bodies {
    fn of(&self, id: &str) -> Option<String> {
        self.0.lock().unwrap().get(id).map(|body| String::from_utf8(body.clone()).unwrap())
    }
}

async fn open(b: &Bench, kind: &'static str) -> Followed<Bodies> {
    Followed::open(b.resources.clone(), kind, Bodies::default()).await.unwrap()
}

#[tokio::test]
async fn what_is_put_is_in_memory_and_in_the_store() {
    let b = bench().await;
    let (marks, others) = (open(&b, "mark").await, open(&b, "other").await);
    assert_eq!(marks.put("a", b"1".to_vec()).await.unwrap().version, 1);
    let again = marks.put("a", b"2".to_vec()).await.unwrap();
    assert_eq!((again.version, again.body.as_slice()), (2, b"2".as_slice()));
    assert_eq!(marks.memory().of("a").as_deref(), Some("2"));
    assert_eq!(marks.get("a").await.unwrap(), Some(again));
    // Another kind is another place.
    others.catch_up().await.unwrap();
    assert_eq!((others.memory().of("a"), others.get("a").await.unwrap()), (None, None));
}

#[tokio::test]
async fn everything_is_read_at_the_start_however_much_it_is() {
    let b = bench().await;
    let marks = open(&b, "mark").await;
    let many: Vec<_> = (0..STRIDE + 3)
        .map(|i| {
            let (key, body) = (key("mark", &i.to_string()), b"1".to_vec());
            Op::Insert(NewDocument { key, name: None, parent: None, body, sealed_by: None })
        })
        .collect();
    b.resources.store.commit(outcrop_store::Batch::new(many)).await.unwrap();
    assert_eq!(open(&b, "mark").await.memory().0.lock().unwrap().len(), STRIDE + 3);
    let unread = Followed::new(b.resources.clone(), "mark", Bodies::default());
    for late in [marks, unread] {
        late.catch_up().await.unwrap();
        assert_eq!(late.memory().0.lock().unwrap().len(), STRIDE + 3);
    }
}

#[tokio::test]
async fn writers_at_the_same_time_all_get_through() {
    let b = bench().await;
    let (one, two) = (open(&b, "mark").await, open(&b, "mark").await);
    for round in 0..10 {
        let (left, right) = tokio::join!(one.put("a", b"1".to_vec()), two.put("a", b"2".to_vec()));
        let versions = [left.unwrap().version, right.unwrap().version];
        assert_eq!(versions.iter().max(), Some(&(2 * round + 2)), "{versions:?}");
    }
    one.catch_up().await.unwrap();
    two.catch_up().await.unwrap();
    assert_eq!(one.memory().of("a"), two.memory().of("a"));
}

#[tokio::test]
async fn others_writes_and_deletions_arrive() {
    let b = bench().await;
    let (mine, theirs) = (open(&b, "mark").await, open(&b, "mark").await);
    theirs.put("a", b"1".to_vec()).await.unwrap();
    theirs.put("b", b"1".to_vec()).await.unwrap();
    let changed = async {
        while mine.memory().of("b").is_none() || mine.memory().of("a").is_some() {
            tokio::task::yield_now().await;
        }
    };
    b.resources.store.commit(Op::Discard { key: key("mark", "a") }.into()).await.unwrap();
    tokio::select! {
        () = mine.follow() => unreachable!("following ends with the store"),
        seen = tokio::time::timeout(Duration::from_secs(20), changed) => seen.unwrap(),
    }
}
