//! The sentence encoder, and a file that remembers what it said.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;

use outcrop_engine::embed::Embedder;
use outcrop_engine::weights::{EMBEDDING_MODEL, ModelDir, Silent};
use outcrop_guard::content::SHARED_LAYERS;
use outcrop_guard::{EncodeError, Encoded, Encoder};

/// The embedder as guardrails see it.
pub(crate) struct MiniLm {
    embedder: Embedder,
    folder: std::path::PathBuf,
}

impl MiniLm {
    /// Loads the model, and fetches it where the machine has it not yet.
    pub(crate) fn load() -> Result<Self, String> {
        let folder = ModelDir::locate().and_then(|models| models.pull(EMBEDDING_MODEL, &mut Silent));
        let folder = folder.map_err(|e| e.to_string())?;
        let embedder = Embedder::load(&folder.path).map_err(|e| e.to_string())?;
        Ok(Self { embedder, folder: folder.path })
    }

    /// The file of the encoder's own weights.
    pub(crate) fn weights(&self) -> std::path::PathBuf {
        self.folder.join("model.safetensors")
    }
}

impl Encoder for MiniLm {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let both = self.embedder.embed_with_states(texts, SHARED_LAYERS).map_err(|e| EncodeError(e.to_string()))?;
        let encoded = both.into_iter().map(|(embedding, states)| Encoded {
            vector: embedding.vector,
            states,
            truncated: embedding.truncated,
        });
        Ok(encoded.collect())
    }
}

/// What the encoder said of many texts: half the bits of every state are enough to train with.
#[derive(Default)]
pub(crate) struct Encodings {
    by_text: HashMap<u64, Stored>,
}

struct Stored {
    vector: Vec<f32>,
    states: Vec<u16>,
}

impl Encodings {
    /// The encodings of `texts`, from `file` where they stand there; what is new is added to it.
    pub(crate) fn of(texts: &[&str], encoder: &MiniLm, file: Option<&Path>) -> Result<Self, String> {
        let mut all = Self::default();
        if let Some(file) = file.filter(|file| file.exists()) {
            all.read(file)?;
        }
        all.add(texts, encoder, file)?;
        Ok(all)
    }

    fn add(&mut self, texts: &[&str], encoder: &MiniLm, file: Option<&Path>) -> Result<(), String> {
        let mut new: Vec<&str> = texts.iter().copied().filter(|text| !self.by_text.contains_key(&key(text))).collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut to = match file {
            Some(file) => {
                let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
                Some(std::io::BufWriter::new(opened.map_err(|e| format!("{}: {e}", file.display()))?))
            }
            None => None,
        };
        // In no order, so that a part of them is as good as a sample.
        new.sort_unstable_by_key(|text| key(text));
        new.dedup();
        for (at, some) in new.chunks(16).enumerate() {
            for (text, encoded) in some.iter().zip(encoder.encode(some).map_err(|e| e.to_string())?) {
                let states: Vec<u16> =
                    encoded.states.iter().map(|x| (x.to_bits().wrapping_add(0x8000) >> 16) as u16).collect();
                let stored = Stored { vector: encoded.vector, states };
                if let Some(to) = &mut to {
                    stored.write(key(text), to).map_err(|e| e.to_string())?;
                }
                self.by_text.insert(key(text), stored);
            }
            if at % 100 == 99 {
                eprintln!("encoded {} of {}", (at + 1) * 16, new.len());
            }
        }
        Ok(())
    }

    /// The sentence vector of a text that is among them.
    pub(crate) fn vector(&self, text: &str) -> &[f32] {
        self.by_text.get(&key(text)).map(|stored| stored.vector.as_slice()).unwrap_or_default()
    }

    /// All that the encoder said of a text that is among them.
    pub(crate) fn encoded(&self, text: &str) -> Encoded {
        let Some(stored) = self.by_text.get(&key(text)) else { return Encoded::default() };
        let states: Vec<f32> = stored.states.iter().map(|x| f32::from_bits(u32::from(*x) << 16)).collect();
        // The file does not say whether a text was cut; one that fills the encoder nearly always was.
        let truncated = states.len() >= outcrop_engine::embed::MAX_TOKENS * stored.vector.len().max(1);
        Encoded { vector: stored.vector.clone(), states, truncated }
    }

    fn read(&mut self, file: &Path) -> Result<(), String> {
        let opened = std::fs::File::open(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let mut from = std::io::BufReader::with_capacity(1 << 20, opened);
        let (mut head, mut whole) = ([0u8; 16], 0);
        while from.read_exact(&mut head).is_ok() {
            let [key, sizes] =
                [0, 8].map(|at| head.iter().skip(at).take(8).rev().fold(0, |sum, b| sum << 8 | u64::from(*b)));
            let (width, states) = ((sizes & 0xffff_ffff) as usize, (sizes >> 32) as usize);
            let mut bytes = vec![0u8; width * 4 + states * 2];
            // The file ends within a text where an earlier run was stopped: that text is encoded again.
            if from.read_exact(&mut bytes).is_err() {
                break;
            }
            whole += (head.len() + bytes.len()) as u64;
            let (vector, rest) = bytes.split_at(width * 4);
            let vector = vector.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            let states = rest.as_chunks().0.iter().map(|b| u16::from_le_bytes(*b)).collect();
            self.by_text.insert(key, Stored { vector, states });
        }
        let cut = std::fs::OpenOptions::new().write(true).open(file).and_then(|file| file.set_len(whole));
        cut.map_err(|e| format!("{}: {e}", file.display()))
    }
}

impl Stored {
    fn write(&self, key: u64, to: &mut dyn Write) -> std::io::Result<()> {
        to.write_all(&key.to_le_bytes())?;
        to.write_all(&(self.vector.len() as u32).to_le_bytes())?;
        to.write_all(&(self.states.len() as u32).to_le_bytes())?;
        for x in &self.vector {
            to.write_all(&x.to_le_bytes())?;
        }
        for x in &self.states {
            to.write_all(&x.to_le_bytes())?;
        }
        Ok(())
    }
}

/// The encoder, asked only for what a file does not remember.
pub(crate) struct Remembering {
    encoder: MiniLm,
    known: std::sync::Mutex<Encodings>,
    file: Option<std::path::PathBuf>,
}

impl Remembering {
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, String> {
        let encoder = MiniLm::load()?;
        let known = Encodings::of(&[], &encoder, file)?;
        Ok(Self { encoder, known: std::sync::Mutex::new(known), file: file.map(Path::to_owned) })
    }
}

impl Encoder for Remembering {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        let Some(file) = &self.file else { return self.encoder.encode(texts) };
        let mut known = self.known.lock().map_err(|e| EncodeError(e.to_string()))?;
        known.add(texts, &self.encoder, Some(file)).map_err(EncodeError)?;
        Ok(texts.iter().map(|text| known.encoded(text)).collect())
    }
}

fn key(text: &str) -> u64 {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
