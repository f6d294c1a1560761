use proptest::prelude::*;

use super::*;

fn rule(text: &str) -> HostRule {
    text.parse().unwrap()
}

#[test]
fn each_form_names_its_hosts() {
    let names = |text: &str, host: &str, port: u16| rule(text).names(host, port);
    assert!(names("API.example.com.", "api.example.com", 1));
    assert!(!names("example.com", "api.example.com", 443));
    assert!(names("*.example.com", "a.b.example.com", 443));
    assert!(!names("*.example.com", "example.com", 443));
    assert!(!names("*.example.com", "badexample.com", 443));
    assert!(names("*", "whoever", 7));
    assert!(names("api.example.com:8443", "api.example.com", 8443));
    assert!(!names("api.example.com:8443", "api.example.com", 443));
    assert!(names("https://api.example.com/", "api.example.com", 443));
    assert!(!rule("https://api.example.com").plain);
    assert!(rule("http://api.example.com").plain);
}

#[test]
fn each_range_holds_its_addresses() {
    let holds = |text: &str, address: &str, port: u16| rule(text).holds(address.parse().unwrap(), port);
    assert!(holds("10.0.0.0/8", "10.2.3.4", 1));
    assert!(!holds("10.0.0.0/8", "11.2.3.4", 1));
    assert!(holds("fd00::/8", "fd12::1", 1));
    assert!(holds("192.0.2.7:80", "192.0.2.7", 80));
    assert!(!holds("192.0.2.7:80", "192.0.2.7", 81));
    assert!(holds("[2001:db8::1]:80", "2001:db8::1", 80));
    assert!(holds("2001:db8::1", "2001:db8::1", 81));
}

#[test]
fn what_names_no_hosts_is_refused() {
    for text in ["", "*example.com", "a b", "http://", "a/b", "host:0", "host:99999", "*.", "..", "10.0.0.0/33"] {
        assert!(text.parse::<HostRule>().is_err(), "{text}");
    }
    let error = "https://user:secret@host".parse::<HostRule>().unwrap_err().to_string();
    assert!(!error.contains("secret"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_what_is_written_reads_the_same(text in ".{0,40}") {
        if let Ok(rule) = text.parse::<HostRule>() {
            prop_assert_eq!(rule.to_string().parse::<HostRule>().unwrap(), rule);
        }
    }

    #[test]
    fn a_rule_reads_as_it_is_written(
        text in r"(http://)?(\*\.|\*)?([a-z0-9]{1,5}\.){0,2}[a-z]{1,4}(:[1-9][0-9]{0,3})?|[0-9.]{7,9}|\[?[0-9a-f:]{2,9}\]?(:[1-9])?"
    ) {
        if let Ok(rule) = text.parse::<HostRule>() {
            prop_assert_eq!(rule.to_string().parse::<HostRule>().unwrap(), rule);
        }
    }
}
