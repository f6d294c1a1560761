//! Matrix products and what stands between them, for the tuned layers. Rows are tokens. The loops are compiled once for
//! each instruction set, and the best one that runs here is chosen: soft-max and GELU took as long as the products without.

/// Compiles a function for AVX-512, AVX2 and the base instruction set, and calls the best one that runs here.
macro_rules! by_instruction_set {
    ($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $kind:ty),*) $(-> $answer:ty)? = $body:ident) => {
        $(#[$doc])*
        pub fn $name($($arg: $kind),*) $(-> $answer)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                fn avx512($($arg: $kind),*) $(-> $answer)? {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $kind),*) $(-> $answer)? {
                    $body($($arg),*)
                }
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the processor has just said that it knows these instructions.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has just said that it knows these instructions.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}

by_instruction_set! {
    /// GELU of every value.
    pub fn gelu(values: &mut [f32]) = gelu_body
}
by_instruction_set! {
    /// Every row of `width` becomes a distribution.
    pub fn softmax(rows: &mut [f32], width: usize) = softmax_body
}
by_instruction_set! {
    /// Layer norm of every row; answers each row's scale.
    pub fn norm(rows: &mut [f32], weight: &[f32], bias: &[f32]) -> Vec<f32> = norm_body
}
by_instruction_set! {
    /// The sum of the products of values that stand at the same place.
    pub fn dot(a: &[f32], b: &[f32]) -> f32 = dot_body
}

/// Values that are summed side by side: sums in one order only cannot be vectors.
const LANES: usize = 16;

#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += of(*x));
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|x| of(*x)).sum::<f32>()
}

#[inline(always)]
fn dot_body(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0f32; LANES];
    for (x, y) in a.iter().zip(b) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f32>()
}

/// `a` (m × k) times the transpose of `b` (n × k, a row an output), and `bias`.
pub fn dense(a: &[f32], b: &[f32], bias: &[f32], k: usize) -> Vec<f32> {
    let (m, n) = (a.len() / k, bias.len());
    let mut c = Vec::with_capacity(m * n);
    (0..m).for_each(|_| c.extend_from_slice(bias));
    multiply([m, k, n], View { values: a, row: k, column: 1 }, View { values: b, row: 1, column: k }, 1.0, &mut c, n);
    c
}

/// A matrix: value (i, j) stands at `i * row + j * column`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Where it begins.
    pub values: &'a [f32],
    /// From row to row.
    pub row: usize,
    /// From column to column.
    pub column: usize,
}

/// `c` (rows `row` apart) becomes itself times `keep`, and `a` (m × k) times `b` (k × n).
pub fn multiply([m, k, n]: [usize; 3], a: View<'_>, b: View<'_>, keep: f32, c: &mut [f32], row: usize) {
    let holds = |view: View<'_>, rows: usize, columns: usize| {
        (rows - 1) * view.row + (columns - 1) * view.column < view.values.len()
    };
    if m == 0 || k == 0 || n == 0 {
        return;
    }
    assert!(holds(a, m, k) && holds(b, k, n) && n <= row && (m - 1) * row + n <= c.len());
    // SAFETY: the line above proved that every index of the three views lies inside its slice; `c` is borrowed
    // mutably, so it overlaps neither input, and its rows do not overlap each other.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.values.as_ptr(),
            a.row.cast_signed(),
            a.column.cast_signed(),
            b.values.as_ptr(),
            b.row.cast_signed(),
            b.column.cast_signed(),
            keep,
            c.as_mut_ptr(),
            row.cast_signed(),
            1,
        );
    }
}

/// e^x, relative error under 3e-7, without branch or call: x = n·ln 2 + r, a polynomial for e^r, n into the exponent.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
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

/// GELU by the usual approximation, which is `x * sigmoid(GELU[0] * (x + GELU[1] * x³))`.
pub const GELU: [f32; 2] = [1.595_769, 0.044_715];

#[inline(always)]
fn gelu_body(values: &mut [f32]) {
    for x in values {
        let inner = GELU[0] * (*x + GELU[1] * *x * *x * *x);
        *x /= 1.0 + exp(-inner);
    }
}

#[inline(always)]
fn softmax_body(rows: &mut [f32], width: usize) {
    for row in rows.chunks_exact_mut(width.max(1)) {
        let (chunks, rest) = row.as_chunks::<LANES>();
        let mut lanes = [f32::NEG_INFINITY; LANES];
        for chunk in chunks {
            lanes.iter_mut().zip(chunk).for_each(|(max, x)| *max = if *x > *max { *x } else { *max });
        }
        let largest = lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, x| if *x > max { *x } else { max });
        row.iter_mut().for_each(|x| *x = exp(*x - largest));
        let scale = 1.0 / sum(row, |x| x);
        row.iter_mut().for_each(|x| *x *= scale);
    }
}

#[inline(always)]
fn norm_body(rows: &mut [f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    const EPSILON: f32 = 1e-12;
    let width = weight.len().max(1);
    let mut scales = Vec::with_capacity(rows.len() / width);
    for row in rows.chunks_exact_mut(width) {
        let mean = sum(row, |x| x) / width as f32;
        let variance = sum(row, |x| (x - mean) * (x - mean)) / width as f32;
        let scale = 1.0 / (variance + EPSILON).sqrt();
        for ((x, w), b) in row.iter_mut().zip(weight).zip(bias) {
            *x = (*x - mean) * scale * w + b;
        }
        scales.push(scale);
    }
    scales
}
