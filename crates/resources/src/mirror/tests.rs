use serde::Deserialize;

use super::*;
use crate::testing::bench;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Count {
    number: u32,
}

async fn add(all: &Mirror<Count>, id: &str) -> Result<()> {
    all.update(id, |count| {
        count.number += 1;
        Ok::<_, Error>(())
    })
    .await
}

#[tokio::test]
async fn what_is_written_is_in_memory_and_in_the_store() {
    let b = bench().await;
    let all = Mirror::<Count>::new(&b.resources, "count");
    assert_eq!((all.get("a"), all.read("a").await.unwrap()), (None, None));
    add(&all, "a").await.unwrap();
    add(&all, "a").await.unwrap();
    assert_eq!(all.get("a").unwrap().number, 2);
    assert_eq!(all.read("a").await.unwrap(), Some(Count { number: 2 }));
    let refused = all.update("a", |_| Err(Error::Validation("no".into()))).await;
    assert!(matches!(refused, Err(Error::Validation(_))));
    assert_eq!(all.get("a").unwrap().number, 2, "what was refused changed nothing");
}

#[tokio::test]
async fn nothing_is_lost_where_many_write_the_same() {
    let b = bench().await;
    let all = Arc::new(Mirror::<Count>::new(&b.resources, "count"));
    let tasks = (0..8).map(|_| {
        let all = Arc::clone(&all);
        tokio::spawn(async move { add(&all, "a").await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    assert_eq!(all.get("a").unwrap().number, 8);
}

#[tokio::test]
async fn another_reads_all_at_first_and_then_follows() {
    let b = bench().await;
    let (one, other) = (Mirror::<Count>::new(&b.resources, "count"), Mirror::<Count>::new(&b.resources, "count"));
    add(&one, "a").await.unwrap();
    other.catch_up().await.unwrap();
    assert_eq!(other.now().len(), 1);
    let follow = async {
        other.follow().await;
    };
    let write = async {
        add(&one, "b").await.unwrap();
        b.resources.store().commit(one.discard("a").into()).await.unwrap();
        while other.now().len() != 1 || other.get("b").is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = follow => unreachable!("it follows until it is dropped"),
        () = write => {}
    }
    assert_eq!(other.get("a"), None);
}

#[tokio::test]
async fn what_cannot_be_read_counts_as_absent_and_is_told() {
    let b = bench().await;
    let all = Mirror::<Count>::new(&b.resources, "count");
    let key = key("count", "a");
    let odd = NewDocument { key, name: None, parent: None, body: b"[]x".to_vec(), sealed_by: None };
    b.resources.store().commit(Op::Insert(odd).into()).await.unwrap();
    all.catch_up().await.unwrap();
    assert_eq!(all.get("a"), None);
    assert!(matches!(all.read("a").await, Err(Error::Unreadable { .. })));
}
