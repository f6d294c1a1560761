use std::collections::HashSet;

use outcrop_wire::text::percent_decode;
use proptest::prelude::*;

use super::*;

const AGENT: Service = Service::BedrockAgent;
const AGENT_RUNTIME: Service = Service::BedrockAgentRuntime;

fn ask<'a>(method: &'a str, path: &'a str) -> Asked<'a> {
    Asked { method, path, host: None, has_body: false }
}

fn with_body<'a>(method: &'a str, path: &'a str) -> Asked<'a> {
    Asked { has_body: true, ..ask(method, path) }
}

fn found(asked: Asked<'_>) -> (Service, &'static str, Vec<(&'static str, String)>) {
    let Match { spec, .. } = Table::of_bedrock().find(asked).unwrap_or_else(|miss| panic!("{asked:?}: {miss:?}"));
    let labels = Table::of_bedrock().find(asked).unwrap();
    (spec.service, spec.name, labels.labels().map(|(name, raw)| (name, raw.to_owned())).collect())
}

fn name(asked: Asked<'_>) -> &'static str {
    found(asked).1
}

fn miss(asked: Asked<'_>) -> Miss {
    Table::of_bedrock().find(asked).map(|m| m.spec.name).expect_err("it matches")
}

/// Whether the other service's twin may rightly answer.
fn is_tags(spec: &Spec) -> bool {
    spec.uri == "/tags/{resourceArn}"
}

#[test]
fn collision_tags_by_the_type_of_the_arn() {
    for method in ["GET", "POST", "DELETE"] {
        let agent = "/tags/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aagent%2FABCDEFGHIJ";
        assert_eq!(found(ask(method, agent)).0, AGENT);
        for kind in ["agent-alias", "knowledge-base", "flow", "prompt", "retrieval-instruction"] {
            assert_eq!(found(ask(method, &agent.replace("Aagent%", &format!("A{kind}%")))).0, AGENT, "{kind}");
        }
        let session = "arn:aws:bedrock:us-east-1:123456789012:session%2F11111111-2222-3333-4444-555555555555";
        assert_eq!(found(ask(method, &format!("/tags/{session}"))).0, AGENT_RUNTIME);
        assert_eq!(found(ask(method, &format!("/tags/{}", session.replace(':', "%3a")))).0, AGENT_RUNTIME);
        // What names no session is not the runtime's: an id, an alias called session, nothing.
        for other in ["session", "", "arn:aws:bedrock:us-east-1:1:agent%2Fsession%2F"] {
            assert_eq!(found(ask(method, &format!("/tags/{other}"))).0, AGENT, "{other}");
        }
        // A pin is stronger than the ARN.
        assert_eq!(found(ask(method, &format!("/bedrock-agent-runtime{agent}"))).0, AGENT_RUNTIME);
        let host = Asked { host: Some("Bedrock-Agent.us-east-1.example.com:80"), ..ask(method, "/tags/session%2Fx") };
        assert_eq!(found(host).0, AGENT);
    }
}

#[test]
fn collision_prepare_agent_and_invoke_inline_agent() {
    assert_eq!(name(ask("POST", "/agents/ABCDEFGHIJ/")), "PrepareAgent");
    assert_eq!(name(with_body("POST", "/agents/ABCDEFGHIJ")), "InvokeInlineAgent");
    // The slash was lost, or added, on the way.
    assert_eq!(name(ask("POST", "/agents/ABCDEFGHIJ")), "PrepareAgent");
    assert_eq!(name(with_body("POST", "/agents/ABCDEFGHIJ/")), "InvokeInlineAgent");
    for path in ["/agents/ABCDEFGHIJ", "/agents/ABCDEFGHIJ/"] {
        for asked in [ask("POST", path), with_body("POST", path)] {
            let pinned = format!("/bedrock-agent{path}");
            assert_eq!(name(Asked { path: &pinned, ..asked }), "PrepareAgent");
            let pinned = format!("/bedrock-agent-runtime{path}");
            assert_eq!(name(Asked { path: &pinned, ..asked }), "InvokeInlineAgent");
            assert_eq!(name(Asked { host: Some("bedrock-agent.local"), ..asked }), "PrepareAgent");
            assert_eq!(name(Asked { host: Some("bedrock-agent-runtime.local:1"), ..asked }), "InvokeInlineAgent");
        }
    }
}

#[test]
fn collision_validate_flow_definition_is_a_literal() {
    assert_eq!(name(with_body("POST", "/flows/validate-definition")), "ValidateFlowDefinition");
    assert_eq!(name(with_body("POST", "/flows/validate-definition/")), "ValidateFlowDefinition");
    assert_eq!(name(ask("POST", "/flows/validate-definition")), "ValidateFlowDefinition");
    // boto3's prepare_flow(flowIdentifier='validate-definition'): a bad identifier.
    assert_eq!(name(ask("POST", "/flows/validate-definition/")), "PrepareFlow");
    assert_eq!(name(ask("POST", "/flows/ABCDEFGHIJ/")), "PrepareFlow");
    assert_eq!(name(ask("POST", "/flows/ABCDEFGHIJ")), "PrepareFlow");
}

#[test]
fn two_services_under_one_path_by_method() {
    assert_eq!(found(with_body("POST", "/flows/F/aliases/A")).1, "InvokeFlow");
    assert_eq!(found(ask("GET", "/flows/F/aliases/A")).1, "GetFlowAlias");
    assert_eq!(found(ask("GET", "/agents/A/")).1, "GetAgent");
    let miss = miss(ask("PATCH", "/flows/F/aliases/A"));
    assert_eq!((miss.status(), miss.allowed), (405, vec!["DELETE", "GET", "POST", "PUT"]));
}

#[test]
fn slashes_at_the_end_are_significant_then_forgiven() {
    assert_eq!(name(ask("PATCH", "/sessions/S")), "EndSession");
    assert_eq!(name(ask("PATCH", "/sessions/S/")), "EndSession");
    assert_eq!(name(ask("GET", "/sessions/S/")), "GetSession");
    assert_eq!(name(ask("GET", "/sessions/S")), "GetSession");
    assert_eq!(name(ask("GET", "/foundation-models/")), "GetFoundationModel");
    assert_eq!(name(ask("GET", "/foundation-models")), "ListFoundationModels");
    assert_eq!(name(ask("GET", "/guardrails/")), "GetGuardrail");
    assert_eq!(name(ask("GET", "/flows")), "ListFlows");
}

#[test]
fn empty_labels_match_and_double_slashes_are_not_merged() {
    assert_eq!(found(ask("GET", "/agents//")), (AGENT, "GetAgent", vec![("agentId", String::new())]));
    assert_eq!(name(ask("POST", "/agents//")), "PrepareAgent");
    assert_eq!(name(ask("POST", "/agents/")), "ListAgents");
    assert_eq!(name(ask("GET", "/agents//agentversions/1/")), "GetAgentVersion");
    assert_eq!(found(ask("DELETE", "/guardrails/")).2, [("guardrailIdentifier", String::new())]);
    assert_eq!(found(with_body("POST", "/model//converse")).2, [("modelId", String::new())]);
    assert_eq!(miss(ask("GET", "//foundation-models")).status(), 404);
    assert_eq!(miss(ask("POST", "/model/converse")).status(), 404);
}

#[test]
fn near_twins_are_distinct() {
    for (method, path, operation) in [
        ("GET", "/resource-policy/x", "bedrock"),
        ("GET", "/resourcepolicy/x", "bedrock-agent"),
        ("GET", "/evaluation-jobs", "bedrock"),
        ("GET", "/evaluation-jobs/x", "bedrock"),
        ("GET", "/provisioned-model-throughput/x", "bedrock"),
        ("GET", "/provisioned-model-throughputs", "bedrock"),
        ("POST", "/guardrail/g/version/1/apply", "bedrock-runtime"),
        ("POST", "/guardrails/g", "bedrock"),
    ] {
        assert_eq!(found(ask(method, path)).0.prefix(), operation, "{path}");
    }
}

#[test]
fn model_ids_may_hold_anything() {
    let arn = "arn:aws:bedrock:us-east-1:111122223333:prompt/PROMPT12345:1";
    for id in [arn, &arn.replace('/', "%2F"), &arn.replace(':', "%3A"), "a/b//c", "x/converse/y", "/"] {
        for verb in [
            "converse",
            "converse-stream",
            "invoke",
            "invoke-with-response-stream",
            "invoke-with-bidirectional-stream",
            "count-tokens",
        ] {
            for end in ["", "/"] {
                let path = format!("/model/{id}/{verb}{end}");
                let (service, _, labels) = found(with_body("POST", &path));
                assert_eq!((service, labels), (Service::BedrockRuntime, vec![("modelId", id.to_owned())]), "{path}");
            }
        }
    }
    let deep = format!("/model/{}x/converse", "a/".repeat(100));
    assert_eq!(name(ask("POST", &deep)), "Converse");
    assert_eq!(name(ask("POST", &format!("/bedrock-runtime/model/{arn}/converse"))), "Converse");
    assert_eq!(miss(ask("POST", &format!("/bedrock/model/{arn}/converse"))).status(), 404);
    // Nowhere else is a label greedy.
    let miss = miss(ask("GET", "/guardrails/arn:aws:bedrock:us-east-1:111122223333:guardrail/abcdefghijkl"));
    assert!(miss.decoded_arn && miss.message().contains("decoded %2F"), "{}", miss.message());
}

#[test]
fn a_pin_holds() {
    let wrong = miss(ask("POST", "/bedrock-agent/model/x/converse"));
    assert_eq!((wrong.status(), wrong.pinned), (404, Some(AGENT)));
    assert!(wrong.message().contains("belongs to bedrock-runtime"), "{}", wrong.message());
    // A host name is not so strict: it may be the name of the whole server.
    assert_eq!(name(Asked { host: Some("bedrock.example.com"), ..ask("POST", "/model/x/converse") }), "Converse");
    let pinned = Table::of_bedrock().find(ask("GET", "/bedrock-agent/agents/A/")).unwrap();
    assert_eq!((pinned.pinned, pinned.labels().collect::<Vec<_>>()), (Some(AGENT), vec![("agentId", "A")]));
}

#[test]
fn a_miss_names_the_nearest() {
    for (method, path, near) in [
        ("POST", "/model/x/convrse", "Converse"),
        ("POST", "/models/x/converse", "Converse"),
        ("GET", "/foundation-model", "ListFoundationModels"),
        ("GET", "/Guardrails", "ListGuardrails"),
        ("POST", "/model/x/invoke-model", "InvokeModel"),
        ("GET", "/knowledgebases/x/datasource/y", "GetDataSource"),
    ] {
        let miss = miss(ask(method, path));
        assert_eq!(miss.nearest.map(|spec| spec.name), Some(near), "{path}");
        assert!(miss.message().contains(near), "{}", miss.message());
    }
    for path in ["/", "", "*", "/favicon.ico", "/xyz/abc", "/bedrock", "/%00%ff/\u{e9}"] {
        let miss = miss(ask("GET", path));
        assert_eq!((miss.status(), miss.nearest.is_none()), (404, true), "{path}");
    }
    assert_eq!(miss(ask("GET", "/model/x/converse")).allowed, ["POST"]);
    assert_eq!(miss(ask("get", "/foundation-models")).allowed, ["GET"]);
}

#[test]
fn foreign_paths_stay_free() {
    let first: HashSet<_> = operations().map(|spec| spec.uri.split('/').nth(1).unwrap()).collect();
    assert_eq!(first.len(), 50);
    for free in ["v1", "openai", "anthropic", "console", "metrics", "healthz", "service", "outcrop", ""] {
        assert!(!first.contains(free), "/{free} is taken");
        assert!(Service::ALL.iter().all(|service| service.prefix() != free));
    }
    for service in Service::ALL {
        assert!(!first.contains(service.prefix()), "a pin hides an operation");
    }
}

/// `spec`'s path with `values` for its labels.
fn filled(spec: &Spec, values: &[String]) -> (String, Vec<(&'static str, String)>) {
    let mut values = values.iter().cycle();
    let mut labels = Vec::new();
    let segments = spec.uri.split('/').map(|segment| match label(segment) {
        Some(name) => {
            let value = values.next().cloned().unwrap_or_default();
            labels.push((name, value.clone()));
            value
        }
        None => segment.to_owned(),
    });
    (segments.collect::<Vec<_>>().join("/"), labels)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every template with any label values finds itself, its labels and its service's prefix.
    #[test]
    fn every_template_finds_itself(
        values in prop::collection::vec("([A-Za-z0-9:._~!$&'()*+,;=@-]|%2F|%3A|%25){0,40}", 4),
        host in prop::option::of(Just("localhost:7711")),
    ) {
        for spec in operations() {
            let (path, labels) = filled(spec, &values);
            // PrepareAgent alone is recognised by having no body.
            let has_body = spec.name != "PrepareAgent" && spec.method != "GET";
            let asked = Asked { method: spec.method, path: &path, host, has_body };
            let (service, name, got) = found(asked);
            let empty_last = spec.uri.ends_with('}') && path.ends_with('/');
            if empty_last && name != spec.name {
                // That is the path of the collection itself, where collections end with a slash.
                let other = operations().find(|other| (other.service, other.name) == (service, name)).unwrap();
                prop_assert!(other.uri.ends_with('/') && other.method == spec.method, "{} is {}", path, name);
                continue;
            }
            prop_assert_eq!(name, spec.name, "{}", path);
            prop_assert!(service == spec.service || is_tags(spec), "{}", path);
            prop_assert_eq!(&got, &labels, "{}", path);
            for (_, raw) in got {
                prop_assert!(percent_decode(&raw).is_some());
            }

            let pinned = format!("/{}{path}", spec.service.prefix());
            let (service, name, got) = found(Asked { path: &pinned, ..asked });
            prop_assert_eq!((service, name, &got), (spec.service, spec.name, &labels), "{}", pinned);

            // Without its slash, or with one too many, it is found as well; with an empty label that may mean
            // something else.
            let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
            let empty = got.iter().any(|(_, raw)| raw.is_empty());
            prop_assert!(empty || Table::of_bedrock().find(Asked { path: &other, ..asked }).is_ok(), "{}", other);
        }
    }

    /// Nothing that can be asked panics.
    #[test]
    fn any_path_has_an_answer(method in "[A-Z]{0,7}", path in "[/a-z%:{}]{0,60}|\\PC{0,60}|(/|//|%2F|model|agents|tags|arn:|flows|converse){0,20}", has_body: bool) {
        match Table::of_bedrock().find(Asked { method: &method, path: &path, host: Some(&path), has_body }) {
            Ok(found) => prop_assert!(found.labels().count() <= 3),
            Err(miss) => prop_assert!(miss.status() >= 404 && miss.message().len() < 500),
        }
    }
}
