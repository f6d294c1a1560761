//! Words and sensitive information: trains the tagger of names and addresses, makes the list of profanity, and measures
//! what is found, what is found wrongly, and how fast.

mod crf;
mod data;
mod lists;
mod measure;
mod sentences;
mod speed;

use std::path::Path;

use outcrop_guard::sensitive::lexicon::Lexicon;
use outcrop_guard::sensitive::tagger;

use super::Report;
pub(crate) use speed::run as speed;

/// Trains the tagger into `out`/pii.bin and writes `out`/profanity.txt.
pub(crate) fn train(data: &Path, out: &Path, quick: bool) -> Result<(), String> {
    let words = lists::lexicon(data)?;
    let rows = data::rows(data, "train")?;
    let table = outcrop_guard::sensitive::lexicon::build(tagger::LEXICON_BITS, &words);
    let lexicon = Lexicon::new(&table).ok_or("the lexicon is no power of two")?;
    let mut random = data::Random::new(7);
    let mut rows: Vec<data::Row> = if quick { rows.into_iter().step_by(6).collect() } else { rows };
    sentences::add(&mut rows, data, &mut random, quick)?;
    let sequences = data::sequences(&rows, &lexicon, &mut random);
    let model = crf::train(&sequences, if quick { 3 } else { 10 }, &mut random);
    let mut file = tagger::MAGIC.to_vec();
    file.extend_from_slice(&table);
    file.extend_from_slice(&model.quantised());
    file.extend_from_slice(&tagger::checksum(&file).to_le_bytes());
    tagger::Tagger::read(&file).map_err(|e| e.to_string())?;
    write(&out.join("pii.bin"), &file)?;
    write(&out.join("profanity.txt"), lists::profanity(data, &words)?.as_bytes())
}

fn write(path: &Path, content: &[u8]) -> Result<(), String> {
    std::fs::write(path, content).map_err(|e| format!("{}: {e}", path.display()))?;
    eprintln!("{}: {} bytes", path.display(), content.len());
    Ok(())
}

/// Measures accuracy.
pub(crate) fn bench(data: &Path, report: &mut Report) -> Result<(), String> {
    measure::accuracy(data, report)?;
    measure::precision(report)
}
