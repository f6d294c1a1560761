use std::sync::Arc;

use outcrop_access::{Caller, CallerKind};
use outcrop_resources::Resources;
use outcrop_store::{Options, Sqlite, Store};

use super::super::tests::{HAIKU, call, minute};
use super::super::{Settings, Spent};
use super::*;

const ACCOUNT: &str = "111122223333";
const ON_DEMAND: &str = "L-8CE99163";

struct Two;

impl Models for Two {
    fn offered(&self, region: &str) -> Vec<Offered> {
        let nova = Offered {
            id: "amazon.nova-pro-v1:0".into(),
            name: "Nova Pro".into(),
            maker: "Amazon".into(),
            on_demand: region == "us-east-1",
            cross_region: true,
        };
        let haiku = Offered {
            id: HAIKU.into(),
            name: "Claude 3 Haiku".into(),
            maker: "Anthropic".into(),
            on_demand: true,
            cross_region: true,
        };
        vec![nova, haiku]
    }
}

fn settings(tokens: u64) -> Settings {
    Settings { increase: 2.0, ..minute(tokens) }
}

async fn bench(tokens: u64) -> (ServiceQuotas, Context, Resources, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let resources = Resources::open(store).await.unwrap();
    let quotas = Quotas::kept_in(settings(tokens), &resources);
    let cx = Context::new(Caller::root(ACCOUNT, Some("AKIA1"), CallerKind::User), "us-east-1", "servicequotas");
    (ServiceQuotas::new(quotas, Two), cx, resources, folder)
}

async fn ask(slice: &ServiceQuotas, cx: &Context, operation: &str, mut input: Value) -> Result<Value, SliceError> {
    if operation != "ListServices" && operation != "GetRequestedServiceQuotaChange" {
        input["ServiceCode"] = "bedrock".into();
    }
    slice.call(cx, operation, input).await
}

#[tokio::test]
async fn all_quotas_are_listed_page_by_page_by_awss_names() {
    let (slice, cx, ..) = bench(1_000).await;
    let (mut names, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = ask(&slice, &cx, "ListServiceQuotas", json!({ "MaxResults": 2, "NextToken": token })).await.unwrap();
        let quotas = page["Quotas"].as_array().unwrap();
        assert!((1..=2).contains(&quotas.len()));
        names.extend(
            quotas.iter().map(|quota| (quota["QuotaName"].as_str().unwrap().to_owned(), quota["Value"].clone())),
        );
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    let of = |name: &str| names.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_f64().unwrap());
    assert_eq!(names.len(), 6);
    assert_eq!(of("On-demand model inference tokens per minute for Anthropic Claude 3 Haiku"), Some(1_000.0));
    assert_eq!(of("Cross-region model inference tokens per minute for Amazon Nova Pro"), Some(2_000.0));
    let day = "Model invocation max tokens per day for Amazon Nova Pro (doubled for cross-region calls)";
    assert_eq!(of(day), Some(1_440_000.0));
    let elsewhere = Context { region: "eu-west-1".into(), ..cx.clone() };
    let there = ask(&slice, &elsewhere, "ListServiceQuotas", json!({})).await.unwrap();
    assert_eq!(there["Quotas"].as_array().unwrap().len(), 5);
    for (input, code) in [
        (json!({ "MaxResults": 0 }), "IllegalArgumentException"),
        (json!({ "NextToken": "nonsense" }), "InvalidPaginationTokenException"),
    ] {
        assert_eq!(ask(&slice, &cx, "ListServiceQuotas", input).await.unwrap_err().code, code);
    }
    let other = slice.call(&cx, "ListServiceQuotas", json!({ "ServiceCode": "ec2" })).await.unwrap_err();
    assert_eq!(other.code, "NoSuchResourceException");
    let services = ask(&slice, &cx, "ListServices", json!({})).await.unwrap();
    assert_eq!(services, json!({ "Services": [{ "ServiceCode": "bedrock", "ServiceName": "Amazon Bedrock" }] }));
}

#[tokio::test]
async fn an_increase_is_in_force_at_once_lasts_and_is_the_accounts_own() {
    let (slice, cx, resources, _folder) = bench(1_000).await;
    let admit = |slice: &ServiceQuotas, tokens| slice.quotas.admit(&call("AKIA1", tokens, 0)).map(drop);
    assert!(admit(&slice, 1_500).is_err());
    let input = json!({ "QuotaCode": ON_DEMAND, "DesiredValue": 1_500.0 });
    let asked = ask(&slice, &cx, "RequestServiceQuotaIncrease", input).await.unwrap();
    let asked = &asked["RequestedQuota"];
    assert_eq!((&asked["Status"], &asked["DesiredValue"]), (&json!("APPROVED"), &json!(1_500.0)));
    admit(&slice, 1_500).unwrap();
    assert!(admit(&slice, 1_501).is_err());
    let code = json!({ "QuotaCode": ON_DEMAND });
    let value = |answer: Value| answer["Quota"]["Value"].as_f64().unwrap();
    assert_eq!(value(ask(&slice, &cx, "GetServiceQuota", code.clone()).await.unwrap()), 1_500.0);
    assert_eq!(value(ask(&slice, &cx, "GetAWSDefaultServiceQuota", code.clone()).await.unwrap()), 1_000.0);
    let other = Context { caller: Caller::root("444455556666", None, CallerKind::User), ..cx.clone() };
    assert_eq!(value(ask(&slice, &other, "GetServiceQuota", code.clone()).await.unwrap()), 1_000.0);
    let history = json!({});
    let none = ask(&slice, &other, "ListRequestedServiceQuotaChangeHistory", history.clone()).await.unwrap();
    assert_eq!(none, json!({ "RequestedQuotas": [] }));
    let all = ask(&slice, &cx, "ListRequestedServiceQuotaChangeHistory", history).await.unwrap();
    assert_eq!(&all["RequestedQuotas"][0], asked);
    let one = json!({ "RequestId": asked["Id"] });
    assert_eq!(ask(&slice, &cx, "GetRequestedServiceQuotaChange", one).await.unwrap()["RequestedQuota"], *asked);

    // After a restart it is as before; lower configuration lowers what follows from it.
    let again = Quotas::kept_in(settings(1_000), &resources);
    again.catch_up().await.unwrap();
    assert!(again.admit(&call("AKIA1", 1_500, 0)).is_ok());
    let less = again.under(settings(100));
    assert!(less.admit(&call("AKIA1", 201, 0)).is_err());
    assert!(less.admit(&call("AKIA2", 200, 0)).is_ok());
}

#[tokio::test]
async fn what_is_beyond_the_ceiling_waits_for_the_operator() {
    let (slice, cx, ..) = bench(1_000).await;
    let input = json!({ "QuotaCode": ON_DEMAND, "DesiredValue": 5_000 });
    let asked = ask(&slice, &cx, "RequestServiceQuotaIncrease", input.clone()).await.unwrap();
    assert_eq!(asked["RequestedQuota"]["Status"], "PENDING");
    assert!(slice.quotas.admit(&call("AKIA1", 1_001, 0)).is_err());
    let twice = ask(&slice, &cx, "RequestServiceQuotaIncrease", input).await.unwrap_err();
    assert_eq!(twice.code, "ResourceAlreadyExistsException");
    let raised = ServiceQuotas::new(slice.quotas.under(settings(5_000)), Two);
    let pending = json!({ "QuotaCode": ON_DEMAND, "Status": "PENDING" });
    let by_quota = "ListRequestedServiceQuotaChangeHistoryByQuota";
    assert_eq!(
        ask(&slice, &cx, by_quota, pending.clone()).await.unwrap()["RequestedQuotas"].as_array().unwrap().len(),
        1
    );
    assert_eq!(ask(&raised, &cx, by_quota, pending).await.unwrap(), json!({ "RequestedQuotas": [] }));
}

#[tokio::test]
async fn what_cannot_be_raised_says_why() {
    let (slice, cx, ..) = bench(1_000).await;
    let day = "Model invocation max tokens per day for Anthropic Claude 3 Haiku (doubled for cross-region calls)";
    let day = slice.entries(&cx).into_iter().find(|entry| entry.name == day).unwrap().code;
    let unlimited = ServiceQuotas::new(slice.quotas.under(Settings::default()), Two);
    let listed = ask(&unlimited, &cx, "GetServiceQuota", json!({ "QuotaCode": ON_DEMAND })).await.unwrap();
    assert_eq!((&listed["Quota"]["Value"], &listed["Quota"]["Adjustable"]), (&json!(1e10), &json!(false)));
    for (slice, code, value, error, says) in [
        (&slice, ON_DEMAND, json!(1_000), "IllegalArgumentException", "greater than the current"),
        (&slice, ON_DEMAND, json!(-1), "IllegalArgumentException", "whole number"),
        (&slice, ON_DEMAND, json!(1_000.5), "IllegalArgumentException", "whole number"),
        (&slice, ON_DEMAND, json!(1e11), "IllegalArgumentException", "whole number"),
        (&slice, ON_DEMAND, json!("2000"), "IllegalArgumentException", "whole number"),
        (&slice, &*day, json!(9e9), "IllegalArgumentException", "not adjustable"),
        (&slice, "L-00000000", json!(2_000), "NoSuchResourceException", "does not exist"),
        (&unlimited, ON_DEMAND, json!(2_000), "IllegalArgumentException", "not limited"),
    ] {
        let input = json!({ "QuotaCode": code, "DesiredValue": value });
        let refused = ask(slice, &cx, "RequestServiceQuotaIncrease", input).await.unwrap_err();
        assert!(refused.code == error && refused.message.contains(says), "{refused}");
    }
    let nobody = Context {
        permissions: Arc::new(outcrop_access::Permissions { identity: Some(Vec::new()), ..Default::default() }),
        ..cx.clone()
    };
    for operation in slice.operations() {
        let input = json!({ "QuotaCode": ON_DEMAND, "DesiredValue": 1_500, "RequestId": "x" });
        let refused = ask(&slice, &nobody, operation, input).await.unwrap_err();
        assert_eq!(refused.code, "AccessDeniedException", "{operation}");
        assert!(refused.message.contains(&format!("servicequotas:{operation}")), "{refused}");
    }
}

#[test]
fn a_spent_call_is_settled_by_its_spending() {
    assert_eq!(super::super::burndown::tokens(&Spent { input: 3, output: 2, ..Spent::default() }, 5), 13);
}
