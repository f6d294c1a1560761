//! What a document means, by the examples of the IAM user guide in other words, and what is no document.

mod conditions;
mod documents;
mod properties;
mod resources;
mod size;

use super::*;

pub(super) const MODEL: &str = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0";

/// A document of these statements.
pub(super) fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

pub(super) fn identity(statements: &str) -> Policy {
    Policy::parse(&document(statements), PolicyKind::Identity).unwrap_or_else(|e| panic!("{statements}: {e}"))
}

pub(super) fn ask(policy: &Policy, action: &str, resource: &str, keys: &Keys) -> Decision {
    policy.evaluate(&Request { action, resource, principal: Principal::default(), keys })
}

pub(super) fn says(statements: &str, action: &str, resource: &str) -> Decision {
    ask(&identity(statements), action, resource, &Keys::new())
}

/// Whether a statement with this condition applies.
pub(super) fn holds(condition: &str, keys: &Keys) -> bool {
    let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#);
    ask(&identity(&statement), "bedrock:InvokeModel", MODEL, keys) == Decision::Allow
}

#[test]
fn nothing_is_allowed_but_by_a_statement() {
    let allow = r#"{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}"#;
    assert_eq!(says(allow, "bedrock:InvokeModel", MODEL), Decision::Allow);
    assert_eq!(says(allow, "bedrock:CountTokens", MODEL), Decision::Silent);
}

#[test]
fn an_explicit_deny_wins_in_either_order() {
    let (allow, deny) = (
        r#"{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}"#,
        r#"{"Effect":"Deny","Action":"bedrock:InvokeModel*","Resource":"*"}"#,
    );
    for both in [format!("{allow},{deny}"), format!("{deny},{allow}")] {
        assert_eq!(says(&both, "bedrock:InvokeModel", MODEL), Decision::Deny);
        assert_eq!(says(&both, "bedrock:InvokeModelWithResponseStream", MODEL), Decision::Deny);
        assert_eq!(says(&both, "bedrock:CountTokens", MODEL), Decision::Allow);
    }
}

#[test]
fn actions_are_the_same_in_any_letter_case() {
    for action in ["BEDROCK:invokemodel", "bedrock:INVOKE*", "Bedrock:Invoke?odel", "*:InvokeModel", "bed*:InvokeModel"]
    {
        let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
        assert_eq!(says(&statement, "bedrock:InvokeModel", MODEL), Decision::Allow, "{action}");
        assert_eq!(says(&statement, "bedrock:CountTokens", MODEL), Decision::Silent, "{action}");
    }
}

#[test]
fn not_action_is_every_other() {
    let statement = r#"{"Effect":"Allow","NotAction":["bedrock:Delete*","iam:*"],"Resource":"*"}"#;
    assert_eq!(says(statement, "bedrock:InvokeModel", MODEL), Decision::Allow);
    assert_eq!(says(statement, "bedrock:DeleteInferenceProfile", "*"), Decision::Silent);
    assert_eq!(says(statement, "iam:GetUser", "*"), Decision::Silent);
    assert_eq!(says(statement, "sts:AssumeRole", "*"), Decision::Allow);
}

#[test]
fn a_statement_is_found_under_every_name_of_its_actions() {
    let statement =
        r#"{"Effect":"Allow","Action":["s3:Get*","bedrock:InvokeModel","bedrock:Get*","*"],"Resource":"*"}"#;
    for action in ["s3:GetObject", "bedrock:InvokeModel", "bedrock:GetAgent", "sts:AssumeRole"] {
        assert_eq!(says(statement, action, "*"), Decision::Allow, "{action}");
    }
}
