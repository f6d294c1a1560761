use super::*;

fn sampler(temperature: f32, top_p: f32, top_k: u32, seed: u64) -> Sampler {
    let sampling =
        Sampling { temperature: Some(temperature), top_p: Some(top_p), top_k: Some(top_k), seed: Some(seed) };
    Sampler::new(&sampling, Defaults::default())
}

fn drawn(sampler: &mut Sampler, logits: &[f32], mask: Option<&[u32]>) -> Vec<usize> {
    let mut counts = vec![0; logits.len()];
    for _ in 0..4000 {
        counts[sampler.pick(logits, mask).unwrap() as usize] += 1;
    }
    counts
}

#[test]
fn no_temperature_takes_the_likeliest() {
    assert_eq!(sampler(0.0, 1.0, 0, 1).pick(&[0.0, 3.0, 2.0], None), Some(1));
}

#[test]
fn a_mask_forbids() {
    assert_eq!(sampler(0.0, 1.0, 0, 1).pick(&[0.0, 3.0, 2.0], Some(&[0b101])), Some(2));
    assert_eq!(drawn(&mut sampler(1.0, 1.0, 0, 1), &[0.0, 3.0, 2.0], Some(&[0b101]))[1], 0);
    assert_eq!(sampler(1.0, 1.0, 0, 1).pick(&[0.0, 3.0], Some(&[0])), None);
}

#[test]
fn tokens_are_drawn_by_their_probability() {
    // Weights 1, 2, 1.
    let counts = drawn(&mut sampler(1.0, 1.0, 0, 7), &[0.0, std::f32::consts::LN_2, 0.0], None);
    for (count, share) in counts.iter().zip([1000, 2000, 1000]) {
        assert!(count.abs_diff(share) < 150, "{counts:?}");
    }
}

#[test]
fn a_lower_temperature_sharpens() {
    // At 0.5, weights 1, 4.
    let counts = drawn(&mut sampler(0.5, 1.0, 0, 7), &[0.0, std::f32::consts::LN_2], None);
    assert!(counts[1].abs_diff(3200) < 150, "{counts:?}");
}

#[test]
fn top_k_and_top_p_keep_the_likeliest() {
    let logits = [1.0, 4.0, 3.0, 2.0];
    let only = |counts: Vec<usize>| {
        counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(token, _)| token).collect::<Vec<_>>()
    };
    assert_eq!(only(drawn(&mut sampler(1.0, 1.0, 2, 3), &logits, None)), [1, 2]);
    // Probabilities .03 .64 .24 .09: the first two reach .7.
    assert_eq!(only(drawn(&mut sampler(1.0, 0.7, 0, 3), &logits, None)), [1, 2]);
    assert_eq!(only(drawn(&mut sampler(1.0, 0.1, 0, 3), &logits, None)), [1]);
}

#[test]
fn a_nucleus_wider_than_the_first_guess_is_found() {
    let logits = vec![0.0; 5000];
    let mut sampler = sampler(1.0, 0.9, 0, 3);
    sampler.pick(&logits, None);
    assert!(sampler.weights.len().abs_diff(4500) < 3, "{}", sampler.weights.len());
}

#[test]
fn the_same_seed_draws_the_same() {
    let logits: Vec<f32> = (0..1000_u16).map(|token| f32::from(token % 17)).collect();
    let draw = |seed| {
        let mut sampler = sampler(1.0, 0.95, 40, seed);
        (0..50).map(|_| sampler.pick(&logits, None)).collect::<Vec<_>>()
    };
    assert_eq!(draw(5), draw(5));
    assert_ne!(draw(5), draw(6));
}
