//! `outcrop keys`: the keys that `outcrop serve` accepts, in the server's own store.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use outcrop_access::keys::{Key, check_room, remove_sessions};
use outcrop_access::{AccessKey, ApiKey, Keys, Secret, StoredKeys};
use outcrop_server::config::Config;
use outcrop_server::listen::Address;
use outcrop_server::wiring::data_folder;
use outcrop_store::Sqlite;
use serde_json::json;

use crate::args;
use crate::text::{say, table};
use crate::trail::Trail;

#[cfg(test)]
mod tests;

/// How long a Bedrock API key holds, if nothing is said.
const API_KEY_DAYS: u32 = 30;

/// Said of Bedrock API keys where the server has no certificate.
const HTTPS_ONLY: &str = "\
boto3 and the AWS CLI send API keys over HTTPS only: give `outcrop serve` a certificate ([tls] in its configuration)
or use `outcrop dev --tls`; see docs/tls.md. Most other clients also send them over plain HTTP, as
`Authorization: Bearer ...`.

";

/// Makes, lists, rotates or revokes.
pub async fn run(command: args::Keys) -> Result<(), String> {
    match command {
        args::Keys::Create { account, user, api_key, days, json, folder } => {
            let (keys, place) = open(&folder, true)?;
            let now = Timestamp::now();
            let (key, secret) = if api_key {
                let days = days.unwrap_or(API_KEY_DAYS);
                let (key, token) = ApiKey::generate(&account, user.as_deref(), Some(days), now).map_err(told)?;
                (Key::Api(key), token)
            } else {
                let user = user.as_deref().unwrap_or("admin");
                access_key(&account, user, days, now)?
            };
            check_room(&keys, &key, now).await.map_err(told)?;
            let trail = place.trail()?;
            keys.add(key.clone()).await.map_err(told)?;
            trail.record(made(&key), &account, facts(&key))?;
            say(&if json { for_programs(&key, &secret) } else { for_people(&key, &secret, &place) })
        }
        args::Keys::List { json, folder } => {
            let (keys, place) = open(&folder, false)?;
            let mut all = Vec::new();
            for key in keys.list().await.map_err(told)? {
                let used = keys.last_used(&key).await.map_err(told)?;
                all.push((key, used));
            }
            if json {
                return say(&list_for_programs(&all, Timestamp::now()));
            }
            if all.is_empty() {
                let flags = &place.flags;
                return say(&format!(
                    "There are no keys yet. Make one: outcrop keys create --account 123456789012{flags}\n"
                ));
            }
            say(&list(&all, Timestamp::now()))
        }
        args::Keys::Rotate { id, retire_after, json, folder } => {
            let (keys, place) = open(&folder, false)?;
            rotate(&keys, &place, &id, retire_after, json).await
        }
        args::Keys::Revoke { id, sessions, folder } => {
            let (keys, place) = open(&folder, false)?;
            let trail = place.trail()?;
            let known = keys.list().await.map_err(told)?.into_iter().find(|key| key.id() == id);
            let removed = keys.remove(&id).await.map_err(told)?;
            // The sessions of a key that is gone already can still be ended.
            let ended = if sessions { remove_sessions(&keys, &id).await.map_err(told)? } else { 0 };
            if !removed && ended == 0 {
                return Err(format!("there is no key '{id}' here; `outcrop keys list` shows the ids"));
            }
            let account = known.as_ref().map_or("", Key::account);
            let mut gone = known.as_ref().map_or_else(|| json!({ "keyId": id }), facts);
            gone["sessionsEnded"] = ended.into();
            trail.record("DeleteAccessKey", account, gone)?;
            let also = match (sessions, ended) {
                (false, _) => String::new(),
                (true, n) => format!(" Sessions ended with it: {n}."),
            };
            say(&format!("{id} is revoked: no `outcrop serve` on this data folder accepts it any more.{also}\n"))
        }
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn access_key(account: &str, user: &str, days: Option<u32>, now: Timestamp) -> Result<(Key, Secret), String> {
    let key = AccessKey::generate(account, user, days, now).map_err(told)?;
    let secret = key.secret.clone();
    Ok((Key::Access(key), secret))
}

/// A second key of the same kind for the same user, and the end of the first one.
async fn rotate(
    keys: &StoredKeys,
    place: &Place,
    id: &str,
    retire_after: Option<SignedDuration>,
    json: bool,
) -> Result<(), String> {
    let all = keys.list().await.map_err(told)?;
    let old = all.iter().find(|key| key.id() == id);
    let old = old.ok_or_else(|| format!("there is no key '{id}' here; `outcrop keys list` shows the ids"))?;
    let now = Timestamp::now();
    // A key that held for so many days is followed by one that does.
    let life =
        old.expires_at().map(|end| end.duration_since(old.created_at()).as_secs().unsigned_abs().div_ceil(86_400));
    let days = life.map(|days| u32::try_from(days.max(1)).unwrap_or(u32::MAX));
    let (new, secret) = match old {
        Key::Access(key) => access_key(&key.account, &key.user, days, now)?,
        Key::Api(key) => {
            let (new, token) = ApiKey::generate(&key.account, Some(&key.user), days, now).map_err(told)?;
            (Key::Api(new), token)
        }
    };
    check_room(keys, &new, now).await.map_err(told)?;
    let trail = place.trail()?;
    keys.add(new.clone()).await.map_err(told)?;
    trail.record(made(&new), new.account(), facts(&new))?;
    let mut end = old.expires_at();
    if let Some(after) = retire_after {
        let retired = now.checked_add(after).map_err(told)?;
        end = Some(end.map_or(retired, |end| end.min(retired)));
        if !keys.replace(old.clone().with_end(end)).await.map_err(told)? {
            return Err(format!("{id} was revoked while it was being rotated; {} is there in its place", new.id()));
        }
        trail.record("UpdateAccessKey", old.account(), facts(&old.clone().with_end(end)))?;
    }
    if json {
        return say(&for_programs(&new, &secret));
    }
    let flags = &place.flags;
    let next = match end {
        Some(end) => format!("{id} goes on until {end:.0}; to end it sooner: outcrop keys revoke {id}{flags}\n"),
        None => format!("{id} goes on for now. When nothing uses it any more: outcrop keys revoke {id}{flags}\n"),
    };
    say(&(for_people(&new, &secret, place) + "\n" + &next))
}

/// IAM's name for the making of a key.
fn made(key: &Key) -> &'static str {
    match key {
        Key::Access(_) => "CreateAccessKey",
        Key::Api(_) => "CreateServiceSpecificCredential",
    }
}

/// What the audit trail says of a key: all but its secret.
fn facts(key: &Key) -> serde_json::Value {
    json!({
        "keyId": key.id(),
        "keyKind": kind(key),
        "keyUser": key.user(),
        "keyExpiresAt": key.expires_at().map(|at| at.to_string()),
    })
}

/// What the lines to paste say of the server.
struct Place {
    config: Config,
    /// The data folder.
    data: PathBuf,
    listen: Address,
    tls: bool,
    /// `--data` and `--config` as they were given, for the command that comes next.
    flags: String,
}

impl Place {
    fn new(config: Config, data: PathBuf, folder: &args::Folder) -> Self {
        let mut flags = String::new();
        for (flag, path) in [("--data", &folder.data), ("--config", &folder.config)] {
            if let Some(path) = path {
                flags += &format!(" {flag} {}", quoted(&path.to_string_lossy()));
            }
        }
        Self { listen: config.listen.clone(), tls: config.tls.is_some(), flags, config, data }
    }

    /// Where changes are recorded.
    fn trail(&self) -> Result<Trail, String> {
        Trail::open(&self.config, &self.data)
    }

    /// The line that names the endpoint and the Region; boto3 and the first AWS CLI read AWS_DEFAULT_REGION only.
    fn exports(&self, tls: bool) -> String {
        let region = "AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1";
        match &self.listen {
            Address::Tcp(addr) => {
                let scheme = if tls { "https" } else { "http" };
                // A server that listens everywhere is reached here, too.
                let ip = match addr.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                    IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                    ip => ip,
                };
                format!("  export AWS_ENDPOINT_URL={scheme}://{} {region}\n", SocketAddr::new(ip, addr.port()))
            }
            Address::Unix(_) => {
                format!(
                    "  export {region}\n\nName in AWS_ENDPOINT_URL how the server is reached: through the proxy before {}.\n",
                    self.listen
                )
            }
        }
    }
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

/// The keys of the folder that the server uses, whether it runs or not, and where the server is.
fn open(folder: &args::Folder, create: bool) -> Result<(StoredKeys, Place), String> {
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
    Ok((StoredKeys::new(Arc::new(store)), Place::new(config, path, folder)))
}

fn for_programs(key: &Key, secret: &Secret) -> String {
    let value = match key {
        Key::Access(key) => {
            let mut made = json!({ "AccessKeyId": key.id, "SecretAccessKey": secret.reveal() });
            if let Some(at) = key.expires_at {
                made["ExpiresAt"] = at.to_string().into();
            }
            made
        }
        Key::Api(key) => json!({
            "ApiKey": secret.reveal(),
            "Id": key.id,
            "ExpiresAt": key.expires_at.map(|at| at.to_string()),
        }),
    };
    format!("{value:#}\n")
}

fn for_people(key: &Key, secret: &Secret, place: &Place) -> String {
    let (secret, flags) = (secret.reveal(), &place.flags);
    match key {
        Key::Access(AccessKey { id, user, account, expires_at, .. }) => format!(
            "\
An access key for {user} in account {account}{}. The secret is shown this once.

  id      {id}
  secret  {secret}

To use it, in the terminal of your program:

  export AWS_ACCESS_KEY_ID={id}
  export AWS_SECRET_ACCESS_KEY={secret}
{}
To end it: outcrop keys revoke {id}{flags}
",
            expires_at.map_or(String::new(), |at| format!(", good until {at:.0}")),
            place.exports(place.tls)
        ),
        Key::Api(key) => {
            let (id, account, user) = (&key.id, &key.account, &key.user);
            let until = key.expires_at.map_or("it is revoked".into(), |at| format!("{at:.0}"));
            let tls = if place.tls { "" } else { HTTPS_ONLY };
            format!(
                "\
A Bedrock API key for {user} in account {account}, good until {until}. The key is shown this once.

  id   {id}
  key  {secret}

To use it, in the terminal of your program:

  export AWS_BEARER_TOKEN_BEDROCK={secret}
{}
{tls}To end it: outcrop keys revoke {id}{flags}
",
                place.exports(true)
            )
        }
    }
}

fn list(keys: &[(Key, Option<Timestamp>)], now: Timestamp) -> String {
    let rows: Vec<_> = keys
        .iter()
        .map(|(key, used)| {
            let expires = match key.expires_at() {
                None => "never".to_owned(),
                Some(_) if !key.is_active(now) => "expired".to_owned(),
                Some(at) => format!("{at:.0}"),
            };
            let made = format!("{:.0}", key.created_at());
            let used = used.map_or("-".to_owned(), |at| format!("{at:.0}"));
            [
                key.id().to_owned(),
                kind(key).to_owned(),
                key.account().to_owned(),
                key.user().to_owned(),
                made,
                expires,
                used,
            ]
        })
        .collect();
    table(["ID", "KIND", "ACCOUNT", "USER", "MADE", "EXPIRES", "LAST USED"], &rows)
}

fn list_for_programs(keys: &[(Key, Option<Timestamp>)], now: Timestamp) -> String {
    let rows: Vec<_> = keys
        .iter()
        .map(|(key, used)| {
            json!({
                "Id": key.id(),
                "Kind": kind(key),
                "Account": key.account(),
                "User": key.user(),
                "CreatedAt": key.created_at().to_string(),
                "ExpiresAt": key.expires_at().map(|at| at.to_string()),
                "LastUsedAt": used.map(|at| at.to_string()),
                "Active": key.is_active(now),
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(rows))
}

fn kind(key: &Key) -> &'static str {
    match key {
        Key::Access(_) => "access key",
        Key::Api(_) => "API key",
    }
}
