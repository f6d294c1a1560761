//! The order of roles.

use super::{Check, Family, refuse};
use outcrop_api::bedrock_runtime::{ConversationRole, Message};

pub(super) fn check(messages: &[Message], family: &Family) -> Check {
    // The `system` role stands between turns and is none.
    let mut turns = messages.iter().filter(|m| m.role != ConversationRole::System);
    let first = turns.next();
    if first.is_none_or(|m| family.starts_with_user && m.role != ConversationRole::User) {
        return refuse(
            "A conversation must start with a user message. Try again with a conversation that starts with a user \
             message.",
        );
    }
    if family.single_turn && turns.clone().next().is_some() {
        return refuse(
            "This model doesn't support conversation history. Try again with input that only includes one user \
             message.",
        );
    }
    if family.alternates {
        let mut role = first.map(|m| &m.role);
        for message in turns {
            if role == Some(&message.role) {
                return refuse(
                    "A conversation must alternate between user and assistant roles. Make sure the conversation \
                     alternates between user and assistant roles and try again.",
                );
            }
            role = Some(&message.role);
        }
    }
    Ok(())
}
