//! Any text through words and sensitive information: what is found is in order, apart, on characters, and the rest of a
//! masked text is the text.

use std::sync::OnceLock;

use outcrop_guard::sensitive::{Pii, Sensitive, What};
use outcrop_guard::words::Words;

/// The entry of fuzzer and replay.
pub fn run(data: &[u8]) {
    static DETECTORS: OnceLock<(Sensitive, Words)> = OnceLock::new();
    let text = String::from_utf8_lossy(data);
    let (sensitive, words) = DETECTORS.get_or_init(|| {
        let regexes = [("Ticket", r"T-\d+"), ("Any", "."), ("Empty", "x*"), ("Words", r"\w+ \w+")];
        let words = Words::new(&["cactus", "a b", "#1", "é", "禁", "x y z", "a"], true);
        (Sensitive::new(&Pii::ALL, &regexes).expect("valid expressions and weights"), words)
    });
    let mut ends = [0; 5];
    let mut start = 0;
    let mut masked = String::new();
    let mut from = 0;
    for hit in sensitive.find(&text) {
        assert!(hit.range.start >= start && !hit.range.is_empty(), "in order");
        start = hit.range.start;
        assert!(text.get(hit.range.clone()).is_some(), "on characters");
        let list = match hit.what {
            What::Pii(_) => 4,
            What::Regex(place) => place,
        };
        assert!(hit.range.start >= ends[list], "apart");
        ends[list] = hit.range.end;
        if let What::Pii(kind) = hit.what {
            masked.push_str(&text[from..hit.range.start]);
            masked.push('{');
            masked.push_str(kind.name());
            masked.push('}');
            from = hit.range.end;
        }
    }
    masked.push_str(&text[from..]);
    assert!(from > 0 || masked == text);
    let mut end = 0;
    for hit in words.find(&text) {
        assert!(hit.range.start >= end && text.get(hit.range.clone()).is_some());
        end = hit.range.end;
    }
}
