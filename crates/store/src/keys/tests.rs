use super::*;

#[test]
fn key_files_are_read_as_tools_write_them() {
    let hex = "00".repeat(31) + "01"; // openssl rand -hex 32
    let base64 = STANDARD.encode([7; 32]); // openssl rand -base64 32
    let keys = parse(&format!("# a comment\n{hex} # old\r\n\n{base64},{hex}\n")).unwrap();
    assert_eq!(keys.len(), 2, "the same key twice is one key");
    assert_eq!((keys[0].bytes()[31], keys[1].bytes()[0]), (1, 7));
    let again = parse(&keys[1].line()).unwrap();
    assert_eq!(again[0].id, keys[1].id);
    for (wrong, said) in
        [("", "no key in it"), ("# only\n", "no key in it"), ("\nabcd", "line 2"), (&hex[1..], "line 1")]
    {
        let told = parse(wrong).unwrap_err();
        assert!(told.contains(said), "{told}");
        assert!(wrong.len() < 9 || !told.contains(wrong), "a key is never repeated");
    }
}

#[test]
fn ids_are_the_keys_own_and_tell_nothing() {
    let (one, two) = (Key::generate().unwrap(), Key::generate().unwrap());
    assert_ne!(one.id, two.id);
    assert_eq!(one.id.to_string().parse::<KeyId>().unwrap(), one.id);
    assert!(!one.line().contains(&one.id.to_string()));
    assert_eq!(format!("{one:?}"), format!("Key({})", one.id));
    assert!("zz".parse::<KeyId>().is_err() && "00".parse::<KeyId>().is_err() && "ää".parse::<KeyId>().is_err());
}
