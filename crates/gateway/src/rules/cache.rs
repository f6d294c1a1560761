//! Cache checkpoints: at most four, and those that live longer come first. Both are told in the provider's words,
//! which count blocks with `cache_control`.

use super::{Check, refuse};
use outcrop_api::bedrock_runtime::{
    CachePointBlock, CacheTTL, ContentBlock, ConverseRequest, SystemContentBlock, Tool,
};

/// The user guide's limit for Claude, the only one that it gives.
const MOST: usize = 4;

pub(super) fn check(request: &ConverseRequest) -> Check {
    let points = points(request);
    if points.len() > MOST {
        return refuse(format!(
            "The model returned the following errors: A maximum of {MOST} blocks with cache_control may be provided. \
             Found {}.",
            points.len()
        ));
    }
    let mut short = false;
    for (at, point) in &points {
        match point.ttl {
            Some(CacheTTL::V1h) if short => {
                return refuse(format!(
                    "The model returned the following errors: {at}.cache_control.ttl: a ttl='1h' cache_control block \
                     must not come after a ttl='5m' cache_control block. Note that blocks are processed in the \
                     following order: `tools`, `system`, `messages`."
                ));
            }
            Some(CacheTTL::V1h) => {}
            _ => short = true,
        }
    }
    Ok(())
}

/// The checkpoints in the order in which a prompt is read.
fn points(request: &ConverseRequest) -> Vec<(String, &CachePointBlock)> {
    let mut points = Vec::new();
    for (i, tool) in request.tool_config.iter().flat_map(|c| &c.tools).enumerate() {
        if let Tool::CachePoint(point) = tool {
            points.push((format!("tools.{i}"), point));
        }
    }
    for (i, block) in request.system.iter().flatten().enumerate() {
        if let SystemContentBlock::CachePoint(point) = block {
            points.push((format!("system.{i}"), point));
        }
    }
    for (i, message) in request.messages.iter().flatten().enumerate() {
        for (j, block) in message.content.iter().enumerate() {
            if let ContentBlock::CachePoint(point) = block {
                points.push((format!("messages.{i}.content.{j}"), point));
            }
        }
    }
    points
}
