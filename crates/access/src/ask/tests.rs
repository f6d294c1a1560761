use super::*;
use crate::{Caller, ClientInfo, Permissions, PolicyKind, ResourcePolicies};
use outcrop_api::{AwsError, Kind};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
const INVOKE: &str = "bedrock:InvokeModel";

fn policy(kind: PolicyKind, statements: &str) -> Arc<crate::Policy> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Arc::new(crate::Policy::parse(&text, kind).unwrap())
}

fn identity(statements: &str) -> Vec<Arc<crate::Policy>> {
    vec![policy(PolicyKind::Identity, statements)]
}

fn caller(arn: &str, kind: CallerKind) -> Caller {
    let account = Arn::parse(arn).unwrap().account.to_owned();
    Caller {
        account,
        arn: arn.to_owned(),
        user_id: "AIDA".to_owned(),
        access_key_id: Some("AKIA".to_owned()),
        api_key_id: None,
        kind,
    }
}

fn by(arn: &str, permissions: Permissions) -> Context {
    let mut cx = Context::new(caller(arn, CallerKind::User), "us-east-1", "bedrock-runtime");
    cx.permissions = Arc::new(permissions);
    cx
}

fn bob(statements: &str) -> Context {
    let identity = Some(identity(statements));
    by("arn:aws:iam::123456789012:user/staff/bob", Permissions { identity, ..Permissions::default() })
}

fn attach(cx: &mut Context, statements: &str) {
    let all = HashMap::from([(PROFILE.to_owned(), policy(PolicyKind::Resource, statements))]);
    cx.resource_policies.replace(all);
}

fn told(result: Result<(), AccessError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), Kind::AccessDenied);
    error.message()
}

const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const NO_INVOKE: &str = r#"{"Effect":"Deny","Action":"bedrock:InvokeModel","Resource":"*"}"#;
const COUNT: &str = r#"{"Effect":"Allow","Action":"bedrock:CountTokens","Resource":"*"}"#;

#[test]
fn an_owner_may_everything_in_its_own_account() {
    let owner = |service| Context::new(Caller::root("123456789012", None, CallerKind::User), "us-east-1", service);
    let cx = owner("bedrock-agent");
    cx.allow("bedrock:GetAgent", "arn:aws:bedrock:us-east-1:123456789012:agent/ABCDEFGHIJ").unwrap();
    cx.allow(INVOKE, "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-lite-v1").unwrap();
    cx.allow("bedrock:ListAgents", "*").unwrap();
    assert_eq!(
        told(cx.allow("bedrock:GetAgent", "arn:aws:bedrock:us-east-1:210987654321:agent/ABCDEFGHIJ")),
        "User: arn:aws:iam::123456789012:root is not authorized to perform: bedrock:GetAgent on resource: \
         arn:aws:bedrock:us-east-1:210987654321:agent/ABCDEFGHIJ because no resource-based policy allows the \
         bedrock:GetAgent action"
    );
}

#[test]
fn aws_s_texts() {
    let start =
        |action: &str| format!("User: arn:aws:iam::123456789012:user/staff/bob is not authorized to perform: {action}");
    let invoke = start(INVOKE) + " on resource: " + PROFILE;
    assert_eq!(
        told(bob(COUNT).allow(INVOKE, PROFILE)),
        format!("{invoke} because no identity-based policy allows the bedrock:InvokeModel action")
    );
    assert_eq!(
        told(bob(COUNT).allow("bedrock:ListFoundationModels", "*")),
        start("bedrock:ListFoundationModels")
            + " because no identity-based policy allows the bedrock:ListFoundationModels action"
    );
    assert_eq!(
        told(bob(&format!("{ALL},{NO_INVOKE}")).allow(INVOKE, PROFILE)),
        format!("{invoke} with an explicit deny in an identity-based policy")
    );
    let mut cx = bob(ALL);
    attach(&mut cx, r#"{"Effect":"Deny","Principal":"*","Action":"bedrock:*","Resource":"*"}"#);
    assert_eq!(told(cx.allow(INVOKE, PROFILE)), format!("{invoke} with an explicit deny in a resource-based policy"));
    let narrowed = |statements: &str| {
        let mut cx = bob(ALL);
        Arc::make_mut(&mut cx.permissions).session = identity(statements);
        cx
    };
    assert_eq!(
        told(narrowed(COUNT).allow(INVOKE, PROFILE)),
        format!("{invoke} because no session policy allows the bedrock:InvokeModel action")
    );
    narrowed(COUNT).allow("bedrock:CountTokens", PROFILE).unwrap();
    assert_eq!(
        told(narrowed(&format!("{ALL},{NO_INVOKE}")).allow(INVOKE, PROFILE)),
        format!("{invoke} with an explicit deny in a session policy")
    );
}

#[test]
fn either_side_within_an_account_both_across() {
    let direct =
        |arn: &str| format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{arn}"}},"Action":"{INVOKE}","Resource":"*"}}"#);
    // Within: the resource's policy is enough if it names the user, and not if it names the account only.
    let mut cx = bob(COUNT);
    attach(&mut cx, &direct("arn:aws:iam::123456789012:user/staff/bob"));
    cx.allow(INVOKE, PROFILE).unwrap();
    let mut cx = bob(COUNT);
    attach(&mut cx, &direct("123456789012"));
    assert!(told(cx.allow(INVOKE, PROFILE)).contains("no identity-based policy"));
    // Across: both.
    let foreign = |statements: &str, attached: Option<&str>| {
        let identity = Some(identity(statements));
        let mut cx = by("arn:aws:iam::210987654321:user/eve", Permissions { identity, ..Permissions::default() });
        if let Some(arn) = attached {
            attach(&mut cx, &direct(arn));
        }
        cx.allow(INVOKE, PROFILE)
    };
    assert!(told(foreign(ALL, None)).contains("no resource-based policy"));
    assert!(told(foreign(ALL, Some("333344445555"))).contains("no resource-based policy"));
    assert!(told(foreign(COUNT, Some("210987654321"))).contains("no identity-based policy"));
    foreign(ALL, Some("210987654321")).unwrap();
    foreign(ALL, Some("arn:aws:iam::210987654321:user/eve")).unwrap();
}

#[test]
fn an_owner_cannot_shut_itself_out() {
    let mut cx = by("arn:aws:iam::123456789012:root", Permissions::default());
    attach(&mut cx, r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#);
    assert!(told(cx.allow(INVOKE, PROFILE)).contains("explicit deny in a resource-based policy"));
    cx.allow("bedrock:DeleteResourcePolicy", PROFILE).unwrap();
    let mut user = bob(ALL);
    user.resource_policies = cx.resource_policies.clone();
    assert!(told(user.allow("bedrock:DeleteResourcePolicy", PROFILE)).contains("resource-based"));
}

#[test]
fn an_api_key_needs_its_own_action_and_opens_no_agents() {
    let key = |service, statements: &str, access_key: Option<&str>| {
        let mut cx = bob(statements);
        cx.caller.kind = CallerKind::ApiKey;
        cx.caller.access_key_id = access_key.map(str::to_owned);
        cx.service = service;
        cx
    };
    let bearer = r#"{"Effect":"Allow","Action":"bedrock:CallWithBearerToken","Resource":"*"}"#;
    let invoke = r#"{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}"#;
    assert_eq!(
        told(key("bedrock-runtime", invoke, None).allow(INVOKE, PROFILE)),
        "User: arn:aws:iam::123456789012:user/staff/bob is not authorized to perform: bedrock:CallWithBearerToken on \
         resource: * because no identity-based policy allows the bedrock:CallWithBearerToken action"
    );
    let both = format!("{bearer},{invoke}");
    key("bedrock-runtime", &both, None).allow(INVOKE, PROFILE).unwrap();
    for service in ["bedrock-agent", "bedrock-agent-runtime"] {
        let text = told(key(service, ALL, None).allow("bedrock:GetAgent", PROFILE));
        assert!(text.ends_with("action. Bedrock API keys open bedrock and bedrock-runtime only."), "{text}");
    }
    let long = r#"{"Effect":"Deny","Action":"bedrock:CallWithBearerToken","Resource":"*",
                   "Condition":{"StringEquals":{"bedrock:bearerTokenType":"LONG_TERM"}}}"#;
    let policy = format!("{both},{long}");
    assert!(told(key("bedrock-runtime", &policy, None).allow(INVOKE, PROFILE)).contains("explicit deny"));
    key("bedrock-runtime", &policy, Some("AKIA")).allow(INVOKE, PROFILE).unwrap();
}

/// Whether `cx`'s request satisfies a condition.
fn satisfies(cx: &Context, condition: &str, ask: impl FnOnce(Ask<'_>) -> Ask<'_>) -> bool {
    let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#);
    let mut cx = cx.clone();
    Arc::make_mut(&mut cx.permissions).identity = Some(identity(&statement));
    ask(cx.ask(INVOKE).on(PROFILE)).check().is_ok()
}

#[test]
fn global_keys_tell_of_the_call() {
    fn full(ask: Ask<'_>) -> Ask<'_> {
        let ask = ask.resource_tags([("env", "prod")]).request_tags([("a", "1"), ("b", "2")]);
        ask.maybe("bedrock:ServiceTier", Some("flex")).maybe("bedrock:PromptRouterArn", None::<String>)
    }
    let mut user = bob(ALL);
    user.client = ClientInfo { ip: Some("::ffff:203.0.113.9".parse().unwrap()), secure: true };
    Arc::make_mut(&mut user.permissions).tags = BTreeMap::from([("Team".to_owned(), "red".to_owned())]);
    for condition in [
        r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#,
        r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
        r#"{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#,
        r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2100-01-01"}}"#,
        r#"{"NumericGreaterThan":{"aws:EpochTime":1767225600}}"#,
        r#"{"DateGreaterThan":{"aws:EpochTime":1767225600}}"#,
        r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/staff/bob"}}"#,
        r#"{"StringEquals":{"aws:PrincipalAccount":"123456789012","aws:ResourceAccount":"${aws:PrincipalAccount}"}}"#,
        r#"{"StringEquals":{"aws:PrincipalTag/team":"red"}}"#,
        r#"{"StringEquals":{"aws:userid":"AIDA","aws:username":"bob","aws:PrincipalType":"User"}}"#,
        r#"{"StringEquals":{"aws:ResourceTag/env":"prod"},"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}"#,
        r#"{"StringEquals":{"aws:RequestTag/a":"1","bedrock:ServiceTier":"flex"}}"#,
    ] {
        assert!(satisfies(&user, condition, full), "{condition}");
    }
    assert!(!satisfies(&user, r#"{"Null":{"bedrock:PromptRouterArn":"false"}}"#, |ask| ask));
    let session = by("arn:aws:sts::123456789012:assumed-role/app/one", Permissions::default());
    for condition in [
        r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/app"}}"#,
        r#"{"StringEquals":{"aws:PrincipalType":"AssumedRole"},"Null":{"aws:username":"true","aws:SourceIp":"true"}}"#,
        r#"{"Bool":{"aws:SecureTransport":false}}"#,
    ] {
        assert!(satisfies(&session, condition, |ask| ask), "{condition}");
    }
}

#[test]
fn tags_of_resources_are_read_only_for_who_asks() {
    assert!(!bob(ALL).asks_resource_tags(PROFILE));
    let by_tag =
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/a":"b"}}}"#;
    assert!(bob(by_tag).asks_resource_tags(PROFILE));
    let mut cx = bob(ALL);
    attach(&mut cx, &by_tag.replace(r#""Action""#, r#""Principal":"*","Action""#));
    assert!(cx.asks_resource_tags(PROFILE) && !cx.asks_resource_tags("arn:aws:bedrock:us-east-1:123456789012:x/y"));
}

#[test]
fn a_snapshot_is_seen_by_every_clone() {
    let (one, other) = (ResourcePolicies::default(), ResourcePolicies::default());
    let clone = one.clone();
    let deny = policy(PolicyKind::Resource, r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#);
    one.update(&[(PROFILE.to_owned(), Some(deny))]);
    assert!(clone.get(PROFILE).is_some() && other.get(PROFILE).is_none());
    one.update(&[(PROFILE.to_owned(), None)]);
    assert!(clone.get(PROFILE).is_none());
}

proptest! {
    /// Whatever else is attached anywhere: one deny is final, and no allow takes away.
    #[test]
    fn deny_wins_from_every_side(allows in prop::collection::vec(any::<bool>(), 3), deny in 0usize..3, foreign in any::<bool>()) {
        let arn = if foreign { "arn:aws:iam::210987654321:user/eve" } else { "arn:aws:iam::123456789012:user/staff/bob" };
        let allow = |on: bool| if on { ALL } else { COUNT };
        let build = |denied: Option<usize>, allows: &[bool]| {
            let side = |at: usize| format!("{}{}", allow(allows[at]), if denied == Some(at) { format!(",{NO_INVOKE}") } else { String::new() });
            let mut cx = by(arn, Permissions {
                identity: Some(identity(&side(0))), session: identity(&side(1)), tags: BTreeMap::new(),
            });
            attach(&mut cx, &side(2).replace(r#""Action""#, r#""Principal":"*","Action""#));
            cx.allow(INVOKE, PROFILE).is_ok()
        };
        prop_assert!(!build(Some(deny), &allows));
        let before = build(None, &allows);
        for at in 0..3 {
            let mut more = allows.clone();
            more[at] = true;
            prop_assert!(build(None, &more) || !before);
        }
        let expected = allows[1] && if foreign { allows[0] && allows[2] } else { allows[0] || allows[2] };
        prop_assert_eq!(before, expected);
    }
}

/// Conditions know keys in any letter case, so of two tags that differ in nothing else either could be meant.
#[test]
fn tags_that_differ_in_letter_case_only_let_nobody_but_the_owner_through() {
    let red = r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestTag/team":"red"}}}"#;
    let cx = bob(&format!("{ALL},{red}"));
    let create = |cx: &Context, tags: &[(&'static str, &'static str)]| {
        cx.ask("bedrock:CreateInferenceProfile").on(PROFILE).request_tags(tags.iter().copied()).check()
    };
    create(&cx, &[("team", "red")]).unwrap();
    for tags in [[("team", "blue"), ("Team", "red")], [("Team", "red"), ("team", "blue")]] {
        told(create(&cx, &tags));
        told(cx.ask(INVOKE).on(PROFILE).resource_tags(tags).check());
    }
    let owner = Context::new(Caller::root("123456789012", None, CallerKind::User), "us-east-1", "bedrock");
    create(&owner, &[("team", "blue"), ("Team", "red")]).unwrap();
}

#[test]
fn the_deciding_statement_is_noted() {
    let policies = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"Read","Effect":"Allow","Action":"bedrock:List*","Resource":"*"},
        {"Effect":"Deny","Action":"bedrock:InvokeModel","Resource":"*"}]}"#;
    let policy = crate::Policy::parse(policies, PolicyKind::Identity).unwrap().named("mine");
    let caller = Caller::root("111122223333", Some("AKIA"), CallerKind::User);
    let mut cx = Context::new(caller, "us-east-1", "bedrock");
    // The owner is asked nothing.
    cx.allow("bedrock:InvokeModel", "*").unwrap();
    assert_eq!(cx.trail.noted().decided, None);
    cx.permissions = Arc::new(Permissions { identity: Some(vec![Arc::new(policy)]), ..Permissions::default() });
    cx.allow("bedrock:ListGuardrails", "*").unwrap();
    let shown = |cx: &Context| {
        let d = cx.clone().trail.noted().decided.unwrap();
        (d.action, d.allowed, d.kind, d.policy.map(|p| p.to_string()), d.statement.map(|s| s.to_string()))
    };
    let mine = || Some("mine".to_owned());
    assert_eq!(shown(&cx), ("bedrock:ListGuardrails".into(), true, "identity", mine(), Some("Read".into())));
    cx.allow("bedrock:InvokeModel", "*").unwrap_err();
    assert_eq!(shown(&cx), ("bedrock:InvokeModel".into(), false, "identity", mine(), Some("Statement[1]".into())));
    cx.allow("bedrock:Other", "*").unwrap_err();
    assert_eq!(shown(&cx), ("bedrock:Other".into(), false, "identity", None, None));
}
