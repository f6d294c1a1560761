//! Asks the questions under a setting, and copies a knowledge base for another chunking.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::{Ask, Client, SERVED_BY, encoded};
use crate::kb::eval::measure::{self, Got, Row};
use crate::kb::eval::questions::Question;
use crate::kb::eval::settings::{Cut, Served, Setting, arn};
use crate::kb::find::{self, Found};
use crate::kb::{add, job, sync};

/// What a call took is in the ledger half a second after its end.
const SETTLED: Duration = Duration::from_millis(1200);

/// One setting over all questions, one after the other, so that times are those of a caller.
pub async fn one(
    client: &Client,
    kb: &str,
    setting: &Setting,
    label: String,
    questions: &[Question],
) -> Result<Row, String> {
    let bar = sync::bar(questions.len() as u64, "{msg} {bar:30} {pos}/{len} questions");
    bar.set_message(label.clone());
    if let Some(first) = questions.first() {
        // The models are loaded by it, which says nothing of the setting.
        ask(client, kb, setting, &first.text).await?;
        tokio::time::sleep(SETTLED).await;
    }
    let began = Timestamp::now();
    let mut got = Vec::with_capacity(questions.len());
    for question in questions {
        got.push(ask(client, kb, setting, &question.text).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    tokio::time::sleep(SETTLED).await;
    let dollars = spent(client, began, Timestamp::now()).await?;
    let dollars = dollars.map(|dollars| dollars * 1000.0 / questions.len() as f64);
    Ok(measure::row(label, questions, &got, dollars))
}

async fn ask(client: &Client, kb: &str, setting: &Setting, text: &str) -> Result<Got, String> {
    let began = Instant::now();
    let configuration = setting.configuration(client.region());
    let mut got = Got::default();
    if let Some(model) = &setting.model {
        let asked = json!({
            "input": {"text": text},
            "retrieveAndGenerateConfiguration": {
                "type": "KNOWLEDGE_BASE",
                "knowledgeBaseConfiguration": {
                    "knowledgeBaseId": kb,
                    "modelArn": arn(model, client.region()),
                    "retrievalConfiguration": configuration,
                },
            },
        });
        let answer = client.post("/retrieveAndGenerate", &asked).await?;
        got.ms = began.elapsed().as_secs_f64() * 1000.0;
        got.answer = answer["output"]["text"].as_str().map(str::to_owned);
        for citation in answer["citations"].as_array().into_iter().flatten() {
            got.cited.extend(uris(&citation["retrievedReferences"]));
        }
    }
    let asked = json!({"retrievalQuery": {"text": text}, "retrievalConfiguration": configuration});
    let began = Instant::now();
    let found = client.post(&client.path(&["knowledgebases", kb, "retrieve"]), &asked).await?;
    if setting.model.is_none() {
        got.ms = began.elapsed().as_secs_f64() * 1000.0;
    }
    got.documents = uris(&found["retrievalResults"]);
    Ok(got)
}

fn uris(results: &Value) -> Vec<String> {
    let uri = |result: &Value| result["metadata"]["x-amz-bedrock-kb-source-uri"].as_str().map(str::to_owned);
    results.as_array().into_iter().flatten().filter_map(uri).collect()
}

/// The URIs or ids of a knowledge base's documents.
pub async fn documents(client: &Client, kb: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for source in find::sources(client, kb).await? {
        let id = source["dataSourceId"].as_str().unwrap_or_default();
        let path = client.path(&["knowledgebases", kb, "datasources", id, "documents"]);
        for document in find::pages(client, &path, "documentDetails").await? {
            let identifier = &document["identifier"];
            let name = identifier["s3"]["uri"].as_str().or_else(|| identifier["custom"]["id"].as_str());
            all.extend(name.map(str::to_owned));
        }
    }
    Ok(all)
}

/// Which of the models others stand in for: each is called once, and the answer's header says so.
pub async fn served(client: &Client, settings: &[Setting]) -> Served {
    let mut served = Served::new();
    let mut asked = HashSet::new();
    for (model, ranks) in settings.iter().flat_map(|one| [(&one.model, false), (&one.rerank, true)]) {
        let Some(model) = model.as_ref().filter(|model| asked.insert(*model)) else { continue };
        let (path, call) = match ranks {
            true => ("/rerank".to_owned(), ranking(&arn(model, client.region()))),
            false => (
                client.path(&["model", model, "converse"]),
                json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "inferenceConfig": {"maxTokens": 1}}),
            ),
        };
        // Whoever may not ask the model alone is not told who answers for it.
        let answer = client.bytes(Ask::json("POST", &path, call.to_string().into_bytes())).await;
        let by = answer.ok().and_then(|(headers, _)| Some(headers.get(SERVED_BY)?.to_str().ok()?.to_owned()));
        if let Some(by) = by {
            served.insert(model.clone(), by);
        }
    }
    served
}

fn ranking(model: &str) -> Value {
    let source = json!({"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": "Hello"}}});
    json!({
        "queries": [{"type": "TEXT", "textQuery": {"text": "Hello"}}],
        "sources": [source],
        "rerankingConfiguration": {"type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": model}}},
    })
}

/// What the account spent in that time; none where a call had no price.
async fn spent(client: &Client, from: Timestamp, to: Timestamp) -> Result<Option<f64>, String> {
    let query = format!("from={}&to={}", encoded(&from.to_string()), encoded(&to.to_string()));
    let report = client.get("/outcrop/cost", &query).await?;
    let total = &report["total"];
    let unpriced = report["rows"].as_array().into_iter().flatten().any(|row| row["unpriced"]["calls"] != 0);
    let cost = total["cost"].as_str().and_then(|cost| cost.parse().ok()).unwrap_or(0.0);
    Ok((!unpriced).then_some(cost))
}

/// What a knowledge base is called that [`copy`] makes.
pub fn copy_name(kb: &Found, cut: &Cut) -> String {
    let mut name = format!("{}-eval-{}", kb.name, cut.label.replace(':', "-"));
    name.truncate(100);
    name
}

/// The same documents, cut another way, in a knowledge base of their own; its id.
pub async fn copy(client: &Client, kb: &Found, cut: &Cut, name: &str) -> Result<String, String> {
    let whole = client.json("GET", &client.path(&["knowledgebases", &kb.id]), &Value::Null).await?;
    let whole = &whole["knowledgeBase"];
    let asked = json!({
        "name": name,
        "roleArn": whole["roleArn"],
        "knowledgeBaseConfiguration": whole["knowledgeBaseConfiguration"],
        "storageConfiguration": whole["storageConfiguration"],
    });
    let id = add::create(client, &asked).await?;
    fill(client, &kb.id, &id, cut).await?;
    Ok(id)
}

async fn fill(client: &Client, from: &str, to: &str, cut: &Cut) -> Result<(), String> {
    for source in find::sources(client, from).await? {
        let id = source["dataSourceId"].as_str().unwrap_or_default();
        let path = client.path(&["knowledgebases", from, "datasources", id]);
        let whole = client.json("GET", &path, &Value::Null).await?["dataSource"].take();
        let asked = json!({
            "name": whole["name"],
            "dataSourceConfiguration": whole["dataSourceConfiguration"],
            "vectorIngestionConfiguration": {"chunkingConfiguration": cut.configuration},
        });
        let sources = format!("{}/", client.path(&["knowledgebases", to, "datasources"]));
        let made = client.json("PUT", &sources, &asked).await?;
        let made = made["dataSource"]["dataSourceId"].as_str().unwrap_or_default();
        let ended = job::ingest(client, to, made).await?;
        if ended["status"] != "COMPLETE" {
            return Err(format!("{}: the ingestion job ended as {}", cut.label, ended["status"]));
        }
    }
    Ok(())
}
