use super::*;

fn seen(peer: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> String {
    let peer = Peer { address: (peer != "unix").then(|| peer.parse().unwrap()), secure: false, certificate: None };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    let trusted: Vec<_> = trusted.iter().map(|t| t.parse().unwrap()).collect();
    let ClientInfo { ip, secure } = client(&peer, &map, &trusted);
    format!("{} {secure}", ip.map_or("none".into(), |ip| ip.to_string()))
}

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";

#[test]
fn only_trusted_peers_are_believed() {
    let said = [(FOR, "203.0.113.9"), (PROTO, "https")];
    assert_eq!(seen("10.1.2.3:5", &said, &[]), "10.1.2.3 false");
    assert_eq!(seen("192.0.2.1:5", &said, &["10.0.0.0/8", "unix"]), "192.0.2.1 false");
    assert_eq!(seen("10.1.2.3:5", &said, &["10.0.0.0/8"]), "203.0.113.9 true");
    assert_eq!(seen("10.1.2.3:5", &said, &["10.1.2.3"]), "203.0.113.9 true");
    assert_eq!(seen("10.1.2.3:5", &said, &["10.1.2.4"]), "10.1.2.3 false");
    assert_eq!(seen("[::ffff:10.1.2.3]:5", &said, &["10.0.0.0/8"]), "203.0.113.9 true");
    assert_eq!(seen("unix", &said, &["10.0.0.0/8"]), "none false");
    assert_eq!(seen("unix", &said, &["unix"]), "203.0.113.9 true");
    assert_eq!(seen("10.1.2.3:5", &[], &["10.0.0.0/8"]), "10.1.2.3 false");
}

#[test]
fn the_rightmost_hop_that_is_not_trusted_is_the_client() {
    let via = |line| seen("10.0.0.1:5", &[(FOR, line)], &["10.0.0.0/8", "fd00::/8"]);
    // The client wrote the first two itself.
    assert_eq!(via("127.0.0.1, 10.9.9.9, 203.0.113.9, 10.0.0.2"), "203.0.113.9 false");
    assert_eq!(via("203.0.113.9,fd00::2"), "203.0.113.9 false");
    assert_eq!(via("203.0.113.9:4711"), "203.0.113.9 false");
    assert_eq!(via("[2001:db8::1]:4711, 10.0.0.2:80"), "2001:db8::1 false");
    assert_eq!(via("[2001:db8::1]"), "2001:db8::1 false");
    // All of them trusted: the first proxy is the client.
    assert_eq!(via("10.0.0.3, 10.0.0.2"), "10.0.0.3 false");
    // Unreadable: nothing further left counts.
    assert_eq!(via("203.0.113.9, unknown, 10.0.0.2"), "10.0.0.2 false");
    assert_eq!(via("203.0.113.9, "), "10.0.0.1 false");
    // Several lines are one list.
    let lines = [(FOR, "198.51.100.1"), (FOR, "203.0.113.9, 10.0.0.2")];
    assert_eq!(seen("10.0.0.1:5", &lines, &["10.0.0.0/8"]), "203.0.113.9 false");
}

#[test]
fn the_nearest_proxy_says_whether_it_was_tls() {
    let via = |line| seen("10.0.0.1:5", &[(PROTO, line)], &["10.0.0.0/8"]);
    assert_eq!(via("HTTPS"), "10.0.0.1 true");
    assert_eq!(via("http"), "10.0.0.1 false");
    assert_eq!(via("https, http"), "10.0.0.1 false");
}

#[test]
fn what_is_no_network_is_refused() {
    for wrong in ["", "10.0.0.0/33", "proxy.example", "unix:/x"] {
        assert!(wrong.parse::<TrustedProxy>().unwrap_err().contains(wrong));
    }
    assert_eq!("10.1.2.3/8".parse::<TrustedProxy>().unwrap().to_string(), "10.0.0.0/8");
}
