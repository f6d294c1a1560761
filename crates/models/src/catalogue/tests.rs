use std::collections::BTreeSet;

use regex::Regex;

use super::*;
use crate::regions;

fn builtin() -> Catalogue {
    Catalogue::builtin().unwrap()
}

/// The patterns of botocore's BedrockModelId and ConversationalModelId (its base-id branch), anchored.
fn model_id_pattern() -> Regex {
    Regex::new(
        r"^[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([a-z0-9-]{1,63}[.]){0,2}[a-z0-9-]{1,63}([:][a-z0-9-]{1,63}){0,2}$",
    )
    .unwrap()
}

#[test]
fn every_id_and_variant_has_bedrocks_form() {
    let pattern = model_id_pattern();
    for model in builtin().iter() {
        assert!(pattern.is_match(&model.id) && model.id.len() <= 140, "{}", model.id);
        for variant in &model.variants {
            let id = format!("{}{variant}", model.id);
            assert!(pattern.is_match(&id) && variant.starts_with(':'), "{id}");
        }
    }
}

#[test]
fn no_id_stands_twice_in_the_files() {
    let mut seen = BTreeSet::new();
    for (name, text) in FILES {
        for line in text.lines().filter(|l| l.starts_with("id = ")) {
            assert!(seen.insert(line), "{name}: {line}");
        }
    }
    assert_eq!(seen.len(), builtin().len());
}

#[test]
fn every_region_exists() {
    for model in builtin().iter() {
        for region in &model.regions {
            assert!(regions::known(region), "{}: {region}", model.id);
        }
        for (geography, routes) in &model.profiles {
            assert!(routes.sources().next().is_some(), "{geography}.{}", model.id);
            for (source, to) in routes.iter() {
                assert!(regions::known(source), "{geography}.{}: {source}", model.id);
                match to {
                    Destinations::Anywhere => assert_eq!(*geography, Geography::Global),
                    Destinations::Regions(list) => {
                        assert!(!list.is_empty() && list.iter().all(|r| regions::known(r)), "{}: {list:?}", model.id);
                    }
                }
            }
        }
    }
}

#[test]
fn every_route_and_family_is_used() {
    let catalogue = builtin();
    for (name, routes) in &catalogue.routes {
        let used = catalogue.iter().any(|m| m.profiles.values().any(|r| Arc::ptr_eq(r, routes)));
        assert!(used, "routes.toml: {name}");
    }
    for (name, family) in &catalogue.families {
        let used = name.starts_with("outcrop-") || catalogue.iter().any(|m| Arc::ptr_eq(&m.family, family));
        assert!(used, "families.toml: {name}");
    }
}

#[test]
fn numbers_are_sane() {
    for model in builtin().iter() {
        let id = &model.id;
        // An embedding model of text states its vectors; what embeds pictures and video may not.
        if let Some(d) = &model.dimensions {
            assert!(model.embeds() && d.allowed.contains(&d.default), "{id}");
            assert!(d.allowed.iter().all(|n| (64..=4096).contains(n)), "{id}");
        } else {
            assert!(!model.embeds(), "{id} has no dimensions");
        }
        assert!(model.context.is_none_or(|n| (77..=20_000_000).contains(&n)), "{id}: {:?}", model.context);
        if let (Some(context), Some(output)) = (model.context, model.max_output) {
            assert!(output <= context, "{id}: writes {output} of {context}");
        }
        if let Some(cache) = &model.cache {
            assert!([512, 1000, 1024, 2048, 4096].contains(&cache.minimum), "{id}");
            assert!(cache.ttl.iter().all(|t| t == "5m" || t == "1h") && cache.ttl[0] == "5m", "{id}");
        }
        if let Some(price) = &model.price {
            let all = [price.input, price.output, price.cache_read, price.cache_write, price.cache_write_1h];
            assert!(all.into_iter().flatten().all(|p| p > 0.into() && p <= 200.into()), "{id}: {price:?}");
            let (year, month) = price.as_of.split_once('-').unwrap();
            assert!(year.parse::<u16>().unwrap() >= 2024 && (1..=12).contains(&month.parse::<u8>().unwrap()), "{id}");
        }
        for modality in model.input.iter().chain(&model.output) {
            assert!(["TEXT", "IMAGE", "VIDEO", "AUDIO", "SPEECH", "EMBEDDING"].contains(&modality.as_str()), "{id}");
        }
        for kind in &model.customizations {
            assert!(["FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION"].contains(&kind.as_str()), "{id}: {kind}");
        }
    }
}

#[test]
fn dates_are_in_order() {
    for model in builtin().iter() {
        let l = &model.lifecycle;
        let days: Vec<_> = [l.start, l.legacy, l.extended, l.end].into_iter().flatten().collect();
        assert!(days.is_sorted(), "{}: {l:?}", model.id);
        assert!(days.iter().all(|d| (2023..2030).contains(&d.year())), "{}", model.id);
        assert!(l.end.is_none() || l.status == Status::Legacy, "{} has an end and is active", model.id);
    }
}

#[test]
fn families_match_what_models_do() {
    for model in builtin().iter() {
        assert!(!(model.family.converse && model.embeds()), "{}", model.id);
        assert!(!model.family.tools || model.family.converse, "{}", model.id);
        assert!(!model.family.converse || model.writes_text(), "{}", model.id);
    }
}

#[test]
fn providers_of_note_are_there() {
    let catalogue = builtin();
    let providers: BTreeSet<_> = catalogue.iter().map(|m| m.provider.as_str()).collect();
    for name in [
        "AI21 Labs",
        "Amazon",
        "Anthropic",
        "Cohere",
        "DeepSeek",
        "Luma AI",
        "Meta",
        "Mistral AI",
        "OpenAI",
        "Qwen",
        "Stability AI",
        "TwelveLabs",
        "Writer",
    ] {
        assert!(providers.contains(name), "{name}");
    }
    assert!(catalogue.len() >= 190, "{}", catalogue.len());
}

#[test]
fn suffixes_name_a_window() {
    let catalogue = builtin();
    let find = |id| catalogue.find(id).map(|(m, w)| (m.id.clone(), w));
    assert_eq!(find("anthropic.claude-v2:1:18k"), Some(("anthropic.claude-v2:1".into(), Some(18_000))));
    assert_eq!(find("anthropic.claude-v2:0:100k"), Some(("anthropic.claude-v2".into(), Some(100_000))));
    assert_eq!(find("anthropic.claude-v2:1"), Some(("anthropic.claude-v2:1".into(), None)));
    assert_eq!(find("stability.stable-diffusion-xl-v1:0"), Some(("stability.stable-diffusion-xl-v1".into(), None)));
    assert_eq!(find("meta.llama4-scout-17b-instruct-v1:0:10m").unwrap().1, Some(10_000_000));
    // AWS adds windows that the files do not list yet.
    assert_eq!(find("amazon.nova-pro-v1:0:64k").unwrap().1, Some(64_000));
    for unknown in
        ["amazon.nova-pro-v1:1", "amazon.nova-pro-v1:0:fast", "amazon.nova-pro-v1:0:0:64k", "amazon.nova-pro-v1:0:"]
    {
        assert_eq!(find(unknown), None, "{unknown}");
    }
}

#[test]
fn extra_models_join_and_replace() {
    let catalogue = builtin()
        .with_extra(&extra(
            "[[models]]\nid = \"acme.rocket-v1:0\"\nprovider = \"Acme\"\nfamily = \"openai-chat\"\nregions = \"us-east-1\"\n\
             context = 8192\n[[models]]\nid = \"amazon.nova-pro-v1:0\"\nprovider = \"Amazon\"\nfamily = \"nova\"\n",
        ))
        .unwrap();
    let rocket = catalogue.get("acme.rocket-v1:0").unwrap();
    assert_eq!((rocket.name.as_str(), rocket.context), ("acme.rocket-v1:0", Some(8192)));
    assert!(rocket.on_demand_in("us-east-1") && !rocket.on_demand_in("us-west-2"));
    assert_eq!(catalogue.get("amazon.nova-pro-v1:0").unwrap().context, None);
}

#[test]
fn wrong_extra_models_say_what_is_wrong() {
    for (text, part) in [
        ("[[models]]\nid = \"Acme Rocket\"\nprovider = \"A\"\nfamily = \"nova\"", "not a model id"),
        ("[[models]]\nid = \"a.b\"\nprovider = \"A\"\nfamily = \"novas\"", "no family `novas`"),
        ("[[models]]\nid = \"a.b\"\nfamily = \"nova\"", "has no provider"),
        (
            "[[models]]\nid = \"a.b\"\nprovider = \"A\"\nfamily = \"nova\"\nprofiles = { us = \"us-99\" }",
            "no route `us-99`",
        ),
        ("[[models]]\nid = \"a.b\"\nprovider = \"A\"\nfamily = \"nova\"\ncontxt = 1", "contxt"),
        ("[[models]]\nid = \"a.b\"\nprovider = \"A\"\nfamily = \"nova\"\nlifecycle = { end = \"soon\" }", "end"),
    ] {
        let told = builtin().with_extra(&extra(text)).unwrap_err().to_string();
        assert!(told.contains(part), "{text}: {told}");
        assert!(told.contains("[[models]] a.b") || told.contains("Acme Rocket"), "{told}");
    }
}

/// The tables as the server's configuration holds them.
fn extra(text: &str) -> Vec<toml::Table> {
    let file: toml::Table = toml::from_str(text).unwrap();
    file["models"].as_array().unwrap().iter().map(|model| model.as_table().unwrap().clone()).collect()
}

#[test]
fn local_models_stand_beside_the_others() {
    let catalogue = builtin()
        .with_local([
            LocalModel { name: "smollm2-135m-instruct".into(), kind: LocalKind::Text, context: 8192 },
            LocalModel {
                name: "all-minilm-l6-v2".into(),
                kind: LocalKind::Embedding { dimensions: 384 },
                context: 512,
            },
        ])
        .unwrap();
    let text = catalogue.get("outcrop.smollm2-135m-instruct").unwrap();
    assert!(text.local && text.family.converse && text.streaming && text.on_demand_in("any-region"));
    assert_eq!((text.provider.as_str(), text.lifecycle.status), ("Outcrop", Status::Active));
    let vectors = catalogue.get("outcrop.all-minilm-l6-v2").unwrap();
    assert!(vectors.embeds() && vectors.dimensions.as_ref().unwrap().default == 384);
    let wrong = [LocalModel { name: "My Model".into(), kind: LocalKind::Text, context: 1 }];
    assert!(builtin().with_local(wrong).is_err());
}

#[test]
fn providers_models_stand_beside_the_others() {
    let own = |name: &str, kind| OwnModel { provider: "vllm".into(), name: name.into(), kind, context: None };
    let catalogue = builtin()
        .with_own([
            ("vllm.qwen-qwen3-8b".to_owned(), own("Qwen/Qwen3-8B", OwnKind::Text)),
            ("vllm.bge-m3".to_owned(), own("bge-m3", OwnKind::Embedding { dimensions: None })),
            ("vllm.ranker".to_owned(), own("ranker", OwnKind::Rerank)),
        ])
        .unwrap();
    let text = catalogue.get("vllm.qwen-qwen3-8b").unwrap();
    assert_eq!((text.provider.as_str(), text.name.as_str()), ("vllm", "Qwen/Qwen3-8B"));
    assert!(text.streaming && text.family.converse && text.on_demand_in("any-region") && text.max_output.is_none());
    let vectors = catalogue.get("vllm.bge-m3").unwrap();
    assert!(vectors.embeds() && vectors.dimensions.is_none() && !vectors.streaming);
    assert!(!catalogue.get("vllm.ranker").unwrap().family.converse);
    assert!(builtin().with_own([("vllm.Qwen".to_owned(), own("Qwen", OwnKind::Text))]).is_err());
}

#[test]
fn routes_are_read_line_by_line() {
    let routes = Routes::parse(["a b > a c", "d > *"]).unwrap();
    assert_eq!(routes.from("b"), Some(&Destinations::Regions(vec!["a".into(), "c".into()])));
    assert_eq!(routes.from("d"), Some(&Destinations::Anywhere));
    assert_eq!(routes.from("c"), None);
    for wrong in [vec!["a b"], vec!["a >"], vec!["a > b", "a > c"]] {
        assert!(Routes::parse(wrong.clone()).is_err(), "{wrong:?}");
    }
}

#[test]
fn the_ids_of_published_samples_are_there() {
    let catalogue = builtin();
    for id in [
        "ai21.jamba-1-5-mini-v1:0",
        "amazon.nova-micro-v1:0",
        "amazon.titan-embed-image-v1",
        "amazon.titan-embed-text-v1",
        "amazon.titan-embed-text-v2:0",
        "amazon.titan-text-express-v1",
        "anthropic.claude-3-5-haiku-20241022-v1:0",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "anthropic.claude-3-haiku-20240307-v1:0",
        "anthropic.claude-v2:1",
        "cohere.command-r-plus-v1:0",
        "cohere.embed-english-v3",
        "cohere.rerank-v3-5:0",
        "deepseek.r1-v1:0",
        "deepseek.v3-v1:0",
        "meta.llama3-1-8b-instruct-v1:0",
        "mistral.mistral-large-2402-v1:0",
        "openai.gpt-oss-120b-1:0",
        "qwen.qwen3-32b-v1:0",
        "stability.stable-diffusion-xl-v1",
        "writer.palmyra-x5-v1:0",
    ] {
        assert!(catalogue.get(id).is_some(), "{id}");
    }
    for (geography, id) in [
        (Geography::Us, "anthropic.claude-sonnet-4-20250514-v1:0"),
        (Geography::Us, "anthropic.claude-3-7-sonnet-20250219-v1:0"),
        (Geography::Us, "meta.llama3-2-11b-instruct-v1:0"),
        (Geography::Eu, "anthropic.claude-3-haiku-20240307-v1:0"),
        (Geography::Apac, "anthropic.claude-3-5-sonnet-20240620-v1:0"),
        (Geography::Jp, "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (Geography::Au, "anthropic.claude-haiku-4-5-20251001-v1:0"),
        (Geography::Global, "anthropic.claude-sonnet-4-20250514-v1:0"),
    ] {
        assert!(catalogue.get(id).unwrap().profiles.contains_key(&geography), "{geography}.{id}");
    }
}

#[test]
fn the_models_of_every_defined_router_are_known_and_of_one_family() {
    let catalogue = Catalogue::builtin().unwrap();
    assert!(catalogue.routers().is_sorted_by(|a, b| a.id < b.id));
    for router in catalogue.routers() {
        let [one, two] = router.models.as_slice() else { panic!("{}: not two models", router.id) };
        let (one, two) = (catalogue.get(one).unwrap(), catalogue.get(two).unwrap());
        assert_eq!((&one.provider, &one.family), (&two.provider, &two.family), "{}", router.id);
        assert!(router.models.contains(&router.fallback), "{}", router.id);
        assert!((0.0..=100.0).contains(&router.difference), "{}", router.id);
    }
}
