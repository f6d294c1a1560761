use std::collections::BTreeMap;
use std::time::Duration;

use outcrop_api::Kind;
use outcrop_models::data_retention::Retention;

use super::super::testing::{Told, context, resolved, route, source, target};
use super::super::{Ask, Choice, Policy, Source, TargetSettings};
use super::Plan;

fn sources(retention: [Retention; 3]) -> Vec<Source> {
    let named = ["a", "b", "c"].into_iter().zip(retention);
    named.map(|(name, retention)| Source { retention, ..source(name, Told::to([])) }).collect()
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.names().collect()
}

#[test]
fn who_keeps_more_than_the_account_allows_is_never_asked() {
    let kept = [Retention::ProviderDataShare, Retention::Default, Retention::None];
    let targets = || ["a", "b", "c"].into_iter().zip(0..).map(|(n, priority)| TargetSettings { priority, ..target(n) });
    let all = route(sources(kept), targets().collect(), Policy::default());
    for (allowed, expected) in [
        (Retention::None, &["c"][..]),
        (Retention::Default, &["b", "c"]),
        (Retention::ProviderDataShare, &["a", "b", "c"]),
    ] {
        let plan = Plan::new(&context(), &all, &resolved(), &Ask::whole(allowed)).unwrap();
        assert_eq!(names(&plan), expected);
    }
    let two = route(sources(kept), targets().take(2).collect(), Policy::default());
    let refused = Plan::new(&context(), &two, &resolved(), &Ask::whole(Retention::None)).err().unwrap();
    assert_eq!(refused.kind, Kind::AccessDenied);
    assert!(refused.message.contains("data retention mode"), "{}", refused.message);
}

#[test]
fn regions_are_those_of_the_call_and_its_own_comes_first() {
    let within = |name: &str, regions: &[&str]| TargetSettings {
        regions: regions.iter().map(|r| (*r).to_owned()).collect(),
        ..target(name)
    };
    let targets =
        vec![within("a", &["us-west-2"]), within("b", &["us-east-1", "us-east-2"]), within("c", &["eu-west-1"])];
    let route = route(sources([Retention::Default; 3]), targets, Policy::default());
    let ask = Ask::whole(Retention::Default);
    let here = resolved();
    assert_eq!(names(&Plan::new(&context(), &route, &here, &ask).unwrap()), ["b"]);
    let mut profile = resolved();
    profile.destinations = vec!["us-east-1".into(), "us-west-2".into()];
    for _ in 0..20 {
        assert_eq!(names(&Plan::new(&context(), &route, &profile, &ask).unwrap()), ["b", "a"]);
    }
    profile.destinations = vec!["ap-south-1".into()];
    let refused = Plan::new(&context(), &route, &profile, &ask).err().unwrap();
    assert!(refused.message.contains("in ap-south-1"), "{}", refused.message);
}

#[test]
fn priorities_hold_whatever_the_weights_and_who_rests_is_last_of_its_own() {
    let targets = vec![
        TargetSettings { priority: 1, weight: 100.0, ..target("a") },
        TargetSettings { weight: 1.0, ..target("b") },
        TargetSettings { weight: 0.0, ..target("c") },
    ];
    let route = route(sources([Retention::Default; 3]), targets, Policy::default());
    let ask = Ask::whole(Retention::Default);
    let resolved = resolved();
    let order = || names(&Plan::new(&context(), &route, &resolved, &ask).unwrap()).join("");
    assert!((0..50).all(|_| order() == "bca"));
    route.targets[1].state.rest(Duration::from_secs(5));
    assert!((0..50).all(|_| order() == "cba"));
}

#[test]
fn the_same_user_gets_the_same_variant() {
    let policy = Policy { sticky: Some("user".into()), ..Policy::default() };
    let targets = ["a", "b"].map(target).to_vec();
    let route = route(sources([Retention::Default; 3]), targets, policy);
    let resolved = resolved();
    let first = |user: &str| {
        let metadata = BTreeMap::from([("user".to_owned(), user.to_owned())]);
        let metadata = |key: &str| metadata.get(key).map(String::as_str);
        let ask = Ask { metadata: &metadata, ..Ask::whole(Retention::Default) };
        Plan::new(&context(), &route, &resolved, &ask).unwrap().names().next().unwrap().to_owned()
    };
    let users: Vec<String> = (0..100).map(|n| format!("user-{n}")).collect();
    let chosen: Vec<String> = users.iter().map(|user| first(user)).collect();
    assert!(users.iter().zip(&chosen).all(|(user, variant)| first(user) == *variant));
    let of_a = chosen.iter().filter(|variant| *variant == "a").count();
    assert!((25..75).contains(&of_a), "{of_a}");
}

#[test]
fn the_least_loaded_is_first() {
    use std::sync::atomic::Ordering::Relaxed;
    let policy = Policy { choice: Choice::LeastLoaded, ..Policy::default() };
    let targets = ["a", "b", "c"].map(target).to_vec();
    let route = route(sources([Retention::Default; 3]), targets, policy);
    for (target, load) in route.targets.iter().zip([300, 100, 200]) {
        target.state.tokens.store(load, Relaxed);
    }
    let plan = Plan::new(&context(), &route, &resolved(), &Ask::whole(Retention::Default)).unwrap();
    assert_eq!(names(&plan), ["b", "c", "a"]);
}
