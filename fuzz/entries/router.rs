//! Any method, host and path: never a panic, and a match is a template that fits what was asked.

use outcrop_server::route::{Asked, Table};

/// The entry of fuzzer and replay. Lines: method, host, path; a `+` before the method stands for a body.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(3, '\n');
    let (method, host, path) =
        (lines.next().unwrap_or_default(), lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let (has_body, method) = match method.strip_prefix('+') {
        Some(method) => (true, method),
        None => (false, method),
    };
    let asked = Asked { method, path, host: (!host.is_empty()).then_some(host), has_body };
    match Table::of_bedrock().find(asked) {
        Ok(found) => {
            assert_eq!(found.spec.method, method);
            let (mut filled, mut rest) = (String::new(), found.spec.uri);
            for (name, value) in found.labels() {
                let (literal, after) = rest.split_once(&format!("{{{name}}}")).expect("a label of the template");
                assert!(!literal.contains('{'), "labels come in the template's order");
                filled += literal;
                filled += value;
                rest = after;
            }
            assert!(!rest.contains('{'), "every label has a value");
            filled += rest;
            let (asked, filled) = (path.trim_end_matches('/'), filled.trim_end_matches('/'));
            assert!(asked.ends_with(filled), "{asked} is not {filled}");
            let pin = &asked[..asked.len() - filled.len()];
            assert_eq!(pin.strip_prefix('/').is_some_and(|pin| !pin.is_empty()), found.pinned.is_some(), "{pin}");
        }
        Err(miss) => {
            assert!(matches!(miss.status(), 404 | 405));
            assert!(!miss.message().is_empty());
        }
    }
}
