//! `outcrop keys`: the keys that `outcrop serve` accepts, in the server's own store.

use std::sync::Arc;

use jiff::Timestamp;
use outcrop_access::keys::Key;
use outcrop_access::{AccessKey, ApiKey, Keys, Secret, StoredKeys};
use outcrop_server::config::Config;
use outcrop_server::wiring::data_folder;
use outcrop_store::Sqlite;
use serde_json::json;

use crate::args;
use crate::text::{say, table};

#[cfg(test)]
mod tests;

/// Makes, lists or revokes.
pub async fn run(command: args::Keys) -> Result<(), String> {
    match command {
        args::Keys::Create { account, user, api_key, days, json, folder } => {
            let keys = open(&folder, true)?;
            let now = Timestamp::now();
            let (key, secret) = if api_key {
                let (key, token) = ApiKey::generate(&account, None, Some(days), now).map_err(|e| e.to_string())?;
                (Key::Api(key), token)
            } else {
                let user = user.as_deref().unwrap_or("admin");
                let key = AccessKey::generate(&account, user, None, now).map_err(|e| e.to_string())?;
                let secret = key.secret.clone();
                (Key::Access(key), secret)
            };
            keys.add(key.clone()).await.map_err(|e| e.to_string())?;
            say(&if json { for_programs(&key, &secret) } else { for_people(&key, &secret) })
        }
        args::Keys::List { folder } => {
            let all = open(&folder, false)?.list().await.map_err(|e| e.to_string())?;
            if all.is_empty() {
                return say("There are no keys yet. Make one: outcrop keys create --account 123456789012\n");
            }
            say(&list(&all, Timestamp::now()))
        }
        args::Keys::Revoke { id, folder } => {
            if !open(&folder, false)?.remove(&id).await.map_err(|e| e.to_string())? {
                return Err(format!("there is no key '{id}' here; `outcrop keys list` shows the ids"));
            }
            say(&format!("{id} is revoked: no server on this data folder accepts it any more.\n"))
        }
    }
}

/// The keys of the folder that the server uses, whether it runs or not.
fn open(folder: &args::Folder, create: bool) -> Result<StoredKeys, String> {
    let config = Config::load(folder.config.as_deref(), |name| std::env::var(name).ok()).map_err(|e| e.to_string())?;
    let path = data_folder(folder.data.as_deref().or(config.data.as_deref())).map_err(|e| e.to_string())?;
    // Looking at a folder that is not there would otherwise make it, and hide a mistyped path.
    if !create && !path.join("outcrop.db").exists() {
        return Err(format!(
            "{} holds no keys: no server has used it and no key was made in it. Name the server's data folder with --data",
            path.display()
        ));
    }
    let store = Sqlite::open_beside(&path, &config.store()).map_err(|e| e.to_string())?;
    Ok(StoredKeys::new(Arc::new(store)))
}

fn for_programs(key: &Key, secret: &Secret) -> String {
    let value = match key {
        Key::Access(key) => json!({ "AccessKeyId": key.id, "SecretAccessKey": secret.reveal() }),
        Key::Api(key) => json!({
            "ApiKey": secret.reveal(),
            "Id": key.id,
            "ExpiresAt": key.expires_at.map(|at| at.to_string()),
        }),
    };
    format!("{value:#}\n")
}

fn for_people(key: &Key, secret: &Secret) -> String {
    let secret = secret.reveal();
    match key {
        Key::Access(AccessKey { id, user, account, .. }) => format!(
            "\
An access key for {user} in account {account}. The secret is shown this once.

  id      {id}
  secret  {secret}

To use it, in the terminal of your program:

  export AWS_ACCESS_KEY_ID={id}
  export AWS_SECRET_ACCESS_KEY={secret}
  export AWS_ENDPOINT_URL=http://127.0.0.1:7711 AWS_REGION=us-east-1

To end it: outcrop keys revoke {id}
"
        ),
        Key::Api(key) => {
            let (id, account) = (&key.id, &key.account);
            let until = key.expires_at.map_or("it is revoked".into(), |at| format!("{at:.0}"));
            format!(
                "\
A Bedrock API key for account {account}, good until {until}. The key is shown this once.

  id   {id}
  key  {secret}

To use it, in the terminal of your program:

  export AWS_BEARER_TOKEN_BEDROCK={secret}
  export AWS_REGION=us-east-1

boto3 and the AWS CLI send bearer tokens over HTTPS only: put a proxy that speaks TLS before the server and name it
in AWS_ENDPOINT_URL. Most other clients also send them over plain HTTP, as the header `Authorization: Bearer ...`.

To end it: outcrop keys revoke {id}
"
            )
        }
    }
}

fn list(keys: &[Key], now: Timestamp) -> String {
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let (kind, account, user, expires) = match key {
                Key::Access(key) => ("access key", &key.account, &key.user, key.session.as_ref().map(|s| s.expires_at)),
                Key::Api(key) => ("API key", &key.account, &key.user, key.expires_at),
            };
            let expires = match expires {
                None => "never".to_owned(),
                Some(at) if at <= now => "expired".to_owned(),
                Some(at) => format!("{at:.0}"),
            };
            let made = format!("{:.0}", key.created_at());
            [key.id().to_owned(), kind.to_owned(), account.clone(), user.clone(), made, expires]
        })
        .collect();
    table(["ID", "KIND", "ACCOUNT", "USER", "MADE", "EXPIRES"], &rows)
}
