use super::Arn;
use proptest::prelude::*;

#[test]
fn reads_the_forms_bedrock_uses() {
    let text = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl";
    let arn = Arn::parse(text).unwrap();
    assert_eq!((arn.partition, arn.service, arn.region, arn.account), ("aws", "bedrock", "us-east-1", "123456789012"));
    assert_eq!(arn.resource_parts(), ("application-inference-profile", "abcdefghijkl"));
    assert_eq!(arn.to_string(), text);

    let arn = Arn::parse("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2:1:18k").unwrap();
    assert_eq!(arn.account, "");
    assert_eq!(arn.resource_parts(), ("foundation-model", "anthropic.claude-v2:1:18k"));

    let arn = Arn::parse("arn:aws:bedrock:us-east-1:111122223333:prompt/PROMPT12345:1").unwrap();
    assert_eq!(arn.resource_parts(), ("prompt", "PROMPT12345:1"));

    assert_eq!(Arn::parse("arn:aws:sts::123456789012:assumed-role/r/s").unwrap().region, "");
    assert_eq!(Arn::parse("arn:aws:sqs:us-east-1:123456789012:queue").unwrap().resource_parts(), ("", "queue"));
}

#[test]
fn refuses_what_is_no_arn() {
    for text in ["", "arn", "arn:", "arn:aws:bedrock:us-east-1:123456789012", "arn:aws:bedrock:r:a:", "arn::b:r:a:x"] {
        assert_eq!(Arn::parse(text), None, "{text}");
    }
    assert_eq!(Arn::parse("arn:aws::r:a:x"), None);
    assert_eq!(Arn::parse("ARN:aws:bedrock:r:a:x"), None);
}

proptest! {
    #[test]
    fn display_is_the_inverse_of_parse(text in "(arn:)?[a-z0-9:/.-]{0,40}") {
        if let Some(arn) = Arn::parse(&text) {
            prop_assert_eq!(arn.to_string(), text);
        }
    }
}
