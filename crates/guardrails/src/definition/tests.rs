use outcrop_api::bedrock::{
    CreateGuardrailRequest, GuardrailAutomatedReasoningPolicyConfig, GuardrailContentFilterConfig,
    GuardrailContentFilterType, GuardrailContentPolicyConfig, GuardrailContextualGroundingFilterConfig,
    GuardrailContextualGroundingFilterType, GuardrailContextualGroundingPolicyConfig, GuardrailCrossRegionConfig,
    GuardrailFilterStrength, GuardrailManagedWordsConfig, GuardrailModality, GuardrailPiiEntityConfig,
    GuardrailPiiEntityType, GuardrailRegexConfig, GuardrailSensitiveInformationAction as Masking,
    GuardrailSensitiveInformationPolicyConfig, GuardrailWordPolicyConfig,
};
use outcrop_api::{AwsError, Kind};
use outcrop_guard::{Does, Strength};
use outcrop_resources::Scope;

use super::*;
use crate::testing::{ACCOUNT, topics, words};

const HERE: Scope<'static> = Scope { account: ACCOUNT, region: "us-east-1" };

fn checked(mut input: CreateGuardrailRequest) -> Result<Definition, (Kind, String)> {
    Given::from(&mut input).checked(HERE).map_err(|error| (error.kind(), error.message()))
}

fn refused(input: CreateGuardrailRequest) -> String {
    let (kind, text) = checked(input).unwrap_err();
    assert_eq!(kind, Kind::Validation, "{text}");
    text
}

fn empty() -> CreateGuardrailRequest {
    CreateGuardrailRequest { word_policy_config: None, ..words("a", &[]) }
}

fn filter(category: GuardrailContentFilterType, output: GuardrailFilterStrength) -> GuardrailContentFilterConfig {
    GuardrailContentFilterConfig {
        r#type: category,
        input_strength: GuardrailFilterStrength::High,
        output_strength: output,
        ..GuardrailContentFilterConfig::default()
    }
}

fn filters(filters: Vec<GuardrailContentFilterConfig>) -> CreateGuardrailRequest {
    let policy = GuardrailContentPolicyConfig { filters_config: filters, tier_config: None };
    CreateGuardrailRequest { content_policy_config: Some(policy), ..empty() }
}

fn pii(entities: Vec<GuardrailPiiEntityConfig>) -> CreateGuardrailRequest {
    let policy =
        GuardrailSensitiveInformationPolicyConfig { pii_entities_config: Some(entities), regexes_config: None };
    CreateGuardrailRequest { sensitive_information_policy_config: Some(policy), ..empty() }
}

fn regexes(pairs: &[(&str, &str)]) -> CreateGuardrailRequest {
    let regex = |(name, pattern): &(&str, &str)| GuardrailRegexConfig {
        name: (*name).to_owned(),
        pattern: (*pattern).to_owned(),
        action: Masking::Anonymize,
        ..GuardrailRegexConfig::default()
    };
    let regexes_config = Some(pairs.iter().map(regex).collect());
    let policy = GuardrailSensitiveInformationPolicyConfig { pii_entities_config: None, regexes_config };
    CreateGuardrailRequest { sensitive_information_policy_config: Some(policy), ..empty() }
}

fn grounding(thresholds: &[f64]) -> CreateGuardrailRequest {
    let filter = |threshold: &f64| GuardrailContextualGroundingFilterConfig {
        r#type: GuardrailContextualGroundingFilterType::Grounding,
        threshold: *threshold,
        ..GuardrailContextualGroundingFilterConfig::default()
    };
    let filters_config = thresholds.iter().map(filter).collect();
    let policy = GuardrailContextualGroundingPolicyConfig { filters_config, tier_config: None };
    CreateGuardrailRequest { contextual_grounding_policy_config: Some(policy), ..empty() }
}

fn profile(input: CreateGuardrailRequest, id: &str) -> CreateGuardrailRequest {
    let config = GuardrailCrossRegionConfig { guardrail_profile_identifier: id.to_owned() };
    CreateGuardrailRequest { cross_region_config: Some(config), ..input }
}

fn reasoning(input: CreateGuardrailRequest, arn: &str) -> CreateGuardrailRequest {
    let config = GuardrailAutomatedReasoningPolicyConfig { policies: vec![arn.to_owned()], confidence_threshold: None };
    CreateGuardrailRequest { automated_reasoning_policy_config: Some(config), ..input }
}

#[test]
fn what_breaks_a_rule_is_refused_in_bedrocks_words() {
    use GuardrailContentFilterType as Type;
    use GuardrailFilterStrength::{High, None as Off};
    let email = || GuardrailPiiEntityConfig { r#type: GuardrailPiiEntityType::Email, ..Default::default() };
    let lists = GuardrailWordPolicyConfig {
        words_config: None,
        managed_word_lists_config: Some(vec![GuardrailManagedWordsConfig::default(); 2]),
    };
    let long = "x".repeat(101);
    let pattern = "x".repeat(501);
    let topic = |definition: &str| CreateGuardrailRequest {
        topic_policy_config: Some(topics(&[("a", definition)])),
        ..empty()
    };
    let twice = topics(&[("a", "x"), ("a", "y")]);
    for (input, text) in [
        (empty(), "Guardrail must have at least one policy"),
        (words("a", &[]), "Guardrail must have at least one policy"),
        (
            filters(vec![filter(Type::PromptAttack, High)]),
            "PROMPT ATTACK content filter strength for response must be NONE",
        ),
        (
            filters(vec![filter(Type::Hate, Off), filter(Type::Hate, High)]),
            "Content policy must not include duplicate filters",
        ),
        (
            CreateGuardrailRequest { topic_policy_config: Some(twice), ..empty() },
            "Topic policy topic names are not unique",
        ),
        (pii(vec![email(), email()]), "The PII entity configs cannot have duplicates"),
        (CreateGuardrailRequest { word_policy_config: Some(lists), ..empty() }, "Managed words cannot have duplicates"),
        (
            words("a", &["\u{200b} "]),
            "A custom word in this Word policy has no visible character and would never be found",
        ),
        (words("a", &["Cactus", "cACTUS"]), "Custom words cannot have case-insensitive duplicates"),
        (regexes(&[("a", "x"), ("a", "y")]), "All regex names must be unique"),
        (regexes(&[("a", "x"), ("b", "x")]), "All regex patterns must be unique"),
        (words("a", &[&long]), "The custom word length in this Word policy exceeds quota limit"),
        (regexes(&[("a", &pattern)]), "Regex length in sensitive information policy exceeds quota limit"),
        (topic(&"x".repeat(201)), "One or more of your guardrail topic definitions exceeds the maximum allowed length"),
        (grounding(&[1.0]), "The contextual grounding threshold cannot be greater than or equal to 1"),
        (
            profile(words("a", &["x"]), "eu.guardrail.v1:0"),
            "Guardrail cross-Region profile ID is invalid. Specify a guardrail profile ID that's supported in your \
             current AWS Region",
        ),
        (
            profile(words("a", &["x"]), "arn:aws:bedrock:us-east-1:999999999999:guardrail-profile/us.guardrail.v1:0"),
            "The provided resource ARN is from a different account",
        ),
        (
            reasoning(empty(), "arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/abcdefghij12:1"),
            "To use Automated Reasoning checks, your guardrail must have a cross-Region inference profile",
        ),
        (
            profile(
                reasoning(empty(), "arn:aws:bedrock:eu-west-1:111122223333:automated-reasoning-policy/abcdefghij12:1"),
                "us.guardrail.v1:0",
            ),
            "The provided automated reasoning policy ARN is invalid for the service region",
        ),
    ] {
        assert_eq!(refused(input), text);
    }
    checked(topic(&"x".repeat(200))).unwrap();
    checked(grounding(&[0.99])).unwrap();
    let arn = "arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/abcdefghij12:1";
    let (kind, text) = checked(profile(reasoning(empty(), arn), "us.guardrail.v1:0")).unwrap_err();
    assert_eq!((kind, text), (Kind::ResourceNotFound, format!("The automated reasoning policy {arn} does not exist.")));
}

#[test]
fn an_expression_that_cannot_be_matched_in_linear_time_is_named() {
    for pattern in ["(?=x)y", "(?<!a)b", r"(a)\1", "(", "[z-a]"] {
        let text = refused(regexes(&[("Ticket", pattern)]));
        assert!(text.contains("Ticket"), "{pattern}: {text}");
    }
    checked(regexes(&[("Ticket", r"T-\d+"), ("Evil", "(a+)+$")])).unwrap();
}

#[test]
fn the_older_action_stands_for_what_the_newer_fields_do_not_say() {
    let rule = |action, input: Option<Masking>, enabled: Option<bool>| {
        let entity = GuardrailPiiEntityConfig {
            r#type: GuardrailPiiEntityType::Email,
            action,
            input_action: input,
            input_enabled: enabled,
            ..Default::default()
        };
        let definition = checked(pii(vec![entity])).unwrap();
        let sides = definition.policy().pii[0].sides;
        (sides.input, sides.output)
    };
    assert_eq!(rule(Masking::Block, None, None), (Does::Block, Does::Block));
    // Masking by the older action alone is for answers (measured).
    assert_eq!(rule(Masking::Anonymize, None, None), (Does::Off, Does::Mask));
    assert_eq!(rule(Masking::Anonymize, Some(Masking::Anonymize), Some(true)), (Does::Mask, Does::Mask));
    assert_eq!(rule(Masking::Anonymize, Some(Masking::Block), Some(false)), (Does::Off, Does::Mask));
    assert_eq!(rule(Masking::None, None, None), (Does::Detect, Does::Detect));
    assert_eq!(rule(Masking::Block, Some(Masking::None), None), (Does::Detect, Does::Block));
}

#[test]
fn filters_are_judged_as_they_are_said() {
    use GuardrailContentFilterType as Type;
    let image = GuardrailContentFilterConfig {
        input_modalities: Some(vec![GuardrailModality::Image]),
        input_enabled: Some(true),
        output_enabled: Some(false),
        ..filter(Type::Hate, GuardrailFilterStrength::Medium)
    };
    let attack = filter(Type::PromptAttack, GuardrailFilterStrength::None);
    let definition = checked(filters(vec![attack, image])).unwrap();
    let policy = definition.policy();
    assert_eq!((policy.filters[0].input, policy.filters[0].output), (Strength::High, Strength::None));
    assert_eq!(policy.filters[0].sides.input, Does::Block);
    // For images alone, and off.
    assert_eq!((policy.filters[1].sides.input, policy.filters[1].sides.output), (Does::Off, Does::Off));
    let shown = definition.show_filters().unwrap();
    let first = &shown.filters.unwrap()[0];
    assert_eq!(first.input_modalities.as_ref().unwrap()[0].as_str(), "TEXT");
    assert_eq!((first.input_enabled, first.output_enabled), (Some(true), Some(true)));
    assert_eq!(shown.tier.unwrap().tier_name.as_str(), "CLASSIC");
}

#[test]
fn what_is_kept_reads_as_it_was_written() {
    let mut all = words("a", &["x"]);
    all.topic_policy_config = Some(topics(&[("Stocks", "What to buy")]));
    all.contextual_grounding_policy_config = grounding(&[0.7]).contextual_grounding_policy_config;
    all.sensitive_information_policy_config = regexes(&[("T", r"\d")]).sensitive_information_policy_config;
    let definition = checked(all).unwrap();
    let read: Definition = serde_json::from_slice(&serde_json::to_vec(&definition).unwrap()).unwrap();
    assert_eq!(read, definition);
    assert_eq!(read.hash().unwrap(), definition.hash().unwrap());
    let other = Definition { blocked_input: "else".into(), ..read };
    assert_ne!(other.hash().unwrap(), definition.hash().unwrap());
}
