mod sample;

use jiff::Timestamp;

use super::{Problems, body, parameter, required_parameters};
use crate::encode;
use crate::shape::Structure;
use sample::{Choice, Sample};

/// What `text` makes of a sample, and the lines that it breaks.
fn read(text: &str) -> Result<(Sample, Option<String>), String> {
    let (mut sample, mut problems) = (Sample::default(), Problems::default());
    body(text.as_bytes(), &mut sample, &mut problems).map_err(|e| e.to_string())?;
    Ok((sample, problems.message()))
}

fn fine(text: &str) -> Sample {
    let (sample, problems) = read(text).unwrap();
    assert_eq!(problems, None, "{text}");
    sample
}

/// The complaint about `text`, without the counted form's beginning where it is about one thing.
fn told(text: &str) -> String {
    let (_, problems) = read(text).unwrap();
    let message = problems.unwrap_or_else(|| panic!("{text} is fine"));
    message.strip_prefix("1 validation error detected: ").unwrap_or(&message).to_owned()
}

#[test]
fn every_form_is_read_and_written_back() {
    let text = concat!(
        r#"{"name":"aé\n\u0001","color":"red","count":-3,"big":9007199254740993,"single":0.7,"double":0.1,"#,
        r#""flag":true,"at":"2026-01-02T03:04:05Z","since":1767323045.5,"bytes":"aGk=","any":{"b":[1,null,{"a":2.5}]},"#,
        r#""choice":{"text":"x"},"list":[{"text":"y"}],"map":{"k":{"number":4}}}"#
    );
    let sample = fine(text);
    assert_eq!(sample.big, Some(9_007_199_254_740_993));
    assert_eq!(sample.at, Some("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap()));
    assert_eq!(sample.since, Some("2026-01-02T03:04:05.5Z".parse::<Timestamp>().unwrap()));
    assert_eq!(sample.bytes.as_deref(), Some(b"hi".as_slice()));
    assert!(matches!(sample.choice, Some(Choice::Text(ref t)) if t == "x"));
    assert_eq!(String::from_utf8(encode::body(&sample, Vec::new())).unwrap(), text);
}

#[test]
fn nulls_and_unknown_members_are_as_if_absent() {
    let sample = fine(r#"{"name":"n","count":null,"zork":[{"deep":[null]}],"map":{"gone":null},"any":null}"#);
    assert_eq!((sample.count, &sample.any), (None, &None));
    assert_eq!(encode::body(&sample, Vec::new()), br#"{"name":"n","map":{}}"#);
    assert_eq!(told(r#"{"name":null}"#), "Value null at 'name' failed to satisfy constraint: Member must not be null");
    assert_eq!(
        told(r#"{"name":"n","list":[{"text":"a"},null]}"#),
        "Value null at 'list.2.member' failed to satisfy constraint: Member must not be null"
    );
    // A null element has its place in the list, and counts.
    assert_eq!(
        told(r#"{"name":"n","list":[null]}"#),
        "Value null at 'list.1.member' failed to satisfy constraint: Member must not be null"
    );
    assert_eq!(
        read(r#"{"list":[null,7]}"#).unwrap_err(),
        "The value at 'list.2.member' must be an object, not a number."
    );
    assert_eq!(read(" \n").unwrap().1.unwrap(), read("{}").unwrap().1.unwrap());
}

#[test]
fn numbers_come_in_more_than_one_form() {
    assert_eq!(fine(r#"{"name":"n","count":5.0,"single":1,"double":18446744073709551615}"#).count, Some(5));
    assert_eq!(
        told(r#"{"name":"n","count":3000000000}"#),
        "2 validation errors detected: Value '3000000000' at 'count' failed to satisfy constraint: Member must have \
         value less than or equal to 100; Value '3000000000' at 'count' failed to satisfy constraint: Member must fit \
         a 32-bit integer"
    );
    assert_eq!(
        told(r#"{"name":"n","single":1.5}"#),
        "Value '1.5' at 'single' failed to satisfy constraint: Member must have value less than or equal to 1"
    );
    assert_eq!(
        read(r#"{"single":-1e300}"#).unwrap_err(),
        "The value at 'single' must be a number of single precision."
    );
    for text in [r#"{"count":1.5}"#, r#"{"count":99999999999999999999}"#, r#"{"big":18446744073709551615}"#] {
        assert!(read(text).unwrap_err().ends_with("must be a whole number of at most 64 bits."), "{text}");
    }
}

#[test]
fn wrong_types_name_the_place() {
    for (text, message) in [
        (r#"{"name":1}"#, "The value at 'name' must be a string, not a number."),
        (r#"{"flag":"true"}"#, "The value at 'flag' must be a boolean, not a string."),
        (r#"{"list":{}}"#, "The value at 'list' must be a list, not an object."),
        (r#"{"list":[{},7]}"#, "The value at 'list.2.member' must be an object, not a number."),
        (r#"{"map":{"k":[]}}"#, "The value at 'map.k.member' must be an object, not a list."),
        (r#"{"at":"soon"}"#, "The value at 'at' must be a timestamp in ISO 8601 format."),
        (r#"{"at":1e300}"#, "The value at 'at' must be a timestamp in ISO 8601 format."),
        (r#"{"bytes":"%"}"#, "The value at 'bytes' must be base64."),
        ("[]", "The request body must be a JSON object."),
    ] {
        assert_eq!(read(text).unwrap_err(), message, "{text}");
    }
    assert!(read(r#"{"name":"n"} x"#).unwrap_err().starts_with("The request body is not valid JSON"));
}

#[test]
fn a_key_is_given_once() {
    for (text, at) in [
        (r#"{"list":[],"list":[]}"#, "list"),
        (r#"{"choice":{"text":"a","text":"b"}}"#, "choice.text"),
        (r#"{"map":{"k":{"text":"a"},"k":{"text":"b"}}}"#, "map.k.member"),
    ] {
        assert_eq!(read(text).unwrap_err(), format!("The key at '{at}' is given twice."));
    }
}

#[test]
fn unions_hold_exactly_one_member() {
    let keys = "of the following keys: text, number.";
    assert_eq!(told(r#"{"name":"n","choice":{}}"#), format!("The Choice object at choice must set one {keys}"));
    assert_eq!(
        told(r#"{"name":"n","list":[{"text":"a"},{"text":"a","number":1}]}"#),
        format!("The Choice object at list.1 must set only one {keys}")
    );
    assert_eq!(told(r#"{"name":"n","choice":{"text":null}}"#), told(r#"{"name":"n","choice":{}}"#));
    // Null does not count as a second member.
    fine(r#"{"name":"n","choice":{"text":"a","number":null}}"#);
    // The counted form goes first.
    assert!(told(r#"{"choice":{}}"#).starts_with("Value null at 'name'"));
}

#[test]
fn a_maps_key_may_look_like_a_place_in_a_list() {
    for key in ["0", "7", "a.0", "0.member", "member"] {
        let text = format!(r#"{{"name":"n","map":{{"{key}":{{}}}}}}"#);
        assert!(told(&text).starts_with(&format!("The Choice object at map.{key}.member must set")), "{key}");
    }
}

#[test]
fn what_is_sensitive_is_not_repeated() {
    let message = told(r#"{"name":"n","secret":"hunter2"}"#);
    assert_eq!(
        message,
        "Value at 'secret' failed to satisfy constraint: Member must have length less than or equal to 3"
    );
    let shown = format!("{:?}", fine(r#"{"name":"n","secret":"abc"}"#));
    assert!(shown.contains("<sensitive>") && !shown.contains("abc"), "{shown}");
}

#[test]
fn long_values_and_many_problems_are_told_in_bounded_words() {
    let long = "é".repeat(100_000);
    let message = told(&format!(r#"{{"name":"{long}"}}"#));
    assert!(message.len() < 1000 && message.contains("é...' at 'name'"), "{}", message.len());
    let many = vec!["null"; 100_000].join(",");
    let message = told(&format!(r#"{{"name":"n","list":[{many}]}}"#));
    assert!(message.starts_with("100000 validation errors detected: ") && message.len() < 10_000);
}

#[test]
fn labels_queries_and_headers_are_read_from_text() {
    let mut sample = Sample::default();
    let mut problems = Problems::default();
    let index = |name: &str| sample::SAMPLE.members.iter().position(|m| m.name == name).unwrap();
    let mut set = |name: &str, value: &str| parameter(value, &mut sample, index(name), &mut problems);
    set("id", "x");
    set("flag", "true");
    set("count", "7");
    set("big", "-9007199254740993");
    set("at", "2026-01-02T03:04:05+01:00");
    set("since", "1767323045");
    set("color", "red");
    set("tags", "a");
    set("tags", "b");
    assert_eq!((sample.flag, sample.count, sample.big), (Some(true), Some(7), Some(-9_007_199_254_740_993)));
    assert_eq!(sample.at, Some("2026-01-02T02:04:05Z".parse::<Timestamp>().unwrap()));
    assert_eq!(sample.since, Some("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap()));
    assert_eq!(sample.tags.as_deref().unwrap(), ["a", "b"]);
    assert_eq!(problems.message(), None);

    for (name, value, must) in [
        ("flag", "TRUE", "be true or false"),
        ("count", "", "be a number"),
        ("count", "9".repeat(30).as_str(), "be a number"),
        ("count", "101", "have value less than or equal to 100"),
        ("at", "soon", "be a timestamp in ISO 8601 format"),
        ("color", "mauve", "satisfy enum value set: [red, green]"),
    ] {
        let mut problems = Problems::default();
        parameter(value, &mut Sample::default(), index(name), &mut problems);
        let message = problems.message().unwrap();
        assert!(
            message.ends_with(&format!("'{value}' at '{name}' failed to satisfy constraint: Member must {must}")),
            "{message}"
        );
    }
}

#[test]
fn parameters_are_required_and_counted() {
    let mut problems = Problems::default();
    let sample = Sample { tags: Some(vec![String::new(); 4]), ..Sample::default() };
    required_parameters(&sample, 0, &mut problems);
    assert_eq!(
        problems.message().unwrap(),
        "2 validation errors detected: Value null at 'id' failed to satisfy constraint: Member must not be null; Value \
         at 'tags' failed to satisfy constraint: Member must have length less than or equal to 3"
    );
    // A label is no member of the body, whatever the body says.
    let sample = fine(r#"{"name":"n","id":"from the body"}"#);
    assert_eq!(sample.id, "");
    assert_eq!(sample.shape().name, "Sample");
}
