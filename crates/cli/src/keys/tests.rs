use super::*;

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn place(listen: &str, tls: bool) -> Place {
    let flags = " --data '/my data'".into();
    Place { config: Config::default(), data: PathBuf::new(), listen: listen.parse().unwrap(), tls, flags }
}

#[test]
fn people_get_the_lines_to_paste() {
    let key = AccessKey::generate("123456789012", "ada", None, now()).unwrap();
    let (id, secret) = (key.id.clone(), key.secret.clone());
    let text = for_people(&Key::Access(key.clone()), &secret, &place("0.0.0.0:8080", false));
    assert!(text.contains("=http://127.0.0.1:8080 AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1\n"), "{text}");
    assert!(text.contains(&format!("outcrop keys revoke {id} --data '/my data'\n")), "{text}");
    assert!(text.contains(&format!("export AWS_ACCESS_KEY_ID={id}\n")));
    assert!(text.contains(&format!("export AWS_SECRET_ACCESS_KEY={}\n", secret.reveal())));
    let text = for_people(&Key::Access(key), &secret, &place("unix:/run/o.sock", false));
    assert!(text.contains("through the proxy before unix:/run/o.sock") && !text.contains("http"), "{text}");
    let (key, token) = ApiKey::generate("123456789012", None, Some(7), now()).unwrap();
    let text = for_people(&Key::Api(key.clone()), &token, &place("127.0.0.1:7711", true));
    assert!(text.contains("=https://127.0.0.1:7711 ") && !text.contains("HTTPS only"), "{text}");
    let text = for_people(&Key::Api(key), &token, &place("127.0.0.1:7711", false));
    assert!(text.contains("=https://127.0.0.1:7711 "), "{text}");
    assert!(text.contains(&format!("export AWS_BEARER_TOKEN_BEDROCK={}\n", token.reveal())));
    assert!(text.contains("HTTPS only") && text.contains("good until 2026-01-09T03:04:05Z"), "{text}");
}

#[test]
fn the_next_command_has_the_flags_of_this_one() {
    let folder = args::Folder { data: Some("/a b's".into()), config: Some("o.toml".into()) };
    assert_eq!(Place::new(Config::default(), PathBuf::new(), &folder).flags, " --data '/a b'\\''s' --config o.toml");
}

#[test]
fn programs_get_the_names_that_aws_uses() {
    let (key, token) = ApiKey::generate("123456789012", None, Some(1), now()).unwrap();
    let id = key.id.clone();
    let made: serde_json::Value = serde_json::from_str(&for_programs(&Key::Api(key), &token)).unwrap();
    assert_eq!(made, json!({ "ApiKey": token.reveal(), "Id": id, "ExpiresAt": "2026-01-03T03:04:05Z" }));
}

#[test]
fn a_list_shows_no_secret_and_says_what_has_expired() {
    let access = AccessKey::generate("123456789012", "ada", None, now()).unwrap();
    let secret = access.secret.clone();
    let (api, token) = ApiKey::generate("210987654321", None, Some(1), now()).unwrap();
    let later = "2026-02-01T00:00:00Z".parse().unwrap();
    let keys = [(Key::Access(access), Some(now())), (Key::Api(api), None)];
    let text = list(&keys, later);
    assert!(text.contains("LAST USED") && text.contains("2026-01-02T03:04:05Z\n"), "{text}");
    let json = list_for_programs(&keys, later);
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read[0]["LastUsedAt"], "2026-01-02T03:04:05Z");
    assert_eq!((&read[1]["Active"], &read[1]["LastUsedAt"]), (&json!(false), &json!(null)));
    assert!(!json.contains(secret.reveal()) && !json.contains(token.reveal()));
    assert!(text.contains("123456789012  ada") && text.contains("expired") && text.contains("never"), "{text}");
    assert!(!text.contains(secret.reveal()) && !text.contains(token.reveal()));
}
