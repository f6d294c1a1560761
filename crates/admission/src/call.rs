//! What a decision is made from.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

/// A call of a model that wants to begin.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Whose call it is.
    pub account: &'a str,
    /// The Region that is called.
    pub region: &'a str,
    /// The access key or API key.
    pub key: Option<&'a str>,
    /// The caller's ARN; the role's where a role was assumed.
    pub principal: &'a str,
    /// Tags: those of the application inference profile that is called, over those of the caller.
    pub tags: &'a BTreeMap<String, String>,
    /// The call's own `requestMetadata`.
    pub metadata: Option<&'a BTreeMap<String, String>>,
    /// The catalogue's id of the model: `anthropic.claude-3-haiku-20240307-v1:0`.
    pub model: &'a str,
    /// The model's name: `Claude 3 Haiku`.
    pub model_name: &'a str,
    /// Who made the model: `Anthropic`.
    pub maker: &'a str,
    /// The call may run in several Regions: it counts against the quotas of cross-Region inference.
    pub cross_region: bool,
    /// The call uses provisioned throughput, which on-demand quotas do not count.
    pub provisioned: bool,
    /// Tokens that it reads, as estimated.
    pub input: u64,
    /// The most tokens that it may write.
    pub output: u64,
    /// The most that it may cost, in US dollars; none where the model has no price.
    pub cost: Option<Decimal>,
    /// A hash of the conversation that near-identical calls have in common; none where nobody looks.
    pub likeness: Option<u64>,
}

/// What a call really took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    /// Tokens read, those of a cache apart.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Tokens read from a cache.
    pub cache_read: u64,
    /// Tokens written to a cache.
    pub cache_write: u64,
    /// US dollars; none where the model has no price.
    pub cost: Option<Decimal>,
}
