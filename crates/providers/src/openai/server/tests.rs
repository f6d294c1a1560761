use super::*;

#[test]
fn servers_are_told_apart_by_their_addresses() {
    for (url, server) in [
        (OPENAI_URL, Server::OpenAi),
        ("https://eu.example.openai.azure.com/openai/v1", Server::OpenAi),
        ("https://api.deepseek.com/v1", Server::DeepSeek),
        ("https://openrouter.ai/api/v1", Server::Hosted),
        ("https://api.openai.com.example.org/v1", Server::Hosted),
        ("http://vllm.example.org:8000/v1", Server::SelfHosted),
        ("https://10.0.0.7/v1", Server::SelfHosted),
        ("https://[fd00::7]:8443/v1", Server::SelfHosted),
        ("https://gpu1/v1", Server::SelfHosted),
        ("https://vllm.corp.internal/v1", Server::SelfHosted),
        ("https://localhost:8443/v1", Server::SelfHosted),
        ("no url", Server::Hosted),
    ] {
        assert_eq!(Server::at(url), server, "{url}");
    }
}

#[test]
fn a_refused_role_is_known_by_its_words() {
    let refused = |cause, text: &str| refuses_system(&Failure::new(cause, outcrop_api::Fault::validation(text)));
    assert!(refused(Cause::Request, "The model returned the following errors: System role not supported"));
    assert!(refused(Cause::Request, "Conversation roles must alternate user/assistant/user/assistant/..."));
    assert!(!refused(Cause::Request, "temperature must be at most 2"));
    assert!(!refused(Cause::Unavailable, "System role not supported"));
}
