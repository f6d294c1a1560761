use super::*;

fn random(model: &mut Model, random: &mut fastrand::Rng) {
    let mut fill = |param: &mut Param| param.w.iter_mut().for_each(|w| *w = (random.f32() - 0.5) * 0.1);
    model.layers.iter_mut().flatten().for_each(&mut fill);
    model.heads.iter_mut().for_each(&mut fill);
    for param in model.layers.iter_mut().flatten().filter(|param| param.name.ends_with("norm")) {
        param.w.iter_mut().for_each(|w| *w += 1.0);
    }
}

fn empty() -> Model {
    let layer = |at: usize| {
        let size = |name: &str| match name.trim_end_matches(".bias") {
            "pair" => 2 * WIDTH,
            "inner" => INNER,
            _ => WIDTH,
        };
        let params = NAMES.iter().map(|(name, columns)| {
            let rows = size(name);
            Param::new(&format!("tuned.{at}.{name}"), *columns, vec![0.0; rows * columns])
        });
        params.collect()
    };
    let heads = [
        Param::new("tuned.heads", 2 * WIDTH, vec![0.0; HEADS * 2 * WIDTH]),
        Param::new("tuned.heads.bias", 1, vec![0.0; HEADS]),
    ];
    Model { layers: [layer(0), layer(1)], heads }
}

fn loss(model: &Model, states: &[f32], lengths: &[usize], examples: &[Example]) -> f64 {
    let (read, _) = model.forward(states, lengths);
    let logits = dense(&read, &model.heads[0].w, &model.heads[1].w, 2 * WIDTH);
    let mut sum = 0.0;
    for (row, example) in logits.chunks_exact(HEADS).zip(examples) {
        for (logit, label) in row.iter().zip(example.labels) {
            if let Some(label) = label {
                let signed = f64::from(if label { *logit } else { -*logit });
                sum += f64::from(example.weight) * (1.0 + (-signed).exp()).ln();
            }
        }
    }
    sum / lengths.len() as f64
}

#[test]
fn slopes_are_those_of_the_loss() {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut model = empty();
    random(&mut model, &mut rng);
    let lengths = [3, 5];
    let states: Vec<f32> = (0..8 * WIDTH).map(|_| rng.f32() * 2.0 - 1.0).collect();
    let mut labels = [None; HEADS];
    labels[..4].copy_from_slice(&[Some(true), Some(false), None, Some(true)]);
    let examples = [Example { labels, weight: 1.0 }, Example { labels: [Some(false); HEADS], weight: 0.5 }];
    model.learn(&states, &lengths, &examples);
    let learned = model.clone();
    for at in 0..2 * NAMES.len() + 2 {
        let Param { name, g: slopes, .. } =
            learned.layers.iter().flatten().chain(&learned.heads).nth(at).cloned().unwrap();
        // Along the slopes themselves: where the loss changes most, rounding matters least.
        let length: f64 = slopes.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        assert!(length > 1e-6, "{name} learns nothing");
        let step = 2e-2;
        let moved = |sign: f64| {
            let mut moved = learned.clone();
            let param = moved.layers.iter_mut().flatten().chain(&mut moved.heads).nth(at).unwrap();
            param.w.iter_mut().zip(&slopes).for_each(|(w, g)| *w += (sign * step * f64::from(*g) / length) as f32);
            loss(&moved, &states, &lengths, &examples)
        };
        let measured = (moved(1.0) - moved(-1.0)) / (2.0 * step);
        assert!((measured - length).abs() < 0.03 * length + 2e-5, "{name}: {measured} is not {length}");
    }
}

#[test]
fn what_guards_computes_what_was_trained() {
    let mut rng = fastrand::Rng::with_seed(4);
    let mut model = empty();
    random(&mut model, &mut rng);
    let mut file = File::default();
    model.store(&mut file);
    let states: Vec<f32> = (0..7 * WIDTH).map(|_| rng.f32() * 2.0 - 1.0).collect();
    let guarding = outcrop_guard::content::tower::logits(&file.bytes().unwrap(), &states).unwrap();
    for (one, other) in guarding.iter().zip(model.logits(&states)) {
        assert!((one - other).abs() < 0.02, "{one} is not {other}");
    }
}
