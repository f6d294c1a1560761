use super::*;
use outcrop_api::AwsError;
use outcrop_api::bedrock_runtime::*;
use serde_json::json;

fn paths(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|p| (*p).to_owned()).collect()
}

#[test]
fn pointers_keep_what_they_find_under_its_own_path() {
    let fields =
        json!({"stop_sequence": "x", "delta": {"a": 1, "b": 2}, "list": [{"n": 1}, {"n": 2}], "a/b": {"~": 3}});
    assert_eq!(prune(&paths(&["/stop_sequence"]), &fields), Some(json!({"stop_sequence": "x"})));
    assert_eq!(
        prune(&paths(&["/delta/b", "/list/1/n"]), &fields),
        Some(json!({"delta": {"b": 2}, "list": {"1": {"n": 2}}}))
    );
    assert_eq!(prune(&paths(&["/a~1b/~0"]), &fields), Some(json!({"a/b": {"~": 3}})));
    assert_eq!(prune(&paths(&["/delta", "/delta/a"]), &fields), Some(json!({"delta": {"a": 1, "b": 2}})));
    assert_eq!(prune(&paths(&[""]), &fields), Some(fields));
}

#[test]
fn a_pointer_that_finds_nothing_is_silence() {
    let fields = json!({"list": [1], "text": "x"});
    for path in ["/delta/stop_sequence", "/list/1", "/list/01", "/list/-", "/text/0", "/"] {
        assert!(check_paths(&paths(&[path])).is_ok());
        assert_eq!(prune(&paths(&[path]), &fields), None, "{path}");
    }
    assert_eq!(prune(&[], &fields), None);
}

#[test]
fn what_is_no_pointer_is_refused() {
    for path in ["", "stop_sequence", "/a~", "/a~2b", "#/a"] {
        let error = check_paths(&paths(&["/fine", path])).unwrap_err();
        assert_eq!(error.kind(), outcrop_api::Kind::Validation);
        assert_eq!(
            error.message(),
            format!(
                "The value '{path}' at additionalModelResponseFieldPaths.1 is not a valid JSON Pointer. Provide a JSON Pointer such as /stop_sequence, and try again."
            )
        );
    }
}

fn ended() -> [ConverseStreamOutput; 2] {
    let stop = MessageStopEvent { stop_reason: StopReason::ToolUse, ..Default::default() };
    let usage = TokenUsage { input_tokens: 3, output_tokens: 2, total_tokens: 5, ..Default::default() };
    let metadata =
        ConverseStreamMetadataEvent { usage, metrics: ConverseStreamMetrics { latency_ms: 7 }, ..Default::default() };
    [ConverseStreamOutput::MessageStop(stop), ConverseStreamOutput::Metadata(metadata)]
}

fn written(answer: &ConverseResponse) -> String {
    String::from_utf8(outcrop_wire::encode::body(answer, Vec::new())).unwrap()
}

fn folded(events: impl IntoIterator<Item = ConverseStreamOutput>) -> (Vec<ContentBlock>, ConverseResponse) {
    let mut fold = Fold::new();
    events.into_iter().chain(ended()).for_each(|event| fold.push(event));
    let answer = fold.finish().unwrap();
    // Whatever was folded can be told again and folds to the same.
    let mut again = Fold::new();
    unfold(answer.clone()).into_iter().for_each(|event| again.push(event));
    assert_eq!(written(&again.finish().unwrap()), written(&answer));
    let ConverseOutput::Message(message) = &answer.output else { panic!() };
    (message.content.clone(), answer)
}

fn start(index: i32, start: ContentBlockStart) -> ConverseStreamOutput {
    ConverseStreamOutput::ContentBlockStart(ContentBlockStartEvent { start, content_block_index: index })
}

fn delta(index: i32, delta: ContentBlockDelta) -> ConverseStreamOutput {
    ConverseStreamOutput::ContentBlockDelta(ContentBlockDeltaEvent { delta, content_block_index: index })
}

fn tool(fragments: &[&str]) -> serde_json::Value {
    let tool = ToolUseBlockStart { tool_use_id: "t".to_owned(), name: "n".to_owned(), ..Default::default() };
    let mut events = vec![start(0, ContentBlockStart::ToolUse(tool))];
    for fragment in fragments {
        events.push(delta(0, ContentBlockDelta::ToolUse(ToolUseBlockDelta { input: (*fragment).to_owned() })));
    }
    match folded(events).0.pop() {
        Some(ContentBlock::ToolUse(tool)) => tool.input,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tool_input_is_the_object_that_its_fragments_make() {
    assert_eq!(tool(&["{\"a\":", "[1,2", "]}"]), json!({"a": [1, 2]}));
    assert_eq!(tool(&[]), json!({}));
    assert_eq!(tool(&["", "{}"]), json!({}));
    assert_eq!(tool(&["null"]), json!({}));
}

/// Arguments that are no object must not look like a call without any; what was cut off says so by its stop reason.
#[test]
fn broken_arguments_are_no_call_without_arguments() {
    for fragments in ["{\"a\": \"b", "[1]", "\"a\"", "tide(Brest)"] {
        let ends = |reason: StopReason| {
            let tool = ToolUseBlockStart { tool_use_id: "t".to_owned(), name: "tide".to_owned(), ..Default::default() };
            let input = ToolUseBlockDelta { input: fragments.to_owned() };
            let [_, metadata] = ended();
            let stop = MessageStopEvent { stop_reason: reason, ..Default::default() };
            let mut fold = Fold::new();
            fold.push(start(0, ContentBlockStart::ToolUse(tool)));
            fold.push(delta(0, ContentBlockDelta::ToolUse(input)));
            fold.push(ConverseStreamOutput::MessageStop(stop));
            fold.push(metadata);
            let answer = fold.finish().unwrap();
            let ConverseOutput::Message(message) = answer.output else { panic!() };
            (message.content.len(), answer.stop_reason)
        };
        for reason in [StopReason::ToolUse, StopReason::EndTurn] {
            assert_eq!(ends(reason), (0, StopReason::MalformedToolUse), "{fragments}");
        }
        for reason in [StopReason::MaxTokens, StopReason::ContentFiltered] {
            assert_eq!(ends(reason.clone()), (1, reason), "{fragments}");
        }
    }
}

#[test]
fn an_answer_carries_role_usage_and_latency() {
    let (content, answer) =
        folded([delta(1, ContentBlockDelta::Text("b".into())), delta(0, ContentBlockDelta::Text("a".into()))]);
    assert!(matches!(&content[..], [ContentBlock::Text(a), ContentBlock::Text(b)] if a == "a" && b == "b"));
    assert_eq!((answer.usage.total_tokens, answer.metrics.latency_ms), (5, 7));
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    assert_eq!(text(&answer), "ab");
}

#[test]
fn results_and_images_of_the_provider_are_put_together() {
    let result = ToolResultBlockStart { tool_use_id: "t".to_owned(), ..Default::default() };
    let image = ImageBlockDelta { source: Some(ImageSource::Bytes(bytes::Bytes::from_static(b"hi"))), error: None };
    let said = |text: &str| ContentBlockDelta::ToolResult(vec![ToolResultBlockDelta::Text(text.to_owned())]);
    let (content, _) = folded([
        start(0, ContentBlockStart::ToolResult(result)),
        delta(0, said("no")),
        delta(0, said("on")),
        delta(0, ContentBlockDelta::ToolResult(vec![ToolResultBlockDelta::Json(json!({"a": 1}))])),
        start(1, ContentBlockStart::Image(ImageBlockStart { format: ImageFormat::Png })),
        delta(1, ContentBlockDelta::Image(image.clone())),
        delta(1, ContentBlockDelta::Image(image)),
    ]);
    let [ContentBlock::ToolResult(result), ContentBlock::Image(image)] = &content[..] else { panic!("{content:?}") };
    assert!(
        matches!(&result.content[..], [ToolResultContentBlock::Text(t), ToolResultContentBlock::Json(_)] if t == "noon")
    );
    assert!(matches!(&image.source, ImageSource::Bytes(b) if b == "hihi"));
}

#[test]
fn what_stopped_short_is_no_answer() {
    let [stop, metadata] = ended();
    for events in [vec![], vec![stop], vec![metadata]] {
        let mut fold = Fold::new();
        events.into_iter().for_each(|event| fold.push(event));
        let error = fold.finish().unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (outcrop_api::Kind::ModelError, "The model's answer ended before it was complete.")
        );
    }
}

#[test]
fn a_delta_without_its_block_is_left_out() {
    let stray = delta(3, ContentBlockDelta::ToolUse(ToolUseBlockDelta { input: "{".to_owned() }));
    let (content, _) = folded([stray, delta(0, ContentBlockDelta::Text(String::new()))]);
    assert!(content.is_empty(), "{content:?}");
}
