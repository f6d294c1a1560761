use super::*;

fn gate(allow: &[&str]) -> Gate {
    let allow = allow.iter().map(|rule| rule.parse().unwrap()).collect();
    Gate::new(&Settings { allow, ..Settings::default() }).unwrap()
}

fn target(url: &str) -> Target {
    Target::of(&url.parse().unwrap()).unwrap()
}

/// `ok`, or the name of the refusal.
fn judged(gate: &Gate, url: &str) -> String {
    told(gate.judge(&target(url)))
}

fn admitted(gate: &Gate, url: &str, address: &str) -> String {
    told(gate.admit(&target(url), address.parse().unwrap()))
}

fn told(result: Result<(), OutboundError>) -> String {
    match result {
        Ok(()) => "ok".into(),
        Err(error) => format!("{error:?}").split([' ', '{']).next().unwrap().to_owned(),
    }
}

#[test]
fn without_rules_everything_public_is_called_over_tls() {
    let gate = gate(&[]);
    let cases = [
        ("https://api.example.com", "ok"),
        ("http://api.example.com", "PlainHttp"),
        ("https://8.8.8.8", "ok"),
        ("http://8.8.8.8", "PlainHttp"),
        ("http://10.0.0.1", "ok"),
        ("http://[fd00::1]:80", "ok"),
        ("http://localhost:11434", "ok"),
        ("http://ollama:11434", "ok"),
        ("http://vllm.internal", "ok"),
        // As an operator names it, it is meant.
        ("http://169.254.169.254", "ok"),
    ];
    for (url, expected) in cases {
        assert_eq!(judged(&gate, url), expected, "{url}");
    }
}

#[test]
fn a_public_name_leads_nowhere_private() {
    let gate = gate(&[]);
    let cases = [
        ("https://api.example.com", "8.8.8.8", "ok"),
        ("https://api.example.com", "10.0.0.1", "Rebound"),
        ("https://api.example.com", "127.0.0.1", "Rebound"),
        ("https://api.example.com", "::ffff:127.0.0.1", "Rebound"),
        ("https://api.example.com", "169.254.169.254", "Rebound"),
        ("https://api.example.com", "0.0.0.0", "Rebound"),
        ("http://ollama", "172.18.0.2", "ok"),
        ("http://myhost", "127.0.1.1", "ok"),
        // A private name may be private, but not the metadata service; nor is a key sent to the world unencrypted.
        ("http://metadata.google.internal", "169.254.169.254", "Rebound"),
        ("http://ollama", "8.8.8.8", "PlainHttp"),
        ("https://ollama", "8.8.8.8", "ok"),
    ];
    for (url, address, expected) in cases {
        assert_eq!(admitted(&gate, url, address), expected, "{url} at {address}");
    }
}

#[test]
fn rules_say_where_one_may_go() {
    let gate = gate(&["api.example.com", "*.cdn.example.com:443", "http://plain.example.com", "10.1.0.0/16"]);
    let cases = [
        ("https://api.example.com", "ok"),
        ("https://x.cdn.example.com", "ok"),
        ("https://x.cdn.example.com:8443", "ok"),
        ("http://plain.example.com", "ok"),
        ("http://10.1.2.3", "ok"),
        ("https://10.2.2.3", "NotAllowed"),
        ("http://localhost:1", "ok"),
        ("http://127.0.0.1:1", "ok"),
        // It may still lie in the range.
        ("https://other.example.com", "ok"),
    ];
    for (url, expected) in cases {
        assert_eq!(judged(&gate, url), expected, "{url}");
    }
    let cases = [
        ("https://api.example.com", "8.8.8.8", "ok"),
        // Named itself, it may be private; a pattern does not say so of each host below.
        ("https://api.example.com", "192.168.0.1", "ok"),
        ("https://x.cdn.example.com", "192.168.0.1", "Rebound"),
        ("https://api.example.com", "169.254.169.254", "Rebound"),
        ("https://other.example.com", "8.8.8.8", "NotAllowed"),
        ("https://other.example.com", "10.1.0.9", "ok"),
        ("http://other.example.com", "10.1.0.9", "ok"),
        ("https://x.cdn.example.com:8443", "8.8.8.8", "NotAllowed"),
        ("http://plain.example.com", "8.8.8.8", "ok"),
        ("http://api.example.com", "8.8.8.8", "PlainHttp"),
    ];
    for (url, address, expected) in cases {
        assert_eq!(admitted(&gate, url, address), expected, "{url} at {address}");
    }
}

#[test]
fn rules_without_a_range_settle_it_by_name() {
    let gate = gate(&["*.example.com"]);
    assert_eq!(judged(&gate, "https://example.org"), "NotAllowed");
    assert_eq!(judged(&gate, "https://8.8.8.8"), "NotAllowed");
    assert_eq!(judged(&gate, "https://a.example.com."), "ok");
    assert_eq!(judged(&gate, "https://A.EXAMPLE.com"), "ok");
}

#[test]
fn offline_means_this_machine_only() {
    let rules = Settings { offline: true, allow: vec!["*".parse().unwrap()], ..Settings::default() };
    let gate = Gate::new(&rules).unwrap();
    for url in ["https://api.example.com", "http://10.0.0.1", "http://ollama", "https://localhost.example.com"] {
        assert_eq!(judged(&gate, url), "Offline", "{url}");
    }
    for url in ["http://localhost:1", "http://a.localhost", "http://127.0.0.1", "https://[::1]:8443"] {
        assert_eq!(judged(&gate, url), "ok", "{url}");
    }
}

#[test]
fn a_proxy_is_for_what_lies_outside() {
    let proxy = Some("http://proxy:3128".parse().unwrap());
    let no_proxy = vec!["corp.example.com".into(), "10.0.0.0/8".into()];
    let gate =
        Gate::new(&Settings { proxy: proxy.clone(), http_proxy: proxy, no_proxy, ..Settings::default() }).unwrap();
    let cases = [
        ("https://api.example.com", true),
        ("http://vllm.internal", true),
        ("http://192.168.0.1", true),
        ("https://corp.example.com", false),
        ("https://a.corp.example.com", false),
        ("https://10.1.2.3", false),
        ("http://169.254.169.254", false),
        ("http://[fd00:ec2::254]", false),
        ("https://localhost", false),
        ("http://127.0.0.1:1", false),
        ("http://[::1]:1", false),
    ];
    for (url, proxied) in cases {
        assert_eq!(gate.proxy(&target(url), &url.parse().unwrap()).is_some(), proxied, "{url}");
    }
}

#[test]
fn callers_name_public_addresses_only() {
    let named = |also: &[&str]| gate(&[]).for_callers(also.iter().map(|rule| rule.parse().unwrap()).collect());
    let cases = [
        ("http://example.com", "ok"),
        ("https://8.8.8.8", "ok"),
        ("http://localhost:8080", "NotPublic"),
        ("http://127.0.0.1", "NotPublic"),
        ("http://[::1]", "NotPublic"),
        ("http://[::ffff:10.0.0.1]", "NotPublic"),
        ("http://10.0.0.1", "NotPublic"),
        ("http://169.254.169.254", "NotPublic"),
        ("http://0.0.0.0", "NotPublic"),
        // A name may be anybody's: its address decides.
        ("http://wiki.internal", "ok"),
    ];
    for (url, expected) in cases {
        assert_eq!(judged(&named(&[]), url), expected, "{url}");
    }
    for address in ["10.0.0.1", "127.0.0.1", "::1", "169.254.169.254", "fe80::1", "100.64.0.1"] {
        assert_eq!(admitted(&named(&[]), "http://wiki.internal", address), "NotPublic", "{address}");
    }
    let also = named(&["wiki.internal", "127.0.0.1:8080"]);
    assert_eq!(admitted(&also, "http://wiki.internal", "10.0.0.1"), "ok");
    // A name does not open the machine's credentials.
    assert_eq!(admitted(&also, "http://wiki.internal", "169.254.169.254"), "NotPublic");
    assert_eq!(judged(&also, "http://127.0.0.1:8080"), "ok");
    assert_eq!(judged(&also, "http://127.0.0.1:8081"), "NotPublic");
}

#[test]
fn what_the_operator_forbids_no_caller_may_name() {
    let offline = Gate::new(&Settings { offline: true, ..Settings::default() }).unwrap().for_callers(Vec::new());
    assert_eq!(judged(&offline, "https://example.com"), "Offline");
    let only = gate(&["*.example.com"]).for_callers(Vec::new());
    assert_eq!(judged(&only, "https://docs.example.com"), "ok");
    assert_eq!(judged(&only, "https://elsewhere.org"), "NotAllowed");
}

#[test]
fn a_proxy_is_not_asked_for_private_names() {
    let settings =
        Settings { http_proxy: Some("http://proxy.example.com:3128".parse().unwrap()), ..Settings::default() };
    let named = Gate::new(&settings).unwrap().for_callers(Vec::new());
    assert_eq!(judged(&named, "http://wiki.internal"), "NotPublic");
    assert_eq!(judged(&named, "http://example.com"), "ok");
}
