//! Formats that ask for documents in the order of their relevance: `cohere-rerank` and `amazon-rerank`, which is the
//! same without a version.

use crate::body::{Node, parse};
use crate::request::decimal;
use crate::{DialectError, RerankDialect};
use serde_json::{Value, json};

/// Documents to bring into order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RerankRequest {
    /// What is looked for.
    pub query: String,
    /// Where it is looked for.
    pub documents: Vec<String>,
    /// How many are wanted; all where absent.
    pub top_n: Option<usize>,
}

/// Cohere Rerank, in the second version of its API.
pub static COHERE: Rerank = Rerank { name: "cohere-rerank", versioned: true };

/// Amazon Rerank.
pub static AMAZON: Rerank = Rerank { name: "amazon-rerank", versioned: false };

/// The documents that one request may bring, as Bedrock's Rerank operation has it.
const MOST: usize = 1_000;

/// What the two formats have in common.
pub struct Rerank {
    name: &'static str,
    /// `api_version` is required.
    versioned: bool,
}

impl RerankDialect for Rerank {
    fn name(&self) -> &'static str {
        self.name
    }

    fn decode(&self, body: &[u8]) -> Result<RerankRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        let members = ["query", "documents", "top_n", "api_version"];
        body.only(if self.versioned { &members } else { &members[..3] })?;
        let query = body.required("query")?.text(1, usize::MAX)?.to_owned();
        let documents = body.required("documents")?.items(1, MOST)?;
        let documents = documents.iter().map(document).collect::<Result<_, _>>()?;
        let top_n = body.get("top_n")?.map(|n| n.integer(1, i64::MAX)).transpose()?;
        if self.versioned {
            body.required("api_version")?.integer(2, 2)?;
        }
        Ok(RerankRequest { query, documents, top_n: top_n.and_then(|n| usize::try_from(n).ok()) })
    }

    fn encode(&self, request: &RerankRequest, ranks: &[(usize, f32)]) -> Value {
        let ranks = ranks.iter().take(request.top_n.unwrap_or(usize::MAX));
        let results = ranks.map(|(index, score)| json!({"index": index, "relevance_score": decimal(*score)}));
        json!({"results": results.collect::<Value>()})
    }
}

/// A document is its text, or an object that holds it.
fn document(node: &Node) -> Result<String, DialectError> {
    if !node.value.is_object() {
        return node.string().map(str::to_owned);
    }
    node.only(&["text"])?;
    node.required("text")?.string().map(str::to_owned)
}
