use std::collections::BTreeMap;

use outcrop_admission::budgets::Period;

use super::*;

fn row(scope: &[(&str, &str)]) -> Row {
    Row {
        name: "b".into(),
        scope: scope.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect::<BTreeMap<_, _>>(),
        unit: Unit::Usd,
        spent: Default::default(),
        reserved: Default::default(),
        leased: Default::default(),
        limit: Default::default(),
        period: Period::Day,
        start: Timestamp::UNIX_EPOCH,
        end: Timestamp::UNIX_EPOCH,
        state: State::Ok,
        unpriced: 0,
    }
}

#[test]
fn an_account_sees_its_own_budgets_and_those_of_everybody() {
    let rows = [&[][..], &[("model", "m")], &[("account", "1"), ("key", "a")], &[("account", "2"), ("key", "b")]];
    let report = Report { budgets: rows.map(row).into(), omitted: 3 };
    let seen = of_account(report, "1");
    assert_eq!((seen.budgets.len(), seen.omitted), (3, 0));
    assert!(seen.budgets.iter().all(|row| row.scope.get("account").is_none_or(|account| account == "1")));
}

#[tokio::test]
async fn a_folder_that_no_server_used_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    assert!(kept(&missing, &Config::default()).await.unwrap_err().to_string().contains("no server has used"));
    assert!(!missing.exists());
}
