//! What is no policy, and what is told of it.

use super::*;

fn refused(text: &str, kind: PolicyKind) -> String {
    match Policy::parse(text, kind) {
        Ok(_) => panic!("it is read: {text:.300}"),
        Err(error) => error.to_string(),
    }
}

fn statement(statement: &str) -> String {
    refused(&document(statement), PolicyKind::Identity)
}

#[test]
fn iam_s_words_and_the_place() {
    for (text, told) in [
        ("This is not JSON", "Syntax errors in policy. The text is not JSON"),
        ("[]", "Syntax errors in policy. A policy is a JSON object."),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
            "Policy document must be version 2012-10-17 or greater. (at Version)",
        ),
        (
            r#"{"Version":"2013-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
            "Syntax errors in policy. The version is 2012-10-17. (at Version)",
        ),
        (r#"{"Version":"2012-10-17"}"#, "Syntax errors in policy. A policy has a statement"),
        (r#"{"Version":"2012-10-17","Statement":[]}"#, "Syntax errors in policy. A policy has a statement"),
        (r#"{"Version":"2012-10-17","Statement":["a"]}"#, "(at Statement[0])"),
        (
            r#"{"Version":"2012-10-17","Id":{},"Statement":{}}"#,
            "Syntax errors in policy. A string is expected. (at Id)",
        ),
        (r#"{"Version":"2012-10-17","Extra":1,"Statement":{}}"#, "Syntax errors in policy."),
    ] {
        let error = refused(text, PolicyKind::Identity);
        assert!(error.contains(told), "{text}: {error}");
    }
    let good = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    for (wrong, told) in [
        (r#"{"Action":"*","Resource":"*"}"#, "The effect is Allow or Deny. (at Statement[0].Effect)"),
        (r#"{"Effect":"allow","Action":"*","Resource":"*"}"#, "Syntax errors in policy."),
        (r#"{"Effect":"Allow","Resource":"*"}"#, "Policy statement must contain actions. (at Statement[0].Action)"),
        (r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#, "Policy statement must contain actions."),
        (r#"{"Effect":"Allow","Action":"*"}"#, "Policy statement must contain resources. (at Statement[0].Resource)"),
        (r#"{"Effect":"Allow","Action":"*","Resource":[]}"#, "Policy statement must contain resources."),
        (r#"{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}"#, "There is Action already."),
        (r#"{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"}"#, "There is Resource already."),
        (r#"{"Effect":"Allow","Action":"*","Resource":"*","Resorce":"*"}"#, "(at Statement[0].Resorce)"),
        (r#"{"Effect":"Allow","Action":"Invoke","Resource":"*"}"#, "Actions/Conditions must be prefaced by a vendor"),
        (r#"{"Effect":"Allow","Action":"a a:List","Resource":"*"}"#, "Vendor a a is not valid"),
        (r#"{"Effect":"Allow","Action":"s3:List:B","Resource":"*"}"#, "Actions/Condition can contain only one colon."),
        (r#"{"Effect":"Allow","Action":"*","Resource":"bucket"}"#, r#"Resource bucket must be in ARN format or "*"."#),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":["*",{}]}"#,
            "A string is expected. (at Statement[0].Resource[1])",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"arn:error:s3:::b"}"#,
            r#"Partition "error" is not valid for resource "arn:error:s3:::b"."#,
        ),
        (r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws"}"#, "Resource vendor must be fully qualified"),
        (r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3::b"}"#, "The policy failed legacy parsing"),
        (r#"{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}"#, "should not specify a principal."),
        (r#"{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}"#, "Statement IDs (SID) must be alpha-numeric."),
        (r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":[]}"#, "(at Statement[0].Condition)"),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqual":{"a:b":"c"}}}"#,
            "Invalid Condition type : StringEqual.",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NullIfExists":{"a:b":"true"}}}"#,
            "Invalid Condition type : NullIfExists.",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"colour":"c"}}}"#,
            "must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. (at Statement[0].Condition.StringEquals.colour)",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}}"#,
            "\"10.0.0.0/33\" is not an address or a network",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}}}"#,
            "\"soon\" is not a date",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a:b":"NaN"}}}"#,
            "\"NaN\" is not a number.",
        ),
        (r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username"}"#, "has no end."),
        (r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${username}"}"#, "is not a policy variable."),
        (r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username, x}"}"#, "in single quotes."),
    ] {
        let error = statement(wrong);
        assert!(error.contains(told), "{wrong}: {error}");
        let second = statement(&format!("{good},{wrong}"));
        assert!(!second.contains("Statement[0]"), "{second}");
    }
    let twice = r#"{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"}"#;
    assert!(
        statement(&format!("{twice},{twice}")).contains("in a single policy must be unique. (at Statement[1].Sid)")
    );
}

#[test]
fn policies_of_resources_and_roles_name_principals() {
    let resource = |text: &str| refused(&document(text), PolicyKind::Resource);
    let trust = |text: &str| refused(&document(text), PolicyKind::Trust);
    let missing = "Missing required field Principal";
    assert!(resource(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#).contains(missing));
    assert!(trust(r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#).contains(missing));
    for principal in [r#"{"AWS":"bob"}"#, r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#, r#"{"People":"bob"}"#] {
        let text = format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"*","Resource":"*"}}"#);
        assert!(resource(&text).contains("Invalid principal in policy: "), "{principal}");
    }
    for principal in [r#""bob""#, "{}", "[]", r#"{"AWS":[]}"#, r#"{"AWS":{}}"#, "null"] {
        resource(&format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"*","Resource":"*"}}"#));
    }
    let not = r#"{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}"#;
    assert!(resource(not).contains("Allow with NotPrincipal is not allowed."));
    let with_resource = r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}"#;
    assert!(trust(with_resource).contains("Has prohibited field Resource"));
    let other = r#"{"Effect":"Allow","Principal":"*","Action":"bedrock:InvokeModel"}"#;
    assert!(trust(other).contains("AssumeRole policy may only specify STS AssumeRole actions."));
}

#[test]
fn one_member_is_there_once() {
    let twice = r#"{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}"#;
    assert_eq!(statement(twice), "Syntax errors in policy. The member is there twice. (at Statement[0].Effect)");
    let condition =
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a:b":"true","a:b":"false"}}}"#;
    assert!(statement(condition).contains("The member is there twice."));
    // The same letters in another spelling are the same member.
    let escaped = r#"{"Effect":"Allow","\u0045ffect":"Deny","Action":"*","Resource":"*"}"#;
    assert!(statement(escaped).contains("The member is there twice."));
}

#[test]
fn hostile_texts_are_refused_briefly() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_condition = r#"{"a:b":"#.repeat(50_000);
    let huge = "x".repeat(1 << 20);
    for text in [
        document(&deep),
        deep,
        document(&format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{deep_condition}"#)),
        document(&format!(r#"{{"Effect":"Allow","Action":"{huge}","Resource":"*"}}"#)),
        document(&format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","{huge}":"*"}}"#)),
        document(r#"{"Effect":"Allow","Action":"\ud800","Resource":"*"}"#),
        document(r#"{"Effect":"Allow","Action":"\u12","Resource":"*"}"#),
        document("{\"Effect\":\"Allow\",\"Action\":\"\u{0}\",\"Resource\":\"*\"}"),
        " ".repeat(MAX_BYTES + 1),
        String::new(),
    ] {
        let error = refused(&text, PolicyKind::Identity);
        assert!(error.len() < 2_000, "{} letters", error.len());
    }
}
