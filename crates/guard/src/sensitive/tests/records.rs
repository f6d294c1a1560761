//! Values in records: whole, whatever parts the fields.

use super::*;

const VALUES: &[(Pii, &str)] = &[
    (Pii::Phone, "+49 89 1234567"),
    (Pii::Phone, "+14155552671"),
    (Pii::Phone, "030 1234567"),
    (Pii::Phone, "212-555-0142"),
    (Pii::CreditDebitCardNumber, "4111 1111 1111 1111"),
    (Pii::CreditDebitCardNumber, "5555555555554444"),
    (Pii::InternationalBankAccountNumber, "DE89370400440532013000"),
    (Pii::InternationalBankAccountNumber, "fr14 2004 1010 0505 0001 3m02 606"),
    (Pii::Email, "ann.lee@mail.example"),
    (Pii::UsSocialSecurityNumber, "536-90-4399"),
    (Pii::UsIndividualTaxIdentificationNumber, "912-70-1234"),
    (Pii::IpAddress, "203.0.113.7"),
    (Pii::MacAddress, "00:1B:44:11:3A:B7"),
    (Pii::AwsAccessKey, "AKIAIOSFODNN7EXAMPLE"),
    (Pii::UkNationalInsuranceNumber, "AB123456C"),
    (Pii::VehicleIdentificationNumber, "1HGCM82633A004352"),
];

proptest! {
    #[test]
    fn a_value_between_separators_is_found_whole(
        value in prop::sample::select(VALUES),
        before in prop::sample::select(vec![",", ";", "|", "\t", ",\"", ",'", ";\"", "\n", ", ", "={\"x\":\"", "]"]),
        after in prop::sample::select(vec![",", ";", "|", "\t", "\",", "',", "\n", "\"}", ", "]),
        first in prop::sample::select(vec!["Ann", "7", "1203", "row1", "x@y.example", "München"]),
        last in prop::sample::select(vec!["Munich", "7", "2027-01-02", "", "+1"]),
    ) {
        let text = format!("{first}{before}{}{after}{last}", value.1);
        let found = found(&text);
        prop_assert!(found.contains(&(value.0, value.1.to_owned())), "{text:?}: {found:?}");
    }

    #[test]
    fn a_slash_or_a_hyphen_behind_a_word_parts_fields(
        value in prop::sample::select(&VALUES[..6]),
        mark in prop::sample::select(vec!["/", "-"]),
        after in prop::sample::select(vec!["/Ann", "-Ann", "", ","]),
    ) {
        let text = format!("Zoe{mark}{}{after}", value.1);
        let found = found(&text);
        prop_assert!(found.contains(&(value.0, value.1.to_owned())), "{text:?}: {found:?}");
    }
}

#[test]
fn no_part_of_a_number_with_a_plus_is_taken() {
    for text in ["++1 212 555 0123", "+0 212 555 0142", "x+1 212 555 0142"] {
        assert!(found(text).is_empty(), "{text:?}: {:?}", found(text));
    }
    // But another number behind it is.
    assert_eq!(found("+49 89 1234567 / 212-555-0142").len(), 2);
    assert_eq!(found("10.0.0.1-10.0.0.9").len(), 2);
}

#[test]
fn numbers_of_releases_and_sections_are_no_addresses() {
    for text in [
        "openssl 1.1.1.20 was released",
        "Upgrade from 2.0.1.7 to 2.0.1.8",
        "section 14.2.1.1",
        "pip install foo==1.2.3.4",
        "nginx/1.25.3.1",
        "the release is 4.2.2.1 or newer",
        "a MAC like 00:00:00:00:00:00 means none",
        "Node.js and ASP.NET are popular",
        "pin 2048 to the top",
        "987-65-4321",
    ] {
        assert!(found(text).is_empty(), "{text:?}: {:?}", found(text));
    }
    for text in ["ping 8.8.8.8", "the update allowed traffic from 10.0.0.5", "server 203.0.113.7 was released"] {
        assert_eq!(found(text).len(), 1, "{text:?}: {:?}", found(text));
    }
    // Where a word announces it any number that is given out counts.
    assert_eq!(found("ITIN 987-65-4321")[0].0, Pii::UsIndividualTaxIdentificationNumber);
}

#[test]
fn things_have_no_age() {
    for text in
        ["The company is 25 years old", "a 3-year-old laptop", "This wine is 12 years old.", "It is 100 years old"]
    {
        assert!(found(text).is_empty(), "{text:?}: {:?}", found(text));
    }
    for text in [
        "My son is 12 years old",
        "a 3-year-old boy",
        "She left the company. He is 25 years old",
        "Ann is 25 years old",
    ] {
        assert!(found(text).iter().any(|(kind, _)| *kind == Pii::Age), "{text:?}: {:?}", found(text));
    }
}

#[test]
fn the_more_telling_kind_wins() {
    let of = |text: &str, kind: Pii| {
        found(text).into_iter().filter(|found| found.0 == kind).map(|found| found.1).collect::<Vec<_>>()
    };
    assert_eq!(of("postgres://app:pa55w0rd@db.internal:5432/prod", Pii::Password), ["pa55w0rd"]);
    assert!(of("postgres://app:pa55w0rd@db.internal:5432/prod", Pii::Email).is_empty());
    assert_eq!(of("https://bob:s3cret@www.example.com/x", Pii::Url), ["www.example.com/x"]);
    assert_eq!(of("jürgen@müller.de", Pii::Email), ["jürgen@müller.de"]);
    assert!(of("{\"user\": {\"firstName\": \"Omar\"}}", Pii::Username).is_empty());
}
