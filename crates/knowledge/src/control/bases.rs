//! Knowledge bases: create, get, list, update, delete.

use outcrop_access::Context;
use outcrop_api::Reply;
use outcrop_api::bedrock_agent::{
    CreateKnowledgeBaseRequest, CreateKnowledgeBaseResponse, DeleteKnowledgeBaseRequest, DeleteKnowledgeBaseResponse,
    GetKnowledgeBaseRequest, GetKnowledgeBaseResponse, KnowledgeBase as Shown, KnowledgeBaseStatus,
    KnowledgeBaseSummary, ListKnowledgeBasesRequest, ListKnowledgeBasesResponse, UpdateKnowledgeBaseRequest,
    UpdateKnowledgeBaseResponse,
};
use outcrop_gateway::SERVED_BY;
use outcrop_resources::tags::pairs;
use outcrop_resources::{ClientToken, Create, Op, Page, Resource, Tag};

use super::{broken, configuration, embedding, jobs, refusal};
use crate::base::scope;
use crate::ingest::Work;
use crate::kept::{KNOWLEDGE_BASE, KnowledgeBase, State, Told};
use crate::{Knowledge, KnowledgeError, schedule, stores};

/// Knowledge bases of an account in a Region (AWS's quota).
const MAX_BASES: i64 = 100;
const FULL: &str = "The account has 100 knowledge bases in this Region already, which is the most that it may have.";
/// Counts an account's knowledge bases.
pub(crate) const COUNTER: &str = "knowledge-bases";

/// Creates a knowledge base. Role, model and store are tried before anything is kept.
pub async fn create(
    cx: &Context,
    knowledge: &Knowledge,
    input: CreateKnowledgeBaseRequest,
) -> Result<CreateKnowledgeBaseResponse, KnowledgeError> {
    let scope = scope(cx);
    let tags = input.tags.unwrap_or_default();
    let tags: Vec<_> = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    let scheduled = schedule::told(&tags)?;
    let any = KNOWLEDGE_BASE.arn(scope, "*");
    let ask = |action| cx.ask(action).on(&any).request_tags(pairs(&tags)).check();
    ask("bedrock:CreateKnowledgeBase")?;
    if !tags.is_empty() {
        ask("bedrock:TagResource")?;
    }
    let settings = &knowledge.0.settings;
    let storage = input.storage_configuration.as_ref();
    let wanted = configuration::checked(&input.knowledge_base_configuration, storage, scope.region, settings)?;
    // Trust policies may ask which knowledge base it is, before there is one.
    let id = KNOWLEDGE_BASE.ids.generate()?;
    let acting = knowledge.pass(cx, &input.role_arn, &KNOWLEDGE_BASE.arn(scope, &id))?;
    let shape = embedding::probe(knowledge, &acting, &input.role_arn, &wanted).await?;
    let store = storage.and_then(|storage| stores::chosen(&settings.stores, storage));
    let base = KnowledgeBase {
        store: store.map(|store| store.name.clone()),
        description: input.description,
        role: input.role_arn,
        model: wanted.model.to_owned(),
        configuration: Told(input.knowledge_base_configuration),
        storage: input.storage_configuration.map(Told),
        attributes: None,
        shape,
        state: State::Ready,
        failures: Vec::new(),
    };
    let count = Op::Add { scope: scope.owned(), counter: COUNTER.into(), by: 1, min: 0, max: MAX_BASES };
    let also = |arn: &str| {
        let mut ops = vec![count.clone()];
        if scheduled {
            ops.push(Op::Insert(schedule::row(scope, KNOWLEDGE_BASE.id_in(scope, arn).unwrap_or_default())?));
        }
        Ok(ops)
    };
    let new = Create {
        id: Some(&id),
        name: Some(&input.name),
        tags: &tags,
        client_token: token(input.client_token.as_deref(), "CreateKnowledgeBase"),
        also: Some(&also),
        ..Create::new(&base)
    };
    let made = knowledge.0.bases.create_once(scope, new).await;
    let (made, is_new) = made.map_err(|error| refusal(error, FULL))?;
    // What an earlier call has made is in use, and is not this call's to try or to take away.
    if is_new && let Err(error) = knowledge.try_store(&made.id, &made.value).await {
        // A table or index that was made for it would be nobody's.
        if let Ok(engine) = knowledge.engine(&made.value) {
            let _ = engine.discard(&made.id).await;
        }
        let uncount = Op::Add { scope: scope.owned(), counter: COUNTER.into(), by: -1, min: 0, max: i64::MAX };
        knowledge.0.bases.delete_with(scope, &made.id, vec![uncount]).await?;
        return Err(error);
    }
    if let Some(storage) = &made.value.storage {
        let (storage, dimensions) = (storage.0.r#type.as_str(), shape.dimensions);
        let kept_in = knowledge.served_by(&made.value);
        tracing::info!(knowledge_base = made.id, storage, dimensions, kept_in, "a knowledge base is made");
    }
    // Everything that could fail has been tried; it can be used before this answer is read.
    let shown = Shown { status: KnowledgeBaseStatus::Creating, ..shown(made) };
    Ok(CreateKnowledgeBaseResponse { knowledge_base: shown })
}

/// Tells a knowledge base; a header says what keeps it, for which AWS has no member.
pub async fn get(
    cx: &Context,
    knowledge: &Knowledge,
    input: GetKnowledgeBaseRequest,
) -> Result<Reply<GetKnowledgeBaseResponse>, KnowledgeError> {
    let found = knowledge.may(cx, "bedrock:GetKnowledgeBase", &input.knowledge_base_id).await?;
    let served_by = knowledge.served_by(&found.value);
    Ok(Reply::from(GetKnowledgeBaseResponse { knowledge_base: shown(found) }).with(SERVED_BY, served_by))
}

/// Lists an account's knowledge bases, oldest first.
pub async fn list(
    cx: &Context,
    knowledge: &Knowledge,
    input: ListKnowledgeBasesRequest,
) -> Result<ListKnowledgeBasesResponse, KnowledgeError> {
    cx.allow("bedrock:ListKnowledgeBases", "*")?;
    let page = Page {
        operation: "ListKnowledgeBases",
        max_results: input.max_results,
        next_token: input.next_token.as_deref(),
        ..Page::default()
    };
    let listed = knowledge.0.bases.list(scope(cx), &page, |_| true).await?;
    let listed = listed.map(|found| {
        let found = shown(found);
        KnowledgeBaseSummary {
            knowledge_base_id: found.knowledge_base_id,
            name: found.name,
            description: found.description,
            status: found.status,
            updated_at: found.updated_at,
        }
    });
    Ok(ListKnowledgeBasesResponse { knowledge_base_summaries: listed.items, next_token: listed.next_token })
}

/// Replaces name, description and role of a knowledge base; all else must be as it was.
pub async fn update(
    cx: &Context,
    knowledge: &Knowledge,
    input: UpdateKnowledgeBaseRequest,
) -> Result<UpdateKnowledgeBaseResponse, KnowledgeError> {
    let scope = scope(cx);
    let found = knowledge.may(cx, "bedrock:UpdateKnowledgeBase", &input.knowledge_base_id).await?;
    usable(&found)?;
    let configuration = Told(input.knowledge_base_configuration);
    let storage = input.storage_configuration.map(Told);
    if found.value.configuration != configuration {
        return broken("knowledgeBaseConfiguration cannot be updated once created");
    }
    if found.value.storage != storage {
        return broken("storageConfiguration cannot be updated once created");
    }
    if storage.is_some() && input.metadata_configurations.is_some() {
        return broken("metadataConfigurations is only supported when knowledgeBase type is MANAGED");
    }
    let acting = knowledge.pass(cx, &input.role_arn, &found.arn)?;
    if found.value.role != input.role_arn {
        let settings = &knowledge.0.settings;
        let storage = storage.as_ref().map(|storage| &storage.0);
        let wanted = configuration::checked(&configuration.0, storage, scope.region, settings)?;
        embedding::probe(knowledge, &acting, &input.role_arn, &wanted).await?;
    }
    let change = |base: &mut Resource<KnowledgeBase>| {
        usable(base)?;
        base.name = Some(input.name.clone());
        base.value.description.clone_from(&input.description);
        base.value.role.clone_from(&input.role_arn);
        if let Some(attributes) = &input.metadata_configurations {
            base.value.attributes = Some(attributes.iter().cloned().map(Told).collect());
        }
        Ok::<_, KnowledgeError>(())
    };
    let updated = match knowledge.0.bases.update(scope, &found.id, change).await {
        Err(KnowledgeError::Resource(error)) => return Err(refusal(error, FULL)),
        updated => updated?,
    };
    let shown = Shown { status: KnowledgeBaseStatus::Updating, ..shown(updated) };
    Ok(UpdateKnowledgeBaseResponse { knowledge_base: shown })
}

/// Begins to delete a knowledge base with all that belongs to it.
pub async fn delete(
    cx: &Context,
    knowledge: &Knowledge,
    input: DeleteKnowledgeBaseRequest,
) -> Result<DeleteKnowledgeBaseResponse, KnowledgeError> {
    let scope = scope(cx);
    let found = knowledge.may(cx, "bedrock:DeleteKnowledgeBase", &input.knowledge_base_id).await?;
    let change = |base: &mut Resource<KnowledgeBase>| {
        let again = base.value.state == State::Deleting;
        base.value.state = State::Deleting;
        base.value.failures.clear();
        let work = Work::DeleteBase { base: base.id.clone() };
        if again {
            return Ok(Vec::new());
        }
        Ok::<_, KnowledgeError>(vec![work.enqueue(knowledge, scope, None)?, jobs::none(scope, &base.id)])
    };
    let deleting = knowledge.0.bases.update_with(scope, &found.id, change).await;
    deleting.map_err(|error| jobs::ongoing(error, "Knowledge Base", &found.id))?;
    knowledge.0.runner.wake();
    Ok(DeleteKnowledgeBaseResponse { knowledge_base_id: found.id, status: KnowledgeBaseStatus::Deleting })
}

/// Refuses what is being deleted.
pub(super) fn usable(found: &Resource<KnowledgeBase>) -> Result<(), KnowledgeError> {
    match found.value.state {
        State::Ready => Ok(()),
        State::Deleting | State::DeleteUnsuccessful => Err(KnowledgeError::Conflict(format!(
            "Knowledge Base with id {} is being deleted or could not be deleted.",
            found.id
        ))),
    }
}

/// The caller's token, if it sent one.
pub(super) fn token<'a>(token: Option<&'a str>, operation: &'static str) -> Option<ClientToken<'a>> {
    token.map(|token| ClientToken { operation, token })
}

fn shown(found: Resource<KnowledgeBase>) -> Shown {
    let base = found.value;
    Shown {
        knowledge_base_id: found.id,
        name: found.name.unwrap_or_default(),
        knowledge_base_arn: found.arn,
        description: base.description,
        role_arn: base.role,
        knowledge_base_configuration: base.configuration.0,
        storage_configuration: base.storage.map(|storage| storage.0),
        status: match base.state {
            State::Ready => KnowledgeBaseStatus::Active,
            State::Deleting => KnowledgeBaseStatus::Deleting,
            State::DeleteUnsuccessful => KnowledgeBaseStatus::DeleteUnsuccessful,
        },
        created_at: found.created,
        updated_at: found.updated,
        failure_reasons: (!base.failures.is_empty()).then_some(base.failures),
        metadata_configurations: base.attributes.map(|all| all.into_iter().map(|one| one.0).collect()),
    }
}
