//! What no server has to be asked for: addresses, paths, and what is told of credentials.

use outcrop_outbound::Settings;

use super::*;
use crate::Kind;

fn bedrock(region: Option<&str>, url: Option<&str>) -> Result<Bedrock, SettingsError> {
    let settings = ProviderSettings {
        name: "aws".into(),
        kind: Kind::Bedrock,
        region: region.map(str::to_owned),
        url: url.map(str::to_owned),
        ..ProviderSettings::default()
    };
    Bedrock::new(&settings, &Outbound::new(Settings::default()).unwrap())
}

#[test]
fn each_region_has_its_hosts() {
    for (region, runtime, control) in [
        ("eu-west-1", "bedrock-runtime.eu-west-1.amazonaws.com", "bedrock.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "bedrock-runtime.us-gov-west-1.amazonaws.com", "bedrock.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "bedrock-runtime.cn-north-1.amazonaws.com.cn", "bedrock.cn-north-1.amazonaws.com.cn"),
    ] {
        let bedrock = bedrock(Some(region), None).unwrap();
        assert_eq!((bedrock.runtime.host(), bedrock.control.host()), (runtime, control));
        assert_eq!(bedrock.runtime.uri("/model/m/converse").scheme_str(), Some("https"));
        assert_eq!(bedrock.identity.unwrap().region(), region);
    }
    // One address for both, as an Outcrop has it.
    let own = bedrock(None, Some("http://127.0.0.1:7711")).unwrap();
    assert_eq!((own.runtime.host(), own.control.host()), ("127.0.0.1:7711", "127.0.0.1:7711"));
    assert_eq!(own.identity.unwrap().region(), "us-east-1");
}

#[test]
fn neither_region_nor_url_is_told() {
    let error = bedrock(None, None).err().unwrap().to_string();
    assert!(error.contains("aws") && error.contains("region"), "{error}");
}

#[test]
fn model_ids_are_one_segment_of_the_path() {
    assert_eq!(path("amazon.nova-lite-v1:0", "converse"), "/model/amazon.nova-lite-v1%3A0/converse");
    let arn = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/a b";
    assert_eq!(
        path(arn, "invoke"),
        "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Fa%20b/invoke"
    );
}

#[test]
fn why_there_are_no_credentials_is_for_the_log() {
    let failure = refused::no_credentials("aws", &"the role is gone");
    assert!(!failure.to_string().contains("the role is gone"), "{failure}");
}
