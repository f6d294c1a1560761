use std::sync::Arc;
use std::time::Duration;

use outcrop_access::{Caller, CallerKind, Permissions, Policy, PolicyKind};
use outcrop_api::{AwsError, Kind};
use outcrop_store::{NewDocument, Op};

use super::*;
use crate::testing::{ACCOUNT, Bench, bench, call, here};
use crate::{Memory, Settings};

async fn set(cx: &Context, b: &Bench, mode: DataRetentionMode) -> Result<PutAccountDataRetentionResponse, ModelsError> {
    put(cx, &b.models, PutAccountDataRetentionRequest { mode }).await
}

async fn told(cx: &Context, b: &Bench) -> (DataRetentionMode, Option<Timestamp>) {
    let told = get(cx, &b.models, GetAccountDataRetentionRequest::default()).await.unwrap();
    (told.mode, told.updated_at)
}

#[test]
fn a_mode_admits_what_keeps_no_more_than_it_says() {
    let all = [Retention::None, Retention::Default, Retention::ProviderDataShare];
    for (mode, admitted) in
        [(Mode::None, 1), (Mode::Inherit, 2), (Mode::Default, 2), (Mode::AwsReview, 2), (Mode::ProviderDataShare, 3)]
    {
        let found: Vec<_> = all.into_iter().filter(|retention| mode.admits(*retention)).collect();
        assert_eq!(found, all[..admitted], "{mode:?}");
    }
}

#[test]
fn names_are_those_of_the_api() {
    for name in DataRetentionMode::VALUES {
        let mode = Mode::given(&(*name).into()).unwrap();
        assert_eq!((mode.as_str(), mode.shown().as_str()), (*name, *name));
        assert_eq!(serde_json::to_string(&mode).unwrap(), format!("\"{name}\""));
    }
    assert_eq!(serde_json::from_str::<Retention>("\"provider_data_share\"").unwrap(), Retention::ProviderDataShare);
}

#[tokio::test]
async fn a_mode_is_kept_and_holds_at_once() {
    let b = bench(Settings::default()).await;
    assert_eq!(told(&here(), &b).await, (DataRetentionMode::Inherit, None));
    assert_eq!(b.models.retention(ACCOUNT, "us-east-1"), Mode::Inherit);
    let mut last = None;
    for name in DataRetentionMode::VALUES {
        let answer = set(&here(), &b, (*name).into()).await.unwrap();
        assert_eq!(answer.mode.as_str(), *name);
        assert!(answer.updated_at.is_some() && answer.updated_at >= last, "{answer:?}");
        last = answer.updated_at;
        assert_eq!(told(&here(), &b).await, (answer.mode, last));
        assert_eq!(b.models.retention(ACCOUNT, "us-east-1").as_str(), *name);
    }
}

#[tokio::test]
async fn a_mode_is_of_one_account_in_one_region() {
    let b = bench(Settings::default()).await;
    set(&here(), &b, DataRetentionMode::None).await.unwrap();
    for (account, region) in [("999999999999", "us-east-1"), (ACCOUNT, "eu-west-1")] {
        assert_eq!(b.models.retention(account, region), Mode::Inherit);
        assert_eq!(told(&call(account, region), &b).await, (DataRetentionMode::Inherit, None));
    }
}

#[tokio::test]
async fn what_is_no_mode_is_refused_and_changes_nothing() {
    let b = bench(Settings::default()).await;
    set(&here(), &b, DataRetentionMode::None).await.unwrap();
    let refused = set(&here(), &b, DataRetentionMode::Unlisted("some".into())).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Validation);
    assert_eq!(b.models.retention(ACCOUNT, "us-east-1"), Mode::None);
}

/// The user guide's policy: nobody sets anything but `none`.
#[tokio::test]
async fn policies_may_hold_a_mode_fast() {
    let b = bench(Settings::default()).await;
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:*","Resource":"*"},
        {"Effect":"Deny","Action":"bedrock:PutAccountDataRetention","Resource":"*",
         "Condition":{"StringNotEquals":{"bedrock:DataRetentionMode":"none"}}}]}"#;
    let policy = Arc::new(Policy::parse(text, PolicyKind::Identity).unwrap());
    let caller = Caller {
        arn: format!("arn:aws:iam::{ACCOUNT}:user/bob"),
        ..Caller::root(ACCOUNT, Some("AKIA"), CallerKind::User)
    };
    let mut user = Context::new(caller, "us-east-1", "bedrock");
    user.permissions = Arc::new(Permissions { identity: Some(vec![policy]), ..Permissions::default() });
    let refused = set(&user, &b, DataRetentionMode::Default).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::AccessDenied);
    set(&user, &b, DataRetentionMode::None).await.unwrap();
    assert_eq!(told(&user, &b).await.0, DataRetentionMode::None);
}

#[tokio::test]
async fn modes_are_read_at_the_start_and_followed() {
    let b = bench(Settings::default()).await;
    set(&here(), &b, DataRetentionMode::None).await.unwrap();
    let memory = Memory::new(&b.resources);
    let other =
        Models::new(b.models.catalogue().clone(), Settings::default(), &b.resources).remembering(memory.clone());
    memory.catch_up().await.unwrap();
    assert_eq!(other.retention(ACCOUNT, "us-east-1"), Mode::None);
    set(&here(), &b, DataRetentionMode::ProviderDataShare).await.unwrap();
    let changed = async {
        while other.retention(ACCOUNT, "us-east-1") != Mode::ProviderDataShare {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = memory.follow() => unreachable!("following ends with the store"),
        seen = tokio::time::timeout(Duration::from_secs(20), changed) => seen.unwrap(),
    }
}

#[tokio::test]
async fn what_cannot_be_read_counts_as_none() {
    for body in ["{}", "7", r#"{"mode":"some","at":"2026-11-21T19:00:00Z"}"#] {
        let b = bench(Settings::default()).await;
        let key = outcrop_store::Scope::new("", "").key("data-retention", format!("{ACCOUNT}/us-east-1"));
        let document = NewDocument { key, name: None, parent: None, body: body.into(), sealed_by: None };
        b.resources.store().commit(Op::Insert(document).into()).await.unwrap();
        b.models.memory.catch_up().await.unwrap();
        assert_eq!(b.models.retention(ACCOUNT, "us-east-1"), Mode::None, "{body}");
        assert_eq!(told(&here(), &b).await.0, DataRetentionMode::None, "{body}");
        set(&here(), &b, DataRetentionMode::Default).await.unwrap();
        assert_eq!(b.models.retention(ACCOUNT, "us-east-1"), Mode::Default, "{body}");
    }
}
