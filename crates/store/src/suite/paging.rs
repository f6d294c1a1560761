//! Lists: order, ends, parents, and pages that stay whole while others write.

use super::documents::join_all;
use super::{commit, new, put, scope, written};
use crate::{Cursor, Document, NewDocument, Op, Order, Query, Scope, Store};

async fn page(store: &dyn Store, scope: &Scope, order: Order, after: Option<Cursor>, limit: usize) -> Vec<Document> {
    let query = Query { scope: scope.clone(), kind: "thing".into(), parent: None, after, order, limit };
    store.list(query).await.unwrap()
}

fn ids(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.key.id.as_str()).collect()
}

pub(super) async fn orders_and_parents(store: &dyn Store) {
    let scope = scope("order");
    for id in ["c", "a", "d", "b", "e"] {
        let parent = matches!(id, "a" | "b" | "e").then(|| "p".to_owned());
        written(store, Op::Insert(NewDocument { parent, ..new(&scope.key("thing", id), id) })).await;
    }
    written(store, Op::Insert(new(&scope.key("other", "x"), ""))).await;
    written(store, put(&scope.key("thing", "c"), None, "updated")).await;
    commit(store, Op::Delete { key: scope.key("thing", "d"), expect: None }).await.unwrap();
    let all = page(store, &scope, Order::OldestFirst, None, 10).await;
    assert_eq!(ids(&all), ["c", "a", "b", "e"], "creation decides, updates do not move, other kinds stay out");
    assert_eq!(ids(&page(store, &scope, Order::NewestFirst, None, 3).await), ["e", "b", "a"]);
    let past_a = Some(all[1].cursor);
    assert_eq!(ids(&page(store, &scope, Order::OldestFirst, past_a, 1).await), ["b"]);
    assert_eq!(ids(&page(store, &scope, Order::NewestFirst, past_a, 9).await), ["c"]);
    assert!(page(store, &scope, Order::OldestFirst, Some(all[3].cursor), 9).await.is_empty());
    assert!(page(store, &scope, Order::OldestFirst, None, 0).await.is_empty());
    let of_parent = |after, order| Query {
        scope: scope.clone(),
        kind: "thing".into(),
        parent: Some("p".into()),
        after,
        order,
        limit: 2,
    };
    assert_eq!(ids(&store.list(of_parent(None, Order::OldestFirst)).await.unwrap()), ["a", "b"]);
    assert_eq!(ids(&store.list(of_parent(Some(all[2].cursor), Order::OldestFirst)).await.unwrap()), ["e"]);
    assert_eq!(ids(&store.list(of_parent(None, Order::NewestFirst)).await.unwrap()), ["e", "b"]);
}

/// Whoever is there from the first page to the last is listed once, whatever the others do between.
pub(super) async fn under_churn(store: &dyn Store) {
    let scope = scope("churn");
    for round in 0..30 {
        let kept = written(store, Op::Insert(new(&scope.key("thing", format!("keep-{round:02}")), ""))).await;
        assert_eq!(kept.version, 1);
        written(store, Op::Insert(new(&scope.key("thing", format!("old-{round:02}")), ""))).await;
    }
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let (mut seen, mut after, mut round) = (Vec::new(), None, 0);
        loop {
            let listed = page(store, &scope, order, after, 4).await;
            seen.extend(listed.iter().map(|document| document.key.id.clone()));
            if listed.len() < 4 {
                break;
            }
            after = listed.last().map(|document| document.cursor);
            // Behind the cursor, under it and ahead of it.
            let gone = scope.key("thing", format!("old-{:02}", (round * 7) % 30));
            let here = scope.key("thing", format!("new-{order:?}-{round}"));
            let writes = [Op::Delete { key: gone, expect: None }, Op::Insert(new(&here, ""))];
            join_all(writes.map(|op| commit(store, op))).await;
            round += 1;
            assert!(round < 60, "the list ends");
        }
        let kept: Vec<_> = seen.iter().filter(|id| id.starts_with("keep")).cloned().collect();
        let mut expected: Vec<_> = (0..30).map(|round| format!("keep-{round:02}")).collect();
        if order == Order::NewestFirst {
            expected.reverse();
        }
        assert_eq!(kept, expected);
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "nobody twice");
    }
}
