use super::*;

#[test]
fn each_address_leads_where_its_registry_says() {
    let cases = [
        (Reach::Public, "8.8.8.8 1.1.1.1 172.32.0.1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808"),
        (Reach::Private, "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255 fd00::1 fc00::1"),
        (Reach::Private, "::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1::"),
        (Reach::Loopback, "127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1"),
        (Reach::Metadata, "169.254.169.254 169.254.0.1 fe80::1 febf::1 fec0::1 fd00:ec2::254 ::ffff:169.254.169.254"),
        (Reach::Metadata, "168.63.129.16 100.100.100.200 192.0.0.192"),
        (Reach::Nobody, "0.0.0.0 0.1.2.3 :: 224.0.0.1 255.255.255.255 240.0.0.1 ff02::1 192.0.2.1 198.18.0.1"),
        (Reach::Nobody, "198.51.100.1 203.0.113.1 2001:db8::1 2001::1 192.0.0.8 ::ffff:0.0.0.0 4000::1"),
    ];
    for (expected, addresses) in cases {
        for address in addresses.split(' ') {
            assert_eq!(Reach::of(address.parse().unwrap()), expected, "{address}");
        }
    }
}

#[test]
fn private_names_are_those_that_the_public_dns_does_not_have() {
    for name in ["ollama", "vllm.internal", "a.b.local", "x.svc.cluster.local", "vllm.default.svc", "box.home.arpa"] {
        assert!(is_private_name(name), "{name}");
    }
    for name in ["api.openai.com", "internal.example.com", "notlocal.com", "xinternal.net", "a.arpa"] {
        assert!(!is_private_name(name), "{name}");
    }
    assert!(is_localhost("localhost") && is_localhost("a.localhost") && !is_localhost("localhost.example.com"));
}
