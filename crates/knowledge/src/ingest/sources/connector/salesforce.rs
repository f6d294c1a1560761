//! Salesforce, by its REST API: records by queries, their fields as text, files as they are.

use async_trait::async_trait;
use outcrop_access::Secret;
use outcrop_api::bedrock_agent::SalesforceDataSourceConfiguration;
use outcrop_vectors::Metadata;
use serde_json::Value as Json;
use url::Url;

use super::api::{Api, Login, Place, Trouble};
use super::{Content, Filters, Found, Opened, Record, Service, all, encoded, modified, text};
use crate::ingest::sources::Outside;

const DATA: &str = "/services/data/v61.0";

/// A kind of record.
struct Object {
    name: &'static str,
    /// The field that people call it by; `Id` where it has none.
    title: &'static str,
    /// Where its bytes are, where it is a file, and what their name is in.
    file: Option<(&'static str, &'static str)>,
    /// Which of its rows are read.
    only: &'static str,
}

const fn object(name: &'static str, title: &'static str) -> Object {
    Object { name, title, file: None, only: "" }
}

/// What is read, in the names of filters (user guide).
const OBJECTS: [Object; 21] = [
    object("Account", "Name"),
    Object { file: Some(("Body", "Name")), ..object("Attachment", "Name") },
    object("Campaign", "Name"),
    Object {
        file: Some(("VersionData", "PathOnClient")),
        only: " WHERE IsLatest = true",
        ..object("ContentVersion", "Title")
    },
    object("Partner", "Id"),
    object("Pricebook2", "Name"),
    object("Case", "Subject"),
    object("Contact", "Name"),
    object("Contract", "ContractNumber"),
    Object { file: Some(("Body", "Name")), ..object("Document", "Name") },
    object("Idea", "Title"),
    object("Lead", "Name"),
    object("Opportunity", "Name"),
    object("Product2", "Name"),
    object("Solution", "SolutionName"),
    object("Task", "Subject"),
    object("FeedItem", "Title"),
    object("FeedComment", "Id"),
    Object { only: " WHERE PublishStatus = 'Online'", ..object("Knowledge__kav", "Title") },
    object("User", "Name"),
    object("CollaborationGroup", "Name"),
];

/// What filters may name.
pub(crate) fn names() -> Vec<&'static str> {
    OBJECTS.iter().map(|object| object.name).collect()
}

/// Fields that say nothing of what a record is about.
const LEFT: [&str; 10] = [
    "Id",
    "attributes",
    "SystemModstamp",
    "LastViewedDate",
    "LastReferencedDate",
    "IsDeleted",
    "LastModifiedById",
    "CreatedById",
    "OwnerId",
    "PhotoUrl",
];

/// One organisation.
pub(crate) struct Salesforce {
    host: String,
    filters: Filters,
}

impl Salesforce {
    /// Reads a configuration; what is wrong with it, where something is.
    pub(crate) fn read(told: &SalesforceDataSourceConfiguration) -> Result<Self, String> {
        let filter = told.crawler_configuration.as_ref().and_then(|crawler| crawler.filter_configuration.as_ref());
        let host = super::super::host(&told.source_configuration.host_url)?;
        Ok(Self { host, filters: Filters::read(filter, &names())? })
    }

    async fn object(&self, api: &Api, object: &Object, into: &mut Found) -> Result<(), Trouble> {
        let mut fields = vec!["Id", "SystemModstamp"];
        for field in [Some(object.title), object.file.map(|(_, name)| name)].into_iter().flatten() {
            // A field that is named twice is an error there.
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        let query = format!("SELECT {} FROM {}{}", fields.join(","), object.name, object.only);
        let first = format!("{DATA}/query?q={}", encoded(&query));
        let listed = all(api, first, ("records", "/nextRecordsUrl"), |one| {
            let Some(id) = text(one, "Id") else { return Ok(()) };
            let title = text(one, object.title).unwrap_or(id);
            if !self.filters.take(object.name, title) {
                return Ok(());
            }
            let mut attributes = Metadata::new();
            modified(text(one, "SystemModstamp"), &mut attributes);
            let own = format!("{DATA}/sobjects/{}/{id}", object.name);
            let (path, title) = match object.file {
                Some((bytes, name)) => (format!("{own}/{bytes}"), text(one, name).unwrap_or(title)),
                None => (own, title),
            };
            let record = Record { object: object.name, path, title: title.to_owned(), mime: None, attributes };
            let version = text(one, "SystemModstamp").unwrap_or_default().to_owned();
            into.add(format!("{}/{id}", self.host), version, None, record)
        });
        match listed.await {
            // An organisation has not every kind of object.
            Err(Trouble::Refused(why)) if why.contains("(INVALID_TYPE)") => Ok(()),
            listed => listed,
        }
    }
}

#[async_trait]
impl Service for Salesforce {
    async fn login(&self, outside: &Outside, secret: Opened) -> Result<Api, Trouble> {
        let told = secret.either("authenticationUrl", "instanceUrl")?;
        let mut tokens =
            Url::parse(told).map_err(|_| Trouble::Never("authenticationUrl of the secret is no URL.".to_owned()))?;
        if tokens.path() == "/" {
            tokens.set_path("/services/oauth2/token");
        }
        let form = vec![
            ("grant_type", Secret::new("client_credentials")),
            ("client_id", Secret::new(secret.either("consumerKey", "clientId")?)),
            ("client_secret", Secret::new(secret.either("consumerSecret", "clientSecret")?)),
        ];
        let place = Place::find(outside, tokens.as_str())?;
        Ok(Api::new(outside, Place::find(outside, &self.host)?, Login::Token { place, form }))
    }

    async fn list(&self, api: &Api, into: &mut Found) -> Result<(), Trouble> {
        for object in &OBJECTS {
            let listed = self.object(api, object, into).await;
            into.part(object.name, listed)?;
        }
        Ok(())
    }

    async fn fetch(&self, api: &Api, record: &Record) -> Result<Content, Trouble> {
        let object = OBJECTS.iter().find(|object| object.name == record.object);
        if object.is_some_and(|object| object.file.is_some()) {
            // What Salesforce says that a file is, is seldom more than that it is one; its name says more.
            let (bytes, _) = api.file(&record.path).await?;
            return Ok(Content { bytes, name: record.title.clone(), mime: None });
        }
        let found = api.json(&record.path).await?;
        let mut told = format!("{}: {}\n", record.object, record.title);
        for (key, value) in found.as_object().into_iter().flatten() {
            let value = match value {
                _ if LEFT.contains(&&**key) => continue,
                Json::String(text) if !text.is_empty() => text.clone(),
                Json::Number(number) => number.to_string(),
                Json::Bool(true) => "yes".to_owned(),
                _ => continue,
            };
            told.push_str(&format!("{key}: {value}\n"));
        }
        Ok(Content::text(told))
    }
}
