use http::Request;

use super::*;

fn parts(peer: Option<&str>, headers: &[(&'static str, &str)]) -> request::Parts {
    let mut request = Request::get("/metrics");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let address = peer.map(|peer| peer.parse().unwrap());
    parts.extensions.insert(Peer { address, secure: false, certificate: None });
    parts
}

fn observe(token: Option<&str>, open_on_loopback: bool) -> Observe {
    let token = token.map(|token| SecretRef::resolve(token).unwrap());
    let config = Metrics { token, open_on_loopback, ..Metrics::default() };
    Observe::new(Arc::default(), &config, None)
}

#[test]
fn the_metrics_are_closed_unless_somebody_opens_them() {
    let here = parts(Some("127.0.0.1:5"), &[("authorization", "Bearer x")]);
    assert!(!observe(None, false).shows(false, &here));
    assert!(observe(None, false).shows(true, &here), "dev is on this machine only");
}

#[test]
fn a_token_opens_them() {
    let observe = observe(Some("correct horse"), false);
    let with = |given: &str| parts(Some("192.0.2.1:5"), &[("authorization", given)]);
    assert!(observe.shows(false, &with("Bearer correct horse")) && observe.shows(false, &with("bearer correct horse")));
    for wrong in ["Bearer correct hors", "Bearer correct horse ", "Basic correct horse", "Bearer ", "", "correct horse"]
    {
        assert!(!observe.shows(false, &with(wrong)), "{wrong}");
    }
    assert!(!observe.shows(false, &parts(Some("127.0.0.1:5"), &[])));
}

#[test]
fn this_machine_is_no_proxy_of_it() {
    let observe = observe(None, true);
    for here in ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
        assert!(observe.shows(false, &parts(Some(here), &[])), "{here}");
        assert!(!observe.shows(false, &parts(Some(here), &[("x-forwarded-for", "192.0.2.1")])), "{here}");
        assert!(!observe.shows(false, &parts(Some(here), &[("forwarded", "for=192.0.2.1")])), "{here}");
    }
    assert!(!observe.shows(false, &parts(Some("192.0.2.1:5"), &[])) && !observe.shows(false, &parts(None, &[])));
}
