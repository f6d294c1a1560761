use outcrop_api::bedrock::{
    CreateInferenceProfileRequest, CreatePromptRouterRequest, DeleteInferenceProfileRequest, DeletePromptRouterRequest,
    InferenceProfileModelSource, PromptRouterTargetModel,
};
use outcrop_api::{AwsError, Kind};

use super::*;
use crate::testing::{ACCOUNT, HAIKU_ARN, SONNET4, bench, call, here};
use crate::{Settings, inference_profiles, prompt_routers};

fn pair(key: &str, value: &str) -> Shown {
    Shown { key: key.into(), value: value.into() }
}

async fn tags(cx: &Context, models: &Models, arn: &str) -> Result<Vec<(String, String)>, ModelsError> {
    let told = list(cx, models, ListTagsForResourceRequest { resource_arn: arn.into() }).await?;
    Ok(told.tags.unwrap().into_iter().map(|t| (t.key, t.value)).collect())
}

async fn tagged(models: &Models) -> String {
    let input = CreateInferenceProfileRequest {
        inference_profile_name: "tagged".into(),
        model_source: InferenceProfileModelSource::CopyFrom(HAIKU_ARN.into()),
        tags: Some(vec![pair("team", "search"), pair("stage", "")]),
        ..CreateInferenceProfileRequest::default()
    };
    inference_profiles::create(&here(), models, input).await.unwrap().inference_profile_arn
}

#[tokio::test]
async fn tags_come_change_and_go() {
    let b = bench(Settings::default()).await;
    let arn = tagged(&b.models).await;
    let input = TagResourceRequest { resource_arn: arn.clone(), tags: vec![pair("team", "ads"), pair("cost", "7")] };
    tag(&here(), &b.models, input).await.unwrap();
    let input = UntagResourceRequest { resource_arn: arn.clone(), tag_keys: vec!["stage".into(), "nobody".into()] };
    untag(&here(), &b.models, input).await.unwrap();
    let now = tags(&here(), &b.models, &arn).await.unwrap();
    assert_eq!(now, [("cost".into(), "7".into()), ("team".into(), "ads".into())]);

    let input = DeleteInferenceProfileRequest { inference_profile_identifier: arn.clone() };
    inference_profiles::delete(&here(), &b.models, input).await.unwrap();
    assert_eq!(tags(&here(), &b.models, &arn).await.unwrap_err().kind(), Kind::ResourceNotFound);
}

#[tokio::test]
async fn what_is_not_the_callers_does_not_exist() {
    let b = bench(Settings::default()).await;
    let arn = tagged(&b.models).await;
    let system = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/{SONNET4}");
    for (cx, arn) in [
        (call("999999999999", "us-east-1"), arn.as_str()),
        (call(ACCOUNT, "eu-west-1"), arn.as_str()),
        (here(), system.as_str()),
        (here(), "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcdefghij12"),
        (here(), "x"),
    ] {
        assert_eq!(tags(&cx, &b.models, arn).await.unwrap_err().kind(), Kind::ResourceNotFound, "{arn}");
        let input = TagResourceRequest { resource_arn: arn.into(), tags: vec![pair("a", "b")] };
        assert_eq!(tag(&cx, &b.models, input).await.unwrap_err().kind(), Kind::ResourceNotFound, "{arn}");
        let input = UntagResourceRequest { resource_arn: arn.into(), tag_keys: vec!["team".into()] };
        assert_eq!(untag(&cx, &b.models, input).await.unwrap_err().kind(), Kind::ResourceNotFound, "{arn}");
    }
    assert_eq!(tags(&here(), &b.models, &arn).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_resource_has_room_for_fifty() {
    let b = bench(Settings::default()).await;
    let arn = tagged(&b.models).await;
    let many = (0..49).map(|i| pair(&format!("k{i}"), "")).collect();
    let input = TagResourceRequest { resource_arn: arn.clone(), tags: many };
    assert_eq!(tag(&here(), &b.models, input).await.unwrap_err().kind(), Kind::TooManyTags);
    assert_eq!(tags(&here(), &b.models, &arn).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_prompt_router_has_tags_too() {
    let b = bench(Settings::default()).await;
    let target = |model_arn: &str| PromptRouterTargetModel { model_arn: model_arn.into() };
    let sonnet = target("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0");
    let input = CreatePromptRouterRequest {
        prompt_router_name: "tagged".into(),
        models: vec![target(HAIKU_ARN), sonnet],
        fallback_model: target(HAIKU_ARN),
        tags: Some(vec![pair("team", "search")]),
        ..CreatePromptRouterRequest::default()
    };
    let arn = prompt_routers::create(&here(), &b.models, input).await.unwrap().prompt_router_arn.unwrap();
    let input = TagResourceRequest { resource_arn: arn.clone(), tags: vec![pair("cost", "7")] };
    tag(&here(), &b.models, input).await.unwrap();
    let input = UntagResourceRequest { resource_arn: arn.clone(), tag_keys: vec!["team".into()] };
    untag(&here(), &b.models, input).await.unwrap();
    assert_eq!(tags(&here(), &b.models, &arn).await.unwrap(), [("cost".into(), "7".into())]);
    let input = DeletePromptRouterRequest { prompt_router_arn: arn.clone() };
    prompt_routers::delete(&here(), &b.models, input).await.unwrap();
    assert_eq!(tags(&here(), &b.models, &arn).await.unwrap_err().kind(), Kind::ResourceNotFound);
}
