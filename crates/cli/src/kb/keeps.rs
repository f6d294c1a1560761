//! How documents are cut and embedded; what a knowledge base that exists keeps of it. Options that say otherwise are refused.

use serde_json::{Value, json};

use crate::args::{self, Chunking};
use crate::client::Client;
use crate::kb::eval::arn;
use crate::kb::find::Found;

/// The most tokens of a chunk, where nobody says.
const TOKENS: u32 = 300;
/// What a chunk shares with the next, in percent, where nobody says.
const OVERLAP: u32 = 20;

/// Refuses another model or role than a knowledge base has.
pub async fn base(client: &Client, args: &args::KbAdd, kb: &Found) -> Result<(), String> {
    if args.embedding_model.is_none() && args.role.is_none() {
        return Ok(());
    }
    let found = client.json("GET", &client.path(&["knowledgebases", &kb.id]), &Value::Null).await?;
    let found = &found["knowledgeBase"];
    let vector = &found["knowledgeBaseConfiguration"]["vectorKnowledgeBaseConfiguration"];
    let model = args.embedding_model.as_deref().map(|model| json!(arn(model, client.region())));
    same(&kb.name, "--embedding-model", &vector["embeddingModelArn"], model)?;
    same(&kb.name, "--role", &found["roleArn"], args.role.as_ref().map(|role| json!(role)))
}

/// Refuses another chunking than a data source of the knowledge base `kb` has.
pub fn source(args: &args::KbAdd, known: &Value, kb: &str) -> Result<(), String> {
    let given = args.chunking.is_some() || args.max_tokens.is_some() || args.overlap.is_some();
    let kept = &known["vectorIngestionConfiguration"]["chunkingConfiguration"];
    same(kb, "--chunking, --max-tokens and --overlap", kept, given.then(|| chunking(args)))
}

/// `kept` is what there is, `asked` what is asked for, if that is.
fn same(kb: &str, options: &str, kept: &Value, asked: Option<Value>) -> Result<(), String> {
    if asked.is_none_or(|asked| asked == *kept) {
        return Ok(());
    }
    let kept = kept.as_str().map_or_else(|| kept.to_string(), str::to_owned);
    Err(format!(
        "{kb} exists, and keeps what it was made with ({kept}): leave {options} out, or make another knowledge base with \
         --name"
    ))
}

/// How documents are to be cut.
pub fn chunking(args: &args::KbAdd) -> Value {
    let most = args.max_tokens.unwrap_or(TOKENS);
    match args.chunking.unwrap_or(Chunking::Fixed) {
        Chunking::Fixed => json!({"chunkingStrategy": "FIXED_SIZE", "fixedSizeChunkingConfiguration":
            {"maxTokens": most, "overlapPercentage": args.overlap.unwrap_or(OVERLAP)}}),
        // Parents of five children.
        Chunking::Hierarchical => json!({"chunkingStrategy": "HIERARCHICAL", "hierarchicalChunkingConfiguration":
            {"levelConfigurations": [{"maxTokens": (most * 5).min(8192)}, {"maxTokens": most}], "overlapTokens": most / 5}}),
        Chunking::Semantic => json!({"chunkingStrategy": "SEMANTIC", "semanticChunkingConfiguration":
            {"maxTokens": most, "bufferSize": 1, "breakpointPercentileThreshold": 95}}),
        Chunking::None => json!({"chunkingStrategy": "NONE"}),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn added(options: &str) -> args::KbAdd {
        let line = format!("outcrop kb add . {options}");
        let cli = args::Cli::try_parse_from(line.split_whitespace()).unwrap();
        match cli.command {
            args::Command::Kb(args::Kb::Add { add, .. }) => add,
            _ => unreachable!(),
        }
    }

    #[test]
    fn what_exists_is_cut_as_it_was() {
        let known = json!({"vectorIngestionConfiguration": {"chunkingConfiguration": chunking(&added(""))}});
        for same in ["", "--chunking fixed", "--max-tokens 300", "--chunking fixed --max-tokens 300 --overlap 20"] {
            assert_eq!(source(&added(same), &known, "docs"), Ok(()), "{same}");
        }
        for other in ["--chunking semantic", "--max-tokens 200", "--overlap 10"] {
            let refused = source(&added(other), &known, "docs").unwrap_err();
            assert!(refused.contains("docs exists") && refused.contains("leave --chunking"), "{refused}");
        }
    }
}
