//! What a question's words say of chunks: BM25, of all chunks the best and of some each.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::query::Bm25Weight;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, SegmentReader, TERMINATED, Term};

use super::top::{Scored, Top};
use super::words::{Fields, failed};
use crate::Result;
use crate::fusion::Scale;

/// A question's words, ready to be looked for.
pub(super) struct Asked {
    searcher: tantivy::Searcher,
    fields: Fields,
    words: Vec<(Term, Bm25Weight)>,
    scale: Scale,
}

/// A word in a segment.
struct Word {
    postings: SegmentPostings,
    weight: Bm25Weight,
}

impl Word {
    /// What the word says of the document that it stands at.
    fn says(&self, lengths: &FieldNormReader) -> f32 {
        self.weight.score(lengths.fieldnorm_id(self.postings.doc()), self.postings.term_freq())
    }

    /// Goes on to a document; whether the word is in it.
    fn reaches(&mut self, doc: u32) -> bool {
        if self.postings.doc() < doc {
            self.postings.seek(doc);
        }
        self.postings.doc() == doc
    }
}

/// What a word scores at most: its weight, as often as a chunk may repeat it (tantivy's k1 is 1.2).
fn most(having: u64, documents: u64) -> f64 {
    let (having, documents) = (having as f64, documents as f64);
    2.2 * (1.0 + (documents - having + 0.5) / (having + 0.5)).ln()
}

impl Asked {
    /// Words that no chunk has are left out of what is looked for, not of what could be scored.
    pub(super) fn new(searcher: tantivy::Searcher, fields: Fields, words: Vec<Term>) -> Result<Self> {
        let (mut tokens, mut documents) = (0, 0);
        for segment in searcher.segment_readers() {
            tokens += segment.inverted_index(fields.text).map_err(failed)?.total_num_tokens();
            documents += u64::from(segment.max_doc());
        }
        let length = tokens as f32 / documents.max(1) as f32;
        let mut weighed = Vec::with_capacity(words.len());
        let mut possible = 0.0;
        for word in words {
            let having = searcher.doc_freq(&word).map_err(failed)?;
            possible += most(having, documents);
            if having > 0 {
                weighed.push((word, Bm25Weight::for_one_term_without_explain(having, documents, length)));
            }
        }
        // The most common first.
        weighed.sort_by(|(_, a), (_, b)| a.max_score().total_cmp(&b.max_score()));
        let scale = Scale { possible, length: f64::from(length) };
        Ok(Self { searcher, fields, words: weighed, scale })
    }

    /// What chunks' scores are compared with.
    pub(super) fn scale(&self) -> Scale {
        self.scale
    }

    /// The best `limit` chunks of those for which `key` is what is known of their place.
    ///
    /// By MaxScore (Turtle and Flood, "Query evaluation: strategies and optimizations", 1995): words so common that
    /// all of them together would not bring a chunk among the best are not looked for, only added to what others find.
    pub(super) fn best(&self, limit: usize, allowed: impl Fn(i64, u32) -> bool) -> Result<Vec<Scored>> {
        let mut top = Top::new(limit);
        for segment in self.searcher.segment_readers() {
            let keys = segment.fast_fields().i64("key").map_err(failed)?;
            let slots = segment.fast_fields().i64("slot").map_err(failed)?;
            let lengths = segment.get_fieldnorms_reader(self.fields.text).map_err(failed)?;
            let place = |doc: u32| {
                let alive = segment.alive_bitset().is_none_or(|alive| alive.is_alive(doc));
                let (key, slot) = (keys.first(doc)?, u32::try_from(slots.first(doc)?).ok()?);
                (alive && allowed(key, slot)).then_some((key, slot))
            };
            let mut words = self.within(segment)?;
            // What each and all before it say together at most.
            let bounds: Vec<f32> = words
                .iter()
                .scan(0.0, |sum, word| {
                    *sum += word.weight.max_score();
                    Some(*sum)
                })
                .collect();
            let mut common = 0;
            loop {
                while bounds.get(common).is_some_and(|bound| *bound < top.threshold()) {
                    common += 1;
                }
                let (added, sought) = words.split_at_mut(common);
                let doc = sought.iter().map(|word| word.postings.doc()).min().unwrap_or(TERMINATED);
                if doc == TERMINATED {
                    break;
                }
                let mut score = 0.0;
                for word in sought {
                    if word.postings.doc() == doc {
                        score += word.says(&lengths);
                        word.postings.advance();
                    }
                }
                let hopeless = |score: f32, left: usize| match left.checked_sub(1) {
                    Some(last) => score + bounds[last] < top.threshold(),
                    None => score < top.threshold(),
                };
                if hopeless(score, common) {
                    continue;
                }
                let Some((key, slot)) = place(doc) else { continue };
                let mut left = common;
                for word in added.iter_mut().rev() {
                    if word.reaches(doc) {
                        score += word.says(&lengths);
                    }
                    left -= 1;
                    if hopeless(score, left) {
                        break;
                    }
                }
                if left == 0 {
                    top.push(Scored { score, key, slot });
                }
            }
        }
        Ok(top.sorted())
    }

    /// The score of these chunks; 0 for one that shares no word. In the order of `keys`. Word by word: a scorer of all
    /// words reads all that lies between the chunks.
    pub(super) fn score(&self, keys: &[i64]) -> Result<Vec<f32>> {
        let mut scores = vec![0.0; keys.len()];
        for segment in self.searcher.segment_readers() {
            let mut here = self.located(segment, keys)?;
            if here.is_empty() {
                continue;
            }
            here.sort_unstable();
            let lengths = segment.get_fieldnorms_reader(self.fields.text).map_err(failed)?;
            for mut word in self.within(segment)? {
                for (doc, at) in &here {
                    if word.reaches(*doc) {
                        scores[*at] += word.says(&lengths);
                    }
                }
            }
        }
        Ok(scores)
    }

    /// The words that a segment has, the most common first.
    fn within(&self, segment: &SegmentReader) -> Result<Vec<Word>> {
        let index = segment.inverted_index(self.fields.text).map_err(failed)?;
        let mut words = Vec::with_capacity(self.words.len());
        for (term, weight) in &self.words {
            if let Some(postings) = index.read_postings(term, IndexRecordOption::WithFreqs).map_err(failed)? {
                words.push(Word { postings, weight: weight.clone() });
            }
        }
        Ok(words)
    }

    /// Which of the chunks are in a segment: their document there, and their position in `keys`.
    fn located(&self, segment: &SegmentReader, keys: &[i64]) -> Result<Vec<(u32, usize)>> {
        let column = segment.fast_fields().i64("key").map_err(failed)?;
        let index = segment.inverted_index(self.fields.key).map_err(failed)?;
        let mut found = Vec::new();
        for (at, &key) in keys.iter().enumerate() {
            if key < column.min_value() || key > column.max_value() {
                continue;
            }
            let term = Term::from_field_i64(self.fields.key, key);
            let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic).map_err(failed)? else {
                continue;
            };
            while postings.doc() != TERMINATED {
                let doc = postings.doc();
                if segment.alive_bitset().is_none_or(|alive| alive.is_alive(doc)) {
                    found.push((doc, at));
                    break;
                }
                postings.advance();
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::words::{Mark, Words};

    /// A text of words of which low numbers are common.
    fn text() -> impl Strategy<Value = String> {
        let word = (0u32..60, 0u32..60).prop_map(|(a, b)| format!("w{}", a * b / 60));
        proptest::collection::vec(word, 1..30).prop_map(|words| words.join(" "))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Leaving common words out of the search changes nothing that is found. Nothing scores more than is possible.
        #[test]
        fn the_best_are_those_that_score_best(
            texts in proptest::collection::vec(text(), 1..120),
            question in text(),
            removed in 0usize..40,
            limit in 1usize..20,
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let mut words = Words::open(folder.path()).expect("an index");
            let half = texts.len() / 2;
            for (at, text) in texts.iter().enumerate() {
                words.add(at as i64 + 1, at as u32, text).expect("added");
                if at == half {
                    words.commit(Mark { chunk: at as i64, removal: 0 }).expect("committed");
                }
            }
            words.remove(removed as i64).expect("removed");
            words.commit(Mark { chunk: texts.len() as i64, removal: 1 }).expect("committed");
            let searcher = words.searcher().expect("a searcher");
            let asked = searcher.ask(&question).expect("asked").expect("words");

            let keys: Vec<i64> = (1..=texts.len() as i64).filter(|key| key % 7 != 3).collect();
            let scores = asked.score(&keys).expect("scores");
            let possible = asked.scale().possible as f32;
            prop_assert!(scores.iter().all(|score| *score <= possible * 1.0001), "{scores:?} of {possible}");
            let mut expected: Vec<(i64, f32)> = keys.into_iter().zip(scores).filter(|(_, score)| *score > 0.0).collect();
            expected.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
            expected.truncate(limit);

            let found = asked.best(limit, |key, slot| key % 7 != 3 && i64::from(slot) + 1 == key).expect("found");
            prop_assert_eq!(found.len(), expected.len());
            for (found, (_, score)) in found.iter().zip(&expected) {
                prop_assert!((found.score - score).abs() < 1e-4, "{found:?} is not {score}");
            }
        }
    }
}
