use serde_json::json;

use super::*;

#[test]
fn a_tier_is_asked_for_where_policies_see_it() {
    for (fields, fine) in [
        (json!({ "service_tier": "priority" }), false),
        (json!({ "service_tier": 1 }), false),
        (json!({ "service_tier": "standard_only" }), true),
        (json!({ "top_k": 5 }), true),
    ] {
        assert_eq!(check(Some(&fields), Retention::ProviderDataShare).is_ok(), fine, "{fields}");
    }
}

#[test]
fn under_none_nobody_is_asked_to_keep_anything() {
    for key in KEEPING {
        let fields = json!({ key: true });
        assert!(check(Some(&fields), Retention::None).unwrap_err().message.contains(key));
        assert!(check(Some(&fields), Retention::Default).is_ok());
    }
    assert!(check(Some(&json!({ "store": false, "container": null })), Retention::None).is_ok());
}

#[test]
fn bodies_that_may_hold_such_members_are_looked_into() {
    assert!(suspicious(br#"{"service_tier":"auto"}"#, Retention::Default));
    assert!(suspicious(br#"{"st\u006fre":true}"#, Retention::None));
    assert!(suspicious(br#"{"mcp_servers":[]}"#, Retention::None));
    assert!(!suspicious(br#"{"mcp_servers":[]}"#, Retention::Default));
    assert!(suspicious(b"no json", Retention::Default));
    assert!(!suspicious(br#"{"messages":[{"content":"a \\u00e9 \"store\""}]}"#, Retention::None));
    assert!(!suspicious(br#"{"messages":[{"role":"user","content":"hi"}]}"#, Retention::None));
}
