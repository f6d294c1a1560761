//! What the engine refuses, and how it lets go.

use super::*;

/// An engine that answers one call at a time and lets `waiting` wait.
fn narrow(waiting: usize) -> Engine {
    Engine::new(EngineConfig { max_sequences: 1, max_waiting: waiting, ..config() })
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_queue_a_call_is_refused_at_once() {
    let engine = narrow(1);
    let story = || ask(vec![user("Tell me a long story about a fox.")], 4000);
    let first = engine.generate(story()).await.unwrap();
    let second = engine.generate(story()).await.unwrap();
    assert!(matches!(engine.generate(story()).await, Err(EngineError::Overloaded(_))));
    // Who goes away makes room.
    drop(first);
    let mut short = story();
    short.max_tokens = Some(1);
    let admitted = loop {
        match engine.generate(short.clone()).await {
            Err(EngineError::Overloaded(_)) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert!(admitted.is_ok());
    drop(second);
    // A process must not end under a model's thread: llama.cpp's statics go first.
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_frees_its_place() {
    let engine = narrow(8);
    let mut begun = engine.generate(ask(vec![user("Tell me a long story about a fox.")], 8000)).await.unwrap();
    begun.next().await.unwrap().unwrap();
    let waiting = engine.generate(ask(vec![user("Hi")], 3)).await.unwrap();
    drop(begun);
    // The only place was taken for thousands of tokens.
    let answer = tokio::time::timeout(std::time::Duration::from_secs(30), heard(waiting)).await;
    assert_eq!(answer.expect("the place is free").unwrap().reason(), &FinishReason::MaxTokens);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_with_priority_goes_first() {
    let engine = narrow(8);
    let mut running = engine.generate(ask(vec![user("Tell me a long story.")], 8000)).await.unwrap();
    running.next().await.unwrap().unwrap();
    let waiting = |priority| {
        let mut request = ask(vec![user("Hi")], 2);
        request.priority = priority;
        request
    };
    let mut calls = Vec::new();
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        calls.push(engine.generate(waiting(priority)).await.unwrap());
    }
    drop(running);
    let mut queued = Vec::new();
    for call in calls {
        queued.push(heard(call).await.unwrap().finished.timings.queued);
    }
    // Each waits for the answers of those before it, and those who came first have waited longer already.
    assert!(queued[0] > queued[1] && queued[1] > queued[2], "{queued:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_beyond_the_window_is_refused() {
    let engine = Engine::new(EngineConfig { context_length: 256, ..config() });
    let refused = engine.generate(ask(vec![user(&long(1, 400))], 10)).await;
    let Err(EngineError::ContextOverflow { prompt, limit, .. }) = refused else { panic!("{refused:?}") };
    assert!(prompt >= limit && limit == 256);
    // Megabytes are refused without being read token by token; counted they are in full.
    let huge = "word ".repeat(1 << 20);
    assert!(matches!(engine.generate(ask(vec![user(&huge)], 10)).await, Err(EngineError::ContextOverflow { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_ends_with_the_window() {
    let engine = Engine::new(EngineConfig { context_length: 128, ..config() });
    let mut request = ask(vec![user("Tell me a long story about a fox and a crow, with every detail.")], 1);
    request.max_tokens = None;
    let answer = answer(&engine, request).await;
    assert_eq!(answer.reason(), &FinishReason::MaxTokens);
    assert_eq!(answer.finished.usage.prompt_tokens + answer.finished.usage.output_tokens, 128);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_words_and_long_blanks_are_counted() {
    let engine = engine();
    for text in
        ["a".repeat(1 << 20), " ".repeat(1 << 20), "1".repeat(1 << 18), "é".repeat(1 << 18), "\u{0}\n".repeat(1 << 16)]
    {
        assert!(engine.count_tokens(MODEL, &chat(vec![user(&text)])).await.unwrap().total > 1000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_holds_up_nobody() {
    let engine = engine();
    let unread = engine.generate(ask(vec![user("Tell me a long story about a fox.")], 300)).await.unwrap();
    let read = answer(&engine, ask(vec![user("Tell me a long story about a crow.")], 300)).await;
    assert!(read.finished.usage.output_tokens > 50);
    let late = heard(unread).await.unwrap();
    assert!(late.finished.usage.output_tokens > 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_outgrows_its_first_room_without_a_seam() {
    // The first room is 512 tokens: one conversation grows through it while another runs.
    let engine = engine();
    let question = || ask(vec![user(&format!("{} Tell me a long story about a fox.", long(7, 430)))], 60);
    let alone = answer(&engine, question()).await;
    assert!(
        alone.finished.usage.prompt_tokens > 455 && alone.finished.usage.prompt_tokens < 512,
        "{:?}",
        alone.finished
    );
    let fresh = super::engine();
    let mut other = fresh.generate(ask(vec![user("Tell me a long story about a fox.")], 40)).await.unwrap();
    other.next().await.unwrap().unwrap();
    let grown = answer(&fresh, question()).await;
    assert_eq!(grown.finished.usage.output_tokens, alone.finished.usage.output_tokens);
    assert_eq!(heard(other).await.unwrap().finished.usage.output_tokens, 40);
}
