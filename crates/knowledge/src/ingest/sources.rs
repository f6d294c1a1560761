//! Where documents come from.

use outcrop_api::bedrock_agent::DataSourceType;

/// Whether sources of this type can be read.
pub(crate) fn built(kind: &DataSourceType) -> bool {
    matches!(kind, DataSourceType::S3 | DataSourceType::Custom)
}
