//! The table of operations: which function answers which marker. What is not in it answers 501 by its own name.

use std::sync::Arc;

use outcrop_api::{Operation, Spec, bedrock, bedrock_agent, bedrock_agent_runtime, bedrock_runtime};
use outcrop_gateway::Gateway;
use outcrop_guardrails::{Guardrails, apply, checks, control, enforced, versions};
use outcrop_knowledge::Knowledge;
use outcrop_knowledge::control as knowledge;
use outcrop_knowledge::{answer, rerank, retrieve};
use outcrop_models::{
    Models, data_retention, foundation_models, inference_profiles, model_access, prompt_routers, provisioned,
};
use outcrop_resources::{Policies, Tagger, policies, tags};
use outcrop_telemetry::invocation_log::{self, InvocationLogs};

use crate::pipeline::{Table, run, run_stream};

/// What the operations work on.
#[derive(Clone)]
pub struct App {
    /// The catalogue and the profiles.
    pub models: Arc<Models>,
    /// The way into every model.
    pub gateway: Arc<Gateway>,
    /// The guardrails.
    pub guardrails: Arc<Guardrails>,
    /// The knowledge bases.
    pub knowledge: Arc<Knowledge>,
    /// The tags of resources.
    pub tagger: Arc<Tagger>,
    /// The policies of resources.
    pub policies: Arc<Policies>,
    /// Who has calls logged, and where.
    pub logs: Arc<InvocationLogs>,
}

/// Binds an operation to the `async fn` that answers it: a method of the state, or with `fn` a function that takes
/// context, state and input. With `spec` in front, the operation as data.
macro_rules! on {
    (spec fn $operation:ty, $function:path) => { <$operation as Operation>::SPEC };
    (spec stream $operation:ty, $function:path) => { <$operation as Operation>::SPEC };
    (spec $operation:ty, $function:path) => { <$operation as Operation>::SPEC };
    ($table:expr, $state:expr, fn $operation:ty, $function:path) => {
        on!(@ $table, $state, $operation, run::<$operation, _, _, _, _>, |state, cx, input| $function(cx, state, input))
    };
    ($table:expr, $state:expr, $operation:ty, $function:path) => {
        on!(@ $table, $state, $operation, run::<$operation, _, _, _, _>, |state, cx, input| $function(state, cx, input))
    };
    ($table:expr, $state:expr, stream $operation:ty, $function:path) => {
        on!(@ $table, $state, $operation, run_stream::<$operation, _, _, _>, |state, cx, input| $function(state, cx, input))
    };
    (@ $table:expr, $state:expr, $operation:ty, $how:expr, |$s:ident, $c:ident, $i:ident| $call:expr) => {{
        let state = Arc::clone(&$state);
        $table.on::<$operation>($how(move |cx, $i| {
            let state = Arc::clone(&state);
            async move {
                let ($s, $c) = (&*state, &cx);
                $call.await
            }
        }));
    }};
}

/// Reads the rows twice: as the table, and as the list of what is in it, which needs no state.
macro_rules! operations {
    ($app:ident, $t:ident: $(on!($same:ident, $it:ident . $state:ident, $($row:tt)*);)*) => {
        /// Everything that is built.
        pub fn table($app: &App) -> Table {
            let mut table = Table::default();
            let $t = &mut table;
            $(on!($same, $it.$state, $($row)*);)*
            table
        }

        const BUILT: &[&Spec] = &[$(on!(spec $($row)*)),*];
    };
}

/// Whether an operation is built. What is not answers 501.
pub fn built(spec: &Spec) -> bool {
    BUILT.iter().any(|built| (built.service, built.name) == (spec.service, spec.name))
}

operations! { app, t:
    on!(t, app.gateway, bedrock_runtime::Converse, Gateway::converse);
    on!(t, app.gateway, stream bedrock_runtime::ConverseStream, Gateway::converse_stream);
    on!(t, app.gateway, bedrock_runtime::InvokeModel, Gateway::invoke_model);
    on!(t, app.gateway, stream bedrock_runtime::InvokeModelWithResponseStream, Gateway::invoke_model_with_response_stream);
    on!(t, app.gateway, bedrock_runtime::CountTokens, Gateway::count_tokens);

    on!(t, app.models, fn bedrock::ListFoundationModels, foundation_models::list);
    on!(t, app.models, fn bedrock::GetFoundationModel, foundation_models::get);
    on!(t, app.models, fn bedrock::GetFoundationModelAvailability, foundation_models::availability);
    on!(t, app.models, fn bedrock::CreateInferenceProfile, inference_profiles::create);
    on!(t, app.models, fn bedrock::GetInferenceProfile, inference_profiles::get);
    on!(t, app.models, fn bedrock::ListInferenceProfiles, inference_profiles::list);
    on!(t, app.models, fn bedrock::DeleteInferenceProfile, inference_profiles::delete);
    on!(t, app.models, fn bedrock::CreateProvisionedModelThroughput, provisioned::create);
    on!(t, app.models, fn bedrock::GetProvisionedModelThroughput, provisioned::get);
    on!(t, app.models, fn bedrock::ListProvisionedModelThroughputs, provisioned::list);
    on!(t, app.models, fn bedrock::UpdateProvisionedModelThroughput, provisioned::update);
    on!(t, app.models, fn bedrock::DeleteProvisionedModelThroughput, provisioned::delete);
    on!(t, app.models, fn bedrock::ListFoundationModelAgreementOffers, model_access::offers);
    on!(t, app.models, fn bedrock::CreateFoundationModelAgreement, model_access::create);
    on!(t, app.models, fn bedrock::DeleteFoundationModelAgreement, model_access::delete);
    on!(t, app.models, fn bedrock::PutUseCaseForModelAccess, model_access::put_use_case);
    on!(t, app.models, fn bedrock::GetUseCaseForModelAccess, model_access::get_use_case);
    on!(t, app.models, fn bedrock::CreatePromptRouter, prompt_routers::create);
    on!(t, app.models, fn bedrock::GetPromptRouter, prompt_routers::get);
    on!(t, app.models, fn bedrock::ListPromptRouters, prompt_routers::list);
    on!(t, app.models, fn bedrock::DeletePromptRouter, prompt_routers::delete);
    on!(t, app.models, fn bedrock::GetAccountDataRetention, data_retention::get);
    on!(t, app.models, fn bedrock::PutAccountDataRetention, data_retention::put);

    on!(t, app.guardrails, fn bedrock::CreateGuardrail, control::create);
    on!(t, app.guardrails, fn bedrock::GetGuardrail, control::get);
    on!(t, app.guardrails, fn bedrock::ListGuardrails, control::list);
    on!(t, app.guardrails, fn bedrock::UpdateGuardrail, control::update);
    on!(t, app.guardrails, fn bedrock::DeleteGuardrail, control::delete);
    on!(t, app.guardrails, fn bedrock::CreateGuardrailVersion, versions::create);
    on!(t, app.guardrails, fn bedrock::PutEnforcedGuardrailConfiguration, enforced::put);
    on!(t, app.guardrails, fn bedrock::ListEnforcedGuardrailsConfiguration, enforced::list);
    on!(t, app.guardrails, fn bedrock::DeleteEnforcedGuardrailConfiguration, enforced::delete);
    on!(t, app.guardrails, fn bedrock_runtime::ApplyGuardrail, apply::apply);
    on!(t, app.guardrails, fn bedrock_runtime::InvokeGuardrailChecks, checks::invoke);

    on!(t, app.knowledge, fn bedrock_agent::CreateKnowledgeBase, knowledge::bases::create);
    on!(t, app.knowledge, fn bedrock_agent::GetKnowledgeBase, knowledge::bases::get);
    on!(t, app.knowledge, fn bedrock_agent::ListKnowledgeBases, knowledge::bases::list);
    on!(t, app.knowledge, fn bedrock_agent::UpdateKnowledgeBase, knowledge::bases::update);
    on!(t, app.knowledge, fn bedrock_agent::DeleteKnowledgeBase, knowledge::bases::delete);
    on!(t, app.knowledge, fn bedrock_agent::CreateDataSource, knowledge::sources::create);
    on!(t, app.knowledge, fn bedrock_agent::GetDataSource, knowledge::sources::get);
    on!(t, app.knowledge, fn bedrock_agent::ListDataSources, knowledge::sources::list);
    on!(t, app.knowledge, fn bedrock_agent::UpdateDataSource, knowledge::sources::update);
    on!(t, app.knowledge, fn bedrock_agent::DeleteDataSource, knowledge::sources::delete);
    on!(t, app.knowledge, fn bedrock_agent::StartIngestionJob, knowledge::jobs::start);
    on!(t, app.knowledge, fn bedrock_agent::GetIngestionJob, knowledge::jobs::get);
    on!(t, app.knowledge, fn bedrock_agent::ListIngestionJobs, knowledge::jobs::list);
    on!(t, app.knowledge, fn bedrock_agent::StopIngestionJob, knowledge::jobs::stop);
    on!(t, app.knowledge, fn bedrock_agent::IngestKnowledgeBaseDocuments, knowledge::documents::ingest);
    on!(t, app.knowledge, fn bedrock_agent::GetKnowledgeBaseDocuments, knowledge::documents::get);
    on!(t, app.knowledge, fn bedrock_agent::ListKnowledgeBaseDocuments, knowledge::documents::list);
    on!(t, app.knowledge, fn bedrock_agent::DeleteKnowledgeBaseDocuments, knowledge::documents::delete);
    on!(t, app.knowledge, fn bedrock_agent::ListTagsForResource, knowledge::tags::list);
    on!(t, app.knowledge, fn bedrock_agent::TagResource, knowledge::tags::tag);
    on!(t, app.knowledge, fn bedrock_agent::UntagResource, knowledge::tags::untag);
    on!(t, app.knowledge, fn bedrock_agent_runtime::Retrieve, retrieve::retrieve);
    on!(t, app.knowledge, fn bedrock_agent_runtime::Rerank, rerank::rerank);
    on!(t, app.knowledge, fn bedrock_agent_runtime::RetrieveAndGenerate, answer::retrieve_and_generate);
    on!(t, app.knowledge, stream bedrock_agent_runtime::RetrieveAndGenerateStream, answer::retrieve_and_generate_stream);

    on!(t, app.tagger, fn bedrock::ListTagsForResource, tags::bedrock::list);
    on!(t, app.tagger, fn bedrock::TagResource, tags::bedrock::tag);
    on!(t, app.tagger, fn bedrock::UntagResource, tags::bedrock::untag);

    on!(t, app.logs, fn bedrock::PutModelInvocationLoggingConfiguration, invocation_log::put);
    on!(t, app.logs, fn bedrock::GetModelInvocationLoggingConfiguration, invocation_log::get);
    on!(t, app.logs, fn bedrock::DeleteModelInvocationLoggingConfiguration, invocation_log::delete);

    on!(t, app.policies, fn bedrock::PutResourcePolicy, policies::bedrock::put);
    on!(t, app.policies, fn bedrock::GetResourcePolicy, policies::bedrock::get);
    on!(t, app.policies, fn bedrock::DeleteResourcePolicy, policies::bedrock::delete);
    on!(t, app.policies, fn bedrock_agent::PutResourcePolicy, policies::bedrock_agent::put);
    on!(t, app.policies, fn bedrock_agent::GetResourcePolicy, policies::bedrock_agent::get);
    on!(t, app.policies, fn bedrock_agent::DeleteResourcePolicy, policies::bedrock_agent::delete);
}
