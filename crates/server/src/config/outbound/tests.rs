use super::*;

fn parsed(text: &str) -> Result<Outbound, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn the_settings_are_what_the_section_says() {
    let section = parsed(
        "offline = true\nallow = ['*.example.com', '10.0.0.0/8']\nproxy = 'http://proxy:3128'\nno_proxy = ['corp']\n\
         connect_timeout_seconds = 3\nidle_timeout_seconds = 4\nidle_per_host = 5",
    );
    let settings = section.unwrap().settings(|_| None).unwrap();
    assert!(settings.offline && settings.allow.len() == 2 && settings.no_proxy == ["corp"]);
    assert_eq!(settings.proxy, settings.http_proxy);
    assert_eq!(settings.connect_timeout, Duration::from_secs(3));
    assert_eq!(settings.idle_timeout, Duration::from_secs(4));
    assert_eq!(settings.idle_per_host, 5);
    assert_eq!(Outbound::default().settings(|_| None).unwrap(), Settings::default());
}

#[test]
fn the_environment_names_a_proxy_where_the_section_names_none() {
    let environment = |name: &str| (name == "HTTPS_PROXY").then(|| "http://elsewhere:1".to_owned());
    let found = Outbound::default().settings(environment).unwrap();
    assert_eq!(found.proxy.unwrap().to_string(), "http://elsewhere:1");
    let found = parsed("proxy = 'http://here:1'").unwrap().settings(environment).unwrap();
    assert_eq!(found.proxy.unwrap().to_string(), "http://here:1");
}

#[test]
fn a_password_stands_apart_and_is_never_shown() {
    let error = parsed("proxy = 'http://user:secret@proxy'").unwrap_err();
    assert!(error.contains("belong into proxy_credentials"), "{error}");
    let section = parsed("proxy = 'http://proxy'\nproxy_credentials = 'user:secret'").unwrap();
    let settings = section.settings(|_| None).unwrap();
    for text in [format!("{section:?}"), toml::to_string(&section).unwrap(), format!("{settings:?}")] {
        assert!(text.contains("proxy") && !text.contains("secret@") && !text.contains("user:secret"), "{text}");
    }
    let alone = parsed("proxy_credentials = 'user:secret'").unwrap().settings(|_| None).unwrap_err().to_string();
    assert!(alone.contains("outbound.proxy is not") && !alone.contains("user:"), "{alone}");
    let malformed = parsed("proxy = 'http://proxy'\nproxy_credentials = 'secret'").unwrap();
    let error = malformed.settings(|_| None).unwrap_err().to_string();
    assert!(error.contains("user:password") && !error.contains("secret"), "{error}");
}

#[test]
fn a_rule_that_names_no_hosts_is_refused() {
    assert!(parsed("allow = ['a/b']").unwrap_err().contains("names no hosts"));
    assert!(parsed("proxy = 'socks5://proxy'").unwrap_err().contains("another protocol"));
}
