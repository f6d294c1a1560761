//! What is known of a metric in one stretch of time.

use super::sketch::Sketch;

/// Count, sum, bounds and, where the values themselves were told, their sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// How many values.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// None where a sum of values came without them, or a value below zero: then nobody knows percentiles.
    pub(crate) sketch: Option<Sketch>,
}

impl Point {
    /// Of one value.
    pub fn of(value: f64) -> Self {
        Self::times(value, 1.0)
    }

    /// Of one value, so many times.
    pub fn times(value: f64, count: f64) -> Self {
        Self { count, sum: value * count, min: value, max: value, sketch: Sketch::of(value, count) }
    }

    /// Of values of which only this is known.
    pub fn summary(count: f64, sum: f64, min: f64, max: f64) -> Self {
        // Where all are the same, they are known after all.
        let sketch = if min == max { Sketch::of(min, count) } else { None };
        Self { count, sum, min, max, sketch }
    }

    /// Both together.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sketch = match (self.sketch.take(), &other.sketch) {
            (Some(mut mine), Some(others)) => {
                mine.merge(others);
                Some(mine)
            }
            _ => None,
        };
    }

    /// The mean.
    pub fn average(&self) -> f64 {
        if self.count > 0.0 { self.sum / self.count } else { 0.0 }
    }

    /// The value below which `percent` of all lie, within 1 %, and never outside of what was seen.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        if percent >= 100.0 {
            return self.sketch.as_ref().map(|_| self.max);
        }
        let told = self.sketch.as_ref()?.percentile(percent)?;
        Some(told.clamp(self.min, self.max))
    }
}
