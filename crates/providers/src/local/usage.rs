//! What of a prompt came from the cache, told only where the caller asked with a cache point.

use outcrop_api::bedrock_runtime::{
    CachePointBlock, CacheTTL, ContentBlock, ConverseRequest, SystemContentBlock, Tool,
};

/// How to report one call's prompt.
#[derive(Debug, Clone, Default)]
pub struct Accounting {
    /// Shorter prefixes than this are not reported, as on the model that the caller named.
    pub minimum: u32,
    /// The engine keeps prefixes in whole chunks of this many tokens.
    pub chunk: u32,
    /// How long the last cache point asked to keep its prefix; none without a cache point.
    pub ttl: Option<CacheTTL>,
}

impl Accounting {
    /// For `request`.
    pub fn of(request: &ConverseRequest, minimum: u32, chunk: u32) -> Self {
        Self { minimum, chunk, ttl: last_point(request).map(|p| p.ttl.clone().unwrap_or_else(|| CacheTTL::from("5m"))) }
    }

    /// Tokens read from the cache and tokens written to it; none where the caller did not ask, or the prefix is too
    /// short. Only what the engine really reuses counts: the part of a prefix beyond its last whole chunk never does.
    pub fn split(&self, usage: &outcrop_engine::Usage) -> Option<(u32, u32)> {
        self.ttl.as_ref()?;
        let point = usage.checkpoints.iter().copied().max()?.min(usage.prompt_tokens);
        if point < self.minimum {
            return None;
        }
        let kept = point - point % self.chunk.max(1);
        let read = usage.cached_tokens.min(kept);
        Some((read, kept - read))
    }
}

fn last_point(request: &ConverseRequest) -> Option<&CachePointBlock> {
    let tools = request.tool_config.iter().flat_map(|c| &c.tools).filter_map(|t| match t {
        Tool::CachePoint(point) => Some(point),
        _ => None,
    });
    let system = request.system.iter().flatten().filter_map(|b| match b {
        SystemContentBlock::CachePoint(point) => Some(point),
        _ => None,
    });
    let messages = request.messages.iter().flatten().flat_map(|m| &m.content).filter_map(|b| match b {
        ContentBlock::CachePoint(point) => Some(point),
        _ => None,
    });
    tools.chain(system).chain(messages).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use outcrop_engine::Usage;

    fn usage(cached: u32) -> Usage {
        Usage { prompt_tokens: 1000, cached_tokens: cached, checkpoints: vec![900], output_tokens: 0 }
    }

    #[test]
    fn a_second_call_reads_what_the_first_wrote() {
        let asked = Accounting { minimum: 500, chunk: 64, ttl: Some("5m".into()) };
        assert_eq!(asked.split(&usage(0)), Some((0, 896)));
        assert_eq!(asked.split(&usage(960)), Some((896, 0)));
        assert_eq!(asked.split(&usage(64)), Some((64, 832)));
        let told = asked.usage(&usage(64), 7);
        assert_eq!((told.input_tokens, told.output_tokens, told.total_tokens), (104, 7, 1007));
        assert_eq!(told.cache_details.map(|d| d.len()), Some(1));
    }

    #[test]
    fn silence_without_a_point_or_below_the_minimum() {
        let not_asked = Accounting { minimum: 0, chunk: 64, ttl: None };
        assert_eq!(not_asked.split(&usage(960)), None);
        let short = Accounting { minimum: 1024, chunk: 64, ttl: Some("5m".into()) };
        assert_eq!(short.split(&usage(960)), None);
        assert_eq!(short.usage(&usage(960), 1).input_tokens, 1000);
    }
}
