use super::*;
use crate::directory::{NewRole, NewUser};
use crate::oidc::tests::{ISSUER, Key as IssuerKey, Web, at, claims};
use crate::oidc::{Issuer, TokenError};
use crate::{Caller, CallerKind, ClientInfo, Context, Directory, MemoryKeys, Secret};
use serde_json::json;

const ACCOUNT: &str = "123456789012";
const OTHER: &str = "210987654321";

fn trust(principal: serde_json::Value, actions: &[&str], condition: serde_json::Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": principal, "Action": actions, "Condition": condition }
    ] })
    .to_string()
}

fn role(name: &str, trust: String) -> NewRole {
    let tags = [("owner".to_owned(), "red".to_owned())].into();
    let policies = vec!["AmazonBedrockReadOnly".to_owned()];
    NewRole { account: ACCOUNT.into(), name: name.into(), trust, policies, tags, max_session_seconds: 7200 }
}

fn user(account: &str, name: &str, policies: &[&str]) -> NewUser {
    let policies = policies.iter().map(|&name| name.to_owned()).collect();
    NewUser { account: account.into(), name: name.into(), policies, ..NewUser::default() }
}

struct World {
    sts: Sts,
    keys: Arc<MemoryKeys>,
    directory: Arc<Directory>,
    issuer: IssuerKey,
}

fn world() -> World {
    let all = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
    let ada = json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:user/ada") });
    let accounts = json!({ "AWS": [ACCOUNT, format!("arn:aws:iam::{OTHER}:root")] });
    let web = json!({ "Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example.com") });
    let subject = json!({ "StringEquals": { "idp.example.com:sub": "system:serviceaccount:ns:app" } });
    let web_actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"];
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:*"],"Resource":"*"}]}"#;
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["sts:*"],"Resource":"*"}]}"#;
    let issuer = Issuer {
        audiences: vec!["sts.amazonaws.com".into()],
        tags: [("team".to_owned(), "team".to_owned()), ("ns".to_owned(), "/kubernetes.io/namespace".to_owned())].into(),
        role_claim: Some("roles".into()),
        ..Issuer::new(ISSUER, "")
    };
    let directory = Directory::builder()
        .policy("may", allow)
        .policy("denied", deny)
        .user(user(ACCOUNT, "ada", &[]))
        .user(user(ACCOUNT, "eve", &[]))
        .user(user(ACCOUNT, "may", &["may"]))
        .user(user(OTHER, "may", &["may"]))
        .user(user(OTHER, "mallory", &[]))
        .role(role("named", trust(ada.clone(), &all, json!({}))))
        .role(role("account", trust(accounts, &all, json!({}))))
        .role(role("plain", trust(ada.clone(), &all[..1], json!({}))))
        .role(role("external", trust(ada, &all, json!({ "StringEquals": { "sts:ExternalId": "x-1" } }))))
        .role(role("next", trust(json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:role/named") }), &all, json!({}))))
        .role(role("reader", trust(web.clone(), &web_actions, subject)))
        .role(role("unnamed", trust(web, &web_actions, json!({}))))
        .issuer(issuer)
        .build()
        .unwrap();
    let (issuer, fetch) = (IssuerKey::new("one"), Arc::new(Web::default()));
    fetch.publish(&[issuer.jwk()]);
    let (keys, directory) = (Arc::new(MemoryKeys::default()), Arc::new(directory));
    let clock: Clock = Arc::new(|| at(0));
    let verifier = Arc::new(Verifier::new(fetch, clock.clone()));
    let sts = Sts::new(keys.clone(), directory.clone(), verifier).with_clock(clock);
    World { sts, keys, directory, issuer }
}

impl World {
    /// A call by whom `key` belongs to.
    fn by(&self, key: &AccessKey) -> Context {
        let kind = if key.session.is_some() { CallerKind::Session } else { CallerKind::User };
        let permissions = self.directory.permissions(key).unwrap();
        Context { permissions, ..Context::new(key.caller(kind), "us-east-1", "sts") }
    }

    async fn user(&self, account: &str, name: &str) -> Context {
        let key = AccessKey::generate(account, name, None, at(0)).unwrap();
        self.keys.add(Key::Access(key.clone())).await.unwrap();
        self.by(&key)
    }

    async fn assume(&self, cx: &Context, role: &str) -> Result<Issued, StsError> {
        self.sts.assume_role(cx, input(role)).await
    }

    async fn web(&self, claims: &serde_json::Value, role: &str) -> Result<Issued, StsError> {
        let input = AssumeRoleWithWebIdentity {
            role_arn: arn(role),
            session_name: "web".into(),
            token: Secret::new(self.issuer.sign(claims)),
            provider_id: None,
            duration_seconds: None,
            narrowing: Narrowing::default(),
        };
        self.sts.assume_role_with_web_identity(ClientInfo::default(), input).await
    }
}

fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

fn input(role: &str) -> AssumeRole {
    AssumeRole { role_arn: arn(role), session_name: "s1".into(), ..AssumeRole::default() }
}

fn denied(result: Result<Issued, StsError>, action: &str) {
    match result {
        Err(error @ StsError::Denied(_)) => {
            assert_eq!(error.code(), (403, "AccessDenied"));
            let text = format!("is not authorized to perform: {action} on resource: arn:aws:iam::{ACCOUNT}:role/");
            assert!(error.message().contains(&text), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_is_the_role_s_and_is_kept() {
    let world = world();
    let ada = world.user(ACCOUNT, "ada").await;
    let issued = world.assume(&ada, "named").await.unwrap();
    assert_eq!(issued.arn(), "arn:aws:sts::123456789012:assumed-role/named/s1");
    assert_eq!(issued.expires_at(), at(3600));
    assert!(issued.key.id.starts_with("ASIA") && issued.key.user_id.ends_with(":s1"));
    let kept = world.keys.access_key(&issued.key.id).await.unwrap().unwrap();
    assert_eq!(kept.session.as_ref().unwrap().origin, ada.caller.access_key_id);
    let permissions = world.directory.permissions(&kept).unwrap();
    assert_eq!((permissions.tags["owner"].as_str(), permissions.identity.as_ref().unwrap().len()), ("red", 1));
}

#[tokio::test]
async fn trust_and_own_policies_decide_together() {
    let world = world();
    for (account, name, role, allowed) in [
        // A user that the trust policy names needs nothing more; others are nobody.
        (ACCOUNT, "ada", "named", true),
        (ACCOUNT, "eve", "named", false),
        (ACCOUNT, "may", "named", false),
        (ACCOUNT, "root", "named", false),
        // Where it names an account, the account's users need it in their own policies.
        (ACCOUNT, "ada", "account", false),
        (ACCOUNT, "may", "account", true),
        (ACCOUNT, "root", "account", true),
        (OTHER, "may", "account", true),
        (OTHER, "root", "account", true),
        (OTHER, "mallory", "account", false),
        ("111122223333", "root", "account", false),
        // What does not exist is not told from what is not allowed.
        (ACCOUNT, "root", "absent", false),
    ] {
        let result = world.assume(&world.user(account, name).await, role).await;
        match allowed {
            true => drop(result.unwrap()),
            false => denied(result, "sts:AssumeRole"),
        }
    }
    // A denial of one's own is final, also for whom the trust policy names.
    let mut ada = world.user(ACCOUNT, "ada").await;
    let permissions =
        crate::Permissions { identity: Some(vec![world.directory.policy("denied").unwrap()]), ..Default::default() };
    ada.permissions = Arc::new(permissions);
    denied(world.assume(&ada, "named").await, "sts:AssumeRole");
    // A bearer token opens no other door.
    let caller = Caller::root(ACCOUNT, None, CallerKind::ApiKey);
    let error = world.assume(&Context::new(caller, "us-east-1", "sts"), "account").await.unwrap_err();
    assert_eq!(error.code().1, "AccessDenied");
}

#[tokio::test]
async fn conditions_see_the_request() {
    let world = world();
    let ada = world.user(ACCOUNT, "ada").await;
    for (id, allowed) in [(None, false), (Some("x-2"), false), (Some("x-1"), true)] {
        let input = AssumeRole { external_id: id.map(str::to_owned), ..input("external") };
        assert_eq!(world.sts.assume_role(&ada, input).await.is_ok(), allowed, "{id:?}");
    }
    // Tags and a source identity are asked for on their own.
    let tags = SessionTags { tags: vec![("a".into(), "b".into())], transitive: vec![] };
    denied(world.sts.assume_role(&ada, AssumeRole { tags, ..input("plain") }).await, "sts:TagSession");
    let input = AssumeRole { source_identity: Some("ada".into()), ..input("plain") };
    denied(world.sts.assume_role(&ada, input).await, "sts:SetSourceIdentity");
    world.assume(&ada, "plain").await.unwrap();
}

#[tokio::test]
async fn a_chain_lasts_an_hour_and_carries_what_is_transitive() {
    let world = world();
    let ada = world.user(ACCOUNT, "ada").await;
    let tags = vec![("team".to_owned(), "red".to_owned()), ("own".to_owned(), "x".to_owned())];
    let first = AssumeRole {
        tags: SessionTags { tags, transitive: vec!["team".into()] },
        source_identity: Some("ada".into()),
        duration_seconds: Some(7200),
        ..input("named")
    };
    let first = world.sts.assume_role(&ada, first).await.unwrap();
    assert_eq!(first.expires_at(), at(7200));
    let cx = world.by(&first.key);
    assert_eq!((cx.permissions.tags["team"].as_str(), cx.permissions.tags["own"].as_str()), ("red", "x"));

    let next = world.assume(&cx, "next").await.unwrap();
    let session = next.key.session.clone().unwrap();
    assert_eq!(session.tags.keys().collect::<Vec<_>>(), ["team"]);
    assert_eq!(session.source_identity.as_deref(), Some("ada"));
    assert_eq!(session.origin, ada.caller.access_key_id);
    let long = AssumeRole { duration_seconds: Some(3601), ..input("next") };
    let error = world.sts.assume_role(&cx, long).await.unwrap_err();
    assert!(error.message().contains("1 hour session limit for roles assumed by role chaining"), "{error}");
    // What is inherited cannot be replaced.
    let tags = SessionTags { tags: vec![("TEAM".into(), "blue".into())], transitive: vec![] };
    let error = world.sts.assume_role(&cx, AssumeRole { tags, ..input("next") }).await.unwrap_err();
    assert_eq!(error.code().1, "ValidationError");
    let other = AssumeRole { source_identity: Some("eve".into()), ..input("next") };
    denied(world.sts.assume_role(&cx, other).await, "sts:SetSourceIdentity");
}

#[tokio::test]
async fn session_policies_are_kept_and_must_be_policies() {
    let world = world();
    let ada = world.user(ACCOUNT, "ada").await;
    let with = |policy: Option<String>, arns: &[&str]| {
        let policy_arns = arns.iter().map(|&arn| arn.to_owned()).collect();
        AssumeRole { narrowing: Narrowing { policy, policy_arns }, ..input("named") }
    };
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:GetGuardrail","Resource":"*"}]}"#;
    let arns = ["arn:aws:iam::aws:policy/AmazonBedrockReadOnly", "arn:aws:iam::123456789012:policy/may"];
    let issued = world.sts.assume_role(&ada, with(Some(policy.into()), &arns)).await.unwrap();
    assert_eq!(world.directory.permissions(&issued.key).unwrap().session.len(), 3);
    for (input, code, said) in [
        (with(Some("{".into()), &[]), "MalformedPolicyDocument", ""),
        (with(None, &["arn:aws:iam::aws:policy/Nope"]), "ValidationError", "policy/Nope does not exist"),
        (with(None, &["arn:aws:iam::210987654321:policy/may"]), "ValidationError", "does not exist"),
        (with(None, &["may"]), "ValidationError", "does not exist"),
        (with(None, &[arns[0]; 11]), "ValidationError", "'policyArns'"),
        (with(Some(" ".repeat(30_000)), &[]), "ValidationError", "'policy'"),
    ] {
        let error = world.sts.assume_role(&ada, input).await.unwrap_err();
        assert!(error.code().1 == code && error.message().contains(said), "{error:?}");
    }
    let tags = (0..50).map(|n| (format!("{n}{}", "k".repeat(100)), "v".repeat(256))).collect();
    let input = AssumeRole {
        tags: SessionTags { tags, transitive: vec![] },
        ..with(Some(format!("{policy}{}", " ".repeat(10_000))), &[])
    };
    assert_eq!(world.sts.assume_role(&ada, input).await.unwrap_err().code(), (400, "PackedPolicyTooLarge"));
}

#[tokio::test]
async fn constraints_are_worded_as_aws_words_them() {
    let world = world();
    let ada = world.user(ACCOUNT, "ada").await;
    for (input, said) in [
        (
            AssumeRole::default(),
            "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null; ",
        ),
        (
            AssumeRole { role_arn: "x".into(), ..input("named") },
            "Value 'x' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
        ),
        (
            AssumeRole { session_name: "a b".into(), ..input("named") },
            r"Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*",
        ),
        (
            AssumeRole { duration_seconds: Some(899), ..input("named") },
            "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
        ),
        (AssumeRole { duration_seconds: Some(43_201), ..input("named") }, "less than or equal to 43200"),
        (
            AssumeRole { duration_seconds: Some(7201), ..input("named") },
            "exceeds the MaxSessionDuration set for this role",
        ),
        (AssumeRole { external_id: Some("x".into()), ..input("named") }, "'externalId'"),
        (AssumeRole { source_identity: Some("a/b".into()), ..input("named") }, "'sourceIdentity'"),
        (
            AssumeRole {
                tags: SessionTags {
                    tags: vec![("a".into(), String::new()), ("A".into(), String::new())],
                    transitive: vec![],
                },
                ..input("named")
            },
            "Duplicate tag keys",
        ),
        (
            AssumeRole { tags: SessionTags { tags: vec![], transitive: vec!["a".into()] }, ..input("named") },
            "transitive tag key a",
        ),
    ] {
        let error = world.sts.assume_role(&ada, input).await.unwrap_err();
        assert_eq!(error.code(), (400, "ValidationError"));
        assert!(error.message().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_web_identity_gets_the_role_that_token_and_trust_allow() {
    let world = world();
    let issued = world.web(&claims(), "reader").await.unwrap();
    assert_eq!(issued.subject.as_deref(), Some("system:serviceaccount:ns:app"));
    assert_eq!(issued.audience.as_deref(), Some("sts.amazonaws.com"));
    let session = issued.key.session.as_ref().unwrap();
    assert_eq!((session.provider.as_deref(), session.origin.as_deref()), (Some(ISSUER), None));
    let tags = world.directory.permissions(&issued.key).unwrap().tags.clone();
    assert_eq!((tags["team"].as_str(), tags["ns"].as_str(), tags["owner"].as_str()), ("red", "ns", "red"));

    let changed = |name: &str, value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    let error = world.web(&claims(), "unnamed").await.unwrap_err();
    assert_eq!(error.code(), (403, "IDPRejectedClaim"));
    let tagged = changed(
        "https://aws.amazon.com/tags",
        json!({ "principal_tags": { "a": ["b"] }, "transitive_tag_keys": ["a"] }),
    );
    assert_eq!(world.web(&tagged, "reader").await.unwrap().key.session.unwrap().transitive, ["a"]);
    for (claims, role, code) in [
        (changed("sub", json!("system:serviceaccount:ns:other")), "reader", "AccessDenied"),
        (claims(), "absent", "AccessDenied"),
        (changed("roles", json!("named")), "named", "AccessDenied"),
        (changed("https://aws.amazon.com/source_identity", json!("ada")), "reader", "AccessDenied"),
        (changed("team", json!({})), "reader", "InvalidIdentityToken"),
        (changed("team", json!("a<b")), "reader", "InvalidIdentityToken"),
        (
            changed("https://aws.amazon.com/tags", json!({ "principal_tags": { "a": ["b", "c"] } })),
            "reader",
            "InvalidIdentityToken",
        ),
        (changed("exp", json!(at(-61).as_second())), "reader", "ExpiredTokenException"),
        (changed("aud", json!("x")), "reader", "InvalidIdentityToken"),
    ] {
        let error = world.web(&claims, role).await.unwrap_err();
        assert_eq!(error.code().1, code, "{error}");
    }
    assert!(matches!(
        world.web(&changed("iss", json!("https://x")), "reader").await,
        Err(StsError::Token(TokenError::Invalid(_)))
    ));
}

#[tokio::test]
async fn a_user_s_own_session_is_the_user_s() {
    let world = world();
    let ada = world.user(ACCOUNT, "ada").await;
    let issued = world.sts.get_session_token(&ada, GetSessionToken::default()).await.unwrap();
    assert_eq!((issued.arn(), issued.expires_at()), (ada.caller.arn.clone(), at(43_200)));
    let cx = world.by(&issued.key);
    let error = world.sts.get_session_token(&cx, GetSessionToken::default()).await.unwrap_err();
    assert_eq!(error.code().1, "AccessDenied");
    let short = GetSessionToken { duration_seconds: Some(60) };
    assert_eq!(world.sts.get_session_token(&ada, short).await.unwrap_err().code().1, "ValidationError");
    let owner = world.user(ACCOUNT, "root").await;
    assert_eq!(world.sts.get_session_token(&owner, GetSessionToken::default()).await.unwrap().expires_at(), at(3600));
    // It is not a role's session: a role assumed with it is not chained.
    let long = AssumeRole { duration_seconds: Some(7200), ..input("named") };
    world.sts.assume_role(&cx, long).await.unwrap();
}
