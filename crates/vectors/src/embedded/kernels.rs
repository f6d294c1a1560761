//! The inner loops. Each is written once, plainly, and compiled for what processors have; the two that read every code
//! are written again in `wide`, for compilers make shuffles of them. All give the same results, bit for bit, since the
//! order of additions is fixed.

#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod wide;

use super::codes::{CHUNK, PLANES, Planes, ROWS};

/// Room for the places of a chunk, written some at a time.
pub(super) const ROOM: usize = CHUNK + 16;

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
                if is_wide() {
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

/// Whether the processor has what [`wide`] needs.
#[cfg(target_arch = "x86_64")]
fn is_wide() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vpopcntdq")
}

/// Estimates the likeness of rows to a question. A row whose factor is no number has none.
pub(super) fn estimate(blocks: &[u32], factors: &[f32], question: &Planes, estimates: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if is_wide() {
        // SAFETY: the processor has what the function needs.
        return unsafe { wide::estimate(blocks, factors, question, estimates) };
    }
    narrow(blocks, factors, question, estimates);
}

compiled! {
    /// The same where the processor has no wide registers.
    narrow, estimate_rows, (blocks: &[u32], factors: &[f32], question: &Planes, estimates: &mut [f32])
}

/// Where the estimates above a threshold stand, in order: the first so many of `places`.
pub(super) fn above(estimates: &[f32; CHUNK], threshold: f32, places: &mut [u32; ROOM]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_wide() {
        // SAFETY: the processor has what the function needs.
        return unsafe { wide::above(estimates, threshold, places) };
    }
    above_each(estimates, threshold, places)
}

compiled! {
    /// By how much one row's digits differ from a question's.
    digits, digits_row, (row: &[u32], question: &Planes) -> u32
}

compiled! {
    /// The product of numbers with numbers kept as bytes.
    dot, dot_lanes, (numbers: &[f32], kept: &[u8]) -> f32
}

compiled! {
    /// Turns the signs of up to 64 numbers whose bits are set.
    flip, flip_each, (numbers: &mut [f32], bits: u64)
}

compiled! {
    /// The Hadamard transform of a power of two of numbers, not scaled.
    hadamard, hadamard_pairs, (numbers: &mut [f32])
}

compiled! {
    /// How many bits differ.
    differ, differ_bytes, (a: &[u8], b: &[u8]) -> u32
}

/// Asks memory for what will be read soon: a vector lies anywhere, and waiting for it costs more than comparing.
#[inline]
pub(super) fn fetch<T>(soon: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for at in (0..size_of_val(soon)).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(soon.as_ptr().wrapping_byte_add(at).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = soon;
}

// Loops by index where two things go side by side: `Zip::new` is not always inlined, and a call in a loop keeps it from
// becoming vector instructions.

#[inline(always)]
fn estimate_rows(blocks: &[u32], factors: &[f32], question: &Planes, estimates: &mut [f32]) {
    let digits = question.digits.as_slice();
    let (rows, _) = blocks.as_chunks::<ROWS>();
    let (factors, _) = factors.as_chunks::<ROWS>();
    let (estimates, _) = estimates.as_chunks_mut::<ROWS>();
    for (at, block) in rows.chunks_exact(digits.len()).enumerate() {
        let (Some(factors), Some(estimates)) = (factors.get(at), estimates.get_mut(at)) else { return };
        let mut differ = [[0u32; ROWS]; PLANES];
        for word in 0..digits.len() {
            for plane in 0..PLANES {
                for row in 0..ROWS {
                    let bits = (block[word][row] ^ digits[word][plane]).count_ones();
                    // Far from overflowing, and not checked, or it would be done one by one.
                    differ[plane][row] = differ[plane][row].wrapping_add(bits);
                }
            }
        }
        for row in 0..ROWS {
            // Each digit that differs says its weight less instead of more.
            let sum = differ.iter().rev().fold(0u32, |sum, differ| (sum << 1).wrapping_add(differ[row]));
            estimates[row] = question.says(sum) * factors[row];
        }
    }
}

fn above_each(estimates: &[f32; CHUNK], threshold: f32, places: &mut [u32; ROOM]) -> usize {
    let mut count = 0;
    for (at, estimate) in estimates.iter().enumerate() {
        // Without a branch, which could not be foretold.
        places[count] = at as u32;
        count += usize::from(*estimate > threshold);
    }
    count
}

#[inline(always)]
fn digits_row(row: &[u32], question: &Planes) -> u32 {
    let mut differ = [0u32; PLANES];
    for (word, digits) in row.iter().zip(&question.digits) {
        for (differ, digits) in differ.iter_mut().zip(digits) {
            *differ = differ.wrapping_add((word ^ digits).count_ones());
        }
    }
    differ.iter().rev().fold(0, |sum, differ| (sum << 1).wrapping_add(*differ))
}

/// Sixteen sums side by side.
#[inline(always)]
fn dot_lanes(numbers: &[f32], kept: &[u8]) -> f32 {
    let mut sums = [0f32; 16];
    let (blocks, rest) = numbers.as_chunks::<16>();
    let (kept, _) = kept.as_chunks::<4>();
    let (kept_blocks, kept_rest) = kept.as_chunks::<16>();
    for at in 0..blocks.len().min(kept_blocks.len()) {
        for lane in 0..16 {
            sums[lane] += blocks[at][lane] * f32::from_le_bytes(kept_blocks[at][lane]);
        }
    }
    let mut sum = 0f32;
    for at in 0..rest.len().min(kept_rest.len()) {
        sum += rest[at] * f32::from_le_bytes(kept_rest[at]);
    }
    sums.iter().sum::<f32>() + sum
}

#[inline(always)]
fn differ_bytes(a: &[u8], b: &[u8]) -> u32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut differ = 0u32;
    for at in 0..a.len().min(b.len()) {
        let words = u64::from_le_bytes(a[at]) ^ u64::from_le_bytes(b[at]);
        differ = differ.wrapping_add(words.count_ones());
    }
    for at in 0..a_rest.len().min(b_rest.len()) {
        differ = differ.wrapping_add((a_rest[at] ^ b_rest[at]).count_ones());
    }
    differ
}

#[inline(always)]
fn hadamard_pairs(numbers: &mut [f32]) {
    let mut half = 1;
    while half < numbers.len() {
        for pair in numbers.chunks_exact_mut(half * 2) {
            let (left, right) = pair.split_at_mut(half);
            for at in 0..left.len().min(right.len()) {
                (left[at], right[at]) = (left[at] + right[at], left[at] - right[at]);
            }
        }
        half *= 2;
    }
}

#[inline(always)]
fn flip_each(numbers: &mut [f32], bits: u64) {
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = f32::from_bits(number.to_bits() ^ ((bits >> at & 1) as u32) << 31);
    }
}
