//! `outcrop keys` as a person or a script runs it.
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::path::Path;
use std::process::{Command, Output};

fn keys(data: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outcrop"));
    command.arg("keys").args(args).arg("--data").arg(data).env_remove("OUTCROP_CONFIG").env_remove("OUTCROP_DATA");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_key_is_made_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let made = keys(folder.path(), &["create", "--account", "123456789012", "--user", "ada", "--json"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let (id, secret) = (made["AccessKeyId"].as_str().unwrap(), made["SecretAccessKey"].as_str().unwrap());
    assert!(id.starts_with("AKIA") && secret.len() == 40);

    let made = keys(folder.path(), &["create", "--account", "123456789012", "--api-key", "--json"]);
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert!(made["ApiKey"].as_str().unwrap().starts_with("ABSK") && made["ExpiresAt"].is_string());

    let listed = keys(folder.path(), &["list"]);
    assert_eq!(listed.status.code(), Some(0));
    let listed = text(&listed.stdout);
    assert!(listed.contains(id) && listed.contains("ada") && listed.contains(made["Id"].as_str().unwrap()), "{listed}");
    assert!(!listed.contains(secret));

    assert_eq!(keys(folder.path(), &["revoke", id]).status.code(), Some(0));
    let again = keys(folder.path(), &["revoke", id]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains(id) && text(&again.stderr).contains("keys list"));
    assert!(!text(&keys(folder.path(), &["list"]).stdout).contains(id));
}

#[test]
fn a_folder_that_no_server_knows_is_not_made_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mistyped");
    let listed = keys(&path, &["list"]);
    assert_eq!(listed.status.code(), Some(1));
    assert!(text(&listed.stderr).contains("--data") && !path.exists(), "{}", text(&listed.stderr));
}

#[test]
fn an_account_that_is_none_makes_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let made = keys(folder.path(), &["create", "--account", "12"]);
    assert_eq!(made.status.code(), Some(2));
    assert!(text(&made.stderr).contains("12 digits") && made.stdout.is_empty(), "{}", text(&made.stderr));
    assert!(!folder.path().join("outcrop.db").exists());
}
