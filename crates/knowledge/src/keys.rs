//! Attributes that this server gives every chunk.

/// What begins Bedrock's own attributes: in every result, filterable, no caller's.
pub(crate) const RESERVED: &str = "x-amz-bedrock-kb-";
/// An S3 URI, a URL or a custom id.
pub(crate) const SOURCE_URI: &str = "x-amz-bedrock-kb-source-uri";
/// The data source.
pub(crate) const DATA_SOURCE_ID: &str = "x-amz-bedrock-kb-data-source-id";
/// The chunk's name.
pub(crate) const CHUNK_ID: &str = "x-amz-bedrock-kb-chunk-id";
/// A number, from 1.
pub(crate) const PAGE: &str = "x-amz-bedrock-kb-document-page-number";
/// As [`SOURCE_URI`], in MANAGED knowledge bases.
pub(crate) const MANAGED_URI: &str = "_source_uri";
/// As [`DATA_SOURCE_ID`], in MANAGED knowledge bases.
pub(crate) const MANAGED_SOURCE: &str = "_data_source_id";

/// What begins attributes of our own, which are never told to clients as metadata, and which no filter names.
pub(crate) const OWN: &str = outcrop_vectors::OWN;
/// The type of location that a result tells: `S3`, `CUSTOM`, `WEB`, `CONFLUENCE`, `SALESFORCE`, `SHAREPOINT`.
pub(crate) const LOCATION: &str = "outcrop:location";
/// Where the chunk begins in the document's text, in characters.
pub(crate) const START: &str = "outcrop:start";
/// Where it ends, exclusive.
pub(crate) const END: &str = "outcrop:end";
/// The headings above it, outermost first.
pub(crate) const HEADINGS: &str = "outcrop:headings";

/// What begins the attributes that are a chunk's own, not its document's.
pub(crate) const OF_CHUNKS: [&str; 2] = [RESERVED, OWN];

/// Whether a document's own attribute may have this name.
pub(crate) fn free(key: &str) -> bool {
    !key.starts_with(RESERVED) && !key.starts_with(OWN) && key != MANAGED_URI && key != MANAGED_SOURCE
}
