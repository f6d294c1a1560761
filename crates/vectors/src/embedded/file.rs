//! The vectors' file: one place of fixed size for each chunk, read through a memory map, so that it may be larger
//! than memory.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use crate::{Result, Shape, Vector, VectorError};

/// The file grows by at least so many places. What is not yet written takes no room on the disk.
const STEP: u64 = 1024;

/// The file as its one writer sees it.
pub(super) struct VectorFile {
    file: File,
    places: u64,
    /// How many of them what is read by reaches.
    mapped: u64,
    stride: usize,
}

/// The file as it is read. Cheap to clone.
#[derive(Clone)]
pub(super) struct Vectors {
    map: Arc<Mmap>,
    stride: usize,
}

/// How many bytes a vector takes.
pub(super) fn stride(shape: Shape) -> usize {
    let dimensions = shape.dimensions as usize;
    if shape.binary { dimensions / 8 } else { dimensions * 4 }
}

fn failed(why: std::io::Error) -> VectorError {
    VectorError::failed("the vectors' file", why)
}

impl VectorFile {
    pub(super) fn open(path: &Path, shape: Shape) -> Result<Self> {
        let stride = stride(shape);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let places = file.metadata().map_err(failed)?.len() / stride.max(1) as u64;
        let mut opened = Self { file, places, mapped: 0, stride };
        opened.reserve(STEP)?;
        Ok(opened)
    }

    /// Makes room for so many places.
    pub(super) fn reserve(&mut self, places: u64) -> Result<()> {
        if places <= self.places {
            return Ok(());
        }
        let places = places.max(self.places + self.places / 4 + STEP);
        self.file.set_len(places * self.stride as u64).map_err(failed)?;
        self.places = places;
        Ok(())
    }

    /// Writes a place that nobody reads: a free one.
    pub(super) fn write(&self, slot: u32, vector: &[u8]) -> Result<()> {
        self.file.write_all_at(vector, u64::from(slot) * self.stride as u64).map_err(failed)
    }

    /// Waits until what was written would survive a power cut.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(failed)
    }

    /// What to read by, where the file has grown beyond what was to be read by before.
    pub(super) fn grown(&mut self) -> Result<Option<Vectors>> {
        if self.mapped == self.places { Ok(None) } else { self.map().map(Some) }
    }

    /// What to read by.
    pub(super) fn map(&mut self) -> Result<Vectors> {
        // SAFETY: the file is this process's own (`Embedded` holds the folder's lock) and only ever grows; bytes of a
        // place change only while no chunk has it, and only places that a chunk has are read.
        let map = unsafe { Mmap::map(&self.file) }.map_err(failed)?;
        self.mapped = self.places;
        Ok(Vectors { map: Arc::new(map), stride: self.stride })
    }
}

impl Vectors {
    /// A place's bytes; nothing where there is no such place.
    pub(super) fn get(&self, slot: u32) -> &[u8] {
        let start = slot as usize * self.stride;
        self.map.get(start..start + self.stride).unwrap_or_default()
    }
}

/// A vector as it is kept: numbers of length one, so that their product is the cosine, or bits as they are.
pub(super) fn encode(vector: &Vector) -> Vec<u8> {
    match vector {
        Vector::Binary(bytes) => bytes.clone(),
        Vector::Float(_) => unit(vector).iter().flat_map(|n| n.to_le_bytes()).collect(),
    }
}

/// The numbers that were kept.
pub(super) fn decode(kept: &[u8]) -> Vec<f32> {
    kept.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The numbers scaled to length one; what has no length stays as it is, and is like nothing.
pub(super) fn unit(vector: &Vector) -> Vec<f32> {
    let Vector::Float(numbers) = vector else { return Vec::new() };
    let length = numbers.iter().map(|n| f64::from(*n).powi(2)).sum::<f64>().sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    numbers.iter().map(|n| (f64::from(*n) * scale) as f32).collect()
}
