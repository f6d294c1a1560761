use std::collections::HashMap;
use std::sync::Arc;

use outcrop_access::{Caller, CallerKind, Permissions, Policy, PolicyKind};
use outcrop_api::AwsError;
use outcrop_api::bedrock::{
    CreateInferenceProfileRequest, CreatePromptRouterRequest, GetInferenceProfileRequest, InferenceProfileModelSource,
    PromptRouterTargetModel, Tag as Given,
};

use super::*;
use crate::testing::{ACCOUNT, Bench, HAIKU, HAIKU_ARN, SONNET4, bench, here};
use crate::{Settings, inference_profiles, prompt_routers};

const INVOKE: Invocation<'static> = Invocation { action: "bedrock:InvokeModel", tier: None, guardrail: None };
const PROFILE: &str =
    "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0";

fn policy(kind: PolicyKind, statements: &str) -> Arc<Policy> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Arc::new(Policy::parse(&text, kind).unwrap())
}

/// A call by a user with these statements.
fn user(account: &str, statements: &str) -> Context {
    let arn = format!("arn:aws:iam::{account}:user/bob");
    let caller = Caller { arn, ..Caller::root(account, Some("AKIA"), CallerKind::User) };
    let mut cx = Context::new(caller, "us-east-1", "bedrock-runtime");
    let identity = Some(vec![policy(PolicyKind::Identity, statements)]);
    cx.permissions = Arc::new(Permissions { identity, ..Permissions::default() });
    cx
}

fn allow(resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"bedrock:*","Resource":"{resource}"}}"#)
}

async fn told(b: &Bench, cx: &Context, call: Invocation<'_>, id: &str) -> String {
    let resolved = b.models.resolve(cx, id).await.unwrap();
    b.models.admit(cx, call, &resolved).await.map_or_else(|e| e.message(), |()| "yes".to_owned())
}

#[tokio::test]
async fn a_profile_needs_itself_and_its_model_in_every_region() {
    let b = bench(Settings::default()).await;
    let model = |region: &str| {
        allow(&format!("arn:aws:bedrock:{region}::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0"))
    };
    let every = [allow(PROFILE), model("us-east-1"), model("us-east-2"), model("us-west-2")];
    assert_eq!(told(&b, &user(ACCOUNT, &every.join(",")), INVOKE, SONNET4).await, "yes");
    for missing in 0..every.len() {
        let mut some = every.to_vec();
        some.remove(missing);
        let text = told(&b, &user(ACCOUNT, &some.join(",")), INVOKE, SONNET4).await;
        let region = ["inference-profile", "us-east-1::", "us-east-2::", "us-west-2::"][missing];
        assert!(text.contains("on resource: arn:aws:bedrock:") && text.contains(region), "{text}");
    }
    // The model may be had through this profile only.
    let through = format!(
        r#"{},{{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*::foundation-model/*",
            "Condition":{{"StringLike":{{"bedrock:InferenceProfileArn":"{PROFILE}"}}}}}}"#,
        allow(PROFILE)
    );
    let cx = user(ACCOUNT, &through);
    assert_eq!(told(&b, &cx, INVOKE, SONNET4).await, "yes");
    assert!(told(&b, &cx, INVOKE, &SONNET4["us.".len()..]).await.contains("no identity-based policy"));
}

#[tokio::test]
async fn the_requested_region_is_where_the_call_may_run() {
    let b = bench(Settings::default()).await;
    let but = |region: &str| {
        format!(
            r#"{},{{"Effect":"Deny","Action":"*","Resource":"*",
                "Condition":{{"StringEquals":{{"aws:RequestedRegion":"{region}"}}}}}}"#,
            allow("*")
        )
    };
    let denied = told(&b, &user(ACCOUNT, &but("us-west-2")), INVOKE, SONNET4).await;
    assert!(denied.contains("us-west-2::foundation-model") && denied.ends_with("identity-based policy"), "{denied}");
    assert_eq!(told(&b, &user(ACCOUNT, &but("us-west-2")), INVOKE, HAIKU).await, "yes");
    assert_eq!(told(&b, &user(ACCOUNT, &but("eu-west-1")), INVOKE, SONNET4).await, "yes");
    // A call through a global profile has no Region yet.
    let global = "global.anthropic.claude-opus-5-5";
    let denied = told(&b, &user(ACCOUNT, &but("unspecified")), INVOKE, global).await;
    assert!(denied.contains("arn:aws:bedrock:::foundation-model/"), "{denied}");
    let three = [
        allow("arn:aws:bedrock:us-east-1:111122223333:inference-profile/global.*"),
        allow("arn:aws:bedrock:us-east-1::foundation-model/*"),
        allow("arn:aws:bedrock:::foundation-model/*"),
    ];
    assert_eq!(told(&b, &user(ACCOUNT, &three.join(",")), INVOKE, global).await, "yes");
}

#[tokio::test]
async fn counting_is_asked_of_the_model_alone() {
    let b = bench(Settings::default()).await;
    let count = allow("arn:aws:bedrock:us-east-1::foundation-model/*");
    let cx = user(ACCOUNT, &count);
    assert_eq!(told(&b, &cx, Invocation::new("bedrock:CountTokens"), SONNET4).await, "yes");
    assert_ne!(told(&b, &cx, INVOKE, SONNET4).await, "yes");
}

#[tokio::test]
async fn tiers_and_guardrails_are_keys() {
    let b = bench(Settings::default()).await;
    let when = |condition: &str| {
        let statement = r#"{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*","Condition":"#;
        user(ACCOUNT, &format!("{statement}{condition}}}"))
    };
    let flex = when(r#"{"StringEquals":{"bedrock:ServiceTier":"flex"}}"#);
    assert_eq!(told(&b, &flex, Invocation { tier: Some("flex"), ..INVOKE }, HAIKU).await, "yes");
    assert_ne!(told(&b, &flex, Invocation { tier: Some("priority"), ..INVOKE }, HAIKU).await, "yes");
    assert_ne!(told(&b, &flex, INVOKE, HAIKU).await, "yes");
    let guarded = when(
        r#"{"StringEquals":{"bedrock:GuardrailIdentifier":"arn:aws:bedrock:us-east-1:111122223333:guardrail/abc:1"}}"#,
    );
    let with = |id, version| Invocation { guardrail: Some((id, version)), ..INVOKE };
    assert_eq!(told(&b, &guarded, with("abc", Some("1")), HAIKU).await, "yes");
    let arn = "arn:aws:bedrock:us-east-1:111122223333:guardrail/abc";
    assert_eq!(told(&b, &guarded, with(arn, Some("1")), HAIKU).await, "yes");
    assert_ne!(told(&b, &guarded, with("abc", Some("DRAFT")), HAIKU).await, "yes");
    assert_ne!(told(&b, &guarded, INVOKE, HAIKU).await, "yes");
}

async fn application(b: &Bench, copy_from: &str) -> String {
    let request = CreateInferenceProfileRequest {
        inference_profile_name: "mine".into(),
        model_source: InferenceProfileModelSource::CopyFrom(copy_from.into()),
        tags: Some(vec![Given { key: "team".into(), value: "red".into() }]),
        ..Default::default()
    };
    inference_profiles::create(&here(), &b.models, request).await.unwrap().inference_profile_arn
}

#[tokio::test]
async fn tags_of_a_profile_decide() {
    let b = bench(Settings::default()).await;
    let arn = application(&b, HAIKU_ARN).await;
    let team = |team: &str| {
        let model = allow("arn:aws:bedrock:*::foundation-model/*");
        user(
            ACCOUNT,
            &format!(
                r#"{model},{{"Effect":"Allow","Action":"bedrock:*","Resource":"*",
                    "Condition":{{"StringEquals":{{"aws:ResourceTag/team":"{team}"}}}}}}"#
            ),
        )
    };
    assert_eq!(told(&b, &team("red"), INVOKE, &arn).await, "yes");
    assert!(told(&b, &team("blue"), INVOKE, &arn).await.contains("application-inference-profile"));
    let get = || GetInferenceProfileRequest { inference_profile_identifier: arn.clone() };
    inference_profiles::get(&team("red"), &b.models, get()).await.unwrap();
    inference_profiles::get(&team("blue"), &b.models, get()).await.unwrap_err();
}

#[tokio::test]
async fn creation_asks_for_both_ends_and_the_tags() {
    let b = bench(Settings::default()).await;
    let create = |statements: Vec<String>, tag: &str| {
        let request = CreateInferenceProfileRequest {
            inference_profile_name: "mine".into(),
            model_source: InferenceProfileModelSource::CopyFrom(HAIKU_ARN.into()),
            tags: Some(vec![Given { key: "team".into(), value: tag.into() }]),
            ..Default::default()
        };
        let (cx, models) = (user(ACCOUNT, &statements.join(",")), b.models.clone());
        async move { inference_profiles::create(&cx, &models, request).await.map_err(|e| e.message()) }
    };
    let new = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/*";
    create(vec![allow(new), allow(HAIKU_ARN)], "red").await.unwrap();
    assert!(create(vec![allow(HAIKU_ARN)], "red").await.unwrap_err().contains(new));
    assert!(create(vec![allow(new)], "red").await.unwrap_err().contains(HAIKU_ARN));
    let untagged = r#"{"Effect":"Allow","Action":"bedrock:CreateInferenceProfile","Resource":"*"}"#;
    assert!(create(vec![untagged.into()], "red").await.unwrap_err().contains("bedrock:TagResource"));
    let red = r#"{"Effect":"Allow","Action":"bedrock:*","Resource":"*",
        "Condition":{"StringEquals":{"aws:RequestTag/team":"red"},"ForAllValues:StringEquals":{"aws:TagKeys":"team"}}}"#;
    create(vec![red.into()], "red").await.unwrap();
    create(vec![red.into()], "blue").await.unwrap_err();
}

#[tokio::test]
async fn another_account_s_profile_is_there_for_whom_its_policy_names() {
    const STRANGER: &str = "444455556666";
    let b = bench(Settings::default()).await;
    let arn = application(&b, HAIKU_ARN).await;
    let mut cx = user(STRANGER, &allow("*"));
    assert!(b.models.resolve(&cx, &arn).await.is_err());
    let share = |with: &str| {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{with}"}},"Action":"bedrock:InvokeModel","Resource":"{arn}"}}"#
        );
        let shared = policy(PolicyKind::Resource, &statement);
        cx.resource_policies.replace(HashMap::from([(arn.clone(), shared)]));
    };
    share("777788889999");
    let text = told(&b, &cx, INVOKE, &arn).await;
    assert!(text.ends_with("because no resource-based policy allows the bedrock:InvokeModel action"), "{text}");
    share(STRANGER);
    assert_eq!(told(&b, &cx, INVOKE, &arn).await, "yes");
    let counted = told(&b, &cx, Invocation::new("bedrock:CountTokens"), &arn).await;
    assert!(counted.contains("no resource-based policy allows the bedrock:CountTokens"), "{counted}");
    let get = GetInferenceProfileRequest { inference_profile_identifier: arn.clone() };
    let refused = inference_profiles::get(&cx, &b.models, get).await.unwrap_err().message();
    assert!(refused.contains("no resource-based policy allows the bedrock:GetInferenceProfile"), "{refused}");
    // Neither in another Region nor without the caller's own permission.
    cx.region = "eu-west-1".to_owned();
    assert!(b.models.resolve(&cx, &arn).await.is_err());
    let mut other = user(STRANGER, &allow("arn:aws:bedrock:*::foundation-model/*"));
    other.resource_policies = cx.resource_policies.clone();
    assert!(told(&b, &other, INVOKE, &arn).await.contains("no identity-based policy"));
}

/// A user through a router needs the router and both models, whichever the prompt gets.
#[tokio::test]
async fn a_router_needs_itself_and_both_of_its_models() {
    let b = bench(Settings::default()).await;
    let sonnet = "anthropic.claude-3-5-sonnet-20240620-v1:0";
    let target =
        |id: &str| PromptRouterTargetModel { model_arn: format!("arn:aws:bedrock:us-east-1::foundation-model/{id}") };
    let input = CreatePromptRouterRequest {
        prompt_router_name: "r".into(),
        models: vec![target(HAIKU), target(sonnet)],
        fallback_model: target(HAIKU),
        tags: Some(vec![Given { key: "team".into(), value: "search".into() }]),
        ..CreatePromptRouterRequest::default()
    };
    let router = prompt_routers::create(&here(), &b.models, input).await.unwrap().prompt_router_arn.unwrap();
    let model = |id: &str| allow(&format!("arn:aws:bedrock:us-east-1::foundation-model/{id}"));
    let every = [allow(&router), model(HAIKU), model(sonnet)];
    assert_eq!(told(&b, &user(ACCOUNT, &every.join(",")), INVOKE, &router).await, "yes");
    for missing in 0..every.len() {
        let mut some = every.to_vec();
        some.remove(missing);
        let text = told(&b, &user(ACCOUNT, &some.join(",")), INVOKE, &router).await;
        let named = ["prompt-router/", "claude-3-haiku", "claude-3-5-sonnet"][missing];
        assert!(text.contains("on resource: arn:aws:bedrock:") && text.contains(named), "{text}");
    }
    // The models through the router only, and the router by its tags.
    let through = format!(
        r#"{{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*:*:prompt-router/*",
             "Condition":{{"StringEquals":{{"aws:ResourceTag/team":"search"}}}}}},
           {{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*::foundation-model/*",
             "Condition":{{"ArnEquals":{{"bedrock:PromptRouterArn":"{router}"}}}}}}"#
    );
    assert_eq!(told(&b, &user(ACCOUNT, &through), INVOKE, &router).await, "yes");
    assert!(told(&b, &user(ACCOUNT, &through), INVOKE, HAIKU).await.contains("not authorized"));
    let other_team = through.replace("\"search\"", "\"ads\"");
    assert!(told(&b, &user(ACCOUNT, &other_team), INVOKE, &router).await.contains("prompt-router/"));
}
