//! The three tag operations of `bedrock-agent`. Knowledge bases are what has tags there so far.

use outcrop_access::{Ask, Context};
use outcrop_api::bedrock_agent::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, TagResourceRequest, TagResourceResponse,
    UntagResourceRequest, UntagResourceResponse,
};
use outcrop_resources::tags::pairs;
use outcrop_resources::{Error, Tag};

use crate::base::scope;
use crate::kept::KINDS;
use crate::{Knowledge, KnowledgeError, schedule};

/// Lists a resource's tags, by key.
pub async fn list(
    cx: &Context,
    knowledge: &Knowledge,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, KnowledgeError> {
    may(cx, knowledge, "bedrock:ListTagsForResource", &input.resource_arn, |ask| ask).await?;
    let tags = knowledge.0.tagger.list(scope(cx), &input.resource_arn).await?;
    Ok(ListTagsForResourceResponse { tags: Some(tags.into_iter().map(|tag| (tag.key, tag.value)).collect()) })
}

/// Adds tags to a resource or replaces their values.
pub async fn tag(
    cx: &Context,
    knowledge: &Knowledge,
    input: TagResourceRequest,
) -> Result<TagResourceResponse, KnowledgeError> {
    let tags: Vec<_> = input.tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    may(cx, knowledge, "bedrock:TagResource", &input.resource_arn, |ask| ask.request_tags(pairs(&tags))).await?;
    let base = KINDS.iter().find_map(|kind| kind.id_in(scope(cx), &input.resource_arn));
    if let (true, Some(base)) = (schedule::told(&tags)?, base) {
        schedule::announce(knowledge, scope(cx), base).await?;
    }
    match knowledge.0.tagger.tag(scope(cx), &input.resource_arn, &tags).await {
        // This service declares no TooManyTagsException.
        Err(error @ Error::TooManyTags { .. }) => Err(KnowledgeError::Quota(error.to_string())),
        done => Ok(done.map(|()| TagResourceResponse {})?),
    }
}

/// Takes tags from a resource.
pub async fn untag(
    cx: &Context,
    knowledge: &Knowledge,
    input: UntagResourceRequest,
) -> Result<UntagResourceResponse, KnowledgeError> {
    let keys = || input.tag_keys.iter().map(String::as_str);
    may(cx, knowledge, "bedrock:UntagResource", &input.resource_arn, |ask| ask.tag_keys(keys())).await?;
    knowledge.0.tagger.untag(scope(cx), &input.resource_arn, &input.tag_keys).await?;
    Ok(UntagResourceResponse {})
}

/// What is not this caller's does not exist, before it is forbidden.
async fn may<'a>(
    cx: &'a Context,
    knowledge: &Knowledge,
    action: &'a str,
    arn: &'a str,
    with: impl FnOnce(Ask<'a>) -> Ask<'a>,
) -> Result<(), KnowledgeError> {
    let scope = scope(cx);
    if KINDS.iter().all(|kind| kind.id_in(scope, arn).is_none()) {
        return Err(Error::NotFound { noun: "Resource", identifier: arn.to_owned() }.into());
    }
    let has = knowledge.0.tagger.asked(cx, scope, arn).await?;
    with(cx.ask(action).on(arn).resource_tags(pairs(&has))).check()?;
    Ok(())
}
