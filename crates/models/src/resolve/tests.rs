use std::sync::LazyLock;

use jiff::civil::date;
use outcrop_api::{AwsError, Kind};

use super::*;
use crate::catalogue::{LocalKind, LocalModel};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let local = LocalModel { name: "tiny".into(), kind: LocalKind::Text, context: 2048 };
    Catalogue::builtin().unwrap().with_local([local]).unwrap()
});
const ACCOUNT: &str = "111122223333";
const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const SONNET4: &str = "anthropic.claude-sonnet-4-20250514-v1:0";

fn place(region: &str) -> Place<'_> {
    Place { account: ACCOUNT, region, today: date(2026, 11, 21) }
}
fn resolve(id: &str) -> Result<Resolved, ModelsError> {
    CATALOGUE.resolve(id, place("us-east-1"), &Settings::default())
}

#[test]
fn every_form_that_names_a_model_resolves() {
    let arn = format!("arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}");
    let profile = format!("us.{SONNET4}");
    let profile_arn = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/{profile}");
    let window = format!("{HAIKU}:48k");
    for (given, invoked, metric) in [
        (HAIKU, HAIKU, HAIKU),
        (&arn, HAIKU, HAIKU),
        (&window, HAIKU, &window),
        (&profile, SONNET4, &profile),
        (&profile_arn, SONNET4, &profile),
        ("outcrop.tiny", "outcrop.tiny", "outcrop.tiny"),
    ] {
        let found = resolve(given).unwrap();
        assert_eq!((found.invoked_id.as_str(), found.metric_id.as_str()), (invoked, metric), "{given}");
        assert_eq!(found.model.id, invoked, "{given}");
        let expected = given.contains("us.").then_some(&profile_arn);
        assert_eq!(found.profile_arn.as_ref(), expected, "{given}");
    }
    assert_eq!(resolve(&window).unwrap().context, Some(48_000));
    assert_eq!(resolve(HAIKU).unwrap().context, Some(200_000));
}

#[test]
fn what_names_nothing_is_refused_in_bedrocks_words() {
    let invalid = "The provided model identifier is invalid.";
    let unresolved = "Could not resolve the foundation model from the provided model identifier.";
    let arn = |rest: &str| format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:{rest}");
    for (id, kind, text) in [
        ("anthropic.no-such-model-v9:0".to_owned(), Kind::Validation, invalid),
        ("my-provisioned-model".to_owned(), Kind::Validation, invalid),
        ("abcdefghij12".to_owned(), Kind::Validation, invalid),
        ("us.anthropic.no-such-model-v9:0".to_owned(), Kind::Validation, invalid),
        // The model exists, the profile does not.
        (format!("jp.{HAIKU}"), Kind::Validation, invalid),
        (String::new(), Kind::Validation, invalid),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.nope".to_owned(), Kind::Validation, invalid),
        (format!("arn:aws:bedrock:eu-west-1::foundation-model/{HAIKU}"), Kind::Validation, invalid),
        (arn(&format!("foundation-model/{HAIKU}")), Kind::Validation, invalid),
        (arn("inference-profile/abcdefghij12"), Kind::Validation, invalid),
        (format!("arn:aws:bedrock:us-east-1:999999999999:inference-profile/us.{SONNET4}"), Kind::Validation, invalid),
        (format!("arn:aws:bedrock:us-west-2:{ACCOUNT}:inference-profile/us.{SONNET4}"), Kind::Validation, invalid),
        (arn("guardrail/abcdefghij12"), Kind::Validation, invalid),
        ("arn:aws:bedrock".to_owned(), Kind::Validation, invalid),
        (arn("provisioned-model/abcdefghij12"), Kind::ResourceNotFound, unresolved),
        (arn("custom-model/amazon.nova-lite-v1/abcdefghij12"), Kind::ResourceNotFound, unresolved),
        (arn("custom-model-deployment/abcdefghij12"), Kind::ResourceNotFound, unresolved),
        (arn("imported-model/abcdefghij12"), Kind::ResourceNotFound, unresolved),
        (arn("prompt-router/abcdefghij12"), Kind::ResourceNotFound, unresolved),
        (arn("default-prompt-router/anthropic.claude:1"), Kind::ResourceNotFound, unresolved),
        (arn("prompt/PROMPT1234:1"), Kind::ResourceNotFound, unresolved),
        (arn("application-inference-profile/abcdefghij12"), Kind::ResourceNotFound, unresolved),
        (format!("arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/mine"), Kind::ResourceNotFound, unresolved),
    ] {
        let refused = resolve(&id).unwrap_err();
        assert_eq!((refused.kind(), refused.message().as_str()), (kind, text), "{id}");
    }
}

#[test]
fn by_default_no_limit_is_enforced() {
    // Retired, profile-only, and not offered in Cape Town.
    let found = CATALOGUE.resolve(SONNET4, place("af-south-1"), &Settings::default()).unwrap();
    assert_eq!((found.profile_arn, found.destinations), (None, vec!["af-south-1".to_owned()]));
    let found = CATALOGUE.resolve(&format!("eu.{SONNET4}"), place("us-west-2"), &Settings::default()).unwrap();
    assert_eq!(found.destinations, ["us-west-2"]);
}

#[test]
fn limits_are_enforced_where_the_settings_say_so() {
    let told = |id: &str, region, settings: &Settings| {
        let refused = CATALOGUE.resolve(id, place(region), settings).unwrap_err();
        (refused.kind(), refused.message())
    };
    let off = Settings::default;
    assert_eq!(
        told("anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1", &Settings { enforce_on_demand: true, ..off() }),
        (
            Kind::Validation,
            "Invocation of model ID anthropic.claude-sonnet-4-5-20250929-v1:0 with on-demand throughput isn’t supported. \
             Retry your request with the ID or ARN of an inference profile that contains this model."
                .to_owned()
        )
    );
    let ended =
        "This model version has reached the end of its life. Please refer to the AWS documentation for more details.";
    let lifecycle = &Settings { enforce_lifecycle: true, ..off() };
    assert_eq!(told(HAIKU, "us-east-1", lifecycle), (Kind::ResourceNotFound, ended.to_owned()));
    assert_eq!(told(&format!("us.{SONNET4}"), "us-east-1", lifecycle), (Kind::ResourceNotFound, ended.to_owned()));
    let invalid = (Kind::Validation, "The provided model identifier is invalid.".to_owned());
    let regional = &Settings { enforce_regions: true, ..off() };
    assert_eq!(told(&format!("eu.{SONNET4}"), "us-west-2", regional), invalid);
    assert_eq!(told("amazon.rerank-v1:0", "us-east-1", regional), invalid);

    let all =
        Settings { enforce_lifecycle: true, enforce_regions: true, enforce_on_demand: true, ..Settings::default() };
    for id in ["amazon.nova-micro-v1:0", "global.anthropic.claude-opus-5-5", "outcrop.tiny"] {
        assert!(CATALOGUE.resolve(id, place("us-east-1"), &all).is_ok(), "{id}");
    }
}

#[test]
fn a_profile_says_where_its_calls_may_run() {
    let found = CATALOGUE.resolve(&format!("us.{SONNET4}"), place("us-west-2"), &Settings::default()).unwrap();
    assert_eq!(found.destinations, ["us-west-2", "us-east-1", "us-east-2"]);
    let global = resolve("global.anthropic.claude-opus-5-5").unwrap();
    assert_eq!(global.destinations[0], "us-east-1");
    assert!(global.destinations.len() > 30);
}

#[test]
fn a_profile_of_another_partition_has_its_arn() {
    let found =
        CATALOGUE.resolve("us-gov.anthropic.claude-opus-5", place("us-gov-west-1"), &Settings::default()).unwrap();
    let arn =
        format!("arn:aws-us-gov:bedrock:us-gov-west-1:{ACCOUNT}:inference-profile/us-gov.anthropic.claude-opus-5");
    assert_eq!(found.profile_arn, Some(arn));
}
