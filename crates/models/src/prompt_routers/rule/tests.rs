use std::sync::Arc;

use outcrop_wire::decode::{self, Problems};
use rust_decimal::Decimal;

use super::*;
use crate::Catalogue;
use crate::catalogue::Price;

const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const SONNET: &str = "anthropic.claude-3-5-sonnet-20240620-v1:0";
const HARD: &str = "Compare three designs and explain, step by step, which one to plan for.";

/// What `text` as JSON says.
fn request(text: &str) -> ConverseRequest {
    let (mut request, mut problems) = (ConverseRequest::default(), Problems::default());
    decode::body(text.as_bytes(), &mut request, &mut problems).unwrap();
    request
}

fn asking(text: &str) -> ConverseRequest {
    let text = serde_json::to_string(text).unwrap();
    request(&format!(r#"{{"messages":[{{"role":"user","content":[{{"text":{text}}}]}}]}}"#))
}

fn resolved(model: Model) -> Resolved {
    Resolved {
        called_id: String::new(),
        invoked_id: model.id.clone(),
        profile_arn: None,
        destinations: Vec::new(),
        anywhere: false,
        metric_id: model.id.clone(),
        context: model.context,
        provisioned: None,
        tags: std::collections::BTreeMap::new(),
        router: None,
        model: Arc::new(model),
    }
}

fn model(id: &str) -> Model {
    Model::clone(Catalogue::builtin().unwrap().get(id).unwrap())
}

/// The cheap model first, the capable one second.
fn router(quality_difference: f64) -> Router {
    let candidates = vec![resolved(model(HAIKU)), resolved(model(SONNET))];
    Router { arn: String::new(), candidates, fallback: 0, quality_difference }
}

fn names(decision: &Decision) -> Vec<&'static str> {
    decision.contributions.iter().map(|(name, _)| *name).collect()
}

#[test]
fn an_easy_prompt_gets_the_less_costly_model_whatever_the_difference() {
    for difference in [0.0, 5.0, 100.0] {
        for fallback in [0, 1] {
            let decision = choose(&Router { fallback, ..router(difference) }, &asking("What is 2+2?"), false);
            let expected = Decision { chosen: 0, reason: Reason::NotWorthIt, gain: 0.0, contributions: vec![] };
            assert_eq!(decision, expected);
        }
    }
}

#[test]
fn a_hard_prompt_gets_the_capable_one_until_the_difference_exceeds_the_gain() {
    let gain = choose(&router(0.0), &asking(HARD), false).gain;
    assert!(gain > 5.0 && gain < 50.0, "{gain}");
    for (difference, chosen, reason) in [
        (0.0, 1, Reason::WorthIt),
        (gain - 0.01, 1, Reason::WorthIt),
        // "Only if its responses are better by": as good as that is not better.
        (gain, 0, Reason::NotWorthIt),
        (gain + 0.01, 0, Reason::NotWorthIt),
    ] {
        for fallback in [0, 1] {
            let decision = choose(&Router { fallback, ..router(difference) }, &asking(HARD), false);
            assert_eq!((decision.chosen, decision.reason, decision.gain), (chosen, reason, gain), "{difference}");
        }
    }
}

#[test]
fn the_order_of_the_candidates_does_not_matter() {
    let mut turned = router(0.0);
    turned.candidates.reverse();
    let (one, other) = (choose(&router(0.0), &asking(HARD), false), choose(&turned, &asking(HARD), false));
    assert_eq!((one.chosen, other.chosen), (1, 0));
    assert_eq!((one.gain, one.contributions), (other.gain, other.contributions));
}

#[test]
fn contributions_are_named_and_add_up() {
    for (body, expected) in [
        (r#"{"messages":[{"role":"user","content":[{"text":"hello"}]}]}"#, vec![]),
        (r#"{"messages":[{"role":"user","content":[{"text":"Write a Python function."}]}]}"#, vec!["code"]),
        (r#"{"messages":[{"role":"user","content":[{"text":"```\nx\n```"}]}]}"#, vec!["code"]),
        (r#"{"messages":[{"role":"user","content":[{"text":"Solve $$x^2 = 1$$"}]}]}"#, vec!["math"]),
        (r#"{"messages":[{"role":"user","content":[{"text":"WHY is the sky blue?"}]}]}"#, vec!["reasoning"]),
        (
            r#"{"messages":[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"text":"hi"}]},
                {"role":"user","content":[{"text":"bye"}]}]}"#,
            vec!["turns"],
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}],
                "toolConfig":{"tools":[{"toolSpec":{"name":"t","inputSchema":{"json":{}}}}]}}"#,
            vec!["tools"],
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"text":"what?"},
                {"image":{"format":"png","source":{"bytes":"AAAA"}}}]}]}"#,
            vec!["media"],
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}],"outputConfig":{"textFormat":
                {"type":"json_schema","structure":{"jsonSchema":{"schema":"{}"}}}}}"#,
            vec!["schema"],
        ),
        // An earlier question is not the task, and what a tool says is none either.
        (
            r#"{"messages":[{"role":"user","content":[{"text":"Why?"}]},{"role":"assistant","content":[
                {"toolUse":{"toolUseId":"1","name":"t","input":{}}}]},{"role":"user","content":[
                {"toolResult":{"toolUseId":"1","content":[{"text":"Solve it in python."}]}}]}]}"#,
            vec!["turns", "reasoning"],
        ),
    ] {
        let decision = choose(&router(0.0), &request(body), false);
        assert_eq!(names(&decision), expected, "{body}");
        let sum: f64 = decision.contributions.iter().map(|(_, gain)| gain).sum();
        assert!((sum - decision.gain).abs() < 1e-9, "{decision:?}");
        assert_eq!(decision.chosen, usize::from(!expected.is_empty()), "{body}");
    }
    let long = choose(&router(0.0), &asking(&"word ".repeat(2_000)), false);
    assert_eq!(names(&long), ["length"]);
}

#[test]
fn no_gain_exceeds_the_difference_between_the_models() {
    let gap = gap(&model(SONNET), &model(HAIKU));
    let everything = format!("{HARD} Solve $$x$$ in python. ```x``` ").repeat(300);
    let decision = choose(&router(0.0), &asking(&everything), false);
    assert!(decision.gain <= gap + 1e-9 && decision.gain > 0.5 * gap, "{decision:?} of {gap}");
}

#[test]
fn the_gap_follows_the_list_price_then_what_is_known() {
    // Twelve times the price: 20 percent for each doubling.
    assert!((gap(&model(SONNET), &model(HAIKU)) - 20.0 * 12_f64.log2()).abs() < 1e-9);
    assert_eq!(gap(&model(SONNET), &model(HAIKU)), -gap(&model(HAIKU), &model(SONNET)));
    let bare = |max_output, context| Model { price: None, max_output, context, ..model(HAIKU) };
    assert_eq!(gap(&bare(Some(200), Some(1)), &bare(Some(100), Some(9))), 20.0);
    assert_eq!(gap(&bare(None, Some(100)), &bare(Some(5), Some(400))), -40.0);
    assert_eq!(gap(&bare(None, None), &bare(Some(5), Some(400))), 0.0);
    let mut free = bare(None, None);
    free.price = Some(Price { input: Some(Decimal::ZERO), output: Some(Decimal::ZERO), ..model(HAIKU).price.unwrap() });
    assert_eq!(gap(&free, &model(HAIKU)), 0.0);
    assert_eq!(gap(&bare(Some(u32::MAX), None), &bare(Some(1), None)), 100.0);
}

#[test]
fn models_that_nothing_tells_apart_leave_it_to_the_fallback() {
    for fallback in [0, 1] {
        let candidates = vec![resolved(model(HAIKU)), resolved(model(HAIKU))];
        let decision = choose(&Router { candidates, fallback, ..router(0.0) }, &asking(HARD), false);
        assert_eq!((decision.chosen, decision.reason, decision.gain), (fallback, Reason::Alike, 0.0));
    }
}

#[test]
fn who_cannot_take_the_request_does_not_get_it() {
    let with_image = r#"{"messages":[{"role":"user","content":[{"text":"x"},
        {"image":{"format":"png","source":{"bytes":"AAAA"}}}]}]}"#;
    let blind = Model { input: vec!["TEXT".into()], ..model(SONNET) };
    let short = Model { context: Some(100), ..model(SONNET) };
    let terse = Model { max_output: Some(10), ..model(SONNET) };
    let whole = Model { streaming: false, ..model(SONNET) };
    let more =
        request(r#"{"messages":[{"role":"user","content":[{"text":"Why?"}]}],"inferenceConfig":{"maxTokens":11}}"#);
    for (lame, request, streaming, what) in [
        (blind.clone(), request(with_image), false, "images"),
        (short, asking(&"Why? ".repeat(200)), false, "length"),
        (terse, more, false, "maxTokens"),
        (whole, asking(HARD), true, "streaming"),
    ] {
        let one = Router { candidates: vec![resolved(model(HAIKU)), resolved(lame.clone())], ..router(0.0) };
        let decision = choose(&one, &request, streaming);
        assert_eq!((decision.chosen, decision.reason), (0, Reason::OnlyOne(what)));
        let other = Router { candidates: vec![resolved(lame), resolved(model(HAIKU))], ..router(0.0) };
        assert_eq!(choose(&other, &request, streaming).chosen, 1);
    }
    // Where neither can, it is decided as ever, and the model chosen refuses in its own words.
    let candidates = vec![resolved(Model { input: vec!["TEXT".into()], ..model(HAIKU) }), resolved(blind)];
    let decision = choose(&Router { candidates, ..router(0.0) }, &request(with_image), false);
    assert_eq!(decision.reason, Reason::WorthIt);
}

#[test]
fn a_task_of_any_length_and_letters_is_read_at_both_ends() {
    let noise = "ä€😀 ".repeat(5_000);
    for (task, found) in [
        (format!("Why? {noise}"), 1),
        (format!("{noise} Why?"), 1),
        (format!("{noise} Why? {noise}"), 0),
        (noise.clone(), 0),
        (String::new(), 0),
    ] {
        assert_eq!(Features::of(&asking(&task)).reasoning, found);
    }
    let many = Features::of(&asking(&noise));
    assert_eq!(many.characters, noise.chars().count());
}
