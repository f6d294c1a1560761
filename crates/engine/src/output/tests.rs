use super::*;

fn texts(events: &[Event]) -> String {
    events.iter().map(|event| if let Event::Text(text) = event { text.as_str() } else { "" }).collect()
}

/// Feeds `text` in pieces of `size` bytes, ends the answer, and answers what was heard.
fn heard(expect: Expect, stop: &[&str], text: &str, size: usize) -> (Vec<Event>, Option<String>) {
    let stop: Vec<String> = stop.iter().map(|&stop| stop.to_owned()).collect();
    let mut output = Output::new(expect, &stop);
    let mut events = Vec::new();
    for piece in text.as_bytes().chunks(size) {
        if let Some(stopped) = output.push(piece, &mut events) {
            return (events, Some(stopped));
        }
    }
    let stopped = output.finish(&mut events);
    (events, stopped)
}

fn tools() -> Expect {
    Expect::TextAndCalls(vec!["weather".into()], CallFormat::Hermes)
}

fn call(arguments: &str) -> Vec<Event> {
    vec![
        Event::ToolCallStart { name: "weather".into() },
        Event::ToolCallArguments(arguments.into()),
        Event::ToolCallEnd,
    ]
}

#[test]
fn characters_are_never_split() {
    for size in 1..6 {
        let (events, _) = heard(Expect::Text, &[], "añ🦀e\u{301}", size);
        assert_eq!(texts(&events), "añ🦀e\u{301}");
    }
    let mut output = Output::new(Expect::Text, &[]);
    let mut events = Vec::new();
    output.push(&"🦀".as_bytes()[..3], &mut events);
    assert!(events.is_empty());
    output.push(&"🦀".as_bytes()[3..], &mut events);
    assert_eq!(events, [Event::Text("🦀".into())]);
}

#[test]
fn bytes_that_are_no_character_are_replaced_once() {
    let mut output = Output::new(Expect::Text, &[]);
    let mut events = Vec::new();
    output.push(b"a\xffb", &mut events);
    assert_eq!(texts(&events), "a\u{FFFD}b");
}

#[test]
fn a_stop_sequence_ends_the_text_wherever_tokens_break() {
    for size in 1..8 {
        let (events, stopped) = heard(Expect::Text, &["END", "never"], "one two END three", size);
        assert_eq!((texts(&events).as_str(), stopped.as_deref()), ("one two ", Some("END")), "pieces of {size}");
    }
}

#[test]
fn the_beginning_of_a_stop_sequence_is_text_if_it_stays_one() {
    for size in 1..8 {
        let (events, stopped) = heard(Expect::Text, &["abcd", "bce"], "xabcab", size);
        assert_eq!((texts(&events).as_str(), stopped), ("xabcab", None), "pieces of {size}");
    }
}

#[test]
fn the_first_stop_sequence_to_be_complete_wins_and_the_older_of_two() {
    assert_eq!(heard(Expect::Text, &["abc", "b"], "abc", 1).1.as_deref(), Some("b"));
    assert_eq!(heard(Expect::Text, &["abc", "c"], "abc", 3).1.as_deref(), Some("abc"));
    let (events, stopped) = heard(Expect::Text, &["aab"], "aaab", 1);
    assert_eq!((texts(&events).as_str(), stopped.as_deref()), ("a", Some("aab")));
}

#[test]
fn a_stop_sequence_of_many_bytes_a_character_is_found() {
    let (events, stopped) = heard(Expect::Text, &["é🦀"], "aéé🦀", 1);
    assert_eq!((texts(&events).as_str(), stopped.as_deref()), ("aé", Some("é🦀")));
}

#[test]
fn what_is_held_back_is_never_part_of_a_stop_sequence() {
    let mut output = Output::new(Expect::Text, &["</end>".to_owned()]);
    let mut events = Vec::new();
    output.push(b"hello </e", &mut events);
    assert_eq!(events, [Event::Text("hello ".into())]);
    output.push(b"m>", &mut events);
    assert_eq!(texts(&events), "hello </em>");
}

#[test]
fn many_long_stop_sequences_are_as_one() {
    let stop: Vec<String> = (0..2500).map(|number| format!("{}{number}", "stop ".repeat(200))).collect();
    let mut output = Output::new(Expect::Text, &stop);
    let mut events = Vec::new();
    let text = "stop ".repeat(199) + "and go on ";
    for _ in 0..20 {
        assert_eq!(output.push(text.as_bytes(), &mut events), None);
    }
    let last = output.push(stop[1234].as_bytes(), &mut events);
    // "…1" is complete before "…1234" is.
    assert_eq!(last.as_ref(), Some(&stop[1]));
    assert_eq!(texts(&events), text.repeat(20));
}

#[test]
fn a_call_among_text_is_a_call() {
    let text =
        "Let me look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>\n";
    for size in 1..9 {
        let (events, _) = heard(tools(), &[], text, size);
        assert_eq!(texts(&events), "Let me look.", "pieces of {size}");
        assert_eq!(events[events.len() - 3..], call("{\"city\":\"Oslo\"}"));
    }
}

#[test]
fn two_calls_are_two() {
    let one = "<tool_call>{\"name\": \"weather\", \"arguments\": {}}</tool_call>";
    let (events, _) = heard(tools(), &[], &format!("\n{one}\n{one}"), 3);
    assert_eq!(events, [call("{}"), call("{}")].concat());
}

#[test]
fn a_call_without_its_closing_tag_counts_if_it_is_whole() {
    let (events, _) = heard(tools(), &[], "<tool_call>{\"name\": \"weather\", \"parameters\": {\"a\": 1}}", 4);
    assert_eq!(events, call("{\"a\":1}"));
}

#[test]
fn what_is_no_call_stays_text() {
    for text in [
        "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": }}</tool_call> sorry",
        "<tool_call>{\"name\": \"other\", \"arguments\": {}}</tool_call>",
        "<tool_call>{\"name\": \"weather\", \"arguments\": \"Oslo\"}</tool_call>",
        "<tool_call>{\"name\": \"wea",
        "a <tool_cal",
        "a < b, 1 <  2 ",
    ] {
        for size in 1..5 {
            let (events, _) = heard(tools(), &[], text, size);
            assert_eq!(texts(&events), text, "pieces of {size}");
        }
    }
}

#[test]
fn a_stop_sequence_does_not_break_a_call() {
    let text = "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}</tool_call>";
    let (events, stopped) = heard(tools(), &["Oslo", "}"], text, 2);
    assert_eq!((events, stopped), (call("{\"city\":\"Oslo\"}"), None));
}

#[test]
fn without_tools_the_tag_is_text() {
    let (events, _) = heard(Expect::Text, &[], "<tool_call>{}</tool_call>", 3);
    assert_eq!(texts(&events), "<tool_call>{}</tool_call>");
}

#[test]
fn a_forced_call_streams_its_arguments() {
    let arguments = r#"{"a": "}\"{", "b": [{}]}"#;
    let text = format!("{}{arguments}}}\n{CALL_CLOSE}", call_header("weather"));
    for size in 1..12 {
        let mut output = Output::new(Expect::Call, &["a".to_owned()]);
        let mut events = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            assert_eq!(output.push(piece, &mut events), None);
        }
        let fragments: String = events
            .iter()
            .map(|event| if let Event::ToolCallArguments(text) = event { text.as_str() } else { "" })
            .collect();
        assert_eq!(fragments, arguments);
        assert_eq!(events[0], Event::ToolCallStart { name: "weather".into() });
        assert_eq!(events.last(), Some(&Event::ToolCallEnd));
        assert_eq!(texts(&events), "");
        assert!(output.complete() && output.called());
    }
}

#[test]
fn a_forced_call_that_is_cut_still_ends() {
    let text = format!("{}{{\"a\": \"b", call_header("weather"));
    let (events, _) = heard(Expect::Call, &[], &text, 5);
    assert_eq!(events.last(), Some(&Event::ToolCallEnd));
}

#[test]
fn json_or_a_call_is_told_by_its_first_character() {
    let (events, _) = heard(Expect::JsonOrCall, &[], "{\"a\": 1}", 3);
    assert_eq!(texts(&events), "{\"a\": 1}");
    let text = format!("{}{{}}}}\n{CALL_CLOSE}", call_header("weather"));
    assert_eq!(heard(Expect::JsonOrCall, &[], &text, 30).0, call("{}"));
}

fn written(format: CallFormat) -> Expect {
    Expect::TextAndCalls(vec!["weather".into(), "time".into()], format)
}

#[test]
fn mistrals_calls_are_calls() {
    let city = "{\"city\":\"Oslo\"}";
    let both = [
        call(city),
        vec![Event::ToolCallStart { name: "time".into() }, Event::ToolCallArguments("{}".into()), Event::ToolCallEnd],
    ]
    .concat();
    for text in [
        "Look: [TOOL_CALLS][{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}, {\"name\": \"time\", \"arguments\": {}}]",
        "Look: [TOOL_CALLS] [{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}, \"id\": \"x\"}, {\"name\": \"time\", \"arguments\": {}}]\n",
        "Look: [TOOL_CALLS]weather[ARGS]{\"city\": \"Oslo\"}[TOOL_CALLS]time[ARGS]{}",
        "Look: [TOOL_CALLS]weather[CALL_ID]a1b2c3d4e[ARGS]{\"city\": \"Oslo\"}[TOOL_CALLS]time{}",
    ] {
        for size in 1..9 {
            let (events, _) = heard(written(CallFormat::Mistral), &[], text, size);
            assert_eq!(texts(&events), "Look:", "pieces of {size}");
            let calls: Vec<Event> = events.into_iter().filter(|event| !matches!(event, Event::Text(_))).collect();
            assert_eq!(calls, both);
        }
    }
}

#[test]
fn llamas_calls_are_calls() {
    let one = "{\"name\": \"weather\", \"parameters\": {\"city\": \"Oslo\"}}";
    for text in [one.to_owned(), format!("\n{one}\n"), format!("<|python_tag|>{one}")] {
        for size in 1..9 {
            let (events, _) = heard(written(CallFormat::Llama), &["Oslo"], &text, size);
            assert_eq!(texts(&events).trim(), "");
            assert_eq!(events[events.len() - 3..], call("{\"city\":\"Oslo\"}"));
        }
    }
    let (events, _) = heard(written(CallFormat::Llama), &[], &format!("<|python_tag|>{one}; {one}"), 4);
    assert_eq!(events, [call("{\"city\":\"Oslo\"}"), call("{\"city\":\"Oslo\"}")].concat());
}

#[test]
fn what_ends_in_no_call_stays_text() {
    for (format, text) in [
        (CallFormat::Llama, "{\"name\": \"other\", \"parameters\": {}}"),
        (CallFormat::Llama, "{\"answer\": 42} and more"),
        (CallFormat::Llama, "a {\"name\": \"weather\", \"parameters\": {}}"),
        (CallFormat::Llama, "<|python_tag|>print(1)"),
        (CallFormat::Llama, "plain  text <|pyth"),
        (CallFormat::Mistral, "[TOOL_CALLS][{\"name\": \"other\", \"arguments\": {}}]"),
        (CallFormat::Mistral, "[TOOL_CALLS]other[ARGS]{}"),
        (CallFormat::Mistral, "[TOOL_CALLS]weather[ARGS]{\"a\": "),
        (CallFormat::Mistral, "[TOOL_CALLS][]"),
        (CallFormat::Mistral, "a [TOOL_ é b"),
    ] {
        for size in 1..6 {
            let (events, _) = heard(written(format), &[], text, size);
            assert_eq!(texts(&events), text, "pieces of {size}");
            assert!(events.iter().all(|event| matches!(event, Event::Text(_))));
        }
    }
}

#[test]
fn a_template_tells_how_its_model_calls() {
    assert_eq!(CallFormat::of("{{ '<tool_call>\\n' }}{{ call | tojson }}"), CallFormat::Hermes);
    assert_eq!(CallFormat::of("{{ '[TOOL_CALLS] [' }}"), CallFormat::Mistral);
    assert_eq!(CallFormat::of("{{ '{\"name\": \"' + name + '\", ' }}{{ '\"parameters\": ' }}"), CallFormat::Llama);
    assert_eq!(CallFormat::of("{{ tools }}"), CallFormat::Hermes);
}
