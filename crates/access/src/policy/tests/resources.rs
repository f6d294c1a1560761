//! `Resource`, its wildcards and variables; principals.

use super::*;

fn on(pattern: &str, resource: &str) -> bool {
    with(pattern, resource, &Keys::new())
}

fn with(pattern: &str, resource: &str, keys: &Keys) -> bool {
    let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"{pattern}"}}"#);
    ask(&identity(&statement), "bedrock:InvokeModel", resource, keys) == Decision::Allow
}

#[test]
fn wildcards_stay_within_their_segment_or_end_it() {
    let arn = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc";
    for pattern in [
        "*",
        "arn:aws:bedrock:*",
        "arn:aws:bedrock:*:*:*",
        "arn:*:bedrock:us-east-?:111122223333:application-inference-profile/*",
        "arn:aws:bedrock:us-*-1:*:application-*/a?c",
        // A star that ends a segment may go beyond it.
        "arn:aws:bedrock:us-*:application-inference-profile/abc",
    ] {
        assert!(on(pattern, arn), "{pattern}");
    }
    for pattern in [
        "arn:aws:bedrock:us-west-2:*:*",
        "arn:aws:bedrock:us-*-2:*:*",
        "arn:aws:bedrock:us-east-1:1111*4:*",
        // A star within a segment does not leave it, nor does a question mark.
        "arn:aws:bedrock:us-*3:application-inference-profile/abc*",
        "arn:aws:bedrock:us-east-1?111122223333:application-inference-profile/abc:*",
        "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/ABC",
        "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/ab",
    ] {
        assert!(!on(pattern, arn), "{pattern}");
    }
}

#[test]
fn the_last_segment_holds_colons() {
    for pattern in [
        "arn:aws:bedrock:*::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws:bedrock:*::foundation-model/anthropic.*",
        "arn:aws:bedrock:*::foundation-model/*:0",
        "arn:aws:bedrock:*::foundation-model/*-v1?0",
    ] {
        assert!(on(pattern, MODEL), "{pattern}");
    }
    assert!(!on("arn:aws:bedrock:*::foundation-model/*:1", MODEL));
}

#[test]
fn not_resource_is_every_other() {
    let statement = r#"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:bedrock:*::foundation-model/anthropic.*"}"#;
    assert_eq!(says(statement, "bedrock:InvokeModel", MODEL), Decision::Silent);
    let other = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0";
    assert_eq!(says(statement, "bedrock:InvokeModel", other), Decision::Deny);
}

#[test]
fn variables_take_the_request_s_values_literally() {
    let own = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/${aws:username}-*";
    let arn = |name: &str| format!("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/{name}");
    let bob = Keys::new().with("aws:username", "bob");
    assert!(with(own, &arn("bob-1"), &bob));
    assert!(!with(own, &arn("alice-1"), &bob));
    // A name with a star is no wildcard, and without a name nothing fits.
    assert!(!with(own, &arn("alice-1"), &Keys::new().with("aws:username", "*")));
    assert!(!with(own, &arn("-1"), &Keys::new()));
    let team = "arn:aws:bedrock:*:*:application-inference-profile/${aws:PrincipalTag/team, 'everyone'}";
    assert!(with(team, &arn("everyone"), &bob));
    assert!(with(team, &arn("red"), &bob.clone().with("aws:principaltag/TEAM", "red")));
    assert!(with("arn:aws:bedrock:*:*:application-inference-profile/a${*}b${?}${$}", &arn("a*b?$"), &bob));
    assert!(!with("arn:aws:bedrock:*:*:application-inference-profile/a${*}b", &arn("axb"), &bob));
    // A key of several values is no variable's.
    let mut many = Keys::new();
    many.set_all("aws:TagKeys", ["a".to_owned(), "b".to_owned()]);
    assert!(!with("arn:aws:bedrock:*:*:application-inference-profile/${aws:TagKeys}", &arn("a"), &many));
}

#[test]
fn an_unknown_variable_never_widens_an_allow() {
    let all_but = |effect: &str| {
        format!(r#"{{"Effect":"{effect}","Action":"*","NotResource":"arn:aws:bedrock:*:*:x/${{aws:username}}"}}"#)
    };
    assert_eq!(says(&all_but("Allow"), "bedrock:InvokeModel", MODEL), Decision::Silent);
    assert_eq!(says(&all_but("Deny"), "bedrock:InvokeModel", MODEL), Decision::Deny);
}

const PROFILE: &str = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc";

fn shared(principal: &str, who: Principal<'_>) -> Decision {
    let statement =
        format!(r#"{{"Effect":"Allow",{principal},"Action":"bedrock:InvokeModel","Resource":"{PROFILE}"}}"#);
    let policy = Policy::parse(&document(&statement), PolicyKind::Resource).unwrap();
    policy.evaluate(&Request { action: "bedrock:InvokeModel", resource: PROFILE, principal: who, keys: &Keys::new() })
}

#[test]
fn a_principal_is_an_account_or_one_in_it() {
    let bob = Principal { account: "222233334444", arn: "arn:aws:iam::222233334444:user/bob", ..Principal::default() };
    let session = Principal {
        account: "222233334444",
        arn: "arn:aws:sts::222233334444:assumed-role/app/one",
        role: Some("arn:aws:iam::222233334444:role/teams/app"),
        ..Principal::default()
    };
    let owner = Principal { account: "222233334444", arn: "arn:aws:iam::222233334444:root", ..Principal::default() };
    for (principal, who, expected) in [
        (r#""Principal":"*""#, bob, Decision::Allow),
        (r#""Principal":{"AWS":"*"}"#, bob, Decision::Allow),
        (r#""Principal":{"AWS":"222233334444"}"#, bob, Decision::AllowAccount),
        (r#""Principal":{"AWS":["111122223333","arn:aws:iam::222233334444:root"]}"#, bob, Decision::AllowAccount),
        (r#""Principal":{"AWS":"222233334444"}"#, owner, Decision::Allow),
        (r#""Principal":{"AWS":["222233334444","arn:aws:iam::222233334444:user/bob"]}"#, bob, Decision::Allow),
        (r#""Principal":{"AWS":"arn:aws:iam::222233334444:user/alice"}"#, bob, Decision::Silent),
        (r#""Principal":{"AWS":"arn:aws:iam::222233334444:role/teams/app"}"#, session, Decision::Allow),
        (r#""Principal":{"AWS":"arn:aws:sts::222233334444:assumed-role/app/one"}"#, session, Decision::Allow),
        (r#""Principal":{"AWS":"arn:aws:sts::222233334444:assumed-role/app/two"}"#, session, Decision::Silent),
        (r#""Principal":{"Service":"bedrock.amazonaws.com"}"#, bob, Decision::Silent),
    ] {
        assert_eq!(shared(principal, who), expected, "{principal}");
    }
}

#[test]
fn not_principal_denies_all_others() {
    const ACCOUNT: &str = "222233334444";
    const BOB: &str = "arn:aws:iam::222233334444:user/bob";
    const ROLE: &str = "arn:aws:iam::222233334444:role/app";
    const SESSION: &str = "arn:aws:sts::222233334444:assumed-role/app/one";
    let by = |spared: &[&str], arn: &str, role: Option<&str>| {
        let spared = format!("{spared:?}");
        let text =
            document(&format!(r#"{{"Effect":"Deny","NotPrincipal":{{"AWS":{spared}}},"Action":"*","Resource":"*"}}"#));
        let policy = Policy::parse(&text, PolicyKind::Resource).unwrap();
        let principal = Principal { account: ACCOUNT, arn, role, ..Principal::default() };
        policy.evaluate(&Request { action: "bedrock:InvokeModel", resource: PROFILE, principal, keys: &Keys::new() })
    };
    let owner = "arn:aws:iam::222233334444:root";
    for (spared, arn, role, expected) in [
        (&[ACCOUNT, BOB][..], BOB, None, Decision::Silent),
        (&[ACCOUNT, BOB], "arn:aws:iam::222233334444:user/alice", None, Decision::Deny),
        (&[ACCOUNT, BOB], owner, None, Decision::Silent),
        // Each belongs to its account, which the statement then denies.
        (&[BOB], BOB, None, Decision::Deny),
        (&[ACCOUNT], BOB, None, Decision::Deny),
        (&["111122223333", BOB], BOB, None, Decision::Deny),
        (&[ACCOUNT, ROLE, SESSION], SESSION, Some(ROLE), Decision::Silent),
        (&[ACCOUNT, ROLE], SESSION, Some(ROLE), Decision::Deny),
        (&[ACCOUNT, SESSION], SESSION, Some(ROLE), Decision::Deny),
        (&["*"], BOB, None, Decision::Silent),
    ] {
        assert_eq!(by(spared, arn, role), expected, "{spared:?} {arn}");
    }
}

#[test]
fn a_trust_policy_knows_web_identities() {
    let text = document(
        r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/id.example.com/realm"},
            "Action":"sts:AssumeRoleWithWebIdentity",
            "Condition":{"StringEquals":{"id.example.com/realm:sub":"build"}}}"#,
    );
    let policy = Policy::parse(&text, PolicyKind::Trust).unwrap();
    let by = |federated, sub: &str| {
        let keys = Keys::new().with("id.example.com/realm:sub", sub);
        policy.evaluate(&Request {
            action: "sts:AssumeRoleWithWebIdentity",
            resource: "arn:aws:iam::111122223333:role/build",
            principal: Principal { federated: Some(federated), ..Principal::default() },
            keys: &keys,
        })
    };
    assert_eq!(by("https://id.example.com/realm", "build"), Decision::Allow);
    assert_eq!(by("https://id.example.com/realm", "other"), Decision::Silent);
    assert_eq!(by("https://evil.example.com/realm", "build"), Decision::Silent);
}
