//! What is tried.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::args::{self, Mode};

/// One way to ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// numberOfResults.
    pub results: u32,
    /// overrideSearchType.
    pub mode: Option<Mode>,
    /// The model that answers; none asks for passages alone.
    pub model: Option<String>,
    /// The model that ranks anew.
    pub rerank: Option<String>,
}

/// Who answers for models that are not there themselves, by the models' names.
pub type Served = HashMap<String, String>;

/// One way to cut documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// As it was written: `fixed:300:20`.
    pub label: String,
    /// The `chunkingConfiguration`.
    pub configuration: Value,
}

/// All combinations.
pub fn of(args: &args::KbEval) -> Vec<Setting> {
    let some = |list: &[String]| match list.is_empty() {
        true => vec![None],
        false => list.iter().map(|one| (one != "none").then(|| one.clone())).collect(),
    };
    let modes = if args.modes.is_empty() { vec![None] } else { args.modes.iter().copied().map(Some).collect() };
    let mut all = Vec::new();
    for model in some(&args.models) {
        for rerank in some(&args.rerank) {
            for mode in &modes {
                for results in &args.results {
                    let (model, rerank) = (model.clone(), rerank.clone());
                    all.push(Setting { results: *results, mode: *mode, model, rerank });
                }
            }
        }
    }
    all
}

/// The chunkings to copy the knowledge base with; none of them where it is taken as it is.
pub fn chunkings(args: &args::KbEval) -> Result<Vec<Option<Cut>>, String> {
    if args.chunkings.is_empty() {
        return Ok(vec![None]);
    }
    args.chunkings.iter().map(|text| cut(text).map(Some)).collect()
}

/// Reads `fixed:300:20`, `hierarchical:1500:300:60`, `semantic:300:95`, `none`.
fn cut(text: &str) -> Result<Cut, String> {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default();
    let numbers: Result<Vec<u32>, _> = parts.map(str::parse).collect();
    let bad = || {
        format!(
            "{text}: a chunking is fixed:TOKENS:OVERLAP_PERCENT, hierarchical:PARENT:CHILD:OVERLAP, \
             semantic:TOKENS:PERCENTILE or none"
        )
    };
    let configuration = match (name, numbers.map_err(|_| bad())?.as_slice()) {
        ("fixed", [tokens, overlap]) => json!({"chunkingStrategy": "FIXED_SIZE",
            "fixedSizeChunkingConfiguration": {"maxTokens": tokens, "overlapPercentage": overlap}}),
        ("hierarchical", [parent, child, overlap]) => json!({"chunkingStrategy": "HIERARCHICAL",
            "hierarchicalChunkingConfiguration":
                {"levelConfigurations": [{"maxTokens": parent}, {"maxTokens": child}], "overlapTokens": overlap}}),
        ("semantic", [tokens, percentile]) => json!({"chunkingStrategy": "SEMANTIC", "semanticChunkingConfiguration":
            {"maxTokens": tokens, "bufferSize": 1, "breakpointPercentileThreshold": percentile}}),
        ("none", []) => json!({"chunkingStrategy": "NONE"}),
        _ => return Err(bad()),
    };
    Ok(Cut { label: text.to_owned(), configuration })
}

impl Setting {
    /// As a table names it; `served` says which models others stand in for, by what was typed.
    pub fn label(&self, served: &Served) -> String {
        let model = |model: &String| match served.get(model) {
            Some(by) => format!("{} (served by {by})", short(model)),
            None => short(model).to_owned(),
        };
        let mut label = format!("n={}", self.results);
        if let Some(mode) = self.mode {
            label += if mode == Mode::Hybrid { " hybrid" } else { " semantic" };
        }
        if let Some(rerank) = &self.rerank {
            label += &format!(" rerank={}", model(rerank));
        }
        if let Some(writes) = &self.model {
            label += &format!(" {}", model(writes));
        }
        label
    }

    /// The `retrievalConfiguration`.
    pub fn configuration(&self, region: &str) -> Value {
        let mut search = json!({"numberOfResults": self.results});
        if let Some(mode) = self.mode {
            search["overrideSearchType"] = if mode == Mode::Hybrid { "HYBRID".into() } else { "SEMANTIC".into() };
        }
        if let Some(rerank) = &self.rerank {
            search["rerankingConfiguration"] = json!({"type": "BEDROCK_RERANKING_MODEL",
                "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": arn(rerank, region)}}});
        }
        json!({"vectorSearchConfiguration": search})
    }
}

/// A model's ARN.
pub fn arn(model: &str, region: &str) -> String {
    match model.starts_with("arn:") {
        true => model.to_owned(),
        false => format!("arn:aws:bedrock:{region}::foundation-model/{model}"),
    }
}

fn short(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunkings_are_read() {
        let fixed = cut("fixed:300:20").unwrap().configuration;
        assert_eq!(fixed["fixedSizeChunkingConfiguration"]["maxTokens"], 300);
        let levels = cut("hierarchical:1500:300:60").unwrap().configuration;
        assert_eq!(levels["hierarchicalChunkingConfiguration"]["levelConfigurations"][1]["maxTokens"], 300);
        assert_eq!(cut("none").unwrap().configuration["chunkingStrategy"], "NONE");
        for bad in ["fixed", "fixed:a:b", "semantic:300", "big:1:2"] {
            assert!(cut(bad).unwrap_err().contains("a chunking is"), "{bad}");
        }
    }

    #[test]
    fn a_setting_names_itself() {
        let setting = Setting {
            results: 5,
            mode: Some(Mode::Hybrid),
            model: Some("arn:aws:bedrock:us-east-1::foundation-model/m".into()),
            rerank: Some("amazon.rerank-v1:0".into()),
        };
        assert_eq!(setting.label(&Served::new()), "n=5 hybrid rerank=amazon.rerank-v1:0 m");
        let served = [("amazon.rerank-v1:0".to_owned(), "local".to_owned())].into();
        assert_eq!(setting.label(&served), "n=5 hybrid rerank=amazon.rerank-v1:0 (served by local) m");
        let told = setting.configuration("eu-west-1");
        let model = &told["vectorSearchConfiguration"]["rerankingConfiguration"]["bedrockRerankingConfiguration"];
        assert_eq!(
            model["modelConfiguration"]["modelArn"],
            "arn:aws:bedrock:eu-west-1::foundation-model/amazon.rerank-v1:0"
        );
    }
}
