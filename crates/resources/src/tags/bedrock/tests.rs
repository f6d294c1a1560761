use outcrop_access::{Caller, CallerKind};
use outcrop_api::{AwsError, Kind as Code};

use super::*;
use crate::testing::{ELSEWHERE, HERE, KINDS, bench};

fn call(scope: Scope<'_>) -> Context {
    Context::new(Caller::root(scope.account, None, CallerKind::User), scope.region, "bedrock")
}

fn pair(key: &str, value: &str) -> Shown {
    Shown { key: key.into(), value: value.into() }
}

fn tagging(arn: &str, tags: Vec<Shown>) -> TagResourceRequest {
    TagResourceRequest { resource_arn: arn.into(), tags }
}

fn untagging(arn: &str, keys: &[&str]) -> UntagResourceRequest {
    UntagResourceRequest { resource_arn: arn.into(), tag_keys: keys.iter().map(|key| (*key).to_owned()).collect() }
}

async fn shown(cx: &Context, tagger: &Tagger, arn: &str) -> Result<Vec<(String, String)>> {
    let told = list(cx, tagger, ListTagsForResourceRequest { resource_arn: arn.into() }).await?;
    Ok(told.tags.unwrap().into_iter().map(|t| (t.key, t.value)).collect())
}

#[tokio::test]
async fn tags_come_change_and_go() {
    let bench = bench().await;
    let tagger = bench.resources.tagger(KINDS);
    let arn = KINDS[0].arn(HERE, &bench.make(HERE, 1).await);
    let cx = call(HERE);
    tag(&cx, &tagger, tagging(&arn, vec![pair("team", "search"), pair("stage", "")])).await.unwrap();
    tag(&cx, &tagger, tagging(&arn, vec![pair("team", "ads"), pair("cost", "7")])).await.unwrap();
    untag(&cx, &tagger, untagging(&arn, &["stage", "nobody"])).await.unwrap();
    let now = shown(&cx, &tagger, &arn).await.unwrap();
    assert_eq!(now, [("cost".into(), "7".into()), ("team".into(), "ads".into())]);
    let many = (0..49).map(|i| pair(&format!("k{i}"), "")).collect();
    assert_eq!(tag(&cx, &tagger, tagging(&arn, many)).await.unwrap_err().kind(), Code::TooManyTags);
    bench.things.delete(HERE, &arn).await.unwrap();
    assert_eq!(shown(&cx, &tagger, &arn).await.unwrap_err().kind(), Code::ResourceNotFound);
}

#[tokio::test]
async fn what_is_not_the_callers_or_of_no_kind_does_not_exist() {
    let bench = bench().await;
    let tagger = bench.resources.tagger(KINDS);
    let arn = KINDS[0].arn(HERE, &bench.make(HERE, 1).await);
    let guardrail = "arn:aws:bedrock:us-east-1:000000000000:guardrail/abcdefghij12";
    for (cx, arn) in [
        (call(ELSEWHERE[0]), arn.as_str()),
        (call(ELSEWHERE[1]), arn.as_str()),
        (call(HERE), guardrail),
        (call(HERE), "x"),
    ] {
        assert_eq!(shown(&cx, &tagger, arn).await.unwrap_err().kind(), Code::ResourceNotFound, "{arn}");
        let tagged = tag(&cx, &tagger, tagging(arn, vec![pair("a", "b")])).await;
        assert_eq!(tagged.unwrap_err().kind(), Code::ResourceNotFound, "{arn}");
        let untagged = untag(&cx, &tagger, untagging(arn, &["team"])).await;
        assert_eq!(untagged.unwrap_err().kind(), Code::ResourceNotFound, "{arn}");
    }
}
