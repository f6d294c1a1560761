//! An answer that came whole.

use futures_util::future::try_join_all;
use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{ContentBlock, ConverseOutput, ConverseResponse, ConverseTrace, StopReason};
use outcrop_guard::{Acted, Mask, Side, mask};
use outcrop_guardrails::OwnedPassage;

use super::told::Output;
use super::{Passed, refused, said};

impl Passed {
    /// `response` as the caller may see it. `native` writes it as the model itself would: so traces show what was
    /// changed.
    pub(crate) async fn whole(
        &self,
        mut response: ConverseResponse,
        native: impl FnOnce(&ConverseResponse) -> Option<String>,
    ) -> Result<ConverseResponse, Fault> {
        if self.blocked {
            return Ok(response);
        }
        let mut texts = Vec::new();
        if let ConverseOutput::Message(message) = &mut response.output {
            message.content.iter_mut().for_each(|block| said(block, &mut |text| texts.push(text.clone())));
        }
        let judging = self.applied.iter().map(|applied| {
            let mut passages: Vec<OwnedPassage> = texts.iter().map(OwnedPassage::content).collect();
            if applied.guard.grounds(Side::Output) {
                passages
                    .extend(self.beside.iter().map(|(role, text)| OwnedPassage { text: text.clone(), role: *role }));
            }
            applied.inline(Side::Output, passages)
        });
        let output = try_join_all(judging).await.map_err(|error| self.judged.failed(refused(error)))?;
        output.iter().for_each(|said| self.judged.add(said));
        let acted = output.iter().map(|said| said.acted()).max().unwrap_or_default();
        let mut original = Vec::new();
        if acted != Acted::None {
            original.push(native(&response).unwrap_or_else(|| texts.concat()));
            response.stop_reason = StopReason::GuardrailIntervened;
        }
        if let ConverseOutput::Message(message) = &mut response.output {
            if acted == Acted::Blocked {
                let blocks = output.iter().position(|said| said.acted() == Acted::Blocked);
                let applied = blocks.and_then(|at| self.applied.get(at));
                let text = applied.map_or("", |applied| applied.blocked(Side::Output));
                message.content = vec![ContentBlock::Text(text.to_owned())];
            } else if acted == Acted::Masked {
                let mut at = 0;
                message.content.iter_mut().for_each(|block| {
                    said(block, &mut |text| {
                        let masks = output.iter().flat_map(|said| said.found.masks(at)).collect::<Vec<Mask<'_>>>();
                        if let Some(masked) = mask(text, masks) {
                            *text = masked;
                        }
                        at += 1;
                    });
                });
            }
        }
        let output = Output { said: output.into_iter().map(|said| vec![said]).collect(), acted, original };
        if let Some(told) = self.told(Some(output)) {
            response.trace = Some(ConverseTrace { guardrail: Some(told), ..response.trace.take().unwrap_or_default() });
        }
        Ok(response)
    }
}
