//! What stands between the matrix products: soft-max, layer norm, GELU, pooling. Plain loops that compilers turn
//! into vector code, compiled once for each instruction set and chosen at run time.
//!
//! A matrix here has a row for each feature and a column for each token, so that every sum over features runs down
//! the rows with all tokens side by side in vector registers.

/// Compiles a function for AVX-512, AVX2 and the base instruction set, and calls the best one that runs here.
macro_rules! by_instruction_set {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $kind:ty),*) = $body:ident) => {
        $(#[$doc])*
        pub(super) fn $name($($arg: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                fn avx512($($arg: $kind),*) {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $kind),*) {
                    $body($($arg),*)
                }
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the processor has just said that it knows these instructions.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has just said that it knows these instructions.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}

by_instruction_set! {
    /// Adds its bias to every row of `width` values, then applies GELU (the exact one, over the error function).
    fn bias_gelu(rows: &mut [f32], width: usize, bias: &[f32]) = bias_gelu_body
}
by_instruction_set! {
    /// Adds its bias to every row of `width` values.
    fn add_bias(rows: &mut [f32], width: usize, bias: &[f32]) = add_bias_body
}
by_instruction_set! {
    /// `rows` become layer-norm(`rows` + `bias` + `residual`), column by column.
    fn add_norm(rows: &mut [f32], width: usize, bias: &[f32], residual: &[f32], norm: &Norm) = add_norm_body
}
by_instruction_set! {
    /// Every column becomes its soft-max but for the division by its sum, which `sums` receives.
    fn softmax_numerators(rows: &mut [f32], sums: &mut [f32]) = softmax_numerators_body
}

/// A layer norm's parameters.
pub(super) struct Norm {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

/// BERT's `layer_norm_eps` for this model.
const EPSILON: f32 = 1e-12;
#[inline(always)]
fn add_bias_body(rows: &mut [f32], width: usize, bias: &[f32]) {
    for (row, b) in rows.chunks_exact_mut(width).zip(bias) {
        for x in row {
            *x += b;
        }
    }
}

#[inline(always)]
fn bias_gelu_body(rows: &mut [f32], width: usize, bias: &[f32]) {
    for (row, b) in rows.chunks_exact_mut(width).zip(bias) {
        for x in row {
            let v = *x + b;
            *x = 0.5 * v * (1.0 + erf(v * std::f32::consts::FRAC_1_SQRT_2));
        }
    }
}

#[inline(always)]
fn add_norm_body(rows: &mut [f32], width: usize, bias: &[f32], residual: &[f32], norm: &Norm) {
    let height = bias.len() as f32;
    let (mut means, mut scales) = (vec![0.0f32; width], vec![0.0f32; width]);
    for ((row, residual), b) in rows.chunks_exact_mut(width).zip(residual.chunks_exact(width)).zip(bias) {
        for ((x, r), mean) in row.iter_mut().zip(residual).zip(&mut means) {
            *x += b + r;
            *mean += *x;
        }
    }
    for mean in &mut means {
        *mean /= height;
    }
    for row in rows.chunks_exact(width) {
        for ((x, mean), variance) in row.iter().zip(&means).zip(&mut scales) {
            *variance += (x - mean) * (x - mean);
        }
    }
    for scale in &mut scales {
        *scale = 1.0 / (*scale / height + EPSILON).sqrt();
    }
    for ((row, w), b) in rows.chunks_exact_mut(width).zip(&norm.weight).zip(&norm.bias) {
        for ((x, mean), scale) in row.iter_mut().zip(&means).zip(&scales) {
            *x = (*x - mean) * scale * w + b;
        }
    }
}

#[inline(always)]
fn softmax_numerators_body(rows: &mut [f32], sums: &mut [f32]) {
    let width = sums.len();
    // The largest of each column first, in the place of its sum.
    sums.fill(f32::NEG_INFINITY);
    for row in rows.chunks_exact(width) {
        for (x, max) in row.iter().zip(sums.iter_mut()) {
            *max = if *x > *max { *x } else { *max };
        }
    }
    for row in rows.chunks_exact_mut(width) {
        for (x, max) in row.iter_mut().zip(sums.iter()) {
            *x = exp(*x - max);
        }
    }
    sums.fill(0.0);
    for row in rows.chunks_exact(width) {
        for (x, sum) in row.iter().zip(sums.iter_mut()) {
            *sum += x;
        }
    }
}

/// e^x for x ≤ 0 and a little above, relative error under 3e-7: x = n·ln 2 + r, a polynomial for e^r, n into the
/// exponent bits. No branch and no call, so that it can be a vector.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Below this the true value is next to the smallest normal number: zero for every use here.
    let x = x.clamp(-87.0, 88.0);
    // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, the first exact in few bits.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    let exponent = (shifted.to_bits().wrapping_sub(ROUND.to_bits()) << 23).wrapping_add(1.0f32.to_bits());
    p * f32::from_bits(exponent)
}

/// The error function, absolute error under 2e-7: Abramowitz and Stegun, formula 7.1.26.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let p = 1.061_405_4 * t - 1.453_152;
    let p = p * t + 1.421_413_7;
    let p = p * t - 0.284_496_74;
    let p = p * t + 0.254_829_6;
    (1.0 - p * t * exp(-a * a)).copysign(x)
}

/// Scales to length 1; a vector of zeros stays.
pub(super) fn unit(vector: &mut [f32]) -> f32 {
    let length = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    if length > 0.0 {
        let scale = (1.0 / length) as f32;
        vector.iter_mut().for_each(|x| *x *= scale);
    }
    length as f32
}

#[cfg(test)]
mod tests;
