//! The turns of a body: `chat_history`, and the calls and results of tools wherever they stand.

use crate::DialectError;
use crate::body::Node;
use outcrop_api::bedrock_runtime::*;

type Result<T> = std::result::Result<T, DialectError>;

pub(super) fn read(list: &Node) -> Result<Vec<Message>> {
    let mut turns: Vec<Message> = Vec::new();
    for item in list.array()? {
        let text = |item: &Node| -> Result<ContentBlock> {
            Ok(ContentBlock::Text(item.required("message")?.string()?.to_owned()))
        };
        match item.required("role")?.one_of(&["USER", "CHATBOT", "SYSTEM", "TOOL"])? {
            "USER" => {
                item.only(&["role", "message"])?;
                say(&mut turns, vec![text(&item)?]);
            }
            "SYSTEM" => {
                item.only(&["role", "message"])?;
                turns.push(Message { role: ConversationRole::System, content: vec![text(&item)?] });
            }
            "CHATBOT" => {
                item.only(&["role", "message", "tool_calls"])?;
                let at = turns.len();
                let mut content = Vec::new();
                let calls = item.get("tool_calls")?.map(|c| c.array()).transpose()?.unwrap_or_default();
                if calls.is_empty() || item.get("message")?.is_some_and(|m| m.value != "") {
                    content.push(text(&item)?);
                }
                for (i, node) in calls.iter().enumerate() {
                    content.push(ContentBlock::ToolUse(tool_call(node, at, i)?));
                }
                turns.push(Message { role: ConversationRole::Assistant, content });
            }
            _ => {
                item.only(&["role", "message", "tool_results"])?;
                answer(&mut turns, &item.required("tool_results")?)?;
            }
        }
    }
    Ok(turns)
}

/// Adds what the user says; behind tool results it belongs to their turn, because Converse has one for both.
pub(super) fn say(turns: &mut Vec<Message>, said: Vec<ContentBlock>) {
    let nothing = |block: &ContentBlock| matches!(block, ContentBlock::Text(text) if text.is_empty());
    match turns.last_mut() {
        _ if said.is_empty() => {}
        Some(last) if answers(last) => last.content.extend(said.into_iter().filter(|block| !nothing(block))),
        _ => turns.push(Message { role: ConversationRole::User, content: said }),
    }
}

/// Whether `turn` is tool results alone.
pub(super) fn answers(turn: &Message) -> bool {
    turn.role == ConversationRole::User && turn.content.iter().all(|b| matches!(b, ContentBlock::ToolResult(_)))
}

fn tool_call(node: &Node, turn: usize, n: usize) -> Result<ToolUseBlock> {
    node.only(&["name", "parameters", "generation_id"])?;
    let parameters = node.required("parameters")?;
    parameters.object()?;
    Ok(ToolUseBlock {
        tool_use_id: format!("call_{turn}_{n}"),
        name: node.required("name")?.text(1, 64)?.to_owned(),
        input: parameters.value.clone(),
        r#type: None,
    })
}

/// Adds the turn of the model that made the calls which `results` answer.
pub(super) fn call(turns: &mut Vec<Message>, results: &Node) -> Result<()> {
    let mut content = Vec::new();
    for (i, result) in results.items(1, usize::MAX)?.iter().enumerate() {
        content.push(ContentBlock::ToolUse(tool_call(&result.required("call")?, turns.len(), i)?));
    }
    turns.push(Message { role: ConversationRole::Assistant, content });
    Ok(())
}

/// Adds `results`, each to the first call of the last turn that it repeats and that has no result yet.
pub(super) fn answer(turns: &mut Vec<Message>, results: &Node) -> Result<()> {
    let mut open: Vec<&ToolUseBlock> = Vec::new();
    for block in turns.last().filter(|t| t.role == ConversationRole::Assistant).iter().flat_map(|t| &t.content) {
        if let ContentBlock::ToolUse(call) = block {
            open.push(call);
        }
    }
    let mut content = Vec::new();
    for result in results.items(1, usize::MAX)? {
        result.only(&["call", "outputs"])?;
        let node = result.required("call")?;
        let call = tool_call(&node, 0, 0)?;
        let Some(found) = open.iter().position(|c| c.name == call.name && c.input == call.input) else {
            return Err(node.refuse("repeats no call of the CHATBOT turn before it"));
        };
        let mut outputs = Vec::new();
        for output in result.required("outputs")?.array()? {
            let members = output.object()?;
            outputs.push(match members.get("text") {
                Some(serde_json::Value::String(text)) if members.len() == 1 => {
                    ToolResultContentBlock::Text(text.clone())
                }
                _ => ToolResultContentBlock::Json(output.value.clone()),
            });
        }
        content.push(ContentBlock::ToolResult(ToolResultBlock {
            tool_use_id: open.remove(found).tool_use_id.clone(),
            content: outputs,
            status: None,
            r#type: None,
        }));
    }
    turns.push(Message { role: ConversationRole::User, content });
    Ok(())
}
