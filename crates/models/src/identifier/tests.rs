use super::*;

#[test]
fn arns_are_told_apart() {
    let us = |id, model| SystemProfile { id, geography: Geography::Us, model };
    for (text, form) in [
        ("amazon.nova-pro-v1:0", Identifier::Model("amazon.nova-pro-v1:0")),
        ("us.amazon.nova-pro-v1:0", Identifier::Profile(us("us.amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"))),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
            Identifier::ModelArn { region: "us-east-1", id: "amazon.nova-pro-v1:0" },
        ),
        (
            "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0",
            Identifier::ProfileArn {
                region: "us-east-1",
                account: "111122223333",
                profile: Some(us("us.amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0")),
                id: "us.amazon.nova-pro-v1:0",
            },
        ),
        (
            "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghij12",
            Identifier::ApplicationProfileArn { region: "us-east-1", account: "111122223333", id: "abcdefghij12" },
        ),
        (
            "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghij12",
            Identifier::ProvisionedArn { region: "us-east-1", account: "111122223333", id: "abcdefghij12" },
        ),
        (
            "arn:aws:bedrock:us-east-1:111122223333:prompt-router/abcdefghij12",
            Identifier::PromptRouterArn {
                region: "us-east-1",
                account: "111122223333",
                id: "abcdefghij12",
                default: false,
            },
        ),
        (
            "arn:aws:bedrock:us-east-1:111122223333:default-prompt-router/amazon.nova:1",
            Identifier::PromptRouterArn {
                region: "us-east-1",
                account: "111122223333",
                id: "amazon.nova:1",
                default: true,
            },
        ),
        ("arn:aws:bedrock:us-east-1:111122223333:prompt/PROMPT1234:2", Identifier::OtherArn),
        ("arn:aws:sagemaker:us-east-1:111122223333:endpoint/mine", Identifier::OtherArn),
        // A foundation model belongs to no account; a guardrail is no model; an ARN may be broken.
        ("arn:aws:bedrock:us-east-1:111122223333:foundation-model/amazon.nova-pro-v1:0", Identifier::ForeignArn),
        ("arn:aws:bedrock:us-east-1:111122223333:guardrail/abc", Identifier::ForeignArn),
        ("arn:aws:s3:::bucket", Identifier::ForeignArn),
        ("arn:aws:bedrock", Identifier::ForeignArn),
    ] {
        assert_eq!(Identifier::parse(text), form, "{text}");
    }
}

#[test]
fn only_geographies_make_a_profile() {
    for (id, geography) in [
        ("us-gov.anthropic.claude-opus-5", Geography::UsGov),
        ("global.cohere.embed-v4:0", Geography::Global),
        ("jp.amazon.nova-2-lite-v1:0", Geography::Jp),
    ] {
        assert_eq!(SystemProfile::parse(id).unwrap().geography, geography, "{id}");
    }
    for id in ["us.nova", "xai.grok-4.6", "deepseek.v3.1", "openai.gpt-5.4", "mars.amazon.nova-pro-v1:0", ""] {
        assert_eq!(SystemProfile::parse(id), None, "{id}");
    }
}

#[test]
fn model_ids_are_lower_case_and_bounded() {
    for id in ["amazon.nova-pro-v1:0", "openai.gpt-5.6-luna", "anthropic.claude-v2:1:18k", "outcrop.smollm2-135m"] {
        assert!(is_model_id(id), "{id}");
    }
    let long = format!("a.{}", "b".repeat(140));
    for id in [
        "",
        "nova",
        "amazon.",
        ".nova",
        "Amazon.nova",
        "amazon.nova:",
        "a.b:c:d:e",
        "a.b c",
        "a.b.c.d.e",
        long.as_str(),
    ] {
        assert!(!is_model_id(id), "{id}");
    }
}
