use outcrop_api::bedrock::{
    AgreementStatus, AuthorizationStatus, EntitlementAvailability, GetFoundationModelAvailabilityRequest,
};
use outcrop_api::{AwsError, Kind as Code};

use super::*;
use crate::testing::{ACCOUNT, Bench, HAIKU, SONNET4, bench, call, here};
use crate::{Invocation, Settings, foundation_models};

const NOVA: &str = "amazon.nova-micro-v1:0";

fn explicit() -> Settings {
    Settings { model_access: ModelAccess { explicit: true, ..ModelAccess::default() }, ..Settings::default() }
}

async fn offer(b: &Bench, cx: &Context, model: &str) -> outcrop_api::bedrock::Offer {
    let input = ListFoundationModelAgreementOffersRequest { model_id: model.into(), offer_type: None };
    offers(cx, &b.models, input).await.unwrap().offers.remove(0)
}

async fn agree(b: &Bench, cx: &Context, model: &str) -> Result<(), ModelsError> {
    let offer_token = offer(b, cx, model).await.offer_token;
    let input = CreateFoundationModelAgreementRequest { offer_token, model_id: model.into() };
    create(cx, &b.models, input).await.map(|made| assert_eq!(made.model_id, model))
}

async fn end(b: &Bench, model: &str) -> Result<(), ModelsError> {
    delete(&here(), &b.models, DeleteFoundationModelAgreementRequest { model_id: model.into() }).await.map(drop)
}

async fn submit(b: &Bench, form: &'static [u8]) {
    let input = PutUseCaseForModelAccessRequest { form_data: form.into() };
    put_use_case(&here(), &b.models, input).await.unwrap();
}

async fn invoke(b: &Bench, cx: &Context, id: &str) -> Result<(), ModelsError> {
    let resolved = b.models.resolve(cx, id).await?;
    b.models.admit(cx, Invocation::new("bedrock:InvokeModel"), &resolved).await
}

fn refused<T: std::fmt::Debug>(result: Result<T, ModelsError>, code: Code, text: &str) {
    let error = result.expect_err(text);
    assert_eq!(error.kind(), code, "{error}");
    assert!(error.message().contains(text), "{}", error.message());
}

async fn available(b: &Bench, model: &str) -> (AgreementStatus, AuthorizationStatus, EntitlementAvailability) {
    let input = GetFoundationModelAvailabilityRequest { model_id: model.into() };
    let told = foundation_models::availability(&here(), &b.models, input).await.unwrap();
    (told.agreement_availability.status, told.authorization_status, told.entitlement_availability)
}

#[tokio::test]
async fn every_model_is_open_by_default() {
    let b = bench(Settings::default()).await;
    invoke(&b, &here(), NOVA).await.unwrap();
    invoke(&b, &here(), HAIKU).await.unwrap();
    let yes = (AgreementStatus::Available, AuthorizationStatus::Authorized, EntitlementAvailability::Available);
    assert_eq!(available(&b, HAIKU).await, yes);
    // Agreements can be made all the same, form or not, and change nothing.
    agree(&b, &here(), HAIKU).await.unwrap();
    end(&b, HAIKU).await.unwrap();
    assert_eq!(available(&b, HAIKU).await, yes);
}

#[tokio::test]
async fn under_explicit_a_model_needs_an_agreement() {
    let b = bench(explicit()).await;
    let no = "You don't have access to the model with the specified model ID.";
    refused(invoke(&b, &here(), NOVA).await, Code::AccessDenied, no);
    assert_eq!(
        available(&b, NOVA).await,
        (AgreementStatus::NotAvailable, AuthorizationStatus::Authorized, EntitlementAvailability::NotAvailable)
    );
    agree(&b, &here(), NOVA).await.unwrap();
    for id in [NOVA, "us.amazon.nova-micro-v1:0", "amazon.nova-micro-v1:0:24k"] {
        invoke(&b, &here(), id).await.unwrap();
    }
    // One agreement is for all Regions, for one model and for one account.
    invoke(&b, &call(ACCOUNT, "us-west-2"), NOVA).await.unwrap();
    refused(invoke(&b, &here(), "amazon.nova-lite-v1:0").await, Code::AccessDenied, no);
    refused(invoke(&b, &call("999999999999", "us-east-1"), NOVA).await, Code::AccessDenied, no);
    refused(agree(&b, &here(), NOVA).await, Code::Conflict, "has an agreement");
    end(&b, NOVA).await.unwrap();
    refused(invoke(&b, &here(), NOVA).await, Code::AccessDenied, no);
    refused(end(&b, NOVA).await, Code::ResourceNotFound, "no agreement");
}

#[tokio::test]
async fn what_runs_here_needs_none_and_has_no_offer() {
    let b = bench(explicit()).await;
    invoke(&b, &here(), "outcrop.tiny").await.unwrap();
    let input = ListFoundationModelAgreementOffersRequest { model_id: "outcrop.tiny".into(), offer_type: None };
    refused(offers(&here(), &b.models, input).await, Code::Validation, "needs no agreement");
    let input = ListFoundationModelAgreementOffersRequest { model_id: "no.such-model".into(), offer_type: None };
    refused(offers(&here(), &b.models, input).await, Code::ResourceNotFound, "Could not resolve");
}

#[tokio::test]
async fn some_accounts_may_be_otherwise() {
    let except = [ACCOUNT.to_owned()].into();
    let b = bench(Settings { model_access: ModelAccess { explicit: true, except }, ..Settings::default() }).await;
    invoke(&b, &here(), NOVA).await.unwrap();
    assert!(invoke(&b, &call("999999999999", "us-east-1"), NOVA).await.is_err());
}

#[tokio::test]
async fn anthropic_asks_for_the_form_first() {
    let b = bench(explicit()).await;
    let ask = "use case details have not been submitted";
    refused(invoke(&b, &here(), SONNET4).await, Code::ResourceNotFound, ask);
    refused(agree(&b, &here(), HAIKU).await, Code::ResourceNotFound, ask);
    assert_eq!(available(&b, HAIKU).await.1, AuthorizationStatus::NotAuthorized);
    refused(
        get_use_case(&here(), &b.models, GetUseCaseForModelAccessRequest {}).await.map(drop),
        Code::ResourceNotFound,
        "have not been submitted",
    );
    submit(&b, b"{\"companyName\":\"first\"}").await;
    submit(&b, b"{\"companyName\":\"\xff\"}").await;
    let form = get_use_case(&here(), &b.models, GetUseCaseForModelAccessRequest {}).await.unwrap().form_data;
    assert_eq!(form.as_ref(), b"{\"companyName\":\"\xff\"}");
    refused(invoke(&b, &here(), HAIKU).await, Code::AccessDenied, "You don't have access");
    agree(&b, &here(), HAIKU).await.unwrap();
    invoke(&b, &here(), HAIKU).await.unwrap();
    refused(invoke(&b, &call("999999999999", "us-east-1"), HAIKU).await, Code::ResourceNotFound, ask);
}

#[tokio::test]
async fn an_offer_is_for_one_account_and_model() {
    let b = bench(explicit()).await;
    let (mine, again) = (offer(&b, &here(), NOVA).await, offer(&b, &here(), NOVA).await);
    assert_eq!(mine.offer_token, again.offer_token);
    let theirs = offer(&b, &call("999999999999", "us-east-1"), NOVA).await.offer_token;
    let other = offer(&b, &here(), "amazon.nova-lite-v1:0").await.offer_token;
    for offer_token in [theirs, other, String::new(), "made up".into()] {
        let input = CreateFoundationModelAgreementRequest { offer_token, model_id: NOVA.into() };
        refused(create(&here(), &b.models, input).await.map(drop), Code::Validation, "offer token");
    }
    // The rate card is the catalogue's price.
    let model = b.models.catalogue().get(NOVA).unwrap();
    let price = model.price.as_ref().unwrap();
    let rates = mine.term_details.usage_based_pricing_term.rate_card;
    let input = rates.iter().find(|rate| rate.dimension.as_deref() == Some("InputTokenCount")).unwrap();
    assert_eq!(input.price, price.input.map(|price| price.to_string()));
    assert!(input.description.as_ref().unwrap().contains(&price.as_of));
}

#[tokio::test]
async fn reserved_throughput_needs_access_to_its_model_too() {
    let units = crate::Units { all: 4, ..crate::Units::default() };
    let b = bench(Settings { units, ..explicit() }).await;
    let request = outcrop_api::bedrock::CreateProvisionedModelThroughputRequest {
        provisioned_model_name: "a".into(),
        model_id: "amazon.nova-micro-v1:0:24k".into(),
        model_units: 1,
        ..Default::default()
    };
    let buy = async || crate::provisioned::create(&here(), &b.models, request.clone()).await;
    refused(buy().await.map(drop), Code::AccessDenied, "You don't have access");
    agree(&b, &here(), NOVA).await.unwrap();
    buy().await.unwrap();
    invoke(&b, &here(), "a").await.unwrap();
    end(&b, NOVA).await.unwrap();
    refused(invoke(&b, &here(), "a").await, Code::AccessDenied, "You don't have access");
}
