//! The inner loops. Each is written once, plainly, and compiled for what processors have; all give the same results,
//! bit for bit, since the order of additions is fixed.

#[cfg(test)]
mod tests;

use super::codes::{PLANES, Planes, ROWS};

/// Compiles a loop for AVX-512, for AVX2, and for whatever there is, and calls the best that the processor has.
macro_rules! compiled {
    ($(#[$about:meta])* $name:ident, $body:ident, ($($arg:ident: $type:ty),*) $(-> $result:ty)?) => {
        $(#[$about])*
        pub(super) fn $name($($arg: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
                fn avx512($($arg: $type),*) $(-> $result)? {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,popcnt")]
                fn avx2($($arg: $type),*) $(-> $result)? {
                    $body($($arg),*)
                }
                let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
                if wide && is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512vpopcntdq") {
                    // SAFETY: the processor has what the function needs.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
                    // SAFETY: the processor has what the function needs.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}

compiled! {
    /// Estimates the likeness of rows to a question. A row whose factor is no number has none.
    estimate, estimate_rows, (blocks: &[u64], factors: &[f32], question: &Planes, estimates: &mut [f32])
}

compiled! {
    /// The product of numbers with numbers kept as bytes.
    dot, dot_lanes, (numbers: &[f32], kept: &[u8]) -> f32
}

compiled! {
    /// How many bits differ.
    differ, differ_bytes, (a: &[u8], b: &[u8]) -> u32
}

#[inline(always)]
fn estimate_rows(blocks: &[u64], factors: &[f32], question: &Planes, estimates: &mut [f32]) {
    let words = question.bits[0].len();
    let [a, b, c, d] = &question.bits;
    const { assert!(PLANES == 4) };
    let rows = blocks.chunks_exact(words * ROWS).zip(factors.as_chunks::<ROWS>().0);
    for ((block, factors), estimates) in rows.zip(estimates.as_chunks_mut::<ROWS>().0) {
        let mut differ = [[0u64; ROWS]; PLANES];
        let planes = a.iter().zip(b).zip(c.iter().zip(d));
        for (row, ((a, b), (c, d))) in block.as_chunks::<ROWS>().0.iter().zip(planes) {
            for (at, word) in row.iter().enumerate() {
                differ[0][at] = differ[0][at].wrapping_add(u64::from((word ^ a).count_ones()));
                differ[1][at] = differ[1][at].wrapping_add(u64::from((word ^ b).count_ones()));
                differ[2][at] = differ[2][at].wrapping_add(u64::from((word ^ c).count_ones()));
                differ[3][at] = differ[3][at].wrapping_add(u64::from((word ^ d).count_ones()));
            }
        }
        let [ones, twos, fours, eights] = differ;
        for at in 0..ROWS {
            // Each digit that differs says its weight less instead of more. Far from overflowing, and not checked,
            // or it would be done one by one.
            let low = ones[at].wrapping_add(twos[at] << 1);
            let high = (fours[at] << 2).wrapping_add(eights[at] << 3);
            let differ = low.wrapping_add(high) as u32;
            estimates[at] = (question.most - 2.0 * differ as f32) * question.unit * factors[at];
        }
    }
}

/// Sixteen sums side by side.
#[inline(always)]
fn dot_lanes(numbers: &[f32], kept: &[u8]) -> f32 {
    let mut sums = [0f32; 16];
    let (blocks, rest) = numbers.as_chunks::<16>();
    let (kept_blocks, kept_rest) = kept.as_chunks::<64>();
    for (a, b) in blocks.iter().zip(kept_blocks) {
        let (b, _) = b.as_chunks::<4>();
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * f32::from_le_bytes(*b);
        }
    }
    let rest: f32 = rest.iter().zip(kept_rest.as_chunks::<4>().0).map(|(a, b)| a * f32::from_le_bytes(*b)).sum();
    sums.iter().sum::<f32>() + rest
}

#[inline(always)]
fn differ_bytes(a: &[u8], b: &[u8]) -> u32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let words = |(a, b): (&[u8; 8], &[u8; 8])| (u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)).count_ones();
    let rest: u32 = a_rest.iter().zip(b_rest).map(|(a, b)| (a ^ b).count_ones()).sum();
    a.iter().zip(b).map(words).sum::<u32>() + rest
}
