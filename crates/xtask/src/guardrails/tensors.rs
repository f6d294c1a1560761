//! Writing weights, and the sums that are checked when they are read.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

/// Tensors that become one file.
#[derive(Default)]
pub(crate) struct File(BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>);

impl File {
    pub(crate) fn f32(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.0.insert(name.to_owned(), (Dtype::F32, shape.to_vec(), bytes));
    }

    /// The values of a tensor that is there; none where it is not.
    pub(crate) fn values(&self, name: &str) -> Vec<f32> {
        let bytes = self.0.get(name).map(|(_, _, bytes)| bytes.as_slice()).unwrap_or_default();
        bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    pub(crate) fn i8(&mut self, name: &str, shape: &[usize], values: Vec<i8>) {
        let bytes = values.into_iter().map(i8::cast_unsigned).collect();
        self.0.insert(name.to_owned(), (Dtype::I8, shape.to_vec(), bytes));
    }

    /// Eight bits a value, with one scale a row.
    pub(crate) fn rows(&mut self, name: &str, columns: usize, values: &[f32]) {
        let rows = values.chunks_exact(columns);
        let scales: Vec<f32> =
            rows.clone().map(|row| row.iter().fold(1e-12f32, |max, x| max.max(x.abs())) / 127.0).collect();
        let bytes = rows.zip(&scales).flat_map(|(row, scale)| row.iter().map(|x| eight(*x, *scale)));
        self.i8(name, &[scales.len(), columns], bytes.collect());
        self.f32(&format!("{name}.scales"), &[scales.len()], &scales);
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>, String> {
        let views = self.0.iter().map(|(name, (dtype, shape, bytes))| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
        });
        let views: Vec<_> = views.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        safetensors::serialize(views, None).map_err(|e| e.to_string())
    }

    /// Writes the file.
    pub(crate) fn save(&self, path: &Path) -> Result<(), String> {
        std::fs::write(path, self.bytes()?).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Writes the file and its sum.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> Result<(), String> {
        self.save(&folder.join(name))?;
        sums(folder)
    }
}

/// A file of tensors, to be read.
pub(crate) struct Tensors(Vec<u8>);

impl Tensors {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        std::fs::read(path).map(Self).map_err(|e| format!("{}: {e}", path.display()))
    }

    pub(crate) fn f32(&self, name: &str) -> Result<Vec<f32>, String> {
        let tensors = SafeTensors::deserialize(&self.0).map_err(|e| e.to_string())?;
        let tensor = tensors.tensor(name).map_err(|e| format!("{name}: {e}"))?;
        Ok(tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }
}

/// A value in steps of `scale`.
pub(crate) fn eight(x: f32, scale: f32) -> i8 {
    (x / scale.max(1e-20)).round().clamp(-127.0, 127.0) as i8
}

/// Writes `SHA256SUMS` over every weight file in `folder`.
pub(crate) fn sums(folder: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") || name == "SHA256SUMS" || name.starts_with('.') {
            continue;
        }
        let sum = Sha256::digest(std::fs::read(entry.path()).map_err(failed)?);
        let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        lines.push((name.clone(), format!("{hex}  {name}\n")));
    }
    lines.sort();
    let text: String = lines.into_iter().map(|(_, line)| line).collect();
    std::fs::write(folder.join("SHA256SUMS"), text).map_err(failed)
}
