use super::*;

#[test]
fn a_path_is_one_door_s_or_none_s() {
    let at = |path| Door::at(path);
    assert_eq!(at("/"), Some((Door::Aws, "")));
    assert_eq!(at("/v1/chat/completions"), Some((Door::ChatCompletions, "")));
    assert_eq!(at("/openai/v1/chat/completions"), Some((Door::ChatCompletions, "")));
    assert_eq!(at("/v1/responses/resp_1"), Some((Door::Response, "resp_1")));
    assert_eq!(at("/v1/responses/resp_1/cancel"), Some((Door::CancelResponse, "resp_1")));
    assert_eq!(at("/v1/responses/resp_1/input_items"), Some((Door::ResponseInput, "resp_1")));
    assert_eq!(at("/service/A/operation/B"), Some((Door::AwsCbor, "A/operation/B")));
    assert_eq!(at("/v1/responses/a/b"), None);
    assert_eq!(at("/v1/models"), Some((Door::Models, "")));
    assert_eq!(at("/v1/models/a%3A0"), Some((Door::Model, "a%3A0")));
    assert_eq!(at("/anthropic/v1/models/arn:a/b"), Some((Door::AnthropicModel, "arn:a/b")));
    for none in [
        "",
        "/v1",
        "/v1/",
        "/v1/models/",
        "/v1/chat/completions/",
        "/v1//models",
        "/openai/models",
        "/foundation-models",
    ] {
        assert_eq!(at(none), None, "{none}");
    }
}

#[test]
fn every_path_is_found_as_its_own_door_and_speaks_as_its_prefix_says() {
    for door in Door::ALL {
        for path in door.paths() {
            assert_eq!(Door::at(&path.replace("{id}", "x")).map(|(found, _)| found), Some(door), "{path}");
            assert!(!door.methods().is_empty());
        }
    }
    assert_eq!(Speaks::at("/v1/files"), Speaks::OpenAi);
    assert_eq!(Speaks::at("/openai/v1/files"), Speaks::OpenAi);
    assert_eq!(Speaks::at("/anthropic/v1/complete"), Speaks::Anthropic);
    assert_eq!(Speaks::at("/model/v1/invoke"), Speaks::Aws);
}
