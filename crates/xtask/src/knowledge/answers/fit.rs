//! Two small linear models, fitted by gradient descent with momentum (Adam) over all rows.

/// A sentence's features, and whether it is right.
type Row = (Vec<f32>, bool);

const STEPS: usize = 600;
const RATE: f64 = 0.05;
/// How much large weights cost.
const DECAY: f64 = 1e-3;

/// Weights under which the right sentences of a group score above the others: softmax over a group.
pub(super) fn choice(groups: &[Vec<Row>], width: usize) -> Vec<f32> {
    let fitted = descend(width, |weights, gradient| {
        for group in groups {
            let scores: Vec<f64> = group.iter().map(|(x, _)| dot(weights, x)).collect();
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let exps: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
            let all: f64 = exps.iter().sum();
            let right: f64 = exps.iter().zip(group).filter(|(_, row)| row.1).map(|(exp, _)| exp).sum();
            for (exp, (x, is_right)) in exps.iter().zip(group) {
                let wanted = if *is_right { exp / right.max(1e-12) } else { 0.0 };
                let pull = (exp / all - wanted) / groups.len() as f64;
                x.iter().zip(gradient.iter_mut()).for_each(|(x, g)| *g += pull * f64::from(*x));
            }
        }
    });
    fitted.into_iter().map(|x| x as f32).collect()
}

/// Bias and weights of a logistic regression; both classes weigh the same.
pub(super) fn logistic(rows: &[Row], width: usize) -> (f32, Vec<f32>) {
    let yes = rows.iter().filter(|row| row.1).count().max(1) as f64;
    let no = (rows.len() as f64 - yes).max(1.0);
    let fitted = descend(width + 1, |weights, gradient| {
        for (x, is) in rows {
            let sum = weights[width] + dot(&weights[..width], x);
            let said = 1.0 / (1.0 + (-sum).exp());
            let pull = (said - f64::from(u8::from(*is))) * if *is { 0.5 / yes } else { 0.5 / no };
            x.iter().zip(gradient.iter_mut()).for_each(|(x, g)| *g += pull * f64::from(*x));
            gradient[width] += pull;
        }
    });
    (fitted[width] as f32, fitted[..width].iter().map(|x| *x as f32).collect())
}

fn dot(weights: &[f64], x: &[f32]) -> f64 {
    weights.iter().zip(x).map(|(w, x)| w * f64::from(*x)).sum()
}

fn descend(width: usize, gradient: impl Fn(&[f64], &mut [f64])) -> Vec<f64> {
    let (mut weights, mut first, mut second) = (vec![0.0; width], vec![0.0; width], vec![0.0; width]);
    for step in 1..=STEPS {
        let mut pull: Vec<f64> = weights.iter().map(|w| w * DECAY).collect();
        gradient(&weights, &mut pull);
        for at in 0..width {
            first[at] = 0.9 * first[at] + 0.1 * pull[at];
            second[at] = 0.999 * second[at] + 0.001 * pull[at] * pull[at];
            let (m, v) =
                (first[at] / (1.0 - 0.9_f64.powi(step as i32)), second[at] / (1.0 - 0.999_f64.powi(step as i32)));
            weights[at] -= RATE * m / (v.sqrt() + 1e-8);
        }
    }
    weights
}
