//! InvokeModel of models that rank and of models that draw.

use bytes::Bytes;
use outcrop_dialects::ImageRequest;
use outcrop_providers::{Cause, Image, Images, Pass, PassBody, Passed, Rank, Ranked, Rerank};

use super::*;
use crate::routing::{Glob, Naming};

const COHERE: &str = "cohere.rerank-v3-5:0";
const IMAGE: &str = "amazon.titan-image-generator-v2:0";

/// Ranks the last document first and draws the number of the image; keeps what it was asked.
#[derive(Default)]
struct Media {
    /// Bodies are passed on as they are.
    passes: bool,
    ranked: Mutex<Vec<Rerank>>,
    drawn: Mutex<Vec<Images>>,
    passed: Mutex<Vec<Pass>>,
}

#[async_trait]
impl Provider for Media {
    async fn converse(&self, _: Call) -> Result<Answer, Failure> {
        Err(Failure::not_offered("conversations"))
    }
    async fn rerank(&self, call: Rerank) -> Result<Ranked, Failure> {
        let ranks = (0..call.documents.len()).rev().map(|index| Rank { index, score: index as f32 / 10.0 }).collect();
        self.ranked.lock().unwrap().push(call);
        Ok(Ranked { ranks, tokens: Some(9) })
    }
    async fn images(&self, call: Images) -> Result<Vec<Image>, Failure> {
        let images = (0..call.request.count).map(|n| Image { bytes: Bytes::from(n.to_string()) }).collect();
        self.drawn.lock().unwrap().push(call);
        Ok(images)
    }
    fn passes(&self, _: &str) -> bool {
        self.passes
    }
    async fn pass(&self, call: Pass) -> Result<Passed, Failure> {
        self.passed.lock().unwrap().push(call);
        let usage = TokenUsage { input_tokens: 4, total_tokens: 4, ..Default::default() };
        Ok(Passed { body: PassBody::Whole("{\"its\":\"own\"}".into()), usage: Some(usage) })
    }
}

/// Has no such offers.
struct Writes;

#[async_trait]
impl Provider for Writes {
    async fn converse(&self, _: Call) -> Result<Answer, Failure> {
        Err(Failure::not_offered("conversations"))
    }
}

fn serving(name: &str, provider: Arc<dyn Provider>, naming: Naming) -> Source {
    let (serves, identity) = (vec![Glob::new("*")], name.to_owned());
    Source { name: name.into(), identity, naming, serves, local: false, ..Source::local(provider) }
}

/// A gateway whose models are all served by `sources`, in their order.
async fn among(sources: Vec<Source>) -> Bench {
    let mut b = bench(Scripted::default(), tiny()).await;
    let catalogue = Catalogue::builtin().unwrap();
    let setup = Setup { sources: sources.into_iter().map(Arc::new).collect(), ..Default::default() };
    b.gateway.routes = Routes::new(&catalogue, &setup, &Registry::default()).unwrap();
    b
}

async fn with(provider: &Arc<Media>, naming: Naming) -> Bench {
    among(vec![serving("media", Arc::clone(provider) as Arc<dyn Provider>, naming)]).await
}

async fn invoke(b: &Bench, model: &str, body: &Value) -> Result<(Value, Vec<(&'static str, String)>), Fault> {
    let input =
        InvokeModelRequest { model_id: model.into(), body: Some(body.to_string().into()), ..Default::default() };
    let reply = b.gateway.invoke_model(&b.cx, input).await?;
    assert_eq!(reply.output.content_type, "application/json");
    Ok((serde_json::from_slice(&reply.output.body).unwrap(), reply.headers))
}

fn header<'a>(headers: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
}

fn ship(task: &str) -> Value {
    let config =
        json!({ "numberOfImages": 2, "height": 512, "width": 768, "seed": 7, "quality": "premium", "cfgScale": 8.0 });
    json!({ "taskType": task, "textToImageParams": { "text": "a ship", "negativeText": "waves" }, "imageGenerationConfig": config })
}

#[tokio::test]
async fn documents_are_ranked_by_the_provider() {
    let provider = Arc::new(Media::default());
    let b = with(&provider, Naming::Cohere).await;
    let body = json!({ "query": "ships", "documents": ["a", { "text": "b" }, "c"], "top_n": 2, "api_version": 2 });
    let (answer, headers) = invoke(&b, COHERE, &body).await.unwrap();
    let results = json!([{ "index": 2, "relevance_score": 0.2 }, { "index": 1, "relevance_score": 0.1 }]);
    assert_eq!(answer, json!({ "results": results }));
    assert_eq!(header(&headers, "x-amzn-bedrock-input-token-count"), Some("9"));
    assert_eq!(header(&headers, "x-outcrop-served-by"), Some("media"));
    let asked = provider.ranked.lock().unwrap();
    assert_eq!((&*asked[0].model, asked[0].top_n), ("rerank-v3.5", Some(2)));
    assert_eq!((asked[0].query.as_str(), &asked[0].documents[..]), ("ships", &["a", "b", "c"].map(String::from)[..]));
}

#[tokio::test]
async fn images_are_made_by_the_provider() {
    let provider = Arc::new(Media::default());
    let b = with(&provider, Naming::Bare).await;
    let (answer, headers) = invoke(&b, IMAGE, &ship("TEXT_IMAGE")).await.unwrap();
    assert_eq!(answer, json!({ "images": ["MA==", "MQ=="], "error": null }));
    assert_eq!(header(&headers, "x-amzn-bedrock-input-token-count"), Some("0"));
    let asked = provider.drawn.lock().unwrap();
    let Images { model, request } = &asked[0];
    let ImageRequest { prompt, negative_prompt, count, size, format, seed, quality, guidance } = &**request;
    assert_eq!(
        (&**model, prompt.as_str(), negative_prompt.as_deref()),
        ("titan-image-generator", "a ship", Some("waves"))
    );
    assert_eq!((*count, *size, format.as_deref(), *seed), (2, Some((768, 512)), None, Some(7)));
    assert_eq!((quality.as_deref(), *guidance), (Some("premium"), Some(8.0)));
}

#[tokio::test]
async fn the_model_itself_reads_the_body_untouched() {
    let provider = Arc::new(Media { passes: true, ..Media::default() });
    let b = with(&provider, Naming::Bedrock).await;
    let body = json!({ "taskType": "INPAINTING", "inPaintingParams": { "image": "aGk=", "text": "a ship" } });
    let (answer, headers) = invoke(&b, IMAGE, &body).await.unwrap();
    assert_eq!(answer, json!({ "its": "own" }));
    assert_eq!(header(&headers, "x-amzn-bedrock-input-token-count"), Some("4"));
    {
        let passed = provider.passed.lock().unwrap();
        assert_eq!((&*passed[0].model, passed[0].dialect), (IMAGE, "titan-image"));
        assert_eq!(passed[0].body, body.to_string());
    }

    // A model of another family at the same provider is asked for images.
    let other = [(IMAGE.to_owned(), "amazon.nova-canvas-v1:0".to_owned())].into();
    let source = serving("media", Arc::clone(&provider) as Arc<dyn Provider>, Naming::Bedrock);
    let b = among(vec![Source { models: other, ..source }]).await;
    let (answer, _) = invoke(&b, IMAGE, &ship("TEXT_IMAGE")).await.unwrap();
    assert_eq!(answer["images"], json!(["MA==", "MQ=="]));
    assert_eq!(provider.passed.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_one_cannot_be_asked_for_another_may() {
    let (one, two) = (Arc::new(Media::default()), Arc::new(Media { passes: true, ..Media::default() }));
    let sources = vec![
        serving("one", Arc::clone(&one) as Arc<dyn Provider>, Naming::Bare),
        serving("two", Arc::clone(&two) as Arc<dyn Provider>, Naming::Bedrock),
    ];
    let b = among(sources).await;
    let (answer, headers) = invoke(&b, IMAGE, &ship("BACKGROUND_REMOVAL")).await.unwrap();
    assert_eq!((answer, header(&headers, "x-outcrop-served-by")), (json!({ "its": "own" }), Some("two")));
    assert!(one.drawn.lock().unwrap().is_empty());

    // Alone it says who could.
    let b = with(&one, Naming::Bare).await;
    let refused = invoke(&b, IMAGE, &ship("BACKGROUND_REMOVAL")).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Validation);
    assert!(refused.message.starts_with("The task BACKGROUND_REMOVAL is only done by the model itself"));
    // What is malformed is nobody's to answer.
    let refused = invoke(&b, IMAGE, &json!({ "taskType": "TEXT_IMAGE" })).await.unwrap_err();
    assert!(refused.message.contains("#: required key [textToImageParams] not found"), "{refused}");
    assert!(one.drawn.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_has_no_such_offer_says_who_may() {
    let b = among(vec![serving("writes", Arc::new(Writes), Naming::Bare)]).await;
    let ranking = json!({ "query": "a", "documents": ["b"] });
    for (model, body, text) in [
        (
            "amazon.rerank-v1:0",
            ranking.clone(),
            "does not offer reranking. A provider of kind openai, cohere or bedrock may.",
        ),
        (IMAGE, ship("TEXT_IMAGE"), "does not offer images. A provider of kind openai or bedrock may."),
    ] {
        let refused = invoke(&b, model, &body).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Validation);
        assert!(refused.message.ends_with(text), "{refused}");
    }

    // No local model does either.
    let b = bench(Scripted::default(), tiny()).await;
    for (model, body, text) in [
        ("amazon.rerank-v1:0", ranking, "No local model can stand in for amazon.rerank-v1:0, which ranks documents."),
        (
            IMAGE,
            ship("TEXT_IMAGE"),
            "No local model can stand in for amazon.titan-image-generator-v2:0, which makes IMAGE.",
        ),
    ] {
        let refused = invoke(&b, model, &body).await.unwrap_err();
        assert_eq!((refused.kind, refused.message.as_str()), (Kind::NotImplemented, text));
    }
}

#[tokio::test]
async fn nothing_of_the_kind_is_streamed_or_counted() {
    let b = with(&Arc::new(Media::default()), Naming::Bare).await;
    let input = InvokeModelWithResponseStreamRequest {
        model_id: COHERE.into(),
        body: Some(json!({ "query": "a", "documents": ["b"], "api_version": 2 }).to_string().into()),
        ..Default::default()
    };
    let refused = b.gateway.invoke_model_with_response_stream(&b.cx, input).await.err().unwrap();
    assert_eq!(refused.message, "The model is unsupported for streaming.");
    let refused = b.gateway.converse(&b.cx, asking(COHERE, json!({}))).await.unwrap_err();
    assert!(refused.message.starts_with("This action doesn't support the model that you provided."));
}

#[test]
fn only_what_a_provider_lacks_points_elsewhere() {
    let failure = |cause| Failure::new(cause, Fault::validation("no."));
    assert_eq!(crate::invoke::offered_by(failure(Cause::Request), "x").fault.message, "no.");
    assert_eq!(
        crate::invoke::offered_by(failure(Cause::Unmappable), "x").fault.message,
        "no. A provider of kind x may."
    );
}
