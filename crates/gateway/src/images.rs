//! InvokeModel for models that answer with images.

use std::slice::from_ref;
use std::sync::Arc;

use bytes::Bytes;
use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{InvokeModelResponse, TokenUsage};
use outcrop_api::{Fault, Kind, Reply};
use outcrop_dialects::{DialectError, ImageDialect, ImageRequest};
use outcrop_models::Resolved;
use outcrop_providers::{Cause, Failure, Image, Images, Pass, PassBody};

use crate::Gateway;
use crate::admit::Wanted;
use crate::begin::By;
use crate::capacity::Estimate;
use crate::guard::texts::replaced;
use crate::invoke::{JSON, counted, offered_by, text};
use crate::meter::Tally;
use crate::routing::{Ask, Served};

/// The kinds of providers that make images.
const DRAW: &str = "openai or bedrock";

/// A body as it was read. One that cannot be read may still be what the model itself takes.
type Asked = Result<Arc<ImageRequest>, DialectError>;

/// What a provider made.
enum Made {
    /// Images.
    Images(Vec<Image>),
    /// The answer in the model's own format.
    Answer(Bytes, TokenUsage),
}

impl Gateway {
    pub(crate) async fn images(
        &self,
        cx: &Context,
        resolved: &Resolved,
        dialect: &dyn ImageDialect,
        body: &Bytes,
    ) -> Result<Reply<InvokeModelResponse>, Fault> {
        let mut tally = self.tally(cx, resolved);
        let began = tally.began();
        let mut asked = dialect.decode(body);
        let body = self.guard_prompt(cx, resolved, (&mut asked, body), &tally).await;
        let body = body.map_err(|fault| tally.failed(fault))?;
        let asked = asked.map(Arc::new);
        let served = self.drawn(cx, resolved, dialect.name(), (&asked, &body), &mut tally).await;
        let served = served.map_err(|fault| tally.failed(fault))?;
        let (by, made) = (By::of(&served), served.output);
        tally.served(&by);
        let (body, usage) = match made {
            Made::Answer(body, usage) => (body, usage),
            // No tokens are counted where images are paid for.
            Made::Images(images) => {
                let request = asked.map_err(|error| tally.failed(Fault::of(&error)))?;
                let files: Vec<&[u8]> = images.iter().map(|image| &*image.bytes).collect();
                (text(&dialect.encode(&request, &files)), TokenUsage::default())
            }
        };
        tally.answered(&usage);
        let output = InvokeModelResponse { body, content_type: JSON.into(), ..Default::default() };
        Ok(counted(by.reply(output), &usage, began))
    }

    /// What guardrails leave of what is to be seen: in the request, and in the body that it was read from.
    async fn guard_prompt(
        &self,
        cx: &Context,
        resolved: &Resolved,
        (asked, body): (&mut Result<ImageRequest, DialectError>, &Bytes),
        tally: &Tally,
    ) -> Result<Bytes, Fault> {
        let request = match asked {
            Ok(request) => request,
            // What cannot be read cannot be judged, and the model itself might read it.
            Err(error) if self.enforces(cx, resolved).await? => return Err(Fault::of(error)),
            Err(_) => return Ok(body.clone()),
        };
        let before: Vec<String> = std::iter::once(&request.prompt).chain(&request.negative_prompt).cloned().collect();
        let texts = std::iter::once(&mut request.prompt).chain(&mut request.negative_prompt);
        self.guard_texts(cx, resolved, texts, &tally.judged()).await?;
        let after = std::iter::once(&request.prompt).chain(&request.negative_prompt).cloned();
        let changes: Vec<(String, String)> = before.into_iter().zip(after).filter(|(from, to)| from != to).collect();
        if changes.is_empty() {
            return Ok(body.clone());
        }
        replaced(body, &changes).ok_or_else(|| Fault::validation("The body is not a JSON object."))
    }

    /// The images, by whoever answers for `resolved`: the model itself reads `body`, another is asked for images.
    async fn drawn(
        &self,
        cx: &Context,
        resolved: &Resolved,
        dialect: &'static str,
        (asked, body): (&Asked, &Bytes),
        tally: &mut Tally,
    ) -> Result<Served<Made>, Fault> {
        let prompt = asked.as_ref().map(|request| from_ref(&request.prompt)).unwrap_or_default();
        let estimate = Estimate::of_texts(prompt);
        let size = || estimate.tokens();
        let plan = self.plan(cx, resolved, &Ask { tokens: &size, ..Ask::whole(self.retention(cx)) })?;
        let images = asked.as_ref().map_or(1, |request| u64::from(request.count));
        self.admit(cx, (resolved, &plan), Wanted { images, ..Wanted::reads(estimate) }, tally).await?;
        let served = plan.attempt(cx, |target| async move {
            let model = target.model(resolved);
            if self.takes(&target, resolved, dialect) {
                let call = Pass { model, dialect, body: body.clone(), stream: false, headers: Vec::new() };
                let passed = target.provider().pass(call).await?;
                return match passed.body {
                    PassBody::Whole(answer) => Ok(Made::Answer(answer, passed.usage.unwrap_or_default())),
                    PassBody::Stream(_) => Err(in_pieces()),
                };
            }
            let call = Images { model, request: Arc::clone(asked.as_ref().map_err(unread)?) };
            let made = target.provider().images(call).await;
            made.map(Made::Images).map_err(|failure| offered_by(failure, DRAW))
        });
        served.await
    }
}

/// What no other model can be asked for, the next target may be the model itself for.
fn unread(error: &DialectError) -> Failure {
    match error {
        DialectError::OnlyItself(_) => Failure::new(Cause::Unmappable, Fault::of(error)),
        _ => Failure::request(error),
    }
}

fn in_pieces() -> Failure {
    Failure::new(Cause::Broken, Fault::new(Kind::ModelError, "The model's answer came in pieces."))
}
