use super::*;

fn listed(text: &str) -> String {
    let path = std::env::temp_dir().join(format!("outcrop-doctor-{}-{}.toml", std::process::id(), text.len()));
    std::fs::write(&path, text).unwrap();
    let config = Config::load(Some(&path), |_| None).unwrap();
    std::fs::remove_file(&path).unwrap();
    list(&config)
}

#[test]
fn every_place_is_told_with_its_end() {
    let text = listed(
        "[[providers]]\nname = 'careful'\nkind = 'openai'\nurl = 'http://127.0.0.1:1/v1'\ndata_retention = 'none'\n\
         [[providers]]\nname = 'kept'\nkind = 'openai'\nurl = 'http://127.0.0.1:1/v1'\nrecordings = '/r'\nrecord = true\n\
         [[routes]]\nmodel = 'amazon.nova-lite-v1:0'\ncache_ttl_seconds = 60\n\
         [[routes.targets]]\nprovider = 'careful'\nmodel = 'm'\n",
    );
    for told in ["amazon.nova-lite-v1:0 for 60 s", "keep nothing", "recorded in /r", "not under the mode `none`"] {
        assert!(text.contains(told), "{told}: {text}");
    }
}

#[test]
fn nothing_is_claimed_that_the_configuration_turned_off() {
    let text = listed("[engine]\nprefix_sharing = 'none'\n");
    assert!(text.contains("computed prompts    never\n") && text.contains("no route has one"), "{text}");
}
