use outcrop_api::bedrock::{
    AccountEnforcedGuardrailInferenceInputConfiguration, CreateGuardrailVersionRequest, DeleteGuardrailRequest,
};
use outcrop_api::{AwsError, Kind};

use super::*;
use crate::testing::{Bench, bench, call, here, words};
use crate::{Origin, control, versions};

fn of(guardrail: &str, version: &str) -> PutEnforcedGuardrailConfigurationRequest {
    PutEnforcedGuardrailConfigurationRequest {
        config_id: None,
        guardrail_inference_config: AccountEnforcedGuardrailInferenceInputConfiguration {
            guardrail_identifier: guardrail.to_owned(),
            guardrail_version: version.to_owned(),
            ..Default::default()
        },
    }
}

async fn versioned(b: &Bench, name: &str) -> String {
    let id = b.make(words(name, &["cactus"])).await.guardrail_id;
    let input = CreateGuardrailVersionRequest { guardrail_identifier: id.clone(), ..Default::default() };
    versions::create(&here(), &b.guardrails, input).await.unwrap();
    id
}

async fn shown(b: &Bench) -> Vec<AccountEnforcedGuardrailOutputConfiguration> {
    list(&here(), &b.guardrails, ListEnforcedGuardrailsConfigurationRequest::default()).await.unwrap().guardrails_config
}

async fn deleted(b: &Bench, id: &str, version: Option<&str>) -> Result<(), GuardrailsError> {
    let guardrail_version = version.map(str::to_owned);
    let input = DeleteGuardrailRequest { guardrail_identifier: id.to_owned(), guardrail_version };
    control::delete(&here(), &b.guardrails, input).await.map(drop)
}

#[tokio::test]
async fn a_configuration_is_one_and_holds_its_version() {
    let b = bench().await;
    let (first, second) = (versioned(&b, "first").await, versioned(&b, "second").await);
    assert!(shown(&b).await.is_empty());
    let missing = put(&here(), &b.guardrails, of(&first, "7")).await.unwrap_err();
    assert_eq!(missing.kind(), Kind::ResourceNotFound);

    let made = put(&here(), &b.guardrails, of(&first, "1")).await.unwrap().config_id.unwrap();
    for version in [Some("1"), None] {
        let refused = deleted(&b, &first, version).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::ResourceInUse, "{refused}");
    }
    // Another guardrail in the same configuration; with and without naming it.
    let other = PutEnforcedGuardrailConfigurationRequest { config_id: Some("nobody1".into()), ..of(&second, "1") };
    let unknown = put(&here(), &b.guardrails, other).await.unwrap_err();
    assert_eq!(unknown.kind(), Kind::ResourceNotFound);
    let named = PutEnforcedGuardrailConfigurationRequest { config_id: Some(made.clone()), ..of(&second, "1") };
    assert_eq!(put(&here(), &b.guardrails, named).await.unwrap().config_id, Some(made.clone()));
    put(&here(), &b.guardrails, of(&second, "1")).await.unwrap();
    let told = shown(&b).await.remove(0);
    assert_eq!((told.guardrail_id, told.guardrail_version), (Some(second.clone()), Some("1".into())));
    assert_eq!(told.owner.unwrap().as_str(), "ACCOUNT");
    deleted(&b, &first, None).await.unwrap();
    assert_eq!(deleted(&b, &second, None).await.unwrap_err().kind(), Kind::ResourceInUse);

    let gone = |id: &str| DeleteEnforcedGuardrailConfigurationRequest { config_id: id.to_owned() };
    assert_eq!(delete(&here(), &b.guardrails, gone("nobody1")).await.unwrap_err().kind(), Kind::ResourceNotFound);
    delete(&here(), &b.guardrails, gone(&made)).await.unwrap();
    assert!(shown(&b).await.is_empty());
    deleted(&b, &second, None).await.unwrap();
}

#[tokio::test]
async fn it_is_for_calls_of_its_models_in_its_account_and_region() {
    let b = bench().await;
    let id = versioned(&b, "first").await;
    let mut input = of(&id, "1");
    input.guardrail_inference_config.selective_content_guarding =
        Some(SelectiveContentGuarding { system: None, messages: Some(SelectiveGuardingMode::Selective) });
    input.guardrail_inference_config.model_enforcement = Some(ModelEnforcement {
        included_models: vec!["ALL".into()],
        excluded_models: vec!["amazon.titan-text-lite-v1".into()],
    });
    put(&here(), &b.guardrails, input).await.unwrap();
    let applied = b.guardrails.enforced(&here(), "amazon.nova-lite-v1:0").await.unwrap();
    assert_eq!((applied.len(), applied[0].origin), (1, Origin::Account));
    let selective = applied[0].selective.unwrap();
    assert_eq!((selective.system, selective.messages), (Guarding::Comprehensive, Guarding::Selective));
    assert!(b.guardrails.enforced(&here(), "amazon.titan-text-lite-v1").await.unwrap().is_empty());
    for cx in [call("999999999999", "us-east-1"), call("111122223333", "eu-west-1")] {
        assert!(b.guardrails.enforced(&cx, "amazon.nova-lite-v1:0").await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn of_those_who_put_at_once_one_stays_and_only_its_version_is_held() {
    let b = bench().await;
    let mut ids = Vec::new();
    for index in 0..6 {
        ids.push(versioned(&b, &format!("g{index}")).await);
    }
    let tasks: Vec<_> = ids
        .iter()
        .map(|id| {
            let (guardrails, input) = (b.guardrails.clone(), of(id, "1"));
            tokio::spawn(async move { put(&here(), &guardrails, input).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let held = shown(&b).await.remove(0).guardrail_id.unwrap();
    for id in &ids {
        assert_eq!(deleted(&b, id, None).await.is_err(), *id == held, "{id}");
    }
}
