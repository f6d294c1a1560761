//! The table of operations: which function answers which marker. What is not in it answers 501 by its own name.

use std::sync::Arc;

use outcrop_api::{bedrock, bedrock_runtime};
use outcrop_gateway::Gateway;
use outcrop_models::{Models, foundation_models, inference_profiles, tags};

use crate::pipeline::{Table, run, run_stream};

/// What the operations work on.
#[derive(Clone)]
pub struct App {
    /// The catalogue and the profiles.
    pub models: Arc<Models>,
    /// The way into every model.
    pub gateway: Arc<Gateway>,
}

/// `async fn(&Context, &State, Input) -> Result<impl Into<Reply<Output>>, impl AwsError>` as a handler that owns its
/// call.
macro_rules! on {
    ($table:expr, $state:expr, $how:ident, $operation:ty, $function:path) => {
        let state = Arc::clone(&$state);
        $table.on::<$operation>($how::<$operation, _, _, _, _>(move |cx, input| {
            let state = Arc::clone(&state);
            async move { $function(&state, &cx, input).await }
        }));
    };
}

/// Everything that is built.
pub fn table(app: &App) -> Table {
    let mut table = Table::default();
    let t = &mut table;

    on!(t, app.gateway, run, bedrock_runtime::Converse, Gateway::converse);
    on!(t, app.gateway, run_stream, bedrock_runtime::ConverseStream, Gateway::converse_stream);
    on!(t, app.gateway, run, bedrock_runtime::InvokeModel, Gateway::invoke_model);
    on!(
        t,
        app.gateway,
        run_stream,
        bedrock_runtime::InvokeModelWithResponseStream,
        Gateway::invoke_model_with_response_stream
    );
    on!(t, app.gateway, run, bedrock_runtime::CountTokens, Gateway::count_tokens);

    table
}
