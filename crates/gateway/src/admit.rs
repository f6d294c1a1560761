//! The one way into a model: every call, on whichever path, is admitted here.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_admission::Call;
use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{ContentBlock, ConverseRequest, SystemContentBlock, ToolResultContentBlock};
use outcrop_models::Resolved;
use outcrop_telemetry::Tokens;
use rust_decimal::Decimal;

use crate::Gateway;
use crate::capacity::Estimate;
use crate::meter::Tally;
use crate::routing::Plan;

/// Below that, no provider keeps a prompt in its cache: Bedrock's models want 1,024 tokens or more.
const PREFIX_BYTES: usize = 4_096;

/// What a call wants.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// Tokens.
    pub estimate: Estimate,
    /// Images to be made.
    pub images: u64,
    /// Queries of a reranker.
    pub queries: u64,
    /// The most tokens that the caller asked for.
    pub max_tokens: Option<u64>,
    /// The tier in which it is charged; the standard one where it names none.
    pub tier: Option<&'a str>,
    /// The call's own metadata.
    pub metadata: Option<&'a BTreeMap<String, String>>,
    /// The conversation, where it is one that was read.
    pub conversation: Option<&'a ConverseRequest>,
}

impl<'a> Wanted<'a> {
    /// What a conversation wants.
    pub fn of(request: &'a ConverseRequest, resolved: &Resolved) -> Self {
        let asked = request.inference_config.as_ref().and_then(|config| config.max_tokens);
        Self {
            estimate: Estimate::of(request, &resolved.model),
            max_tokens: asked.and_then(|tokens| u64::try_from(tokens).ok()),
            tier: request.service_tier.as_ref().map(|tier| tier.r#type.as_str()),
            metadata: request.request_metadata.as_ref(),
            conversation: Some(request),
            ..Self::default()
        }
    }

    /// What a call wants that only reads.
    pub fn reads(estimate: Estimate) -> Self {
        Self { estimate, ..Self::default() }
    }
}

impl Gateway {
    /// Lets a call of `resolved` in, or says what keeps it out. `tally` holds what is reserved for it, and settles it
    /// when the call is over.
    pub(crate) async fn admit(
        &self,
        cx: &Context,
        (resolved, plan): (&Resolved, &Plan),
        wanted: Wanted<'_>,
        tally: &mut Tally,
    ) -> Result<(), Fault> {
        let estimate = wanted.estimate;
        let place = self.capacity.admit(&self.models, resolved, estimate)?;
        let role = cx.caller.role_arn();
        let call = Call {
            account: &cx.caller.account,
            region: &cx.region,
            key: Some(cx.caller.key()),
            principal: role.as_deref().unwrap_or(&cx.caller.arn),
            tags: tally.tags(),
            metadata: wanted.metadata,
            model: &resolved.model.id,
            model_name: &resolved.model.name,
            maker: &resolved.model.provider,
            cross_region: crosses(resolved),
            provisioned: resolved.provisioned.is_some(),
            input: estimate.input,
            output: estimate.output,
            cost: self.most(cx, resolved, plan, &wanted),
            likeness: wanted.conversation.filter(|_| self.admission.looks_for_loops()).map(likeness),
        };
        let permit = self.admission.admit(&call).await?;
        tally.admitted(&wanted, plan, place, permit);
        Ok(())
    }

    /// The most that the call can cost, whoever of `plan` answers; none where one of them has no price.
    fn most(&self, cx: &Context, resolved: &Resolved, plan: &Plan, wanted: &Wanted<'_>) -> Option<Decimal> {
        if resolved.provisioned.is_some() {
            return Some(Decimal::ZERO);
        }
        let (now, tier) = (Timestamp::now(), wanted.tier.unwrap_or("default"));
        let Estimate { input, output } = wanted.estimate;
        let mut most = Decimal::ZERO;
        for provider in plan.providers() {
            let rates = self.prices.rates(&resolved.model.id, provider, &cx.region, tier, now)?;
            let apart = rates.cost(&Tokens::default(), wanted.images, wanted.queries);
            most = most.max(rates.most(input, output).saturating_add(apart));
        }
        Some(most)
    }
}

/// Whether a call counts against the quotas of cross-Region inference: one of a profile that reaches beyond its Region.
pub(crate) fn crosses(resolved: &Resolved) -> bool {
    resolved.anywhere || resolved.destinations.len() > 1
}

/// What nearly identical conversations have in common: the system prompt and the last message, tool results included.
fn likeness(request: &ConverseRequest) -> u64 {
    let system = request.system.iter().flatten().filter_map(|block| match block {
        SystemContentBlock::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let last = request.messages.iter().flatten().last();
    let said = last.into_iter().flat_map(|message| &message.content).filter_map(|block| match block {
        ContentBlock::Text(text) => Some(text.as_str()),
        ContentBlock::ToolResult(result) => result.content.iter().find_map(|part| match part {
            ToolResultContentBlock::Text(text) => Some(text.as_str()),
            _ => None,
        }),
        _ => None,
    });
    outcrop_admission::loops::likeness(system.chain(said))
}

/// A hash of the beginning of a prompt, where that is long enough to be worth a cache point. It means nothing outside
/// this process.
pub(crate) fn prefix(request: &ConverseRequest) -> Option<u64> {
    let system = request.system.iter().flatten().filter_map(|block| match block {
        SystemContentBlock::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let blocks = request.messages.iter().flatten().flat_map(|message| &message.content);
    let texts = blocks.filter_map(|block| match block {
        ContentBlock::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let mut left = PREFIX_BYTES;
    let mut hasher = DefaultHasher::new();
    for text in system.chain(texts) {
        let taken = &text.as_bytes()[..text.len().min(left)];
        taken.hash(&mut hasher);
        left -= taken.len();
        if left == 0 {
            return Some(hasher.finish());
        }
    }
    None
}
