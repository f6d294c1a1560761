use super::*;

/// Dimensions that are a power of two, that are not, and whose codes have a back.
const DIMENSIONS: [usize; 6] = [24, 64, 96, 384, 960, 1024];

fn unit(random: &mut fastrand::Rng, dimensions: usize) -> Vec<f32> {
    let numbers: Vec<f32> = (0..dimensions).map(|_| random.f32() + random.f32() + random.f32() - 1.5).collect();
    let length = product(&numbers, &numbers).sqrt();
    numbers.iter().map(|number| number / length).collect()
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn turning_keeps_every_likeness_and_spreads_what_stands_in_one_number() {
    let mut random = fastrand::Rng::with_seed(5);
    for dimensions in DIMENSIONS {
        let (a, b) = (unit(&mut random, dimensions), unit(&mut random, dimensions));
        assert!((product(&turn(&a), &turn(&b)) - product(&a, &b)).abs() < 1e-5, "{dimensions}");
        for at in [0, dimensions / 2, dimensions - 1] {
            let mut one = vec![0.0; dimensions];
            one[at] = 1.0;
            let turned = turn(&one);
            let even = 1.0 / (turned.len() as f32).sqrt();
            assert!(turned.iter().all(|number| number.abs() < 5.5 * even), "{dimensions}, {at}");
            for half in turned.chunks(turned.len() / 2) {
                let share = product(half, half);
                assert!((0.35..0.65).contains(&share), "{dimensions}, {at}: {share}");
            }
        }
    }
}

/// No more than one in a hundred of those that are so alike is said to be less so than doubt allows.
#[test]
fn an_estimate_errs_by_no_more_than_is_said() {
    let mut random = fastrand::Rng::with_seed(6);
    for dimensions in DIMENSIONS {
        for noise in [0.2, 1.0, 5.0] {
            let question = unit(&mut random, dimensions);
            let mut codes = Codes::new(dimensions);
            let near = |question: &[f32], random: &mut fastrand::Rng| {
                let moved = unit(random, dimensions).into_iter().zip(question).map(|(a, b)| noise * a + b);
                let moved: Vec<f32> = moved.collect();
                let length = product(&moved, &moved).sqrt();
                moved.iter().map(|number| number / length).collect::<Vec<f32>>()
            };
            let kept: Vec<Vec<f32>> = (0..1000).map(|_| near(&question, &mut random)).collect();
            for (slot, vector) in kept.iter().enumerate() {
                codes.set(slot as u32, &Code::new(vector));
            }
            let asked = codes.question(&question, 3.0);
            let mut found = codes.scan(&asked, f32::NEG_INFINITY, |_| true, |_| f32::NEG_INFINITY);
            assert_eq!(found.len(), kept.len());
            let likeness = |found: &Scored| product(&question, &kept[found.slot as usize]);
            let low = found.iter().filter(|found| found.score < codes.least_by_front(&asked, likeness(found))).count();
            assert!(low <= 10, "{dimensions}, {noise}: {low} by the front");
            codes.refine(&asked, &mut found);
            let low = found.iter().filter(|found| found.score < codes.least_by_all(&asked, likeness(found))).count();
            assert!(low <= 10, "{dimensions}, {noise}: {low} by all");
        }
    }
}
