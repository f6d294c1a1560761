//! Condition operators, missing keys and keys of many values.

use super::*;

fn key(name: &str, value: &str) -> Keys {
    Keys::new().with(name, value)
}

fn many(name: &str, values: &[&str]) -> Keys {
    let mut keys = Keys::new();
    keys.set_all(name, values.iter().map(|value| (*value).to_owned()));
    keys
}

#[test]
fn each_operator_compares_its_kind() {
    for (condition, value, expected) in [
        (r#"{"StringEquals":{"a:k":"Red"}}"#, "Red", true),
        (r#"{"StringEquals":{"a:k":"Red"}}"#, "red", false),
        (r#"{"StringEquals":{"a:k":"R*"}}"#, "Red", false),
        (r#"{"StringEquals":{"a:k":["Blue","Red"]}}"#, "Red", true),
        (r#"{"StringNotEquals":{"a:k":["Blue","Red"]}}"#, "Red", false),
        (r#"{"StringNotEquals":{"a:k":["Blue","Red"]}}"#, "Green", true),
        (r#"{"StringEqualsIgnoreCase":{"a:k":"RED"}}"#, "red", true),
        (r#"{"StringNotEqualsIgnoreCase":{"a:k":"RED"}}"#, "red", false),
        (r#"{"StringLike":{"a:k":"R*d"}}"#, "R:e/d", true),
        (r#"{"StringLike":{"a:k":"R?d"}}"#, "Réd", true),
        (r#"{"StringLike":{"a:k":"r*"}}"#, "Red", false),
        (r#"{"StringNotLike":{"a:k":"R*"}}"#, "Red", false),
        (r#"{"NumericEquals":{"a:k":10}}"#, "10.0", true),
        (r#"{"NumericNotEquals":{"a:k":"10"}}"#, "11", true),
        (r#"{"NumericLessThan":{"a:k":10}}"#, "9.5", true),
        (r#"{"NumericLessThan":{"a:k":10}}"#, "10", false),
        (r#"{"NumericLessThanEquals":{"a:k":10}}"#, "10", true),
        (r#"{"NumericGreaterThan":{"a:k":10}}"#, "10", false),
        (r#"{"NumericGreaterThanEquals":{"a:k":[10,20]}}"#, "15", true),
        (r#"{"NumericEquals":{"a:k":10}}"#, "ten", false),
        (r#"{"DateGreaterThan":{"a:k":"2026-01-01T00:00:00Z"}}"#, "2026-01-01T00:00:01Z", true),
        (r#"{"DateLessThan":{"a:k":"2026-01-01"}}"#, "2025-12-31T23:59:59Z", true),
        (r#"{"DateLessThanEquals":{"a:k":"1767225600"}}"#, "2026-01-01T00:00:00Z", true),
        (r#"{"DateEquals":{"a:k":1767225600}}"#, "2026-01-01T01:00:00+01:00", true),
        (r#"{"DateNotEquals":{"a:k":"2026-01-01"}}"#, "2026-01-01T00:00:00Z", false),
        (r#"{"Bool":{"a:k":"true"}}"#, "True", true),
        (r#"{"Bool":{"a:k":false}}"#, "true", false),
        (r#"{"BinaryEquals":{"a:k":"QmluYXJ5"}}"#, "QmluYXJ5", true),
        (r#"{"BinaryEquals":{"a:k":"QmluYXJ5"}}"#, "Qm9vbGVh", false),
        (r#"{"IpAddress":{"a:k":"203.0.113.0/24"}}"#, "203.0.113.9", true),
        (r#"{"IpAddress":{"a:k":"203.0.113.0/24"}}"#, "::ffff:203.0.113.9", true),
        (r#"{"IpAddress":{"a:k":["10.0.0.0/8","2001:db8::/32"]}}"#, "2001:db8::1", true),
        (r#"{"IpAddress":{"a:k":"203.0.113.7"}}"#, "203.0.113.9", false),
        (r#"{"NotIpAddress":{"a:k":"203.0.113.0/24"}}"#, "203.0.113.9", false),
        (r#"{"NotIpAddress":{"a:k":"203.0.113.0/24"}}"#, "198.51.100.1", true),
        (r#"{"ArnLike":{"a:k":"arn:aws:iam::*:role/app-*"}}"#, "arn:aws:iam::111122223333:role/app-1", true),
        (r#"{"ArnEquals":{"a:k":"arn:aws:iam::*:role/app-?"}}"#, "arn:aws:iam::111122223333:role/app-1", true),
        // Every segment by itself: the star does not reach over the account.
        (r#"{"ArnLike":{"a:k":"arn:aws:iam:*:role/app-1"}}"#, "arn:aws:iam::111122223333:role/app-1", false),
        (r#"{"ArnNotLike":{"a:k":"arn:aws:iam::*:role/*"}}"#, "arn:aws:iam::111122223333:user/bob", true),
        (r#"{"ArnNotEquals":{"a:k":"arn:aws:iam::*:user/*"}}"#, "arn:aws:iam::111122223333:user/bob", false),
        (r#"{"Null":{"a:k":"true"}}"#, "x", false),
        (r#"{"Null":{"a:k":false}}"#, "x", true),
    ] {
        assert_eq!(holds(condition, &key("A:K", value)), expected, "{condition} of {value}");
    }
}

#[test]
fn a_missing_key_fits_nothing() {
    for (condition, expected) in [
        (r#"{"StringEquals":{"a:k":"x"}}"#, false),
        (r#"{"StringNotEquals":{"a:k":"x"}}"#, true),
        (r#"{"StringNotLike":{"a:k":"x"}}"#, true),
        (r#"{"ArnNotLike":{"a:k":"arn:aws:iam::*:*"}}"#, true),
        (r#"{"NotIpAddress":{"a:k":"10.0.0.0/8"}}"#, true),
        (r#"{"NumericLessThan":{"a:k":1}}"#, false),
        (r#"{"DateNotEquals":{"a:k":1}}"#, true),
        (r#"{"Bool":{"a:k":"true"}}"#, false),
        (r#"{"StringEqualsIfExists":{"a:k":"x"}}"#, true),
        (r#"{"BoolIfExists":{"a:k":"true"}}"#, true),
        (r#"{"Null":{"a:k":"true"}}"#, true),
        (r#"{"Null":{"a:k":"false"}}"#, false),
        (r#"{"ForAllValues:StringEquals":{"a:k":"x"}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"a:k":"x"}}"#, false),
        (r#"{"ForAnyValue:StringNotEquals":{"a:k":"x"}}"#, false),
        (r#"{"ForAnyValue:StringEqualsIfExists":{"a:k":"x"}}"#, true),
    ] {
        assert_eq!(holds(condition, &Keys::new()), expected, "{condition}");
    }
    assert!(!holds(r#"{"StringEqualsIfExists":{"a:k":"x"}}"#, &key("a:k", "y")), "it exists");
}

#[test]
fn sets_of_values() {
    let tags = |values: &[&str]| many("aws:TagKeys", values);
    let all = r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost"]}}"#;
    assert!(holds(all, &tags(&["environment"])));
    assert!(holds(all, &tags(&["environment", "cost"])));
    assert!(!holds(all, &tags(&["environment", "secret"])));
    let any = r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["environment","cost"]}}"#;
    assert!(holds(any, &tags(&["secret", "cost"])));
    assert!(!holds(any, &tags(&["secret"])));
    let none = r#"{"ForAllValues:StringNotEquals":{"aws:TagKeys":["secret"]}}"#;
    assert!(holds(none, &tags(&["cost"])));
    assert!(!holds(none, &tags(&["cost", "secret"])));
    let other = r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["secret"]}}"#;
    assert!(holds(other, &tags(&["cost", "secret"])));
    assert!(!holds(other, &tags(&["secret"])));
}

#[test]
fn all_keys_and_all_operators_must_hold() {
    let condition = r#"{"StringEquals":{"a:x":"1","a:y":"2"},"Bool":{"a:z":"true"}}"#;
    let keys = key("a:x", "1").with("a:y", "2").with("a:z", "true");
    assert!(holds(condition, &keys));
    for name in ["a:x", "a:y", "a:z"] {
        assert!(!holds(condition, &keys.clone().with(name, "no")), "{name}");
    }
}

#[test]
fn variables_in_conditions() {
    let condition = r#"{"StringLike":{"a:k":"home/${aws:username}/*"}}"#;
    let keys = key("a:k", "home/bob/x").with("aws:username", "bob");
    assert!(holds(condition, &keys));
    assert!(!holds(condition, &keys.clone().with("aws:username", "*")));
    assert!(!holds(condition, &key("a:k", "home//x")));
    let same = r#"{"StringEqualsIgnoreCase":{"aws:ResourceTag/owner":"${aws:username}"}}"#;
    assert!(holds(same, &key("aws:ResourceTag/owner", "BOB").with("aws:username", "Bob")));
    // The older version of the language has no variables.
    let text = r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
                   "Condition":{"StringEquals":{"a:k":"${aws:username}"}}}}"#;
    let policy = Policy::parse(text, PolicyKind::Resource).unwrap();
    let keys = key("a:k", "${aws:username}").with("aws:username", "bob");
    assert_eq!(ask(&policy, "bedrock:InvokeModel", MODEL, &keys), Decision::Allow);
}

#[test]
fn keys_are_asked_for_only_where_a_statement_of_the_action_does() {
    let plain = r#"{"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"}"#;
    let condition = r#"{"Effect": "Deny", "Action": "bedrock:Delete*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}"#;
    let variable =
        r#"{"Effect": "Allow", "Action": "bedrock:GetAgent", "Resource": "arn:aws:bedrock:*:*:a/${aws:username}"}"#;
    let asks = |statements: &str, action: &str| identity(statements).asks_keys(action);
    assert!(!asks(plain, "bedrock:InvokeModel"));
    assert!(!asks(&format!("{plain}, {variable}"), "s3:GetObject"), "no statement speaks of it");
    assert!(asks(&format!("{plain}, {condition}"), "bedrock:DeleteAgent"));
    assert!(asks(variable, "Bedrock:getagent"));
    // A wildcard is found by its service: it may speak of the action, which is enough to look.
    assert!(asks(&format!("{plain}, {condition}"), "bedrock:InvokeModel"));
}

#[test]
fn resource_tags_are_asked_for_only_where_a_policy_does() {
    let tagged = identity(
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"AWS:ResourceTag/a":"b"}}}"#,
    );
    assert!(tagged.asks_resource_tags());
    let variable =
        identity(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:bedrock:*:*:x/${aws:ResourceTag/a}"}"#);
    assert!(variable.asks_resource_tags());
    let plain = identity(
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/a":"b"}}}"#,
    );
    assert!(!plain.asks_resource_tags());
}
