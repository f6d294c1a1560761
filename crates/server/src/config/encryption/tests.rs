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
        ("default_key = 'nobody'", "a key under [encryption.keys]"),
        ("kms.'arn:aws:s3:::bucket' = 'master'", "ARN of a KMS key"),
        ("kms.'arn:aws:kms:us-east-1:111122223333:alias/a' = 'nobody'", "nobody"),
        ("kez_file = '/a'", "Did you mean `key_file`?"),
    ] {
        let error = parse(&format!("[encryption]\n{text}\n")).unwrap_err();
        assert!(error.contains(said) && !error.contains("c2Vj") && !error.contains("()"), "{error}");
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

#[test]
fn a_source_without_keys_is_told_before_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (there, empty) = (folder.path().join("there"), folder.path().join("empty"));
    std::fs::write(&there, "11".repeat(32)).unwrap();
    std::fs::write(&empty, "# no key\n").unwrap();
    let problems = |text: String| crate::wiring::examine_keys(&parse(&format!("[encryption]\n{text}\n")).unwrap());
    let (there, empty) = (there.display(), empty.display());
    assert_eq!(problems(format!("key_file = '{there}'\nkeys.a = 'file:{there}'")), [""; 0]);
    for (text, said) in [
        ("key_file = '/no/keys'".to_owned(), "cannot take keys from file:/no/keys: there is no such file"),
        ("keys.payments = 'file:/no/keys'".to_owned(), "cannot take keys from file:/no/keys: there is no such file"),
        ("keys.master = 'env:OUTCROP_NO_SUCH'".to_owned(), "cannot take keys from env:OUTCROP_NO_SUCH: "),
        (format!("keys.a = 'file:{empty}'"), "there is no key in it"),
    ] {
        let problems = problems(text);
        assert!(problems.len() == 1 && problems[0].contains(said), "{said}: {problems:?}");
    }
}
