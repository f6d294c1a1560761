use serde_json::json;

use super::*;
use crate::chat::{ChatMessage, Part, Role, Tool};

/// The template in SmolLM2's model file.
const SMOLLM2: &str = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

fn template(source: &str) -> ChatTemplate {
    ChatTemplate::new(Some(source), "<s>".into(), "</s>".into()).unwrap()
}

fn said(role: Role, text: &str) -> ChatMessage {
    ChatMessage { role, parts: vec![Part::Text(text.into())] }
}

fn chat(messages: Vec<ChatMessage>) -> Chat {
    Chat { messages, ..Chat::default() }
}

fn weather() -> Tool {
    Tool {
        name: "weather".into(),
        description: "Tells the weather.".into(),
        schema: json!({"type": "object", "properties": {"city": {"type": "string"}}}),
    }
}

#[test]
fn a_question_becomes_the_prompt_transformers_makes() {
    let prompt = template(SMOLLM2).prompt(&chat(vec![said(Role::User, "Hi")])).unwrap();
    assert_eq!(
        prompt,
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n\
         <|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    );
}

#[test]
fn blocks_are_trimmed_as_transformers_trims_them() {
    let source = "{{ bos_token }}\n{%- for m in messages %}\n    {% if m.role == 'user' %}\n[INST]{{ m.content | trim }}[/INST]\n    {% endif %}\n{% endfor %}";
    let prompt = template(source).prompt(&chat(vec![said(Role::User, "  a ")])).unwrap();
    assert_eq!(prompt, "<s>[INST]a[/INST]\n");
}

#[test]
fn python_methods_and_json_are_pythons() {
    let source = "{{ messages[0].content.strip().split(' ')[1] }} {{ tools | tojson }}";
    let mut asked = chat(vec![said(Role::User, " a b<c ")]);
    asked.tools.push(Tool { name: "t".into(), description: "<é>".into(), schema: json!({}) });
    assert_eq!(
        template(source).prompt(&asked).unwrap(),
        "b<c [{\"type\": \"function\", \"function\": {\"name\": \"t\", \"description\": \"<é>\", \"parameters\": {}}}]"
    );
}

#[test]
fn an_indented_json_is_indented() {
    let source = "{{ tools | tojson(indent=2) }}";
    let mut asked = chat(vec![]);
    asked.tools.push(Tool { name: "t".into(), description: String::new(), schema: json!({}) });
    assert!(template(source).history(&asked).unwrap().starts_with("[\n  {\n    \"type\": \"function\","));
}

#[test]
fn tools_are_described_to_a_template_that_knows_none() {
    let mut asked = chat(vec![said(Role::System, "Be brief."), said(Role::User, "Rain?")]);
    asked.tools.push(weather());
    asked.messages.push(ChatMessage {
        role: Role::Assistant,
        parts: vec![Part::ToolCall { id: "1".into(), name: "weather".into(), arguments: json!({"city": "Oslo"}) }],
    });
    asked.messages.push(ChatMessage {
        role: Role::User,
        parts: vec![Part::ToolResult { id: "1".into(), name: None, content: "wet".into(), is_error: false }],
    });
    let prompt = template(SMOLLM2).prompt(&asked).unwrap();
    assert!(prompt.starts_with("<|im_start|>system\nBe brief.\n\n# Tools\n"), "{prompt}");
    assert!(prompt.contains("{\"type\": \"function\", \"function\": {\"name\": \"weather\""), "{prompt}");
    assert!(prompt.contains("assistant\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call><|im_end|>"), "{prompt}");
    assert!(prompt.contains("user\n<tool_response>\nwet\n</tool_response><|im_end|>"), "{prompt}");
}

#[test]
fn a_template_that_knows_tools_gets_them_as_values() {
    let source = "{% for t in tools %}{{ t.function.name }};{% endfor %}{% for m in messages %}{{ m.role }}:{{ m.content }}\
                  {% for c in m.tool_calls %}{{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %}{{ m.name }}|{% endfor %}";
    let mut asked = chat(vec![said(Role::User, "Rain?")]);
    asked.tools.push(weather());
    asked.messages.push(ChatMessage {
        role: Role::Assistant,
        parts: vec![Part::ToolCall { id: "1".into(), name: "weather".into(), arguments: json!({"city": "Oslo"}) }],
    });
    asked.messages.push(ChatMessage {
        role: Role::User,
        parts: vec![
            Part::ToolResult { id: "1".into(), name: None, content: "wet".into(), is_error: true },
            Part::Text("so?".into()),
        ],
    });
    assert_eq!(
        template(source).prompt(&asked).unwrap(),
        "weather;user:Rain?|assistant:weather({\"city\": \"Oslo\"})|tool:Error: wetweather|user:so?|"
    );
}

#[test]
fn a_refused_system_turn_is_folded_into_the_users() {
    let source = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{{ messages[0].content }}";
    let asked = chat(vec![said(Role::System, "Be brief."), said(Role::User, "Hi")]);
    assert_eq!(template(source).prompt(&asked).unwrap(), "Be brief.\n\nHi");
}

#[test]
fn a_refusal_that_stands_is_told_in_the_templates_words() {
    let refused = template("{{ raise_exception('only poems') }}").prompt(&chat(vec![said(Role::User, "Hi")]));
    assert_eq!(refused.unwrap_err(), "only poems");
}

#[test]
fn a_begun_answer_is_continued() {
    let prompt =
        template(SMOLLM2).prompt(&chat(vec![said(Role::User, "Count."), said(Role::Assistant, "1, 2, ")])).unwrap();
    assert!(prompt.ends_with("<|im_start|>user\nCount.<|im_end|>\n<|im_start|>assistant\n1, 2,"), "{prompt}");
}

#[test]
fn training_marks_do_not_disturb() {
    let source = "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}";
    assert_eq!(template(source).prompt(&chat(vec![said(Role::User, "Hi")])).unwrap(), "Hi");
}

#[test]
fn without_a_template_there_is_chatml() {
    let template = ChatTemplate::new(None, String::new(), String::new()).unwrap();
    let prompt = template.prompt(&chat(vec![said(Role::User, "Hi")])).unwrap();
    assert_eq!(prompt, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

#[test]
fn a_broken_template_is_an_error() {
    assert!(ChatTemplate::new(Some("{% for %}"), String::new(), String::new()).is_err());
}
