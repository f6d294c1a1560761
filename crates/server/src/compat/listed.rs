//! The models that a caller can use here, for the lists of both protocols.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use outcrop_access::Context;
use outcrop_api::bedrock::{ListFoundationModelsRequest, ListInferenceProfilesRequest};
use outcrop_api::{AwsError, Fault, Kind};
use outcrop_models::catalogue::Status;
use outcrop_models::{Model, foundation_models, inference_profiles};
use outcrop_wire::text::percent_decode;

use super::Doors;

/// One entry.
pub(super) struct Entry {
    /// What a call names it by.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Who made it.
    pub owner: String,
    /// When it began, where that is known.
    pub created: Option<Timestamp>,
    /// It is on its way out.
    pub legacy: bool,
    /// The tokens that it reads and writes together.
    pub context: Option<u32>,
    /// The tokens that it writes at most.
    pub max_output: Option<u32>,
}

impl Entry {
    fn new(id: String, name: String, model: &Model, created: Option<Timestamp>) -> Self {
        Self {
            id,
            name,
            owner: model.provider.clone(),
            created,
            legacy: model.lifecycle.status == Status::Legacy,
            context: model.context,
            max_output: model.max_output,
        }
    }
}

/// The models that somebody answers for, by id, then the profiles of such models; `of` leaves out the kinds that a
/// door has no use for.
pub(super) async fn all(doors: &Doors, cx: &Context, of: fn(&Model) -> bool) -> Result<Vec<Entry>, Fault> {
    let found = foundation_models::list(cx, &doors.models, ListFoundationModelsRequest::default()).await;
    let mut entries = Vec::new();
    for model in found.map_err(|e| Fault::of(&e))?.model_summaries.unwrap_or_default() {
        let Some(known) = served(doors, &model.model_id, of) else { continue };
        let created = model.model_lifecycle.and_then(|l| l.start_of_life_time);
        entries.push(Entry::new(model.model_id, known.name.clone(), known, created));
    }
    let mut next_token = None;
    loop {
        let page = ListInferenceProfilesRequest { next_token, max_results: Some(1000), ..Default::default() };
        let page = match inference_profiles::list(cx, &doors.models, page).await {
            // Who may list models only is told of models only.
            Err(refused) if refused.kind() == Kind::AccessDenied => break,
            page => page.map_err(|e| Fault::of(&e))?,
        };
        for profile in page.inference_profile_summaries.unwrap_or_default() {
            let reached = profile.models.first().and_then(|m| m.model_arn.as_deref());
            let reached = reached.and_then(|arn| arn.rsplit_once('/')).map_or("", |(_, id)| id);
            let Some(known) = served(doors, reached, of) else { continue };
            let (id, name) = (profile.inference_profile_id, profile.inference_profile_name);
            entries.push(Entry::new(id, name, known, profile.created_at));
        }
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    Ok(entries)
}

/// One of them, by any id that a call could name; `raw` is as the path has it.
pub(super) async fn one(doors: &Doors, cx: &Context, raw: &str, of: fn(&Model) -> bool) -> Result<Entry, Fault> {
    let missing = || Fault::new(Kind::ResourceNotFound, "No model of this server goes by that name.");
    let id = percent_decode(raw).ok_or_else(missing)?;
    let resolved = doors.models.resolve(cx, &id).await.map_err(|e| match Fault::of(&e) {
        fault if fault.kind == Kind::Validation => missing(),
        fault => fault,
    })?;
    let model = &resolved.model;
    let arn = doors.models.arn(&cx.region, model);
    cx.allow("bedrock:GetFoundationModel", &arn).map_err(|e| Fault::of(&e))?;
    if served(doors, &model.id, of).is_none() {
        return Err(missing());
    }
    let created = model.lifecycle.start.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|time| time.timestamp());
    Ok(Entry::new(id.into_owned(), model.name.clone(), model, created))
}

fn served<'a>(doors: &'a Doors, id: &str, of: fn(&Model) -> bool) -> Option<&'a Model> {
    let model = doors.models.catalogue().get(id)?;
    (of(model) && doors.gateway.serves(model)).then_some(&**model)
}
