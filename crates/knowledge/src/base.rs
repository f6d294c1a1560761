//! A knowledge base as retrieval sees it.

use std::sync::Arc;

use outcrop_access::Context;
use outcrop_resources::tags::pairs;
use outcrop_resources::{Error, Resource, Scope};
use outcrop_vectors::Index;

use crate::kept::{self, KNOWLEDGE_BASE, State};
use crate::{Knowledge, KnowledgeError};

/// What is needed to search a knowledge base.
pub struct Base {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The role that it acts with.
    pub role: String,
    /// Whether it is MANAGED rather than VECTOR.
    pub managed: bool,
    /// The storage type that it was declared with, as AWS names it; none where it is managed.
    pub storage: Option<String>,
    /// Whether its engine searches by words too.
    pub hybrid: bool,
    /// What makes its vectors.
    pub embedding: Embedding,
    /// Its chunks.
    pub index: Arc<dyn Index>,
}

/// What makes a knowledge base's vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedding {
    /// The model's ARN.
    pub model: String,
    /// How many numbers, where the knowledge base says so.
    pub dimensions: Option<u32>,
    /// Bits rather than numbers.
    pub binary: bool,
}

impl Embedding {
    /// What makes the vectors of a kept knowledge base.
    pub(crate) fn of(base: &kept::KnowledgeBase) -> Self {
        let configuration = &base.configuration.0;
        let vector = configuration.vector_knowledge_base_configuration.as_ref();
        let managed = configuration.managed_knowledge_base_configuration.as_ref();
        let told = vector
            .and_then(|vector| vector.embedding_model_configuration.as_ref())
            .or_else(|| managed.and_then(|managed| managed.embedding_model_configuration.as_ref()))
            .and_then(|told| told.bedrock_embedding_model_configuration.as_ref());
        let dimensions = told.and_then(|told| told.dimensions).and_then(|dimensions| u32::try_from(dimensions).ok());
        Self { model: base.model.clone(), dimensions, binary: base.shape.binary }
    }
}

impl Knowledge {
    /// The knowledge base that an identifier or ARN names, as retrieval sees it. Asks `action` of the caller.
    pub(crate) async fn base(&self, cx: &Context, action: &str, identifier: &str) -> Result<Base, KnowledgeError> {
        let found = self.may(cx, action, identifier).await?;
        if found.value.state == State::Deleting {
            return Err(KnowledgeError::UnknownBase(identifier.to_owned()));
        }
        let engine = self.engine(&found.value)?;
        let index = engine.open(&found.id, found.value.shape).await?;
        let storage = found.value.storage.as_ref().map(|storage| storage.0.r#type.as_str().to_owned());
        Ok(Base {
            managed: storage.is_none(),
            storage,
            hybrid: engine.hybrid(),
            embedding: Embedding::of(&found.value),
            role: found.value.role,
            id: found.id,
            arn: found.arn,
            index,
        })
    }

    /// The knowledge base that an identifier or ARN names, if the caller may do `action` to it.
    pub(crate) async fn may(
        &self,
        cx: &Context,
        action: &str,
        identifier: &str,
    ) -> Result<Resource<kept::KnowledgeBase>, KnowledgeError> {
        let scope = scope(cx);
        let unknown = || KnowledgeError::UnknownBase(identifier.to_owned());
        let id = KNOWLEDGE_BASE.id(scope, identifier).filter(|id| !id.is_empty()).ok_or_else(unknown)?;
        let arn = KNOWLEDGE_BASE.arn(scope, id);
        let tags = self.0.tagger.asked(cx, scope, &arn).await?;
        cx.ask(action).on(&arn).resource_tags(pairs(&tags)).check()?;
        match self.0.bases.get(scope, id).await {
            Err(Error::NotFound { .. }) => Err(unknown()),
            found => Ok(found?),
        }
    }
}

/// Whose knowledge bases a call may see.
pub(crate) fn scope(cx: &Context) -> Scope<'_> {
    Scope { account: &cx.caller.account, region: &cx.region }
}
