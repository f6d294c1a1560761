//! Which traces are recorded: OpenTelemetry's own samplers, by their names.

/// Which traces are recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// The share of traces that begin here.
    pub ratio: f64,
    /// The caller's word counts where it has one.
    pub parent_based: bool,
}

impl Default for Sampler {
    fn default() -> Self {
        Self { ratio: 1.0, parent_based: true }
    }
}

impl Sampler {
    /// By what `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` say.
    pub fn named(name: &str, argument: Option<&str>) -> Result<Self, String> {
        let (parent_based, plain) = match name.strip_prefix("parentbased_") {
            Some(plain) => (true, plain),
            None => (false, name),
        };
        let ratio = match plain {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => argument.map_or(Some(1.0), ratio).ok_or("its argument is a number from 0 to 1")?,
            _ => {
                return Err(
                    "a sampler is always_on, always_off or traceidratio, or parentbased_ and one of them".into()
                );
            }
        };
        Ok(Self { ratio, parent_based })
    }

    pub(super) fn samples(self, trace: &[u8; 16], parent: Option<bool>) -> bool {
        if let Some(sampled) = parent.filter(|_| self.parent_based) {
            return sampled;
        }
        // By the low bytes of the id, so that everybody who sees the trace decides alike.
        let mut low = [0; 8];
        low.copy_from_slice(&trace[8..]);
        let low = u64::from_be_bytes(low) >> 11;
        (low as f64) < self.ratio * (1_u64 << 53) as f64
    }
}

fn ratio(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
}
