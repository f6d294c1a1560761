use super::*;

fn request(uri: &str, headers: &[(&str, &str)]) -> request::Parts {
    let mut request = http::Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

#[test]
fn programs_pass() {
    for headers in [
        &[("host", "127.0.0.1:7711")][..],
        &[("host", "localhost:7711")],
        &[("host", "[::1]:7711")],
        &[("host", "bedrock-agent.localhost:7711")],
        &[("host", "bedrock-runtime.us-east-1.amazonaws.com")],
        &[("host", "LOCALHOST"), ("origin", "http://localhost:3000")],
        &[("host", "127.0.0.1:7711"), ("origin", "http://[::1]:5173"), ("sec-fetch-site", "same-site")],
        &[],
    ] {
        assert_eq!(stranger(&request("/agents/", headers)), None, "{headers:?}");
    }
    assert_eq!(stranger(&request("http://127.0.0.1:7711/agents/", &[])), None);
}

#[test]
fn pages_do_not() {
    for headers in [
        &[("host", "127.0.0.1:7711"), ("origin", "https://evil.example")][..],
        &[("host", "127.0.0.1:7711"), ("origin", "null")],
        &[("host", "127.0.0.1:7711"), ("origin", "http://localhost.evil.example")],
        &[("host", "127.0.0.1:7711"), ("origin", "http://127.0.0.1.evil.example:80")],
        &[("host", "127.0.0.1:7711"), ("sec-fetch-site", "cross-site")],
        &[("host", "evil.example:7711")],
        &[("host", "amazonaws.com.evil.example")],
        &[("host", "notlocalhost")],
    ] {
        assert!(stranger(&request("/agents/", headers)).is_some(), "{headers:?}");
    }
    assert!(stranger(&request("http://evil.example/agents/", &[])).is_some());
}
