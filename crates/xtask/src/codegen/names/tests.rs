use super::*;

#[test]
fn words_are_found_where_letters_change() {
    for (name, written) in [
        ("maxTokens", "max_tokens"),
        ("modelARN", "model_arn"),
        ("S3Uri", "s3_uri"),
        ("kmsKeyID2Name", "kms_key_id2_name"),
        ("VPCConfig", "vpc_config"),
        ("a-b.c", "a_b_c"),
        ("type", "r#type"),
        ("Match", "r#match"),
        ("typeEquals", "type_equals"),
    ] {
        assert_eq!(snake(name), written);
    }
    assert_eq!(shout("typeName"), "TYPE_NAME");
    assert_eq!(shout("type"), "TYPE");
}

#[test]
fn values_of_every_style_become_variants() {
    for (value, variant) in [
        ("end_turn", "EndTurn"),
        ("ON_DEMAND", "OnDemand"),
        ("endTurn", "EndTurn"),
        ("ada-002", "Ada002"),
        ("1h", "V1h"),
        ("TEXT", "Text"),
    ] {
        assert_eq!(pascal(value), variant);
    }
}

#[test]
fn patterns_are_translated_for_the_regex_crate() {
    for (java, rust) in [
        (r"\d{12}", "[0-9]{12}"),
        (r"[\w-]+", r"[0-9A-Za-z_\-]+"),
        (r"[a-z-]", r"[a-z\-]"),
        (r"[a-\s]", r"[a\- \t\n\x0B\f\r]"),
        (r"[\u0009\u0020-\u00FF]+", r"[\u0009\u0020-\u00FF]+"),
        (r"[[a&&b]", r"[\[a\&\&b]"),
        (r"[^]a]x", "[^]a]x"),
        (r"a\.b\-c", r"a\.b\-c"),
        ("a-b", "a-b"),
    ] {
        assert_eq!(regex(java), rust, "{java}");
    }
}
