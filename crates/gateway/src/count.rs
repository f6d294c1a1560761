//! CountTokens: what the same call would be billed, by the same path.

use std::sync::Arc;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{ConverseRequest, CountTokensInput, CountTokensRequest, CountTokensResponse};
use outcrop_api::{Fault, Reply};
use outcrop_dialects::Dialect;
use outcrop_models::Invocation;
use outcrop_providers::Call;

use crate::begin::By;
use crate::invoke::{decode, dialect};
use crate::options::Options;
use crate::{Gateway, documents, rules};

const NOT_COUNTED: &str = "The provided model doesn't support counting tokens.";

impl Gateway {
    /// The prompt tokens of a Converse or InvokeModel request.
    pub async fn count_tokens(&self, cx: &Context, r: CountTokensRequest) -> Result<Reply<CountTokensResponse>, Fault> {
        let resolved = self.resolve(cx, Invocation::new("bedrock:CountTokens"), &r.model_id).await?;
        // A router's models may count differently, and counting is for foundation models only.
        if !resolved.model.family.converse || resolved.router.is_some() {
            return Err(Fault::validation(NOT_COUNTED));
        }
        let mut request = match r.input {
            CountTokensInput::Converse(c) => {
                let request = ConverseRequest {
                    messages: c.messages,
                    system: c.system,
                    tool_config: c.tool_config,
                    additional_model_request_fields: c.additional_model_request_fields,
                    ..Default::default()
                };
                documents::limits(&request)?;
                request
            }
            CountTokensInput::InvokeModel(i) => match dialect(&resolved)? {
                Dialect::Chat(chat) => decode(chat, &i.body)?,
                Dialect::Embedding(_) | Dialect::Rerank(_) | Dialect::Image(_) => {
                    return Err(Fault::validation(NOT_COUNTED));
                }
            },
            CountTokensInput::Unset => return Err(Fault::validation("The input must be converse or invokeModel.")),
        };
        rules::check(&request, &rules::family(&resolved.model))?;
        let options = Options::default();
        documents::fetch(self.papers.as_ref(), cx, &mut request).await?;
        let plan = self.plan_conversation(cx, &resolved, &request, &options, false)?;
        let shown = documents::read(self.papers.as_ref(), &plan, &resolved, &mut request, false).await?;
        let call = self.call(cx, &resolved, Arc::new(request), &options, false);
        let counted = plan.attempt(cx, |target| {
            let call = Call { model: target.model(&resolved), ..call.clone() };
            let (shown, resolved) = (&shown, &resolved);
            async move { shown.count(&target, resolved, call).await }
        });
        let counted = counted.await?;
        let output = CountTokensResponse { input_tokens: i32::try_from(counted.output).unwrap_or(i32::MAX) };
        Ok(By::of(&counted).reply(output))
    }
}
