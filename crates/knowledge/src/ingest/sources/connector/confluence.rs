//! Confluence Cloud: REST API version 2. Pages and blog posts, their comments, their attachments.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use outcrop_api::bedrock_agent::{ConfluenceAuthType, ConfluenceDataSourceConfiguration};
use outcrop_vectors::{Metadata, Value};
use serde_json::Value as Json;

use super::api::{Api, Login, Place, Trouble};
use super::{Content, Filters, Found, Opened, Record, Service, modified, text};
use crate::ingest::sources::Outside;

/// What filters may name (user guide).
const OBJECTS: [&str; 5] = ["Space", "Page", "Blog", "Comment", "Attachment"];
/// The most of a page of a listing.
const PAGE: &str = "limit=250";
/// Where Atlassian's own login has the sites that it opens.
const ATLASSIAN: &str = "https://api.atlassian.com";
const ATLASSIAN_TOKENS: &str = "https://auth.atlassian.com/oauth/token";

/// One site.
pub(crate) struct Confluence {
    host: String,
    basic: bool,
    filters: Filters,
}

impl Confluence {
    /// Reads a configuration; what is wrong with it, where something is.
    pub(crate) fn read(told: &ConfluenceDataSourceConfiguration) -> Result<Self, String> {
        let filter = told.crawler_configuration.as_ref().and_then(|crawler| crawler.filter_configuration.as_ref());
        Ok(Self {
            host: super::super::host(&told.source_configuration.host_url)?,
            basic: told.source_configuration.auth_type == ConfluenceAuthType::Basic,
            filters: Filters::read(filter, &OBJECTS)?,
        })
    }

    /// What an entry of a listing is to us; none where the filters leave it out.
    fn record(&self, object: &'static str, kind: &str, one: &Json) -> Option<(String, Record)> {
        let (id, title) = (text(one, "id")?, text(one, "title").unwrap_or_default());
        let mut attributes = Metadata::new();
        let version = one.get("version");
        modified(version.and_then(|version| text(version, "createdAt")), &mut attributes);
        let record = Record {
            object,
            path: format!("/wiki/api/v2/{kind}/{id}"),
            title: title.to_owned(),
            mime: text(one, "mediaType").map(str::to_owned),
            attributes,
        };
        self.filters.take(object, title).then_some((id.to_owned(), record))
    }

    /// Where people find it.
    fn address(&self, one: &Json, id: &str) -> String {
        let link = one.pointer("/_links/webui").or_else(|| one.get("webuiLink")).and_then(Json::as_str);
        match link {
            Some(link) => format!("{}/wiki{link}", self.host),
            None => format!("{}/wiki/pages/viewpage.action?pageId={id}", self.host),
        }
    }
}

/// What changes when it does: its version, and its title, which may change by a move.
fn version(one: &Json) -> String {
    let number = one.pointer("/version/number").and_then(Json::as_i64).unwrap_or_default();
    format!("{number} {}", text(one, "title").unwrap_or_default())
}

/// All of a listing.
async fn all(api: &Api, path: &str, each: impl FnMut(&Json) -> Result<(), Trouble> + Send) -> Result<(), Trouble> {
    let first = format!("{path}{}{PAGE}", if path.contains('?') { '&' } else { '?' });
    super::all(api, first, ("results", "/_links/next"), each).await
}

#[async_trait]
impl Service for Confluence {
    async fn login(&self, outside: &Outside, secret: Opened) -> Result<Api, Trouble> {
        if self.basic {
            let login = Login::basic(secret.field("username")?, secret.field("password")?)?;
            return Ok(Api::new(outside, Place::find(outside, &self.host)?, login));
        }
        let login = Login::Renewed {
            place: Place::find(outside, ATLASSIAN_TOKENS)?,
            secrets: outside.secrets.clone(),
            secret: tokio::sync::Mutex::new(secret),
        };
        let api = Api::new(outside, Place::find(outside, ATLASSIAN)?, login);
        let sites = api.json("/oauth/token/accessible-resources").await?;
        let ours = sites.as_array().into_iter().flatten().find(|site| {
            text(site, "url").is_some_and(|url| url.trim_end_matches('/').eq_ignore_ascii_case(&self.host))
        });
        let id = ours.and_then(|site| text(site, "id"));
        let id = id.ok_or_else(|| Trouble::Never(format!("The token of the secret does not open {}.", self.host)))?;
        let place = Place::find(outside, &format!("{ATLASSIAN}/ex/confluence/{id}"))?;
        Ok(api.at(place))
    }

    async fn list(&self, api: &Api, into: &mut Found) -> Result<(), Trouble> {
        let mut spaces = BTreeMap::new();
        all(api, "/wiki/api/v2/spaces", |space| {
            if let (Some(id), Some(key)) = (text(space, "id"), text(space, "key"))
                && self.filters.take("Space", key)
            {
                spaces.insert(id.to_owned(), key.to_owned());
            }
            Ok(())
        })
        .await?;
        // Comments and attachments are read with what they belong to.
        let mut homes: HashMap<String, String> = HashMap::new();
        for (id, key) in &spaces {
            for (object, kind) in [("Page", "pages"), ("Blog", "blogposts")] {
                let listed = all(api, &format!("/wiki/api/v2/spaces/{id}/{kind}?status=current"), |one| {
                    if let Some((own, mut record)) = self.record(object, kind, one) {
                        record.attributes.insert("space".to_owned(), Value::String(key.clone()));
                        into.add(self.address(one, &own), version(one), None, record)?;
                        homes.insert(own, key.clone());
                    }
                    Ok(())
                })
                .await;
                into.part(&format!("{object}s of the space {key}"), listed)?;
            }
        }
        let parts = [("Comment", "footer-comments"), ("Comment", "inline-comments"), ("Attachment", "attachments")];
        for (object, kind) in parts {
            let listed = all(api, &format!("/wiki/api/v2/{kind}"), |one| {
                let home = text(one, "pageId").or_else(|| text(one, "blogPostId"));
                let Some(space) = home.and_then(|home| homes.get(home)) else { return Ok(()) };
                if let Some((own, mut record)) = self.record(object, kind, one) {
                    record.attributes.insert("space".to_owned(), Value::String(space.clone()));
                    if object == "Attachment" {
                        let Some(link) = text(one, "downloadLink") else { return Ok(()) };
                        record.path = if link.starts_with("/wiki/") { link.to_owned() } else { format!("/wiki{link}") };
                    }
                    let size = one.get("fileSize").and_then(Json::as_u64);
                    into.add(self.address(one, &own), version(one), size, record)?;
                }
                Ok(())
            })
            .await;
            into.part(kind, listed)?;
        }
        Ok(())
    }

    async fn fetch(&self, api: &Api, record: &Record) -> Result<Content, Trouble> {
        if record.object == "Attachment" {
            let (bytes, mime) = api.file(&record.path).await?;
            return Ok(Content { bytes, name: record.title.clone(), mime: record.mime.clone().or(mime) });
        }
        let page = api.json(&format!("{}?body-format=view", record.path)).await?;
        let html = page.pointer("/body/view/value").and_then(Json::as_str).unwrap_or_default();
        Ok(Content::page(&record.title, html))
    }
}
