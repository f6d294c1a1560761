use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use outcrop_api::{AwsError, Kind as Code};
use proptest::prelude::*;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::testing::{Bench, ELSEWHERE, HERE, Thing, bench};
use crate::*;

const PAGE: Page<'static> = Page {
    operation: "ListThings",
    max_results: Some(2),
    next_token: None,
    parent: None,
    filter: "",
    order: Order::OldestFirst,
};

async fn token(bench: &Bench, page: &Page<'_>) -> String {
    bench.things.list(HERE, page, |_| true).await.unwrap().next_token.unwrap()
}

async fn refused(bench: &Bench, scope: Scope<'_>, page: &Page<'_>, token: &str) {
    let page = Page { next_token: Some(token), ..*page };
    let error = bench.things.list(scope, &page, |_| true).await.expect_err(token);
    assert_eq!(error.kind(), Code::Validation);
    assert_eq!(error.message(), "The provided pagination token is invalid.");
}

#[tokio::test]
async fn tokens_cannot_be_carried() {
    let bench = bench().await;
    for number in 0..5 {
        bench.make(HERE, number).await;
    }
    let good = token(&bench, &PAGE).await;
    for scope in ELSEWHERE {
        bench.make(scope, 1).await;
        refused(&bench, scope, &PAGE, &good).await;
    }
    let others = [
        Page { operation: "ListOthers", ..PAGE },
        Page { filter: "type=x", ..PAGE },
        Page { parent: Some("p"), ..PAGE },
        // The same letters, differently divided.
        Page { operation: "ListThing", filter: "s", ..PAGE },
    ];
    for other in others {
        refused(&bench, HERE, &other, &good).await;
    }
    let more = Page { next_token: Some(&good), max_results: Some(1000), ..PAGE };
    assert_eq!(bench.things.list(HERE, &more, |_| true).await.unwrap().items.len(), 3, "maxResults may change");
}

#[tokio::test]
async fn tokens_cannot_be_made_up() {
    let bench = bench().await;
    for number in 0..5 {
        bench.make(HERE, number).await;
    }
    let good = token(&bench, &PAGE).await;
    for index in 0..good.len() {
        let mut forged = good.clone().into_bytes();
        // Another letter of the alphabet at every place; the last carries spare bits that decoding refuses.
        forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
        refused(&bench, HERE, &PAGE, std::str::from_utf8(&forged).unwrap()).await;
    }
    for forged in ["", "x", "s1", "AAAA", "ä", &good[..good.len() - 4], &format!("{good}AAAA"), &format!("{good}=")] {
        refused(&bench, HERE, &PAGE, forged).await;
    }
    let mut unsealed = URL_SAFE_NO_PAD.decode(&good).unwrap();
    unsealed.truncate(32);
    unsealed.extend(b"s0");
    refused(&bench, HERE, &PAGE, &URL_SAFE_NO_PAD.encode(unsealed)).await;
    let another = testing::bench().await;
    another.make(HERE, 1).await;
    refused(&another, HERE, &PAGE, &good).await;
}

#[tokio::test]
async fn tokens_outlive_a_restart() {
    let bench = bench().await;
    for number in 0..5 {
        bench.make(HERE, number).await;
    }
    let good = token(&bench, &PAGE).await;
    let Bench { resources, things, folder } = bench;
    drop((resources, things));
    let store = outcrop_store::Sqlite::open(folder.path(), &outcrop_store::Options::default()).unwrap();
    let resources = Resources::open(Arc::new(store)).await.unwrap();
    let things: Collection<Thing> = resources.collection(&testing::KINDS[0]);
    let page = Page { next_token: Some(&good), ..PAGE };
    let numbers: Vec<_> =
        things.list(HERE, &page, |_| true).await.unwrap().items.into_iter().map(|it| it.value.number).collect();
    assert_eq!(numbers, [2, 3]);
}

#[tokio::test]
async fn max_results_has_bounds() {
    let bench = bench().await;
    for (wrong, bound) in
        [(0, "greater than or equal to 1"), (-5, "greater than or equal to 1"), (1001, "less than or equal to 1000")]
    {
        let page = Page { max_results: Some(wrong), ..PAGE };
        let error = bench.things.list(HERE, &page, |_| true).await.expect_err(bound);
        assert_eq!(error.kind(), Code::Validation);
        let text = format!(
            "1 validation error detected: Value '{wrong}' at 'maxResults' failed to satisfy constraint: Member must have value {bound}"
        );
        assert_eq!(error.message(), text);
    }
}

/// What happens while somebody reads a list.
#[derive(Debug, Clone)]
enum Step {
    Insert,
    /// Deletes one of those that may go.
    Delete(prop::sample::Index),
    Read,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Insert),
        2 => any::<prop::sample::Index>().prop_map(Step::Delete),
        3 => Just(Step::Read),
    ];
    prop::collection::vec(step, 0..40)
}

/// Reads a list of `fixed` entries and `kept` + `going` resources page by page while the steps happen.
async fn read_through(
    bench: &Bench,
    scope: Scope<'_>,
    fixed: i64,
    kept: i64,
    going: i64,
    limit: i32,
    steps: Vec<Step>,
) {
    // Even numbers pass the filter. Those below 1000 stay, the others come and go.
    let mut ids = BTreeMap::new();
    for number in 0..kept.max(going) {
        if number < kept {
            bench.make(scope, number).await;
        }
        if number < going {
            ids.insert(1000 + number, bench.make(scope, 1000 + number).await);
        }
    }
    let (mut seen, mut token, mut next) = (Vec::new(), None::<String>, 2000);
    let mut steps = steps.into_iter();
    loop {
        match steps.next() {
            Some(Step::Insert) => {
                ids.insert(next, bench.make(scope, next).await);
                next += 1;
                continue;
            }
            Some(Step::Delete(which)) => {
                if !ids.is_empty() {
                    let number = *which.get(&ids.keys().copied().collect::<Vec<_>>());
                    bench.things.delete(scope, &ids.remove(&number).unwrap()).await.unwrap();
                }
                continue;
            }
            Some(Step::Read) | None => {}
        }
        let page = Page { max_results: Some(limit), next_token: token.as_deref(), filter: "even", ..PAGE };
        let show = |thing: Resource<Thing>| Some(thing.value.number).filter(|number| number % 2 == 0);
        let listed = bench.things.list_after(scope, &page, (-fixed..0).collect(), show).await.unwrap();
        assert!(listed.items.len() <= limit as usize);
        seen.extend(listed.items);
        match listed.next_token {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    let once: BTreeSet<_> = seen.iter().copied().collect();
    assert_eq!(once.len(), seen.len(), "nobody twice: {seen:?}");
    let stayed: Vec<_> = seen.iter().copied().filter(|number| *number < 1000).collect();
    let expected: Vec<_> = (-fixed..0).chain((0..kept).filter(|number| number % 2 == 0)).collect();
    assert_eq!(stayed, expected, "everybody who stayed, in order");
    let late: Vec<_> = seen.iter().copied().filter(|number| *number >= 2000).collect();
    assert!(late.is_sorted(), "{late:?}");
}

#[test]
fn every_resource_once_while_others_come_and_go() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = runtime.block_on(bench());
    let account = AtomicU32::new(1);
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(fixed in 0_i64..5, kept in 0_i64..25, going in 0_i64..12, limit in 1_i32..8, steps in steps())| {
        let account = format!("{:012}", account.fetch_add(1, Ordering::Relaxed));
        let scope = Scope { account: &account, region: "us-east-1" };
        runtime.block_on(read_through(&bench, scope, fixed, kept, going, limit, steps));
    });
}

#[tokio::test]
async fn a_filter_that_keeps_few_reads_a_bounded_part() {
    let bench = bench().await;
    let count = 10_600;
    for start in (0..count).step_by(1000) {
        let insert = |number: i64| {
            let body = format!("{{\"number\":{number}}}").into_bytes();
            let key = HERE.owned().key("thing", format!("{number:012}"));
            outcrop_store::Op::Insert(outcrop_store::NewDocument {
                key,
                name: None,
                parent: None,
                body,
                sealed_by: None,
            })
        };
        let ops: Vec<_> = (start..count.min(start + 1000)).map(insert).collect();
        bench.resources.store().commit(outcrop_store::Batch::new(ops)).await.unwrap();
    }
    let last = |thing: &Resource<Thing>| thing.value.number == count - 1;
    let first = bench.things.list(HERE, &PAGE, last).await.unwrap();
    assert_eq!(first.items.len(), 0);
    let token = first.next_token.expect("an empty page with a next one");
    let second = bench.things.list(HERE, &Page { next_token: Some(&token), ..PAGE }, last).await.unwrap();
    assert_eq!((second.items.len(), second.next_token), (1, None));
}
