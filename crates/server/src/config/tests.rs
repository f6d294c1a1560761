use std::num::NonZeroUsize;

use super::*;
use crate::listen::Limits;

fn none(_: &str) -> Option<String> {
    None
}

fn refused(text: &str) -> String {
    Config::parse(text, "outcrop.toml").expect_err("it is accepted").to_string()
}

#[test]
fn the_default_file_is_the_default() {
    assert_eq!(Config::parse(DEFAULT_FILE, "default").unwrap(), Config::default());
    assert_eq!(Config::load(None, none).unwrap(), Config::default());
}

#[test]
fn every_key_is_in_the_default_file_and_explained() {
    // Settings without a default are commented out with a bare "#"; with it taken away they must be real ones.
    let whole: String = DEFAULT_FILE
        .lines()
        .map(|line| {
            format!(
                "{}\n",
                line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' ')).unwrap_or(line)
            )
        })
        .collect();
    let config = Config::parse(&whole, "default").unwrap();
    assert!(config.data.is_some() && config.engine.threads.is_some() && config.engine.context_length.is_some());
    assert!(
        config.stand_ins.text.is_some() && config.stand_ins.embedding.is_some() && config.stand_ins.models.len() == 1
    );
    assert!(config.tls.is_some_and(|tls| tls.client_ca.is_some() && tls.client_auth.is_some()));
    let outbound = config.outbound;
    assert!(outbound.proxy.is_some() && outbound.proxy_credentials.is_some() && outbound.ca_file.is_some());
    assert!(config.metrics.token.is_some() && config.otlp.endpoint.is_some());
    assert!(config.encryption.key_file.is_some() && config.encryption.default_key.is_some());
    assert!(config.encryption.keys.len() == 1 && config.encryption.kms.len() == 1);
    assert!(config.catalogue.model_access_by_account.len() == 1 && config.provisioned.models.len() == 1);
    assert!(config.quotas.models.len() == 1 && config.quotas.rules.len() == 1 && config.loops.calls.is_some());
    assert!(config.budgets.len() == 1 && config.budgets[0].r#match.metadata.len() == 1);
    assert!(config.providers[0].models.len() == 1 && config.providers[0].api_key.is_some());
    assert!(config.catalogue.model_access_by_account.len() == 1 && config.provisioned.models.len() == 1);
    assert!(config.invocation_logs.buckets.len() == 1 && config.invocation_logs.log_groups.len() == 1);
    assert!(config.buckets.len() == 2 && config.buckets["archive"].secret_access_key.is_some());
    assert!(config.secrets["confluence"].account.is_some() && config.knowledge.addresses.len() == 2);
    let store = &config.knowledge.stores["main"];
    assert!(store.password.is_some() && store.user.is_some() && store.sign.is_some());
    assert!(store.region.is_some() && store.profile.is_some());
    assert!(config.local_models[0].sha256.is_some() && config.models.len() == 1);

    // Every key of the struct, as serde knows them, has its line.
    for table in [
        "",
        "[limits]",
        "[dev]",
        "[access]",
        "[access.policies.x]",
        "[[access.users]]\naccount=''\nname=''",
        "[[access.roles]]\naccount=''\nname=''",
        "[[access.oidc]]\nissuer=''\naudiences=[]",
        "[encryption]",
        "[outbound]",
        "[metrics]",
        "[otlp]",
        "[cloudwatch]",
        "[[alarm_actions]]\narn='a'",
        "[stand_ins]",
        "[catalogue]",
        "[provisioned]",
        "[provisioned.models.x]",
        "[quotas]",
        "[quotas.models.x]",
        "[[quotas.rules]]\nname='a'\nby='key'",
        "[loops]",
        "[[budgets]]\nname='a'\nlimit='1 USD'\nperiod='day'",
        "[engine]",
        "[audit]",
        "[invocation_logs]",
        "[s3]",
        "[buckets.x]",
        "[secrets.x]\nvalue='{}'",
        "[knowledge]",
        "[knowledge.crawler]",
        "[knowledge.stores.x]\nkind='postgres'\nurl=''\ntypes=[]",
        "[functions.x]",
        "[tls]\ncert='a'\nkey='b'",
        "[[local_models]]\nname='a'\nfile='b'",
        "[[providers]]\nname='a'\nkind='openai'",
        "[routing]",
        "[routing.breaker]",
        "[cost]",
        "[[prices]]",
        "[[routes]]\nmodel='a'",
        "[[routes]]\nmodel='a'\n[[routes.targets]]\nprovider='a'",
    ] {
        let message = refused(&format!("{table}\nqqqqqqqq = 1"));
        let keys = message.split_once("The keys here are: ").unwrap().1.trim_end_matches('.').split(", ");
        for key in keys {
            let set = |line: &str| {
                let line = line.trim_start_matches(['#', '[']);
                let tables = ["access.", "invocation_logs.", "knowledge.", "quotas.", "routes.", "routing."];
                let within = tables.iter().find_map(|table| line.strip_prefix(table));
                let line = within.unwrap_or(line);
                line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', ']', '.']))
            };
            assert!(DEFAULT_FILE.lines().any(set), "{key} is missing in the default file");
        }
    }
    let mut before = "";
    for line in whole.lines().filter(|line| !line.is_empty()) {
        let is_key = !line.starts_with(['#', '[', '"']) && !line.starts_with("name =") && !line.starts_with("id =");
        assert!(!is_key || before.starts_with('#'), "{line} is not explained");
        before = line;
    }
}

#[test]
fn a_misspelt_key_is_named_with_its_line_and_a_suggestion() {
    assert_eq!(
        refused("listen = '127.0.0.1:1'\nlisen = 1\n"),
        "outcrop.toml, line 2: unknown key `lisen`. Did you mean `listen`?"
    );
    assert_eq!(
        refused("\n\n[limits]\nconnections = 4\n\nbody_byte = 3\n"),
        "outcrop.toml, line 6: unknown key `body_byte`. Did you mean `body_bytes`?"
    );
    assert_eq!(refused("[engin]\nthreads = 3"), "outcrop.toml, line 1: unknown key `engin`. Did you mean `engine`?");
    assert_eq!(
        refused("[dev]\ncolour = 'red'"),
        "outcrop.toml, line 2: unknown key `colour`. The keys here are: region, account, discover."
    );
    assert!(
        refused("[[local_models]]\nname='a'\nfile='b'\nkin = 'text'")
            .contains("line 4: unknown key `kin`. Did you mean `kind`?")
    );
}

#[test]
fn wrong_values_are_told_with_their_line() {
    for (text, line, said) in [
        ("a = 1\nb = ", 2, ""),
        ("listen = 'nowhere'", 1, "unix:/run/outcrop.sock"),
        ("listen = 'unix:here'", 1, "whole path"),
        ("trusted_proxies = ['10.0.0.0/8', 'proxy']", 1, "`proxy` is not a network"),
        ("[tls]\ncert = 'a'", 1, "key"),
        ("[limits]\nconnections = 0", 2, "connections: must be a whole number above 0, not integer `0`"),
        ("[engine]\nthreads = -1", 2, "threads: must be a whole number above 0, not integer `-1`"),
        (
            "[limits]\nheader_timeout_seconds = 5000000000",
            2,
            "above 0 and at most 4294967295, not integer `5000000000`",
        ),
        ("[limits]\ngrace_seconds = -1", 2, "-1"),
        ("[limits]\nbody_bytes = 'many'", 2, "many"),
        ("[stand_ins]\nmode = 'perhaps'", 2, "perhaps"),
        ("[[local_models]]\nname = 'a'", 1, "file"),
    ] {
        let message = refused(text);
        assert!(message.starts_with(&format!("outcrop.toml, line {line}: ")) && message.contains(said), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn the_environment_overrides_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("outcrop.toml");
    std::fs::write(&path, "listen = '127.0.0.1:1'\ndata = '/a'\n[dev]\nregion = 'eu-west-1'\n[[models]]\nid = 'x'\nanything = { goes = 1 }\n").unwrap();
    let environment = |name: &str| {
        let value = match name {
            "OUTCROP_LISTEN" => "127.0.0.1:2",
            "OUTCROP_STAND_INS" => "on",
            "OUTCROP_OFFLINE" => "1",
            "OUTCROP_THREADS" => "3",
            "OUTCROP_ACCOUNT" => "123456789012",
            "OUTCROP_DATA" => "",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let config = Config::load(Some(&path), environment).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:2");
    assert_eq!(config.data.as_deref(), Some(Path::new("/a")));
    assert_eq!((config.dev.region.as_str(), config.dev.account.as_str()), ("eu-west-1", "123456789012"));
    assert!(config.stand_ins.mode.is_on(false));
    assert_eq!(config.engine.threads.map(NonZeroUsize::get), Some(3));
    assert_eq!(config.models[0]["anything"]["goes"].as_integer(), Some(1));

    for (name, value) in [("OUTCROP_LISTEN", "7711"), ("OUTCROP_STAND_INS", "yes"), ("OUTCROP_THREADS", "0")] {
        let error = Config::load(Some(&path), |asked| (asked == name).then(|| value.to_owned())).unwrap_err();
        assert!(error.to_string().contains(name) && error.to_string().contains(value), "{error}");
    }
    let error = Config::load(Some(&dir.path().join("absent")), none).unwrap_err();
    assert!(error.to_string().contains("absent"), "{error}");
}

#[test]
fn who_may_what_is_checked_with_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.json");
    let text = format!(
        "[access.policies.mine]\nfile = {file:?}\n[[access.users]]\naccount = '123456789012'\nname = 'ada'\npolicies = ['mine']"
    );
    let said = |text: &str| Config::parse(text, "x").unwrap().check().unwrap_err().to_string();
    let absent = format!("cannot read {} (set as access.policies.mine.file): ", file.display());
    assert!(said(&text).starts_with(&absent), "{}", said(&text));
    std::fs::write(&file, "[]").unwrap();
    assert!(said(&text).starts_with(&format!("access.policies.mine ({})", file.display())), "{}", said(&text));
    std::fs::write(
        &file,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}]}"#,
    )
    .unwrap();
    Config::parse(&text, "x").unwrap().check().unwrap();
    for (text, what) in [
        ("[access]\ndefault_policies = ['nope']", "default_policies names the policy `nope`"),
        ("[access.policies.x]", "set either `file` or `json`"),
        ("[access.policies.x]\nfile = 'a'\njson = 'b'", "set either `file` or `json`"),
        ("[[access.roles]]\naccount = '123456789012'\nname = 'r'", "set either `trust_file` or `trust`"),
        ("[[access.roles]]\naccount = '123456789012'\nname = 'r'\ntrust = '{}'", "access.roles.trust: "),
        ("[[access.users]]\naccount = '1'\nname = 'r'", "12 digits"),
        (
            "[[access.roles]]\naccount = '123456789012'\nname = 'r'\ntrust_file = '/no/t'",
            "cannot read /no/t (set as access.roles `r`.trust_file)",
        ),
        ("[[access.oidc]]\nissuer = 'x'\naudiences = ['y']", "access.oidc: "),
        (
            "[[access.oidc]]\nissuer = 'x'\naudiences = ['y']\njwks_file = '/no/j'",
            "cannot read /no/j (set as access.oidc `x`.jwks_file)",
        ),
        (
            "[[access.oidc]]\nissuer = 'x'\naudiences = ['y']\nca_file = '/no/c'",
            "cannot read /no/c (set as access.oidc `x`.ca_file)",
        ),
        ("[[access.oidc]]\nissuer = 'x'\naudiences = ['y']\njwks_uri = 'a'\njwks_file = 'b'", "keep one of them"),
    ] {
        assert!(said(text).contains(what), "{}", said(text));
    }
}

#[test]
fn impossible_values_are_refused() {
    for (text, key) in [
        ("[tls]\ncert = 'a'\nkey = 'b'\nclient_auth = 'optional'", "tls.client_auth"),
        ("[dev]\naccount = '123'", "dev.account"),
        ("[dev]\nregion = 'Frankfurt'", "dev.region"),
        ("[[local_models]]\nname = 'a'\nfile = 'a'\nsha256 = 'zz'", "local_models.sha256"),
        ("[[local_models]]\nname = 'a'\nfile = 'a'\n[[local_models]]\nname = 'a'\nfile = 'b'", "local_models.name"),
    ] {
        let error = Config::parse(text, "x").unwrap().check().unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn the_listener_s_defaults_are_the_file_s() {
    assert_eq!(Config::default().limits.of_listener(), Limits::default());
}

#[test]
fn changes_are_told_key_by_key() {
    let parse = |text| Config::parse(text, "x").unwrap();
    let running = parse("listen = '127.0.0.1:1'\n[dev]\nregion = 'eu-west-1'\n[tls]\ncert = 'a'\nkey = 'b'");
    let asked = parse(
        "listen = '127.0.0.1:2'\ntrusted_proxies = ['10.0.0.0/8']\n[tls]\ncert = 'c'\nkey = 'b'\n[engine]\nthreads = 2\n[limits]\nconnections = 7",
    );
    let next = asked.clone().with_fixed_of(&running);
    let told = |changes: Vec<Change>| changes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        told(running.changes(&next)),
        [
            "dev.region: \"eu-west-1\" -> \"us-east-1\"",
            "limits.connections: 4096 -> 7",
            "tls.cert: \"a\" -> \"c\"",
            "trusted_proxies: not set -> [\"10.0.0.0/8\"]",
        ]
    );
    assert_eq!(
        told(next.changes(&asked)),
        ["engine.threads: not set -> 2", "listen: \"127.0.0.1:1\" -> \"127.0.0.1:2\""]
    );
    assert!(running.changes(&running).is_empty());

    // What is refused where it is read may hold a password all the same.
    let url = "[[providers]]\nname = 'up'\nkind = 'openai'\nurl = 'http://me:hunter2@127.0.0.1:9/v1'";
    let shown = told(parse("").changes(&parse(url))).join("\n");
    assert!(shown.contains("http://<hidden>@127.0.0.1:9/v1") && !shown.contains("hunter2"), "{shown}");

    // To begin speaking TLS is for a restart.
    let open = parse("");
    assert!(asked.clone().with_fixed_of(&open).tls.is_none());
    assert!(open.clone().with_fixed_of(&asked).tls.is_some());
}

#[test]
fn the_data_folder_has_a_whole_path_and_is_no_file() {
    use crate::wiring::data_folder;
    let here = std::env::current_dir().unwrap();
    assert_eq!(data_folder(Some(Path::new("no-such-folder"))).unwrap(), here.join("no-such-folder"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = data_folder(Some(file.path())).unwrap_err().to_string();
    assert_eq!(error, format!("{} is a file; --data names a folder", file.path().display()));
}

#[test]
fn providers_have_names_of_their_own_and_what_their_kind_needs() {
    let provider = |more: &str| format!("[[providers]]\nname = 'vllm'\nkind = 'openai'\n{more}");
    let load = |text: &str| Config::parse(text, "outcrop.toml").unwrap().check().map_err(|e| e.to_string());
    assert_eq!(load(&provider("")), Ok(()));
    for (text, told) in [
        (provider(&provider("")), "providers.name"),
        (provider("").replace("vllm", "local"), "providers.name"),
        (provider("").replace("vllm", "My Server"), "providers.name"),
        (provider("").replace("openai", "scripted"), "providers.script"),
        (provider("script = 'x'"), "providers.script"),
        (provider("record = true"), "providers.record"),
        (provider("recordings = 'x'\nrecord = true\ndata_retention = 'none'"), "providers.data_retention"),
        (
            provider("recordings = 'x'\nrecord = true\n")
                + &provider("recordings = 'x'").replace("name = 'vllm'", "name = 'other'"),
            "providers.recordings",
        ),
    ] {
        let error = load(&text).expect_err(&text);
        assert!(error.contains(told), "{error}");
    }
    // Neither what is printed nor what is logged shows a key.
    let config = Config::parse(&provider("api_key = 'sk-secret'\nheaders = { x = 'sk-secret' }"), "t").unwrap();
    let settings = config.providers[0].settings();
    assert_eq!(settings.api_key.as_ref().unwrap().expose(), "sk-secret");
    assert!(!format!("{:?}", config.providers).contains("sk-secret"));
    assert!(!toml::to_string(&config).unwrap().contains("sk-secret"));
}

#[test]
fn routes_name_what_there_is() {
    let route = |more: &str| {
        format!("[[providers]]\nname = 'a'\nkind = 'openai'\n[[routes]]\nmodel = 'm'\n[[routes.targets]]\n{more}")
    };
    let load = |text: &str| Config::parse(text, "outcrop.toml").unwrap().check().map_err(|e| e.to_string());
    assert_eq!(load(&route("provider = 'a'\n[[routes.targets]]\nprovider = 'local'")), Ok(()));
    for (text, told) in [
        (route("provider = 'b'"), "routes.targets.provider is `b`, but must be `local` or"),
        (route("provider = 'a'\nweight = -1.0"), "routes.targets.weight"),
        (route("provider = 'a'\nvariant = 'a b'"), "routes.targets.variant"),
        ("[[routes]]\nmodel = 'm'".into(), "routes.targets"),
        (
            route("provider = 'a'").replace("[[routes.targets]]", "hedge = { percentile = 100 }\n[[routes.targets]]"),
            "routes.hedge",
        ),
        (route("provider = 'a'\n[[routes]]\nmodel = 'm'"), "routes.model"),
        ("[routing]\nretries = 11".into(), "routing.retries"),
        ("[routing]\nretry_share = 1.5".into(), "routing.retry_share"),
        ("[routing.breaker]\nratio = 0.0".into(), "routing.breaker.ratio"),
    ] {
        let error = load(&text).expect_err(&text);
        assert!(error.contains(told), "{error}");
    }
    // What a route does not say is as it is said for all.
    let config =
        Config::parse(&(route("provider = 'a'") + "\n[routing]\nretries = 1\ntotal_seconds = 9"), "t").unwrap();
    let settings = config.routes[0].settings(&config.routing.policy());
    assert_eq!((settings.policy.retries, settings.policy.total.as_secs()), (1, 9));
    assert_eq!(Config::default().routing.policy(), outcrop_gateway::routing::Policy::default());
}

#[test]
fn quotas_that_cannot_be_meant_are_refused() {
    for (text, says) in [
        ("[quotas]\nincreases_up_to = 0.5", "from 1 to 1000000"),
        ("[quotas]\nincreases_up_to = nan", "from 1 to 1000000"),
        ("[[quotas.rules]]\nname = 'a'\nby = 'colour'\nconcurrency = 1", "tag:NAME"),
        ("[[quotas.rules]]\nname = 'a'\nby = 'tag:'\nconcurrency = 1", "tag:NAME"),
        ("[[quotas.rules]]\nname = 'a'\nby = 'key'", "together with tokens_per_minute"),
        ("[[quotas.rules]]\nname = ''\nby = 'key'\nconcurrency = 1", "no other rule has"),
        (
            "[[quotas.rules]]\nname = 'a'\nby = 'key'\nconcurrency = 1\n[[quotas.rules]]\nname = 'a'\nby = 'key'\nconcurrency = 2",
            "no other rule has",
        ),
    ] {
        let message = Config::parse(text, "outcrop.toml").unwrap().check().unwrap_err().to_string();
        assert!(message.contains("quotas.") && message.contains(says), "{message}");
    }
}

#[test]
fn who_keeps_what_is_one_store() {
    let store = |name: &str, more: &str| {
        format!("[knowledge.stores.{name}]\nkind = 'postgres'\nurl = 'postgres://u@localhost/d'\n{more}\n")
    };
    let refused = |text: &str| Config::parse(text, "t").unwrap().check().unwrap_err().to_string();
    assert!(refused(&store("a", "types = []")).contains("the storage types that it serves"));
    assert!(refused(&store("a", "types = ['RDS', 'ORACLE']")).contains("OPENSEARCH_SERVERLESS"));
    let both = store("a", "types = ['RDS']") + &store("b", "types = ['RDS', 'PINECONE']");
    assert!(refused(&both).contains("a serves it too"), "{}", refused(&both));
    let apart = store("a", "types = ['RDS']") + &store("b", "types = ['RDS']\nendpoints = ['arn:x']");
    let config = Config::parse(&apart, "t").unwrap();
    let outbound = outcrop_outbound::Outbound::new(Default::default()).unwrap();
    assert_eq!(config.stores(&outbound).unwrap().len(), 2);
    let of = |text: &str| Config::parse(text, "t").unwrap().stores(&outbound).map(|all| all.len());
    let opensearch = |more: &str| {
        let text = format!("types = ['OPENSEARCH_SERVERLESS']\n{more}");
        of(&store("a", &text).replace("'postgres'", "'opensearch'").replace("postgres://u@", "http://"))
    };
    assert!(opensearch("").is_ok() && opensearch("user = 'u'\npassword = 'p'").is_ok());
    assert!(opensearch("sign = 'aoss'\nregion = 'eu-west-3'").is_ok());
    for (more, says) in [
        ("user = 'u'", "user and password, or sign"),
        ("sign = 'es'\nregion = 'eu-west-3'\nuser = 'u'\npassword = 'p'", "user and password, or sign"),
        ("sign = 'es'", "such as us-east-1"),
        ("region = 'eu-west-3'", "set sign"),
    ] {
        let refused = opensearch(more).unwrap_err().to_string();
        assert!(refused.contains(says), "{more}: {refused}");
    }
    let signed = of(&store("a", "types = ['RDS']\nsign = 'es'")).unwrap_err().to_string();
    assert!(signed.contains("only requests to an \"opensearch\""), "{signed}");
    let secret = store("a", "types = ['RDS']").replace("u@", "u:s3cret@");
    let refused = Config::parse(&secret, "t").unwrap().stores(&outbound).unwrap_err().to_string();
    assert!(refused.contains("knowledge.stores.a") && !refused.contains("s3cret"), "{refused}");
}
