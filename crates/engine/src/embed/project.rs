//! Standing in for models whose vectors are longer or shorter than ours.

use super::kernels::unit;

/// `vector` in `dimensions` values of length 1, the same for the same `seed` on every machine.
///
/// The values are spread over a signal of `dimensions` samples (or as many as there are, where fewer are wanted) at
/// places and with signs that `seed` chooses, then put through the orthonormal cosine transform. For more
/// dimensions that is an isometry: every cosine between two vectors stays what it was, and no coordinate is a
/// tell-tale zero. For fewer it is a random orthogonal projection: rankings stay close (see the tests), cosines
/// nearly.
pub fn project(vector: &[f32], dimensions: usize, seed: u64) -> Vec<f32> {
    let samples = dimensions.max(vector.len());
    if dimensions == 0 || vector.is_empty() {
        return vec![0.0; dimensions];
    }
    let mut random = SplitMix(seed);
    let mut places: Vec<usize> = (0..samples).collect();
    // Fisher and Yates, as far as places are needed.
    for i in 0..vector.len() {
        let j = i + (random.next() % (samples - i) as u64) as usize;
        places.swap(i, j);
    }
    let signed: Vec<(usize, f64)> = places
        .into_iter()
        .zip(vector)
        .map(|(place, x)| (2 * place + 1, if random.next() & 1 == 0 { f64::from(*x) } else { -f64::from(*x) }))
        .collect();
    // cos(pi * i / (2 * samples)) repeats after 4 * samples.
    let period = 4 * samples;
    let step = std::f64::consts::TAU / period as f64;
    let cosines: Vec<f64> = (0..period).map(|i| (i as f64 * step).cos()).collect();
    let mut projected = Vec::with_capacity(dimensions);
    for frequency in 0..dimensions {
        let at = |place: usize| cosines.get(frequency * place % period).copied().unwrap_or_default();
        let sum: f64 = signed.iter().map(|(place, x)| x * at(*place)).sum();
        let scale = if frequency == 0 { 1.0 } else { std::f64::consts::SQRT_2 };
        projected.push((sum * scale / (samples as f64).sqrt()) as f32);
    }
    unit(&mut projected);
    projected
}

/// One bit a value, 1 where the value is positive: Titan's `binary` type lists them as they are, Cohere's packs
/// eight into a byte, first value highest.
pub fn binary(vector: &[f32]) -> impl Iterator<Item = bool> {
    vector.iter().map(|x| *x > 0.0)
}

/// Sebastiano Vigna's generator: small, and fixed for ever, which stored vectors need.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests;
