use std::io::{Read, Write};
use std::net::TcpListener;

use outcrop_engine::weights::ModelDir;
use outcrop_server::listen::Address;
use outcrop_store::{Options, Sqlite};

use super::*;

#[test]
fn findings_are_one_line_each_and_a_failure_is_an_error() {
    let findings = [Finding::new(Level::Ok, "port", "free"), Finding::new(Level::Fail, "model", "gone\nfetch it")];
    assert_eq!(lines(&findings), "ok    port           free\nfail  model          gone fetch it\n");
    assert!(report(&findings[..1]).is_ok());
    assert!(report(&findings).unwrap_err().contains("1 check failed"));
}

#[test]
fn a_data_folder_may_be_missing_free_or_held_but_not_foreign() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b");
    assert_eq!(checks::data(Some(&path), &Options::default()).level, Level::Ok);
    assert!(!path.exists(), "looking makes nothing");

    drop(Sqlite::open_beside(&path, &Options::default()).unwrap());
    let free = checks::data(Some(&path), &Options::default());
    assert!(free.level == Level::Ok && free.text.contains("no server"), "{}", free.text);

    // A folder of its own: a process that another test forks may hold a lock for a moment longer than its owner.
    let path = folder.path().join("c");
    let _server = Sqlite::open(&path, &Options::default()).unwrap();
    let held = checks::data(Some(&path), &Options::default());
    assert!(held.level == Level::Ok && held.text.contains("running server"), "{}", held.text);

    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("outcrop.db"), b"this is no database, however long it may become").unwrap();
    let found = checks::data(Some(&foreign), &Options::default());
    assert!(found.level == Level::Fail && found.text.contains("--data"), "{}", found.text);
    assert_eq!(checks::data(Some(&foreign.join("outcrop.db/x")), &Options::default()).level, Level::Fail);
}

#[test]
fn a_copy_from_before_a_migration_is_pointed_out() {
    let folder = tempfile::tempdir().unwrap();
    assert!(checks::old_copies(Some(folder.path())).is_empty());
    std::fs::write(folder.path().join("outcrop.db"), b"").unwrap();
    std::fs::write(folder.path().join("outcrop.db.schema-1"), b"").unwrap();
    let found = checks::old_copies(Some(folder.path()));
    assert!(found.len() == 1 && found[0].level == Level::Warn, "{}", lines(&found));
    assert!(found[0].text.starts_with("outcrop.db.schema-1 holds secrets in clear"), "{}", found[0].text);
}

#[test]
fn a_model_that_is_missing_or_damaged_fails_with_the_command_that_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let models = ModelDir::at(folder.path());
    let name = outcrop_engine::weights::TEXT_MODEL;
    let found = checks::model_in(&models, name);
    assert!(found.level == Level::Fail && found.text.contains("outcrop models pull"), "{}", found.text);
    std::fs::create_dir(folder.path().join(name)).unwrap();
    let found = checks::model_in(&models, name);
    assert!(found.level == Level::Fail && found.text.contains("outcrop models rm"), "{}", found.text);
}

#[test]
fn python_matters_as_long_as_models_are_missing() {
    assert_eq!(checks::pip_of("no-such-python", false).level, Level::Fail);
    assert_eq!(checks::pip_of("no-such-python", true).level, Level::Warn);
    assert!(checks::pip_of("false", false).text.contains("has no pip"));
}

#[test]
fn a_port_is_free_ours_or_somebody_elses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    let answering = |answer: &'static [u8]| {
        let listener = listener.try_clone().unwrap();
        let answer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // To the end of its head: to close with something unread would reset the connection.
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                request.push(byte[0]);
            }
            stream.write_all(answer).unwrap();
        });
        let found = checks::port(&address);
        answer.join().unwrap();
        found
    };
    let ours = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    assert!(ours.level == Level::Ok && ours.text.contains("healthy"), "{}", ours.text);
    let secure =
        b"HTTP/1.1 400 Bad Request\r\nx-amzn-errortype: ValidationException\r\n\r\n{\"message\":\"... https://\"}";
    let ours = answering(secure);
    assert!(ours.level == Level::Ok && ours.text.contains("(https)"), "{}", ours.text);
    for other in [&b"HTTP/1.1 404 Not Found\r\n\r\n"[..], b"SSH-2.0-x\r\n", b""] {
        let found = answering(other);
        assert!(found.level == Level::Fail && found.text.contains("--listen"), "{}", found.text);
    }
    drop(listener);
    assert_eq!(checks::port(&"127.0.0.1:0".parse().unwrap()).level, Level::Ok);
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let address = Address::Unix(socket.clone());
    assert!(checks::port(&address).text.contains("is free"));
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(checks::port(&address).text.contains("left behind"));
    let nowhere = checks::port(&"192.0.2.1:7711".parse().unwrap());
    assert!(nowhere.level == Level::Fail && nowhere.text.contains("--listen"), "{}", nowhere.text);
}

#[test]
fn memory_is_compared_with_the_need() {
    assert_eq!(checks::available_in("MemTotal: 9 kB\nMemAvailable:   2048 kB\n"), Some(2_097_152));
    assert_eq!(checks::available_in("MemTotal: 9 kB\n"), None);
    assert_eq!(checks::enough_memory(Some(10), 10).level, Level::Ok);
    assert_eq!(checks::enough_memory(Some(9), 10).level, Level::Warn);
    assert_eq!(checks::enough_memory(None, 10).level, Level::Warn);
}

#[test]
fn a_wrong_configuration_fails_and_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outcrop.toml");
    std::fs::write(&path, "lissten = \"127.0.0.1:1\"\n").unwrap();
    let (found, config) = checks::configuration(Some(&path));
    assert!(config.is_none() && found.level == Level::Fail && found.text.contains("listen"), "{}", found.text);
    assert!(found.text.contains("`listen`? Correct it"), "{}", found.text);
}

#[test]
fn operations_are_listed_from_the_table() {
    let text = operations::list();
    assert!(text.contains("  built      Converse\n"));
    assert!(text.contains("  not built  CreateAutomatedReasoningPolicy\n"));
    assert!(text.contains(" of 240 operations are built."), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("  ")).count(), 240);
}

#[test]
fn routes_are_every_operation_and_every_door() {
    let text = operations::routes();
    assert!(text.contains("GET /outcrop/health health built\n") && text.contains("POST / aws built\n"), "{text}");
    assert!(text.contains("POST /model/{modelId}/converse bedrock-runtime:Converse built\n"), "{text}");
    let operations = text.lines().filter(|line| line.contains(':'));
    assert_eq!(operations.count(), 240, "{text}");
}

#[test]
fn the_way_out_is_described_and_what_is_wrong_with_it_told() {
    let with = |change: fn(&mut Config)| {
        let mut config = Config::default();
        // Whatever proxy the environment names.
        config.outbound.proxy = Some("http://proxy.example.com:3128".parse().unwrap());
        change(&mut config);
        checks::outbound(&config)
    };
    let found = with(|config| config.outbound.allow = vec!["*.example.com".parse().unwrap()]);
    assert_eq!(found.text, "*.example.com may be called, through http://proxy.example.com:3128");
    assert_eq!(with(|config| config.outbound.offline = true).text, "offline: only this machine is called");
    let found = with(|config| config.outbound.ca_file = Some("/nowhere/ca.pem".into()));
    assert!(found.level == Level::Fail && found.text.contains("/nowhere/ca.pem"), "{}", found.text);
}
