//! Guardrails on a call: which ones it has, what they look at, and what the caller gets instead of what they block.
//!
//! All guardrails of a call judge the same texts, those of the caller as they came and those of the model as they came;
//! the strictest of them decides, and masks of several are put together. What the response cache gives out is judged
//! like what a model says.
//!
//! Start at `Gateway::guarded`; `Guarded::input` judges what is asked, `Passed::whole` and `stream` what is
//! answered. `looked.rs` says which texts, `told.rs` what traces say.

pub mod judge;
mod looked;
pub(crate) mod native;
mod stream;
mod tags;
pub(crate) mod texts;
mod told;
mod whole;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::future::Either;
use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{
    CitationGeneratedContent, ContentBlock, ConversationRole, ConverseOutput, ConverseRequest, ConverseResponse,
    ConverseTrace, GuardrailTrace, Message, StopReason,
};
use outcrop_api::{Fault, Kind};
use outcrop_guard::content::Category;
use outcrop_guard::stream::Pace;
use outcrop_guard::{Acted, Depth, Does, Role, Side, Sides};
use outcrop_guardrails::{Applied, GuardrailsError, Judgement, OwnedPassage, Scope};
use outcrop_models::{Invocation, Resolved};

use crate::Gateway;
use crate::meter::{Judged, Tally};
use looked::{Looked, Place};
use tags::Tags;

pub(crate) use stream::stream;
pub use tags::{Config, take};
pub use texts::{BLOCKED_BY, blocked};

/// Letting an image through that was to be judged would be worse.
const NO_IMAGES: &str = "filters images, and judging images is not built in this version of Outcrop. Send no image, or \
                         leave IMAGE out of the modalities of its filters.";

/// When what is asked is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputTime {
    /// Before a model is asked.
    #[default]
    Before,
    /// While the model answers; what it answers is thrown away where the judgement is a block.
    Beside,
}

/// How guardrails go about calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// When what is asked is judged.
    pub input: InputTime,
    /// How much of a stream is held for a judgement.
    pub pace: Pace,
}

/// What a call says of guardrails.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    /// The guardrail that it names.
    pub guardrail: Option<&'a str>,
    /// Its version.
    pub version: Option<&'a str>,
    /// How much is to be told.
    pub trace: Option<&'a GuardrailTrace>,
    /// Chunks of a stream do not wait for a judgement.
    pub asynchronous: bool,
    /// The request is in a model's own format, and says this of its guardrail.
    pub native: Option<Option<Config>>,
}

/// The guardrails of a call.
pub(crate) struct Guarded {
    applied: Vec<Arc<Applied>>,
    scope: Option<Scope>,
    asynchronous: bool,
    /// What marks texts, in a model's own format.
    tags: Option<Tags>,
    native: bool,
    settings: Settings,
    judged: Judged,
}

/// A call whose input is to be judged.
pub(crate) struct Judging {
    guarded: Guarded,
    looked: Looked,
    beside: Vec<(Role, String)>,
    /// Who judges what, and where that stands.
    asked: Vec<(Arc<Applied>, Vec<OwnedPassage>, Vec<Place>)>,
}

/// A call whose input was judged.
pub(crate) struct Passed {
    applied: Vec<Arc<Applied>>,
    scope: Option<Scope>,
    asynchronous: bool,
    pace: Pace,
    input: Vec<Judgement>,
    beside: Vec<(Role, String)>,
    /// The input was blocked: the answer is the guardrail's own.
    blocked: bool,
    /// Something of the answer was masked or blocked.
    changed: AtomicBool,
    judged: Judged,
}

impl Gateway {
    /// The guardrail that a caller names, for texts that are judged beside a model's call, if the caller may apply it.
    pub async fn guardrail(&self, cx: &Context, id: &str, version: &str) -> Result<Arc<Applied>, Fault> {
        match &self.guardrails {
            Some(guardrails) => guardrails.find(cx, id, version).await.map_err(refused),
            None => Err(Fault::new(Kind::NotImplemented, "This gateway has no guardrails.")),
        }
    }

    /// The guardrails that hold for an answer in the name of `model`: the one that the caller names, and those that are
    /// enforced. For answers that no call of the model makes.
    pub async fn guardrails_of(
        &self,
        cx: &Context,
        named: Option<(&str, &str)>,
        model: &str,
    ) -> Result<Vec<Arc<Applied>>, Fault> {
        let mut all = Vec::new();
        if let Some((id, version)) = named {
            all.push(self.guardrail(cx, id, version).await?);
        }
        if let Some(guardrails) = &self.guardrails {
            let resolved = self.resolve(cx, Invocation::new("bedrock:InvokeModel"), model).await?;
            all.extend(guardrails.enforced(cx, &resolved.model.id).await.map_err(refused)?);
        }
        Ok(all)
    }

    /// The guardrails of a call of `resolved`: the one that it names, and those that are enforced. None where there are
    /// none.
    pub(crate) async fn guarded(
        &self,
        cx: &Context,
        resolved: &Resolved,
        asked: Asked<'_>,
        tally: &Tally,
    ) -> Result<Option<Guarded>, Fault> {
        let named = named(&asked)?;
        let Some(guardrails) = &self.guardrails else {
            return match named {
                // Ignoring it would let through what it was to stop.
                Some(_) => Err(Fault::new(Kind::NotImplemented, "This gateway has no guardrails.")),
                None => Ok(None),
            };
        };
        let mut applied = Vec::new();
        if let Some((id, version)) = named {
            applied.push(guardrails.find(cx, id, version).await.map_err(refused)?);
        }
        applied.extend(guardrails.enforced(cx, &resolved.model.id).await.map_err(refused)?);
        if applied.is_empty() {
            return Ok(None);
        }
        let native = asked.native.is_some();
        let config = asked.native.flatten();
        let asynchronous = asked.asynchronous || config.as_ref().is_some_and(|config| config.asynchronous);
        let tags = config.and_then(|config| config.suffix).map(|suffix| Tags::new(&suffix));
        let scope = match asked.trace {
            Some(GuardrailTrace::Enabled) => Some(Scope::Interventions),
            Some(GuardrailTrace::EnabledFull) => Some(Scope::Full),
            _ => None,
        };
        let depth = match scope {
            None => Depth::Nothing,
            Some(Scope::Interventions) => Depth::Detected,
            Some(Scope::Full) => Depth::Everything,
        };
        let applied = applied.iter().map(|applied| Arc::new(applied.explaining(depth))).collect();
        let (settings, judged) = (self.guarding, tally.judged());
        Ok(Some(Guarded { applied, scope, asynchronous, tags, native, settings, judged }))
    }
}

/// The guardrail that a call names.
fn named<'a>(asked: &Asked<'a>) -> Result<Option<(&'a str, &'a str)>, Fault> {
    match (asked.guardrail, asked.version) {
        (Some(id), Some(version)) if !id.is_empty() && !version.is_empty() => Ok(Some((id, version))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(refused(GuardrailsError::IncorrectFormat)),
        (Some(_), None) => Err(Fault::validation("A guardrail identifier needs a guardrail version beside it.")),
        (None, Some(_)) => Err(Fault::validation("A guardrail version needs a guardrail identifier beside it.")),
    }
}

fn refused(error: GuardrailsError) -> Fault {
    Fault::of(&error)
}

impl Guarded {
    /// Judges what is asked. What is to be masked is masked in `request`, and what only guardrails read is taken out.
    pub(crate) async fn input(self, request: &mut ConverseRequest) -> Result<Passed, Fault> {
        let judging = self.looks(request)?;
        let passed = judging.judge().await?;
        if !passed.blocked {
            judging.mask(request, &passed);
        }
        Ok(passed)
    }

    /// Whether the model may be asked before the judgement is there: where it could not change what the model gets.
    pub(crate) fn beside(&self) -> bool {
        let masks = |sides: &Sides| sides.on(Side::Input) == Does::Mask;
        let masks = |applied: &Arc<Applied>| {
            let policy = applied.guard.policy();
            policy.pii.iter().any(|rule| masks(&rule.sides)) || policy.regexes.iter().any(|rule| masks(&rule.sides))
        };
        self.settings.input == InputTime::Beside && !self.applied.iter().any(masks)
    }

    /// Finds what there is to judge. What only guardrails read is taken out of `request`.
    pub(crate) fn looks(self, request: &mut ConverseRequest) -> Result<Judging, Fault> {
        request.guardrail_config = None;
        let looked = Looked::at(request, self.tags.as_ref());
        let beside = looked.beside();
        let compares = self.applied.iter().any(|applied| applied.guard.grounds(Side::Output));
        let has = |role: Role| beside.iter().any(|(is, _)| *is == role);
        if compares && !(has(Role::Source) && has(Role::Query)) {
            return Err(refused(GuardrailsError::NoGroundingSource));
        }
        if looked::images(request) {
            let mut blind = self.applied.iter().filter(|applied| applied.images && !applied.judges.lets_through());
            if let Some(applied) = blind.next() {
                return Err(Fault::new(Kind::NotImplemented, format!("The guardrail {} {NO_IMAGES}", applied.arn)));
            }
        }
        let asked = self.applied.iter().map(|applied| {
            let (passages, places) = looked.passages(applied.selective);
            (self.attacks(applied, &looked), passages, places)
        });
        let asked = asked.collect();
        Ok(Judging { guarded: self, looked, beside, asked })
    }

    /// In a model's own format attacks are looked for in what is tagged only: a whole prompt has instructions in it
    /// that are the caller's own ("Detect prompt attacks" of the user guide).
    fn attacks(&self, applied: &Arc<Applied>, looked: &Looked) -> Arc<Applied> {
        let filters = &applied.guard.policy().filters;
        let attacks = filters.iter().any(|filter| filter.category == Category::PromptAttack);
        if !self.native || looked.marked() || !attacks {
            return Arc::clone(applied);
        }
        Arc::new(applied.without(Category::PromptAttack))
    }
}

/// What came of judging beside a model.
pub(crate) enum Beside<T> {
    /// The input is blocked, whatever the model says.
    Instead(Passed, Box<ConverseResponse>),
    /// The model's answer.
    Answered(Passed, T),
}

/// Judges while `model` is asked. A block does not wait for it.
pub(crate) async fn beside<T>(
    judging: &Judging,
    model: impl Future<Output = Result<T, Fault>>,
) -> Result<Beside<T>, Fault> {
    let (judge, model) = (std::pin::pin!(judging.judge()), std::pin::pin!(model));
    match futures_util::future::select(judge, model).await {
        Either::Left((passed, model)) => {
            let passed = passed?;
            match passed.instead() {
                Some(response) => Ok(Beside::Instead(passed, Box::new(response))),
                None => Ok(Beside::Answered(passed, model.await?)),
            }
        }
        Either::Right((answer, judge)) => {
            let passed = judge.await?;
            match passed.instead() {
                Some(response) => Ok(Beside::Instead(passed, Box::new(response))),
                None => Ok(Beside::Answered(passed, answer?)),
            }
        }
    }
}

impl Judging {
    /// What the guardrails say.
    pub(crate) async fn judge(&self) -> Result<Passed, Fault> {
        let judging = self.asked.iter().map(|(applied, passages, _)| applied.inline(Side::Input, passages.clone()));
        let input = futures_util::future::try_join_all(judging).await.map_err(refused)?;
        let blocked = input.iter().any(|said| said.acted() == Acted::Blocked);
        let Guarded { applied, scope, asynchronous, settings, judged, .. } = &self.guarded;
        input.iter().for_each(|said| judged.add(said));
        Ok(Passed {
            applied: applied.clone(),
            scope: *scope,
            asynchronous: *asynchronous,
            pace: settings.pace,
            input,
            beside: self.beside.clone(),
            blocked,
            changed: AtomicBool::new(false),
            judged: judged.clone(),
        })
    }

    /// Puts their masks into `request`.
    fn mask(&self, request: &mut ConverseRequest, passed: &Passed) {
        if passed.input.iter().any(|said| said.acted() == Acted::Masked) {
            let said = passed.input.iter().zip(&self.asked).map(|(said, (_, _, places))| (&said.found, &places[..]));
            self.looked.mask(request, &said.collect::<Vec<_>>());
        }
    }
}

impl Passed {
    /// The answer of a guardrail that blocks what was asked.
    pub(crate) fn instead(&self) -> Option<ConverseResponse> {
        if !self.blocked {
            return None;
        }
        let blocks = self.input.iter().position(|said| said.acted() == Acted::Blocked);
        let text = blocks.and_then(|at| self.applied.get(at)).map_or("", |applied| applied.blocked(Side::Input));
        let content = vec![ContentBlock::Text(text.to_owned())];
        Some(ConverseResponse {
            output: ConverseOutput::Message(Message { role: ConversationRole::Assistant, content }),
            stop_reason: StopReason::GuardrailIntervened,
            trace: self.told(None).map(|guardrail| ConverseTrace { guardrail: Some(guardrail), ..Default::default() }),
            ..ConverseResponse::default()
        })
    }
}

/// The texts of a block that a model says.
fn said(block: &mut ContentBlock, f: &mut impl FnMut(&mut String)) {
    match block {
        ContentBlock::Text(text) => f(text),
        ContentBlock::CitationsContent(cited) => {
            for part in cited.content.iter_mut().flatten() {
                if let CitationGeneratedContent::Text(text) = part {
                    f(text);
                }
            }
        }
        _ => {}
    }
}
