use outcrop_api::{AwsError, Kind};

use super::*;
use crate::Settings;
use crate::testing::{HAIKU, HAIKU_ARN, bench, call, here};

type Filter = ListFoundationModelsRequest;
type Holds = fn(&FoundationModelSummary) -> bool;

async fn listed(models: &Models, region: &str, filter: Filter) -> Vec<FoundationModelSummary> {
    list(&call("111122223333", region), models, filter).await.unwrap().model_summaries.unwrap()
}

fn ids(models: &[FoundationModelSummary]) -> Vec<&str> {
    models.iter().map(|m| m.model_id.as_str()).collect()
}

#[tokio::test]
async fn the_list_is_the_regions_own_in_order() {
    let b = bench(Settings::default()).await;
    let here = listed(&b.models, "us-east-1", Filter::default()).await;
    assert!(here.is_sorted_by(|a, b| a.model_id < b.model_id) && here.len() > 100, "{}", here.len());
    for id in [HAIKU, "amazon.nova-micro-v1:0", "meta.llama3-1-8b-instruct-v1:0", "outcrop.tiny", "outcrop.mini"] {
        assert!(ids(&here).contains(&id), "{id}");
    }
    // Rerank 1.0 is not in Virginia; Gemma 4 is on the mantle endpoint only.
    assert!(!ids(&here).contains(&"amazon.rerank-v1:0") && !ids(&here).contains(&"google.gemma-4-31b"));
    assert!(ids(&listed(&b.models, "us-west-2", Filter::default()).await).contains(&"amazon.rerank-v1:0"));
    assert!(here.iter().all(|m| m.model_arn == format!("arn:aws:bedrock:us-east-1::foundation-model/{}", m.model_id)));

    // A Region that AWS does not have shows everything, and so does every Region where the settings say so.
    let nowhere = listed(&b.models, "moon-1", Filter::default()).await;
    let every = bench(Settings { list_every_region: true, ..Settings::default() }).await;
    let every = listed(&every.models, "us-east-1", Filter::default()).await;
    assert_eq!(ids(&nowhere), ids(&every));
    assert!(every.len() > here.len());
}

#[tokio::test]
async fn each_filter_keeps_exactly_what_fits() {
    let b = bench(Settings::default()).await;
    let all = listed(&b.models, "us-east-1", Filter::default()).await;
    let cases: [(Filter, Holds); 6] = [
        (Filter { by_provider: Some("anthropic".into()), ..Filter::default() }, |m| {
            m.provider_name.as_deref() == Some("Anthropic")
        }),
        (Filter { by_provider: Some("Mistral AI".into()), ..Filter::default() }, |m| {
            m.model_id.starts_with("mistral.")
        }),
        (Filter { by_output_modality: Some(ModelModality::Embedding), ..Filter::default() }, |m| {
            m.model_id.contains("embed") || m.model_id == "outcrop.mini"
        }),
        (Filter { by_customization_type: Some(ModelCustomization::FineTuning), ..Filter::default() }, |m| {
            m.customizations_supported.as_ref().unwrap().contains(&ModelCustomization::FineTuning)
        }),
        (Filter { by_inference_type: Some(InferenceType::OnDemand), ..Filter::default() }, |m| {
            m.inference_types_supported.as_ref().unwrap().contains(&InferenceType::OnDemand)
        }),
        (Filter { by_inference_type: Some(InferenceType::Provisioned), ..Filter::default() }, |m| {
            m.inference_types_supported.as_ref().unwrap().contains(&InferenceType::Provisioned)
        }),
    ];
    for (filter, holds) in cases {
        let kept = listed(&b.models, "us-east-1", filter.clone()).await;
        let expected: Vec<_> = all.iter().filter(|m| holds(m)).map(|m| m.model_id.as_str()).collect();
        assert_eq!(ids(&kept), expected, "{filter:?}");
        assert!(!kept.is_empty() && kept.len() < all.len(), "{filter:?}");
    }
    let none = Filter { by_provider: Some("nobody".into()), ..Filter::default() };
    assert!(listed(&b.models, "us-east-1", none).await.is_empty());
}

#[tokio::test]
async fn details_agree_with_the_list() {
    let b = bench(Settings::default()).await;
    let all = listed(&b.models, "us-east-1", Filter::default()).await;
    for summary in &all {
        let input = GetFoundationModelRequest { model_identifier: summary.model_id.clone() };
        let details = get(&here(), &b.models, input).await.unwrap().model_details.unwrap();
        let told = format!("{details:?}").replace("FoundationModelDetails", "FoundationModelSummary");
        assert_eq!(told, format!("{summary:?}"));
    }
    let input = GetFoundationModelRequest { model_identifier: HAIKU_ARN.into() };
    assert_eq!(get(&here(), &b.models, input).await.unwrap().model_details.unwrap().model_id, HAIKU);
}

#[tokio::test]
async fn limits_are_told_truly() {
    let b = bench(Settings::default()).await;
    let details = async |id: &str| {
        let input = GetFoundationModelRequest { model_identifier: id.into() };
        get(&here(), &b.models, input).await.unwrap().model_details.unwrap()
    };
    let haiku = details(HAIKU).await;
    let life = haiku.model_lifecycle.unwrap();
    assert_eq!(life.status, FoundationModelLifecycleStatus::Legacy);
    assert_eq!(life.end_of_life_time.unwrap().to_string(), "2026-09-10T00:00:00Z");
    assert_eq!(haiku.inference_types_supported.unwrap(), [InferenceType::OnDemand]);
    let sonnet = details("anthropic.claude-sonnet-4-5-20250929-v1:0").await;
    assert!(sonnet.inference_types_supported.unwrap().is_empty());
    let window = details("anthropic.claude-3-haiku-20240307-v1:0:48k").await;
    assert_eq!(window.inference_types_supported.unwrap(), [InferenceType::Provisioned]);
    // VIDEO is not in the service model's enumeration.
    assert_eq!(
        details("amazon.nova-pro-v1:0").await.input_modalities.unwrap(),
        [ModelModality::Text, ModelModality::Image]
    );
}

#[tokio::test]
async fn what_is_unknown_is_not_found() {
    let b = bench(Settings::default()).await;
    for id in [
        "anthropic.no-such-model-v9:0",
        "us.anthropic.claude-sonnet-4-20250514-v1:0",
        "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        "x",
    ] {
        let refused = get(&here(), &b.models, GetFoundationModelRequest { model_identifier: id.into() }).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::ResourceNotFound, "{id}");
        let input = GetFoundationModelAvailabilityRequest { model_id: id.into() };
        assert_eq!(availability(&here(), &b.models, input).await.unwrap_err().kind(), Kind::ResourceNotFound, "{id}");
    }
}

#[tokio::test]
async fn availability_follows_the_region() {
    let b = bench(Settings::default()).await;
    for (id, region, expected) in [
        (HAIKU, "us-east-1", RegionAvailability::Available),
        ("amazon.rerank-v1:0", "us-east-1", RegionAvailability::NotAvailable),
        ("amazon.rerank-v1:0", "us-west-2", RegionAvailability::Available),
        ("outcrop.tiny", "us-east-1", RegionAvailability::Available),
    ] {
        let input = GetFoundationModelAvailabilityRequest { model_id: id.into() };
        let told = availability(&call("111122223333", region), &b.models, input).await.unwrap();
        assert_eq!((told.model_id.as_str(), told.region_availability), (id, expected), "{region}");
    }
}
