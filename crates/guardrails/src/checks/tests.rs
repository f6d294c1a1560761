use outcrop_api::bedrock_runtime::{
    GuardrailChecksContentFilterCategoryConfig, GuardrailChecksContentFilterConfig,
    GuardrailChecksPromptAttackCategoryConfig, GuardrailChecksPromptAttackConfig,
    GuardrailChecksSensitiveInformationConfig, GuardrailChecksSensitiveInformationEntityConfig,
};
use outcrop_api::{AwsError, Kind};

use super::*;
use crate::testing::{bench, here};

fn message(role: &str, texts: &[&str]) -> GuardrailChecksMessage {
    let content = texts.iter().map(|text| GuardrailChecksContentBlock::Text((*text).to_owned())).collect();
    GuardrailChecksMessage { role: role.into(), content }
}

fn pii(kinds: &[&str]) -> GuardrailChecksConfig {
    let entity = |kind: &&str| GuardrailChecksSensitiveInformationEntityConfig { r#type: (*kind).into() };
    let entities = kinds.iter().map(entity).collect();
    GuardrailChecksConfig {
        sensitive_information: Some(GuardrailChecksSensitiveInformationConfig { entities }),
        ..GuardrailChecksConfig::default()
    }
}

async fn checked(
    messages: Vec<GuardrailChecksMessage>,
    checks: GuardrailChecksConfig,
) -> Result<InvokeGuardrailChecksResponse, GuardrailsError> {
    let b = bench().await;
    invoke(&here(), &b.guardrails, InvokeGuardrailChecksRequest { messages, checks }).await
}

#[tokio::test]
async fn offsets_slice_the_text_of_their_block() {
    let texts = [["no", "Zoë 😀 schrieb an zoe@example.com und an max@example.org."], ["", "max@example.org"]];
    let messages = vec![message("user", &texts[0]), message("assistant", &texts[1])];
    let said = checked(messages, pii(&["EMAIL"])).await.unwrap();
    let found = said.results.sensitive_information.unwrap();
    assert_eq!(found.truncated, Some(false));
    let sliced: Vec<(i32, i32, String)> = found
        .results
        .iter()
        .map(|one| {
            let text = texts[one.message_index as usize][one.content_index as usize];
            let (begin, end) = (one.begin_offset as usize, one.end_offset as usize);
            (one.message_index, one.content_index, text.chars().skip(begin).take(end - begin).collect())
        })
        .collect();
    assert_eq!(
        sliced,
        [(0, 1, "zoe@example.com".into()), (0, 1, "max@example.org".into()), (1, 1, "max@example.org".into())]
    );
    assert!(said.results.content_filter.is_none() && said.usage.content_filter.is_none());
    assert_eq!(said.usage.sensitive_information.unwrap().text_units, 1);
}

#[tokio::test]
async fn of_too_many_occurrences_the_first_thousand_are_told() {
    let many = "a@b.example ".repeat(1_001);
    let said = checked(vec![message("user", &[&many])], pii(&["EMAIL"])).await.unwrap();
    let found = said.results.sensitive_information.unwrap();
    assert_eq!((found.results.len(), found.truncated), (1_000, Some(true)));
    assert_eq!(said.usage.sensitive_information.unwrap().text_units, 13);
    let exactly = "a@b.example ".repeat(1_000);
    let said = checked(vec![message("user", &[&exactly])], pii(&["EMAIL"])).await.unwrap();
    assert_eq!(said.results.sensitive_information.unwrap().truncated, Some(false));
}

#[tokio::test]
async fn every_wanted_category_has_one_entry_in_one_of_six_steps() {
    let checks = GuardrailChecksConfig {
        content_filter: Some(GuardrailChecksContentFilterConfig {
            categories: ["MISCONDUCT", "HATE"]
                .map(|category| GuardrailChecksContentFilterCategoryConfig { category: category.into() })
                .to_vec(),
        }),
        prompt_attack: Some(GuardrailChecksPromptAttackConfig {
            categories: ["PROMPT_LEAKAGE", "JAILBREAK"]
                .map(|category| GuardrailChecksPromptAttackCategoryConfig { category: category.into() })
                .to_vec(),
        }),
        sensitive_information: None,
    };
    let said = checked(vec![message("user", &["How do I bake bread?"])], checks).await.unwrap();
    let steps = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
    let filters = said.results.content_filter.unwrap().results;
    let named: Vec<&str> = filters.iter().map(|one| one.category.as_str()).collect();
    assert_eq!(named, ["MISCONDUCT", "HATE"]);
    let attacks = said.results.prompt_attack.unwrap().results;
    let named: Vec<&str> = attacks.iter().map(|one| one.category.as_str()).collect();
    assert_eq!(named, ["PROMPT_LEAKAGE", "JAILBREAK"]);
    let scores = filters.iter().map(|one| one.severity_score).chain(attacks.iter().map(|one| one.severity_score));
    assert!(scores.into_iter().all(|score| steps.contains(&score)));
    assert!(said.results.sensitive_information.is_none() && said.usage.sensitive_information.is_none());
}

#[test]
fn severity_follows_confidence() {
    let of = |score, confidence| severity(&Judged { score, confidence, window: 0..0, attacks: None });
    assert_eq!(of(0.1, Confidence::None), 0.0);
    assert_eq!(of(0.6, Confidence::None), 0.2);
    assert_eq!(of(0.8, Confidence::Low), 0.4);
    assert_eq!(of(0.9, Confidence::Medium), 0.6);
    assert_eq!(of(0.95, Confidence::High), 0.8);
    assert_eq!(of(0.999, Confidence::High), 1.0);
    let attacks = Some([(Attack::Jailbreak, 0.97), (Attack::Injection, 0.05), (Attack::Leakage, 0.4)]);
    let judged = Judged { score: 0.97, confidence: Confidence::High, window: 0..0, attacks };
    assert_eq!(attack_severity(&judged, &GuardrailChecksPromptAttackCategory::Jailbreak), 0.8);
    assert_eq!(attack_severity(&judged, &GuardrailChecksPromptAttackCategory::PromptInjection), 0.0);
    assert_eq!(attack_severity(&judged, &GuardrailChecksPromptAttackCategory::PromptLeakage), 0.4);
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused() {
    let eleven = ["x"; 11];
    for (messages, checks) in [
        (vec![message("user", &["x"])], GuardrailChecksConfig::default()),
        (vec![message("user", &eleven)], pii(&["EMAIL"])),
    ] {
        assert_eq!(checked(messages, checks).await.unwrap_err().kind(), Kind::Validation);
    }
}
