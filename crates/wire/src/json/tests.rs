use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn read(text: &[u8]) -> Result<Value, Error> {
    let mut r = Reader::new(text)?;
    let v = r.value()?;
    r.end()?;
    Ok(v)
}

#[test]
fn refuses_what_is_not_json() {
    for bad in [
        "",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "01",
        "-",
        "1.",
        "1e",
        "+1",
        "nul",
        "tru",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"a\nb\"",
        "1 2",
        "{1:2}",
        "[,1]",
        "{,}",
        "1e999",
    ] {
        assert!(read(bad.as_bytes()).is_err(), "{bad:?} was accepted");
    }
    assert_eq!(read(b"\xff").map_err(|e| e.at), Err(0));
}

#[test]
fn nesting_is_bounded_and_skipping_too() {
    let deep = "[".repeat(10_000_000);
    assert!(read(deep.as_bytes()).is_err());
    assert!(Reader::new(deep.as_bytes()).unwrap().skip().is_err());
    let fine = "[".repeat(MAX_DEPTH as usize) + &"]".repeat(MAX_DEPTH as usize);
    assert!(read(fine.as_bytes()).is_ok());
}

#[test]
fn borrows_strings_without_escapes() {
    let mut r = Reader::new(br#""plain""#).unwrap();
    assert!(matches!(r.string(), Ok(std::borrow::Cow::Borrowed("plain"))));
    assert_eq!(read(r#""\u00e9\ud83d\ude00\n""#.as_bytes()).unwrap(), Value::from("é😀\n"));
}

#[test]
fn numbers_keep_their_kind() {
    assert_eq!(Reader::new(b"-7").unwrap().number(), Ok(Number::Whole(-7)));
    assert_eq!(Reader::new(b"18446744073709551615").unwrap().number(), Ok(Number::Large(u64::MAX)));
    assert_eq!(Reader::new(b"1.0").unwrap().number(), Ok(Number::Real(1.0)));
    let mut w = Writer::default();
    w.begin_array();
    w.single(0.7);
    w.real(1.0);
    w.real(f64::NAN);
    w.whole(-3);
    w.blob(b"hi!!");
    w.end_array();
    assert_eq!(w.into_bytes(), br#"[0.7,1.0,null,-3,"aGkhIQ=="]"#);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|kv| Value::Object(kv.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_serde_json(v in any_json()) {
        prop_assert_eq!(read(v.to_string().as_bytes()).unwrap(), v.clone());
        prop_assert_eq!(read(serde_json::to_string_pretty(&v).unwrap().as_bytes()).unwrap(), v);
    }

    #[test]
    fn strings_survive_the_writer(s in any::<String>()) {
        let mut w = Writer::default();
        w.string(&s);
        prop_assert_eq!(serde_json::from_slice::<String>(&w.into_bytes()).unwrap(), s);
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(v) = read(&bytes) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), v);
        }
    }
}
