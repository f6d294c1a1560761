//! Why a guardrail judged as it did, as people and programs read it: the door of `outcrop guardrail explain` and the
//! extension member `outcropExplanation` of assessments show the same.

use outcrop_guard::Acted;
use outcrop_guard::explain::Explained;
use serde_json::{Value, json};

use crate::judgement::{confidence, masked, strength};

/// One entry. Offsets count characters of the text that they are in.
pub fn shown(entry: &Explained) -> Value {
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    json!({
        "policy": entry.policy,
        "name": entry.name,
        "score": entry.score.map(rounded),
        "threshold": entry.threshold.map(rounded),
        "confidence": entry.confidence.map(|(found, _)| confidence(found)),
        "strength": entry.confidence.map(|(_, wanted)| strength(wanted)),
        "action": masked(entry.acted),
        "detected": entry.detected,
        "at": entry.at.as_ref().map(|at| json!({"start": at.start, "end": at.end, "text": at.text})),
        "because": entry.because,
    })
}

/// `action` of all entries together.
pub fn action(acted: Acted) -> &'static str {
    if acted == Acted::None { "NONE" } else { "GUARDRAIL_INTERVENED" }
}
