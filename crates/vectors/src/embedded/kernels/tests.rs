use super::*;

/// What the processor's own loops say is what the plain ones say, bit for bit.
#[test]
fn every_processor_finds_the_same() {
    let mut random = fastrand::Rng::with_seed(3);
    for words in [1, 2, 8] {
        let mut bits = |count: usize| (0..count).map(|_| random.u64(..)).collect::<Vec<u64>>();
        let question = Planes { bits: std::array::from_fn(|_| bits(words)), most: 64.0 * 15.0, unit: 0.01 };
        let blocks = bits(words * ROWS * 5);
        let mut factors: Vec<f32> = (0..ROWS * 5).map(|at| 0.1 + at as f32).collect();
        factors[3] = f32::NAN;
        let (mut quick, mut plain) = (vec![0.0; ROWS * 5], vec![0.0; ROWS * 5]);
        estimate(&blocks, &factors, &question, &mut quick);
        estimate_rows(&blocks, &factors, &question, &mut plain);
        assert!(quick[3].is_nan());
        assert_eq!(
            quick.iter().map(|f| f.to_bits()).collect::<Vec<_>>(),
            plain.iter().map(|f| f.to_bits()).collect::<Vec<_>>()
        );
    }
    for length in [0, 1, 15, 16, 17, 384] {
        let numbers: Vec<f32> = (0..length).map(|_| random.f32() - 0.5).collect();
        let kept: Vec<u8> = (0..length).flat_map(|_| (random.f32() - 0.5).to_le_bytes()).collect();
        assert_eq!(dot(&numbers, &kept).to_bits(), dot_lanes(&numbers, &kept).to_bits());
        let exact: f64 = numbers
            .iter()
            .zip(kept.as_chunks::<4>().0)
            .map(|(a, b)| f64::from(*a) * f64::from(f32::from_le_bytes(*b)))
            .sum();
        assert!((f64::from(dot(&numbers, &kept)) - exact).abs() < 1e-4);
        let other: Vec<u8> = kept.iter().map(|byte| byte ^ 0x11).collect();
        assert_eq!(differ(&kept, &other), 2 * kept.len() as u32);
    }
}
