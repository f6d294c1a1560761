//! ListProvisionedModelThroughputs.

use outcrop_access::Context;
use outcrop_api::bedrock::{
    ListProvisionedModelThroughputsRequest, ListProvisionedModelThroughputsResponse, ProvisionedModelSummary, SortOrder,
};
use outcrop_resources::{Order, Page};

use super::state;
use crate::Models;
use crate::error::ModelsError;
use crate::models::scope;

/// Lists the caller's, by the time of their making; the oldest first where no order is asked.
pub async fn list(
    cx: &Context,
    models: &Models,
    input: ListProvisionedModelThroughputsRequest,
) -> Result<ListProvisionedModelThroughputsResponse, ModelsError> {
    cx.allow("bedrock:ListProvisionedModelThroughputs", "*")?;
    // A page's token is good for the same filters only.
    let filter = serde_json::to_string(&(
        input.creation_time_after,
        input.creation_time_before,
        input.status_equals.as_ref().map(|status| status.as_str()),
        &input.model_arn_equals,
        &input.name_contains,
    ));
    let filter = filter.map_err(|error| ModelsError::Validation(error.to_string()))?;
    let page = Page {
        operation: "ListProvisionedModelThroughputs",
        max_results: input.max_results,
        next_token: input.next_token.as_deref(),
        filter: &filter,
        order: match input.sort_order {
            Some(SortOrder::Descending) => Order::NewestFirst,
            _ => Order::OldestFirst,
        },
        ..Page::default()
    };
    let show = |stored| Some(state::summary(models, &cx.region, stored)).filter(|shown| fits(shown, &input));
    let listed = models.provisioned.list_after(scope(cx), &page, Vec::new(), show).await?;
    Ok(ListProvisionedModelThroughputsResponse {
        provisioned_model_summaries: Some(listed.items),
        next_token: listed.next_token,
    })
}

fn fits(shown: &ProvisionedModelSummary, filter: &ListProvisionedModelThroughputsRequest) -> bool {
    filter.creation_time_after.is_none_or(|after| shown.creation_time > after)
        && filter.creation_time_before.is_none_or(|before| shown.creation_time < before)
        && filter.status_equals.as_ref().is_none_or(|status| shown.status == *status)
        && filter.model_arn_equals.as_ref().is_none_or(|arn| shown.model_arn == *arn)
        && filter.name_contains.as_ref().is_none_or(|part| shown.provisioned_model_name.contains(part))
}
