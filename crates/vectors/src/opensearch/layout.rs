//! Indexes: a knowledge base's own, and those that their owners made.

use http::Method;
use serde_json::{Value as Json, json};

use super::Inner;
use crate::http::Http;
use crate::{Place, Result, Shape, VectorError};

/// An index and its fields.
pub(super) struct Layout {
    /// Its path.
    pub path: String,
    pub vector: String,
    pub text: String,
    pub metadata: String,
    pub shape: Shape,
    /// How its vectors are compared.
    pub space: Space,
    /// Whether other knowledge bases and programs have documents in it.
    pub shared: bool,
}

/// How vectors are compared, and so what a score means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Cosine,
    L2,
    InnerProduct,
    Hamming,
}

impl Space {
    fn named(name: &str) -> Result<Self> {
        match name {
            "cosinesimil" => Ok(Self::Cosine),
            "l2" => Ok(Self::L2),
            "innerproduct" => Ok(Self::InnerProduct),
            "hamming" | "hammingbit" => Ok(Self::Hamming),
            other => {
                Err(VectorError::Invalid(format!("the index compares vectors by {other}, which is not supported")))
            }
        }
    }

    /// The cosine, or what is like it for bits, that a score stands for (the k-NN plugin's table of spaces; vectors
    /// are written with the length 1).
    pub fn likeness(self, score: f64, dimensions: u32) -> f64 {
        let score = score.max(f64::MIN_POSITIVE);
        match self {
            Self::Cosine => 2.0 * score - 1.0,
            Self::L2 => 1.0 - (1.0 / score - 1.0) / 2.0,
            Self::InnerProduct if score >= 1.0 => score - 1.0,
            Self::InnerProduct => 1.0 - 1.0 / score,
            Self::Hamming => 1.0 - 2.0 * (1.0 / score - 1.0) / f64::from(dimensions.max(1)),
        }
    }
}

impl Layout {
    /// A knowledge base's own index, made where it is missing.
    pub async fn own(inner: &Inner, base: &str, shape: Shape) -> Result<Self> {
        let place = Place {
            database: None,
            name: own_name(base)?,
            key: None,
            vector: "vector".to_owned(),
            text: "text".to_owned(),
            metadata: "metadata".to_owned(),
            attributes: None,
        };
        let found = match Self::found(&inner.http, &place).await? {
            Some(found) => found,
            None => Self::made(inner, &place, shape, "english").await?,
        };
        Self { shared: false, ..found }.fits(shape)
    }

    /// An index that its owner made.
    pub async fn shared(inner: &Inner, place: &Place, shape: Shape) -> Result<Self> {
        let found = match Self::found(&inner.http, place).await? {
            Some(found) => found,
            None if inner.create => Self::made(inner, place, shape, "standard").await?,
            None => return Err(VectorError::Invalid(format!("no such index [{}]", place.name))),
        };
        let found = found.fits(shape)?;
        // What is kept beside their fields; nothing changes where it is known already.
        let mapping = json!({ "properties": { "outcrop": beside() } });
        inner.http.must(Method::PUT, &format!("{}/_mapping", found.path), &mapping).await?;
        Ok(found)
    }

    async fn made(inner: &Inner, place: &Place, shape: Shape, analyzer: &str) -> Result<Self> {
        let vector = if shape.binary {
            let method = json!({ "name": "hnsw", "space_type": "hamming", "engine": "faiss" });
            json!({ "type": "knn_vector", "dimension": shape.dimensions, "data_type": "binary", "method": method })
        } else {
            // OpenSearch Serverless has no engine but faiss, whose cosine is newer than its Euclidean distance.
            let (engine, space) = if inner.serverless { ("faiss", "l2") } else { ("lucene", "cosinesimil") };
            let method = json!({ "name": "hnsw", "space_type": space, "engine": engine });
            json!({ "type": "knn_vector", "dimension": shape.dimensions, "method": method })
        };
        let properties = json!({
            place.vector.clone(): vector,
            place.text.clone(): { "type": "text", "analyzer": analyzer },
            place.metadata.clone(): { "type": "text", "index": false },
            "outcrop": beside(),
        });
        let settings = match inner.serverless {
            true => json!({ "index": { "knn": true } }),
            // One shard: a refresh shows a document's chunks together. And none but those that are asked for.
            false => json!({ "index": { "knn": true, "number_of_shards": 1, "refresh_interval": "-1" } }),
        };
        let made = json!({ "settings": settings, "mappings": { "dynamic": false, "properties": properties } });
        let path = format!("/{}", place.name);
        // Of two who make it at once, one is told that it is there.
        let refused = inner.http.ask(Method::PUT, &path, Some(&made)).await.err();
        match (Self::found(&inner.http, place).await?, refused) {
            (Some(found), _) => Ok(found),
            (None, Some(refused)) => Err(refused),
            (None, None) => Err(VectorError::Failed("the index could not be made".to_owned())),
        }
    }

    /// The index as it is; none where there is none.
    pub async fn found(http: &Http, place: &Place) -> Result<Option<Self>> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if place.name.is_empty() || place.name.starts_with(['-', '_', '.']) || !place.name.chars().all(plain) {
            return Err(VectorError::Invalid(format!("no index can be called {:?}", place.name)));
        }
        let path = format!("/{}", place.name);
        let Some(told) = http.ask(Method::GET, &path, None).await? else { return Ok(None) };
        // An alias is answered with the index that it stands for.
        let index = told.as_object().and_then(|all| all.values().next()).cloned().unwrap_or_default();
        let properties = &index["mappings"]["properties"];
        let field = |name: &str| match &properties[name] {
            Json::Null => Err(VectorError::Invalid(format!("the index {} has no field {name}", place.name))),
            found => Ok(found),
        };
        let vector = field(&place.vector)?;
        let number = vector["dimension"].as_u64().and_then(|size| u32::try_from(size).ok());
        let Some(dimensions) = number.filter(|_| vector["type"] == "knn_vector") else {
            let what = format!("the field {} of the index {} is no knn_vector", place.vector, place.name);
            return Err(VectorError::Invalid(what));
        };
        field(&place.text)?;
        let space = vector["method"]["space_type"].as_str().or(vector["space_type"].as_str()).unwrap_or("l2");
        Ok(Some(Self {
            path,
            vector: place.vector.clone(),
            text: place.text.clone(),
            metadata: place.metadata.clone(),
            shape: Shape { dimensions, binary: vector["data_type"] == "binary" },
            space: Space::named(space)?,
            shared: true,
        }))
    }

    fn fits(self, shape: Shape) -> Result<Self> {
        match self.shape == shape {
            true => Ok(self),
            false => Err(VectorError::Shape { holds: self.shape, given: shape }),
        }
    }
}

/// The fields beside those that are declared.
fn beside() -> Json {
    let keyword = || json!({ "type": "keyword" });
    let number = json!({ "type": "nested", "properties": { "k": keyword(), "v": { "type": "double" } } });
    json!({ "dynamic": false, "properties": {
        "knowledgeBase": keyword(), "dataSource": keyword(), "key": keyword(),
        "is": keyword(), "strings": keyword(), "members": keyword(), "numbers": number,
    } })
}

pub(super) fn own_path(base: &str) -> Result<String> {
    Ok(format!("/{}", own_name(base)?))
}

/// Names of indexes are in lower case; ids of knowledge bases are in upper.
fn own_name(base: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !base.is_empty() && base.len() <= 128 && base.chars().all(plain) {
        true => Ok(format!("outcrop-{}", base.to_ascii_lowercase())),
        false => Err(VectorError::Invalid(format!("an index cannot be named after {base:?}"))),
    }
}
