//! What no server has to be asked for: addresses, paths, and credentials that change.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future};
use outcrop_outbound::Settings;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
        assert_eq!(bedrock.region, region);
    }
    // One address for both, as an Outcrop has it.
    let own = bedrock(None, Some("http://127.0.0.1:7711")).unwrap();
    assert_eq!((own.runtime.host(), own.control.host()), ("127.0.0.1:7711", "127.0.0.1:7711"));
    assert_eq!(own.region, "us-east-1");
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

/// Hands out credentials that end after `ends`, numbered; after `good` of them none.
#[derive(Debug)]
struct Rotating {
    ends: Option<Duration>,
    good: usize,
    given: Arc<AtomicUsize>,
}

impl ProvideCredentials for Rotating {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let n = self.given.fetch_add(1, Ordering::Relaxed);
        future::ProvideCredentials::ready(if n < self.good {
            let end = self.ends.map(|ends| SystemTime::now() + ends);
            Ok(aws_credential_types::Credentials::new(format!("key{n}"), "the-secret", None, end, "test"))
        } else {
            Err(CredentialsError::provider_error("the role is gone"))
        })
    }
}

fn rotating(ends: Option<Duration>, good: usize) -> (Credentials, Arc<AtomicUsize>) {
    let given = Arc::new(AtomicUsize::new(0));
    let source = Rotating { ends, good, given: Arc::clone(&given) };
    let outbound = Outbound::new(Settings::default()).unwrap();
    let source = SharedCredentialsProvider::new(source);
    (Credentials::of(source, outbound), given)
}

#[tokio::test]
async fn credentials_are_kept_while_they_last() {
    for ends in [None, Some(Duration::from_secs(3600))] {
        let (credentials, given) = rotating(ends, 1);
        for _ in 0..3 {
            assert_eq!(credentials.now().await.unwrap().access_key_id(), "key0");
        }
        assert_eq!(given.load(Ordering::Relaxed), 1);
    }
}

/// Those that end within minutes are fetched anew, by one caller for all of them.
#[tokio::test]
async fn credentials_are_fetched_before_they_end() {
    let (credentials, _) = rotating(Some(Duration::from_secs(200)), 2);
    assert_eq!(credentials.now().await.unwrap().access_key_id(), "key0");
    assert_eq!(credentials.now().await.unwrap().access_key_id(), "key1");

    let (credentials, given) = rotating(Some(Duration::from_secs(3600)), 1);
    let all = futures_util::future::join_all((0..8).map(|_| credentials.now())).await;
    assert!(all.iter().all(|found| found.as_ref().unwrap().access_key_id() == "key0"));
    assert_eq!(given.load(Ordering::Relaxed), 1);
}

/// A source that fails for a moment takes nothing away that still holds.
#[tokio::test]
async fn a_source_that_fails_leaves_what_still_holds() {
    let (credentials, given) = rotating(Some(Duration::from_secs(200)), 1);
    credentials.now().await.unwrap();
    assert_eq!(credentials.now().await.unwrap().access_key_id(), "key0");
    assert_eq!(given.load(Ordering::Relaxed), 2);

    let (credentials, _) = rotating(None, 0);
    let error = credentials.now().await.unwrap_err().to_string();
    assert!(error.contains("the role is gone"), "{error}");
    let failure = refused::no_credentials("aws", &error);
    assert!(!failure.to_string().contains("the role is gone"), "{failure}");
}
