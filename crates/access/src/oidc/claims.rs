//! What a verified token says, and whether it says it for us and now.

use super::{Issuer, TokenError};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Where AWS's own issuers put session tags.
const TAGS: &str = "https://aws.amazon.com/tags";
/// Where they put the source identity.
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// The claims of a token whose signature, audience and time are right.
#[derive(Debug, Clone)]
pub struct Claims {
    /// Whom the token is about.
    pub subject: String,
    /// For whom it is.
    pub audience: String,
    all: Map<String, Value>,
}

impl Claims {
    pub(super) fn check(all: Map<String, Value>, issuer: &Issuer, now: Timestamp) -> Result<Self, TokenError> {
        let mut names: Vec<String> = all.keys().map(|name| name.to_lowercase()).collect();
        names.sort_unstable();
        if let Some(twins) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            // Conditions do not tell them apart, so a claim of the caller's choice could pass for the issuer's.
            let told = format!("The token has two claims named {}, apart from letter case.", twins[0]);
            return Err(TokenError::Invalid(told));
        }
        let missing = |claim: &str| TokenError::Invalid(format!("Missing a required claim: {claim}"));
        let seconds = |claim: &str| all.get(claim).and_then(Value::as_f64);
        let (now, skew) = (now.as_second() as f64, f64::from(issuer.clock_skew_seconds));
        let expires = seconds("exp").ok_or_else(|| missing("exp"))?;
        if now >= expires + skew {
            return Err(TokenError::Expired(format!(
                "Token expired: current date/time {now:.0} must be before the expiration date/time {expires:.0}"
            )));
        }
        for claim in ["nbf", "iat"] {
            match (all.get(claim), seconds(claim)) {
                (None, _) => {}
                (Some(_), Some(since)) if since <= now + skew => {}
                _ => return Err(TokenError::Invalid(format!("The token is not valid yet: {claim} is in the future."))),
            }
        }
        let audiences: Vec<&str> = texts(all.get("aud")).collect();
        if audiences.is_empty() {
            return Err(missing("aud"));
        }
        let audience = audiences.into_iter().find(|aud| issuer.audiences.iter().any(|ours| ours == aud));
        let audience = audience.ok_or_else(|| TokenError::invalid("Incorrect token audience"))?.to_owned();
        let subject = all.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty());
        let subject = subject.ok_or_else(|| missing("sub"))?.to_owned();
        Ok(Self { subject, audience, all })
    }

    /// A claim by name, or by JSON pointer (`/kubernetes.io/namespace`).
    pub fn get(&self, claim: &str) -> Option<&Value> {
        let Some(path) = claim.strip_prefix('/') else { return self.all.get(claim) };
        let mut parts = path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~"));
        let mut value = self.all.get(&parts.next()?)?;
        for part in parts {
            value = value.get(&part)?;
        }
        Some(value)
    }

    /// The texts of a claim that is one text or a list of them.
    pub fn texts(&self, claim: &str) -> impl Iterator<Item = &str> {
        texts(self.get(claim))
    }

    /// Every claim that a condition may ask for: its name and its values.
    pub fn for_conditions(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.all.iter().map(|(name, value)| {
            let values = match value {
                Value::Array(values) => values.iter().filter_map(scalar).collect(),
                one => scalar(one).into_iter().collect(),
            };
            (name.as_str(), values)
        })
    }

    /// The session tags that the issuer's configuration takes from claims; an absent claim is no tag.
    pub fn configured_tags(&self, issuer: &Issuer) -> Result<BTreeMap<String, String>, TokenError> {
        let mut tags = BTreeMap::new();
        for (tag, claim) in &issuer.tags {
            if let Some(value) = self.get(claim) {
                let text = scalar(value);
                let text =
                    text.ok_or_else(|| TokenError::Invalid(format!("The claim {claim} is no text for a tag.")))?;
                tags.insert(tag.clone(), text);
            }
        }
        Ok(tags)
    }

    /// The session tags that the token itself demands, and which of them are transitive.
    pub fn demanded_tags(&self) -> Result<(BTreeMap<String, String>, Vec<String>), TokenError> {
        let wrong = || TokenError::Invalid(format!("The claim {TAGS} is not in its form."));
        let Some(claim) = self.all.get(TAGS) else { return Ok(Default::default()) };
        let mut tags = BTreeMap::new();
        for (key, values) in claim.get("principal_tags").and_then(Value::as_object).ok_or_else(wrong)? {
            let values: Vec<&str> = texts(Some(values)).collect();
            let [value] = values[..] else { return Err(wrong()) };
            tags.insert(key.clone(), value.to_owned());
        }
        Ok((tags, texts(claim.get("transitive_tag_keys")).map(str::to_owned).collect()))
    }

    /// The source identity that the token demands.
    pub fn source_identity(&self) -> Option<&str> {
        self.all.get(SOURCE_IDENTITY).and_then(Value::as_str)
    }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let many = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice).iter();
    value.and_then(Value::as_str).into_iter().chain(many.filter_map(Value::as_str))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}
