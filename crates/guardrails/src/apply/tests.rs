use outcrop_api::bedrock::{
    CreateGuardrailRequest, GuardrailContextualGroundingFilterConfig, GuardrailContextualGroundingPolicyConfig,
    GuardrailPiiEntityConfig, GuardrailPiiEntityType, GuardrailRegexConfig,
    GuardrailSensitiveInformationAction as Masking, GuardrailSensitiveInformationPolicyConfig,
};
use outcrop_api::bedrock_runtime::{GuardrailImageBlock, GuardrailOutputScope};
use outcrop_api::{AwsError, Kind};

use super::*;
use crate::testing::{Bench, bench, blocking, here, words};

fn text(text: &str, qualifiers: &[&str]) -> GuardrailContentBlock {
    let qualifiers: Vec<_> = qualifiers.iter().map(|one| GuardrailContentQualifier::from(*one)).collect();
    GuardrailContentBlock::Text(GuardrailTextBlock {
        text: text.to_owned(),
        qualifiers: (!qualifiers.is_empty()).then_some(qualifiers),
    })
}

async fn applied(
    b: &Bench,
    id: &str,
    source: &str,
    content: Vec<GuardrailContentBlock>,
) -> Result<ApplyGuardrailResponse, GuardrailsError> {
    let input = ApplyGuardrailRequest {
        guardrail_identifier: id.to_owned(),
        guardrail_version: "DRAFT".to_owned(),
        source: source.into(),
        content,
        output_scope: None,
    };
    apply(&here(), &b.guardrails, input).await
}

/// Blocks `cactus`, masks e-mail addresses and tickets in answers.
fn masking() -> CreateGuardrailRequest {
    let email = GuardrailPiiEntityConfig {
        r#type: GuardrailPiiEntityType::Email,
        action: Masking::Anonymize,
        ..Default::default()
    };
    let ticket = GuardrailRegexConfig {
        name: "Ticket".into(),
        pattern: r"T-\d+".into(),
        action: Masking::Anonymize,
        ..Default::default()
    };
    let cactus = GuardrailRegexConfig { name: "cactus".into(), pattern: "cactus".into(), ..Default::default() };
    let policy = GuardrailSensitiveInformationPolicyConfig {
        pii_entities_config: Some(vec![email]),
        regexes_config: Some(vec![ticket, cactus]),
    };
    CreateGuardrailRequest { sensitive_information_policy_config: Some(policy), ..blocking("masking", "x") }
}

fn outputs(said: &ApplyGuardrailResponse) -> Vec<&str> {
    said.outputs.iter().map(|output| output.text.as_deref().unwrap()).collect()
}

#[tokio::test]
async fn nothing_found_is_told_with_what_was_looked_at() {
    let b = bench().await;
    let id = b.make(words("a", &["cactus"])).await.guardrail_id;
    let said = applied(&b, &id, "INPUT", vec![text(&"x".repeat(1001), &[]), text("two", &[])]).await.unwrap();
    assert_eq!(said.action.as_str(), "NONE");
    assert_eq!(said.action_reason.as_deref(), Some("No action."));
    assert!(said.outputs.is_empty());
    assert_eq!(said.usage.word_policy_units, 2);
    assert_eq!(said.usage.topic_policy_units, 0);
    let coverage = said.guardrail_coverage.unwrap().text_characters.unwrap();
    assert_eq!((coverage.guarded, coverage.total), (Some(1004), Some(1004)));
    let [assessment] = &said.assessments[..] else { panic!("one guardrail, one assessment") };
    assert!(assessment.word_policy.is_none() && assessment.invocation_metrics.is_some());
    let details = assessment.applied_guardrail_details.as_ref().unwrap();
    assert_eq!(details.guardrail_id.as_ref(), Some(&id));
    assert_eq!(details.guardrail_version.as_deref(), Some("DRAFT"));
    assert_eq!(details.guardrail_origin.as_ref().unwrap()[0].as_str(), "REQUEST");
    assert_eq!(details.guardrail_ownership.as_ref().unwrap().as_str(), "SELF");
}

#[tokio::test]
async fn a_block_is_one_canned_text_of_its_side() {
    let b = bench().await;
    let id = b.make(masking()).await.guardrail_id;
    for (side, message) in [("INPUT", "not to the model"), ("OUTPUT", "not to the caller")] {
        let content = vec![text("a cactus", &[]), text("mail a@b.example", &[])];
        let said = applied(&b, &id, side, content).await.unwrap();
        assert_eq!(said.action.as_str(), "GUARDRAIL_INTERVENED");
        assert_eq!(said.action_reason.as_deref(), Some("Guardrail blocked."));
        assert_eq!(outputs(&said), [message]);
        let found = said.assessments[0].sensitive_information_policy.as_ref().unwrap();
        assert_eq!(found.regexes[0].r#match.as_deref(), Some("cactus"));
        assert_eq!(found.regexes[0].action.as_str(), "BLOCKED");
        // What would have been masked is not told beside a block.
        assert_eq!((found.regexes.len(), found.pii_entities.len()), (1, 0));
    }
}

#[tokio::test]
async fn masks_come_for_every_text_in_its_place() {
    let b = bench().await;
    let id = b.make(masking()).await.guardrail_id;
    let content = || vec![text("nothing", &[]), text("mail a@b.example on T-17", &[])];
    let said = applied(&b, &id, "OUTPUT", content()).await.unwrap();
    assert_eq!(said.action.as_str(), "GUARDRAIL_INTERVENED");
    assert_eq!(said.action_reason.as_deref(), Some("Guardrail masked."));
    assert_eq!(outputs(&said), ["nothing", "mail {EMAIL} on {Ticket}"]);
    let policy = said.assessments[0].sensitive_information_policy.as_ref().unwrap();
    assert_eq!(
        (policy.pii_entities[0].r#match.as_str(), policy.pii_entities[0].action.as_str()),
        ("a@b.example", "ANONYMIZED")
    );
    let regex = &policy.regexes[0];
    assert_eq!(
        (regex.name.as_deref(), regex.regex.as_deref(), regex.r#match.as_deref()),
        (Some("Ticket"), Some(r"T-\d+"), Some("T-17"))
    );
    // The older action masks answers only.
    let said = applied(&b, &id, "INPUT", content()).await.unwrap();
    assert_eq!((said.action.as_str(), said.usage.sensitive_information_policy_units), ("NONE", 0));
    assert_eq!(said.usage.sensitive_information_policy_free_units, 1);
}

#[tokio::test]
async fn where_a_text_is_marked_only_marked_ones_are_judged() {
    let b = bench().await;
    let id = b.make(masking()).await.guardrail_id;
    let content = vec![text("a cactus", &[]), text("T-1", &["guard_content"]), text("T-2", &[])];
    let said = applied(&b, &id, "OUTPUT", content).await.unwrap();
    assert_eq!(outputs(&said), ["a cactus", "{Ticket}", "T-2"]);
    let coverage = said.guardrail_coverage.unwrap().text_characters.unwrap();
    assert_eq!((coverage.guarded, coverage.total), (Some(3), Some(14)));
    // Sources and queries are not judged unless they are marked as content, too.
    let content = vec![text("cactus", &["query"]), text("cactus", &["grounding_source"])];
    assert_eq!(applied(&b, &id, "INPUT", content).await.unwrap().action.as_str(), "NONE");
    let content = vec![text("cactus", &["query", "guard_content"])];
    let said = applied(&b, &id, "INPUT", content).await.unwrap();
    assert_eq!(said.action.as_str(), "GUARDRAIL_INTERVENED");
    let coverage = said.guardrail_coverage.unwrap().text_characters.unwrap();
    assert_eq!((coverage.guarded, coverage.total), (Some(6), Some(6)));
}

#[tokio::test]
async fn the_full_scope_tells_what_was_not_found() {
    let b = bench().await;
    let id = b.make(masking()).await.guardrail_id;
    let input = ApplyGuardrailRequest {
        guardrail_identifier: id,
        guardrail_version: "DRAFT".to_owned(),
        source: GuardrailContentSource::Output,
        content: vec![text("nothing", &[])],
        output_scope: Some(GuardrailOutputScope::Full),
    };
    let said = apply(&here(), &b.guardrails, input).await.unwrap();
    let policy = said.assessments[0].sensitive_information_policy.as_ref().unwrap();
    let email = &policy.pii_entities[0];
    assert_eq!((email.r#type.as_str(), email.r#match.as_str()), ("EMAIL", ""));
    assert_eq!((email.action.as_str(), email.detected), ("NONE", Some(false)));
    assert!(policy.regexes.is_empty() && said.assessments[0].word_policy.is_none());
}

#[tokio::test]
async fn what_cannot_be_judged_is_refused() {
    let b = bench().await;
    let id = b.make(words("a", &["cactus"])).await.guardrail_id;
    let image = GuardrailContentBlock::Image(GuardrailImageBlock::default());
    for content in [vec![], vec![text("a rose", &[]), image]] {
        let error = applied(&b, &id, "INPUT", content).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Validation);
        assert_eq!(error.message(), "Guardrail was enabled but input is in incorrect format.");
    }
    let error = applied(&b, &id, "INPUT", vec![text(&"x".repeat(1_000_001), &[])]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Throttling);
    assert!(
        error.message().starts_with("Input text size (1001 text units) exceeds the maximum allowed (1000 text units)")
    );
    assert_eq!(applied(&b, &id, "INPUT", vec![text("", &[])]).await.unwrap().action.as_str(), "NONE");
}

#[tokio::test]
async fn grounding_needs_a_source_a_query_and_an_answer() {
    let b = bench().await;
    let filters_config = vec![GuardrailContextualGroundingFilterConfig { threshold: 0.5, ..Default::default() }];
    let policy = GuardrailContextualGroundingPolicyConfig { filters_config, tier_config: None };
    let request =
        CreateGuardrailRequest { contextual_grounding_policy_config: Some(policy), ..words("a", &["cactus"]) };
    let id = b.make(request).await.guardrail_id;
    let (source, query) =
        (|| text("Paris is in France.", &["grounding_source"]), || text("Where is Paris?", &["query"]));
    let answer = || text("Paris is in France.", &[]);
    for content in [vec![answer()], vec![source(), answer()], vec![query(), answer()], vec![source(), query()]] {
        let error = applied(&b, &id, "OUTPUT", content).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Validation);
        assert!(error.message().starts_with("The provided request does not contain the grounding source."));
    }
    // On the way in there is nothing to ground.
    applied(&b, &id, "INPUT", vec![answer()]).await.unwrap();
    let said = applied(&b, &id, "OUTPUT", vec![source(), query(), answer()]).await.unwrap();
    let filters = said.assessments[0].contextual_grounding_policy.as_ref().unwrap().filters.as_ref().unwrap();
    assert_eq!((filters[0].r#type.as_str(), filters[0].threshold), ("GROUNDING", 0.5));
    let long = text(&"x ".repeat(600), &["query"]);
    let error = applied(&b, &id, "OUTPUT", vec![source(), long, answer()]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Validation);
}
