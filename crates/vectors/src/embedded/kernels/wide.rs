//! The loops over every code, for processors with AVX-512.

use std::arch::x86_64::*;

use super::{CHUNK, PLANES, Planes, ROOM, ROWS};

/// How far ahead of the scan memory is asked for codes.
const PAGE: usize = 4096;

/// As [`super::estimate_rows`]: a register holds one word of each of sixteen rows.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq")]
pub(super) fn estimate(blocks: &[u32], factors: &[f32], question: &Planes, estimates: &mut [f32]) {
    const { assert!(ROWS == 16) };
    let digits = question.digits.as_slice();
    let (rows, _) = blocks.as_chunks::<ROWS>();
    let (factors, _) = factors.as_chunks::<ROWS>();
    let (estimates, _) = estimates.as_chunks_mut::<ROWS>();
    let (most, unit, two) = (_mm512_set1_ps(question.most), _mm512_set1_ps(question.unit), _mm512_set1_ps(2.0));
    for (at, block) in rows.chunks_exact(digits.len()).enumerate() {
        let (Some(factors), Some(estimates)) = (factors.get(at), estimates.get_mut(at)) else { return };
        // Processors foresee a scan within a page only.
        for line in (0..size_of_val(block)).step_by(64) {
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().wrapping_byte_add(PAGE + line).cast());
        }
        let mut differs = [_mm512_setzero_si512(); PLANES];
        for word in 0..digits.len() {
            // SAFETY: a word of a block's rows is sixteen times four bytes.
            let rows = unsafe { _mm512_loadu_si512(block[word].as_ptr().cast()) };
            for plane in 0..PLANES {
                differs[plane] = _mm512_add_epi32(differs[plane], differ(rows, digits[word][plane]));
            }
        }
        let mut sum = differs[PLANES - 1];
        for plane in (0..PLANES - 1).rev() {
            sum = _mm512_add_epi32(_mm512_slli_epi32::<1>(sum), differs[plane]);
        }
        let says = _mm512_mul_ps(_mm512_sub_ps(most, _mm512_mul_ps(two, _mm512_cvtepi32_ps(sum))), unit);
        // SAFETY: sixteen numbers are read, and sixteen written.
        unsafe {
            let says = _mm512_mul_ps(says, _mm512_loadu_ps(factors.as_ptr()));
            _mm512_storeu_ps(estimates.as_mut_ptr(), says);
        }
    }
}

/// How many bits of each row's word differ from these.
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
#[inline]
fn differ(rows: __m512i, digits: u32) -> __m512i {
    _mm512_popcnt_epi32(_mm512_xor_si512(rows, _mm512_set1_epi32(digits.cast_signed())))
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
