use outcrop_access::{Caller, CallerKind, Permissions, Policy, PolicyKind};
use tempfile::TempDir;

use super::*;

const ACCOUNT: &str = "123456789012";
const OTHER: &str = "210987654321";

fn owner(account: &str) -> Context {
    Context::new(Caller::root(account, None, CallerKind::User), "us-east-1", "s3")
}

/// A user that may what `statement` says.
fn user(action: &str, resource: &str) -> Context {
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}]}}"#
    );
    let policy = Policy::parse(&document, PolicyKind::Identity).unwrap();
    let cx = owner(ACCOUNT);
    let caller = Caller { arn: format!("arn:aws:iam::{ACCOUNT}:user/ada"), ..cx.caller.clone() };
    let permissions = Permissions { identity: Some(vec![Arc::new(policy)]), ..Permissions::default() };
    Context { caller, permissions: Arc::new(permissions), ..cx }
}

async fn bucket() -> (TempDir, Buckets) {
    let data = tempfile::tempdir().unwrap();
    let buckets = Buckets::open(data.path(), Settings { region: "us-east-1".into(), ..Settings::default() });
    buckets.create(&owner(ACCOUNT), "docs", "us-east-1").await.unwrap();
    (data, buckets)
}

#[tokio::test]
async fn what_is_put_is_read_listed_and_deleted() {
    let (data, buckets) = bucket().await;
    let cx = owner(ACCOUNT);
    let put = buckets.put(&cx, "docs", "a/b.md", Bytes::from_static(b"hello")).await.unwrap();
    assert_eq!((put.size, put.etag.as_str()), (5, "5d41402abc4b2a76b9719d911017c592"));
    assert_eq!(buckets.head(&cx, "docs", "a/b.md").await.unwrap(), Some(put.clone()));
    assert_eq!(buckets.head(&cx, "docs", "none").await.unwrap(), None);
    let got = buckets.get(&cx, "docs", "a/b.md", 5).await.unwrap();
    assert_eq!((got.bytes.as_ref(), &got.object), (b"hello".as_slice(), &put));
    assert!(matches!(buckets.get(&cx, "docs", "a/b.md", 4).await, Err(BucketError::TooLarge { size: 5, most: 4, .. })));
    assert!(matches!(buckets.get(&cx, "docs", "none", 4).await, Err(BucketError::NoSuchKey(_))));
    let page = buckets.list(&cx, "docs", "a/", None, 10).await.unwrap();
    assert_eq!(page, Page { objects: vec![put], more: false });
    // Another process finds the same.
    let again = Buckets::open(data.path(), Settings::default());
    assert_eq!(again.get(&cx, "docs", "a/b.md", 5).await.unwrap().bytes.as_ref(), b"hello");
    buckets.delete(&cx, "docs", "a/b.md").await.unwrap();
    buckets.remove(&cx, "docs").await.unwrap();
    assert!(matches!(again.list(&cx, "docs", "", None, 10).await, Err(BucketError::NoSuchBucket(_))));
}

#[tokio::test]
async fn what_is_deleted_on_a_condition_is_the_object_that_is_meant() {
    let (_data, buckets) = bucket().await;
    let cx = owner(ACCOUNT);
    let is = |etag: &str| Condition::Is(etag.to_owned());
    let refused = |result: Result<()>| matches!(result, Err(BucketError::Precondition));
    let put = buckets.put(&cx, "docs", "k", Bytes::from_static(b"x")).await.unwrap();
    assert!(refused(buckets.delete_if(&cx, "docs", "k", is("other")).await));
    assert!(refused(buckets.delete_if(&cx, "docs", "none", is("other")).await));
    assert_eq!(buckets.head(&cx, "docs", "k").await.unwrap(), Some(put.clone()));
    buckets.delete_if(&cx, "docs", "k", is(&put.etag)).await.unwrap();
    assert_eq!(buckets.head(&cx, "docs", "k").await.unwrap(), None);
}

#[tokio::test]
async fn each_thing_asks_for_its_action() {
    let (_data, buckets) = bucket().await;
    buckets.put(&owner(ACCOUNT), "docs", "in/a", Bytes::from_static(b"x")).await.unwrap();
    let denied = |error: Option<BucketError>| matches!(error, Some(BucketError::Denied(_)));
    let none = user("s3:ListAllMyBuckets", "*");
    assert!(denied(buckets.get(&none, "docs", "in/a", 9).await.err()));
    assert!(denied(buckets.head(&none, "docs", "in/a").await.err()));
    assert!(denied(buckets.list(&none, "docs", "", None, 9).await.err()));
    assert!(denied(buckets.put(&none, "docs", "in/a", Bytes::new()).await.err()));
    assert!(denied(buckets.delete(&none, "docs", "in/a").await.err()));
    assert!(denied(buckets.create(&none, "more", "us-east-1").await.err()));
    assert!(denied(buckets.remove(&none, "docs").await.err()));
    assert!(denied(buckets.begin_upload(&none, "docs", "in/a", Attributes::default()).await.err()));
    assert!(denied(buckets.uploads_of(&none, "docs", "").await.err()));
    let reads = user("s3:GetObject", "arn:aws:s3:::docs/in/*");
    assert!(buckets.get(&reads, "docs", "in/a", 9).await.is_ok());
    assert!(denied(buckets.get(&reads, "docs", "out/a", 9).await.err()));
    assert!(denied(buckets.put(&reads, "docs", "in/a", Bytes::new()).await.err()));
    assert!(denied(buckets.copy(&reads, ("docs", "in/a"), ("docs", "in/b"), None, Condition::None).await.err()));
}

#[tokio::test]
async fn another_account_s_bucket_opens_to_nobody() {
    let (_data, buckets) = bucket().await;
    let cx = owner(OTHER);
    assert!(matches!(buckets.get(&cx, "docs", "a", 9).await, Err(BucketError::Denied(_))));
    assert!(matches!(buckets.put(&cx, "docs", "a", Bytes::new()).await, Err(BucketError::Denied(_))));
    assert!(matches!(buckets.list(&cx, "docs", "", None, 9).await, Err(BucketError::Denied(_))));
    assert!(matches!(buckets.create(&cx, "docs", "us-east-1").await, Err(BucketError::Exists)));
    assert!(matches!(buckets.create(&owner(ACCOUNT), "docs", "us-east-1").await, Err(BucketError::Owned)));
    assert!(buckets.all(&cx).await.unwrap().is_empty());
    assert_eq!(buckets.all(&owner(ACCOUNT)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_folder_that_nobody_owns_opens_only_where_that_is_said() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(data.path().join("buckets/logs")).unwrap();
    std::fs::write(data.path().join("buckets/logs/a"), b"x").unwrap();
    let buckets = Buckets::open(data.path(), Settings::default());
    assert!(matches!(buckets.get(&owner(ACCOUNT), "logs", "a", 9).await, Err(BucketError::Denied(_))));
    assert_eq!(buckets.owner("logs"), None);
    buckets.configure(Settings { ownerless: Some(ACCOUNT.into()), ..Settings::default() });
    assert!(buckets.get(&owner(ACCOUNT), "logs", "a", 9).await.is_ok());
    let named = Named { account: Some(OTHER.into()), read_only: true, place: Place::Own };
    buckets.configure(Settings { named: [("logs".to_owned(), named)].into(), ..Settings::default() });
    assert!(buckets.get(&owner(OTHER), "logs", "a", 9).await.is_ok());
    assert!(matches!(buckets.put(&owner(OTHER), "logs", "a", Bytes::new()).await, Err(BucketError::Denied(_))));
    assert_eq!(buckets.owner("logs").as_deref(), Some(OTHER));
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let (data, buckets) = bucket().await;
    let cx = owner(ACCOUNT);
    buckets.put(&cx, "docs", "k", Bytes::from_static(b"old")).await.unwrap();
    let broken = stream::iter([Ok(Bytes::from_static(b"ne")), Err(BucketError::Failed("gone".into()))]);
    let put = buckets.write(&cx, "docs", "k", broken, Attributes::default(), Condition::None).await;
    assert!(matches!(put, Err(BucketError::Failed(_))));
    assert_eq!(buckets.get(&cx, "docs", "k", 9).await.unwrap().bytes.as_ref(), b"old");
    assert_eq!(std::fs::read_dir(data.path().join("buckets-aside/docs/staged")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_gone_after_the_next_start() {
    let (data, buckets) = bucket().await;
    let staged = data.path().join("buckets-aside/docs/staged");
    std::fs::create_dir_all(&staged).unwrap();
    std::fs::write(staged.join(".outcrop-x"), b"half").unwrap();
    drop(buckets);
    let again = Buckets::open(data.path(), Settings::default());
    assert!(!staged.exists());
    assert!(again.put(&owner(ACCOUNT), "docs", "k", Bytes::from_static(b"x")).await.is_ok());
}

#[tokio::test]
async fn what_a_crash_left_in_a_folder_goes_when_nobody_has_touched_it_for_long() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let upload = data.path().join("buckets-aside/docs/uploads/u");
    std::fs::create_dir_all(&upload).unwrap();
    let left = format!(".outcrop-{}", "0a".repeat(16));
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    let names = [left.as_str(), ".outcrop-mine", "a.md", "00001-0cc175b9c0f1b6a831c399e269772661"];
    for place in [folder.path(), upload.as_path()] {
        for name in names {
            let file = File::create(place.join(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        // Another server may be writing this one.
        std::fs::write(place.join(format!(".outcrop-{}", "0b".repeat(16))), b"half").unwrap();
    }
    let place = Place::Folder(folder.path().to_owned());
    let named = Named { account: Some(ACCOUNT.into()), read_only: false, place };
    Buckets::open(data.path(), Settings { named: [("docs".to_owned(), named)].into(), ..Settings::default() });
    for place in [folder.path(), upload.as_path()] {
        assert!(!place.join(&left).exists(), "{}", place.display());
        assert_eq!(std::fs::read_dir(place).unwrap().count(), names.len(), "{}", place.display());
    }
}

#[test]
fn spans_are_cut_to_what_there_is() {
    let head = |size: u64, etag: &str, parts: &[u64]| {
        let modified = jiff::Timestamp::UNIX_EPOCH;
        let object = Object { key: "k".into(), size, etag: etag.into(), modified, content_type: None };
        Head { object, attributes: Attributes::default(), parts: parts.to_vec() }
    };
    for (span, size, expected) in [
        (Span::All, 0, Some(0..0)),
        (Span::From(0, Some(0)), 10, Some(0..1)),
        (Span::From(5, Some(99)), 10, Some(5..10)),
        (Span::From(5, None), 10, Some(5..10)),
        (Span::From(10, None), 10, None),
        (Span::From(5, Some(4)), 10, None),
        (Span::From(0, Some(u64::MAX)), 10, Some(0..10)),
        (Span::Last(3), 10, Some(7..10)),
        (Span::Last(99), 10, Some(0..10)),
        (Span::Last(0), 10, None),
        (Span::Part(1), 10, Some(0..10)),
        (Span::Part(2), 10, None),
    ] {
        assert_eq!(span.of(&head(size, "etag", &[])).ok(), expected, "{span:?}");
    }
    let parts = head(10, "etag-3", &[4, 4, 2]);
    for (number, expected) in [(1, Some(0..4)), (3, Some(8..10)), (0, None), (4, None)] {
        assert_eq!(Span::Part(number).of(&parts).ok(), expected, "{number}");
    }
    let unknown = Span::Part(1).of(&head(10, "etag-3", &[])).unwrap_err();
    assert!(matches!(unknown, BucketError::Unbuilt(_)), "{unknown}");
}
