use super::*;
use outcrop_api::AwsError;

fn context(service: &'static str, kind: CallerKind) -> Context {
    Context::new(Caller::root("123456789012", None, kind), "us-east-1", service)
}

#[test]
fn a_caller_may_do_everything_in_its_own_account() {
    let cx = context("bedrock-agent", CallerKind::User);
    cx.allow("bedrock:GetAgent", "arn:aws:bedrock:us-east-1:123456789012:agent/ABCDEFGHIJ").unwrap();
    cx.allow("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-lite-v1").unwrap();
    cx.allow("bedrock:ListAgents", "*").unwrap();
}

#[test]
fn another_account_is_out_of_reach() {
    let arn = "arn:aws:bedrock:us-east-1:210987654321:agent/ABCDEFGHIJ";
    let error = context("bedrock-agent", CallerKind::User).allow("bedrock:GetAgent", arn).unwrap_err();
    assert_eq!(error.kind(), outcrop_api::Kind::AccessDenied);
    assert_eq!(
        error.message(),
        "User: arn:aws:iam::123456789012:root is not authorized to perform: bedrock:GetAgent on resource: \
         arn:aws:bedrock:us-east-1:210987654321:agent/ABCDEFGHIJ because no identity-based policy allows the \
         bedrock:GetAgent action"
    );
}

#[test]
fn an_api_key_opens_models_and_not_agents() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:agent/ABCDEFGHIJ";
    for service in ["bedrock-agent", "bedrock-agent-runtime"] {
        let error = context(service, CallerKind::ApiKey).allow("bedrock:GetAgent", arn).unwrap_err();
        assert_eq!(error.kind(), outcrop_api::Kind::AccessDenied);
        assert!(error.message().contains("is not authorized to perform: bedrock:GetAgent"), "{}", error.message());
        assert!(error.message().ends_with("Bedrock API keys open bedrock and bedrock-runtime only."));
        context(service, CallerKind::Session).allow("bedrock:GetAgent", arn).unwrap();
    }
    context("bedrock-runtime", CallerKind::ApiKey).allow("bedrock:InvokeModel", "*").unwrap();
    context("bedrock", CallerKind::ApiKey).allow("bedrock:ListFoundationModels", "*").unwrap();
}
