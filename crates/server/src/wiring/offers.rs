//! The models that providers say they have: what is known of them so far, and their ids in the catalogue.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use outcrop_gateway::routing::{OwnName, Source};
use outcrop_models::{Catalogue, OwnKind, OwnModel};
use outcrop_providers::{Offer, OfferKind};

use super::{StartError, told};

/// The most characters behind the dot of a model id (botocore's BedrockModelId).
const LONGEST: usize = 63;

/// What providers said last, by what makes a provider the same after the configuration has changed.
#[derive(Default)]
pub(crate) struct Offers(Mutex<HashMap<String, Vec<Offer>>>);

impl Offers {
    /// Takes what a provider says, and tells whether that is news.
    pub(crate) fn heard(&self, identity: &str, mut offers: Vec<Offer>) -> bool {
        offers.sort_by(|a, b| a.model.cmp(&b.model));
        offers.dedup_by(|a, b| a.model == b.model);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.insert(identity.to_owned(), offers.clone()).unwrap_or_default();
        before != offers
    }

    /// Puts the models of `sources` into the catalogue: those that the configuration names, and those heard of. Each
    /// source then answers for its own.
    pub(super) fn listed(&self, catalogue: Catalogue, sources: &mut [Source]) -> Result<Catalogue, StartError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut own = Vec::new();
        for source in sources.iter_mut().filter(|source| !source.local) {
            let mut offers = configured(source, &catalogue);
            let heard = known.get(&source.identity).map(Vec::as_slice).unwrap_or_default();
            for offer in heard {
                offers.retain(|named| named.model != offer.model);
                offers.push(offer.clone());
            }
            for (id, offer) in named(source, &catalogue, offers) {
                source.models.insert(id.clone(), offer.model.clone());
                own.push((id, model(&source.name, offer)));
            }
        }
        catalogue.with_own(own).map_err(told)
    }
}

/// The right side of `[providers.models]`: what a model does there is what it does for the catalogue's.
fn configured(source: &Source, catalogue: &Catalogue) -> Vec<Offer> {
    let offer = |(id, name): (&String, &String)| {
        let embeds = catalogue.get(id).is_some_and(|model| model.embeds());
        let kind = if embeds { OfferKind::Embedding } else { OfferKind::Text };
        Offer { model: name.clone(), kind, context: None }
    };
    let mut offers: Vec<_> = source.models.iter().map(offer).collect();
    offers.sort_by(|a, b| a.model.cmp(&b.model));
    offers.dedup_by(|a, b| a.model == b.model);
    offers
}

/// An id for each offer. A name that is its own id keeps it whatever else there is; of others that would have the same,
/// the later ones in order get a number.
fn named(source: &Source, catalogue: &Catalogue, mut offers: Vec<Offer>) -> Vec<(String, Offer)> {
    offers.sort_by_key(|offer| (slug(&offer.model) != offer.model, offer.model.clone()));
    let mut taken = HashSet::new();
    let mut named = Vec::new();
    for offer in offers {
        let slug = slug(&offer.model);
        if slug.is_empty() {
            continue;
        }
        let mut id = format!("{}.{slug}", source.name);
        let mut number = 1;
        // The catalogue's own models stay what they are: one of this very name needs no second entry.
        let same = |own: OwnName| own == OwnName::Fixed(offer.model.as_str().into());
        if catalogue.get(&id).is_some() && source.naming.own(&id).is_some_and(same) {
            continue;
        }
        while catalogue.get(&id).is_some() || !taken.insert(id.clone()) {
            number += 1;
            let suffix = format!("-{number}");
            let front = &slug[..slug.len().min(LONGEST - suffix.len())];
            id = format!("{}.{front}{suffix}", source.name);
        }
        named.push((id, offer));
    }
    named
}

fn model(provider: &str, offer: Offer) -> OwnModel {
    let kind = match offer.kind {
        OfferKind::Text => OwnKind::Text,
        OfferKind::Embedding => OwnKind::Embedding { dimensions: None },
        OfferKind::Rerank => OwnKind::Rerank,
        OfferKind::Image => OwnKind::Image,
    };
    OwnModel { provider: provider.to_owned(), name: offer.model, kind, context: offer.context }
}

/// A provider's name of a model in the characters that a model id takes: `Qwen/Qwen3-8B` is `qwen-qwen3-8b`.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => slug.push(c),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(LONGEST);
    slug.trim_end_matches('-').to_owned()
}
