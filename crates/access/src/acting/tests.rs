use super::*;
use crate::directory::NewRole;

const ACCOUNT: &str = "123456789012";
const READS: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::docs/*"}]}"#;
const PASSES: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iam:PassRole","Resource":"*",
     "Condition":{"StringEquals":{"iam:PassedToService":"bedrock.amazonaws.com"}}}]}"#;

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

fn directory() -> Directory {
    let trust = |principal: &str, condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},
            "Action":"sts:AssumeRole","Condition":{condition}}}]}}"#
        )
    };
    let bedrock = r#"{"Service":"bedrock.amazonaws.com"}"#;
    let bound = r#"{"StringEquals":{"aws:SourceAccount":"123456789012"},
        "ArnLike":{"aws:SourceArn":"arn:aws:bedrock:us-east-1:123456789012:knowledge-base/*"}}"#;
    let role = |name: &str, trust: String| NewRole {
        account: ACCOUNT.into(),
        name: name.into(),
        trust,
        policies: vec!["reads".into()],
        max_session_seconds: 3600,
        ..NewRole::default()
    };
    Directory::builder()
        .policy("reads", READS)
        .policy("passes", PASSES)
        .role(role("kb", trust(bedrock, "{}")))
        .role(role("bound", trust(bedrock, bound)))
        .role(role("lambda", trust(r#"{"Service":"lambda.amazonaws.com"}"#, "{}")))
        .role(role("people", trust(r#"{"AWS":"123456789012"}"#, "{}")))
        .build()
        .unwrap()
}

fn acting(mode: &Mode) -> Acting {
    Acting::new(mode, Arc::new(directory()), ResourcePolicies::default(), CancellationToken::new())
}

fn serve() -> Acting {
    acting(&Mode::Serve(Arc::new(crate::MemoryKeys::default())))
}

fn as_of<'a>(role_arn: &'a str, source_arn: Option<&'a str>) -> As<'a> {
    As { account: ACCOUNT, region: "us-east-1", role_arn, service: BEDROCK, source_arn }
}

#[test]
fn a_role_that_trusts_the_service_acts_with_its_own_permissions() {
    let arn = arn("kb");
    let cx = serve().role(as_of(&arn, None)).unwrap();
    assert_eq!(cx.caller.arn, "arn:aws:sts::123456789012:assumed-role/kb/bedrock");
    assert_eq!((cx.caller.account.as_str(), cx.region.as_str()), (ACCOUNT, "us-east-1"));
    assert_eq!(cx.caller.role_arn().as_deref(), Some(arn.as_str()));
    assert!(cx.allow("s3:GetObject", "arn:aws:s3:::docs/a.md").is_ok());
    assert!(cx.allow("s3:GetObject", "arn:aws:s3:::other/a.md").is_err());
    assert!(cx.allow("s3:PutObject", "arn:aws:s3:::docs/a.md").is_err());
}

#[test]
fn roles_that_trust_others_or_are_not_there_cannot_be_used() {
    for name in ["lambda", "people"] {
        let arn = arn(name);
        let refused = serve().role(as_of(&arn, None)).unwrap_err();
        assert_eq!(refused, ActingError::Untrusted { role: arn, service: BEDROCK.into() });
    }
    let gone = arn("gone");
    assert_eq!(serve().role(as_of(&gone, None)).unwrap_err(), ActingError::Unknown(gone.clone()));
    let foreign = "arn:aws:iam::210987654321:role/kb";
    assert_eq!(serve().role(as_of(foreign, None)).unwrap_err(), ActingError::Foreign(foreign.into()));
    for odd in [
        "",
        "kb",
        "arn:aws:iam::123456789012:user/kb",
        "arn:aws:iam::12:role/kb",
        "arn:aws:iam::123456789012:role/",
        // A path leads to no role: who may pass `role/other/*` would pass them all.
        "arn:aws:iam::123456789012:role/other/kb",
        "arn:aws:iam::123456789012:role/other/../kb",
    ] {
        assert_eq!(serve().role(as_of(odd, None)).unwrap_err(), ActingError::Malformed(odd.into()));
    }
}

#[test]
fn a_trust_policy_may_ask_whose_resource_it_is() {
    let arn = arn("bound");
    let base = "arn:aws:bedrock:us-east-1:123456789012:knowledge-base/ABCDEFGHIJ";
    assert!(serve().role(as_of(&arn, Some(base))).is_ok());
    assert!(serve().role(as_of(&arn, None)).is_err());
    assert!(serve().role(as_of(&arn, Some("arn:aws:bedrock:us-east-1:123456789012:agent/ABCDEFGHIJ"))).is_err());
}

#[test]
fn dev_believes_every_role_that_nobody_declared() {
    let dev = acting(&Mode::Dev);
    let any = arn("service-role/AmazonBedrockExecutionRoleForKnowledgeBase_1");
    let cx = dev.role(as_of(&any, None)).unwrap();
    assert!(cx.allow("s3:DeleteBucket", "arn:aws:s3:::anything").is_ok());
    let kb = arn("kb");
    assert!(dev.role(as_of(&kb, None)).unwrap().allow("s3:DeleteBucket", "arn:aws:s3:::anything").is_err());
    // Programs bring ARNs of accounts that are not here.
    let cx = dev.role(as_of("arn:aws:iam::210987654321:role/any", None)).unwrap();
    assert_eq!(cx.caller.account, ACCOUNT);
    assert!(dev.role(as_of("arn:aws:iam::210987654321:role/kb", None)).unwrap().allow("s3:PutObject", "*").is_err());
}

#[test]
fn another_configuration_counts_at_once() {
    let (acting, arn) = (serve(), arn("kb"));
    let clone = acting.clone();
    assert!(clone.role(as_of(&arn, None)).is_ok());
    acting.follow(Arc::default());
    assert_eq!(clone.role(as_of(&arn, None)).unwrap_err(), ActingError::Unknown(arn.clone()));
}

#[test]
fn a_role_is_passed_by_those_who_may() {
    let directory = directory();
    let caller = Caller::root(ACCOUNT, None, CallerKind::User);
    let mut cx =
        Context::new(Caller { arn: format!("arn:aws:iam::{ACCOUNT}:user/ada"), ..caller }, "us-east-1", "bedrock");
    let may = |names: &[&str]| {
        let identity = names.iter().filter_map(|name| directory.policy(name)).collect();
        Arc::new(Permissions { identity: Some(identity), ..Permissions::default() })
    };
    cx.permissions = may(&["reads"]);
    assert!(serve().pass_role(&cx, &arn("kb"), BEDROCK).is_err());
    cx.permissions = may(&["passes"]);
    assert!(serve().pass_role(&cx, &arn("kb"), BEDROCK).is_ok());
    assert!(serve().pass_role(&cx, &arn("kb"), "lambda.amazonaws.com").is_err());
    // Nobody hands out what another account's role may.
    assert!(serve().pass_role(&cx, "arn:aws:iam::210987654321:role/kb", BEDROCK).is_err());
}
