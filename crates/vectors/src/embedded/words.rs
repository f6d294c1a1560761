//! Finding chunks by words: BM25 over English stems, by tantivy. Derived from the truth, and may be lost.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use tantivy::directory::MmapDirectory;
use tantivy::indexer::IndexWriterOptions;
use tantivy::schema::{Field, INDEXED, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, TextAnalyzer};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use super::asked::Asked;
use crate::{Result, VectorError};

/// Longer words are none: identifiers, encoded data.
const LONGEST_WORD: usize = 40;

/// More different words than this are not asked for.
const MOST_WORDS: usize = 256;

/// What the writer may hold in memory before it writes a segment.
const WRITER_BYTES: usize = 32 << 20;

/// How far the words have come with the truth: the newest chunk and the newest removal that they know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub chunk: i64,
    pub removal: i64,
}

impl Mark {
    fn parse(text: &str) -> Option<Self> {
        let (chunk, removal) = text.split_once(' ')?;
        Some(Self { chunk: chunk.parse().ok()?, removal: removal.parse().ok()? })
    }
}

/// The words as their one writer sees them.
pub(super) struct Words {
    folder: PathBuf,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    /// Made with the first write: an index that is only read needs no threads.
    writer: Option<IndexWriter>,
    mark: Mark,
}

#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub key: Field,
    pub slot: Field,
    pub text: Field,
}

/// The words as they were at a commit. Cheap to clone.
#[derive(Clone)]
pub(super) struct Searcher {
    searcher: tantivy::Searcher,
    analyzer: TextAnalyzer,
    fields: Fields,
}

pub(super) fn failed(why: impl std::fmt::Display) -> VectorError {
    VectorError::failed("the word index", why)
}

impl Words {
    /// Opens the folder. What is damaged or of another version is made anew, and empty.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        match Self::try_open(folder) {
            Ok(words) => Ok(words),
            Err(why) => {
                tracing::warn!(folder = %folder.display(), %why, "The word index is made anew");
                fs::remove_dir_all(folder).map_err(failed)?;
                Self::try_open(folder)
            }
        }
    }

    fn try_open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(failed)?;
        let mut schema = Schema::builder();
        let indexing =
            TextFieldIndexing::default().set_tokenizer("words").set_index_option(IndexRecordOption::WithFreqs);
        let fields = Fields {
            key: schema.add_i64_field("key", NumericOptions::from(INDEXED).set_fast()),
            slot: schema.add_i64_field("slot", NumericOptions::default().set_fast()),
            text: schema.add_text_field("text", TextOptions::default().set_indexing_options(indexing)),
        };
        let directory = MmapDirectory::open(folder).map_err(failed)?;
        let index = Index::open_or_create(directory, schema.build()).map_err(failed)?;
        index.tokenizers().register("words", analyzer());
        let mark = index.load_metas().map_err(failed)?.payload.as_deref().and_then(Mark::parse).unwrap_or_default();
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), index, reader, fields, writer: None, mark })
    }

    /// How far they have come, surely.
    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// Starts again with nothing.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.writer = None;
        fs::remove_dir_all(&self.folder).map_err(failed)?;
        *self = Self::try_open(&self.folder)?;
        Ok(())
    }

    fn writer(&mut self) -> Result<&mut IndexWriter> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let options = IndexWriterOptions::builder()
                    .num_worker_threads(1)
                    .num_merge_threads(1)
                    .memory_budget_per_thread(WRITER_BYTES)
                    .build();
                let writer = self.index.writer_with_options(options).map_err(failed)?;
                // A commit that was killed leaves files behind, and the next one would write files of the same names.
                writer.garbage_collect_files().wait().map_err(failed)?;
                writer
            }
        };
        Ok(self.writer.insert(writer))
    }

    pub(super) fn add(&mut self, key: i64, slot: u32, text: &str) -> Result<()> {
        let fields = self.fields;
        let mut document = TantivyDocument::new();
        document.add_i64(fields.key, key);
        document.add_i64(fields.slot, i64::from(slot));
        document.add_text(fields.text, text);
        self.writer()?.add_document(document).map_err(failed)?;
        Ok(())
    }

    pub(super) fn remove(&mut self, key: i64) -> Result<()> {
        let term = Term::from_field_i64(self.fields.key, key);
        self.writer()?.delete_term(term);
        Ok(())
    }

    /// Makes what was added and removed last, and says how far that is.
    pub(super) fn commit(&mut self, mark: Mark) -> Result<()> {
        let mut prepared = self.writer()?.prepare_commit().map_err(failed)?;
        prepared.set_payload(&format!("{} {}", mark.chunk, mark.removal));
        prepared.commit().map_err(failed)?;
        self.mark = mark;
        Ok(())
    }

    /// Forgets what was added and removed since the last commit.
    pub(super) fn abandon(&mut self) {
        self.writer = None;
    }

    /// The words as of the last commit.
    pub(super) fn searcher(&self) -> Result<Searcher> {
        self.reader.reload().map_err(failed)?;
        Ok(Searcher { searcher: self.reader.searcher(), analyzer: analyzer(), fields: self.fields })
    }
}

/// How text becomes words.
fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(LONGEST_WORD))
        .filter(LowerCaser)
        .filter(Stemmer::new(Language::English))
        .build()
}

impl Searcher {
    /// Nothing where the question has no words.
    pub(super) fn ask(&self, text: &str) -> Result<Option<Asked>> {
        let mut seen = HashSet::new();
        let mut words = Vec::new();
        let mut analyzer = self.analyzer.clone();
        let mut tokens = analyzer.token_stream(text);
        while tokens.advance() && words.len() < MOST_WORDS {
            let word = &tokens.token().text;
            if seen.insert(word.clone()) {
                words.push(Term::from_field_text(self.fields.text, word));
            }
        }
        if words.is_empty() {
            return Ok(None);
        }
        Asked::new(self.searcher.clone(), self.fields, words).map(Some)
    }
}
