use outcrop_access::Context;
use outcrop_api::bedrock::Tag;
use outcrop_api::{AwsError, Kind};

use super::*;
use crate::Settings;
use crate::testing::{ACCOUNT, HAIKU, HAIKU_ARN, SONNET4, bench, call, here};

fn request(name: &str, from: &str) -> CreateInferenceProfileRequest {
    CreateInferenceProfileRequest {
        inference_profile_name: name.into(),
        model_source: InferenceProfileModelSource::CopyFrom(from.into()),
        ..CreateInferenceProfileRequest::default()
    }
}

async fn make(cx: &Context, models: &Models, name: &str) -> String {
    create(cx, models, request(name, HAIKU_ARN)).await.unwrap().inference_profile_arn
}

async fn told(cx: &Context, models: &Models, id: &str) -> Result<GetInferenceProfileResponse, ModelsError> {
    get(cx, models, GetInferenceProfileRequest { inference_profile_identifier: id.into() }).await
}

async fn gone(cx: &Context, models: &Models, id: &str) -> Result<(), ModelsError> {
    let input = DeleteInferenceProfileRequest { inference_profile_identifier: id.into() };
    delete(cx, models, input).await.map(|_| ())
}

/// Every profile of a type, page by page.
async fn pages(cx: &Context, models: &Models, of: Option<InferenceProfileType>, size: i32) -> Vec<String> {
    let mut seen = Vec::new();
    let mut next_token = None;
    loop {
        let input = ListInferenceProfilesRequest { max_results: Some(size), next_token, type_equals: of.clone() };
        let page = list(cx, models, input).await.unwrap();
        let items = page.inference_profile_summaries.unwrap();
        assert!(items.len() <= size as usize);
        seen.extend(items.into_iter().map(|p| p.inference_profile_id));
        next_token = page.next_token;
        if next_token.is_none() {
            return seen;
        }
    }
}

#[tokio::test]
async fn a_profile_from_birth_to_death() {
    let b = bench(Settings::default()).await;
    let input =
        CreateInferenceProfileRequest { description: Some("For search".into()), ..request("search", HAIKU_ARN) };
    let made = create(&here(), &b.models, input).await.unwrap();
    let arn = made.inference_profile_arn;
    let id = arn.strip_prefix("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/").unwrap();
    assert_eq!((id.len(), made.status), (12, Some(InferenceProfileStatus::Active)));
    for identifier in [arn.as_str(), id] {
        let got = told(&here(), &b.models, identifier).await.unwrap();
        assert_eq!((got.inference_profile_name.as_str(), got.description.as_deref()), ("search", Some("For search")));
        assert_eq!((&got.inference_profile_arn, got.inference_profile_id.as_str()), (&arn, id));
        assert_eq!(got.models[0].model_arn.as_deref(), Some(HAIKU_ARN));
        assert_eq!((got.models.len(), got.r#type), (1, InferenceProfileType::Application));
        assert!(got.created_at.is_some() && got.created_at <= got.updated_at);
    }
    let found = b.models.resolve(&here(), &arn).await.unwrap();
    assert_eq!((found.invoked_id.as_str(), found.profile_arn.as_ref()), (HAIKU, Some(&arn)));
    assert_eq!((found.metric_id.as_str(), found.destinations), (id, vec!["us-east-1".to_owned()]));

    gone(&here(), &b.models, &arn).await.unwrap();
    for identifier in [arn.as_str(), id] {
        assert_eq!(told(&here(), &b.models, identifier).await.unwrap_err().kind(), Kind::ResourceNotFound);
        assert_eq!(gone(&here(), &b.models, identifier).await.unwrap_err().kind(), Kind::ResourceNotFound);
    }
    let refused = b.models.resolve(&here(), &arn).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::ResourceNotFound, "{refused}");
}

#[tokio::test]
async fn a_copy_of_a_system_profile_reaches_its_models() {
    let b = bench(Settings::default()).await;
    let system = told(&here(), &b.models, SONNET4).await.unwrap();
    assert_eq!(
        system.inference_profile_arn,
        format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/{SONNET4}")
    );
    let arn = create(&here(), &b.models, request("copy", &system.inference_profile_arn)).await.unwrap();
    let copy = told(&here(), &b.models, &arn.inference_profile_arn).await.unwrap();
    assert_eq!(format!("{:?}", copy.models), format!("{:?}", system.models));
    let found = b.models.resolve(&here(), &arn.inference_profile_arn).await.unwrap();
    assert_eq!(found.destinations, ["us-east-1", "us-east-2", "us-west-2"]);
    assert_eq!(found.invoked_id, "anthropic.claude-sonnet-4-20250514-v1:0");
}

#[tokio::test]
async fn only_what_can_be_copied_is() {
    let b = bench(Settings::default()).await;
    for from in [
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.no-such-model-v9:0",
        "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws:bedrock:us-east-1:999999999999:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
        "arn:aws:bedrock:us-east-1:111122223333:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0",
        HAIKU,
    ] {
        let refused = create(&here(), &b.models, request("x", from)).await.unwrap_err();
        assert_eq!(
            (refused.kind(), refused.message().as_str()),
            (Kind::Validation, "The provided model identifier is invalid."),
            "{from}"
        );
    }
    let nothing =
        CreateInferenceProfileRequest { model_source: InferenceProfileModelSource::Unset, ..request("x", "") };
    assert_eq!(create(&here(), &b.models, nothing).await.unwrap_err().kind(), Kind::Validation);

    let strict = bench(Settings { enforce_on_demand: true, ..Settings::default() }).await;
    let profile_only = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0";
    let refused = create(&here(), &strict.models, request("x", profile_only)).await.unwrap_err();
    assert_eq!(refused.message(), "The provided foundation model does not support On Demand inference.");
    assert!(create(&here(), &b.models, request("x", profile_only)).await.is_ok());
}

#[tokio::test]
async fn a_client_token_makes_one_profile() {
    let b = bench(Settings::default()).await;
    let with = |name: &str| CreateInferenceProfileRequest {
        client_request_token: Some("4b3a0f5e-1111-2222-3333-444455556666".into()),
        tags: Some(vec![Tag { key: "team".into(), value: "search".into() }]),
        ..request(name, HAIKU_ARN)
    };
    let one = create(&here(), &b.models, with("search")).await.unwrap().inference_profile_arn;
    let two = create(&here(), &b.models, with("search")).await.unwrap().inference_profile_arn;
    assert_eq!(one, two);
    assert_eq!(create(&here(), &b.models, with("other")).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(pages(&here(), &b.models, Some(InferenceProfileType::Application), 10).await.len(), 1);
    // Without a token every call makes one, even of the same name.
    assert_ne!(make(&here(), &b.models, "search").await, make(&here(), &b.models, "search").await);
}

#[tokio::test]
async fn pages_hold_everything_once_and_in_order() {
    let b = bench(Settings::default()).await;
    let mut own = Vec::new();
    for i in 0..5 {
        own.push(make(&here(), &b.models, &format!("profile {i}")).await);
    }
    let own: Vec<_> = own.iter().map(|arn| arn.rsplit('/').next().unwrap().to_owned()).collect();
    let system = pages(&here(), &b.models, Some(InferenceProfileType::SystemDefined), 1000).await;
    assert!(system.is_sorted() && system.len() > 30 && system.iter().any(|id| id == SONNET4), "{system:?}");
    assert!(system.iter().all(|id| id.starts_with("us.") || id.starts_with("global.")), "{system:?}");
    let both: Vec<_> = system.iter().chain(&own).cloned().collect();
    for size in [1, 3, 7, 50, 1000] {
        assert_eq!(pages(&here(), &b.models, Some(InferenceProfileType::Application), size).await, own, "{size}");
        assert_eq!(pages(&here(), &b.models, None, size).await, both, "{size}");
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_own_list_only() {
    let b = bench(Settings::default()).await;
    let ask = |type_equals, next_token| ListInferenceProfilesRequest { max_results: Some(1), next_token, type_equals };
    let token = list(&here(), &b.models, ask(None, None)).await.unwrap().next_token;
    assert!(token.is_some());
    let stranger = call("999999999999", "us-east-1");
    for (cx, of, token) in [
        (&stranger, None, token.clone()),
        (&here(), Some(InferenceProfileType::Application), token.clone()),
        (&here(), None, token.map(|t| format!("{t}A"))),
        (&here(), None, Some("x".to_owned())),
    ] {
        assert_eq!(list(cx, &b.models, ask(of, token)).await.unwrap_err().kind(), Kind::Validation);
    }
}

#[tokio::test]
async fn each_geography_has_profiles_in_its_regions() {
    let b = bench(Settings::default()).await;
    for (geography, region) in [
        ("us", "us-east-1"),
        ("eu", "eu-central-1"),
        ("apac", "ap-northeast-1"),
        ("jp", "ap-northeast-1"),
        ("au", "ap-southeast-2"),
        ("ca", "ca-central-1"),
        ("in", "ap-south-1"),
        ("global", "us-east-1"),
        ("us-gov", "us-gov-west-1"),
    ] {
        let cx = call(ACCOUNT, region);
        let all = pages(&cx, &b.models, Some(InferenceProfileType::SystemDefined), 1000).await;
        let here = all.iter().find(|id| id.starts_with(&format!("{geography}."))).unwrap();
        let got = told(&cx, &b.models, here).await.unwrap();
        assert_eq!(got.r#type, InferenceProfileType::SystemDefined);
        assert!(got.models.iter().all(|m| m.model_arn.as_ref().unwrap().contains("::foundation-model/")), "{got:?}");
        assert!(b.models.resolve(&cx, &got.inference_profile_arn).await.is_ok(), "{here}");
    }
}

#[tokio::test]
async fn system_profiles_look_as_aws_shows_them() {
    let b = bench(Settings::default()).await;
    let opus = told(&here(), &b.models, "us.anthropic.claude-opus-5").await.unwrap();
    assert_eq!(opus.inference_profile_name, "US Anthropic Claude Opus 5");
    let description = "Routes requests to Anthropic Claude Opus 5 in us-east-1, us-east-2 and us-west-2.";
    assert_eq!(opus.description.as_deref(), Some(description));
    assert_eq!(
        told(&here(), &b.models, "us.amazon.nova-micro-v1:0").await.unwrap().inference_profile_name,
        "US Nova Micro"
    );
    let global = told(&here(), &b.models, "global.anthropic.claude-opus-4-6-v1").await.unwrap();
    assert_eq!(global.inference_profile_name, "Global Anthropic Claude Opus 4.6");
    let arns: Vec<_> = global.models.iter().map(|m| m.model_arn.as_deref().unwrap()).collect();
    assert_eq!(
        arns,
        [
            "arn:aws:bedrock:::foundation-model/anthropic.claude-opus-4-6-v1",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-6-v1"
        ]
    );
}

#[tokio::test]
async fn system_profiles_stay() {
    let b = bench(Settings::default()).await;
    assert_eq!(gone(&here(), &b.models, SONNET4).await.unwrap_err().kind(), Kind::Validation);
    assert!(told(&here(), &b.models, SONNET4).await.is_ok());
    // Not offered in Oregon's list, so it is not there at all.
    let eu = "eu.anthropic.claude-sonnet-4-20250514-v1:0";
    assert_eq!(told(&call(ACCOUNT, "us-west-2"), &b.models, eu).await.unwrap_err().kind(), Kind::ResourceNotFound);
}

#[tokio::test]
async fn others_see_nothing() {
    let b = bench(Settings::default()).await;
    let arn = make(&here(), &b.models, "mine").await;
    let id = arn.rsplit('/').next().unwrap();
    for stranger in [call("999999999999", "us-east-1"), call(ACCOUNT, "eu-west-1")] {
        for identifier in [arn.as_str(), id] {
            assert_eq!(told(&stranger, &b.models, identifier).await.unwrap_err().kind(), Kind::ResourceNotFound);
            assert_eq!(gone(&stranger, &b.models, identifier).await.unwrap_err().kind(), Kind::ResourceNotFound);
        }
        assert_eq!(b.models.resolve(&stranger, &arn).await.unwrap_err().kind(), Kind::ResourceNotFound);
        assert!(pages(&stranger, &b.models, Some(InferenceProfileType::Application), 10).await.is_empty());
    }
    assert!(told(&here(), &b.models, &arn).await.is_ok());
}

/// Policies name what is copied by its one true ARN, however the caller has spelled it.
#[tokio::test]
async fn what_is_copied_is_asked_for_and_kept_by_its_own_arn() {
    let b = bench(Settings::default()).await;
    let system = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/{SONNET4}");
    for (given, asked) in [
        (format!("arn:aws:bedrock:us-east-1::inference-profile/{SONNET4}"), system.as_str()),
        (format!("arn:aws-cn:bedrock:us-east-1:{ACCOUNT}:inference-profile/{SONNET4}"), &system),
        (format!("arn:aws-cn:bedrock:us-east-1::foundation-model/{HAIKU}"), HAIKU_ARN),
    ] {
        let found = source(&here(), &b.models, &given).unwrap();
        assert_eq!((found.asked.as_str(), found.arn.as_str()), (asked, asked), "{given}");
    }
    let window = source(&here(), &b.models, "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0:24k");
    let window = window.unwrap();
    assert_eq!(window.asked, "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0");
    assert!(window.arn.ends_with(":24k"), "{}", window.arn);
}
