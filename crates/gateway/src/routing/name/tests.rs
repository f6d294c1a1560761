use super::{Naming, OwnName};

#[test]
fn providers_names_follow_from_the_catalogues() {
    for (naming, id, name) in [
        (Naming::Anthropic, "anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku-20240307"),
        (Naming::Anthropic, "anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        (Naming::Anthropic, "anthropic.claude-sonnet-4-6", "claude-sonnet-4-6"),
        (Naming::Bare, "openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
        (Naming::Bare, "mistral.mistral-large-2407-v1:0", "mistral-large-2407"),
        (Naming::Bare, "meta.llama3-1-8b-instruct-v1:0", "llama3-1-8b-instruct"),
        (Naming::Bare, "deepseek.v3.2", "v3.2"),
        (Naming::Cohere, "cohere.command-r-plus-v1:0", "command-r-plus"),
        (Naming::Cohere, "cohere.embed-english-v3", "embed-english-v3.0"),
        (Naming::Cohere, "cohere.embed-v4:0", "embed-v4.0"),
        (Naming::Cohere, "cohere.rerank-v3-5:0", "rerank-v3.5"),
        (Naming::Local, "outcrop.tiny", "tiny"),
    ] {
        assert_eq!(naming.own(id), Some(OwnName::Fixed(name.into())), "{id}");
    }
    assert_eq!(Naming::Bedrock.own("amazon.nova-lite-v1:0"), Some(OwnName::AsCalled));
    assert_eq!(Naming::Local.own("amazon.nova-lite-v1:0"), None);
}
