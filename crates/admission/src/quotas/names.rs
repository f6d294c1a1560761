//! What AWS calls its quotas of model inference.

use sha2::{Digest, Sha256};

use super::settings::OfModel;

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Tokens a minute.
    TokensPerMinute,
    /// Tokens a day. One quota serves both kinds of inference: cross-Region calls have twice its value.
    TokensPerDay,
    /// Requests a minute.
    RequestsPerMinute,
}

/// One of AWS's quotas of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota<'a> {
    /// What it counts.
    pub metric: Metric,
    /// Of cross-Region inference; else of inference on demand.
    pub cross_region: bool,
    /// The model's base id.
    pub model: &'a str,
    /// The model's name: `Claude 3 Haiku`.
    pub model_name: &'a str,
    /// Who made it: `Anthropic`.
    pub maker: &'a str,
}

/// Models whose names in Service Quotas are not maker and name.
const NAMES: [(&str, &str); 5] = [
    ("anthropic.claude-3-5-sonnet-20240620-v1:0", "Anthropic Claude 3.5 Sonnet"),
    ("anthropic.claude-3-5-sonnet-20241022-v2:0", "Anthropic Claude 3.5 Sonnet V2"),
    ("anthropic.claude-sonnet-4-20250514-v1:0", "Anthropic Claude Sonnet 4 V1"),
    ("anthropic.claude-sonnet-4-5-20250929-v1:0", "Anthropic Claude Sonnet 4.5 V1"),
    ("anthropic.claude-opus-4-6-v1", "Anthropic Claude Opus 4.6 V1"),
];

/// AWS's own codes, as far as they were seen in public, by the quota's whole name. AWS lists them nowhere.
pub(super) const CODES: [(&str, &str); 29] = [
    ("Cross-region model inference requests per minute for Anthropic Claude 3.5 Sonnet", "L-F457545D"),
    ("Cross-region model inference requests per minute for Anthropic Claude 3.5 Sonnet V2", "L-1D3E59A3"),
    ("Cross-region model inference requests per minute for Anthropic Claude Haiku 4.5", "L-CCA5DF70"),
    ("Cross-region model inference requests per minute for Anthropic Claude Opus 4.5", "L-27989F42"),
    ("Cross-region model inference requests per minute for Anthropic Claude Opus 4.6 V1", "L-11DFF789"),
    ("Cross-region model inference requests per minute for Anthropic Claude Sonnet 4 V1", "L-559DCC33"),
    ("Cross-region model inference requests per minute for Anthropic Claude Sonnet 4.6", "L-00FF3314"),
    ("Cross-region model inference tokens per minute for Amazon Nova Lite", "L-7C42E72A"),
    ("Cross-region model inference tokens per minute for Anthropic Claude 3.5 Sonnet", "L-479B647F"),
    ("Cross-region model inference tokens per minute for Anthropic Claude 3.5 Sonnet V2", "L-FF8B4E28"),
    ("Cross-region model inference tokens per minute for Anthropic Claude Haiku 4.5", "L-58BE175A"),
    ("Cross-region model inference tokens per minute for Anthropic Claude Opus 4.6 V1", "L-0AD9BBE8"),
    ("Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4 V1", "L-59759B4A"),
    ("Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.6", "L-15B8E632"),
    (
        "Model invocation max tokens per day for Anthropic Claude Haiku 4.5 (doubled for cross-region calls)",
        "L-6120CF2D",
    ),
    (
        "Model invocation max tokens per day for Anthropic Claude Opus 4.6 V1 (doubled for cross-region calls)",
        "L-82CD9B28",
    ),
    (
        "Model invocation max tokens per day for Anthropic Claude Sonnet 4.6 (doubled for cross-region calls)",
        "L-B29C9321",
    ),
    ("On-demand model inference requests per minute for Amazon Titan Text Embeddings V2", "L-26C560CE"),
    ("On-demand model inference requests per minute for Anthropic Claude 3 Haiku", "L-2DC80978"),
    ("On-demand model inference requests per minute for Anthropic Claude 3.5 Sonnet", "L-254CACF4"),
    ("On-demand model inference requests per minute for Anthropic Claude 3.5 Sonnet V2", "L-79E773B3"),
    ("On-demand model inference tokens per minute for Amazon Nova Lite", "L-70423BF8"),
    ("On-demand model inference tokens per minute for Amazon Nova Micro", "L-CFA4FA0D"),
    ("On-demand model inference tokens per minute for Amazon Nova Pro", "L-CE33604C"),
    ("On-demand model inference tokens per minute for Amazon Titan Text Embeddings", "L-74B5B793"),
    ("On-demand model inference tokens per minute for Amazon Titan Text Embeddings V2", "L-DE641971"),
    ("On-demand model inference tokens per minute for Anthropic Claude 3 Haiku", "L-8CE99163"),
    ("On-demand model inference tokens per minute for Anthropic Claude 3.5 Sonnet", "L-A50569E5"),
    ("On-demand model inference tokens per minute for Anthropic Claude 3.5 Sonnet V2", "L-AD41C330"),
];

impl Quota<'_> {
    fn of_what(&self) -> String {
        let known = NAMES.iter().find(|(id, _)| *id == self.model);
        known.map_or_else(|| format!("{} {}", self.maker, self.model_name), |(_, name)| (*name).to_owned())
    }

    /// Its name in Service Quotas.
    pub fn name(&self) -> String {
        let model = self.of_what();
        let kind = if self.cross_region { "Cross-region" } else { "On-demand" };
        match self.metric {
            Metric::TokensPerMinute => format!("{kind} model inference tokens per minute for {model}"),
            Metric::RequestsPerMinute => format!("{kind} model inference requests per minute for {model}"),
            Metric::TokensPerDay => {
                format!("Model invocation max tokens per day for {model} (doubled for cross-region calls)")
            }
        }
    }

    /// Its code. Where AWS's is not known, one that follows from the name and so never changes.
    pub fn code(&self) -> String {
        let name = self.name();
        if let Ok(at) = CODES.binary_search_by(|(known, _)| known.cmp(&name.as_str())) {
            return CODES[at].1.to_owned();
        }
        let digest = Sha256::digest(name.as_bytes());
        digest.iter().take(4).fold("L-".to_owned(), |code, byte| format!("{code}{byte:02X}"))
    }

    /// What Service Quotas says about it.
    pub fn description(&self) -> String {
        let model = self.of_what();
        let kind = if self.cross_region { "cross-region" } else { "on-demand" };
        let calls = "Converse, ConverseStream, InvokeModel and InvokeModelWithResponseStream";
        let text = match self.metric {
            Metric::TokensPerMinute => format!(
                "The maximum number of {kind} tokens that you can submit for model inference in one minute for {model}. \
                 The quota considers the combined sum of input and output tokens across all requests to {calls}."
            ),
            Metric::RequestsPerMinute => format!(
                "The maximum number of {kind} requests that you can submit for model inference in one minute for \
                 {model}. The quota considers the combined sum of requests to {calls}."
            ),
            Metric::TokensPerDay => format!(
                "Daily maximum tokens for model inference for {model}. Combines sum of input and output tokens across \
                 all requests to {calls}. Doubled for cross-region calls."
            ),
        };
        // The service's own bound.
        text.chars().take(350).collect()
    }

    /// Its value among `of`; none where it is not limited.
    pub(super) fn value(&self, of: &OfModel) -> Option<u64> {
        let limits = of.limits(self.cross_region);
        match self.metric {
            Metric::TokensPerMinute => limits.tokens_per_minute,
            Metric::RequestsPerMinute => limits.requests_per_minute,
            // The value is that of calls on demand; a model that has cross-Region inference only has half of theirs.
            Metric::TokensPerDay => {
                of.limits(false).tokens_per_day.or_else(|| Some(of.limits(true).tokens_per_day?.div_ceil(2)))
            }
        }
    }

    /// Whether callers may ask for more: a day follows from its minutes, or is the operator's.
    pub fn adjustable(&self) -> bool {
        self.metric != Metric::TokensPerDay
    }

    /// Sets its value.
    pub(super) fn set(&self, of: &mut OfModel, value: u64) {
        let place = match (self.metric, self.cross_region) {
            (Metric::TokensPerMinute, false) => &mut of.tokens_per_minute,
            (Metric::TokensPerMinute, true) => &mut of.cross_region_tokens_per_minute,
            (Metric::RequestsPerMinute, false) => &mut of.requests_per_minute,
            (Metric::RequestsPerMinute, true) => &mut of.cross_region_requests_per_minute,
            (Metric::TokensPerDay, _) => &mut of.tokens_per_day,
        };
        *place = Some(value);
    }
}
