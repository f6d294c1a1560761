use super::*;

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:alias/payments";

fn parse(text: &str) -> Result<Config, String> {
    let config = Config::parse(text, "outcrop.toml").map_err(|error| error.to_string())?;
    config.check().map_err(|error| error.to_string())?;
    Ok(config)
}

#[test]
fn keys_are_where_the_configuration_says() {
    let text = format!(
        "[encryption]\nkey_file = '/k/master'\ndefault_key = 'a'\nkeys.a = 'file:/k/a'\nkeys.b = 'env:CARGO_PKG_NAME'\n\
         [encryption.kms]\n\"{ARN}\" = 'b'\n"
    );
    let config = parse(&text).unwrap();
    let encryption = config.store().encryption;
    assert_eq!(encryption.default_key.as_deref(), Some("a"));
    let told: Vec<_> = encryption.keys.iter().map(|(name, source)| format!("{name} {source}")).collect();
    assert_eq!(told, ["a file:/k/a", "b env:CARGO_PKG_NAME", "master file:/k/master"]);
    let scope = outcrop_resources::Scope { account: "111122223333", region: "us-east-1" };
    assert_eq!(config.encryption.kms_keys().name(scope, "alias/payments").unwrap(), "b");
    assert!(Config::default().store().encryption.keys.is_empty());
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (text, said) in [
        ("keys.a = 'c2VjcmV0IGtleSBpbiBwbGFpbiB0ZXh0'", "encryption.keys.a"),
        ("keys.a = 'file:'", "encryption.keys.a"),
        ("keys.'a/b' = 'file:/x'", "encryption.keys"),
        ("key_file = '/a'\nkeys.master = 'file:/b'", "they mean the same key"),
        ("default_key = 'nobody'\nkeys.a = 'file:/a'", "(a)"),
        ("kms.'arn:aws:s3:::bucket' = 'master'", "ARN of a KMS key"),
        ("kms.'arn:aws:kms:us-east-1:111122223333:alias/a' = 'nobody'", "nobody"),
        ("kez_file = '/a'", "Did you mean `key_file`?"),
    ] {
        let error = parse(&format!("[encryption]\n{text}\n")).unwrap_err();
        assert!(error.contains(said) && !error.contains("c2Vj"), "{error}");
    }
}

#[test]
fn sources_are_read_and_say_what_is_wrong() {
    let read = |place: &str| match source(place) {
        Some(KeySource::Other(other)) => ((other.read)(), other.live),
        other => panic!("{other:?}"),
    };
    assert_eq!(read("env:CARGO_PKG_NAME"), (Ok("outcrop-server".into()), false));
    assert_eq!(read("cmd:echo one two"), (Ok("one two".into()), true));
    for (place, said) in
        [("env:OUTCROP_NO_SUCH", "OUTCROP_NO_SUCH"), ("cmd:false", "false"), ("cmd:/no/such/program", "does not start")]
    {
        assert!(read(place).0.unwrap_err().contains(said), "{place}");
    }
}
