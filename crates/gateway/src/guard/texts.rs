//! Guardrails on calls that are no conversation: vectors, ranks and images.
//!
//! Such a call cannot name a guardrail, and those that are enforced judge the texts that go to the model. What they mask
//! is masked. An answer has no place for a message, so a block refuses the call with it.

use outcrop_access::Context;
use outcrop_api::{Fault, Kind};
use outcrop_guard::content::Category;
use outcrop_guard::{Acted, Mask, Side, mask};
use outcrop_guardrails::OwnedPassage;
use outcrop_models::Resolved;

use super::refused;
use crate::Gateway;
use crate::meter::Judged;

/// Names, beside an error, the enforced guardrail that blocked what the call says.
pub const BLOCKED_BY: &str = "x-outcrop-blocked-by";

/// Whether an enforced guardrail blocked what the call says.
pub fn blocked(fault: &Fault) -> bool {
    fault.headers.iter().any(|(name, _)| *name == BLOCKED_BY)
}

impl Gateway {
    /// Whether guardrails are enforced on calls of `resolved`.
    pub(crate) async fn enforces(&self, cx: &Context, resolved: &Resolved) -> Result<bool, Fault> {
        let Some(guardrails) = &self.guardrails else { return Ok(false) };
        let enforced = guardrails.enforced(cx, &resolved.model.id).await.map_err(refused)?;
        Ok(!enforced.is_empty())
    }

    /// Judges `texts` on their way to `resolved`, and masks in them what is to be masked.
    pub(crate) async fn guard_texts<'t>(
        &self,
        cx: &Context,
        resolved: &Resolved,
        texts: impl IntoIterator<Item = &'t mut String>,
        judged: &Judged,
    ) -> Result<(), Fault> {
        let Some(guardrails) = &self.guardrails else { return Ok(()) };
        let enforced = guardrails.enforced(cx, &resolved.model.id).await.map_err(refused)?;
        if enforced.is_empty() {
            return Ok(());
        }
        let mut texts: Vec<&mut String> = texts.into_iter().collect();
        let passages: Vec<OwnedPassage> = texts.iter().map(|text| OwnedPassage::content(text.as_str())).collect();
        let mut said = Vec::new();
        for applied in enforced {
            // As with every body in a model's own format: nothing is marked, so attacks are not looked for.
            let applied = applied.without(Category::PromptAttack);
            let judgement = applied.inline(Side::Input, passages.clone()).await.map_err(refused)?;
            judged.add(&judgement);
            if judgement.acted() == Acted::Blocked {
                let fault = Fault::new(Kind::Validation, applied.blocked(Side::Input));
                return Err(fault.with(BLOCKED_BY, &applied.arn));
            }
            said.push(judgement);
        }
        for (at, text) in texts.iter_mut().enumerate() {
            let masks: Vec<Mask<'_>> = said.iter().flat_map(|said| said.found.masks(at)).collect();
            if let Some(masked) = mask(text, masks) {
                **text = masked;
            }
        }
        Ok(())
    }
}

/// `body` with the second of a change in place of every string that is the first.
pub(crate) fn replaced(body: &[u8], changes: &[(String, String)]) -> Option<bytes::Bytes> {
    fn walk(value: &mut serde_json::Value, changes: &[(String, String)]) {
        match value {
            serde_json::Value::String(text) => {
                if let Some((_, masked)) = changes.iter().find(|(from, _)| from == text) {
                    text.clone_from(masked);
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| walk(item, changes)),
            serde_json::Value::Object(members) => members.values_mut().for_each(|value| walk(value, changes)),
            _ => {}
        }
    }
    let mut value: serde_json::Value = serde_json::from_slice(body).ok()?;
    walk(&mut value, changes);
    Some(value.to_string().into())
}
