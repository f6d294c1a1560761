use std::collections::BTreeSet;

use super::*;

fn names(found: &[Discovered]) -> Vec<&str> {
    found.iter().map(|one| one.provider.name.as_str()).collect()
}

fn with(toml: &str) -> Config {
    toml::from_str(toml).unwrap()
}

fn environment<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

#[test]
fn what_is_configured_and_the_server_itself_are_no_candidates() {
    let found = |toml: &str, own| on_this_machine(&with(toml), own, &USUAL);
    assert_eq!(names(&found("", Some(7711))), ["ollama", "llama-cpp", "vllm", "lm-studio"]);
    assert_eq!(names(&found("", Some(8080))), ["ollama", "vllm", "lm-studio"]);
    let configured = "[[providers]]\nname='mine'\nkind='openai'\nurl='http://localhost:11434/v1'\n\
                      [[providers]]\nname='vllm'\nkind='openai'\nurl='http://10.0.0.5:9000/v1'";
    assert_eq!(names(&found(configured, None)), ["llama-cpp", "lm-studio"]);
}

#[test]
fn keys_of_the_environment_make_providers_and_are_not_shown() {
    let set = [("ANTHROPIC_API_KEY", "sk-hidden"), ("OPENAI_API_KEY", "sk-hidden"), ("OPENAI_BASE_URL", "")];
    let found = in_environment(&Config::default(), Some(7711), environment(&set));
    assert_eq!(names(&found), ["openai", "anthropic"]);
    assert_eq!(found[1].provider.serves, ["anthropic.*"]);
    assert!(!format!("{found:?}").contains("sk-hidden") && !found[1].line(0).contains("sk-hidden"));
    assert!(found[1].line(0).contains("ANTHROPIC_API_KEY") && found[1].line(0).contains("OUTCROP_DISCOVER=off"));
    assert_eq!(in_environment(&with("outbound.offline = true"), None, environment(&set)), []);
}

#[test]
fn clients_of_this_very_server_are_not_taken_for_providers() {
    let itself = [("OPENAI_API_KEY", "x"), ("OPENAI_BASE_URL", "http://127.0.0.1:7711/v1")];
    assert_eq!(in_environment(&Config::default(), Some(7711), environment(&itself)), []);
    let bedrock = [("AWS_BEARER_TOKEN_BEDROCK", "x"), ("AWS_REGION", "us-east-1")];
    assert_eq!(names(&in_environment(&Config::default(), None, environment(&bedrock))), ["bedrock"]);
    let pointed = [bedrock[0], bedrock[1], ("AWS_ENDPOINT_URL", "http://127.0.0.1:7711")];
    assert_eq!(in_environment(&Config::default(), None, environment(&pointed)), []);
}

#[test]
fn what_the_configuration_has_itself_wins() {
    let found = in_environment(&Config::default(), None, environment(&[("ANTHROPIC_API_KEY", "x")]));
    let own = with("[[providers]]\nname='anthropic'\nkind='scripted'\nscript='x'");
    assert_eq!(joined(&own, &found), own);
    assert_eq!(joined(&Config::default(), &found).providers.len(), 1);
    assert_eq!(joined(&with("dev.discover = false"), &found).providers, []);
}

#[test]
fn bedrock_serves_all_makers_of_the_catalogue() {
    let catalogue = outcrop_models::Catalogue::builtin().unwrap();
    let makers: BTreeSet<_> = catalogue.iter().filter_map(|model| model.id.split('.').next()).collect();
    assert_eq!(makers, BTreeSet::from(MAKERS));
}
