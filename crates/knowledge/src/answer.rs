//! RetrieveAndGenerate and its stream: answers from retrieved text, each part with the text that supports it.
//!
//! Evidence decides, not the model. `evidence` says which of the retrieved sentences answer the question and how likely
//! they do; where that is unlikely the answer is Bedrock's refusal, whoever would have answered. Who words the answer is
//! settled by [`Answers`]: where a model of this process would (it is small), the sentences themselves do (`extractive`);
//! an upstream model is asked (`prompt`, `generate`, `written`), and each part that it writes is held against the text
//! that it cites (`cited`). A part that states what no text says is not told; an answer of which nothing is left becomes
//! an extractive one. So no source can be invented, and commands, numbers and names are those of the documents.
//!
//! `session` keeps what was said, `standalone` and the orchestration prompt make a question that can be searched by,
//! `spans` counts characters. Start at [`retrieve_and_generate`].

mod cited;
pub mod evidence;
mod external;
mod extractive;
mod generate;
mod prepare;
mod prompt;
mod request;
pub(crate) mod session;
mod spans;
mod standalone;
mod told;
mod written;

use futures_util::stream;
use futures_util::{StreamExt, join};
use outcrop_access::Context;
use outcrop_api::bedrock_agent_runtime::{
    Citation, CitationEvent, GuadrailAction, GuardrailEvent, RetrieveAndGenerateOutput, RetrieveAndGenerateOutputEvent,
    RetrieveAndGenerateRequest, RetrieveAndGenerateResponse, RetrieveAndGenerateStreamRequest,
    RetrieveAndGenerateStreamResponse, RetrieveAndGenerateStreamResponseOutput as Event,
};
use outcrop_api::{Events, Fault, Reply};
use tokio::sync::mpsc;

use crate::service::Answers;
use crate::{Knowledge, KnowledgeError};
use prepare::Prepared;
use spans::Spans;
use told::Told;

/// Bedrock's words where nothing supports an answer; clients match them.
const REFUSAL: &str = "Sorry, I am unable to assist you with this request.";
/// Words of an event of a stream.
const WORDS: usize = 4;

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// What it says.
    pub text: String,
    /// The passages that support it, by place.
    pub sources: Vec<usize>,
}

/// Answers a question.
pub async fn retrieve_and_generate(
    cx: &Context,
    knowledge: &Knowledge,
    input: RetrieveAndGenerateRequest,
) -> Result<RetrieveAndGenerateResponse, KnowledgeError> {
    let prepared = Prepared::new(cx, knowledge, input).await?;
    let session_id = prepared.session.clone();
    let passages = prepared.references();
    let guarded = !prepared.guards.is_empty();
    let (tell, mut told) = mpsc::channel(8);
    let gather = async {
        let (mut text, mut citations, mut spans) = (String::new(), Vec::new(), Spans::default());
        let mut action = guarded.then_some(GuadrailAction::None);
        while let Some(one) = told.recv().await {
            match one {
                Told::Part(part) => {
                    let (piece, start, end) = spans.next(&part.text);
                    text.push_str(&piece);
                    let references = part.sources.iter().filter_map(|at| passages.get(*at).cloned()).collect();
                    // Inclusive here, exclusive in a stream: as recorded.
                    citations.push(spans::citation(&part.text, start, end.saturating_sub(1), references));
                }
                Told::Instead(words) => {
                    citations = vec![spans::none(&words)];
                    text = words;
                }
                Told::Intervened => action = Some(GuadrailAction::Intervened),
            }
        }
        (text, citations, action)
    };
    let (done, (text, citations, action)) = join!(told::tell(prepared, tell), gather);
    done?;
    Ok(RetrieveAndGenerateResponse {
        citations: Some(citations),
        guardrail_action: action,
        output: RetrieveAndGenerateOutput { text },
        session_id,
    })
}

/// Answers a question as the answer is made. What a guardrail must see whole is told when it has seen it.
pub async fn retrieve_and_generate_stream(
    knowledge: &Knowledge,
    cx: &Context,
    input: RetrieveAndGenerateStreamRequest,
) -> Result<(Reply<RetrieveAndGenerateStreamResponse>, Events<Event>), KnowledgeError> {
    let prepared = Prepared::new(cx, knowledge, request::whole(input)).await?;
    let reply = Reply::from(RetrieveAndGenerateStreamResponse { session_id: prepared.session.clone() });
    let passages = prepared.references();
    let (tell, told) = mpsc::channel(8);
    let cancel = cx.cancel.clone();
    // The channel ends when the reader goes away, and with it the work at its next word.
    let work = tokio::spawn(async move {
        tokio::select! {
            done = told::tell(prepared, tell) => done,
            () = cancel.cancelled() => Ok(()),
        }
    });
    let parts = stream::unfold((told, Spans::default()), move |(mut told, mut spans)| {
        let passages = passages.clone();
        async move {
            let one = told.recv().await?;
            let events: Vec<Result<Event, Fault>> = match one {
                Told::Part(part) => {
                    let (piece, start, end) = spans.next(&part.text);
                    let references = part.sources.iter().filter_map(|at| passages.get(*at).cloned()).collect();
                    told_as(&piece, spans::citation(&part.text, start, end, references))
                }
                Told::Instead(words) => told_as(&words, spans::none(&words)),
                Told::Intervened => vec![Ok(guardrail(GuadrailAction::Intervened))],
            };
            Some((stream::iter(events), (told, spans)))
        }
    });
    let end = stream::once(async move {
        let events: Vec<Result<Event, Fault>> = match work.await {
            Ok(Ok(())) => vec![],
            Ok(Err(error)) => vec![Err(Fault::of(&error))],
            Err(error) => vec![Err(Fault::new(outcrop_api::Kind::InternalServer, error.to_string()))],
        };
        stream::iter(events)
    });
    Ok((reply, parts.chain(end).flatten().boxed()))
}

/// Text in pieces, then its citation: in the deprecated member and in those that took its place.
fn told_as(text: &str, citation: Citation) -> Vec<Result<Event, Fault>> {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let mut events: Vec<Result<Event, Fault>> = words
        .chunks(WORDS)
        .map(|some| Ok(Event::Output(RetrieveAndGenerateOutputEvent { text: some.concat() })))
        .collect();
    events.push(Ok(Event::Citation(CitationEvent {
        generated_response_part: citation.generated_response_part.clone(),
        retrieved_references: citation.retrieved_references.clone(),
        citation: Some(citation),
    })));
    events
}

fn guardrail(action: GuadrailAction) -> Event {
    Event::Guardrail(GuardrailEvent { action: Some(action) })
}
