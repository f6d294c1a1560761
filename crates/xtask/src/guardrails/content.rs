//! Content filters: what they are trained from, and how.
//!
//! Every model is trained three times: twice without a quarter of the sources (the tuned layers, which take long, once
//! without both quarters), so that it can be judged by texts of sources that it never saw, and once with all. From the
//! first two come the weights of the ensemble and its calibration; the third is shipped, and its thresholds lie between
//! theirs and those of harmless texts of the dev split.

mod bench;
mod calibrate;
mod meaning;
mod ngrams;
mod reliability;
mod stack;
mod tuned;
mod vectors;

pub(crate) use bench::bench;

use std::collections::HashMap;
use std::path::Path;

use outcrop_guard::content::{Features, HEADS, Head, Rules, Vocabulary, features, fold, together};
use outcrop_guard::windows;

use super::data::{self, Row};
use super::encode::{Encodings, MiniLm};
use super::tensors::File;

/// So many texts of a source go through the encoder; the n-grams see all. Large sources resemble themselves.
const LARGEST: [(&str, usize); 5] =
    [("davidson", 2200), ("edos", 4000), ("toxic_spans", 3500), ("stormfront", 2200), ("toxigen", 2800)];
/// A source weighs as much as so many texts at most, of those that a model sees.
const HEAVIEST: f32 = 2500.0;
/// Our own texts are few and made to teach.
const OWN: f32 = 3.0;
/// So many texts of a source judge the models that did not see it.
const HELD: usize = 600;
const SEED: u64 = 7;
const FOLDS: usize = 4;
/// The folds whose texts weigh the models that did not see them: they hold sources of every kind but attacks, which are
/// parted text by text.
const HELD_OUT: [usize; 2] = [0, 1];

/// What is known of a text, and how much it weighs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Example {
    pub labels: [Option<bool>; HEADS],
    pub weight: f32,
}

impl Example {
    /// The slope of the loss at every head's log-odds; none where nothing is known.
    pub(crate) fn slopes(&self, logits: &[f32; HEADS]) -> [f32; HEADS] {
        let mut slopes = [0.0; HEADS];
        for ((slope, label), logit) in slopes.iter_mut().zip(self.labels).zip(logits) {
            if let Some(label) = label {
                *slope = self.weight * (1.0 / (1.0 + (-logit).exp()) - f32::from(u8::from(label)));
            }
        }
        slopes
    }
}

/// A window of a text, with what is known of the text.
pub(crate) struct Piece<'a> {
    pub text: &'a str,
    pub row: &'a Row,
    /// Which of the models is trained without it.
    pub fold: usize,
    /// Whether it goes through the encoder.
    pub encoded: bool,
    /// Whether the tuned layers are trained with it.
    pub tuned: bool,
    pub features: Features,
    /// The pieces of its words that have a vector, and how often they stand in it.
    pub words: Vec<(u32, u32)>,
    /// For the models of words, which see all texts.
    pub worded: Example,
    /// For the models behind the encoder.
    pub meant: Example,
}

/// Trains the content filters and writes their weights to `folder`.
pub(crate) fn train(data: &Path, folder: &Path, quick: bool, cache: Option<&Path>) -> Result<(), String> {
    let mut rows = data::content(data)?;
    if quick {
        let mut random = fastrand::Rng::with_seed(SEED);
        random.shuffle(&mut rows);
        rows.truncate(900);
    }
    let rules = Rules::new().map_err(|e| e.to_string())?;
    let encoder = MiniLm::load()?;
    let base = vectors::Base::load(&encoder.weights())?;
    let pieces = pieces(&rows, &rules, &base.vocabulary);
    let texts: Vec<&str> = pieces.iter().filter(|piece| piece.encoded).map(|piece| piece.text).collect();
    eprintln!("{} pieces, {} of them encoded", pieces.len(), texts.len());
    let encodings = Encodings::of(&texts, &encoder, cache.map(|cache| cache.join("encodings.bin")).as_deref())?;
    let fit = |without| fit(&pieces, &encodings, &base, without, cache);
    let apart = HELD_OUT.into_iter().map(|fold| fit(Some(fold)).map(|models| (fold, models)));
    let apart = apart.collect::<Result<Vec<_>, _>>()?;
    let models = fit(None)?;
    // The tuned layers take the longest: those of the two folds that are held out learn together without either.
    let blind = tune(&pieces, &encodings, &HELD_OUT, &encoder, cache)?;
    let tower = tune(&pieces, &encodings, &[], &encoder, cache)?;
    let mut held = Vec::new();
    for (fold, models) in &apart {
        let mut taken: HashMap<&str, usize> = HashMap::new();
        for piece in pieces.iter().filter(|piece| piece.encoded && piece.fold == *fold) {
            let taken = taken.entry(&piece.row.source).or_default();
            *taken += 1;
            if *taken <= HELD {
                let values = models.values(piece, &encodings, &blind);
                held.push(stack::Held { row: piece.row, example: piece.meant, values });
            }
        }
        eprintln!("fold {fold}");
    }
    let mut file = File::default();
    models.ngrams.store(&mut file);
    models.vectors.store(&base, &mut file);
    models.meaning.store(&mut file);
    tower.store(&mut file);
    let stack = stack::fit(&held);
    stack.store(&mut file);
    stack.thresholds(&held).store(&mut file);
    calibrate::calibrate(&mut file, &rows, &encoder)?;
    file.write(folder, "content.safetensors")
}

/// Every window to train with.
fn pieces<'a>(rows: &'a [Row], rules: &Rules, vocabulary: &Vocabulary) -> Vec<Piece<'a>> {
    let mut sizes: HashMap<&str, f32> = HashMap::new();
    for row in rows.iter().filter(|row| row.train) {
        *sizes.entry(row.source.as_str()).or_default() += 1.0;
    }
    let mut taken: HashMap<&str, usize> = HashMap::new();
    let mut pieces = Vec::new();
    // Rare positives first, so that they are among those that are encoded.
    let rare = |row: &&Row| row.is(Head::Violence) == Some(true) || row.is(Head::Sexual) == Some(true);
    let (first, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().filter(|row| row.train).partition(rare);
    for row in first.into_iter().chain(rest) {
        let taken = taken.entry(&row.source).or_default();
        let largest = LARGEST.iter().find(|(source, _)| *source == row.source).map_or(usize::MAX, |(_, n)| *n);
        let encoded = *taken < largest;
        *taken += 1;
        let windows = windows(&row.text);
        // What makes a long text an attack may stand anywhere in it; a jailbreak is one nearly all through.
        if row.is(Head::Injection) == Some(true) && windows.len() > 1 {
            continue;
        }
        let size = sizes.get(row.source.as_str()).copied().unwrap_or(1.0);
        let own = row.source.contains(':');
        let weight = |size: f32| if own { OWN } else { (HEAVIEST / size).min(1.0) };
        let example = |weight: f32| Example { labels: row.labels, weight };
        let (worded, meant) = (example(weight(size)), example(weight(size.min(largest as f32))));
        let some = if row.is(Head::Jailbreak) == Some(true) { 2 } else { 1 };
        for (at, window) in windows.iter().take(some).enumerate() {
            let tuned = encoded && at == 0;
            let text = row.text.get(window.range.clone()).unwrap_or_default();
            let folded = fold(text);
            let (features, words) = (features(&folded, rules), vocabulary.pieces(&folded));
            pieces.push(Piece { text, row, fold: fold_of(row), encoded, tuned, features, words, worded, meant });
        }
    }
    pieces
}

/// Whole sources together; where a head has one source only, and for our own themes, by what they are.
fn fold_of(row: &Row) -> usize {
    let by = |text: &str| text.bytes().fold(7usize, |sum, b| sum.wrapping_mul(31).wrapping_add(usize::from(b))) % FOLDS;
    match row.source.as_str() {
        "arena_hard" | "truthfulqa" | "mlc_v05" | "stormfront" => 0,
        "self_instruct" | "gsm8k" | "ailuminate" | "toxigen" => 1,
        "t0_prompts" | "banking77" | "advbench" | "davidson" | "harmfulqa" => 2,
        "awesome_prompts" | "catqa" | "malicious_instruct" | "edos" => 3,
        "inthewild_jailbreak" | "synthetic_indirect" | "giskard_injections" | "toxic_spans" => by(&row.text),
        own => by(own),
    }
}

/// The tuned layers, trained without some folds. It takes the longest: what `cache` has is not done again.
fn tune(
    pieces: &[Piece<'_>],
    encodings: &Encodings,
    without: &[usize],
    encoder: &MiniLm,
    cache: Option<&Path>,
) -> Result<tuned::Model, String> {
    let plain = tuned::Model::plain(&encoder.weights())?;
    let name = format!("tuned-without-{}.safetensors", without.iter().map(ToString::to_string).collect::<String>());
    if let Some(file) = cache.map(|cache| cache.join(&name)).filter(|file| file.exists()) {
        return plain.read(&file);
    }
    let mut texts = Vec::new();
    for piece in pieces.iter().filter(|piece| piece.tuned && !without.contains(&piece.fold)) {
        // Our own are seen more often instead of counting more: other tokens of them are left out every time.
        let times = if piece.row.source.contains(':') { OWN as usize } else { 1 };
        let example = Example { weight: piece.meant.weight / times as f32, ..piece.meant };
        texts.extend(std::iter::repeat_n((piece.text, example), times));
    }
    eprintln!("tuning on {} texts", texts.len());
    let model = tuned::train(plain, &texts, encodings, SEED);
    if let Some(cache) = cache {
        let mut file = File::default();
        model.exact(&mut file);
        file.save(&cache.join(&name))?;
    }
    Ok(model)
}

/// One of the three times that every model is trained.
struct Models {
    ngrams: ngrams::Model,
    vectors: vectors::Model,
    meaning: meaning::Model,
}

fn fit(
    pieces: &[Piece<'_>],
    encodings: &Encodings,
    base: &vectors::Base,
    without: Option<usize>,
    cache: Option<&Path>,
) -> Result<Models, String> {
    let some: Vec<&Piece<'_>> = pieces.iter().filter(|piece| Some(piece.fold) != without).collect();
    let name = format!("ngrams-without-{}.safetensors", without.map(|fold| fold.to_string()).unwrap_or_default());
    let file = cache.map(|cache| cache.join(name));
    let ngrams = match &file {
        Some(file) if file.exists() => ngrams::Model::read(file)?,
        _ => ngrams::train(&some.iter().map(|piece| (&piece.features, piece.worded)).collect::<Vec<_>>(), SEED),
    };
    if let Some(path) = file.filter(|file| !file.exists()) {
        let mut file = File::default();
        ngrams.exact(&mut file);
        file.save(&path)?;
    }
    let encoded = some.iter().filter(|piece| piece.encoded);
    let meant: Vec<_> = encoded.map(|piece| (encodings.vector(piece.text), piece.meant)).collect();
    let worded: Vec<_> = some.iter().map(|piece| (piece.words.as_slice(), piece.worded)).collect();
    let vectors = vectors::train(base, &worded, SEED);
    eprintln!("words without {without:?}");
    Ok(Models { ngrams, vectors, meaning: meaning::train(&meant, SEED) })
}

impl Models {
    fn values(
        &self,
        piece: &Piece<'_>,
        encodings: &Encodings,
        tower: &tuned::Model,
    ) -> [[f32; HEADS]; outcrop_guard::content::MODELS] {
        [
            together(self.ngrams.logits(&piece.features), self.vectors.logits(&piece.words)),
            self.meaning.logits(encodings.vector(piece.text)),
            tower.logits(&encodings.encoded(piece.text).states),
        ]
    }
}
