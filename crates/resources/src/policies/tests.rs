use std::time::Duration;

use outcrop_access::{Caller, CallerKind, Context};
use outcrop_api::bedrock::{
    DeleteResourcePolicyRequest, GetResourcePolicyRequest, PutResourcePolicyRequest, PutResourcePolicyResponse,
};
use outcrop_api::{AwsError, Kind as Code, bedrock_agent as agent};

use super::*;
use crate::testing::{Bench, HERE, KINDS, Thing, bench as empty};
use crate::{Collection, Create};

const OPEN: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},
    "Action":"bedrock:InvokeModel","Resource":"*"}}"#;

fn call(account: &str) -> Context {
    Context::new(Caller::root(account, None, CallerKind::User), HERE.region, "bedrock")
}

async fn bench() -> (Bench, Policies) {
    let b = empty().await;
    let policies = Policies::open(b.resources.clone(), KINDS).await.unwrap();
    (b, policies)
}

async fn thing(b: &Bench) -> String {
    b.things.create(HERE, Create::new(&Thing { number: 1 })).await.unwrap().arn
}

async fn put(all: &Policies, arn: &str, policy: &str) -> Result<PutResourcePolicyResponse> {
    let (resource_arn, resource_policy) = (arn.to_owned(), policy.to_owned());
    bedrock::put(&call(HERE.account), all, PutResourcePolicyRequest { resource_arn, resource_policy }).await
}

async fn get(all: &Policies, arn: &str) -> Result<Option<String>> {
    let input = GetResourcePolicyRequest { resource_arn: arn.to_owned() };
    Ok(bedrock::get(&call(HERE.account), all, input).await?.resource_policy)
}

async fn delete(all: &Policies, arn: &str) -> Result<()> {
    let input = DeleteResourcePolicyRequest { resource_arn: arn.to_owned() };
    bedrock::delete(&call(HERE.account), all, input).await.map(drop)
}

#[tokio::test]
async fn a_policy_is_there_as_written_until_it_is_taken_away() {
    let (b, all) = bench().await;
    let arn = thing(&b).await;
    assert_eq!(get(&all, &arn).await.unwrap_err().kind(), Code::ResourceNotFound);
    assert_eq!(delete(&all, &arn).await.unwrap_err().kind(), Code::ResourceNotFound);
    assert_eq!(put(&all, &arn, OPEN).await.unwrap().resource_arn.as_ref(), Some(&arn));
    assert_eq!(get(&all, &arn).await.unwrap().as_deref(), Some(OPEN));
    assert!(all.in_memory().get(&arn).is_some());
    let other = OPEN.replace("InvokeModel", "GetThing");
    put(&all, &arn, &other).await.unwrap();
    assert_eq!(get(&all, &arn).await.unwrap(), Some(other));
    delete(&all, &arn).await.unwrap();
    assert_eq!(get(&all, &arn).await.unwrap_err().kind(), Code::ResourceNotFound);
    assert!(all.in_memory().get(&arn).is_none());
}

#[tokio::test]
async fn only_what_exists_here_can_have_one_and_only_a_good_one() {
    let (b, all) = bench().await;
    let arn = thing(&b).await;
    let elsewhere = arn.replace("us-east-1", "us-west-2");
    for unknown in [&elsewhere, "arn:aws:bedrock:us-east-1:000000000000:application-thing/nothing", "*", "x"] {
        assert_eq!(put(&all, unknown, OPEN).await.unwrap_err().kind(), Code::Validation, "{unknown}");
        assert_eq!(get(&all, unknown).await.unwrap_err().kind(), Code::ResourceNotFound, "{unknown}");
    }
    let error = put(&all, &arn, r#"{"Version":"2012-10-17","Statement":{"Effect":"Maybe"}}"#).await.unwrap_err();
    assert_eq!(error.kind(), Code::Validation);
    assert_eq!(error.message(), "Syntax errors in policy. The effect is Allow or Deny. (at Statement.Effect)");
    assert_eq!(get(&all, &arn).await.unwrap_err().kind(), Code::ResourceNotFound, "a bad policy changes nothing");
    // Another account does not see the resource at all.
    let input = GetResourcePolicyRequest { resource_arn: arn.clone() };
    let error = bedrock::get(&call("111111111111"), &all, input).await.unwrap_err();
    assert_eq!(error.kind(), Code::ResourceNotFound);
}

#[tokio::test]
async fn it_goes_with_its_resource() {
    let (b, all) = bench().await;
    let arn = thing(&b).await;
    put(&all, &arn, OPEN).await.unwrap();
    b.things.delete(HERE, &arn).await.unwrap();
    all.catch_up().await.unwrap();
    assert!(all.in_memory().get(&arn).is_none());
    assert_eq!(b.resources.store().get(key(&arn)).await.unwrap(), None);
}

#[tokio::test]
async fn no_policy_outlives_its_resource_however_they_race() {
    let (b, all) = bench().await;
    let all = Arc::new(all);
    for _ in 0..20 {
        let arn = thing(&b).await;
        let (writer, named) = (Arc::clone(&all), arn.clone());
        let write = tokio::spawn(async move { while put(&writer, &named, OPEN).await.is_ok() {} });
        tokio::task::yield_now().await;
        b.things.delete(HERE, &arn).await.unwrap();
        write.await.unwrap();
        all.catch_up().await.unwrap();
        assert!(all.in_memory().get(&arn).is_none());
        assert_eq!(b.resources.store().get(key(&arn)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn memory_is_filled_at_the_start_and_follows_others() {
    let (b, all) = bench().await;
    let (first, second) = (thing(&b).await, thing(&b).await);
    put(&all, &first, OPEN).await.unwrap();
    let other = Arc::new(Policies::open(b.resources.clone(), KINDS).await.unwrap());
    assert!(other.in_memory().get(&first).is_some());
    let following = tokio::spawn({
        let other = Arc::clone(&other);
        async move { other.follow().await }
    });
    put(&all, &second, OPEN).await.unwrap();
    delete(&all, &first).await.unwrap();
    let seen = async {
        while other.in_memory().get(&second).is_none() || other.in_memory().get(&first).is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen).await.unwrap();
    following.abort();
}

#[tokio::test]
async fn what_cannot_be_read_denies_everything() {
    let (b, all) = bench().await;
    let arn = thing(&b).await;
    for body in ["{}", "7", r#"{"policy":"{}","revision":"1"}"#] {
        let document = NewDocument { key: key(&arn), name: None, parent: None, body: body.into(), sealed_by: None };
        b.resources.store().commit(Op::Insert(document).into()).await.unwrap();
        all.catch_up().await.unwrap();
        let mut cx = call(HERE.account);
        cx.resource_policies = all.in_memory();
        assert!(cx.allow("bedrock:InvokeModel", &arn).unwrap_err().message().contains("explicit deny"), "{body}");
        b.resources.store().commit(Op::Discard { key: key(&arn) }.into()).await.unwrap();
    }
}

/// A knowledge base as the store will have it.
async fn knowledge_base(b: &Bench) -> String {
    let bases: Collection<Thing> = b.resources.collection(&bedrock_agent::KINDS[0]);
    bases.create(HERE, Create::new(&Thing { number: 1 })).await.unwrap().arn
}

#[tokio::test]
async fn revisions_keep_writers_apart() {
    let (b, all) = bench().await;
    let (cx, arn) = (call(HERE.account), knowledge_base(&b).await);
    let put = |expected: Option<&str>| {
        let (resource_arn, policy) = (arn.clone(), OPEN.to_owned());
        let expected_revision_id = expected.map(str::to_owned);
        bedrock_agent::put(&cx, &all, agent::PutResourcePolicyRequest { resource_arn, policy, expected_revision_id })
    };
    assert_eq!(put(Some("none yet")).await.unwrap_err().kind(), Code::Conflict);
    let first = put(None).await.unwrap().revision_id;
    let second = put(Some(&first)).await.unwrap().revision_id;
    assert_ne!(first, second);
    assert_eq!(put(Some(&first)).await.unwrap_err().kind(), Code::Conflict);
    let got = bedrock_agent::get(&cx, &all, agent::GetResourcePolicyRequest { resource_arn: arn.clone() }).await;
    assert_eq!(got.unwrap().revision_id, second);
    let delete = |expected: &str| {
        let (resource_arn, expected_revision_id) = (arn.clone(), Some(expected.to_owned()));
        bedrock_agent::delete(&cx, &all, agent::DeleteResourcePolicyRequest { resource_arn, expected_revision_id })
    };
    assert_eq!(delete(&first).await.unwrap_err().kind(), Code::Conflict);
    delete(&second).await.unwrap();
    let missing = agent::GetResourcePolicyRequest { resource_arn: format!("{arn}X") };
    assert_eq!(bedrock_agent::get(&cx, &all, missing).await.unwrap_err().kind(), Code::ResourceNotFound);
}
