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
fn keys_of_both_kinds_have_users_and_ends() {
    let parse = |line: &str| Cli::try_parse_from(format!("outcrop keys {line}").split_whitespace()).is_ok();
    for good in [
        "create --account 123456789012 --api-key --days 7 --json",
        "create --account 123456789012 --user ada --days 90",
        "create --account 123456789012 --api-key --user ada",
        "list --json",
        "rotate AKIA --retire-after 24h",
        "rotate AKIA --retire-after 7d",
        "revoke AKIA --sessions",
    ] {
        assert!(parse(good), "{good}");
    }
    for bad in [
        "create --account 123456789012 --days 0",
        "create --account 123456789012 --days 36601",
        "create",
        "rotate",
        "rotate AKIA --retire-after soon",
        "rotate AKIA --retire-after -1h",
        "revoke",
    ] {
        assert!(!parse(bad), "{bad}");
    }
}

#[test]
fn help_that_is_printed_as_typed_fits_a_terminal() {
    fn walk(command: &clap::Command) {
        let help = command.get_long_about().map(ToString::to_string).unwrap_or_default();
        // Only help that is kept as it is typed has lines that begin with spaces; clap wraps the rest.
        if help.contains("\n  ") {
            for line in help.lines() {
                assert!(line.chars().count() <= 78, "{}: {line}", command.get_name());
            }
        }
        command.get_subcommands().for_each(walk);
    }
    walk(&Cli::command());
}

#[test]
fn an_action_names_its_service() {
    let check = |action: &str| {
        let line = format!("outcrop access check --principal arn:aws:iam::123456789012:root --action {action}");
        Cli::try_parse_from(line.split_whitespace())
    };
    assert!(check("bedrock:InvokeModel").is_ok());
    assert!(check("InvokeModel").err().unwrap().to_string().contains("bedrock:InvokeModel"));
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

#[test]
fn a_watch_takes_the_times_of_add_and_no_options_of_crawling() {
    let parse = |line: &str| Cli::try_parse_from(format!("outcrop kb watch . {line}").split_whitespace());
    let every = |line: &str| match parse(line).map(|cli| cli.command) {
        Ok(Command::Kb(Kb::Watch { every, .. })) => every.as_secs(),
        _ => panic!("{line}"),
    };
    assert_eq!((every(""), every("--every 5"), every("--every 90s"), every("--every 2m")), (2, 5, 90, 120));
    for bad in ["--every soon", "--every 0", "--every -1", "--depth 2"] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}
