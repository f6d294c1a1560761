//! What a knowledge base is made of: its type's block, its store's block.

use outcrop_api::bedrock_agent::{
    EmbeddingModelConfiguration, EmbeddingModelType, KnowledgeBaseConfiguration, KnowledgeBaseStorageType as Storage,
    KnowledgeBaseType, S3VectorsConfiguration, StorageConfiguration,
};
use outcrop_wire::arn::Arn;

use super::broken;
use crate::{KnowledgeError, Settings};

/// What makes the vectors, as a configuration asks for it.
pub(super) struct Wanted<'a> {
    pub model: &'a str,
    pub told: Option<&'a EmbeddingModelConfiguration>,
    /// Of the store that was declared.
    pub storage: Option<&'a Storage>,
}

/// Checks both blocks against each other and says what makes the vectors.
pub(super) fn checked<'a>(
    configuration: &'a KnowledgeBaseConfiguration,
    storage: Option<&'a StorageConfiguration>,
    region: &str,
    settings: &'a Settings,
) -> Result<Wanted<'a>, KnowledgeError> {
    let kind = configuration.r#type.as_str();
    let wanted = match configuration.r#type {
        KnowledgeBaseType::Vector => {
            let Some(vector) = &configuration.vector_knowledge_base_configuration else {
                return broken("VectorKnowledgeBaseConfiguration is required when knowledgeBase type is VECTOR");
            };
            let Some(storage) = storage else {
                return broken("You must provide a storage configuration if you create a VECTOR knowledge base");
            };
            stored(storage)?;
            let told = vector.embedding_model_configuration.as_ref();
            Wanted { model: &vector.embedding_model_arn, told, storage: Some(&storage.r#type) }
        }
        _ if storage.is_some() => {
            return broken(format!(
                "You can't provide a storage configuration if the type of your knowledge base is {kind}"
            ));
        }
        KnowledgeBaseType::Managed => {
            let managed = configuration.managed_knowledge_base_configuration.as_ref();
            let named = managed.and_then(|managed| managed.embedding_model_arn.as_deref());
            let custom = managed.and_then(|managed| managed.embedding_model_type.as_ref());
            if custom == Some(&EmbeddingModelType::Custom) && named.is_none() {
                return broken("embeddingModelArn is required when embeddingModelType is CUSTOM");
            }
            let told = managed.and_then(|managed| managed.embedding_model_configuration.as_ref());
            Wanted { model: named.unwrap_or(&settings.managed_model), told, storage: None }
        }
        _ => {
            return Err(KnowledgeError::NotBuilt(format!(
                "Knowledge bases of type {kind} are not implemented. Create one of type VECTOR or MANAGED."
            )));
        }
    };
    let elsewhere = Arn::parse(wanted.model).filter(|arn| !arn.region.is_empty() && arn.region != region);
    if elsewhere.is_some() {
        return broken(format!("The embedding model ARN {} is in a different region", wanted.model));
    }
    Ok(wanted)
}

/// The block that the type names must be there.
fn stored(storage: &StorageConfiguration) -> Result<(), KnowledgeError> {
    let (there, block) = match storage.r#type {
        Storage::OpensearchServerless => {
            (storage.opensearch_serverless_configuration.is_some(), "OpensearchServerlessConfiguration")
        }
        Storage::OpensearchManagedCluster => {
            (storage.opensearch_managed_cluster_configuration.is_some(), "OpensearchManagedClusterConfiguration")
        }
        Storage::Pinecone => (storage.pinecone_configuration.is_some(), "PineconeConfiguration"),
        Storage::RedisEnterpriseCloud => {
            (storage.redis_enterprise_cloud_configuration.is_some(), "RedisEnterpriseCloudConfiguration")
        }
        Storage::Rds => (storage.rds_configuration.is_some(), "RdsConfiguration"),
        Storage::MongoDbAtlas => (storage.mongo_db_atlas_configuration.is_some(), "MongoDbAtlasConfiguration"),
        Storage::NeptuneAnalytics => {
            (storage.neptune_analytics_configuration.is_some(), "NeptuneAnalyticsConfiguration")
        }
        Storage::S3Vectors => (storage.s3_vectors_configuration.is_some(), "S3VectorsConfiguration"),
        Storage::Unlisted(_) => (true, ""),
    };
    if !there {
        return broken(format!("{block} is required when storage type is {}", storage.r#type.as_str()));
    }
    if let Some(S3VectorsConfiguration { vector_bucket_arn, index_arn, index_name }) = &storage.s3_vectors_configuration
        && index_arn.is_none()
        && (vector_bucket_arn.is_none() || index_name.is_none())
    {
        return broken("S3VectorsConfiguration needs indexArn, or vectorBucketArn and indexName");
    }
    Ok(())
}

/// Whether a store of this type can compare bits (the user guide's table of vector stores).
pub(super) fn holds_bits(storage: &Storage) -> bool {
    matches!(storage, Storage::OpensearchServerless | Storage::OpensearchManagedCluster)
}
