use super::*;
use clap::CommandFactory;

#[test]
fn the_definitions_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn an_account_has_twelve_digits() {
    for wrong in ["", "12", "12345678901x", "1234567890123", "１２３４５６７８９０１２"] {
        let error = Cli::try_parse_from(["outcrop", "keys", "create", "--account", wrong]).err().unwrap().to_string();
        assert!(error.contains("12 digits"), "{error}");
    }
    assert!(Cli::try_parse_from(["outcrop", "keys", "create", "--account", "123456789012"]).is_ok());
}

#[test]
fn days_belong_to_api_keys_and_users_to_access_keys() {
    let parse = |more: &str| {
        let line = format!("outcrop keys create --account 123456789012 {more}");
        Cli::try_parse_from(line.split_whitespace()).is_ok()
    };
    assert!(parse("--api-key --days 7 --json"));
    assert!(parse("--user ada"));
    assert!(!parse("--days 7"));
    assert!(!parse("--api-key --days 0"));
    assert!(!parse("--api-key --user ada"));
}

#[test]
fn every_command_and_option_explains_itself() {
    fn walk(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for argument in command.get_arguments().filter(|a| !matches!(a.get_id().as_str(), "help" | "version")) {
            assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
        }
        command.get_subcommands().filter(|c| c.get_name() != "help").for_each(walk);
    }
    walk(&Cli::command());
}
