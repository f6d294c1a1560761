use outcrop_api::bedrock::{
    CreateGuardrailVersionRequest, GuardrailCrossRegionConfig, GuardrailTopicsTierConfig, GuardrailTopicsTierName,
    Tag as GivenTag,
};
use outcrop_api::{AwsError, Kind};

use super::*;
use crate::testing::{ACCOUNT, KEY, OTHER_KEY, bench, call, here, topics, words};
use crate::versions;

fn named(id: &str, version: Option<&str>) -> GetGuardrailRequest {
    GetGuardrailRequest { guardrail_identifier: id.to_owned(), guardrail_version: version.map(str::to_owned) }
}

fn deletion(id: &str, version: Option<&str>) -> DeleteGuardrailRequest {
    DeleteGuardrailRequest { guardrail_identifier: id.to_owned(), guardrail_version: version.map(str::to_owned) }
}

fn replacing(id: &str, with: CreateGuardrailRequest) -> UpdateGuardrailRequest {
    UpdateGuardrailRequest {
        guardrail_identifier: id.to_owned(),
        name: with.name,
        description: with.description,
        topic_policy_config: with.topic_policy_config,
        word_policy_config: with.word_policy_config,
        cross_region_config: with.cross_region_config,
        blocked_input_messaging: with.blocked_input_messaging,
        blocked_outputs_messaging: with.blocked_outputs_messaging,
        kms_key_id: with.kms_key_id,
        ..UpdateGuardrailRequest::default()
    }
}

async fn versioned(guardrails: &Guardrails, id: &str) -> String {
    let input = CreateGuardrailVersionRequest { guardrail_identifier: id.to_owned(), ..Default::default() };
    versions::create(&here(), guardrails, input).await.unwrap().version
}

#[tokio::test]
async fn a_guardrail_is_made_read_replaced_and_deleted() {
    let b = bench().await;
    let made = b.make(words("first", &["cactus"])).await;
    assert_eq!(made.version, "DRAFT");
    assert_eq!(made.guardrail_arn, format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/{}", made.guardrail_id));
    assert_eq!(made.guardrail_id.len(), 12);

    for identifier in [&made.guardrail_id, &made.guardrail_arn] {
        let told = get(&here(), &b.guardrails, named(identifier, None)).await.unwrap();
        assert_eq!((told.name.as_str(), told.version.as_str()), ("first", "DRAFT"));
        assert_eq!(told.status, GuardrailStatus::Ready);
        assert_eq!(told.created_at, told.updated_at);
        let word = &told.word_policy.unwrap().words.unwrap()[0];
        assert_eq!(word.text, "cactus");
        assert_eq!(word.input_action.as_ref().unwrap().as_str(), "BLOCK");
        assert_eq!((word.input_enabled, word.output_enabled), (Some(true), Some(true)));
    }

    // The new contents are all: what is left out is gone.
    let other = CreateGuardrailRequest {
        word_policy_config: None,
        topic_policy_config: Some(topics(&[("Stocks", "What to buy")])),
        description: Some("second".into()),
        ..words("renamed", &[])
    };
    update(&here(), &b.guardrails, replacing(&made.guardrail_id, other)).await.unwrap();
    let told = get(&here(), &b.guardrails, named(&made.guardrail_id, Some("DRAFT"))).await.unwrap();
    assert_eq!((told.name.as_str(), told.description.as_deref()), ("renamed", Some("second")));
    assert!(told.word_policy.is_none());
    assert_eq!(told.topic_policy.unwrap().tier.unwrap().tier_name.as_str(), "CLASSIC");
    assert!(told.updated_at > told.created_at);

    delete(&here(), &b.guardrails, deletion(&made.guardrail_arn, None)).await.unwrap();
    let gone = get(&here(), &b.guardrails, named(&made.guardrail_id, None)).await.unwrap_err();
    assert_eq!(gone.kind(), Kind::ResourceNotFound);
    // Its name is free again.
    b.make(words("renamed", &["x"])).await;
}

#[tokio::test]
async fn what_is_not_the_callers_does_not_exist() {
    let b = bench().await;
    let made = b.make(words("mine", &["x"])).await;
    for cx in [call("999999999999", "us-east-1"), call(ACCOUNT, "eu-west-1")] {
        for id in [&made.guardrail_id, &made.guardrail_arn] {
            let errors = [
                get(&cx, &b.guardrails, named(id, None)).await.unwrap_err(),
                update(&cx, &b.guardrails, replacing(id, words("y", &["y"]))).await.unwrap_err(),
                delete(&cx, &b.guardrails, deletion(id, None)).await.unwrap_err(),
            ];
            assert!(errors.iter().all(|error| error.kind() == Kind::ResourceNotFound), "{errors:?}");
        }
        assert!(list(&cx, &b.guardrails, ListGuardrailsRequest::default()).await.unwrap().guardrails.is_empty());
    }
    assert_eq!(get(&here(), &b.guardrails, named(&made.guardrail_id, None)).await.unwrap().name, "mine");
}

#[tokio::test]
async fn names_are_unique_and_tokens_are_redeemed_once() {
    let b = bench().await;
    let token = |token: &str, name: &str| CreateGuardrailRequest {
        client_request_token: Some(token.to_owned()),
        ..words(name, &["x"])
    };
    let first = b.make(token("t", "one")).await;
    assert_eq!(b.make(token("t", "one")).await.guardrail_id, first.guardrail_id);
    let taken = create(&here(), &b.guardrails, token("u", "one")).await.unwrap_err();
    assert_eq!(taken.kind(), Kind::Conflict);
    assert_eq!(taken.message(), "Another guardrail in your account already has this name.");
    let second = b.make(words("two", &["x"])).await;
    let renamed = update(&here(), &b.guardrails, replacing(&second.guardrail_id, words("one", &["x"]))).await;
    assert_eq!(renamed.unwrap_err().message(), "Another guardrail in your account already has this name.");
    // Elsewhere the name is free.
    create(&call(ACCOUNT, "eu-west-1"), &b.guardrails, words("one", &["x"])).await.unwrap();
}

#[tokio::test]
async fn lists_are_paged() {
    let b = bench().await;
    for name in ["a", "b", "c"] {
        b.make(words(name, &["x"])).await;
    }
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let input = ListGuardrailsRequest { max_results: Some(2), next_token: token, ..Default::default() };
        let page = list(&here(), &b.guardrails, input).await.unwrap();
        names.extend(page.guardrails.into_iter().map(|one| one.name));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(names, ["c", "b", "a"]);
}

#[tokio::test]
async fn versions_of_one_are_listed_with_its_draft() {
    let b = bench().await;
    let id = b.make(words("a", &["x"])).await.guardrail_id;
    for _ in 0..3 {
        versioned(&b.guardrails, &id).await;
    }
    delete(&here(), &b.guardrails, deletion(&id, Some("2"))).await.unwrap();
    for size in [1, 2, 3, 1000] {
        let (mut seen, mut token) = (Vec::new(), None);
        loop {
            let input = ListGuardrailsRequest {
                guardrail_identifier: Some(id.clone()),
                max_results: Some(size),
                next_token: token,
            };
            let page = list(&here(), &b.guardrails, input).await.unwrap();
            assert!(page.guardrails.len() <= size as usize);
            seen.extend(page.guardrails.into_iter().map(|one| one.version));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["DRAFT", "3", "1"], "by {size}");
    }
}

#[tokio::test]
async fn a_deleted_number_is_never_given_again() {
    let b = bench().await;
    let id = b.make(words("a", &["x"])).await.guardrail_id;
    assert_eq!(versioned(&b.guardrails, &id).await, "1");
    assert_eq!(versioned(&b.guardrails, &id).await, "2");
    delete(&here(), &b.guardrails, deletion(&id, Some("2"))).await.unwrap();
    assert_eq!(versioned(&b.guardrails, &id).await, "3");
    let gone = get(&here(), &b.guardrails, named(&id, Some("2"))).await.unwrap_err();
    assert_eq!(gone.kind(), Kind::ResourceNotFound);
    let again = delete(&here(), &b.guardrails, deletion(&id, Some("2"))).await.unwrap_err();
    assert_eq!(again.kind(), Kind::ResourceNotFound);
}

#[tokio::test]
async fn an_account_has_a_hundred() {
    let b = bench().await;
    let mut last = String::new();
    for index in 0..MAX_GUARDRAILS {
        last = b.make(words(&format!("g{index}"), &["x"])).await.guardrail_id;
    }
    let full = create(&here(), &b.guardrails, words("one-more", &["x"])).await.unwrap_err();
    assert_eq!(full.kind(), Kind::ServiceQuotaExceeded);
    delete(&here(), &b.guardrails, deletion(&last, None)).await.unwrap();
    b.make(words("one-more", &["x"])).await;
}

#[tokio::test]
async fn a_kms_key_is_told_whole_and_kept_until_another_is_named() {
    let b = bench().await;
    let sealed = |key: &str| CreateGuardrailRequest { kms_key_id: Some(key.to_owned()), ..words("sealed", &["x"]) };
    let id = b.make(sealed("11111111-2222-3333-4444-555555555555")).await.guardrail_id;
    let key = async |version| get(&here(), &b.guardrails, named(&id, version)).await.unwrap().kms_key_arn;
    assert_eq!(key(None).await.as_deref(), Some(KEY));
    update(&here(), &b.guardrails, replacing(&id, words("sealed", &["y"]))).await.unwrap();
    assert_eq!(key(None).await.as_deref(), Some(KEY));
    versioned(&b.guardrails, &id).await;
    update(&here(), &b.guardrails, replacing(&id, sealed(OTHER_KEY))).await.unwrap();
    assert_eq!(key(None).await.as_deref(), Some(OTHER_KEY));
    assert_eq!(key(Some("1")).await.as_deref(), Some(KEY));

    let unbound = CreateGuardrailRequest { name: "u".into(), ..sealed("alias/nobody") };
    let refused = create(&here(), &b.guardrails, unbound).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Validation);
}

#[tokio::test]
async fn tags_come_with_it_and_go_with_it() {
    let b = bench().await;
    let tags = vec![GivenTag { key: "team".into(), value: "search".into() }];
    let made = b.make(CreateGuardrailRequest { tags: Some(tags), ..words("tagged", &["x"]) }).await;
    let tagger = b.resources.tagger(kept::KINDS);
    let cx = here();
    assert_eq!(tagger.list(scope(&cx), &made.guardrail_arn).await.unwrap().len(), 1);
    delete(&here(), &b.guardrails, deletion(&made.guardrail_id, None)).await.unwrap();
    assert!(tagger.list(scope(&cx), &made.guardrail_arn).await.is_err());
}

#[tokio::test]
async fn two_updates_at_once_leave_one_of_them_whole() {
    let b = bench().await;
    let id = b.make(words("a", &["start"])).await.guardrail_id;
    let mut tasks = Vec::new();
    for index in 0..8 {
        let (guardrails, id) = (b.guardrails.clone(), id.clone());
        tasks.push(tokio::spawn(async move {
            let with = CreateGuardrailRequest { description: Some(format!("d{index}")), ..words("a", &["x"]) };
            let with = replacing(&id, CreateGuardrailRequest { word_policy_config: None, ..with });
            let topic = format!("t{index}");
            let with = UpdateGuardrailRequest { topic_policy_config: Some(topics(&[(&topic, "about")])), ..with };
            update(&here(), &guardrails, with).await.unwrap();
            versioned(&guardrails, &id).await
        }));
    }
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.push(task.await.unwrap());
    }
    numbers.sort();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    // Whichever was last: description and contents are of the same call.
    let told = get(&here(), &b.guardrails, named(&id, None)).await.unwrap();
    let topic = told.topic_policy.unwrap().topics[0].name.clone();
    assert_eq!(told.description.unwrap().replace('d', "t"), topic);
}

#[tokio::test]
async fn a_standard_tier_has_long_definitions_and_a_profile() {
    let b = bench().await;
    let mut policy = topics(&[("Long", &"long ".repeat(200))]);
    let of =
        |policy: &outcrop_api::bedrock::GuardrailTopicPolicyConfig, profile: Option<&str>| CreateGuardrailRequest {
            topic_policy_config: Some(policy.clone()),
            cross_region_config: profile
                .map(|profile| GuardrailCrossRegionConfig { guardrail_profile_identifier: profile.to_owned() }),
            ..words("long", &["x"])
        };
    let long = create(&here(), &b.guardrails, of(&policy, None)).await.unwrap_err().message();
    assert_eq!(long, "One or more of your guardrail topic definitions exceeds the maximum allowed length");
    policy.tier_config = Some(GuardrailTopicsTierConfig { tier_name: GuardrailTopicsTierName::Standard });
    let alone = create(&here(), &b.guardrails, of(&policy, None)).await.unwrap_err().message();
    assert_eq!(alone, "Enable cross-Region inference for your guardrail to use Standard tier");
    let made = b.make(of(&policy, Some("us.guardrail.v1:0"))).await;
    let told = get(&here(), &b.guardrails, named(&made.guardrail_id, None)).await.unwrap();
    let details = told.cross_region_details.unwrap();
    assert_eq!(details.guardrail_profile_id.as_deref(), Some("us.guardrail.v1:0"));
    let arn = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail-profile/us.guardrail.v1:0");
    assert_eq!(details.guardrail_profile_arn, Some(arn));
    assert_eq!(told.topic_policy.unwrap().tier.unwrap().tier_name.as_str(), "STANDARD");
}
