use outcrop_api::{AwsError, Kind as Code};

use super::*;
use crate::Create;
use crate::testing::{ELSEWHERE, HERE, KINDS, Thing, bench};

fn tags(tags: &[(&str, &str)]) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: (*key).into(), value: (*value).into() }).collect()
}

fn numbered(count: usize) -> Vec<Tag> {
    (0..count).map(|index| Tag { key: format!("k{index:02}"), value: String::new() }).collect()
}

#[tokio::test]
async fn come_with_the_resource_and_go_with_it() {
    let bench = bench().await;
    let (tagger, value) = (bench.resources.tagger(KINDS), Thing { number: 1 });
    let first = tags(&[("a", "1"), ("b", "")]);
    let made = bench.things.create(HERE, Create { tags: &first, ..Create::new(&value) }).await.unwrap();
    assert_eq!(tagger.list(HERE, &made.arn).await.unwrap(), first);
    tagger.tag(HERE, &made.arn, &tags(&[("c", "3"), ("a", "2")])).await.unwrap();
    tagger.untag(HERE, &made.arn, &["b".into(), "none".into()]).await.unwrap();
    assert_eq!(tagger.list(HERE, &made.arn).await.unwrap(), tags(&[("a", "2"), ("c", "3")]));
    bench.things.delete(HERE, &made.id).await.unwrap();
    let again = bench.things.create(HERE, Create { id: Some(&made.id), ..Create::new(&value) }).await.unwrap();
    assert_eq!(again.arn, made.arn);
    assert!(tagger.list(HERE, &made.arn).await.unwrap().is_empty(), "of the first nothing is left");
}

#[tokio::test]
async fn only_of_what_exists_here() {
    let bench = bench().await;
    let tagger = bench.resources.tagger(KINDS);
    let id = bench.make(HERE, 1).await;
    let arn = KINDS[0].arn(HERE, &id);
    let not_found = |result: Result<()>| assert_eq!(result.unwrap_err().kind(), Code::ResourceNotFound);
    let missing = [KINDS[0].arn(HERE, "none"), KINDS[1].arn(HERE, &id), id, "arn:aws:bedrock".into()];
    let foreign = ELSEWHERE.map(|scope| (scope, arn.clone()));
    for (scope, arn) in missing.map(|arn| (HERE, arn)).into_iter().chain(foreign) {
        not_found(tagger.tag(scope, &arn, &tags(&[("a", "1")])).await);
        not_found(tagger.untag(scope, &arn, &["a".into()]).await);
        not_found(tagger.list(scope, &arn).await.map(drop));
    }
    assert!(tagger.list(HERE, &arn).await.unwrap().is_empty());
}

#[tokio::test]
async fn fifty_and_no_more() {
    let bench = bench().await;
    let (tagger, value) = (bench.resources.tagger(KINDS), Thing { number: 1 });
    let too_many = numbered(51);
    let refused = bench.things.create(HERE, Create { tags: &too_many, ..Create::new(&value) }).await;
    assert_eq!(refused.unwrap_err().kind(), Code::TooManyTags);
    let fifty = numbered(50);
    let made = bench.things.create(HERE, Create { tags: &fifty, ..Create::new(&value) }).await.unwrap();
    tagger.tag(HERE, &made.arn, &tags(&[("k07", "new")])).await.expect("a new value is no new tag");
    let refused = tagger.tag(HERE, &made.arn, &tags(&[("k08", "lost"), ("more", "")])).await.unwrap_err();
    assert!(matches!(&refused, Error::TooManyTags { arn, found: 51, max: 50 } if *arn == made.arn), "{refused:?}");
    let kept = tagger.list(HERE, &made.arn).await.unwrap();
    assert_eq!((kept.len(), &*kept[7].value, &*kept[8].value), (50, "new", ""));
}

#[tokio::test]
async fn rules_of_keys_and_values() {
    let long = "k".repeat(129);
    let value = "v".repeat(257);
    let wrong: [&[(&str, &str)]; 9] = [
        &[("", "1")],
        &[(&long, "1")],
        &[("a", &value)],
        &[("a*", "1")],
        &[("a", "ü")],
        &[("aws:a", "1")],
        &[("AWS:a", "1")],
        &[("a", "1"), ("b", "1"), ("a", "1")],
        &[("a", "1"), ("b#", "1")],
    ];
    for wrong in wrong {
        assert_eq!(check("", &tags(wrong)).unwrap_err().kind(), Code::Validation, "{wrong:?}");
    }
    check("", &tags(&[(&long[1..], &value[1..]), ("Ab 1._:/=+@-", ""), ("awsome", ""), ("a", "")])).unwrap();
}

#[tokio::test]
async fn no_two_keys_that_differ_in_letter_case_only() {
    let bench = bench().await;
    let tagger = bench.resources.tagger(KINDS);
    let arn = KINDS[0].arn(HERE, &bench.make(HERE, 1).await);
    let refused = |result: Result<()>| assert_eq!(result.unwrap_err().kind(), Code::Validation);
    refused(tagger.tag(HERE, &arn, &tags(&[("team", "a"), ("Team", "b")])).await);
    tagger.tag(HERE, &arn, &tags(&[("team", "a")])).await.unwrap();
    refused(tagger.tag(HERE, &arn, &tags(&[("TEAM", "b")])).await);
    tagger.tag(HERE, &arn, &tags(&[("team", "b")])).await.unwrap();
    assert_eq!(tagger.list(HERE, &arn).await.unwrap(), tags(&[("team", "b")]));
}
