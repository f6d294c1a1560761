use std::sync::{Arc, Mutex};

use outcrop_api::bedrock::{CreateGuardrailRequest, GuardrailContentFilterConfig, GuardrailContentPolicyConfig};
use outcrop_guard::content::Confidence;
use outcrop_guard::{Acted, Depth};

use super::*;
use crate::testing::{Bench, bench_with, here, topics, words};
use crate::{Guardrails, Settings};

/// Says what it is told to, and remembers what it was asked.
struct Says {
    verdict: Result<Verdict, String>,
    never: bool,
    asked: Mutex<Vec<Asked>>,
}

/// A model, a text, and what it was asked about.
type Asked = (String, String, Vec<Category>, Vec<String>);

#[async_trait]
impl Judge for Says {
    async fn judge(&self, q: Question<'_>) -> Result<Verdict, String> {
        let topics = q.topics.iter().map(|(_, topic)| topic.name.clone()).collect();
        self.asked.lock().unwrap().push((q.model.to_owned(), q.text.to_owned(), q.categories.to_vec(), topics));
        if self.never {
            std::future::pending::<()>().await;
        }
        self.verdict.clone()
    }
}

fn rule() -> Rule {
    Rule {
        guardrail: "*".into(),
        model: "some.model".into(),
        content: true,
        topics: true,
        limit: Duration::from_secs(60),
        blocks: false,
    }
}

/// A filter and a topic; or the filter alone, of which the bench's encoder gives the built-in judge nothing to find.
fn request(topic: bool) -> CreateGuardrailRequest {
    let filter = GuardrailContentFilterConfig {
        r#type: "VIOLENCE".into(),
        input_strength: "HIGH".into(),
        output_strength: "HIGH".into(),
        ..Default::default()
    };
    CreateGuardrailRequest {
        content_policy_config: Some(GuardrailContentPolicyConfig {
            filters_config: vec![filter],
            ..Default::default()
        }),
        topic_policy_config: topic.then(|| topics(&[("Stocks", "Advice on stocks")])),
        ..words("judged", &["cactus"])
    }
}

async fn asked(rule: Rule, verdict: Result<Verdict, String>, never: bool) -> (Judgement, Arc<Says>) {
    let topic = verdict.as_ref().is_ok_and(|verdict| !verdict.topics.is_empty()) || !rule.topics;
    let bench: Bench = bench_with(Settings { judges: vec![rule], ..Settings::default() }).await;
    let says = Arc::new(Says { verdict, never, asked: Mutex::default() });
    let guardrails: Guardrails = bench.guardrails.clone().judged(says.clone());
    let id = bench.make(request(topic)).await.guardrail_id;
    let applied = guardrails.find(&here(), &id, "DRAFT").await.unwrap().explaining(Depth::Detected);
    let judged = applied.assess(Side::Input, vec![OwnedPassage::content("Shall I buy shares?")]).await.unwrap();
    (judged, says)
}

#[tokio::test]
async fn a_model_s_verdict_is_merged() {
    let verdict = Verdict { filters: vec![(Category::Violence, Confidence::High)], topics: vec![0] };
    let (judged, says) = asked(rule(), Ok(verdict), false).await;
    assert_eq!(judged.acted(), Acted::Blocked);
    assert!(judged.found.topics[0].detected && judged.found.filters[0].detected);
    let [(model, text, categories, topics)] = &says.asked.lock().unwrap()[..] else { panic!() };
    assert_eq!((&**model, &**text), ("some.model", "Shall I buy shares?"));
    assert_eq!((&categories[..], &topics[..]), (&[Category::Violence][..], &["Stocks".to_owned()][..]));
    let told = judged.assessment(crate::Scope::Interventions).outcrop_explanation.unwrap();
    let entries = told.as_array().unwrap();
    assert!(entries.iter().any(|entry| entry["because"][0] == "the judge some.model says so"), "{told}");
}

#[tokio::test]
async fn a_rule_says_whom_and_what_it_is_for() {
    let (judged, says) = asked(Rule { guardrail: "another".into(), ..rule() }, Err("asked".into()), false).await;
    assert!(judged.acted() == Acted::None && says.asked.lock().unwrap().is_empty());
    let (_, says) = asked(Rule { topics: false, ..rule() }, Ok(Verdict::default()), false).await;
    assert!(says.asked.lock().unwrap()[0].3.is_empty());
    let arn = "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcdefghij12";
    let of = |pattern: &str| Rule { guardrail: pattern.into(), ..rule() }.is_for("abcdefghij12", arn);
    assert!(of("abcdefghij12") && of(arn) && of("arn:aws:bedrock:us-east-1:111122223333:*") && of("*"));
    assert!(!of("abcdefghij1") && !of("arn:aws:bedrock:eu-west-1:*"));
}

#[tokio::test]
async fn one_that_says_nothing_blocks_only_where_that_is_wanted() {
    for (blocks, acted) in [(false, Acted::None), (true, Acted::Blocked)] {
        let (judged, _) = asked(Rule { blocks, ..rule() }, Err("no such model".into()), false).await;
        assert_eq!((judged.acted(), judged.found.judges[0].failed.as_deref()), (acted, Some("no such model")));
    }
}

#[tokio::test]
async fn one_that_is_late_is_not_waited_for() {
    let limit = Duration::from_millis(20);
    let (judged, _) = asked(Rule { limit, blocks: true, ..rule() }, Ok(Verdict::default()), true).await;
    assert_eq!(judged.acted(), Acted::Blocked);
    assert_eq!(judged.found.judges[0].failed.as_deref(), Some("no verdict after 20 ms"));
}
