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
        bias_gelu(&mut row, 1, &[0.25]);
        let v = f64::from(x - 0.25 + 0.25);
        let exact = 0.5 * v * (1.0 + exact_erf(v / std::f64::consts::SQRT_2));
        assert!((f64::from(row[0]) - exact).abs() < 1e-6, "{x}: {} {exact}", row[0]);
    }
    let mut far = [-1e30, 1e30, -50.0, 50.0];
    bias_gelu(&mut far, 4, &[0.0]);
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
fn soft_max_columns_sum_to_one_at_any_width() {
    for width in [1, 2, 15, 16, 17, 33, 256] {
        let mut rows: Vec<f32> = (0..5 * width).map(|i| (i * 7 % 13) as f32 * 3.0 - 60.0).collect();
        let before = rows.clone();
        let mut sums = vec![7.0; width];
        softmax_numerators(&mut rows, &mut sums);
        for column in 0..width {
            let at = |values: &[f32], row: usize| f64::from(values[row * width + column]);
            let total: f64 = (0..5).map(|row| at(&before, row).exp()).sum();
            for row in 0..5 {
                let value = at(&rows, row) / f64::from(sums[column]);
                assert!((value - at(&before, row).exp() / total).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn norms_have_mean_zero_and_variance_one() {
    let (width, height) = (3, 40);
    let norm = Norm { weight: vec![1.0; height], bias: vec![0.0; height] };
    let mut rows: Vec<f32> = (0..width * height).map(|i| (i * i % 31) as f32).collect();
    add_norm(&mut rows, width, &vec![0.5; height], &vec![1.0; width * height], &norm);
    for column in 0..width {
        let values: Vec<f32> = rows.iter().skip(column).step_by(width).copied().collect();
        assert!(values.iter().sum::<f32>().abs() < 1e-4);
        assert!((values.iter().map(|x| x * x).sum::<f32>() / height as f32 - 1.0).abs() < 1e-5);
    }
}

#[test]
fn every_instruction_set_agrees() {
    let mut fast: Vec<f32> = (0..1536).map(|i| (i as f32 - 700.0) / 150.0).collect();
    let mut plain = fast.clone();
    let bias = vec![0.1; 768];
    bias_gelu(&mut fast, 2, &bias);
    bias_gelu_body(&mut plain, 2, &bias);
    assert!(fast.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn zeros_have_no_direction() {
    let mut zeros = [0.0; 4];
    unit(&mut zeros);
    assert_eq!(zeros, [0.0; 4]);
}
