//! Hits as callers see them: location by the type of their data source, attributes with Bedrock's reserved keys.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use outcrop_api::bedrock_agent_runtime::{
    KnowledgeBaseRetrievalResult, RetrievalResultConfluenceLocation, RetrievalResultContent,
    RetrievalResultContentType, RetrievalResultCustomDocumentLocation, RetrievalResultLocation,
    RetrievalResultLocationType, RetrievalResultS3Location, RetrievalResultSalesforceLocation,
    RetrievalResultSharePointLocation, RetrievalResultWebLocation,
};
use outcrop_vectors::{Hit, Metadata, Value};

/// Where a document came from.
const SOURCE_URI: &str = "x-amz-bedrock-kb-source-uri";
/// The same in MANAGED knowledge bases.
const MANAGED_URI: &str = "_source_uri";
/// Its data source.
const DATA_SOURCE: &str = "x-amz-bedrock-kb-data-source-id";
/// The chunk.
const CHUNK: &str = "x-amz-bedrock-kb-chunk-id";

/// A hit as a result. `kind` is the type of its data source; none where that is gone.
pub(crate) fn result(hit: Hit, kind: Option<&str>) -> KnowledgeBaseRetrievalResult {
    let uri = match hit.metadata.get(SOURCE_URI).or_else(|| hit.metadata.get(MANAGED_URI)) {
        Some(Value::String(uri)) => uri.clone(),
        _ => hit.document.clone(),
    };
    let mut metadata = attributes(&hit.metadata);
    let mut known = |key: &str, value: &str| {
        metadata.entry(key.to_owned()).or_insert_with(|| value.into());
    };
    known(SOURCE_URI, &uri);
    known(DATA_SOURCE, &hit.source);
    known(CHUNK, &hit.id);
    KnowledgeBaseRetrievalResult {
        content: RetrievalResultContent {
            text: Some(hit.text),
            r#type: Some(RetrievalResultContentType::Text),
            ..Default::default()
        },
        location: Some(location(kind.unwrap_or_else(|| guessed(&uri)), uri)),
        metadata: Some(metadata),
        score: Some(hit.score.clamp(0.0, 1.0)),
        document_id: None,
    }
}

/// The headings above a hit's text, outermost first.
pub(crate) fn headings(hit: &Hit) -> Vec<String> {
    match hit.metadata.get(crate::keys::HEADINGS) {
        Some(Value::List(headings)) => headings.clone(),
        _ => Vec::new(),
    }
}

/// Numbers come back as doubles (`2020.0`), as Bedrock returns them.
fn attributes(metadata: &Metadata) -> BTreeMap<String, serde_json::Value> {
    let value = |value: &Value| match value {
        Value::Boolean(yes) => (*yes).into(),
        Value::Number(number) => (*number).into(),
        Value::String(text) => text.as_str().into(),
        Value::List(list) => list.as_slice().into(),
    };
    let told = metadata.iter().filter(|(key, _)| !key.starts_with(crate::keys::OWN));
    told.map(|(key, one)| (key.clone(), value(one))).collect()
}

/// What kept its chunks after its source had gone tells by its address what it was.
fn guessed(uri: &str) -> &'static str {
    match uri.split_once("://") {
        Some(("s3", _)) => "S3",
        Some(("http" | "https", _)) => "WEB",
        _ => "CUSTOM",
    }
}

/// One member for each type.
pub(crate) fn location(kind: &str, uri: String) -> RetrievalResultLocation {
    let mut shown = RetrievalResultLocation::default();
    match kind {
        "S3" => {
            shown.r#type = RetrievalResultLocationType::S3;
            shown.s3_location = Some(RetrievalResultS3Location { uri: Some(uri) });
        }
        "WEB" => {
            shown.r#type = RetrievalResultLocationType::Web;
            shown.web_location = Some(RetrievalResultWebLocation { url: Some(uri) });
        }
        "CONFLUENCE" => {
            shown.r#type = RetrievalResultLocationType::Confluence;
            shown.confluence_location = Some(RetrievalResultConfluenceLocation { url: Some(uri) });
        }
        "SHAREPOINT" => {
            shown.r#type = RetrievalResultLocationType::Sharepoint;
            shown.share_point_location = Some(RetrievalResultSharePointLocation { url: Some(uri) });
        }
        "SALESFORCE" => {
            shown.r#type = RetrievalResultLocationType::Salesforce;
            shown.salesforce_location = Some(RetrievalResultSalesforceLocation { url: Some(uri) });
        }
        _ => {
            shown.r#type = RetrievalResultLocationType::Custom;
            shown.custom_document_location = Some(RetrievalResultCustomDocumentLocation { id: Some(uri) });
        }
    }
    shown
}
