use super::*;
use crate::{ConditionKeys, Decision, Principal, Request};

const ACCOUNT: &str = "123456789012";
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}]}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;

fn user(name: &str, policies: &[&str]) -> NewUser {
    let policies = policies.iter().map(|&name| name.to_owned()).collect();
    NewUser { account: ACCOUNT.into(), name: name.into(), policies, ..NewUser::default() }
}

fn role(name: &str) -> NewRole {
    let (account, name, trust) = (ACCOUNT.to_owned(), name.to_owned(), TRUST.to_owned());
    NewRole { account, name, trust, max_session_seconds: 3600, ..NewRole::default() }
}

fn allows(permissions: &Permissions, action: &str) -> bool {
    let keys = ConditionKeys::new();
    let request = Request { action, resource: "*", principal: Principal::default(), keys: &keys };
    permissions.identity.as_deref().unwrap().iter().any(|policy| policy.evaluate(&request) == Decision::Allow)
}

#[test]
fn aws_s_own_policies_are_what_aws_documents() {
    let directory = Directory::default();
    for (name, allowed, not) in [
        ("AdministratorAccess", "iam:CreateUser", ""),
        ("AmazonBedrockFullAccess", "bedrock:PutUseCaseForModelAccess", "sts:AssumeRole"),
        ("AmazonBedrockLimitedAccess", "bedrock:CallWithBearerToken", "bedrock:CreateFoundationModelAgreement"),
        ("AmazonBedrockReadOnly", "bedrock:ListGuardrails", "bedrock:InvokeModel"),
        ("AmazonBedrockMantleFullAccess", "bedrock-mantle:CreateInference", "bedrock:InvokeModel"),
    ] {
        for named in [name.to_owned(), format!("arn:aws:iam::aws:policy/{name}")] {
            let policy = directory.policy(&named).unwrap();
            let permissions = Permissions { identity: Some(vec![policy]), ..Permissions::default() };
            assert!(allows(&permissions, allowed), "{named}");
            assert!(not.is_empty() || !allows(&permissions, not), "{named}");
        }
    }
    assert!(directory.policy("arn:aws:iam::123456789012:policy/AdministratorAccess").is_none());
    assert!(directory.policy("ReadOnlyAccess").is_none());
}

#[test]
fn policies_are_named_by_name_or_arn() {
    let arn = "arn:aws:iam::123456789012:policy/path/mine";
    let directory = Directory::builder().policy("mine", POLICY).user(user("ada", &[arn])).user(user("eve", &["mine"]));
    let directory = directory.user(user("nobody", &[])).default_policies(vec!["AmazonBedrockReadOnly".into()]).build();
    let directory = directory.unwrap();
    for name in ["ada", "eve"] {
        let permissions = directory.user(ACCOUNT, name);
        assert!(allows(&permissions, "bedrock:InvokeModel") && !allows(&permissions, "bedrock:GetGuardrail"));
    }
    // Declared users have exactly their policies, in their own account only.
    assert!(!allows(&directory.user(ACCOUNT, "nobody"), "bedrock:GetGuardrail"));
    assert!(allows(&directory.user("210987654321", "ada"), "bedrock:GetGuardrail"));
    assert!(directory.user(ACCOUNT, "root").identity.is_none());
    assert!(directory.policy_in(arn, ACCOUNT) && !directory.policy_in(arn, "210987654321"));
    assert!(
        !directory.policy_in("mine", ACCOUNT)
            && directory.policy_in("arn:aws:iam::aws:policy/AmazonBedrockReadOnly", "1")
    );
}

#[test]
fn roles_are_found_by_arn() {
    let directory = Directory::builder().role(role("reader")).build().unwrap();
    assert_eq!(directory.role_by_arn("arn:aws:iam::123456789012:role/reader").unwrap().name, "reader");
    for arn in [
        "arn:aws:iam::210987654321:role/reader",
        "reader",
        "arn:aws:iam::x:role/reader",
        "arn:aws:iam::123456789012:user/reader",
    ] {
        assert!(directory.role_by_arn(arn).is_none(), "{arn}");
    }
}

#[test]
fn what_cannot_be_is_told_with_its_fix() {
    let builder = Directory::builder;
    let tagged = |key: &str| NewUser { tags: [(key.to_owned(), "x".to_owned())].into(), ..user("ada", &[]) };
    for (declared, said) in [
        (builder().user(user("ada", &["nope"])), "user `ada` names the policy `nope`"),
        (builder().user(user("ada", &["nope"])), "[access.policies.nope]"),
        (builder().user(user("ada", &["arn:aws:s3:::x"])), "arn:aws:s3:::x"),
        (builder().default_policies(vec!["nope".into()]), "default_policies names"),
        (builder().policy("mine", "{"), "policy `mine`"),
        (builder().policy("mine", TRUST), "policy `mine`"),
        (builder().policy("AdministratorAccess", POLICY), "another name"),
        (builder().policy("a b", POLICY), "`a b` is not a name"),
        (
            builder().user(user("ada", &[])).user(user("ada", &[])),
            "user `ada` is declared twice in account 123456789012",
        ),
        (builder().role(role("r")).role(role("r")), "role `r` is declared twice"),
        (builder().user(user("root", &[])), "owner"),
        (builder().user(user("a/b", &[])), "is not a name"),
        (builder().user(NewUser { account: "12".into(), ..user("ada", &[]) }), "12 digits"),
        (builder().role(NewRole { trust: POLICY.into(), ..role("r") }), "the trust policy of role `r`"),
        (builder().role(NewRole { trust: String::new(), ..role("r") }), "the trust policy of role `r`"),
        (builder().role(NewRole { max_session_seconds: 60, ..role("r") }), "from 3600 to 43200"),
        (builder().user(tagged("")), "tag"),
        (builder().user(tagged("aws:x")), "tag"),
        (builder().user(tagged("a<b")), "tag"),
        (builder().issuer(Issuer::new("https://a.b", "x")).issuer(Issuer::new("https://a.b", "x")), "declared twice"),
    ] {
        let error = declared.build().unwrap_err().to_string();
        assert!(error.contains(said), "{error} does not say {said}");
    }
}
