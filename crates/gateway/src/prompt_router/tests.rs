use std::sync::Arc;

use outcrop_access::{Caller, CallerKind, Context};
use outcrop_api::bedrock_runtime::{
    ContentBlock, ConverseStreamMetadataEvent, GuardrailTraceAssessment, Message, MessageStartEvent,
};
use outcrop_models::{Catalogue, Models, Settings};
use outcrop_resources::Resources;
use outcrop_store::{Options, Sqlite};

use super::*;

const ROUTER: &str = "arn:aws:bedrock:us-east-1:111122223333:default-prompt-router/amazon.nova:1";
const LITE: &str = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-lite-v1:0";
const PRO: &str = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0";

async fn resolved(id: &str) -> Resolved {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let resources = Resources::open(store).await.unwrap();
    let models = Models::new(Catalogue::builtin().unwrap(), Settings::default(), &resources);
    let cx = Context::new(Caller::root("111122223333", None, CallerKind::User), "us-east-1", "bedrock-runtime");
    models.resolve(&cx, id).await.unwrap()
}

fn asking(text: &str) -> ConverseRequest {
    let message = Message { content: vec![ContentBlock::Text(text.into())], ..Message::default() };
    ConverseRequest { messages: Some(vec![message]), ..ConverseRequest::default() }
}

#[tokio::test]
async fn each_prompt_gets_its_model_and_the_arn_is_told() {
    let router = resolved(ROUTER).await;
    for (text, id, arn) in [
        ("hi", "amazon.nova-lite-v1:0", LITE),
        ("Explain step by step why this design fails.", "amazon.nova-pro-v1:0", PRO),
    ] {
        for streaming in [false, true] {
            let (chosen, invoked) = choose("us-east-1", router.clone(), &asking(text), streaming);
            assert_eq!((chosen.model.id.as_str(), invoked.as_deref()), (id, Some(arn)), "{text}");
            assert!(chosen.router.is_none());
        }
    }
    let plain = resolved("amazon.nova-lite-v1:0").await;
    assert_eq!(choose("us-east-1", plain.clone(), &asking("hi"), false), (plain, None));
}

#[test]
fn a_trace_is_added_to_what_is_there_and_only_by_a_router() {
    assert!(trace(None, None).is_none());
    let guarded = ConverseTrace { guardrail: Some(GuardrailTraceAssessment::default()), prompt_router: None };
    let told = trace(Some(guarded), Some(LITE.into())).unwrap();
    assert!(told.guardrail.is_some());
    assert_eq!(told.prompt_router.unwrap().invoked_model_id.as_deref(), Some(LITE));
}

#[tokio::test]
async fn a_stream_tells_it_in_its_metadata() {
    let events = || {
        let start = ConverseStreamOutput::MessageStart(MessageStartEvent::default());
        let metadata = ConverseStreamOutput::Metadata(ConverseStreamMetadataEvent::default());
        futures_util::stream::iter([Ok(start), Ok(metadata)]).boxed()
    };
    for invoked in [None, Some(PRO.to_owned())] {
        let mut told = Vec::new();
        let mut events = traced(events(), invoked.clone());
        while let Some(event) = events.next().await {
            if let ConverseStreamOutput::Metadata(metadata) = event.unwrap() {
                told.push(metadata.trace.and_then(|trace| trace.prompt_router?.invoked_model_id));
            }
        }
        assert_eq!(told, [invoked]);
    }
}
