use super::*;

/// The error function by its series, in double precision.
fn exact_erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

#[test]
fn gelu_is_the_exact_one() {
    for i in -500..=500 {
        let x = i as f32 / 100.0;
        let mut row = [x - 0.25];
        bias_gelu(&mut row, &[0.25]);
        let v = f64::from(x - 0.25 + 0.25);
        let exact = 0.5 * v * (1.0 + exact_erf(v / std::f64::consts::SQRT_2));
        assert!((f64::from(row[0]) - exact).abs() < 1e-6, "{x}: {} {exact}", row[0]);
    }
    let mut far = [-1e30, 1e30, -50.0, 50.0];
    bias_gelu(&mut far, &[0.0; 4]);
    assert_eq!(far[1], 1e30);
    assert_eq!(far[3], 50.0);
    assert!(far[0].abs() < 1e24 && far[2].abs() < 1e-4, "{far:?}");
}

#[test]
fn exponentials_are_close() {
    for i in -8700..=100 {
        let x = i as f32 / 100.0;
        let exact = f64::from(x).exp();
        assert!((f64::from(exp(x)) / exact - 1.0).abs() < 4e-7, "{x}");
    }
    assert!(exp(-1e9) < 1e-37);
}

#[test]
fn soft_max_rows_sum_to_one_at_any_width() {
    for width in [1, 2, 15, 16, 17, 33, 256] {
        let mut rows: Vec<f32> = (0..3 * width).map(|i| (i * 7 % 13) as f32 * 3.0 - 60.0).collect();
        let before = rows.clone();
        softmax(&mut rows, width);
        for (row, before) in rows.chunks(width).zip(before.chunks(width)) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let total: f64 = before.iter().map(|x| f64::from(*x).exp()).sum();
            for (x, b) in row.iter().zip(before) {
                assert!((f64::from(*x) - f64::from(*b).exp() / total).abs() < 1e-6);
            }
        }
    }
    softmax(&mut [], 0);
}

#[test]
fn norms_have_mean_zero_and_variance_one() {
    let width = 40;
    let norm = Norm { weight: vec![1.0; width], bias: vec![0.0; width] };
    let mut rows: Vec<f32> = (0..2 * width).map(|i| (i * i % 31) as f32).collect();
    add_norm(&mut rows, &vec![0.5; width], &vec![1.0; 2 * width], &norm);
    for row in rows.chunks(width) {
        assert!(row.iter().sum::<f32>().abs() < 1e-4);
        assert!((row.iter().map(|x| x * x).sum::<f32>() / width as f32 - 1.0).abs() < 1e-5);
    }
}

#[test]
fn every_instruction_set_agrees() {
    let mut fast: Vec<f32> = (0..1536).map(|i| (i as f32 - 700.0) / 150.0).collect();
    let mut plain = fast.clone();
    let bias = vec![0.1; 768];
    bias_gelu(&mut fast, &bias);
    bias_gelu_body(&mut plain, &bias);
    assert!(fast.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn zeros_have_no_direction() {
    let mut zeros = [0.0; 4];
    unit(&mut zeros);
    assert_eq!(zeros, [0.0; 4]);
}
