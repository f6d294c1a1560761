use super::super::gguf::tests::sample;
use super::super::{EMBEDDING_MODEL, ModelFile, Silent, TEXT_MODEL};
use super::*;

const FILES: &[ModelFile] = &[ModelFile {
    name: "weights.bin",
    in_wheel: "tiny/weights.bin",
    sha256: "0c238f0b68f9ff7dd96e9c9cb25e9e5e0386ea564e118ca52da81dffd28fba90",
    size: 25,
}];

fn models(dir: &tempfile::TempDir) -> ModelDir {
    ModelDir::at(dir.path().join("models"))
}

fn add(models: &ModelDir, dir: &tempfile::TempDir, bytes: &[u8], name: &str) -> Result<ModelStatus, WeightsError> {
    let path = dir.path().join("source.gguf");
    std::fs::write(&path, bytes).unwrap();
    models.add_gguf(&path, name, &mut Silent)
}

#[test]
fn the_environment_names_the_folder() {
    let locate = |set: &'static [(&str, &str)]| {
        ModelDir::locate_with(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value)))
            .map(|dir| dir.root)
    };
    let all = &[("OUTCROP_MODELS", "/m"), ("XDG_CACHE_HOME", "/c"), ("HOME", "/h")];
    assert_eq!(locate(all).unwrap(), Path::new("/m"));
    assert_eq!(locate(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]).unwrap(), Path::new("/c/outcrop/models"));
    assert_eq!(locate(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]).unwrap(), Path::new("/h/.cache/outcrop/models"));
    assert!(matches!(locate(&[]), Err(WeightsError::NoHome)));
}

#[test]
fn known_models_are_listed_before_they_are_here() {
    let dir = tempfile::tempdir().unwrap();
    let list = models(&dir).list().unwrap();
    assert_eq!(list.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), [TEXT_MODEL, EMBEDDING_MODEL]);
    assert!(list.iter().all(|m| m.state == State::NotPulled && m.size > 90_000_000));
    let error = models(&dir).weights(TEXT_MODEL).unwrap_err();
    assert!(error.to_string().contains("outcrop models pull smollm2-135m-instruct"), "{error}");
}

#[test]
fn unknown_names_hear_the_known_ones() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["gpt", "../etc", "", "a/b", "."] {
        let error = models(&dir).show(name).unwrap_err();
        assert!(error.to_string().contains(TEXT_MODEL), "{error}");
        assert!(models(&dir).remove(name).is_err());
        assert!(models(&dir).pull(name, &mut Silent).is_err());
    }
}

#[test]
fn a_local_file_is_added_listed_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let models = models(&dir);
    let status = add(&models, &dir, &sample("qwen2"), "my-qwen").unwrap();
    assert_eq!(status.state, State::Verified);
    assert_eq!(status.licence.as_deref(), Some("apache-2.0"));
    assert_eq!(status.gguf.as_ref().unwrap().architecture, "qwen2");
    // It stays when the source goes.
    std::fs::remove_file(dir.path().join("source.gguf")).unwrap();
    let weights = models.weights("my-qwen").unwrap();
    assert_eq!(std::fs::read(weights).unwrap(), sample("qwen2"));
    assert_eq!(models.list().unwrap().len(), 3);
    assert!(matches!(add(&models, &dir, &sample("qwen2"), "my-qwen"), Err(WeightsError::Taken(_))));
    models.remove("my-qwen").unwrap();
    assert_eq!(models.list().unwrap().len(), 2);
    assert!(matches!(models.remove("my-qwen"), Err(WeightsError::Unknown { .. })));
}

#[test]
fn what_cannot_run_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let models = models(&dir);
    for (bytes, word) in [
        (b"%PDF-1.7".to_vec(), "not a GGUF"),
        (sample("nomic-bert"), "embedding model"),
        (sample("llama")[..200].to_vec(), "cut short"),
    ] {
        let error = add(&models, &dir, &bytes, "mine").unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    for name in ["Mine", "", "-x", "a b", "../x", "a_b", "a..b", "a.b.c.d", "a.", TEXT_MODEL] {
        assert!(add(&models, &dir, &sample("llama"), name).is_err(), "{name}");
    }
    assert!(models.add_gguf(dir.path(), "mine", &mut Silent).is_err());
    assert!(models.add_gguf(&dir.path().join("none"), "mine", &mut Silent).is_err());
    assert!(!models.root().exists() || std::fs::read_dir(models.root()).unwrap().next().is_none());
}

#[test]
fn an_embedding_model_that_runs_is_added_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let bert = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/bert.gguf");
    let status = models(&dir).add_gguf(Path::new(bert), "mine", &mut Silent).unwrap();
    assert_eq!(status.kind, ModelKind::Embedding);
    let header = status.gguf.unwrap();
    assert_eq!((header.width, header.pooling, header.context_length), (Some(32), Some(1), Some(64)));
}

#[test]
fn a_changed_file_is_noticed_and_a_touched_one_forgiven() {
    let dir = tempfile::tempdir().unwrap();
    let models = models(&dir);
    let file = add(&models, &dir, &sample("llama"), "mine").unwrap().path.join("model.gguf");
    let touch = |seconds| {
        let handle = File::options().append(true).open(&file).unwrap();
        handle.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
    };
    touch(1_000_000);
    assert_eq!(models.show("mine").unwrap().state, State::Changed);
    models.weights("mine").unwrap();
    assert_eq!(models.show("mine").unwrap().state, State::Verified);

    let mut bytes = sample("llama");
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    touch(2_000_000);
    let error = models.weights("mine").unwrap_err();
    assert!(matches!(error, WeightsError::Damaged { .. }), "{error}");
    assert!(models.verify("mine").is_err());
}

#[test]
fn a_record_cannot_lead_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let models = models(&dir);
    let path = add(&models, &dir, &sample("llama"), "mine").unwrap().path.join(RECORD);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"model.gguf\"", "\"../../secret\"")).unwrap();
    assert!(models.weights("mine").is_err());
    std::fs::write(&path, "{").unwrap();
    assert!(matches!(models.weights("mine"), Err(WeightsError::Unknown { .. })));
}

#[test]
fn callers_never_hear_paths() {
    use outcrop_api::AwsError;
    let dir = tempfile::tempdir().unwrap();
    let model = Box::leak(Box::new([Model {
        name: "tiny",
        kind: ModelKind::Text,
        licence: "MIT",
        package: "tiny",
        version: "1",
        wheel_size: 1,
        files: FILES,
    }]));
    let models = ModelDir::with_catalog(dir.path(), Catalog::of(model));
    let error = models.weights("tiny").unwrap_err();
    assert!(!error.message().contains(&dir.path().display().to_string()));
    std::fs::create_dir(dir.path().join("tiny")).unwrap();
    let error = models.weights("tiny").unwrap_err();
    assert!(matches!(error, WeightsError::Damaged { .. }), "{error}");
    assert!(!error.message().contains('/'), "{}", error.message());
}
