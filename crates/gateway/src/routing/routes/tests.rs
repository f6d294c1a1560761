use std::collections::BTreeMap;
use std::sync::Arc;

use outcrop_api::Kind;
use outcrop_models::{Catalogue, LocalKind, LocalModel};
use outcrop_providers::Cause;

use super::super::testing::{HAIKU, Told, resolved, source, target};
use super::super::{Glob, Naming, Policy, RouteSettings};
use super::*;

fn catalogue() -> Catalogue {
    let local = LocalModel { name: "tiny".into(), kind: LocalKind::Text, context: 2048 };
    Catalogue::builtin().unwrap().with_local([local]).unwrap()
}

fn setup(sources: Vec<Source>, routes: Vec<RouteSettings>) -> Setup {
    let local = Source::local(Told::to([]));
    let sources = sources.into_iter().chain([local]).map(Arc::new).collect();
    let stand_ins = Some(StandIns { text: Some("tiny".into()), ..Default::default() });
    Setup { sources, routes, stand_ins, ..Default::default() }
}

/// The targets of `id` by name, with their own names of the model.
fn of(routes: &Routes, id: &str) -> Vec<(String, String)> {
    let catalogue = catalogue();
    let route = routes.of(catalogue.get(id).unwrap()).unwrap();
    let called = Resolved { called_id: format!("us.{id}"), ..resolved() };
    route.targets.iter().map(|t| (t.name.to_string(), t.model(&called).to_string())).collect()
}

use outcrop_models::Resolved;

fn built(setup: &Setup) -> Routes {
    Routes::new(&catalogue(), setup, &Registry::default()).unwrap()
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[test]
fn a_route_goes_before_who_serves_before_a_stand_in() {
    let routes = built(&setup(vec![], vec![]));
    assert_eq!(of(&routes, HAIKU), [pair("outcrop.tiny", "tiny")]);
    assert_eq!(of(&routes, "outcrop.tiny"), [pair("local", "tiny")]);

    let mapped = Source {
        serves: Vec::new(),
        models: BTreeMap::from([(HAIKU.to_owned(), "my-haiku".to_owned())]),
        ..source("b", Told::to([]))
    };
    let bedrock = Source { naming: Naming::Bedrock, ..source("c", Told::to([])) };
    let serving =
        || vec![source("a", Told::to([])), Source { models: mapped.models.clone(), ..source("b", Told::to([])) }];
    let mut sources = serving();
    sources.push(bedrock);
    let routes = built(&setup(sources, vec![]));
    let id = format!("us.{HAIKU}");
    let expected = [pair("a", "claude-3-haiku-20240307"), pair("b", "my-haiku"), pair("c", &id)];
    assert_eq!(of(&routes, HAIKU), expected);

    let exact = RouteSettings {
        model: Glob::new(HAIKU),
        targets: vec![
            TargetSettings { model: Some("own".into()), variant: Some("new".into()), ..target("b") },
            TargetSettings { model: Some("tiny".into()), ..target("local") },
        ],
        policy: Policy::default(),
    };
    let wide = RouteSettings { model: Glob::new("anthropic.*"), targets: vec![target("a")], policy: Policy::default() };
    let routes = built(&setup(serving(), vec![wide, exact]));
    assert_eq!(of(&routes, HAIKU), [pair("new", "own"), pair("local", "tiny")]);
    assert_eq!(of(&routes, "anthropic.claude-3-sonnet-20240229-v1:0"), [pair("a", "claude-3-sonnet-20240229")]);
}

#[test]
fn nobody_is_told_apart_from_no_kind() {
    let catalogue = catalogue();
    let image = catalogue.get("amazon.titan-image-generator-v2:0").unwrap();
    let routes = built(&setup(vec![], vec![]));
    assert_eq!(routes.of(image).err().unwrap().kind, Kind::NotImplemented);
    let routes = built(&Setup { stand_ins: None, ..setup(vec![], vec![]) });
    assert_eq!(routes.of(image).err().unwrap().kind, Kind::AccessDenied);
    assert_eq!(routes.of(catalogue.get(HAIKU).unwrap()).err().unwrap().kind, Kind::AccessDenied);
    assert!(routes.of(catalogue.get("outcrop.tiny").unwrap()).is_ok());
}

#[test]
fn what_cannot_be_names_its_key() {
    let refused = |route: RouteSettings| {
        let setup = setup(vec![source("a", Told::to([]))], vec![route]);
        Routes::new(&catalogue(), &setup, &Registry::default()).err().unwrap()
    };
    let route = |model: &str, targets: Vec<TargetSettings>| RouteSettings {
        model: Glob::new(model),
        targets,
        policy: Policy::default(),
    };
    assert_eq!(refused(route("nobody.*", vec![target("a")])).key, "routes.model");
    let unknown = refused(route(HAIKU, vec![target("x")]));
    assert_eq!(unknown.to_string(), "routes.targets.provider: there is no provider `x`; there are: a, local");
    assert_eq!(refused(route(HAIKU, vec![target("local")])).key, "routes.targets.model");
    assert_eq!(refused(route(HAIKU, vec![target("a"), target("a")])).key, "routes.targets.variant");
}

#[test]
fn what_is_known_of_a_target_outlives_the_configuration() {
    let registry = Registry::default();
    let build = |sources| Routes::new(&catalogue(), &setup(sources, vec![]), &registry).unwrap();
    let state = |routes: &Routes| Arc::clone(&routes.of(catalogue().get(HAIKU).unwrap()).unwrap().targets[0].state);
    let before = state(&build(vec![source("a", Told::always(super::super::testing::Turn::Fail(Cause::Broken)))]));
    // Another object, the same provider.
    let after = state(&build(vec![source("a", Told::to([]))]));
    assert!(Arc::ptr_eq(&before, &after));
    let moved = Source { identity: "elsewhere".into(), ..source("a", Told::to([])) };
    assert!(!Arc::ptr_eq(&before, &state(&build(vec![moved]))));
    drop((before, after));
    registry.sweep();
    let fresh = state(&build(vec![source("a", Told::to([]))]));
    assert_eq!(Arc::strong_count(&fresh), 2);
}
