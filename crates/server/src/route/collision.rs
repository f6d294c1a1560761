//! Two operations, one path.

use outcrop_api::{Service, Spec};
use outcrop_wire::text::percent_decode;

use super::{Asked, Found, Rank};

/// An operation whose template fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) spec: &'static Spec,
    pub(super) rank: Rank,
}

/// The one that answers.
pub(super) fn choose(mut found: Found, path: &str, asked: &Asked<'_>) -> Option<&'static Spec> {
    if let Some((service, pins)) = asked.host.and_then(service_of_host)
        && (pins || found.iter().any(|candidate| candidate.spec.service == service))
    {
        found.retain(|candidate| candidate.spec.service == service);
    }
    let mut all = found.iter();
    let first = all.next()?;
    let best = all.fold(*first, |best, other| {
        // Literals are walked before labels, so of two equals the first stays.
        match tell_apart(best.spec, other.spec, path, asked) {
            Some(true) => best,
            Some(false) => *other,
            None if other.rank < best.rank => *other,
            None => best,
        }
    });
    Some(best.spec)
}

/// The service that a host name of AWS's form names (`AWS_ENDPOINT_URL_BEDROCK_AGENT=http://bedrock-agent.…`, or DNS
/// in front), and whether it is the only one there. `bedrock.example.com` may well serve all four, so that one only
/// prefers, unless a Region follows it.
fn service_of_host(host: &str) -> Option<(Service, bool)> {
    let (first, rest) = host.split_once('.')?;
    let service = Service::ALL.into_iter().find(|service| first.eq_ignore_ascii_case(service.prefix()))?;
    let second = rest.split('.').next().unwrap_or_default();
    let region = second.contains('-') && second.ends_with(|c: char| c.is_ascii_digit());
    Some((service, service != Service::Bedrock || region))
}

/// Whether it is `a` rather than `b`, for the five pairs of operations that can claim the same path; `None` for all
/// others, which the slash at the end decides.
fn tell_apart(a: &Spec, b: &Spec, path: &str, asked: &Asked<'_>) -> Option<bool> {
    match (a.name, b.name) {
        // PrepareAgent never has a body, InvokeInlineAgent always: `foundationModel` and `instruction` are required.
        // Stronger than the slash, which some SDKs drop.
        ("PrepareAgent", "InvokeInlineAgent") => Some(!asked.has_body),
        ("InvokeInlineAgent", "PrepareAgent") => Some(asked.has_body),
        // `validate-definition` cannot be a flow's id. But with PrepareFlow's own slash and without a body it is a
        // mistaken PrepareFlow, which is told so.
        ("ValidateFlowDefinition", "PrepareFlow") => Some(asked.has_body || !path.ends_with('/')),
        ("PrepareFlow", "ValidateFlowDefinition") => Some(!asked.has_body && path.ends_with('/')),
        // The same three operations in two services. Only sessions belong to the runtime.
        ("ListTagsForResource" | "TagResource" | "UntagResource", same) if same == a.name => {
            let arn = path.strip_prefix("tags/").and_then(percent_decode).unwrap_or_default();
            let session = arn.split(':').nth(5).is_some_and(|resource| resource.starts_with("session/"));
            Some((a.service == Service::BedrockAgentRuntime) == session)
        }
        _ => None,
    }
}
