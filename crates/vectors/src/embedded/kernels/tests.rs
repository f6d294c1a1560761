use super::*;

/// What the processor's own loops say is what the plain ones say, bit for bit.
#[test]
fn every_processor_finds_the_same() {
    let mut random = fastrand::Rng::with_seed(3);
    for words in [1, 2, 8] {
        let digits = (0..words).map(|_| std::array::from_fn(|_| random.u32(..))).collect();
        let question = Planes { digits, most: 32.0 * 7.0, unit: 0.01 };
        let blocks: Vec<u32> = (0..words * ROWS * 5).map(|_| random.u32(..)).collect();
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
        for row in blocks.chunks_exact(words) {
            let each =
                |plane: usize| (0..words).map(|at| (row[at] ^ question.digits[at][plane]).count_ones()).sum::<u32>();
            let expected = (0..PLANES).map(|plane| each(plane) << plane).sum::<u32>();
            assert_eq!(super::digits(row, &question), expected);
            assert_eq!(digits_row(row, &question), expected);
        }
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
    for length in [1, 2, 64, 512] {
        let mut quick: Vec<f32> = (0..length).map(|_| random.f32() - 0.5).collect();
        let mut plain = quick.clone();
        hadamard(&mut quick);
        hadamard_pairs(&mut plain);
        assert_eq!(quick, plain);
    }
    let numbers: Vec<f32> = (0..64).map(|_| random.f32() - 0.5).collect();
    let (mut quick, mut plain) = (numbers.clone(), numbers.clone());
    flip(&mut quick, 0x8000_0000_0000_0005);
    flip_each(&mut plain, 0x8000_0000_0000_0005);
    assert_eq!(quick, plain);
    assert!(plain.iter().zip(&numbers).enumerate().all(|(at, (a, b))| (a != b) == [0, 2, 63].contains(&at)));
    let mut estimates: [f32; CHUNK] = std::array::from_fn(|_| random.f32());
    estimates[7] = f32::NAN;
    for threshold in [f32::NEG_INFINITY, 0.1, 0.5, 0.99, 2.0] {
        let (mut quick, mut plain) = ([0; ROOM], [0; ROOM]);
        let count = above(&estimates, threshold, &mut quick);
        assert_eq!(count, above_each(&estimates, threshold, &mut plain));
        assert_eq!(quick[..count], plain[..count]);
        assert!(plain[..count].iter().all(|at| estimates[*at as usize] > threshold));
    }
}
