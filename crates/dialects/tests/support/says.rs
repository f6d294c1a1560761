//! What each chat dialect can say: one row, from which conversations are made.

use proptest::prelude::*;
use serde_json::{Value, json};

/// What the property tests know of a chat dialect.
#[derive(Clone, Copy)]
pub struct Says {
    pub name: &'static str,
    /// Where a chunk has its text.
    pub delta: &'static str,
    /// Members of `inferenceConfig`.
    pub config: &'static [&'static str],
    /// A system prompt.
    pub system: bool,
    /// More than one turn.
    pub turns: bool,
    /// A last turn of the assistant, which the model goes on with.
    pub begun: bool,
    /// Tools, their calls and results.
    pub tools: bool,
    /// A tool call that must be made.
    pub must_call: bool,
    /// Ids of tool calls; without them they are told apart by their place.
    pub ids: bool,
    /// Text beside a tool call or a result.
    pub text_with_tools: bool,
    /// Images.
    pub images: bool,
    /// Reasoning of earlier turns.
    pub reasoning: bool,
    /// The signature of reasoning.
    pub signature: bool,
    /// Cache points behind a text.
    pub cache: bool,
    /// Members of `additionalModelRequestFields`, as JSON.
    pub fields: &'static str,
}

/// A dialect that could say all of it.
pub const EVERYTHING: Says = Says {
    name: "",
    delta: "",
    config: &["maxTokens", "temperature", "topP", "stopSequences"],
    system: true,
    turns: true,
    begun: true,
    tools: true,
    must_call: true,
    ids: true,
    text_with_tools: true,
    images: true,
    reasoning: true,
    signature: true,
    cache: true,
    fields: "{}",
};

/// One that can say one user turn.
const PLAIN: Says = Says {
    system: false,
    turns: false,
    begun: false,
    tools: false,
    must_call: false,
    text_with_tools: false,
    images: false,
    reasoning: false,
    signature: false,
    cache: false,
    ..EVERYTHING
};

/// Chat completions.
const COMPLETIONS: Says =
    Says { delta: "/choices/0/delta/content", reasoning: false, signature: false, cache: false, ..EVERYTHING };

/// In the order of `NAMES`.
pub const CHATS: &[Says] = &[
    Says { name: "anthropic-messages", delta: "/delta/text", fields: r#"{"top_k": 5}"#, ..EVERYTHING },
    Says { name: "anthropic-api", delta: "/delta/text", fields: r#"{"top_k": 5}"#, ..EVERYTHING },
    Says {
        name: "anthropic-text",
        delta: "/completion",
        system: true,
        turns: true,
        begun: true,
        fields: r#"{"top_k": 5}"#,
        ..PLAIN
    },
    Says {
        name: "llama",
        delta: "/generation",
        config: &["maxTokens", "temperature", "topP"],
        system: true,
        turns: true,
        begun: true,
        ..PLAIN
    },
    Says {
        name: "deepseek",
        delta: "/choices/0/text",
        system: true,
        turns: true,
        begun: true,
        reasoning: true,
        ..PLAIN
    },
    Says {
        name: "nova",
        delta: "/contentBlockDelta/delta/text",
        fields: r#"{"inferenceConfig": {"topK": 20}, "reasoningConfig": {"type": "disabled"}}"#,
        ..EVERYTHING
    },
    Says { name: "titan-text", delta: "/outputText", ..PLAIN },
    Says { name: "openai-chat", reasoning: true, fields: r#"{"seed": 5}"#, ..COMPLETIONS },
    Says { name: "openai-api", reasoning: true, fields: r#"{"seed": 5}"#, ..COMPLETIONS },
    Says {
        name: "openai-responses",
        delta: "/delta",
        config: &["maxTokens", "temperature", "topP"],
        cache: false,
        fields: r#"{"user": "u"}"#,
        ..EVERYTHING
    },
    Says { name: "qwen", reasoning: true, fields: r#"{"top_k": 5}"#, ..COMPLETIONS },
    Says { name: "mistral-text", delta: "/outputs/0/text", turns: true, begun: true, ..PLAIN },
    Says { name: "mistral-chat", delta: "/choices/0/message/content", ..COMPLETIONS },
    Says { name: "jamba", images: false, fields: r#"{"presence_penalty": 0.5}"#, ..COMPLETIONS },
    Says { name: "writer", fields: r#"{"min_tokens": 2}"#, ..COMPLETIONS },
    Says {
        name: "cohere-command",
        delta: "/text",
        config: &["maxTokens", "temperature", "stopSequences"],
        fields: r#"{"k": 5}"#,
        ..PLAIN
    },
    Says {
        name: "command-r",
        delta: "/text",
        config: &["maxTokens", "temperature", "stopSequences"],
        system: true,
        turns: true,
        tools: true,
        ids: false,
        text_with_tools: true,
        fields: r#"{"k": 5}"#,
        ..PLAIN
    },
];

fn words() -> impl Strategy<Value = String> {
    r"\S([\S\s]{0,12}\S)?"
}

impl Says {
    /// A `ConverseRequest` as JSON.
    pub fn conversation(&self) -> BoxedStrategy<Value> {
        let says = *self;
        let rounds = if says.turns { 0..3usize } else { 0..1 };
        let config = (1..2000u32, 0..=4u8, 0..=4u8, prop::collection::vec("[a-z#]{1,3}", 1..3));
        (
            prop::collection::vec(says.round(), rounds),
            says.user(),
            prop::option::of(words()),
            prop::option::of(words()),
            config,
            any::<[bool; 5]>(),
        )
            .prop_map(move |(rounds, last, begun, system, (max, temperature, top_p, stops), keep)| {
                let mut messages: Vec<Value> = rounds.into_iter().flatten().collect();
                let called = messages.iter().any(|m| m.to_string().contains("toolUseId"));
                messages.push(last);
                if let (true, Some(begun)) = (says.begun, begun) {
                    messages.push(json!({"role": "assistant", "content": [{"text": begun}]}));
                }
                let all = json!({
                    "maxTokens": max, "temperature": f64::from(temperature) / 4.0, "topP": f64::from(top_p) / 4.0,
                    "stopSequences": stops,
                });
                let mut config = json!({"maxTokens": max});
                for (key, keep) in says.config.iter().zip(keep) {
                    if keep {
                        config[*key] = all[*key].clone();
                    }
                }
                let mut out = json!({"messages": messages, "inferenceConfig": config});
                if let (true, Some(system)) = (says.system, system) {
                    out["system"] = json!([{"text": system}]);
                }
                if says.tools && (called || keep[4]) {
                    out["toolConfig"] = json!({"tools": [{"toolSpec": {
                        "name": "tide", "description": "Tide at a port.",
                        "inputSchema": {"json": {"type": "object", "properties": {"port": {"type": "string"}}}},
                    }}]});
                    if says.must_call && keep[3] {
                        out["toolConfig"]["toolChoice"] = json!({"any": {}});
                    }
                }
                let fields: Value = serde_json::from_str(says.fields).unwrap();
                if keep[0] && fields.as_object().is_some_and(|o| !o.is_empty()) {
                    out["additionalModelRequestFields"] = fields;
                }
                out
            })
            .boxed()
    }

    fn user(self) -> impl Strategy<Value = Value> {
        (words(), any::<bool>(), any::<bool>()).prop_map(move |(text, image, point)| {
            let mut content = vec![json!({"text": text})];
            if self.cache && point {
                content.push(json!({"cachePoint": {"type": "default"}}));
            }
            if self.images && image {
                content.push(json!({"image": {"format": "png", "source": {"bytes": "aGk="}}}));
            }
            json!({"role": "user", "content": content})
        })
    }

    /// The user's turn and the answer to it, with a tool call between them or without.
    fn round(self) -> impl Strategy<Value = Vec<Value>> {
        let call = prop::option::of((prop::collection::btree_map("[a-z]{1,4}", words(), 0..3), words(), 1..3usize));
        (self.user(), words(), prop::option::of(words()), call, any::<[bool; 3]>()).prop_map(
            move |(user, answer, thought, call, flags)| {
                let mut out = vec![user];
                if let (true, Some((input, result, calls))) = (self.tools, call) {
                    let mut uses = Vec::new();
                    let mut results = Vec::new();
                    for i in 0..calls {
                        let id = format!("tooluse_{i}");
                        uses.push(json!({"toolUse": {"toolUseId": id, "name": "tide", "input": input}}));
                        results.push(json!({"toolResult": {"toolUseId": id, "content": [{"text": result}]}}));
                    }
                    if self.text_with_tools && flags[0] {
                        uses.insert(0, json!({"text": "I look it up."}));
                    }
                    if self.text_with_tools && flags[1] {
                        results.push(json!({"text": "So?"}));
                    }
                    out.push(json!({"role": "assistant", "content": uses}));
                    out.push(json!({"role": "user", "content": results}));
                }
                let mut content = vec![json!({"text": answer})];
                if let (true, Some(thought)) = (self.reasoning, thought) {
                    let mut reasoning = json!({"text": thought});
                    if self.signature && flags[2] {
                        reasoning["signature"] = json!("c2ln");
                    }
                    content.insert(0, json!({"reasoningContent": {"reasoningText": reasoning}}));
                }
                out.push(json!({"role": "assistant", "content": content}));
                out
            },
        )
    }
}

/// The parts of a request by their JSON pointer, cut so that defaults may stand beside them.
pub fn parts(said: &Value) -> Vec<(String, Value)> {
    let mut out = Vec::new();
    for (key, value) in said.as_object().unwrap() {
        match value {
            Value::Object(below) => {
                out.extend(below.iter().map(|(member, value)| (format!("/{key}/{member}"), value.clone())));
            }
            value => out.push((format!("/{key}"), value.clone())),
        }
    }
    out
}

/// The same with the ids of tool calls replaced by their places.
pub fn without_ids(mut said: Value) -> Value {
    let mut ids = std::collections::HashMap::new();
    let mut next = 0;
    for message in said["messages"].as_array_mut().into_iter().flatten() {
        for block in message["content"].as_array_mut().into_iter().flatten() {
            if let Some(id) = block.pointer_mut("/toolUse/toolUseId") {
                ids.insert(id.to_string(), next);
                *id = next.into();
                next += 1;
            }
            if let Some(id) = block.pointer_mut("/toolResult/toolUseId") {
                *id = json!(ids.get(&id.to_string()));
            }
        }
    }
    said
}
