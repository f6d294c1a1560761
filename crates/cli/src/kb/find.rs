//! Knowledge bases and data sources by name.

use serde_json::{Value, json};

use crate::client::Client;

/// A knowledge base, as lists tell of it.
pub struct Found {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: String,
    /// What it is of.
    pub description: String,
}

/// All knowledge bases.
pub async fn all(client: &Client) -> Result<Vec<Found>, String> {
    let found = pages(client, "/knowledgebases/", "knowledgeBaseSummaries").await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |summary: &Value| Found {
        id: text(&summary["knowledgeBaseId"]),
        name: text(&summary["name"]),
        status: text(&summary["status"]),
        description: text(&summary["description"]),
    };
    Ok(found.iter().map(read).collect())
}

/// The one of that name or id; without a name, the only one.
pub async fn one(client: &Client, wanted: Option<&str>) -> Result<Found, String> {
    let mut all = all(client).await?;
    let names: String = all.iter().map(|kb| format!("\n  {} ({})", kb.name, kb.id)).collect();
    if all.is_empty() {
        return Err("there is no knowledge base yet; make one with `outcrop kb add FOLDER`".into());
    }
    let at = match wanted {
        Some(wanted) => all.iter().position(|kb| kb.name == wanted || kb.id == wanted),
        None if all.len() == 1 => Some(0),
        None => return Err(format!("there are several knowledge bases, say which with --kb:{names}")),
    };
    match at {
        Some(at) => Ok(all.swap_remove(at)),
        None => Err(format!("there is no knowledge base {}. Those there are:{names}", wanted.unwrap_or_default())),
    }
}

/// All data sources of a knowledge base.
pub async fn sources(client: &Client, kb: &str) -> Result<Vec<Value>, String> {
    let path = format!("{}/", client.path(&["knowledgebases", kb, "datasources"]));
    pages(client, &path, "dataSourceSummaries").await
}

/// All of a list, page by page.
pub async fn pages(client: &Client, path: &str, member: &str) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    let mut asked = json!({"maxResults": 100});
    loop {
        let mut page = client.post(path, &asked).await?;
        if let Value::Array(items) = page[member].take() {
            found.extend(items);
        }
        match page["nextToken"].take() {
            Value::String(token) => asked["nextToken"] = token.into(),
            _ => return Ok(found),
        }
    }
}
