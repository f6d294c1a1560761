use outcrop_api::bedrock::CreateGuardrailVersionRequest;
use outcrop_api::{AwsError, Kind};
use outcrop_guard::{Acted, Side};

use super::*;
use crate::testing::{ACCOUNT, Bench, bench, bench_with, blocking, call, here, topics, words};
use crate::{OwnedPassage, control, versions};

async fn input(applied: &Applied, text: &str) -> Result<Acted, GuardrailsError> {
    Ok(applied.assess(Side::Input, vec![OwnedPassage::content(text)]).await?.acted())
}

async fn changed(guardrails: &Guardrails, id: &str, word: &str) {
    let with = blocking("a", word);
    let input = outcrop_api::bedrock::UpdateGuardrailRequest {
        guardrail_identifier: id.to_owned(),
        name: with.name,
        sensitive_information_policy_config: with.sensitive_information_policy_config,
        blocked_input_messaging: with.blocked_input_messaging,
        blocked_outputs_messaging: with.blocked_outputs_messaging,
        ..Default::default()
    };
    control::update(&here(), guardrails, input).await.unwrap();
}

#[tokio::test]
async fn a_call_gets_the_version_that_it_names() {
    let b = bench().await;
    let made = b.make(blocking("a", "cactus")).await;
    let version =
        CreateGuardrailVersionRequest { guardrail_identifier: made.guardrail_id.clone(), ..Default::default() };
    versions::create(&here(), &b.guardrails, version).await.unwrap();
    changed(&b.guardrails, &made.guardrail_id, "thistle").await;
    for (version, word) in [("1", "cactus"), ("DRAFT", "thistle")] {
        for identifier in [&made.guardrail_id, &made.guardrail_arn] {
            let applied = b.guardrails.find(&here(), identifier, version).await.unwrap();
            assert_eq!((applied.id.as_str(), applied.version.as_str()), (made.guardrail_id.as_str(), version));
            assert_eq!(applied.arn, made.guardrail_arn);
            assert_eq!(applied.blocked(Side::Input), "not to the model");
            assert_eq!(applied.blocked(Side::Output), "not to the caller");
            assert_eq!(input(&applied, &format!("a {word} here")).await.unwrap(), Acted::Blocked);
            assert_eq!(input(&applied, "a rose").await.unwrap(), Acted::None);
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_alike_and_never_with_404() {
    let b = bench().await;
    let made = b.make(words("a", &["x"])).await;
    let unknown = "The guardrail identifier or version provided in the request does not exist.";
    let elsewhere = made.guardrail_arn.replace("us-east-1", "eu-west-1");
    let foreign = made.guardrail_arn.replace(ACCOUNT, "999999999999");
    for (identifier, version, text) in [
        (made.guardrail_id.as_str(), "1", unknown),
        ("abcdefghij12", "DRAFT", unknown),
        (elsewhere.as_str(), "DRAFT", unknown),
        (foreign.as_str(), "DRAFT", unknown),
        ("1", "DRAFT", "The provided guardrail identifier is invalid."),
        ("", "DRAFT", "Guardrail was enabled but input is in incorrect format."),
        (made.guardrail_id.as_str(), "", "Guardrail was enabled but input is in incorrect format."),
    ] {
        let error = b.guardrails.find(&here(), identifier, version).await.err().unwrap();
        assert_eq!((error.kind(), error.message().as_str()), (Kind::Validation, text), "{identifier} {version}");
    }
    let error = b.guardrails.find(&call("999999999999", "us-east-1"), &made.guardrail_id, "DRAFT").await.err().unwrap();
    assert_eq!(error.message(), unknown);
}

#[tokio::test]
async fn what_another_process_changes_is_judged_by_at_once() {
    let b = bench().await;
    let other = b.elsewhere(Settings::default());
    let id = b.make(blocking("a", "cactus")).await.guardrail_id;
    let applied = other.find(&here(), &id, "DRAFT").await.unwrap();
    assert_eq!(input(&applied, "cactus").await.unwrap(), Acted::Blocked);
    changed(&b.guardrails, &id, "thistle").await;
    // As its follower does.
    other.index().catch_up().await.unwrap();
    let applied = other.find(&here(), &id, "DRAFT").await.unwrap();
    assert_eq!(input(&applied, "cactus").await.unwrap(), Acted::None);
    let gone =
        outcrop_api::bedrock::DeleteGuardrailRequest { guardrail_identifier: id.clone(), guardrail_version: None };
    control::delete(&here(), &b.guardrails, gone).await.unwrap();
    // A call that has it already goes on with it; the next one is told.
    assert_eq!(input(&applied, "thistle").await.unwrap(), Acted::Blocked);
    assert!(b.guardrails.find(&here(), &id, "DRAFT").await.is_err());
}

fn topical(name: &str) -> outcrop_api::bedrock::CreateGuardrailRequest {
    let policy = Some(topics(&[("Stocks", "What to buy")]));
    outcrop_api::bedrock::CreateGuardrailRequest { topic_policy_config: policy, ..blocking(name, "cactus") }
}

async fn judged(b: &Bench, id: &str, text: &str) -> Result<Acted, GuardrailsError> {
    let applied = b.guardrails.find(&here(), id, "DRAFT").await?;
    input(&applied, text).await
}

#[tokio::test]
async fn what_cannot_be_judged_is_refused_by_default() {
    let b = bench().await;
    let (plain, topical) = (b.make(blocking("plain", "cactus")).await, b.make(topical("topical")).await);
    b.encoder.breaks();
    // Words need no encoder.
    assert_eq!(judged(&b, &plain.guardrail_id, "cactus").await.unwrap(), Acted::Blocked);
    let error = judged(&b, &topical.guardrail_id, "rose").await.unwrap_err();
    assert_eq!(error.kind(), Kind::ServiceUnavailable);
    assert!(error.message().contains("nothing was let through") && error.message().contains("no model"), "{error}");
}

#[tokio::test]
async fn where_that_is_allowed_the_other_policies_still_judge() {
    let b = bench_with(Settings { on_failure: OnFailure::Allow, ..Settings::default() }).await;
    let id = b.make(topical("topical")).await.guardrail_id;
    b.encoder.breaks();
    assert_eq!(judged(&b, &id, "cactus").await.unwrap(), Acted::Blocked);
    assert_eq!(judged(&b, &id, "rose").await.unwrap(), Acted::None);
}

#[tokio::test]
async fn an_operators_guardrail_is_on_every_accounts_calls() {
    let b = bench().await;
    let made = b.make(blocking("a", "cactus")).await;
    let enforcing = Settings { enforce: vec![format!("{}:DRAFT", made.guardrail_arn)], ..Settings::default() };
    let guardrails = b.elsewhere(enforcing.clone());
    let applied = guardrails.enforced(&call("999999999999", "eu-west-1"), "amazon.nova-lite-v1:0").await.unwrap();
    assert_eq!((applied.len(), applied[0].origin), (1, Origin::Operator));
    assert_eq!(input(&applied[0], "cactus").await.unwrap(), Acted::Blocked);
    // One that is not there stops every call, unless failures are to be let through.
    let nobody = vec![format!("{}:7", made.guardrail_arn)];
    let strict = b.elsewhere(Settings { enforce: nobody.clone(), ..Settings::default() });
    let error = strict.enforced(&here(), "amazon.nova-lite-v1:0").await.err().unwrap();
    assert_eq!(error.kind(), Kind::ServiceUnavailable);
    let lenient = b.elsewhere(Settings { enforce: nobody, on_failure: OnFailure::Allow, ..Settings::default() });
    assert!(lenient.enforced(&here(), "amazon.nova-lite-v1:0").await.unwrap().is_empty());
}
