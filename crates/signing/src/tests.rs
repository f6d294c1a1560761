//! Credentials that change.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future};
use outcrop_outbound::{Outbound, Settings};

use crate::credentials::Credentials;

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
}
