use std::time::Duration;

use outcrop_access::{Caller, CallerKind, Permissions};
use serde_json::json;

use super::*;
use crate::audit::{Audit, OnFailure};

fn cx(account: &str) -> Context {
    Context::new(Caller::root(account, None, CallerKind::User), "us-east-1", "cloudtrail")
}

fn trail(root: &std::path::Path, names: &[&'static str]) -> Audit {
    let audit = Audit::open(root, "server", OnFailure::Continue, 0).unwrap();
    for (at, name) in names.iter().enumerate() {
        let mut event = crate::audit::tests::event(name);
        event.at = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() - 100 + at as i64).unwrap();
        audit.record_blocking(event);
    }
    assert!(audit.flush(Duration::from_secs(20)));
    audit
}

async fn look(slice: &CloudTrail, input: Value) -> Result<Value, SliceError> {
    slice.call(&cx("111122223333"), "LookupEvents", input).await
}

fn names(page: &Value) -> Vec<&str> {
    page["Events"].as_array().unwrap().iter().map(|event| event["EventName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn events_are_looked_up_newest_first_page_by_page() {
    let root = tempfile::tempdir().unwrap();
    let _audit = trail(root.path(), &["A", "B", "A", "C", "A"]);
    let slice = CloudTrail::new(root.path().into());
    let all = look(&slice, json!({})).await.unwrap();
    assert_eq!((names(&all), &all["NextToken"]), (vec!["A", "C", "A", "B", "A"], &Value::Null));
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut input = json!({ "MaxResults": 2 });
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = look(&slice, input).await.unwrap();
        seen.extend(page["Events"].as_array().unwrap().clone());
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(json!(seen), all["Events"]);
    let other = slice.call(&cx("999999999999"), "LookupEvents", json!({})).await.unwrap();
    assert_eq!(names(&other), Vec::<&str>::new());
}

#[tokio::test]
async fn every_attribute_narrows() {
    let root = tempfile::tempdir().unwrap();
    // Before the records are made, whose times count from then.
    let now = jiff::Timestamp::now().as_second();
    let _audit = trail(root.path(), &["A", "B"]);
    let slice = CloudTrail::new(root.path().into());
    let id = look(&slice, json!({})).await.unwrap()["Events"][1]["EventId"].clone();
    for (key, value, found) in [
        ("EventName", "A", 1),
        ("EventName", "Z", 0),
        ("EventId", id.as_str().unwrap(), 1),
        ("Username", "ada", 2),
        ("Username", "AIDA1", 0),
        ("AccessKeyId", "AKIA1", 2),
        ("EventSource", "bedrock.amazonaws.com", 2),
        ("ReadOnly", "true", 2),
        ("ReadOnly", "false", 0),
        ("ResourceName", "m", 2),
        ("ResourceType", "AWS::Bedrock::Model", 2),
    ] {
        let asked = json!({ "LookupAttributes": [{ "AttributeKey": key, "AttributeValue": value }] });
        let page = look(&slice, asked).await.unwrap();
        assert_eq!(names(&page).len(), found, "{key} {value}");
    }
    let page = look(&slice, json!({ "StartTime": now - 200, "EndTime": now - 100 })).await.unwrap();
    assert!(names(&page).len() <= 1, "{page}");
}

#[tokio::test]
async fn bad_questions_are_refused_in_cloudtrails_words() {
    let root = tempfile::tempdir().unwrap();
    let slice = CloudTrail::new(root.path().into());
    let two = json!({ "AttributeKey": "EventName", "AttributeValue": "A" });
    for (input, code) in [
        (json!({ "MaxResults": 51 }), "InvalidMaxResultsException"),
        (json!({ "MaxResults": 0 }), "InvalidMaxResultsException"),
        (json!({ "StartTime": 2, "EndTime": 1 }), "InvalidTimeRangeException"),
        (json!({ "StartTime": "now" }), "SerializationException"),
        (json!({ "NextToken": "x" }), "InvalidNextTokenException"),
        (json!({ "EventCategory": "data" }), "InvalidEventCategoryException"),
        (json!({ "LookupAttributes": [two, two] }), "InvalidLookupAttributesException"),
        (
            json!({ "LookupAttributes": [{ "AttributeKey": "X", "AttributeValue": "A" }] }),
            "InvalidLookupAttributesException",
        ),
    ] {
        assert_eq!(look(&slice, input.clone()).await.unwrap_err().code, code, "{input}");
    }
    let mut nobody = cx("111122223333");
    nobody.permissions = Arc::new(Permissions { identity: Some(Vec::new()), ..Permissions::default() });
    let refused = slice.call(&nobody, "LookupEvents", json!({})).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert_eq!(slice.call(&cx("111122223333"), "ListTrails", json!({})).await.unwrap_err().status, 501);
}
