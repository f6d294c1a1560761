use super::*;

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| random.f32() - 0.5).collect()
}

#[test]
fn is_the_product_for_every_number_of_tokens() {
    for (outputs, inputs) in [(12, 5), (30, 48), (1, 1)] {
        let (rows, bias) = (numbers(outputs * inputs, 1), vec![0.0; outputs]);
        let dense = Dense::new(&rows, bias);
        for width in [1, 15, 16, 17, 32, 33, 150] {
            let input = numbers(inputs * width, 2);
            // What an earlier, larger batch left behind must not matter.
            let (mut output, mut columns) = (vec![7.0; outputs * width], vec![Block([9.0; LANES]); 1000]);
            dense.product(&input, &mut columns, &mut output, width);
            for (at, found) in output.iter().enumerate() {
                let (output, token) = (at / width, at % width);
                let terms = (0..inputs).map(|k| rows[output * inputs + k] * input[k * width + token]);
                let expected: f32 = terms.sum();
                assert!((found - expected).abs() < 1e-5, "{outputs}x{inputs}x{width} at {at}: {found}, not {expected}");
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn every_processor_finds_the_same() {
    let blocks = |seed| numbers(40 * LANES, seed).as_chunks().0.iter().map(|block| Block(*block)).collect::<Vec<_>>();
    let (panel, first, second) = (numbers(40 * OUTPUTS, 3).as_chunks().0.to_vec(), blocks(4), blocks(5));
    let find = |by: &dyn Fn(&mut Sums)| {
        let mut sums = EMPTY;
        by(&mut sums);
        sums.as_flattened().as_flattened().to_vec()
    };
    for second in [&second[..], &[]] {
        let expected = find(&|sums| plain(&panel, &first, second, sums));
        let same = |found: Vec<f32>| found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5);
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what the function needs.
            assert!(same(find(&|sums| unsafe { wide::avx512(&panel, &first, second, sums) })));
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has what the function needs.
            assert!(same(find(&|sums| unsafe { wide::avx2(&panel, &first, second, sums) })));
        }
    }
}
