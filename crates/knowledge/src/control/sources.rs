//! Data sources: create, get, list, update, delete.

use outcrop_access::Context;
use outcrop_api::bedrock_agent::{
    CreateDataSourceRequest, CreateDataSourceResponse, DataDeletionPolicy, DataSource as Shown,
    DataSourceConfiguration, DataSourceStatus, DataSourceSummary, DataSourceType, DeleteDataSourceRequest,
    DeleteDataSourceResponse, GetDataSourceRequest, GetDataSourceResponse, KnowledgeBaseStorageType as Storage,
    ListDataSourcesRequest, ListDataSourcesResponse, ServerSideEncryptionConfiguration, UpdateDataSourceRequest,
    UpdateDataSourceResponse, VectorIngestionConfiguration,
};
use outcrop_resources::{Create, Error, Op, Page, Resource, Scope};

use super::bases::{token, usable};
use super::{broken, connector, jobs, own, refusal, vector_ingestion};
use crate::base::scope;
use crate::ingest::{Work, sources as connectors};
use crate::kept::{DataSource, KnowledgeBase, State, Told};
use crate::schedule::{self, Schedule};
use crate::{Knowledge, KnowledgeError};

/// Data sources of a knowledge base (AWS's quota).
const MAX_SOURCES: i64 = 5;
const FULL: &str = "The knowledge base has 5 data sources already, which is the most that it may have.";

/// Creates a data source.
pub async fn create(
    cx: &Context,
    knowledge: &Knowledge,
    input: CreateDataSourceRequest,
) -> Result<CreateDataSourceResponse, KnowledgeError> {
    let scope = scope(cx);
    let base = knowledge.may(cx, "bedrock:CreateDataSource", &input.knowledge_base_id).await?;
    usable(&base)?;
    let retain = retain(&base.value, input.data_deletion_policy.as_ref())?;
    let ingestion = input.vector_ingestion_configuration;
    checked(cx, knowledge, &base.value, &input.data_source_configuration, ingestion.as_ref())?;
    let source = DataSource {
        description: input.description,
        configuration: Told(input.data_source_configuration),
        ingestion: ingestion.map(Told),
        retain,
        kms_key: input.server_side_encryption_configuration.and_then(|told| told.kms_key_arn),
        state: State::Ready,
        failures: Vec::new(),
        synced: false,
    };
    if source.connector().and_then(Schedule::of_connector).is_some() {
        schedule::announce(knowledge, scope, &base.id).await?;
    }
    let also = vec![
        knowledge.require_base(scope, &base),
        Op::Add { scope: scope.owned(), counter: counter(&base.id), by: 1, min: 0, max: MAX_SOURCES },
    ];
    let new = Create {
        name: Some(&name(&base.id, &input.name)),
        parent: Some(&base.id),
        kms_key: source.kms_key.as_deref(),
        client_token: token(input.client_token.as_deref(), "CreateDataSource"),
        also: Some(&|_| Ok(also.clone())),
        ..Create::new(&source)
    };
    let made = knowledge.0.sources.create(scope, new).await.map_err(|error| refusal(error, FULL))?;
    Ok(CreateDataSourceResponse { data_source: shown(made) })
}

/// Tells a data source.
pub async fn get(
    cx: &Context,
    knowledge: &Knowledge,
    input: GetDataSourceRequest,
) -> Result<GetDataSourceResponse, KnowledgeError> {
    let base = knowledge.may(cx, "bedrock:GetDataSource", &input.knowledge_base_id).await?;
    let found = knowledge.source(scope(cx), &base.id, &input.data_source_id).await?;
    Ok(GetDataSourceResponse { data_source: shown(found) })
}

/// Lists a knowledge base's data sources, oldest first.
pub async fn list(
    cx: &Context,
    knowledge: &Knowledge,
    input: ListDataSourcesRequest,
) -> Result<ListDataSourcesResponse, KnowledgeError> {
    let base = knowledge.may(cx, "bedrock:ListDataSources", &input.knowledge_base_id).await?;
    let page = Page {
        operation: "ListDataSources",
        max_results: input.max_results,
        next_token: input.next_token.as_deref(),
        parent: Some(&base.id),
        ..Page::default()
    };
    let listed = knowledge.0.sources.list(scope(cx), &page, |_| true).await?;
    let listed = listed.map(|found| {
        let found = shown(found);
        DataSourceSummary {
            knowledge_base_id: found.knowledge_base_id,
            data_source_id: found.data_source_id,
            name: found.name,
            status: found.status,
            description: found.description,
            updated_at: found.updated_at,
        }
    });
    Ok(ListDataSourcesResponse { data_source_summaries: listed.items, next_token: listed.next_token })
}

/// Replaces what of a data source may change.
pub async fn update(
    cx: &Context,
    knowledge: &Knowledge,
    input: UpdateDataSourceRequest,
) -> Result<UpdateDataSourceResponse, KnowledgeError> {
    let scope = scope(cx);
    let base = knowledge.may(cx, "bedrock:UpdateDataSource", &input.knowledge_base_id).await?;
    let found = knowledge.source(scope, &base.id, &input.data_source_id).await?;
    let retain = retain(&base.value, input.data_deletion_policy.as_ref())?;
    let configuration = Told(input.data_source_configuration);
    let ingestion = input.vector_ingestion_configuration.map(Told);
    unchanged(&found.value, &configuration.0, ingestion.as_ref())?;
    checked(cx, knowledge, &base.value, &configuration.0, ingestion.as_ref().map(|told| &told.0))?;
    let kms_key = input.server_side_encryption_configuration.and_then(|told| told.kms_key_arn);
    if kms_key != found.value.kms_key && kms_key.is_some() {
        return broken("serverSideEncryptionConfiguration cannot be updated once created");
    }
    if configuration.0.managed_knowledge_base_connector_configuration.is_some() {
        schedule::announce(knowledge, scope, &base.id).await?;
    }
    let change = |source: &mut Resource<DataSource>| {
        // One that could not be deleted may be given RETAIN, which is the cure.
        if source.value.state == State::Deleting {
            return Err(deleting(&source.id));
        }
        source.name = Some(name(&base.id, &input.name));
        let kept = &mut source.value;
        kept.description.clone_from(&input.description);
        kept.configuration = configuration.clone();
        kept.ingestion.clone_from(&ingestion);
        kept.retain = retain;
        Ok(())
    };
    let updated = match knowledge.0.sources.update(scope, &found.id, change).await {
        Err(KnowledgeError::Resource(error)) => return Err(refusal(error, FULL)),
        updated => updated?,
    };
    Ok(UpdateDataSourceResponse { data_source: shown(updated) })
}

/// Begins to delete a data source.
pub async fn delete(
    cx: &Context,
    knowledge: &Knowledge,
    input: DeleteDataSourceRequest,
) -> Result<DeleteDataSourceResponse, KnowledgeError> {
    let scope = scope(cx);
    let base = knowledge.may(cx, "bedrock:DeleteDataSource", &input.knowledge_base_id).await?;
    let found = knowledge.source(scope, &base.id, &input.data_source_id).await?;
    let change = |source: &mut Resource<DataSource>| {
        let again = source.value.state == State::Deleting;
        source.value.state = State::Deleting;
        source.value.failures.clear();
        let work = Work::DeleteSource { base: base.id.clone(), source: source.id.clone() };
        if again {
            Ok(Vec::new())
        } else {
            Ok(vec![work.enqueue(knowledge, scope, None)?, jobs::none(scope, &source.id)])
        }
    };
    let deleting = knowledge.0.sources.update_with(scope, &found.id, change).await;
    deleting.map_err(|error| jobs::ongoing(error, "Data source", &found.id))?;
    knowledge.0.runner.wake();
    Ok(DeleteDataSourceResponse {
        knowledge_base_id: base.id,
        data_source_id: found.id,
        status: DataSourceStatus::Deleting,
    })
}

impl Knowledge {
    /// A data source of a knowledge base.
    pub(crate) async fn source(
        &self,
        scope: Scope<'_>,
        base: &str,
        id: &str,
    ) -> Result<Resource<DataSource>, KnowledgeError> {
        let unknown = || KnowledgeError::UnknownSource(id.to_owned(), base.to_owned());
        match self.0.sources.get(scope, id).await {
            Err(Error::NotFound { .. }) => Err(unknown()),
            Ok(found) if found.parent.as_deref() != Some(base) => Err(unknown()),
            found => Ok(found?),
        }
    }

    /// A knowledge base and a data source of it as they are now, if both can be used.
    pub(crate) async fn ready(
        &self,
        scope: Scope<'_>,
        base: &str,
        source: &str,
    ) -> Result<(Resource<KnowledgeBase>, Resource<DataSource>), KnowledgeError> {
        let base = match self.0.bases.get(scope, base).await {
            Err(Error::NotFound { .. }) => return Err(KnowledgeError::UnknownBase(base.to_owned())),
            base => base?,
        };
        usable(&base)?;
        let source = self.source(scope, &base.id, source).await?;
        if source.value.state == State::Ready { Ok((base, source)) } else { Err(deleting(&source.id)) }
    }
}

/// Refuses what is being deleted.
pub(crate) fn deleting(id: &str) -> KnowledgeError {
    KnowledgeError::Conflict(format!("Data source with id {id} is being deleted."))
}

/// Counts a knowledge base's data sources.
pub(crate) fn counter(base: &str) -> String {
    format!("data-sources/{base}")
}

/// Names are unique in a knowledge base.
fn name(base: &str, name: &str) -> String {
    format!("{base}/{name}")
}

fn retain(base: &KnowledgeBase, policy: Option<&DataDeletionPolicy>) -> Result<bool, KnowledgeError> {
    let retain = policy == Some(&DataDeletionPolicy::Retain);
    if retain && base.storage.is_none() {
        return broken("dataDeletionPolicy RETAIN is not supported for MANAGED knowledge bases");
    }
    Ok(retain)
}

fn checked(
    cx: &Context,
    knowledge: &Knowledge,
    base: &KnowledgeBase,
    told: &DataSourceConfiguration,
    ingestion: Option<&VectorIngestionConfiguration>,
) -> Result<(), KnowledgeError> {
    let connector = told.r#type == DataSourceType::ManagedKnowledgeBaseConnector;
    if connector && base.storage.is_some() {
        return broken("MANAGED_KNOWLEDGE_BASE_CONNECTOR data source is only supported for MANAGED knowledge bases");
    }
    let bounds = connector::bounds(told);
    let told = &*connector::plain(told)?;
    let kind = told.r#type.as_str();
    let (there, block) = match told.r#type {
        DataSourceType::S3 => (told.s3_configuration.is_some(), "s3Configuration"),
        DataSourceType::Web => (told.web_configuration.is_some(), "webConfiguration"),
        DataSourceType::Confluence => (told.confluence_configuration.is_some(), "confluenceConfiguration"),
        DataSourceType::Salesforce => (told.salesforce_configuration.is_some(), "salesforceConfiguration"),
        DataSourceType::Sharepoint => (told.share_point_configuration.is_some(), "sharePointConfiguration"),
        _ => (true, ""),
    };
    if !there {
        return broken(format!("{block} is required when data source type is {kind}"));
    }
    own(cx, told.s3_configuration.as_ref().and_then(|s3| s3.bucket_owner_account_id.as_ref()))?;
    let crawls = matches!(
        told.r#type,
        DataSourceType::Web | DataSourceType::Confluence | DataSourceType::Salesforce | DataSourceType::Sharepoint
    );
    let elsewhere = base.storage.as_ref().is_some_and(|told| told.0.r#type != Storage::OpensearchServerless);
    if crawls && elsewhere && knowledge.strict() {
        return broken(format!(
            "{kind} data source is currently only supported for knowledge bases created with an Amazon OpenSearch \
             Serverless vector database"
        ));
    }
    connectors::check(knowledge.0.settings.outside.as_ref(), told, bounds.as_ref())?;
    let s3 = told.s3_configuration.as_ref().filter(|_| told.r#type == DataSourceType::S3);
    let bucket = s3.and_then(|s3| s3.bucket_arn.rsplit_once(":::")).map(|(_, bucket)| bucket);
    let vector = base.configuration.0.vector_knowledge_base_configuration.as_ref();
    let media = vector.and_then(|vector| vector.supplemental_data_storage_configuration.as_ref());
    let media = media.and_then(|media| media.storage_locations.first()).and_then(|place| place.s3_location.as_ref());
    let same = media.is_some_and(|media| vector_ingestion::bucket_of(&media.uri) == bucket);
    // With a prefix of their own the two keep apart (user guide).
    if same && s3.is_some_and(|s3| s3.inclusion_prefixes.is_none()) {
        return broken("Your data source and multimodal storage destination use the same S3 bucket");
    }
    vector_ingestion::checked(knowledge, base, ingestion, bucket)
}

/// What an update may not change, or leave out.
fn unchanged(
    source: &DataSource,
    configuration: &DataSourceConfiguration,
    ingestion: Option<&Told<VectorIngestionConfiguration>>,
) -> Result<(), KnowledgeError> {
    if source.configuration.0.r#type != configuration.r#type || source.kind() != connector::plain(configuration)?.r#type
    {
        return broken("dataSourceConfiguration.type cannot be updated once created");
    }
    let (was, is) = (source.ingestion.as_ref().map(|told| &told.0), ingestion.map(|told| &told.0));
    let chunking = |told: Option<&VectorIngestionConfiguration>| {
        told.and_then(|told| told.chunking_configuration.clone()).map(Told)
    };
    if chunking(was) != chunking(is) {
        return broken("chunkingConfiguration cannot be updated once created");
    }
    // The model and the prompt of a parser may change.
    let parser = |told: Option<&VectorIngestionConfiguration>| {
        told.and_then(|told| told.parsing_configuration.as_ref()).map(|told| told.parsing_strategy.clone())
    };
    if parser(was) != parser(is) {
        return broken("vectorIngestionConfiguration.parsingConfiguration cannot be updated once created");
    }
    Ok(())
}

fn shown(found: Resource<DataSource>) -> Shown {
    let source = found.value;
    let base = found.parent.unwrap_or_default();
    let name = found.name.unwrap_or_default();
    Shown {
        name: name.strip_prefix(&format!("{base}/")).unwrap_or(&name).to_owned(),
        knowledge_base_id: base,
        data_source_id: found.id,
        status: match source.state {
            State::Ready => DataSourceStatus::Available,
            State::Deleting => DataSourceStatus::Deleting,
            State::DeleteUnsuccessful => DataSourceStatus::DeleteUnsuccessful,
        },
        description: source.description,
        data_source_configuration: source.configuration.0,
        server_side_encryption_configuration: source
            .kms_key
            .map(|key| ServerSideEncryptionConfiguration { kms_key_arn: Some(key) }),
        vector_ingestion_configuration: source.ingestion.map(|told| told.0),
        data_deletion_policy: Some(if source.retain { DataDeletionPolicy::Retain } else { DataDeletionPolicy::Delete }),
        created_at: found.created,
        updated_at: found.updated,
        failure_reasons: (!source.failures.is_empty()).then_some(source.failures),
    }
}
