use super::*;

fn from(variables: &[(&str, &str)], settings: Settings) -> Result<Settings, OutboundError> {
    settings.with_environment(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

#[test]
fn the_environment_names_proxies_as_for_curl() {
    let found = from(
        &[("HTTPS_PROXY", "http://a:3128"), ("http_proxy", "b:3128"), ("NO_PROXY", "example.com, .corp,10.0.0.0/8")],
        Settings::default(),
    )
    .unwrap();
    assert_eq!(found.proxy.unwrap().to_string(), "http://a:3128");
    assert_eq!(found.http_proxy.unwrap().to_string(), "http://b:3128");
    assert_eq!(found.no_proxy, ["example.com", ".corp", "10.0.0.0/8"]);
    let both = from(&[("https_proxy", "http://lower"), ("HTTPS_PROXY", "http://upper")], Settings::default()).unwrap();
    assert_eq!(both.proxy.unwrap().to_string(), "http://lower");
    let all = from(&[("ALL_PROXY", "http://all"), ("https_proxy", " ")], Settings::default()).unwrap();
    assert_eq!(all.proxy, all.http_proxy);
    // Whoever runs under CGI gets HTTP_PROXY from a caller's `Proxy` header.
    assert_eq!(from(&[("HTTP_PROXY", "http://caller")], Settings::default()).unwrap(), Settings::default());
}

#[test]
fn the_configuration_wins() {
    let configured = Settings { proxy: Some("http://configured".parse().unwrap()), ..Settings::default() };
    let found = from(&[("HTTPS_PROXY", "http://other"), ("NO_PROXY", "*")], configured.clone()).unwrap();
    assert_eq!(found, configured);
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_without_its_password() {
    for url in
        ["socks5://u:secret@p:1", "https://u:secret@p", "http://u:secret@", "ht tp://u:secret@p", "http://u:@secret@p"]
    {
        let error = url.parse::<ProxyUrl>().unwrap_err().to_string();
        assert!(!error.contains("secret") && error.contains("expected http://"), "{error}");
    }
    let proxy: ProxyUrl = "http://user:se%40cret@proxy.example.com:3128/".parse().unwrap();
    assert!(proxy.with_credentials("a:b").is_err());
    let bare: ProxyUrl = "proxy.example.com:3128".parse().unwrap();
    assert!(bare.with_credentials("secret").is_err());
    // As base64 has it, `a@b:c:d/e`.
    let gate = crate::gate::Gate::new(&Settings {
        proxy: Some(bare.with_credentials("a@b:c:d/e").unwrap()),
        ..Settings::default()
    });
    let uri = http::Uri::from_static("https://api.example.com");
    let found = gate.unwrap().proxy(&crate::gate::Target::of(&uri).unwrap(), &uri).unwrap();
    assert_eq!(found.basic_auth().unwrap(), "Basic YUBiOmM6ZC9l");
    for shown in [
        format!("{proxy:?}"),
        proxy.to_string(),
        format!("{:?}", Settings { proxy: Some(proxy), ..Settings::default() }),
    ] {
        assert!(shown.contains("http://proxy.example.com:3128") && !shown.contains("cret"), "{shown}");
    }
}
