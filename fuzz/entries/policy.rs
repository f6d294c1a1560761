//! Any text as a policy document: never a panic, a brief refusal, the same meaning however it is spaced, and no
//! document in which a deny of everything does not win.

use outcrop_access::{ConditionKeys, Decision, Policy, PolicyKind, Principal, Request};
use serde_json::{Value, json};

/// The entry of fuzzer and replay. Lines: kind (`identity`, `resource`, `trust`), action, resource, the value of the
/// condition key `aws:username`; then the document.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(5, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let kind = match line() {
        "resource" => PolicyKind::Resource,
        "trust" => PolicyKind::Trust,
        _ => PolicyKind::Identity,
    };
    let (action, resource, user, document) = (line(), line(), line(), line());
    let principal =
        Principal { account: "111122223333", arn: "arn:aws:iam::111122223333:user/bob", ..Principal::default() };
    let keys = ConditionKeys::new().with("aws:username", user);
    let request = Request { action, resource, principal, keys: &keys };
    let policy = match Policy::parse(document, kind) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(error.to_string().len() < 4000, "a refusal is brief");
            return;
        }
    };
    let said = policy.evaluate(&request);
    // What is read has no member twice, so another reader of JSON understands the same.
    let mut value: Value = serde_json::from_str(document).expect("a policy is JSON");
    let again = Policy::parse(&serde_json::to_string_pretty(&value).expect("it is written"), kind);
    assert_eq!(again.expect("and read again").evaluate(&request), said);
    let mut deny = json!({"Effect": "Deny", "Action": if kind == PolicyKind::Trust { "sts:*" } else { "*" }});
    if kind != PolicyKind::Trust {
        deny["Resource"] = json!("*");
    }
    if kind != PolicyKind::Identity {
        deny["Principal"] = json!("*");
    }
    let statements = value["Statement"].take();
    let mut list = match statements {
        Value::Array(list) => list,
        one => vec![one],
    };
    list.insert(list.len() / 2, deny);
    value["Statement"] = Value::Array(list);
    let shut = Policy::parse(&value.to_string(), kind).expect("one statement more");
    if kind != PolicyKind::Trust || action.to_lowercase().starts_with("sts:") {
        assert_eq!(shut.evaluate(&request), Decision::Deny);
    }
}
