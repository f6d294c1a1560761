use std::time::Duration;

use outcrop_engine::weights::Stage;

use super::*;

fn options() -> Options<'static> {
    let outbound = Config::default().outbound.open().unwrap();
    Options { name: None, sha256: None, remote: Remote::from_environment(outbound, true) }
}

#[test]
fn a_hash_goes_with_a_url_and_offline_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let models = ModelDir::at(folder.path().join("models"));
    let hash = "a".repeat(64);
    let told = |what: &str, sha256: Option<&str>| {
        pull(&models, &[what.to_owned()], &Options { sha256, ..options() }).unwrap_err()
    };
    assert!(told("x.gguf", Some(&hash)).contains("--sha256"));
    assert!(told("https://h/x.gguf", None).contains("--sha256"));
    assert!(told("https://h/x.gguf", Some("abc")).contains("abc is no SHA-256: 64 hexadecimal digits"));
    assert!(told("https://h/x.gguf", Some(&hash)).contains("--offline"));
    assert!(told("hf:a/b", None).contains("--offline"));
    assert!(told("hf:a", None).contains("hf:OWNER/NAME"));
    assert!(told("all-minilm-l6-v2", None).contains("switched off"));
}

#[test]
fn a_folder_adds_what_it_can_and_names_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let models = ModelDir::at(folder.path().join("models"));
    let source = folder.path().join("files");
    std::fs::create_dir(&source).unwrap();
    let what = [source.display().to_string()];
    assert!(pull(&models, &what, &options()).unwrap_err().contains("no GGUF file"));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/golden/llama.gguf");
    for name in ["One.gguf", "two.GGUF"] {
        std::fs::copy(&golden, source.join(name)).unwrap();
    }
    std::fs::write(source.join("broken.gguf"), b"no").unwrap();
    std::fs::write(source.join("readme.txt"), b"no").unwrap();
    assert!(pull(&models, &what, &options()).unwrap_err().contains("1 of 3 files"));
    for name in ["one", "two"] {
        assert_eq!(models.show(name).unwrap().state, State::Verified);
    }
    // What is here already is no failure.
    std::fs::remove_file(source.join("broken.gguf")).unwrap();
    pull(&models, &what, &options()).unwrap();
}

#[test]
fn a_path_is_told_from_a_name() {
    for file in ["x.gguf", "X.GGUF", "./x", "folder/x.bin", "/x"] {
        assert!(is_file(file), "{file}");
    }
    for name in ["smollm2-135m-instruct", "gguf", "x.gguf2", ""] {
        assert!(!is_file(name), "{name}");
    }
}

#[test]
fn a_files_name_becomes_a_models_name() {
    for (path, name) in [
        ("/tmp/Qwen2.5-0.5B-Instruct-Q4_K_M.gguf", "qwen2.5-0.5b-instruct-q4-k-m"),
        ("My Model (1).gguf", "my-model--1"),
        ("a.1.2.3..4.gguf", "a.1.2-3--4"),
        ("_x.gguf", "x"),
        ("..", ""),
    ] {
        assert_eq!(name_of(Path::new(path)), name);
    }
    assert_eq!(name_of(Path::new(&format!("{}.gguf", "a".repeat(99)))).len(), 63);
}

#[test]
fn a_line_tells_size_rate_and_remaining_time() {
    let line = |done, total, seconds| progress::line(Stage::Download, done, total, Duration::from_secs(seconds));
    assert_eq!(line(0, 92_000_000, 0), "downloading 92.00 MB");
    assert_eq!(line(46_000_000, 92_000_000, 4), "downloading 46.00 MB of 92.00 MB, 11.50 MB/s, 4 seconds left");
    assert_eq!(line(5000, 0, 1), "downloading 5.00 kB");
    assert_eq!(line(92_000_000, 92_000_000, 8), "downloading 92.00 MB");
}

#[test]
fn a_model_that_is_not_here_is_listed_with_what_it_must_hash_to() {
    let folder = tempfile::tempdir().unwrap();
    let models = ModelDir::at(folder.path());
    let all = models.list().unwrap();
    let status = &all[0];
    assert_eq!(row(status, condition(&models, status))[2..], ["98.36 MB", "not pulled", "Apache-2.0"]);
    let text = show(status, condition(&models, status), header(status));
    assert!(text.contains("outcrop models pull smollm2-135m-instruct"), "{text}");
    assert!(text.contains("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"), "{text}");
}

#[test]
fn a_name_goes_with_one_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let models = ModelDir::at(folder.path());
    for what in [vec![], vec!["x".to_owned()], vec!["a.gguf".to_owned(), "b.gguf".to_owned()]] {
        assert!(pull(&models, &what, &Options { name: Some("name"), ..options() }).unwrap_err().contains("--name"));
    }
}

#[test]
fn a_file_that_is_no_model_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.gguf");
    std::fs::write(&path, b"this is not a model").unwrap();
    let models = ModelDir::at(folder.path().join("models"));
    let error = pull(&models, &[path.display().to_string()], &options()).unwrap_err();
    assert!(error.contains("broken.gguf") && error.contains("not a GGUF file"), "{error}");
}

#[test]
fn damaged_weights_are_corrupt_and_say_how_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let models = ModelDir::at(folder.path());
    let name = Catalog::default().models()[0].name;
    std::fs::create_dir(folder.path().join(name)).unwrap();
    let status = models.show(name).unwrap();
    assert_eq!(row(&status, condition(&models, &status))[3], "corrupt");
    let text = show(&status, condition(&models, &status), None);
    assert!(text.contains("outcrop models rm"), "{text}");
}
