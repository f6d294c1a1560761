//! What a call may say of a document.

use outcrop_access::Context;
use outcrop_api::bedrock_agent::{
    ContentDataSourceType, CustomContent, CustomSourceType, DataSourceType, DocumentIdentifier, InlineContentType,
    KnowledgeBaseDocument, MetadataSourceType,
};

use super::super::{broken, own};
use crate::KnowledgeError;
use crate::ingest::attributes::Sidecar;
use crate::ingest::sources::parts;
use crate::kept::DataSource;

/// The id of a document that a call brings.
pub(super) fn document(
    cx: &Context,
    told: &KnowledgeBaseDocument,
    source: &DataSource,
) -> Result<String, KnowledgeError> {
    fits(&told.content.data_source_type, source)?;
    let metadata = told.metadata.as_ref();
    if metadata.is_some_and(|metadata| metadata.access_control_list.is_some()) {
        return broken("accessControlList is not supported: documents would be found by everybody who may search.");
    }
    own(cx, metadata.and_then(|metadata| metadata.s3_location.as_ref()?.bucket_owner_account_id.as_ref()))?;
    let inline = metadata.is_some_and(|metadata| metadata.r#type == MetadataSourceType::InLineAttribute);
    if let Some(metadata) = metadata {
        let missing = if inline { metadata.inline_attributes.is_none() } else { metadata.s3_location.is_none() };
        if missing {
            let block = if inline { "inlineAttributes" } else { "s3Location" };
            return broken(format!("{block} is required when metadata type is {}", metadata.r#type.as_str()));
        }
    }
    if let Some(attributes) = metadata.and_then(|metadata| metadata.inline_attributes.as_ref()) {
        Sidecar::inline(attributes).map_err(KnowledgeError::Validation)?;
    }
    if told.content.data_source_type == ContentDataSourceType::S3 {
        let Some(s3) = &told.content.s3 else { return broken("s3 is required when dataSourceType is S3") };
        if inline {
            return broken("Metadata of documents in an S3 data source must be in a file: use the type S3_LOCATION.");
        }
        return uri(&s3.s3_location.uri);
    }
    let Some(custom) = &told.content.custom else { return broken("custom is required when dataSourceType is CUSTOM") };
    own(cx, custom.s3_location.as_ref().and_then(|place| place.bucket_owner_account_id.as_ref()))?;
    content(custom)?;
    if custom.source_type == CustomSourceType::InLine && metadata.is_some() && !inline {
        return broken("Metadata of inline content must be inline: use the type IN_LINE_ATTRIBUTE.");
    }
    Ok(custom.custom_document_identifier.id.clone())
}

fn content(custom: &CustomContent) -> Result<(), KnowledgeError> {
    if custom.source_type == CustomSourceType::S3Location {
        let Some(place) = &custom.s3_location else {
            return broken("s3Location is required when sourceType is S3_LOCATION");
        };
        return uri(&place.uri).map(drop);
    }
    let Some(inline) = &custom.inline_content else {
        return broken("inlineContent is required when sourceType is IN_LINE");
    };
    match inline.r#type {
        InlineContentType::Text if inline.text_content.is_none() => {
            broken("textContent is required when inline content type is TEXT")
        }
        InlineContentType::Byte if inline.byte_content.is_none() => {
            broken("byteContent is required when inline content type is BYTE")
        }
        _ => Ok(()),
    }
}

/// The id that an identifier means.
pub(super) fn identifier(told: &DocumentIdentifier, source: &DataSource) -> Result<String, KnowledgeError> {
    fits(&told.data_source_type, source)?;
    match (&told.data_source_type, &told.custom, &told.s3) {
        (ContentDataSourceType::Custom, Some(custom), _) => Ok(custom.id.clone()),
        (ContentDataSourceType::Custom, None, _) => broken("custom is required when dataSourceType is CUSTOM"),
        (_, _, Some(s3)) => uri(&s3.uri),
        _ => broken("s3 is required when dataSourceType is S3"),
    }
}

fn fits(told: &ContentDataSourceType, source: &DataSource) -> Result<(), KnowledgeError> {
    let is = &source.kind();
    match (told, is) {
        (ContentDataSourceType::Custom, DataSourceType::Custom) | (ContentDataSourceType::S3, DataSourceType::S3) => {
            Ok(())
        }
        _ => broken(format!(
            "The dataSourceType {} does not match the type of the data source, {}.",
            told.as_str(),
            is.as_str()
        )),
    }
}

fn uri(uri: &str) -> Result<String, KnowledgeError> {
    if parts(uri).is_none() {
        return broken(format!("{uri} is not the S3 URI of an object"));
    }
    Ok(uri.to_owned())
}
