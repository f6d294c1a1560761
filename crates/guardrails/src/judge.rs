//! Models as further judges of content and topics, beside the built-in one: the stricter of both holds.
//!
//! Who may ask which model stands in the server's configuration. How a model is asked is somebody else's affair: a
//! [`Judge`] is given.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use outcrop_access::Context;
use outcrop_guard::content::Category;
use outcrop_guard::{Does, Guard, Passage, Role, Side, Strength, Topic, Verdict};

use crate::applied::{Applied, OwnedPassage};
use crate::judgement::Judgement;

/// Which guardrails ask which model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// A guardrail's id or ARN; `*` at its end stands for any rest.
    pub guardrail: String,
    /// The model, in any of the forms of a modelId.
    pub model: String,
    /// Whether content filters ask it.
    pub content: bool,
    /// Whether denied topics ask it.
    pub topics: bool,
    /// How long it may take.
    pub limit: Duration,
    /// A text of which it said nothing is blocked, instead of going by the built-in judgement.
    pub blocks: bool,
}

impl Rule {
    /// Whether it is for a guardrail.
    pub fn is_for(&self, id: &str, arn: &str) -> bool {
        match self.guardrail.strip_suffix('*') {
            Some(begin) => id.starts_with(begin) || arn.starts_with(begin),
            None => self.guardrail == id || self.guardrail == arn,
        }
    }
}

/// What a model is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// The call that is judged: whoever pays for it pays for its judges.
    pub cx: &'a Context,
    /// The model.
    pub model: &'a str,
    /// Which way the text goes.
    pub side: Side,
    /// The text.
    pub text: &'a str,
    /// What filters look for.
    pub categories: &'a [Category],
    /// The denied topics, by their places in the policy.
    pub topics: &'a [(usize, &'a Topic)],
}

/// Asks models. No guardrail may hold for that.
#[async_trait]
pub trait Judge: Send + Sync {
    /// What the model says, or why it says nothing.
    async fn judge(&self, question: Question<'_>) -> Result<Verdict, String>;
}

/// What the judges of a guardrail said, each under its rule.
pub(crate) type Heard = Vec<(Rule, Result<Verdict, String>)>;

impl Applied {
    /// Whether models judge what goes to `side`.
    pub fn asks(&self, side: Side) -> bool {
        let asks = |rule: &Rule| !wanted(&self.guard, rule, side).is_empty();
        self.whose.around.judge.is_some() && self.whose.rules.iter().any(asks)
    }

    /// What models say of `passages`.
    pub(crate) async fn hear(&self, side: Side, passages: &[OwnedPassage]) -> Heard {
        let (Some(judge), Some(cx)) = (&self.whose.around.judge, &self.whose.cx) else { return Heard::new() };
        let texts: Vec<&str> =
            passages.iter().filter(|one| one.role == Role::Content).map(|one| one.text.as_str()).collect();
        let text = texts.join("\n\n");
        if text.trim().is_empty() {
            return Heard::new();
        }
        let text = &text;
        let asked = self.whose.rules.iter().filter_map(|rule| {
            let wanted = wanted(&self.guard, rule, side);
            (!wanted.is_empty()).then_some((rule, wanted))
        });
        let heard = asked.map(|(rule, Wanted { categories, topics })| async move {
            let question = Question { cx, model: &rule.model, side, text, categories: &categories, topics: &topics };
            let said = match tokio::time::timeout(rule.limit, judge.judge(question)).await {
                Ok(said) => said,
                Err(_) => Err(format!("no verdict after {} ms", rule.limit.as_millis())),
            };
            if let Err(reason) = &said {
                let what = if rule.blocks { "the text is blocked" } else { "the built-in judgement stands" };
                tracing::error!(guardrail = self.arn, judge = rule.model, reason, "a judge said nothing: {what}");
            }
            (rule.clone(), said)
        });
        join_all(heard).await
    }

    /// Merges what models said into what was judged of `passages`.
    pub(crate) fn merge(&self, judged: &mut Judgement, passages: &[OwnedPassage], heard: &Heard) {
        let passages: Vec<Passage<'_>> = passages.iter().map(OwnedPassage::borrowed).collect();
        for (rule, said) in heard {
            let (found, depth) = (&mut judged.found, self.how.explain);
            match said {
                Ok(verdict) => self.guard.merge(judged.side, &passages, found, (&rule.model, verdict), depth),
                Err(reason) => self.guard.unheard(&passages, found, (&rule.model, reason), rule.blocks, depth),
            }
        }
    }
}

/// What of a guardrail a rule asks a model about.
struct Wanted<'a> {
    categories: Vec<Category>,
    topics: Vec<(usize, &'a Topic)>,
}

impl Wanted<'_> {
    fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.topics.is_empty()
    }
}

fn wanted<'a>(guard: &'a Guard, rule: &Rule, side: Side) -> Wanted<'a> {
    let policy = guard.policy();
    let filters = policy
        .filters
        .iter()
        .filter(|filter| rule.content && filter.sides.on(side) != Does::Off && filter.strength(side) != Strength::None);
    let topics = policy.topics.iter().enumerate();
    Wanted {
        categories: filters.map(|filter| filter.category).collect(),
        topics: topics.filter(|(_, topic)| rule.topics && topic.sides.on(side) != Does::Off).collect(),
    }
}

#[cfg(test)]
mod tests;
