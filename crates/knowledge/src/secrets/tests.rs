use outcrop_access::Permissions;
use outcrop_access::acting::{Acting, As, BEDROCK};

use super::*;

const OWN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:wiki-AbCdEf";

fn acting(account: &str) -> Context {
    let role_arn = &format!("arn:aws:iam::{account}:role/kb");
    Acting::default().role(As { account, region: "us-east-1", role_arn, service: BEDROCK, source_arn: None }).unwrap()
}

fn secrets(account: Option<&str>, file: Option<PathBuf>, dev: Option<&str>) -> Secrets {
    let value = Secret::new(r#"{"username":"u","password":"p"}"#);
    let named = Named { account: account.map(str::to_owned), value, file };
    Secrets::new([("wiki".to_owned(), named)].into(), dev.map(str::to_owned))
}

#[test]
fn a_secret_opens_to_its_account_by_its_name() {
    let all = secrets(Some("123456789012"), None, None);
    for arn in [OWN, "arn:aws:secretsmanager:us-east-1:123456789012:secret:wiki"] {
        assert_eq!(all.get(&acting("123456789012"), arn).unwrap()["password"].reveal(), "p", "{arn}");
    }
    assert!(all.get(&acting("210987654321"), OWN).unwrap_err().contains("not known"));
    for arn in [
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:wik",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:wiki-AbCdE",
        "arn:aws:secretsmanager:us-east-1:210987654321:secret:wiki",
        "nonsense",
    ] {
        assert!(all.get(&acting("123456789012"), arn).is_err(), "{arn}");
    }
}

#[test]
fn a_role_that_may_not_read_it_is_told_so_in_aws_s_words() {
    let none = Permissions { identity: Some(Vec::new()), ..Permissions::default() };
    let acting = Context { permissions: Arc::new(none), ..acting("123456789012") };
    let told = secrets(Some("123456789012"), None, None).get(&acting, OWN).unwrap_err();
    let expected = format!(
        "User: arn:aws:sts::123456789012:assumed-role/kb/bedrock is not authorized to perform: \
         secretsmanager:GetSecretValue on resource: {OWN} because no identity-based policy allows the \
         secretsmanager:GetSecretValue action"
    );
    assert_eq!(told, expected);
}

#[test]
fn without_an_account_it_opens_in_dev_only() {
    assert!(secrets(None, None, None).get(&acting("123456789012"), OWN).is_err());
    assert!(secrets(None, None, Some("000000000000")).get(&acting("123456789012"), OWN).is_ok());
}

#[test]
fn new_values_go_into_the_secrets_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wiki.json");
    let all = secrets(Some("123456789012"), Some(file.clone()), None);
    let mut fields = all.get(&acting("123456789012"), OWN).unwrap();
    fields.insert("password".into(), Secret::new("new"));
    all.renew(OWN, &fields);
    assert_eq!(all.get(&acting("123456789012"), OWN).unwrap()["password"].reveal(), "new");
    assert_eq!(std::fs::read_to_string(file).unwrap(), r#"{"password":"new","username":"u"}"#);
    assert!(!format!("{all:?}").contains("new"));
}
