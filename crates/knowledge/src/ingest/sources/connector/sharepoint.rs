//! SharePoint Online, by Microsoft Graph: the files of a site's libraries, its pages, its events.

use std::collections::BTreeMap;

use async_trait::async_trait;
use outcrop_access::Secret;
use outcrop_api::bedrock_agent::{SharePointAuthType, SharePointDataSourceConfiguration};
use outcrop_vectors::Metadata;
use serde_json::Value as Json;
use url::Url;

use super::api::{Api, Login, Place, Trouble};
use super::{Content, Filters, Found, Opened, Record, Service, modified, text};
use crate::ingest::sources::Outside;

/// What filters may name (user guide).
const OBJECTS: [&str; 3] = ["Page", "Event", "File"];
const GRAPH: &str = "https://graph.microsoft.com/v1.0";
const LOGIN: &str = "https://login.microsoftonline.com";
/// OneNote has no text that Graph would give, and what draws a page is no document.
const LEFT: [&str; 3] = [".one", ".onetoc2", ".aspx"];
/// What a site's own pages are asked as: other kinds have no text.
const PAGES: &str = "microsoft.graph.sitePage";

/// Sites of one tenant.
pub(crate) struct SharePoint {
    tenant: String,
    sites: Vec<Url>,
    filters: Filters,
}

impl SharePoint {
    /// Reads a configuration; what is wrong with it, where something is.
    pub(crate) fn read(told: &SharePointDataSourceConfiguration) -> Result<Self, String> {
        let source = &told.source_configuration;
        if source.auth_type == SharePointAuthType::Oauth2SharepointAppOnlyClientCredentials {
            return Err(
                "Microsoft has ended app-only access to SharePoint (2026-04-02): register an app in Entra ID with \
                        Sites.Read.All and use OAUTH2_CLIENT_CREDENTIALS"
                    .to_owned(),
            );
        }
        let tenant = source.tenant_id.clone();
        let tenant = tenant.ok_or("tenantId is required when authType is OAUTH2_CLIENT_CREDENTIALS")?;
        let site =
            |told: &String| Url::parse(told).map_err(|error| format!("the site URL {told} is not valid: {error}"));
        let filter = told.crawler_configuration.as_ref().and_then(|crawler| crawler.filter_configuration.as_ref());
        Ok(Self {
            tenant,
            sites: source.site_urls.iter().map(site).collect::<Result<_, _>>()?,
            filters: Filters::read(filter, &OBJECTS)?,
        })
    }

    async fn files(&self, api: &Api, site: &str, into: &mut Found) -> Result<(), Trouble> {
        let mut drives = Vec::new();
        all(api, format!("/sites/{site}/drives?$select=id,name"), |drive| {
            drives.extend(text(drive, "id").map(str::to_owned));
            Ok(())
        })
        .await?;
        for drive in drives {
            // Without a token this tells everything that is there, of all folders.
            let select = "$select=id,name,webUrl,cTag,size,file,deleted,lastModifiedDateTime";
            // One that changes while the feed is read comes in it again; the last time counts.
            let mut items = BTreeMap::new();
            all(api, format!("/drives/{drive}/root/delta?{select}"), |one| {
                if let Some(id) = text(one, "id") {
                    items.insert(id.to_owned(), one.clone());
                }
                Ok(())
            })
            .await?;
            for (id, one) in &items {
                let (Some(name), Some(file)) = (text(one, "name"), one.get("file")) else { continue };
                let left = LEFT.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending));
                if left || one.get("deleted").is_some() || !self.filters.take("File", name) {
                    continue;
                }
                let record = Record {
                    object: "File",
                    path: format!("/drives/{drive}/items/{id}/content"),
                    title: name.to_owned(),
                    mime: text(file, "mimeType").map(str::to_owned),
                    attributes: attributes(one),
                };
                into.add(address(one, id), version(one, "cTag"), one.get("size").and_then(Json::as_u64), record)?;
            }
        }
        Ok(())
    }

    async fn pages(&self, api: &Api, site: &str, into: &mut Found) -> Result<(), Trouble> {
        let select = "$select=id,title,name,webUrl,eTag,lastModifiedDateTime";
        all(api, format!("/sites/{site}/pages/{PAGES}?{select}"), |one| {
            let Some(id) = text(one, "id") else { return Ok(()) };
            let title = text(one, "title").or_else(|| text(one, "name")).unwrap_or_default();
            if !self.filters.take("Page", title) {
                return Ok(());
            }
            let record = Record {
                object: "Page",
                path: format!("/sites/{site}/pages/{id}/{PAGES}?$expand=canvasLayout"),
                title: title.to_owned(),
                mime: None,
                attributes: attributes(one),
            };
            into.add(address(one, id), version(one, "eTag"), None, record)
        })
        .await
    }

    async fn events(&self, api: &Api, site: &str, into: &mut Found) -> Result<(), Trouble> {
        let mut calendars = Vec::new();
        all(api, format!("/sites/{site}/lists?$select=id,list"), |list| {
            if list.pointer("/list/template").and_then(Json::as_str) == Some("events") {
                calendars.extend(text(list, "id").map(str::to_owned));
            }
            Ok(())
        })
        .await?;
        for list in calendars {
            all(api, format!("/sites/{site}/lists/{list}/items?$expand=fields"), |one| {
                let Some(id) = text(one, "id") else { return Ok(()) };
                let title = one.pointer("/fields/Title").and_then(Json::as_str).unwrap_or_default();
                if !self.filters.take("Event", title) {
                    return Ok(());
                }
                let record = Record {
                    object: "Event",
                    path: format!("/sites/{site}/lists/{list}/items/{id}?$expand=fields"),
                    title: title.to_owned(),
                    mime: None,
                    attributes: attributes(one),
                };
                into.add(address(one, id), version(one, "eTag"), None, record)
            })
            .await?;
        }
        Ok(())
    }
}

/// All of a listing.
async fn all(api: &Api, path: String, each: impl FnMut(&Json) -> Result<(), Trouble> + Send) -> Result<(), Trouble> {
    super::all(api, path, ("value", "/@odata.nextLink"), each).await
}

fn attributes(one: &Json) -> Metadata {
    let mut attributes = Metadata::new();
    modified(text(one, "lastModifiedDateTime"), &mut attributes);
    attributes
}

fn address(one: &Json, id: &str) -> String {
    text(one, "webUrl").map_or_else(|| format!("sharepoint:{id}"), str::to_owned)
}

fn version(one: &Json, tag: &str) -> String {
    text(one, tag).or_else(|| text(one, "lastModifiedDateTime")).unwrap_or_default().to_owned()
}

#[async_trait]
impl Service for SharePoint {
    async fn login(&self, outside: &Outside, secret: Opened) -> Result<Api, Trouble> {
        let graph = Place::find(outside, GRAPH)?;
        // A sovereign cloud's tokens are for its own Graph; what stands in on this machine is called by the usual name.
        let audience = if graph.called().starts_with("https://") { graph.called() } else { graph.named() };
        let scope = format!("{}/.default", audience.trim_end_matches("/v1.0"));
        let form = vec![
            ("grant_type", Secret::new("client_credentials")),
            ("client_id", Secret::new(secret.field("clientId")?)),
            ("client_secret", Secret::new(secret.field("clientSecret")?)),
            ("scope", Secret::new(scope)),
        ];
        let place = Place::find(outside, &format!("{LOGIN}/{}/oauth2/v2.0/token", self.tenant))?;
        Ok(Api::new(outside, graph, Login::Token { place, form }))
    }

    async fn list(&self, api: &Api, into: &mut Found) -> Result<(), Trouble> {
        for site in &self.sites {
            let host = site.host_str().unwrap_or_default();
            let path = match site.path().trim_end_matches('/') {
                "" => format!("/sites/{host}"),
                path => format!("/sites/{host}:{path}"),
            };
            let found = api.json(&format!("{path}?$select=id")).await?;
            let id =
                text(&found, "id").ok_or_else(|| Trouble::Later(format!("Graph tells no id of the site {site}.")))?;
            self.files(api, id, into).await?;
            self.pages(api, id, into).await?;
            self.events(api, id, into).await?;
        }
        Ok(())
    }

    async fn fetch(&self, api: &Api, record: &Record) -> Result<Content, Trouble> {
        if record.object == "File" {
            let (bytes, mime) = api.file(&record.path).await?;
            return Ok(Content { bytes, name: record.title.clone(), mime: record.mime.clone().or(mime) });
        }
        let found = api.json(&record.path).await?;
        if record.object == "Page" {
            let mut html = String::new();
            inner(found.get("canvasLayout").unwrap_or(&Json::Null), &mut html);
            return Ok(Content::page(&record.title, &html));
        }
        let fields = found.get("fields").unwrap_or(&Json::Null);
        let line = |key: &str| text(fields, key).map(|told| format!("<p>{told}</p>\n"));
        let told = ["EventDate", "EndDate", "Location", "Category", "Description"].into_iter().filter_map(line);
        Ok(Content::page(&record.title, &told.collect::<String>()))
    }
}

/// The text of a page's parts, wherever its layout has them, in their order.
fn inner(layout: &Json, html: &mut String) {
    match layout {
        Json::Object(members) => {
            for (key, value) in members {
                match value {
                    Json::String(part) if key == "innerHtml" => {
                        html.push_str(part);
                        html.push('\n');
                    }
                    value => inner(value, html),
                }
            }
        }
        Json::Array(all) => all.iter().for_each(|one| inner(one, html)),
        _ => {}
    }
}
