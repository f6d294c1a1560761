//! What is spoken of other AWS services.

use std::path::Path;
use std::sync::Arc;

use outcrop_telemetry::Slice;
use outcrop_telemetry::audit::folder_of;
use outcrop_telemetry::cloudtrail::CloudTrail;

use crate::compat::aws::Slices;

/// All of them, each built by its owner.
pub(super) fn slices(data: &Path) -> Slices {
    let slices: Vec<Arc<dyn Slice>> = vec![Arc::new(CloudTrail::new(folder_of(data)))];
    Slices::new(slices)
}
