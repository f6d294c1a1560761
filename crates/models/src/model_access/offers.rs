//! What an agreement is about.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outcrop_api::bedrock::{DimensionalPriceRate, LegalTerm, Offer, PricingTerm, SupportTerm, TermDetails};
use sha2::{Digest, Sha256};

use crate::catalogue::Model;

/// The one offer of `model` to `account`.
pub(super) fn of(account: &str, model: &Model) -> Offer {
    let token = token(account, model);
    Offer {
        // The beginning of the token, in letters that an id may have.
        offer_id: Some(format!("offer-{}", &token[..13].to_lowercase().replace('_', "-"))),
        offer_token: token,
        term_details: TermDetails {
            usage_based_pricing_term: PricingTerm { rate_card: rates(model) },
            // There is no document to link to: the terms are those of whoever serves the model.
            legal_term: LegalTerm { url: None },
            support_term: SupportTerm {
                refund_policy_description: Some(format!(
                    "This server sells nothing. Terms, support and refunds are between its operator and {}, or whoever \
                     else serves the model for it.",
                    model.provider
                )),
            },
            validity_term: None,
        },
    }
}

/// The same for the same account and model, and for no others: nothing has to be kept until it is taken.
pub(super) fn token(account: &str, model: &Model) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("agreement offer\n{account}\n{}", model.id)))
}

/// The list price, where the catalogue knows one.
fn rates(model: &Model) -> Vec<DimensionalPriceRate> {
    let Some(price) = &model.price else { return Vec::new() };
    let million = "1,000,000 tokens";
    let rows = [
        ("InputTokenCount", price.input, million),
        ("OutputTokenCount", price.output, million),
        ("CacheReadInputTokenCount", price.cache_read, million),
        ("CacheWriteInputTokenCount", price.cache_write, million),
        ("CacheWrite1hInputTokenCount", price.cache_write_1h, million),
        ("SearchUnits", price.query, "1 query"),
        ("CreatedImage", price.image, "1 image"),
    ];
    let known = rows.into_iter().filter_map(|(dimension, price, unit)| Some((dimension, price?, unit)));
    let describe = format!("US dollars: AWS's list price on demand, as of {}", price.as_of);
    known
        .map(|(dimension, price, unit)| DimensionalPriceRate {
            dimension: Some(dimension.to_owned()),
            price: Some(price.to_string()),
            description: Some(describe.clone()),
            unit: Some(unit.to_owned()),
        })
        .collect()
}
