//! Counts of values by size, so that percentiles can be told of points that were merged.
//!
//! A bucket holds the values from `G^i` to `G^(i+1)`, `G = 1.02`; a percentile is told as the middle of its bucket, at
//! most 1 % wrong. Only buckets that hold something are kept: a minute of one metric has few. `sketches-ddsketch` has the
//! same buckets in one dense array from the smallest to the greatest, which is too large to be kept a minute and series.

/// The ratio of a bucket's bounds.
const G: f64 = 1.02;
/// The bucket of what is zero, or too small to matter.
const ZERO: i16 = i16::MIN;
/// What is smaller counts as zero.
const SMALLEST: f64 = 1e-9;
/// More buckets than this are merged by two: a point stays small, whatever values come.
const MAX_BUCKETS: usize = 1024;

/// Buckets in order, each with how many values it holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sketch(Vec<(i16, f64)>);

impl Sketch {
    /// Of one value, so many times. None for values below zero, of which CloudWatch tells no percentiles either.
    pub fn of(value: f64, count: f64) -> Option<Self> {
        (value >= 0.0).then(|| Self(vec![(bucket(value), count)]))
    }

    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            match self.0.binary_search_by_key(bucket, |(known, _)| *known) {
                Ok(place) => self.0[place].1 += count,
                Err(place) => self.0.insert(place, (*bucket, *count)),
            }
        }
        // The smallest values give way: what is asked for is the far end.
        while self.0.len() > MAX_BUCKETS {
            let (_, count) = self.0.remove(0);
            self.0[0].1 += count;
        }
    }

    /// The value below which `percent` of all lie.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let total: f64 = self.0.iter().map(|(_, count)| count).sum();
        let wanted = (percent / 100.0 * total).max(f64::MIN_POSITIVE);
        let mut below = 0.0;
        for (bucket, count) in &self.0 {
            below += count;
            // A hair of room for sums of fractions.
            if below >= wanted - total * 1e-9 {
                return Some(value(*bucket));
            }
        }
        None
    }

    /// Six bytes a bucket: its number and its count.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 6);
        for (bucket, count) in &self.0 {
            bytes.extend(bucket.to_le_bytes());
            bytes.extend((*count as f32).to_le_bytes());
        }
        bytes
    }

    /// What [`Sketch::bytes`] wrote. Bytes that are none are an empty sketch.
    pub fn read(bytes: &[u8]) -> Self {
        let (pieces, _) = bytes.as_chunks::<6>();
        let one =
            |b: &[u8; 6]| (i16::from_le_bytes([b[0], b[1]]), f64::from(f32::from_le_bytes([b[2], b[3], b[4], b[5]])));
        Self(pieces.iter().map(one).collect())
    }
}

fn bucket(value: f64) -> i16 {
    if value < SMALLEST {
        return ZERO;
    }
    // The number stays far inside of i16: CloudWatch's greatest value is 2^360, whose bucket is 12,601.
    (value.ln() / G.ln()).floor().clamp(f64::from(ZERO + 1), f64::from(i16::MAX)) as i16
}

fn value(bucket: i16) -> f64 {
    if bucket == ZERO { 0.0 } else { G.powf(f64::from(bucket) + 0.5) }
}
