//! From botocore's service models to `crates/api/src/generated`: one file per service, one emitter per kind of shape.

mod corrections;
mod emit;
mod model;
mod names;

use std::fs;
use std::path::{Path, PathBuf};

/// Service folder in botocore, module here, API version.
const SERVICES: [(&str, &str, &str); 4] = [
    ("bedrock", "bedrock", "2023-04-20"),
    ("bedrock-runtime", "bedrock_runtime", "2023-09-30"),
    ("bedrock-agent", "bedrock_agent", "2023-06-05"),
    ("bedrock-agent-runtime", "bedrock_agent_runtime", "2023-07-26"),
];

/// Generates, or with `check` compares.
pub fn run(models: &Path, check: bool) -> Result<(), String> {
    let out = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../api/src/generated");
    let mut files = Vec::new();
    let mut index = String::from(emit::HEADER);
    for (folder, module, version) in SERVICES {
        let mut model = model::load(&models.join(folder).join(version))?;
        corrections::apply(module, &mut model)?;
        files.push((format!("{module}.rs"), emit::service(module, &model)?));
        index.push_str(&format!("pub mod {module};\n"));
    }
    files.push(("mod.rs".into(), index));
    for (name, text) in files {
        let path = out.join(&name);
        if check {
            let found = fs::read_to_string(&path).unwrap_or_default();
            if found != text {
                return Err(format!("crates/api/src/generated/{name} is stale: run `cargo xtask codegen`"));
            }
        } else {
            fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
            fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}
