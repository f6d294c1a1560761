//! Where knowledge bases are kept: in the embedded index, or in an engine that the operator names for what a knowledge
//! base declares. Which one is decided when it is created, and stays.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use outcrop_api::bedrock_agent::{KnowledgeBaseStorageType as Storage, StorageConfiguration};
use outcrop_vectors::{Engine, Index, Mode, Place, Query, Store, Vector, VectorError};

use crate::kept::KnowledgeBase;
use crate::{Knowledge, KnowledgeError};

/// What the embedded index is called where it is told who serves a knowledge base.
pub const EMBEDDED: &str = "embedded index";

/// An engine and what it serves.
#[derive(Clone)]
pub struct Bound {
    /// What the operator calls it.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// The storage types that it serves, as AWS names them.
    pub types: Vec<String>,
    /// The ARNs and endpoints that it serves; none: all of its types.
    pub endpoints: Vec<String>,
    /// The engine.
    pub store: Arc<dyn Store>,
}

/// What an engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL with pgvector.
    Postgres,
    /// Qdrant.
    Qdrant,
    /// OpenSearch.
    OpenSearch,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("name", &self.name).field("types", &self.types).finish_non_exhaustive()
    }
}

/// The one that serves what is declared; one that names the endpoint goes before one that serves all of a type.
pub(crate) fn chosen<'a>(stores: &'a [Bound], storage: &StorageConfiguration) -> Option<&'a Bound> {
    let declared = endpoints(storage);
    let of_type = || stores.iter().filter(|one| one.types.iter().any(|name| name == storage.r#type.as_str()));
    let named = of_type().find(|one| one.endpoints.iter().any(|endpoint| declared.contains(&endpoint.as_str())));
    named.or_else(|| of_type().find(|one| one.endpoints.is_empty()))
}

impl Knowledge {
    /// The engine that keeps a knowledge base.
    pub(crate) fn engine(&self, base: &KnowledgeBase) -> Result<Arc<dyn Engine>, VectorError> {
        let Some(name) = &base.store else { return Ok(self.0.embedded.clone()) };
        let bound = self.0.settings.stores.iter().find(|one| one.name == *name).ok_or_else(|| {
            VectorError::Failed(format!(
                "it is kept in the store {name}, which the configuration does not name any more"
            ))
        })?;
        let place = base.storage.as_ref().and_then(|storage| place(bound.kind, &storage.0));
        Ok(bound.store.at(place))
    }

    /// A knowledge base's chunks.
    pub(crate) async fn index(&self, id: &str, base: &KnowledgeBase) -> Result<Arc<dyn Index>, KnowledgeError> {
        Ok(self.engine(base)?.open(id, base.shape).await?)
    }

    /// Whether the engine that keeps a knowledge base can be asked: [`invalid`] where it cannot.
    pub(crate) async fn try_store(&self, id: &str, base: &KnowledgeBase) -> Result<(), KnowledgeError> {
        let index = self.index(id, base).await.map_err(invalid)?;
        if base.store.is_none() {
            return Ok(());
        }
        let vector = match base.shape.binary {
            true => Vector::Binary(vec![0; base.shape.dimensions as usize / 8]),
            false => Vector::Float(vec![1.0; base.shape.dimensions as usize]),
        };
        let query = Query { vector, text: String::new(), mode: Mode::Semantic, filter: None, limit: 1, said: None };
        index.search(query).await.map(drop).map_err(|error| invalid(error.into()))
    }

    /// What keeps a knowledge base, for people.
    pub(crate) fn served_by(&self, base: &KnowledgeBase) -> String {
        match &base.store {
            None => EMBEDDED.to_owned(),
            Some(name) => name.clone(),
        }
    }
}

/// What is wrong with a store, as CreateKnowledgeBase and StartIngestionJob word it.
pub(crate) fn invalid(error: KnowledgeError) -> KnowledgeError {
    let said = match error {
        KnowledgeError::Index(said) => said.to_string(),
        other => other.to_string(),
    };
    KnowledgeError::Validation(format!("The knowledge base storage configuration provided is invalid... {said}"))
}

/// The table or index that is declared, where the engine is of the kind that the declaration is about.
fn place(kind: Kind, storage: &StorageConfiguration) -> Option<Place> {
    match (kind, &storage.r#type) {
        (Kind::Postgres, Storage::Rds) => {
            let rds = storage.rds_configuration.as_ref()?;
            let fields = &rds.field_mapping;
            Some(Place {
                database: Some(rds.database_name.clone()),
                name: rds.table_name.clone(),
                key: Some(fields.primary_key_field.clone()),
                vector: fields.vector_field.clone(),
                text: fields.text_field.clone(),
                metadata: fields.metadata_field.clone(),
                attributes: fields.custom_metadata_field.clone(),
            })
        }
        (Kind::OpenSearch, Storage::OpensearchServerless) => {
            let declared = storage.opensearch_serverless_configuration.as_ref()?;
            let fields = &declared.field_mapping;
            Some(index(&declared.vector_index_name, &fields.vector_field, &fields.text_field, &fields.metadata_field))
        }
        (Kind::OpenSearch, Storage::OpensearchManagedCluster) => {
            let declared = storage.opensearch_managed_cluster_configuration.as_ref()?;
            let fields = &declared.field_mapping;
            Some(index(&declared.vector_index_name, &fields.vector_field, &fields.text_field, &fields.metadata_field))
        }
        _ => None,
    }
}

fn index(name: &str, vector: &str, text: &str, metadata: &str) -> Place {
    Place {
        database: None,
        name: name.to_owned(),
        key: None,
        vector: vector.to_owned(),
        text: text.to_owned(),
        metadata: metadata.to_owned(),
        attributes: None,
    }
}

/// The ARNs and addresses that a declaration holds.
fn endpoints(storage: &StorageConfiguration) -> Vec<&str> {
    let mut all: Vec<Option<&str>> = Vec::new();
    all.push(storage.opensearch_serverless_configuration.as_ref().map(|one| one.collection_arn.as_str()));
    if let Some(one) = &storage.opensearch_managed_cluster_configuration {
        all.extend([Some(one.domain_arn.as_str()), Some(one.domain_endpoint.as_str())]);
    }
    all.push(storage.rds_configuration.as_ref().map(|one| one.resource_arn.as_str()));
    all.push(storage.pinecone_configuration.as_ref().map(|one| one.connection_string.as_str()));
    all.push(storage.redis_enterprise_cloud_configuration.as_ref().map(|one| one.endpoint.as_str()));
    all.push(storage.mongo_db_atlas_configuration.as_ref().map(|one| one.endpoint.as_str()));
    all.push(storage.neptune_analytics_configuration.as_ref().map(|one| one.graph_arn.as_str()));
    if let Some(one) = &storage.s3_vectors_configuration {
        all.extend([one.index_arn.as_deref(), one.vector_bucket_arn.as_deref()]);
    }
    all.into_iter().flatten().collect()
}
