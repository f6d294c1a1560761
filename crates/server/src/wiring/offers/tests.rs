use std::collections::BTreeMap;
use std::sync::Arc;

use outcrop_gateway::routing::Naming;
use outcrop_models::data_retention::Retention;
use outcrop_providers::{Kind, ProviderSettings};

use super::*;

fn source(name: &str, naming: Naming, models: &[(&str, &str)]) -> Source {
    let settings = ProviderSettings {
        name: name.into(),
        kind: Kind::OpenAi,
        url: Some("http://127.0.0.1:9/v1".into()),
        ..Default::default()
    };
    let outbound = outcrop_outbound::Outbound::new(outcrop_outbound::Settings::default()).unwrap();
    Source {
        name: Arc::from(name),
        provider: outcrop_providers::open(&settings, &outbound).unwrap(),
        identity: name.into(),
        naming,
        serves: Vec::new(),
        models: models.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect::<BTreeMap<_, _>>(),
        retention: Retention::Default,
        region: None,
        local: false,
    }
}

fn text(model: &str) -> Offer {
    Offer { model: model.into(), kind: OfferKind::Text, context: Some(4096) }
}

#[test]
fn names_become_what_a_model_id_takes() {
    for (name, expected) in [
        ("qwen2.5:0.5b", "qwen2-5-0-5b"),
        ("Qwen/Qwen3-8B", "qwen-qwen3-8b"),
        ("/models/gpt-oss.gguf", "models-gpt-oss-gguf"),
        ("a__b--", "a-b"),
        ("模型", ""),
    ] {
        assert_eq!(slug(name), expected, "{name}");
    }
    assert_eq!(slug(&"x".repeat(200)).len(), 63);
}

#[tokio::test]
async fn what_is_heard_is_in_the_catalogue_and_its_provider_answers_for_it() {
    let offers = Offers::default();
    assert!(offers.heard("vllm", vec![text("Qwen/Qwen3-8B"), text("bge-m3")]));
    assert!(!offers.heard("vllm", vec![text("bge-m3"), text("Qwen/Qwen3-8B"), text("bge-m3")]), "no news");
    let mut sources = [source("vllm", Naming::Bare, &[("cohere.embed-english-v3", "mini-embed")])];
    let catalogue = offers.listed(Catalogue::builtin().unwrap(), &mut sources).unwrap();
    let model = catalogue.get("vllm.qwen-qwen3-8b").unwrap();
    assert_eq!((model.provider.as_str(), model.context), ("vllm", Some(4096)));
    assert_eq!(sources[0].models["vllm.qwen-qwen3-8b"], "Qwen/Qwen3-8B");
    // Named by the configuration, and heard of from nobody.
    assert!(catalogue.get("vllm.mini-embed").unwrap().embeds());
    assert_eq!(sources[0].models["vllm.mini-embed"], "mini-embed");
}

#[tokio::test]
async fn names_that_fall_together_get_numbers_and_the_catalogue_keeps_its_own() {
    let catalogue = Catalogue::builtin().unwrap();
    let vllm = source("vllm", Naming::Bare, &[]);
    let all = named(&vllm, &catalogue, vec![text("a:b"), text("a.b"), text("a-b")]);
    let ids: Vec<_> = all.iter().map(|(id, offer)| (id.as_str(), offer.model.as_str())).collect();
    assert_eq!(ids, [("vllm.a-b", "a-b"), ("vllm.a-b-2", "a.b"), ("vllm.a-b-3", "a:b")]);
    let known =
        catalogue.iter().find(|model| slug(model.id.split_once('.').unwrap().1) == model.id.split_once('.').unwrap().1);
    let (maker, bare) = known.unwrap().id.split_once('.').unwrap();
    assert_eq!(named(&source(maker, Naming::Bare, &[]), &catalogue, vec![text(bare)]), []);
}
