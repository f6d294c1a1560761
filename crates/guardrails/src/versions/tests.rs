use outcrop_api::bedrock::{DeleteGuardrailRequest, GetGuardrailRequest, UpdateGuardrailRequest};
use outcrop_api::{AwsError, Kind};

use super::*;
use crate::control;
use crate::testing::{Bench, bench, here, words};

fn of(id: &str, description: Option<&str>, token: Option<&str>) -> CreateGuardrailVersionRequest {
    CreateGuardrailVersionRequest {
        guardrail_identifier: id.to_owned(),
        description: description.map(str::to_owned),
        client_request_token: token.map(str::to_owned),
    }
}

async fn edit(b: &Bench, id: &str, word: &str) {
    let with = words("a", &[word]);
    let input = UpdateGuardrailRequest {
        guardrail_identifier: id.to_owned(),
        name: with.name,
        word_policy_config: with.word_policy_config,
        blocked_input_messaging: with.blocked_input_messaging,
        blocked_outputs_messaging: with.blocked_outputs_messaging,
        ..UpdateGuardrailRequest::default()
    };
    control::update(&here(), &b.guardrails, input).await.unwrap();
}

async fn word(b: &Bench, id: &str, version: &str) -> String {
    let input = GetGuardrailRequest { guardrail_identifier: id.into(), guardrail_version: Some(version.into()) };
    let told = control::get(&here(), &b.guardrails, input).await.unwrap();
    told.word_policy.unwrap().words.unwrap().remove(0).text
}

#[tokio::test]
async fn a_version_stays_what_the_draft_was() {
    let b = bench().await;
    let id = b.make(words("a", &["one"])).await.guardrail_id;
    assert_eq!(create(&here(), &b.guardrails, of(&id, Some("first"), None)).await.unwrap().version, "1");
    edit(&b, &id, "two").await;
    assert_eq!(create(&here(), &b.guardrails, of(&id, None, None)).await.unwrap().version, "2");
    edit(&b, &id, "three").await;
    let seen = [word(&b, &id, "1").await, word(&b, &id, "2").await, word(&b, &id, "DRAFT").await];
    assert_eq!(seen, ["one", "two", "three"]);
    let input = GetGuardrailRequest { guardrail_identifier: id, guardrail_version: Some("1".into()) };
    let first = control::get(&here(), &b.guardrails, input).await.unwrap();
    assert_eq!(first.description.as_deref(), Some("first"));
    assert_eq!(first.created_at, first.updated_at);
}

#[tokio::test]
async fn a_token_makes_one_version() {
    let b = bench().await;
    let id = b.make(words("a", &["one"])).await.guardrail_id;
    assert_eq!(create(&here(), &b.guardrails, of(&id, None, Some("t"))).await.unwrap().version, "1");
    edit(&b, &id, "two").await;
    assert_eq!(create(&here(), &b.guardrails, of(&id, None, Some("t"))).await.unwrap().version, "1");
    assert_eq!(create(&here(), &b.guardrails, of(&id, None, Some("u"))).await.unwrap().version, "2");
    let other = create(&here(), &b.guardrails, of(&id, Some("else"), Some("t"))).await.unwrap_err();
    assert_eq!(other.kind(), Kind::Conflict);
}

#[tokio::test]
async fn there_are_twenty_at_most() {
    let b = bench().await;
    let id = b.make(words("a", &["one"])).await.guardrail_id;
    for number in 1..=20 {
        let token = format!("t{number}");
        let made = create(&here(), &b.guardrails, of(&id, None, Some(&token))).await.unwrap();
        assert_eq!(made.version, number.to_string());
    }
    let full = create(&here(), &b.guardrails, of(&id, None, None)).await.unwrap_err();
    assert_eq!(full.kind(), Kind::ServiceQuotaExceeded);
    // Who repeats what was made is told so, full or not.
    assert_eq!(create(&here(), &b.guardrails, of(&id, None, Some("t20"))).await.unwrap().version, "20");
    let input = DeleteGuardrailRequest { guardrail_identifier: id.clone(), guardrail_version: Some("3".into()) };
    control::delete(&here(), &b.guardrails, input).await.unwrap();
    assert_eq!(create(&here(), &b.guardrails, of(&id, None, None)).await.unwrap().version, "21");
    let input = DeleteGuardrailRequest { guardrail_identifier: id.clone(), guardrail_version: None };
    control::delete(&here(), &b.guardrails, input).await.unwrap();
    let gone = create(&here(), &b.guardrails, of(&id, None, None)).await.unwrap_err();
    assert_eq!(gone.kind(), Kind::ResourceNotFound);
}
