//! A model as the rest of the server sees it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::Routes;

/// One foundation model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The id: `anthropic.claude-3-haiku-20240307-v1:0`.
    pub id: String,
    /// The name: `Claude 3 Haiku`.
    pub name: String,
    /// Who made it: `Anthropic`.
    pub provider: String,
    /// What it has in common with its family.
    pub family: Arc<Family>,
    /// Input modalities, in Bedrock's words: `TEXT`, `IMAGE`, `VIDEO`, `AUDIO`, `SPEECH`.
    pub input: Vec<String>,
    /// Output modalities, likewise; `EMBEDDING` too.
    pub output: Vec<String>,
    /// Whether the streaming operations take it.
    pub streaming: bool,
    /// `FINE_TUNING`, `CONTINUED_PRE_TRAINING`, `DISTILLATION`.
    pub customizations: Vec<String>,
    /// Whether throughput can be bought for the base id.
    pub provisioned: bool,
    /// Only AWS's `bedrock-mantle` endpoint lists it.
    pub mantle: bool,
    /// The Regions that serve the base id on demand.
    pub regions: Vec<String>,
    /// The cross-Region profiles, by geography.
    pub profiles: BTreeMap<Geography, Arc<Routes>>,
    /// Suffixes that name the same model with a narrower window: `:48k`, `:0:18k`.
    pub variants: Vec<String>,
    /// How many tokens it reads and writes together.
    pub context: Option<u32>,
    /// How many tokens it writes at most.
    pub max_output: Option<u32>,
    /// Prompt caching; absent where there is none.
    pub cache: Option<Cache>,
    /// Of an embedding model: the lengths of its vectors.
    pub dimensions: Option<Dimensions>,
    /// The list price.
    pub price: Option<Price>,
    /// Where it stands in its life.
    pub lifecycle: Lifecycle,
    /// AWS does not have it: it runs on this machine, or one of this server's providers has it. It is offered in every
    /// Region, without agreements.
    pub local: bool,
}

impl Model {
    /// Whether the base id can be called in `region` without a profile.
    pub fn on_demand_in(&self, region: &str) -> bool {
        self.local || self.regions.iter().any(|r| r == region)
    }

    /// Whether `region` offers the model at all, by its id or by a profile.
    pub fn offered_in(&self, region: &str) -> bool {
        self.on_demand_in(region) || self.profiles.values().any(|routes| routes.from(region).is_some())
    }

    /// Whether it can be called on demand anywhere: if not, callers need a profile.
    pub fn on_demand(&self) -> bool {
        self.local || !self.regions.is_empty()
    }

    /// Whether it answers with vectors.
    pub fn embeds(&self) -> bool {
        self.output.iter().any(|m| m == "EMBEDDING")
    }

    /// Whether it answers with documents in order, which AWS has no modality for and calls text.
    pub fn ranks(&self) -> bool {
        matches!(self.family.dialect, Dialect::AmazonRerank | Dialect::CohereRerank)
    }

    /// Whether it answers with text.
    pub fn writes_text(&self) -> bool {
        self.output.iter().any(|m| m == "TEXT") && !self.ranks()
    }
}

/// The geography of a system-defined inference profile, as its prefix names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Geography {
    /// Asia and the Pacific.
    Apac,
    /// Australia and New Zealand.
    Au,
    /// Canada.
    Ca,
    /// The European Union and its neighbours.
    Eu,
    /// Every commercial Region.
    Global,
    /// India.
    In,
    /// Japan.
    Jp,
    /// The United States.
    Us,
    /// AWS GovCloud (US).
    UsGov,
}

impl Geography {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::Apac, Self::Au, Self::Ca, Self::Eu, Self::Global, Self::In, Self::Jp, Self::Us, Self::UsGov];

    /// The prefix of the profile's id, without the dot.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Apac => "apac",
            Self::Au => "au",
            Self::Ca => "ca",
            Self::Eu => "eu",
            Self::Global => "global",
            Self::In => "in",
            Self::Jp => "jp",
            Self::Us => "us",
            Self::UsGov => "us-gov",
        }
    }

    /// The geography and the rest of a profile id: `us.amazon.nova-pro-v1:0`.
    pub fn split(id: &str) -> Option<(Self, &str)> {
        let (prefix, rest) = id.split_once('.')?;
        let geography = Self::ALL.into_iter().find(|g| g.prefix() == prefix)?;
        // `us.` must be followed by a whole model id: `provider.model`.
        rest.contains('.').then_some((geography, rest))
    }
}

impl fmt::Display for Geography {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix())
    }
}

/// What models of one family have in common.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// The body that InvokeModel takes and gives.
    pub dialect: Dialect,
    /// Converse takes it.
    #[serde(default)]
    pub converse: bool,
    /// A system prompt is allowed.
    #[serde(default)]
    pub system: bool,
    /// Tools are allowed.
    #[serde(default)]
    pub tools: bool,
    /// Tools are allowed while streaming.
    #[serde(default)]
    pub stream_tools: bool,
    /// Document blocks are allowed.
    #[serde(default)]
    pub documents: bool,
    /// It can show its reasoning.
    #[serde(default)]
    pub reasoning: bool,
    /// CountTokens takes it.
    #[serde(default)]
    pub count_tokens: bool,
    /// The first message must be the user's.
    #[serde(default)]
    pub user_first: bool,
    /// Roles must alternate; else consecutive messages of one role are joined.
    #[serde(default)]
    pub alternate: bool,
    /// One user message, no conversation.
    #[serde(default)]
    pub single_turn: bool,
    /// Text may stand beside tool use and tool results in one message.
    #[serde(default)]
    pub tool_with_text: bool,
    /// Who refuses a blank text block, if anybody does.
    #[serde(default)]
    pub blank_text: Option<BlankText>,
}

/// Whose words refuse a blank text block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlankText {
    /// Converse itself: `The text field in the ContentBlock object at … is blank.`
    Converse,
    /// The model's own API: `messages: text content blocks must be non-empty`.
    Anthropic,
}

/// The body that InvokeModel takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the name of a provider's own format")]
pub enum Dialect {
    AnthropicMessages,
    AnthropicText,
    Nova,
    NovaEmbed,
    NovaReel,
    NovaSonic,
    TitanText,
    TitanEmbedV1,
    TitanEmbedV2,
    TitanMultimodalEmbed,
    TitanImage,
    NovaCanvas,
    AmazonRerank,
    CohereCommand,
    CommandR,
    CohereEmbedV3,
    CohereEmbedV4,
    CohereRerank,
    Llama,
    MistralText,
    MistralChat,
    #[serde(rename = "deepseek")]
    DeepSeek,
    #[serde(rename = "openai-chat")]
    OpenAiChat,
    Qwen,
    Jamba,
    #[serde(rename = "ai21-j2")]
    Ai21J2,
    Writer,
    StabilityImage,
    StabilitySdxl,
    Pegasus,
    Marengo,
    LumaRay,
}

impl Dialect {
    /// The key of the catalogue's files, by which `outcrop-dialects` knows the codec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnthropicMessages => "anthropic-messages",
            Self::AnthropicText => "anthropic-text",
            Self::Nova => "nova",
            Self::NovaEmbed => "nova-embed",
            Self::NovaReel => "nova-reel",
            Self::NovaSonic => "nova-sonic",
            Self::TitanText => "titan-text",
            Self::TitanEmbedV1 => "titan-embed-v1",
            Self::TitanEmbedV2 => "titan-embed-v2",
            Self::TitanMultimodalEmbed => "titan-multimodal-embed",
            Self::TitanImage => "titan-image",
            Self::NovaCanvas => "nova-canvas",
            Self::AmazonRerank => "amazon-rerank",
            Self::CohereCommand => "cohere-command",
            Self::CommandR => "command-r",
            Self::CohereEmbedV3 => "cohere-embed-v3",
            Self::CohereEmbedV4 => "cohere-embed-v4",
            Self::CohereRerank => "cohere-rerank",
            Self::Llama => "llama",
            Self::MistralText => "mistral-text",
            Self::MistralChat => "mistral-chat",
            Self::DeepSeek => "deepseek",
            Self::OpenAiChat => "openai-chat",
            Self::Qwen => "qwen",
            Self::Jamba => "jamba",
            Self::Ai21J2 => "ai21-j2",
            Self::Writer => "writer",
            Self::StabilityImage => "stability-image",
            Self::StabilitySdxl => "stability-sdxl",
            Self::Pegasus => "pegasus",
            Self::Marengo => "marengo",
            Self::LumaRay => "luma-ray",
        }
    }
}

/// Prompt caching of a model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// The fewest tokens before a cache checkpoint.
    pub minimum: u32,
    /// The times to live that a checkpoint may ask for: `5m`, `1h`.
    pub ttl: Vec<String>,
}

/// The lengths of an embedding model's vectors.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimensions {
    /// The length when the caller asks for none.
    pub default: u32,
    /// The lengths that the caller may ask for.
    pub allowed: Vec<u32>,
}

/// The list price in US dollars: on demand, standard tier, a Region in the United States.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// For 1,000,000 input tokens.
    pub input: Option<Decimal>,
    /// For 1,000,000 output tokens.
    pub output: Option<Decimal>,
    /// For 1,000,000 tokens read from the cache.
    pub cache_read: Option<Decimal>,
    /// For 1,000,000 tokens written to the cache for five minutes.
    pub cache_write: Option<Decimal>,
    /// For 1,000,000 tokens written to the cache for an hour.
    pub cache_write_1h: Option<Decimal>,
    /// For one query, of a reranker.
    pub query: Option<Decimal>,
    /// For one image.
    pub image: Option<Decimal>,
    /// The month in which the price was read: `2026-11`.
    pub as_of: String,
}

/// Where a model stands in its life.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// Its state, as AWS reports it.
    #[serde(default)]
    pub status: Status,
    /// The launch on Bedrock.
    pub start: Option<Date>,
    /// The day on which its end was announced.
    pub legacy: Option<Date>,
    /// The day on which extended access, at a higher price, began.
    pub extended: Option<Date>,
    /// The day after which AWS no longer answers for it.
    pub end: Option<Date>,
}

/// AWS knows two states; a model past its end is simply gone there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// For use.
    #[default]
    Active,
    /// On its way out, or gone.
    Legacy,
}

impl Lifecycle {
    /// Whether AWS no longer answers for the model on `day`.
    pub fn ended(&self, day: Date) -> bool {
        self.end.is_some_and(|end| day > end)
    }
}
