use outcrop_api::{AwsError, Kind as Code};
use outcrop_store::Tag;

use super::*;
use crate::testing::{ELSEWHERE, HERE, KINDS, Thing, bench};
use crate::{ClientToken, Create, Order};

fn is<T: std::fmt::Debug>(result: Result<T>, code: Code, text: &str) {
    let error = result.expect_err(text);
    assert_eq!(error.kind(), code, "{error}");
    assert!(error.message().contains(text), "{}", error.message());
}

#[tokio::test]
async fn a_life() {
    let bench = bench().await;
    let (things, value) = (&bench.things, Thing { number: 1 });
    let made = things.create(HERE, Create { name: Some("mine"), ..Create::new(&value) }).await.unwrap();
    assert_eq!(made.arn, format!("arn:aws:bedrock:us-east-1:000000000000:application-thing/{}", made.id));
    assert_eq!((made.id.len(), made.revision, made.value.number), (12, 1, 1));
    for identifier in [&made.id, &made.arn] {
        assert_eq!(things.get(HERE, identifier).await.unwrap(), made);
    }
    assert_eq!(things.find(HERE, "mine").await.unwrap(), Some(made.clone()));
    let changed = things.update(HERE, &made.arn, |thing| {
        thing.value.number = 2;
        thing.name = Some("renamed".into());
        Ok::<_, Error>(())
    });
    let changed = changed.await.unwrap();
    assert_eq!((changed.revision, changed.value.number, changed.created), (2, 2, made.created));
    assert_eq!(things.find(HERE, "mine").await.unwrap(), None);
    is(things.save(HERE, made.clone()).await, Code::Conflict, "was changed by another request");
    things.delete(HERE, &made.arn).await.unwrap();
    for identifier in [&made.id, &made.arn] {
        let text = format!("Thing with id {identifier} does not exist");
        is(things.get(HERE, identifier).await, Code::ResourceNotFound, &text);
        is(things.delete(HERE, identifier).await, Code::ResourceNotFound, &text);
    }
    is(things.save(HERE, changed).await, Code::ResourceNotFound, "does not exist");
}

#[tokio::test]
async fn names_are_unique_where_they_are_given() {
    let bench = bench().await;
    let value = Thing { number: 1 };
    let named = |name| Create { name: Some(name), ..Create::new(&value) };
    bench.things.create(HERE, named("a")).await.unwrap();
    let text = "Thing with name a already exists.";
    is(bench.things.create(HERE, named("a")).await, Code::Conflict, text);
    let second = bench.things.create(HERE, named("b")).await.unwrap();
    let rename = bench.things.update(HERE, &second.id, |thing| {
        thing.name = Some("a".into());
        Ok::<_, Error>(())
    });
    is(rename.await, Code::Conflict, text);
    bench.make(HERE, 1).await;
    bench.make(HERE, 1).await;
    let given = Create { id: Some("chosen"), ..Create::new(&value) };
    bench.things.create(HERE, given).await.unwrap();
    let given = Create { id: Some("chosen"), ..Create::new(&value) };
    is(bench.things.create(HERE, given).await, Code::Conflict, "Thing with id chosen already exists.");
}

#[tokio::test]
async fn another_account_or_region_sees_nothing() {
    let bench = bench().await;
    let things = &bench.things;
    let value = Thing { number: 1 };
    let made = things.create(HERE, Create { name: Some("mine"), ..Create::new(&value) }).await.unwrap();
    let page = Page { operation: "ListThings", ..Page::default() };
    for scope in ELSEWHERE {
        for identifier in [&made.id, &made.arn] {
            is(things.get(scope, identifier).await, Code::ResourceNotFound, identifier);
            is(things.delete(scope, identifier).await, Code::ResourceNotFound, identifier);
            let update = things.update(scope, identifier, |_| Ok::<_, Error>(()));
            is(update.await, Code::ResourceNotFound, identifier);
        }
        is(things.save(scope, made.clone()).await, Code::ResourceNotFound, &made.id);
        assert_eq!(things.find(scope, "mine").await.unwrap(), None);
        assert!(things.list(scope, &page, |_| true).await.unwrap().items.is_empty());
        things.create(scope, Create { name: Some("mine"), ..Create::new(&value) }).await.unwrap();
    }
    for wrong in
        ["arn:aws:bedrock:us-east-1:000000000000:other/x", "arn:aws:bedrock:us-east-1:000000000000:application-thing/"]
    {
        is(things.get(HERE, wrong).await, Code::ResourceNotFound, wrong);
    }
    assert_eq!(things.get(HERE, &made.id).await.unwrap(), made);
}

#[tokio::test]
async fn a_client_token_makes_one_resource() {
    let bench = bench().await;
    let things = &bench.things;
    let token = Some(ClientToken { operation: "CreateThing", token: "t" });
    let tag = |key: &str| Tag { key: key.into(), value: String::new() };
    let (one, two, forth, back) =
        (Thing { number: 1 }, Thing { number: 2 }, [tag("a"), tag("b")], [tag("b"), tag("a")]);
    let create = |value, tags| Create { client_token: token, name: Some("n"), tags, ..Create::new(value) };
    let first = things.create(HERE, create(&one, &forth)).await.unwrap();
    assert_eq!(things.create(HERE, create(&one, &back)).await.unwrap(), first, "the order of tags is no difference");
    let chosen = Create { id: Some("chosen"), ..create(&one, &forth) };
    assert_eq!(things.create(HERE, chosen).await.unwrap(), first, "an id is made for a call, and no part of it");
    let text = "already used in a request with different parameters";
    is(things.create(HERE, create(&two, &forth)).await, Code::Conflict, text);
    is(things.create(HERE, create(&one, &forth[..1])).await, Code::Conflict, text);
    is(things.create(HERE, Create { name: Some("m"), ..create(&one, &forth) }).await, Code::Conflict, text);
    let other = Some(ClientToken { operation: "CreateOther", token: "t" });
    let made = things.create(HERE, Create { client_token: other, ..Create::new(&one) }).await.unwrap();
    assert_ne!(made.id, first.id);
    for scope in ELSEWHERE {
        assert_ne!(things.create(scope, create(&two, &forth)).await.unwrap().id, first.id);
    }
    assert!(!things.create_once(HERE, create(&one, &forth)).await.unwrap().1, "an earlier call has made it");
    things.delete(HERE, &first.id).await.unwrap();
    let (again, is_new) = things.create_once(HERE, create(&one, &forth)).await.unwrap();
    assert!(is_new && again.id != first.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_updates_all_count() {
    let bench = bench().await;
    let id = bench.make(HERE, 0).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (things, id) = (bench.things.clone(), id.clone());
            tokio::spawn(async move {
                let add = |thing: &mut Resource<Thing>| {
                    thing.value.number += 1;
                    Ok::<_, Error>(())
                };
                things.update(HERE, &id, add).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let thing = bench.things.get(HERE, &id).await.unwrap();
    assert_eq!((thing.value.number, thing.revision), (8, 9));
}

#[tokio::test]
async fn a_refused_update_changes_nothing() {
    let bench = bench().await;
    let id = bench.make(HERE, 1).await;
    let refuse = |thing: &mut Resource<Thing>| {
        thing.value.number = 2;
        Err(Error::Validation("no".into()))
    };
    is(bench.things.update(HERE, &id, refuse).await, Code::Validation, "no");
    assert_eq!(bench.things.get(HERE, &id).await.unwrap().value.number, 1);
}

#[tokio::test]
async fn lists_by_parent_and_filter() {
    let bench = bench().await;
    for number in 0..10 {
        let value = Thing { number };
        let parent = (number % 2 == 0).then_some("even");
        bench.things.create(HERE, Create { parent, ..Create::new(&value) }).await.unwrap();
    }
    let page = Page { operation: "ListThings", ..Page::default() };
    let numbers = |listed: Listed<Resource<Thing>>| listed.items.iter().map(|it| it.value.number).collect::<Vec<_>>();
    let all = bench.things.list(HERE, &page, |_| true).await.unwrap();
    assert_eq!((all.next_token.clone(), numbers(all)), (None, (0..10).collect()));
    let even = Page { parent: Some("even"), ..page };
    assert_eq!(numbers(bench.things.list(HERE, &even, |_| true).await.unwrap()), [0, 2, 4, 6, 8]);
    let large = Page { filter: "large", max_results: Some(2), ..page };
    let listed = bench.things.list(HERE, &large, |thing| thing.value.number > 5).await.unwrap();
    let token = listed.next_token.clone().unwrap();
    assert_eq!(numbers(listed), [6, 7]);
    let rest = Page { next_token: Some(&token), ..large };
    let listed = bench.things.list(HERE, &rest, |thing| thing.value.number > 5).await.unwrap();
    assert_eq!((listed.next_token.clone(), numbers(listed)), (None, vec![8, 9]));
}

#[tokio::test]
async fn a_document_of_another_shape_is_this_servers_fault() {
    let bench = bench().await;
    let words: Collection<Vec<String>> = bench.resources.collection(&KINDS[0]);
    let made = words.create(HERE, Create::new(&vec!["secret text".to_owned()])).await.unwrap();
    let error = bench.things.get(HERE, &made.id).await.unwrap_err();
    assert_eq!(error.kind(), Code::InternalServer);
    assert!(!error.message().contains("secret text"));
}

#[tokio::test]
async fn the_newest_come_first_where_that_is_asked_and_tokens_keep_to_their_order() {
    let bench = bench().await;
    for number in 0..5 {
        bench.make(HERE, number).await;
    }
    let page = Page { operation: "ListThings", order: Order::NewestFirst, max_results: Some(2), ..Page::default() };
    let (mut seen, mut token) = (Vec::new(), None);
    loop {
        let listed = bench.things.list(HERE, &Page { next_token: token.as_deref(), ..page }, |_| true).await.unwrap();
        seen.extend(listed.items.iter().map(|it| it.value.number));
        let Some(next) = listed.next_token else { break };
        let turned = Page { next_token: Some(&next), order: Order::OldestFirst, ..page };
        assert_eq!(bench.things.list(HERE, &turned, |_| true).await.unwrap_err().kind(), Code::Validation);
        token = Some(next);
    }
    assert_eq!(seen, [4, 3, 2, 1, 0]);
}

#[tokio::test]
async fn what_goes_along_happens_with_the_write_or_not_at_all() {
    let bench = bench().await;
    let add = |by| Op::Add { scope: HERE.owned(), counter: "sold".into(), by, min: 0, max: 3 };
    let sold = || bench.resources.store().counter(HERE.owned(), "sold".into());
    let make = async |name: &'static str, by| {
        let new =
            Create { name: Some(name), also: Some(&move |_| Ok(vec![add(by)])), ..Create::new(&Thing { number: 1 }) };
        bench.things.create(HERE, new).await
    };
    let made = make("a", 2).await.unwrap();
    assert_eq!(make("b", 2).await.unwrap_err().kind(), Code::ServiceQuotaExceeded);
    assert_eq!(bench.things.find(HERE, "b").await.unwrap(), None);
    assert_eq!(sold().await.unwrap(), 2);
    let grow = |by| {
        bench.things.update_with(HERE, &made.id, move |thing| {
            thing.value.number += 1;
            Ok::<_, Error>(vec![add(by)])
        })
    };
    assert_eq!(grow(1).await.unwrap().value.number, 2);
    assert_eq!(grow(1).await.unwrap_err().kind(), Code::ServiceQuotaExceeded);
    assert_eq!(bench.things.get(HERE, &made.id).await.unwrap().value.number, 2);
    assert_eq!(
        bench.things.delete_with(HERE, &made.id, vec![add(-4)]).await.unwrap_err().kind(),
        Code::ServiceQuotaExceeded
    );
    bench.things.delete_with(HERE, &made.id, vec![add(-3)]).await.unwrap();
    assert_eq!(sold().await.unwrap(), 0);
}
