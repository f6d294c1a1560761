//! The loops over every code, for processors with AVX-512.

use std::arch::x86_64::*;

use super::{CHUNK, PLANES, Planes, ROOM, ROWS};

/// How far ahead of the scan memory is asked for codes.
const PAGE: usize = 4096;

/// As [`super::estimate_rows`]: a register holds one word of each of eight rows.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
pub(super) fn estimate(blocks: &[u64], factors: &[f32], question: &Planes, estimates: &mut [f32]) {
    const { assert!(PLANES == 3 && ROWS == 8) };
    let digits = question.digits.as_slice();
    let (rows, _) = blocks.as_chunks::<ROWS>();
    let (factors, _) = factors.as_chunks::<ROWS>();
    let (estimates, _) = estimates.as_chunks_mut::<ROWS>();
    let (most, unit, two) = (_mm256_set1_ps(question.most), _mm256_set1_ps(question.unit), _mm256_set1_ps(2.0));
    for (at, block) in rows.chunks_exact(digits.len()).enumerate() {
        let (Some(factors), Some(estimates)) = (factors.get(at), estimates.get_mut(at)) else { return };
        // Processors foresee a scan within a page only.
        for line in (0..size_of_val(block)).step_by(64) {
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().wrapping_byte_add(PAGE + line).cast());
        }
        let mut ones = _mm512_setzero_si512();
        let (mut twos, mut fours) = (ones, ones);
        for word in 0..digits.len() {
            // SAFETY: a row of a block is eight words.
            let rows = unsafe { _mm512_loadu_si512(block[word].as_ptr().cast()) };
            let [a, b, c] = digits[word];
            ones = _mm512_add_epi64(ones, differ(rows, a));
            twos = _mm512_add_epi64(twos, differ(rows, b));
            fours = _mm512_add_epi64(fours, differ(rows, c));
        }
        let low = _mm512_add_epi64(ones, _mm512_slli_epi64::<1>(twos));
        let differ = _mm512_add_epi64(low, _mm512_slli_epi64::<2>(fours));
        let differ = _mm256_cvtepi32_ps(_mm512_cvtepi64_epi32(differ));
        let says = _mm256_mul_ps(_mm256_sub_ps(most, _mm256_mul_ps(two, differ)), unit);
        // SAFETY: eight numbers are read, and eight written.
        unsafe {
            let says = _mm256_mul_ps(says, _mm256_loadu_ps(factors.as_ptr()));
            _mm256_storeu_ps(estimates.as_mut_ptr(), says);
        }
    }
}

/// How many bits of each row's word differ from these.
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
#[inline]
fn differ(rows: __m512i, digits: u64) -> __m512i {
    _mm512_popcnt_epi64(_mm512_xor_si512(rows, _mm512_set1_epi64(digits.cast_signed())))
}

/// As [`super::above_each`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) fn above(estimates: &[f32; CHUNK], threshold: f32, places: &mut [u32; ROOM]) -> usize {
    const { assert!(ROOM == CHUNK + 16) };
    let threshold = _mm512_set1_ps(threshold);
    let mut here = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let mut count = 0;
    for sixteen in estimates.as_chunks::<16>().0 {
        // SAFETY: sixteen numbers are read. Sixteen places are written from `count` on, which is at most [`CHUNK`].
        unsafe {
            let passes = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(_mm512_loadu_ps(sixteen.as_ptr()), threshold);
            let found = _mm512_maskz_compress_epi32(passes, here);
            _mm512_storeu_si512(places.as_mut_ptr().add(count).cast(), found);
            count += passes.count_ones() as usize;
        }
        here = _mm512_add_epi32(here, _mm512_set1_epi32(16));
    }
    count
}
