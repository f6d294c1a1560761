//! The responses that are kept: a resource like any other, of an account in a Region, in the store's own seal.

use outcrop_access::Context;
use outcrop_api::{Fault, Kind as ErrorKind};
use outcrop_models::Invocation;
use outcrop_resources::{Collection, Create, Error, Ids, Kind, Resources, Scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Refused;
use crate::compat::Doors;

const RESPONSE: Kind = Kind { name: "response", noun: "Response", arn: "response", ids: Ids::Lower };

/// The longest conversation that is read back.
const LINKS: usize = 1000;

/// What is kept of a response.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The items that the call brought.
    pub input: Vec<Value>,
    /// The response before it.
    pub previous: Option<String>,
    /// The model as the call named it.
    pub model: String,
    /// As it was answered.
    pub response: Value,
}

/// The responses that are kept.
#[derive(Clone)]
pub struct Stored(Collection<Kept>);

impl Stored {
    /// Those in `resources`.
    pub fn new(resources: &Resources) -> Self {
        Self(resources.collection(&RESPONSE))
    }

    pub(super) async fn put(&self, cx: &Context, kept: Kept) -> Result<(), Fault> {
        let id = kept.response["id"].as_str().unwrap_or_default().to_owned();
        let new = Create { id: Some(&id), ..Create::new(&kept) };
        self.0.create(scope(cx), new).await.map(drop).map_err(|e| Fault::of(&e))
    }

    pub(super) async fn delete(&self, cx: &Context, id: &str) -> Result<(), Refused> {
        self.0.delete(scope(cx), id).await.map_err(|e| told(&e, id))
    }
}

fn scope(cx: &Context) -> Scope<'_> {
    Scope { account: &cx.caller.account, region: &cx.region }
}

fn told(error: &Error, id: &str) -> Refused {
    match error {
        Error::NotFound { .. } => {
            Fault::new(ErrorKind::ResourceNotFound, format!("Response with id '{id}' not found.")).into()
        }
        other => Fault::of(other).into(),
    }
}

/// A response that the caller may read: who may invoke the model that answered.
pub(super) async fn read(doors: &Doors, cx: &Context, id: &str) -> Result<Kept, Refused> {
    let kept = doors.responses.0.get(scope(cx), id).await.map_err(|e| told(&e, id))?.value;
    let invoke = "bedrock:InvokeModel";
    match doors.models.resolve(cx, &kept.model).await {
        Ok(resolved) => {
            let admitted = doors.models.admit(cx, Invocation::new(invoke), &resolved).await;
            admitted.map_err(|e| Fault::of(&e))?;
        }
        // The model has gone since: only who may invoke any is sure to have been allowed this one.
        Err(_) => cx.allow(invoke, "*").map_err(|e| Fault::of(&e))?,
    }
    Ok(kept)
}

/// All items of the conversation that ends with the response `id`, oldest first.
pub(super) async fn conversation(doors: &Doors, cx: &Context, id: &str) -> Result<Vec<Value>, Refused> {
    let mut links = Vec::new();
    let mut next = Some(id.to_owned());
    while let Some(id) = next {
        if links.len() == LINKS {
            let text = format!("The conversation has more than {LINKS} responses. Begin a new one.");
            return Err(Refused::of("previous_response_id", text));
        }
        let kept = read(doors, cx, &id).await.map_err(|refused| match refused.kind() {
            ErrorKind::ResourceNotFound => {
                let text = format!("Previous response with id '{id}' not found.");
                Refused::of("previous_response_id", text).coded("previous_response_not_found")
            }
            _ => refused,
        })?;
        next = kept.previous.clone();
        links.push(kept);
    }
    let mut items = Vec::new();
    for mut kept in links.into_iter().rev() {
        items.append(&mut kept.input);
        if let Value::Array(output) = kept.response["output"].take() {
            items.extend(output);
        }
    }
    Ok(items)
}
