use std::cell::RefCell;
use std::sync::Mutex;

use super::*;

#[derive(Default)]
struct Counting(Mutex<RefCell<Vec<String>>>);

impl Encoder for Counting {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        self.0.lock().unwrap().borrow_mut().extend(texts.iter().map(|text| (*text).to_owned()));
        Ok(texts.iter().map(|_| Encoded::default()).collect())
    }
}

fn covers(text: &str) -> Vec<Window> {
    let windows = windows(text);
    let mut end = 0;
    for window in &windows {
        assert!(window.range.start <= end, "nothing may fall between two windows");
        assert!(window.range.end > end || text.is_empty(), "every window sees something new");
        assert!(text.get(window.range.clone()).is_some());
        end = window.range.end;
    }
    assert_eq!(end, text.len());
    windows
}

#[test]
fn short_texts_are_one_window_and_empty_ones_too() {
    assert_eq!(covers("").len(), 1);
    assert_eq!(covers("How do I kill a process?").len(), 1);
}

#[test]
fn long_texts_overlap_and_grow_linearly() {
    let words = "the quick brown fox jumps over the lazy dog and ".repeat(400);
    let windows = covers(&words);
    assert!(windows.len() > 20 && windows.len() < 32, "{}", windows.len());
    for pair in windows.windows(2) {
        assert!(pair[1].range.start < pair[0].range.end);
        let shared = &words[pair[1].range.start..pair[0].range.end];
        assert!(shared.split(' ').count() > 30, "{shared}");
    }
    assert_eq!(covers(&words.repeat(10)).len() / 10, windows.len() - 1);
}

#[test]
fn texts_without_words_are_cut_too() {
    for text in ["x".repeat(100_000), "e\u{301}\u{302}\u{303}".repeat(20_000), "漢字".repeat(5_000), " ".repeat(50_000)]
    {
        let windows = covers(&text);
        assert!(windows.len() > 4 && windows.iter().all(|window| window.range.len() <= BYTES + 8));
    }
}

#[test]
fn a_window_is_encoded_once_and_only_when_asked_for() {
    let (encoder, text) = (Counting::default(), "some words and ".repeat(400));
    let scan = Scan::new(&text, &encoder);
    assert!(scan.windows().len() > 3);
    scan.encoded(1).unwrap();
    scan.encoded(1).unwrap();
    assert_eq!(encoder.0.lock().unwrap().borrow().as_slice(), [scan.window(1)]);
    assert!(scan.encoded(1_000).is_err());
}
