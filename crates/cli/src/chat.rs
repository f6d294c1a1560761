//! `outcrop chat`: a conversation with a running server, by the same wire as every other client.

use std::io::{BufRead, IsTerminal, Write};

use outcrop_api::bedrock_runtime::{
    ContentBlock, ConversationRole, ConverseStreamRequest, InferenceConfiguration, Message, SystemContentBlock,
};

use crate::args;
use crate::client::{Client, Heard};

const HELP: &str = "  /new           begin a new conversation
  /system TEXT   set the instructions (and begin anew)
  /model ID      talk to another model
  /usage         show what the last answer took
  /quit          end (Ctrl-D does too)";

struct Talk {
    request: ConverseStreamRequest,
    usage: String,
}

/// Runs until the questions end.
pub async fn run(args: args::Chat) -> Result<(), String> {
    let client = Client::new(&args.url)?;
    let mut talk = Talk { request: request(&args), usage: "nothing was asked yet".into() };
    if let Some(question) = args.question {
        return talk.ask(&client, question).await;
    }
    let people = std::io::stdin().is_terminal();
    if people {
        println!("Talking to {} at {}. /help lists what else can be said.", talk.request.model_id, args.url);
    }
    loop {
        if people {
            print!("\n> ");
            std::io::stdout().flush().map_err(|e| e.to_string())?;
        }
        let Some(line) = read_line().await? else { return Ok(()) };
        match line.split_once(' ').map_or((line.as_str(), ""), |(word, rest)| (word, rest.trim())) {
            ("", _) => {}
            ("/help", _) => println!("{HELP}"),
            ("/quit" | "/exit", _) => return Ok(()),
            ("/new", _) => talk.request.messages = None,
            ("/system", text) => {
                talk.request.system = (!text.is_empty()).then(|| vec![SystemContentBlock::Text(text.into())]);
                talk.request.messages = None;
            }
            ("/model", id) if !id.is_empty() => id.clone_into(&mut talk.request.model_id),
            ("/usage", _) => println!("{}", talk.usage),
            (word, _) if word.starts_with('/') => println!("{word} is unknown here.\n{HELP}"),
            // What went wrong with one question does not end the conversation.
            _ => {
                if let Err(error) = talk.ask(&client, line).await {
                    if !people {
                        return Err(error);
                    }
                    eprintln!("{error}");
                }
            }
        }
    }
}

fn request(args: &args::Chat) -> ConverseStreamRequest {
    ConverseStreamRequest {
        model_id: args.model.clone(),
        system: args.system.clone().map(|text| vec![SystemContentBlock::Text(text)]),
        inference_config: Some(InferenceConfiguration {
            max_tokens: i32::try_from(args.max_tokens).ok(),
            temperature: args.temperature,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A line from standard input, off the runtime's threads.
async fn read_line() -> Result<Option<String>, String> {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|n| (n > 0).then(|| line.trim().to_owned()))
    });
    read.await.map_err(|e| e.to_string())?.map_err(|e| format!("standard input: {e}"))
}

impl Talk {
    /// Asks, prints the answer as it comes, and keeps both for the next question.
    async fn ask(&mut self, client: &Client, question: String) -> Result<(), String> {
        let said = Message { role: ConversationRole::User, content: vec![ContentBlock::Text(question)] };
        self.request.messages.get_or_insert_default().push(said);
        let mut answer = String::new();
        let result = client
            .converse_stream(&self.request, |heard| match heard {
                Heard::Text(text) => {
                    print!("{text}");
                    let _ = std::io::stdout().flush();
                    answer.push_str(text);
                }
                Heard::Usage(usage) => usage.clone_into(&mut self.usage),
            })
            .await;
        println!();
        let messages = self.request.messages.get_or_insert_default();
        if answer.trim().is_empty() || result.is_err() {
            // A question without an answer would make the next turn invalid.
            messages.pop();
        } else {
            messages.push(Message { role: ConversationRole::Assistant, content: vec![ContentBlock::Text(answer)] });
        }
        result
    }
}
