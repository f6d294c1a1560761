use outcrop_api::{AwsError, Kind as Code};
use outcrop_store::{Options, Sqlite};

use crate::testing::{ELSEWHERE, HERE, KINDS, KMS, Thing, bench};
use crate::{ClientToken, Create, Page};

const NUMBER: i64 = 8_314_597_265;

#[tokio::test]
async fn a_resource_with_a_kms_key_lies_sealed_and_reads_as_any_other() {
    let bench = bench().await;
    let (things, value) = (&bench.things, Thing { number: NUMBER });
    let clear = things.create(HERE, Create::new(&value)).await.unwrap();
    let forms = [KMS[0].0, "11111111-2222-3333-4444-555555555555", KMS[1].0, "alias/payments"];
    for (count, key) in forms.into_iter().enumerate() {
        let made = things.create(HERE, Create { kms_key: Some(key), ..Create::new(&value) }).await.unwrap();
        assert_eq!(things.get(HERE, &made.arn).await.unwrap(), made, "{key}");
        let changed = things.update(HERE, &made.id, |thing| {
            thing.value.number += 1;
            Ok::<_, crate::Error>(())
        });
        assert_eq!(changed.await.unwrap().value.number, NUMBER + 1);
        let document = bench.resources.store().get(KINDS[0].key(HERE, &made.id)).await.unwrap().unwrap();
        assert_eq!(document.sealed_by.as_deref(), Some("master"), "an update leaves it sealed");
        let page = Page { operation: "ListThings", ..Page::default() };
        assert_eq!(things.list(HERE, &page, |_| true).await.unwrap().items.len(), count + 2);
    }
    let document = bench.resources.store().get(KINDS[0].key(HERE, &clear.id)).await.unwrap().unwrap();
    assert_eq!(document.sealed_by, None);
    // On the disk: the one in clear is found, as a proof of the search, the sealed ones are not.
    let folder = bench.folder;
    drop((bench.things, bench.resources));
    drop(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let bytes = std::fs::read(folder.path().join("outcrop.db")).unwrap();
    let count = |text: String| bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count();
    assert_eq!((count(NUMBER.to_string()), count((NUMBER + 1).to_string())), (1, 0));
}

#[tokio::test]
async fn an_unbound_key_is_refused_with_what_to_configure() {
    let bench = bench().await;
    let value = Thing { number: 1 };
    let create = |key| Create { kms_key: Some(key), ..Create::new(&value) };
    let unbound = "arn:aws:kms:eu-west-1:111122223333:key/99999999-2222-3333-4444-555555555555";
    let error = bench.things.create(HERE, create(unbound)).await.unwrap_err();
    assert_eq!(error.kind(), Code::Validation);
    let text = error.message();
    assert!(text.contains(unbound) && text.contains(&format!("[encryption.kms] \"{unbound}\" =")), "{text}");
    // An alias and an id belong to the caller's account and Region.
    for scope in ELSEWHERE {
        let error = bench.things.create(scope, create("alias/payments")).await.unwrap_err();
        let arn = format!("arn:aws:kms:{}:{}:alias/payments", scope.region, scope.account);
        assert!(error.message().contains(&arn), "{error}");
    }
    // A binding to a key that is not there is this server's fault, and nothing is written in clear instead.
    let error = bench.things.create(HERE, create("alias/gone")).await.unwrap_err();
    assert_eq!(error.kind(), Code::InternalServer);
    assert!(error.to_string().contains("gone"), "{error}");
    let page = Page { operation: "ListThings", ..Page::default() };
    assert!(bench.things.list(HERE, &page, |_| true).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn another_key_is_another_request() {
    let bench = bench().await;
    let value = Thing { number: 1 };
    let token = Some(ClientToken { operation: "CreateThing", token: "t" });
    let create = |kms_key| Create { client_token: token, kms_key, ..Create::new(&value) };
    let first = bench.things.create(HERE, create(Some("alias/payments"))).await.unwrap();
    assert_eq!(bench.things.create(HERE, create(Some("alias/payments"))).await.unwrap(), first);
    for other in [None, Some(KMS[0].0)] {
        let error = bench.things.create(HERE, create(other)).await.unwrap_err();
        assert_eq!(error.kind(), Code::Conflict, "{error}");
    }
}
