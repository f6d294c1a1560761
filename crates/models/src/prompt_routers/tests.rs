use outcrop_api::bedrock::Tag as Given;
use outcrop_api::bedrock::{CreateInferenceProfileRequest, InferenceProfileModelSource};
use outcrop_api::{AwsError, Kind as Code};

use super::*;
use crate::testing::{ACCOUNT, Bench, HAIKU_ARN, bench, call, here};
use crate::{Settings, inference_profiles};

const SONNET_ARN: &str = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0";

fn target(arn: &str) -> PromptRouterTargetModel {
    PromptRouterTargetModel { model_arn: arn.into() }
}

fn request(name: &str, models: &[&str], fallback: &str) -> CreatePromptRouterRequest {
    CreatePromptRouterRequest {
        prompt_router_name: name.into(),
        models: models.iter().map(|arn| target(arn)).collect(),
        fallback_model: target(fallback),
        routing_criteria: RoutingCriteria { response_quality_difference: 10.0 },
        ..CreatePromptRouterRequest::default()
    }
}

fn usual(name: &str) -> CreatePromptRouterRequest {
    request(name, &[HAIKU_ARN, SONNET_ARN], HAIKU_ARN)
}

async fn make(cx: &Context, b: &Bench, name: &str) -> String {
    create(cx, &b.models, usual(name)).await.unwrap().prompt_router_arn.unwrap()
}

async fn told(cx: &Context, b: &Bench, arn: &str) -> Result<GetPromptRouterResponse, ModelsError> {
    get(cx, &b.models, GetPromptRouterRequest { prompt_router_arn: arn.into() }).await
}

async fn gone(cx: &Context, b: &Bench, arn: &str) -> Result<DeletePromptRouterResponse, ModelsError> {
    delete(cx, &b.models, DeletePromptRouterRequest { prompt_router_arn: arn.into() }).await
}

async fn names(cx: &Context, b: &Bench, r#type: Option<PromptRouterType>, size: i32) -> Vec<String> {
    let (mut names, mut next_token) = (Vec::new(), None);
    loop {
        let ask = ListPromptRoutersRequest { max_results: Some(size), next_token, r#type: r#type.clone() };
        let page = list(cx, &b.models, ask).await.unwrap();
        let items = page.prompt_router_summaries.unwrap();
        assert!(items.len() <= size as usize);
        names.extend(items.into_iter().map(|router| router.prompt_router_name));
        next_token = page.next_token;
        if next_token.is_none() {
            return names;
        }
    }
}

fn defined(id: &str) -> String {
    format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:default-prompt-router/{id}")
}

#[tokio::test]
async fn create_then_get_then_call_then_delete() {
    let b = bench(Settings::default()).await;
    let input = CreatePromptRouterRequest { description: Some("For search".into()), ..usual("search") };
    let arn = create(&here(), &b.models, input).await.unwrap().prompt_router_arn.unwrap();
    let id = arn.strip_prefix("arn:aws:bedrock:us-east-1:111122223333:prompt-router/").unwrap();
    assert_eq!(id.len(), 12);
    let got = told(&here(), &b, &arn).await.unwrap();
    assert_eq!((got.prompt_router_name.as_str(), got.description.as_deref()), ("search", Some("For search")));
    assert_eq!(
        (&got.prompt_router_arn, got.r#type, got.status),
        (&arn, PromptRouterType::Custom, PromptRouterStatus::Available)
    );
    let arns: Vec<_> = got.models.iter().map(|m| m.model_arn.as_str()).collect();
    assert_eq!((arns, got.fallback_model.model_arn.as_str()), (vec![HAIKU_ARN, SONNET_ARN], HAIKU_ARN));
    assert_eq!(got.routing_criteria.response_quality_difference, 10.0);
    assert!(got.created_at.is_some() && got.created_at <= got.updated_at);

    let found = b.models.resolve(&here(), &arn).await.unwrap();
    assert_eq!(found.arn("us-east-1"), HAIKU_ARN, "all but the router is the fallback's");
    let router = found.router.unwrap();
    assert_eq!((&router.arn, router.fallback, router.quality_difference), (&arn, 0, 10.0));
    let arns: Vec<_> = router.candidates.iter().map(|c| c.arn("us-east-1")).collect();
    assert_eq!(arns, [HAIKU_ARN, SONNET_ARN]);
    assert!(router.candidates.iter().all(|candidate| candidate.router.is_none()));

    gone(&here(), &b, &arn).await.unwrap();
    assert_eq!(told(&here(), &b, &arn).await.unwrap_err().kind(), Code::ResourceNotFound);
    assert_eq!(gone(&here(), &b, &arn).await.unwrap_err().kind(), Code::ResourceNotFound);
    assert_eq!(b.models.resolve(&here(), &arn).await.unwrap_err().kind(), Code::ResourceNotFound);
}

#[tokio::test]
async fn exactly_two_conversing_models_of_one_family() {
    let b = bench(Settings::default()).await;
    let model = |id: &str| format!("arn:aws:bedrock:us-east-1::foundation-model/{id}");
    let profile =
        format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0");
    let elsewhere = SONNET_ARN.replace("us-east-1", "eu-west-1");
    let (nova, titan, unknown) =
        (model("amazon.nova-lite-v1:0"), model("amazon.titan-embed-text-v2:0"), model("anthropic.none-v9:0"));
    let other_provider = model("mistral.mistral-large-2402-v1:0");
    let guardrail = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/abcdefghij12");
    let router = make(&here(), &b, "first").await;
    for (models, fallback, says) in [
        (vec![], HAIKU_ARN, "exactly two models; 0 were"),
        (vec![HAIKU_ARN], HAIKU_ARN, "exactly two models; 1 were"),
        (vec![HAIKU_ARN, SONNET_ARN, nova.as_str()], HAIKU_ARN, "exactly two models; 3 were"),
        (vec![HAIKU_ARN, HAIKU_ARN], HAIKU_ARN, "must differ"),
        // Its profile is the same model.
        (vec![HAIKU_ARN, &profile], HAIKU_ARN, "must differ"),
        (vec![HAIKU_ARN, &nova], HAIKU_ARN, "one family"),
        (vec![HAIKU_ARN, &other_provider], HAIKU_ARN, "one family"),
        (vec![&nova, &titan], nova.as_str(), "Prompt routing is not supported"),
        (vec![HAIKU_ARN, SONNET_ARN], nova.as_str(), "must be one of the models"),
        (vec![HAIKU_ARN, SONNET_ARN], profile.as_str(), "must be one of the models"),
        (vec![HAIKU_ARN, &unknown], HAIKU_ARN, "model identifier is invalid"),
        (vec![HAIKU_ARN, &elsewhere], HAIKU_ARN, "model identifier is invalid"),
        (vec![HAIKU_ARN, &guardrail], HAIKU_ARN, "model identifier is invalid"),
        (vec![HAIKU_ARN, &router], HAIKU_ARN, "model identifier is invalid"),
    ] {
        let refused = create(&here(), &b.models, request("x", &models, fallback)).await.unwrap_err();
        assert_eq!(refused.kind(), Code::Validation, "{models:?}");
        assert!(refused.message().contains(says), "{models:?}: {}", refused.message());
    }
    assert_eq!(names(&here(), &b, Some(PromptRouterType::Custom), 10).await, ["first"]);
}

#[tokio::test]
async fn profiles_can_be_routed_between_and_keep_their_arns() {
    let b = bench(Settings::default()).await;
    let source = InferenceProfileModelSource::CopyFrom(SONNET_ARN.into());
    let own = CreateInferenceProfileRequest {
        inference_profile_name: "own".into(),
        model_source: source,
        ..Default::default()
    };
    let own = inference_profiles::create(&here(), &b.models, own).await.unwrap().inference_profile_arn;
    // Spelled without its account, as some samples do.
    let spelled = "arn:aws:bedrock:us-east-1::inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0";
    let system =
        format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0");
    let arn =
        create(&here(), &b.models, request("p", &[spelled, &own], &own)).await.unwrap().prompt_router_arn.unwrap();
    let got = told(&here(), &b, &arn).await.unwrap();
    let arns: Vec<_> = got.models.iter().map(|m| m.model_arn.as_str()).collect();
    assert_eq!((arns, &got.fallback_model.model_arn), (vec![system.as_str(), &own], &own));
    let found = b.models.resolve(&here(), &arn).await.unwrap();
    let router = found.router.unwrap();
    assert_eq!(
        (router.fallback, router.candidates[0].arn("us-east-1"), router.candidates[1].arn("us-east-1")),
        (1, system, own)
    );
    assert!(router.candidates[0].destinations.len() > 1);
}

#[tokio::test]
async fn names_are_unique_and_a_client_token_makes_one() {
    let b = bench(Settings::default()).await;
    let with = |name: &str| CreatePromptRouterRequest {
        client_request_token: Some("4b3a0f5e-1111-2222-3333-444455556666".into()),
        tags: Some(vec![Given { key: "team".into(), value: "search".into() }]),
        ..usual(name)
    };
    let one = create(&here(), &b.models, with("search")).await.unwrap().prompt_router_arn;
    assert_eq!(create(&here(), &b.models, with("search")).await.unwrap().prompt_router_arn, one);
    assert_eq!(create(&here(), &b.models, with("other")).await.unwrap_err().kind(), Code::Conflict);
    assert_eq!(create(&here(), &b.models, usual("search")).await.unwrap_err().kind(), Code::Conflict);
    // Another account's or Region's names are its own.
    make(&call("999999999999", "us-east-1"), &b, "search").await;
    gone(&here(), &b, &one.unwrap()).await.unwrap();
    make(&here(), &b, "search").await;
}

#[tokio::test]
async fn pages_hold_the_defined_ones_then_the_own_ones() {
    let b = bench(Settings::default()).await;
    let mut own = Vec::new();
    for i in 0..4 {
        let name = format!("router {i}");
        make(&here(), &b, &name).await;
        own.push(name);
    }
    let fixed = names(&here(), &b, Some(PromptRouterType::Default), 1000).await;
    assert_eq!(fixed, ["Nova Prompt Router", "Anthropic Prompt Router", "Meta Prompt Router"]);
    let both: Vec<_> = fixed.iter().chain(&own).cloned().collect();
    for size in [1, 2, 3, 50] {
        assert_eq!(names(&here(), &b, Some(PromptRouterType::Custom), size).await, own, "{size}");
        assert_eq!(names(&here(), &b, None, size).await, both, "{size}");
    }
}

#[tokio::test]
async fn defined_routers_are_where_both_of_their_models_are() {
    let b = bench(Settings::default()).await;
    let got = told(&here(), &b, &defined("anthropic.claude:1")).await.unwrap();
    assert_eq!((got.prompt_router_name.as_str(), got.r#type), ("Anthropic Prompt Router", PromptRouterType::Default));
    let profile = |id: &str| format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.anthropic.{id}");
    let (haiku, sonnet) = (profile("claude-3-haiku-20240307-v1:0"), profile("claude-3-5-sonnet-20240620-v1:0"));
    let arns: Vec<_> = got.models.into_iter().map(|m| m.model_arn).collect();
    assert_eq!((arns, got.fallback_model.model_arn), (vec![haiku, sonnet.clone()], sonnet));
    let found = b.models.resolve(&here(), &defined("anthropic.claude:1")).await.unwrap();
    assert_eq!(found.router.map(|router| router.fallback), Some(1));

    // Llama has no profile in Frankfurt: it is not listed there, and is called there all the same, as its models are.
    let frankfurt = call(ACCOUNT, "eu-central-1");
    let listed = names(&frankfurt, &b, Some(PromptRouterType::Default), 10).await;
    assert_eq!(listed, ["Nova Prompt Router", "Anthropic Prompt Router"]);
    let llama = defined("meta.llama:1").replace("us-east-1", "eu-central-1");
    assert_eq!(told(&frankfurt, &b, &llama).await.unwrap_err().kind(), Code::ResourceNotFound);
    assert!(b.models.resolve(&frankfurt, &llama).await.is_ok());
    let strict = bench(Settings { enforce_regions: true, ..Settings::default() }).await;
    assert_eq!(strict.models.resolve(&frankfurt, &llama).await.unwrap_err().kind(), Code::ResourceNotFound);
    // A Region that AWS does not have has them all.
    assert_eq!(names(&call(ACCOUNT, "moon-1"), &b, Some(PromptRouterType::Default), 10).await.len(), 3);

    for id in ["anthropic.claude:1", "meta.llama:1", "amazon.nova:1"] {
        assert_eq!(gone(&here(), &b, &defined(id)).await.unwrap_err().kind(), Code::Validation);
        assert!(told(&here(), &b, &defined(id)).await.is_ok());
    }
    assert_eq!(told(&here(), &b, &defined("anthropic.claude:2")).await.unwrap_err().kind(), Code::ResourceNotFound);
}

#[tokio::test]
async fn others_see_nothing() {
    let b = bench(Settings::default()).await;
    let arn = make(&here(), &b, "mine").await;
    for stranger in [call("999999999999", "us-east-1"), call(ACCOUNT, "eu-west-1")] {
        for arn in [arn.as_str(), &defined("amazon.nova:1")] {
            assert_eq!(told(&stranger, &b, arn).await.unwrap_err().kind(), Code::ResourceNotFound, "{arn}");
            assert_eq!(gone(&stranger, &b, arn).await.unwrap_err().kind(), Code::ResourceNotFound, "{arn}");
            assert_eq!(b.models.resolve(&stranger, arn).await.unwrap_err().kind(), Code::ResourceNotFound, "{arn}");
        }
        assert!(names(&stranger, &b, Some(PromptRouterType::Custom), 10).await.is_empty());
    }
    assert!(told(&here(), &b, &arn).await.is_ok());
}

#[tokio::test]
async fn a_router_whose_profile_is_gone_is_told_and_not_called() {
    let b = bench(Settings::default()).await;
    let source = InferenceProfileModelSource::CopyFrom(SONNET_ARN.into());
    let own = CreateInferenceProfileRequest {
        inference_profile_name: "own".into(),
        model_source: source,
        ..Default::default()
    };
    let own = inference_profiles::create(&here(), &b.models, own).await.unwrap().inference_profile_arn;
    let input = request("p", &[HAIKU_ARN, &own], HAIKU_ARN);
    let arn = create(&here(), &b.models, input).await.unwrap().prompt_router_arn.unwrap();
    let input = outcrop_api::bedrock::DeleteInferenceProfileRequest { inference_profile_identifier: own };
    inference_profiles::delete(&here(), &b.models, input).await.unwrap();
    assert!(told(&here(), &b, &arn).await.is_ok());
    assert_eq!(b.models.resolve(&here(), &arn).await.unwrap_err().kind(), Code::ResourceNotFound);
}
