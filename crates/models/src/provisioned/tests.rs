use outcrop_api::bedrock::{ListProvisionedModelThroughputsRequest, ProvisionedModelStatus, SortOrder, Tag as ApiTag};
use outcrop_api::{AwsError, Kind as Code};
use outcrop_resources::{Listed, Resources};

use super::*;
use crate::testing::{ACCOUNT, Bench, HAIKU, HAIKU_ARN, bench, call, here};
use crate::{Invocation, Settings};

const HAIKU_200K: &str = "anthropic.claude-3-haiku-20240307-v1:0:200k";

fn eight() -> Settings {
    let by_model = [("outcrop.tiny".to_owned(), 3)].into();
    Settings { units: Units { all: 8, by_model }, ..Settings::default() }
}

fn request(name: &str, units: i32) -> CreateProvisionedModelThroughputRequest {
    CreateProvisionedModelThroughputRequest {
        provisioned_model_name: name.into(),
        model_id: HAIKU_200K.into(),
        model_units: units,
        ..Default::default()
    }
}

async fn make(b: &Bench, name: &str, units: i32) -> String {
    create(&here(), &b.models, request(name, units)).await.unwrap().provisioned_model_arn
}

async fn told(b: &Bench, cx: &Context, id: &str) -> Result<GetProvisionedModelThroughputResponse, ModelsError> {
    get(cx, &b.models, GetProvisionedModelThroughputRequest { provisioned_model_id: id.into() }).await
}

async fn gone(b: &Bench, cx: &Context, id: &str) -> Result<(), ModelsError> {
    let input = DeleteProvisionedModelThroughputRequest { provisioned_model_id: id.into() };
    delete(cx, &b.models, input).await.map(drop)
}

async fn rename(b: &Bench, id: &str, name: Option<&str>, model: Option<&str>) -> Result<(), ModelsError> {
    let input = UpdateProvisionedModelThroughputRequest {
        provisioned_model_id: id.into(),
        desired_provisioned_model_name: name.map(str::to_owned),
        desired_model_id: model.map(str::to_owned),
    };
    update(&here(), &b.models, input).await.map(drop)
}

fn refused<T: std::fmt::Debug>(result: Result<T, ModelsError>, code: Code, text: &str) {
    let error = result.expect_err(text);
    assert_eq!(error.kind(), code, "{error}");
    assert!(error.message().contains(text), "{}", error.message());
}

#[tokio::test]
async fn a_provisioned_model_from_birth_to_death() {
    let b = bench(eight()).await;
    let arn = make(&b, "search", 2).await;
    let id = arn.strip_prefix("arn:aws:bedrock:us-east-1:111122223333:provisioned-model/").unwrap();
    assert_eq!(id.len(), 12);
    for identifier in [arn.as_str(), id, "search"] {
        let got = told(&b, &here(), identifier).await.unwrap();
        assert_eq!((got.provisioned_model_name.as_str(), &got.provisioned_model_arn), ("search", &arn));
        assert_eq!((got.model_units, got.desired_model_units), (2, 2));
        assert_eq!(got.model_arn, format!("{HAIKU_ARN}:200k"));
        assert_eq!((&got.desired_model_arn, &got.foundation_model_arn), (&got.model_arn, &got.model_arn));
        assert_eq!((got.status, got.failure_message), (ProvisionedModelStatus::InService, None));
        assert_eq!((got.commitment_duration, got.commitment_expiration_time), (None, None));
        assert!(got.creation_time <= got.last_modified_time);
    }
    let standing = super::standing(&b.models).await.unwrap();
    assert_eq!(standing.len(), 1);
    assert_eq!((&standing[0].arn, standing[0].reserved.units, &standing[0].commitment), (&arn, 2, &None));
    rename(&b, "search", Some("find"), Some(&format!("{HAIKU_ARN}:200k"))).await.unwrap();
    assert_eq!(told(&b, &here(), &arn).await.unwrap().provisioned_model_name, "find");
    refused(told(&b, &here(), "search").await, Code::ResourceNotFound, "search does not exist");
    gone(&b, &here(), "find").await.unwrap();
    for identifier in [arn.as_str(), id, "find"] {
        refused(told(&b, &here(), identifier).await, Code::ResourceNotFound, "does not exist");
        refused(gone(&b, &here(), identifier).await, Code::ResourceNotFound, "does not exist");
        refused(rename(&b, identifier, None, None).await, Code::ResourceNotFound, "does not exist");
    }
    assert_eq!(b.models.memory.reserved().now().len(), 0);
    assert!(super::standing(&b.models).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_call_by_arn_or_name_uses_what_was_reserved() {
    let b = bench(eight()).await;
    let arn = make(&b, "search", 2).await;
    for id in [arn.as_str(), "search"] {
        let found = b.models.resolve(&here(), id).await.unwrap();
        assert_eq!((found.model.id.as_str(), found.invoked_id.as_str()), (HAIKU, HAIKU));
        assert_eq!((found.context, &found.destinations), (Some(200_000), &vec!["us-east-1".to_owned()]));
        assert_eq!(found.provisioned, Some(crate::Throughput { arn: arn.clone(), model_units: 2 }));
        assert!(arn.ends_with(&format!("/{}", found.metric_id)));
        b.models.admit(&here(), Invocation::new("bedrock:InvokeModel"), &found).await.unwrap();
    }
    assert_eq!(b.models.resolve(&here(), HAIKU).await.unwrap().provisioned, None);
    for stranger in [call("999999999999", "us-east-1"), call(ACCOUNT, "eu-west-1")] {
        refused(b.models.resolve(&stranger, &arn).await, Code::ResourceNotFound, "Could not resolve");
        refused(b.models.resolve(&stranger, "search").await, Code::Validation, "identifier is invalid");
        refused(told(&b, &stranger, &arn).await, Code::ResourceNotFound, "does not exist");
        refused(told(&b, &stranger, "search").await, Code::ResourceNotFound, "does not exist");
        refused(gone(&b, &stranger, &arn).await, Code::ResourceNotFound, "does not exist");
    }
    rename(&b, &arn, Some("find"), None).await.unwrap();
    assert!(b.models.resolve(&here(), "find").await.is_ok() && b.models.resolve(&here(), "search").await.is_err());
    gone(&b, &here(), &arn).await.unwrap();
    refused(b.models.resolve(&here(), &arn).await, Code::ResourceNotFound, "Could not resolve");
}

#[tokio::test]
async fn only_what_is_sold_can_be_bought() {
    let b = bench(eight()).await;
    let buy = async |model: &str| {
        let input = CreateProvisionedModelThroughputRequest { model_id: model.into(), ..request("x", 1) };
        create(&here(), &b.models, input).await.map(|made| made.provisioned_model_arn)
    };
    refused(buy("amazon.rerank-v1:0").await, Code::Validation, "isn\u{2019}t supported for the model amazon.rerank");
    refused(buy("anthropic.no-such-model-v9:0").await, Code::Validation, "identifier is invalid");
    refused(buy("my-custom-model").await, Code::Validation, "identifier is invalid");
    let custom = "arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova-lite-v1:0/abcdefabcdef";
    refused(buy(custom).await, Code::ResourceNotFound, "Could not resolve");
    let elsewhere = format!("{HAIKU_ARN}:200k").replace("us-east-1", "eu-west-1");
    refused(buy(&elsewhere).await, Code::Validation, "identifier is invalid");
    for (sold, arn) in [
        (HAIKU.into(), HAIKU_ARN.to_owned()),
        (format!("{HAIKU_ARN}:48k"), format!("{HAIKU_ARN}:48k")),
        ("amazon.nova-canvas-v1:0".into(), HAIKU_ARN.replace(HAIKU, "amazon.nova-canvas-v1:0")),
        ("outcrop.tiny".into(), HAIKU_ARN.replace(HAIKU, "outcrop.tiny")),
    ] {
        let made = buy(&sold).await.unwrap();
        assert_eq!(told(&b, &here(), &made).await.unwrap().model_arn, arn);
        gone(&b, &here(), &made).await.unwrap();
    }
}

#[tokio::test]
async fn no_more_is_sold_than_there_is_however_many_ask_at_once() {
    let b = bench(eight()).await;
    let models = &b.models;
    let asked = (0..6).map(|i| {
        let models = models.clone();
        tokio::spawn(async move { create(&here(), &models, request(&format!("m{i}"), 2)).await })
    });
    let mut made = Vec::new();
    for task in asked.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(one) => made.push(one.provisioned_model_arn),
            Err(error) => refused(Err::<(), _>(error), Code::ServiceQuotaExceeded, HAIKU),
        }
    }
    assert_eq!((made.len(), models.reserved_units(models.catalogue().get(HAIKU).unwrap())), (4, 8));
    gone(&b, &here(), &made[0]).await.unwrap();
    // Of the two units that are back, one model may have all, and the local one fewer than there are.
    make(&b, "again", 2).await;
    gone(&b, &here(), "again").await.unwrap();
    gone(&b, &here(), &made[1]).await.unwrap();
    let tiny =
        |units| CreateProvisionedModelThroughputRequest { model_id: "outcrop.tiny".into(), ..request("tiny", units) };
    refused(create(&here(), models, tiny(4)).await, Code::ServiceQuotaExceeded, "outcrop.tiny");
    create(&here(), models, tiny(3)).await.unwrap();
}

#[tokio::test]
async fn names_are_unique_and_a_token_makes_one() {
    let b = bench(eight()).await;
    let with = |name: &str, token: &str| CreateProvisionedModelThroughputRequest {
        client_request_token: Some(token.into()),
        ..request(name, 1)
    };
    let one = create(&here(), &b.models, with("a", "token")).await.unwrap();
    let two = create(&here(), &b.models, with("a", "token")).await.unwrap();
    assert_eq!(one.provisioned_model_arn, two.provisioned_model_arn);
    // These operations declare no ConflictException.
    refused(create(&here(), &b.models, with("b", "token")).await, Code::Validation, "client token");
    refused(create(&here(), &b.models, request("a", 1)).await, Code::Validation, "name a already exists");
    make(&b, "b", 1).await;
    refused(rename(&b, "b", Some("a"), None).await, Code::Validation, "name a already exists");
    assert_eq!(b.models.reserved_units(b.models.catalogue().get(HAIKU).unwrap()), 2);
    let elsewhere = call("999999999999", "us-east-1");
    create(&elsewhere, &b.models, request("a", 1)).await.unwrap();
}

#[tokio::test]
async fn a_base_model_cannot_be_exchanged() {
    let b = bench(eight()).await;
    let arn = make(&b, "a", 1).await;
    refused(rename(&b, &arn, None, Some("amazon.nova-pro-v1:0:300k")).await, Code::Validation, "another base model");
    refused(rename(&b, &arn, None, Some("nonsense")).await, Code::Validation, "identifier is invalid");
    assert_eq!(told(&b, &here(), &arn).await.unwrap().model_arn, format!("{HAIKU_ARN}:200k"));
}

#[tokio::test]
async fn a_commitment_is_kept() {
    let b = bench(eight()).await;
    for (term, least, most) in [(CommitmentDuration::OneMonth, 28, 31), (CommitmentDuration::SixMonths, 181, 184)] {
        let name = term.as_str().to_owned();
        let input =
            CreateProvisionedModelThroughputRequest { commitment_duration: Some(term.clone()), ..request(&name, 1) };
        let arn = create(&here(), &b.models, input).await.unwrap().provisioned_model_arn;
        let got = told(&b, &here(), &arn).await.unwrap();
        assert_eq!(got.commitment_duration, Some(term));
        let end = got.commitment_expiration_time.unwrap();
        let days = (end.as_second() - got.creation_time.as_second()) / 86_400;
        assert!((least..=most).contains(&days), "{days}");
        refused(gone(&b, &here(), &arn).await, Code::Conflict, "before its commitment term ends at");
        assert!(told(&b, &here(), &arn).await.is_ok());
    }
}

#[tokio::test]
async fn a_month_is_one_of_the_calendar() {
    let b = bench(eight()).await;
    let arn = make(&b, "a", 1).await;
    let mut stored = b.models.provisioned.get(scope(&here()), &arn).await.unwrap();
    stored.created = "2026-01-31T10:00:00Z".parse().unwrap();
    for (term, end) in [("OneMonth", "2026-02-28T10:00:00Z"), ("SixMonths", "2026-07-31T10:00:00Z")] {
        stored.value.commitment = Some(term.into());
        assert_eq!(state::expiration(&stored), Some(end.parse().unwrap()));
    }
    stored.value.commitment = None;
    assert_eq!(state::expiration(&stored), None);
}

#[tokio::test]
async fn the_state_says_what_memory_has() {
    let b = bench(eight()).await;
    let arn = make(&b, "a", 1).await;
    let status = async |models: &Models| {
        let input = GetProvisionedModelThroughputRequest { provisioned_model_id: arn.clone() };
        let got = get(&here(), models, input).await.unwrap();
        (got.status, got.failure_message)
    };
    // Another server over the same store, whose memory has yet to follow.
    let resources = Resources::open(b.store()).await.unwrap();
    let memory = crate::Memory::new(&resources);
    let other = Models::new(b.models.catalogue().clone(), eight(), &resources).remembering(memory.clone());
    assert_eq!(status(&other).await.0, ProvisionedModelStatus::Creating);
    assert!(other.resolve(&here(), &arn).await.is_err());
    memory.catch_up().await.unwrap();
    assert_eq!(status(&other).await.0, ProvisionedModelStatus::InService);
    assert!(other.resolve(&here(), &arn).await.is_ok());
    rename(&b, &arn, Some("b"), None).await.unwrap();
    assert_eq!(status(&other).await.0, ProvisionedModelStatus::Updating);
    memory.catch_up().await.unwrap();
    assert_eq!(status(&other).await.0, ProvisionedModelStatus::InService);
    // A server that has other local models.
    let input = CreateProvisionedModelThroughputRequest { model_id: "outcrop.tiny".into(), ..request("tiny", 1) };
    let tiny = create(&here(), &b.models, input).await.unwrap().provisioned_model_arn;
    let without = Models::new(crate::Catalogue::builtin().unwrap(), eight(), &resources).remembering(memory);
    let got = get(&here(), &without, GetProvisionedModelThroughputRequest { provisioned_model_id: tiny.clone() }).await;
    let got = got.unwrap();
    assert_eq!(got.status, ProvisionedModelStatus::Failed);
    assert_eq!(got.failure_message.as_deref(), Some("This server no longer has the model outcrop.tiny."));
    // What failed can still be given back.
    let input = DeleteProvisionedModelThroughputRequest { provisioned_model_id: tiny };
    delete(&here(), &without, input).await.unwrap();
}

async fn page(b: &Bench, input: ListProvisionedModelThroughputsRequest) -> Result<Listed<String>, ModelsError> {
    let page = list(&here(), &b.models, input).await?;
    let items = page.provisioned_model_summaries.unwrap().into_iter().map(|one| one.provisioned_model_name).collect();
    Ok(Listed { items, next_token: page.next_token })
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let b = bench(eight()).await;
    for name in ["search-1", "chat-1", "search-2"] {
        make(&b, name, 1).await;
    }
    let input = CreateProvisionedModelThroughputRequest { model_id: format!("{HAIKU}:48k"), ..request("search-3", 1) };
    create(&here(), &b.models, input).await.unwrap();
    let all = || ListProvisionedModelThroughputsRequest::default();
    let names = async |input| page(&b, input).await.unwrap().items;
    assert_eq!(names(all()).await, ["search-1", "chat-1", "search-2", "search-3"]);
    let down = || ListProvisionedModelThroughputsRequest { sort_order: Some(SortOrder::Descending), ..all() };
    assert_eq!(names(down()).await, ["search-3", "search-2", "chat-1", "search-1"]);
    let some = ListProvisionedModelThroughputsRequest { name_contains: Some("search".into()), ..all() };
    assert_eq!(names(some.clone()).await, ["search-1", "search-2", "search-3"]);
    let arn = Some(format!("{HAIKU_ARN}:48k"));
    let one = ListProvisionedModelThroughputsRequest { model_arn_equals: arn, ..all() };
    assert_eq!(names(one).await, ["search-3"]);
    let status = |of| ListProvisionedModelThroughputsRequest { status_equals: Some(of), ..all() };
    assert_eq!(names(status(ProvisionedModelStatus::InService)).await.len(), 4);
    assert_eq!(names(status(ProvisionedModelStatus::Creating)).await.len(), 0);
    let made = told(&b, &here(), "chat-1").await.unwrap().creation_time;
    let after = ListProvisionedModelThroughputsRequest { creation_time_after: Some(made), ..all() };
    assert_eq!(names(after).await, ["search-2", "search-3"]);
    let before = ListProvisionedModelThroughputsRequest { creation_time_before: Some(made), ..all() };
    assert_eq!(names(before).await, ["search-1"]);

    let first =
        page(&b, ListProvisionedModelThroughputsRequest { max_results: Some(2), ..some.clone() }).await.unwrap();
    assert_eq!(first.items, ["search-1", "search-2"]);
    let rest = ListProvisionedModelThroughputsRequest { next_token: first.next_token.clone(), ..some };
    assert_eq!(names(rest).await, ["search-3"]);
    let other = ListProvisionedModelThroughputsRequest { next_token: first.next_token, ..down() };
    refused(page(&b, other).await, Code::Validation, "pagination token");
}

#[tokio::test]
async fn tags_come_with_it_and_go_with_it() {
    let b = bench(eight()).await;
    let tags = Some(vec![ApiTag { key: "team".into(), value: "search".into() }]);
    let input = CreateProvisionedModelThroughputRequest { tags, ..request("a", 1) };
    let arn = create(&here(), &b.models, input).await.unwrap().provisioned_model_arn;
    let tagged = async || {
        let input = outcrop_api::bedrock::ListTagsForResourceRequest { resource_arn: arn.clone() };
        let told = outcrop_resources::tags::bedrock::list(&here(), &b.models.tagger, input).await;
        told.map(|shown| shown.tags.unwrap().len()).map_err(ModelsError::from)
    };
    assert_eq!(tagged().await.unwrap(), 1);
    gone(&b, &here(), &arn).await.unwrap();
    refused(tagged().await, Code::ResourceNotFound, "does not exist");
}
