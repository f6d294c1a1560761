//! Prefixes computed once.

use super::*;

fn question(scope: &str, text: &str) -> Generate {
    let mut request = ask(vec![system(&long(3, 200)), user(text)], 24);
    request.scope = scope.into();
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_answer_is_the_cold_one() {
    let warm = engine();
    answer(&warm, question("a", "Something else entirely?")).await;
    for text in ["What is the capital of France.", "Name three colours.", "Why is the sky blue?"] {
        let cold = answer(&engine(), question("a", text)).await;
        assert_eq!(cold.finished.usage.cached_tokens, 0);
        let first = answer(&warm, question("a", text)).await;
        let cached = first.finished.usage.cached_tokens;
        // Whole chunks of 64, and never the last piece.
        assert!(cached >= 192 && cached % 64 == 0 && cached < first.finished.usage.prompt_tokens, "{cached}");
        assert_eq!(first.text, cold.text);
        assert_eq!(answer(&warm, question("a", text)).await.text, cold.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_scope_profits_from_another() {
    let engine = engine();
    // What was computed shows what time would: a call that found its prefix is faster because it computes less.
    let computed = async |scope| {
        let before = engine.status()[0].computed_tokens;
        let answer = answer(&engine, question(scope, "Why?")).await;
        let usage = &answer.finished.usage;
        // The last token of an answer is drawn and never computed.
        let whole = u64::from(usage.prompt_tokens + usage.output_tokens) - 1;
        (whole - (engine.status()[0].computed_tokens - before), usage.cached_tokens, answer.text)
    };
    let (spared, cached, first) = computed("a").await;
    assert_eq!((spared, cached), (0, 0));
    let (spared, cached, other) = computed("b").await;
    assert_eq!((spared, cached), (0, 0), "another's prefix was used");
    assert_eq!(other, first);
    for scope in ["a", "b"] {
        let (spared, cached, again) = computed(scope).await;
        assert!(cached >= 192 && spared == u64::from(cached), "{cached} {spared}");
        assert_eq!(again, first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_time_share_a_prefix_too() {
    let engine = engine();
    let texts = ["One?", "Two?", "Three?", "Four?"];
    let answers = futures_util::future::join_all(texts.map(|text| answer(&engine, question("a", text)))).await;
    let computed = answers.iter().filter(|answer| answer.finished.usage.cached_tokens == 0).count();
    assert_eq!(computed, 1, "the prefix is computed once");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_memory_for_prefixes_nothing_is_reused() {
    let engine = Engine::new(EngineConfig { prefix_cache: 0, ..config() });
    answer(&engine, question("a", "Why?")).await;
    assert_eq!(answer(&engine, question("a", "Why?")).await.finished.usage.cached_tokens, 0);
}
