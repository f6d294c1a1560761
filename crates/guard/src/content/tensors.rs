//! Trained weights: a safetensors file whose hash is known, with every tensor's shape checked.

use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

use crate::Refused;

/// `sha256sum`'s lines over the files beside it.
const SUMS: &str = include_str!("../../weights/SHA256SUMS");

/// The tensors of one file.
pub(crate) struct Tensors<'a>(SafeTensors<'a>);

impl<'a> Tensors<'a> {
    /// The tensors of `bytes`, which must be the file `name` as it was trained.
    pub(crate) fn read(name: &str, bytes: &'a [u8]) -> Result<Self, Refused> {
        let sum: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let known = SUMS.lines().find_map(|line| line.strip_suffix(name)).map(str::trim);
        if known != Some(sum.as_str()) {
            return Err(Refused::Weights(format!("{name} is not the file that was trained: its SHA-256 is {sum}")));
        }
        Self::unchecked(name, bytes)
    }

    /// The same of a file that was trained a moment ago.
    pub(crate) fn unchecked(name: &str, bytes: &'a [u8]) -> Result<Self, Refused> {
        SafeTensors::deserialize(bytes).map(Self).map_err(|e| Refused::Weights(format!("{name}: {e}")))
    }

    pub(crate) fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Refused> {
        let (chunks, _) = self.bytes(name, Dtype::F32, shape)?.as_chunks();
        Ok(chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    pub(crate) fn array<const N: usize>(&self, name: &str) -> Result<[f32; N], Refused> {
        let values = self.f32(name, &[N])?;
        values.try_into().map_err(|_| Refused::Weights(format!("{name} is too short")))
    }

    pub(crate) fn i8(&self, name: &str, shape: &[usize]) -> Result<Vec<i8>, Refused> {
        Ok(self.bytes(name, Dtype::I8, shape)?.iter().map(|byte| byte.cast_signed()).collect())
    }

    /// Eight bits a value, with one scale a row.
    pub(crate) fn rows(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>, Refused> {
        let scales = self.f32(&format!("{name}.scales"), &[rows])?;
        let values = self.i8(name, &[rows, columns])?;
        let rows = values.chunks_exact(columns.max(1)).zip(scales);
        Ok(rows.flat_map(|(row, scale)| row.iter().map(move |x| f32::from(*x) * scale)).collect())
    }

    /// Text, a byte a value.
    pub(crate) fn text(&self, name: &str) -> Result<String, Refused> {
        let tensor = self.0.tensor(name).map_err(|e| Refused::Weights(format!("{name}: {e}")))?;
        String::from_utf8(tensor.data().to_vec()).map_err(|e| Refused::Weights(format!("{name}: {e}")))
    }

    fn bytes(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&[u8], Refused> {
        let tensor = self.0.tensor(name).map_err(|e| Refused::Weights(format!("{name}: {e}")))?;
        if tensor.dtype() != dtype || tensor.shape() != shape {
            let (is, shaped) = (tensor.dtype(), tensor.shape());
            return Err(Refused::Weights(format!("{name} is {is:?} {shaped:?}, not {dtype:?} {shape:?}")));
        }
        // The length follows from the shape: the format was checked when the file was read.
        Ok(tensor.data())
    }
}
