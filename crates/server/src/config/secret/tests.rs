use super::*;

fn follow(text: &str) -> Result<String, String> {
    SecretRef::resolve(text).map(|secret| secret.expose().to_owned())
}

#[test]
fn references_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "from a file\r\n").unwrap();
    assert_eq!(follow(&format!("file:{}", path.display())).unwrap(), "from a file");
    assert_eq!(follow("cmd:echo from a program").unwrap(), "from a program");
    assert_eq!(follow("env:CARGO_PKG_NAME").unwrap(), "outcrop-server");
    assert_eq!(follow("as: it is").unwrap(), "as: it is");
}

#[test]
fn no_shell_reads_the_program_s_words() {
    assert_eq!(follow("cmd:echo $HOME; `id` | cat").unwrap(), "$HOME; `id` | cat");
}

#[test]
fn a_reference_that_leads_nowhere_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    for (reference, why) in [
        ("env:OUTCROP_NO_SUCH_VARIABLE".to_owned(), "OUTCROP_NO_SUCH_VARIABLE is not set"),
        ("file:/no/such/file".into(), "/no/such/file"),
        ("cmd:no-such-program".into(), "does not start"),
        ("cmd:false".into(), "exit status: 1"),
        ("cmd:".into(), "no program"),
        (format!("file:{}", empty.display()), "empty secret"),
    ] {
        let said = follow(&reference).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_program_that_hangs_is_ended() {
    let said = from_program("sleep 600", Duration::from_millis(50)).unwrap_err();
    assert!(said.contains("it was ended"), "{said}");
}

#[test]
fn nothing_shows_the_value() {
    for (text, shown) in [("cmd:echo hunter2", "cmd:echo hunter2"), ("correct horse", PLAIN)] {
        let secret = SecretRef::resolve(text).unwrap();
        assert_eq!(format!("{secret:?}"), shown);
        assert_eq!(serde_json::to_value(&secret).unwrap(), shown);
    }
}
