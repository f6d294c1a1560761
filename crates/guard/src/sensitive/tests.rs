//! Every kind in a few formats that no data set here has, what is none of them, and texts that are made to hurt.

use proptest::prelude::*;

use super::*;

mod names;
mod records;

fn found(text: &str) -> Vec<(Pii, String)> {
    let sensitive = Sensitive::new(&Pii::ALL, &[]).unwrap();
    let kind = |what| match what {
        What::Pii(kind) => kind,
        What::Regex(_) => unreachable!("no expressions are given"),
    };
    sensitive.find(text).into_iter().map(|hit| (kind(hit.what), text[hit.range].to_owned())).collect()
}

#[test]
fn every_kind_is_found() {
    let texts: &[(Pii, &str, &str)] = &[
        (
            Pii::Address,
            "Please send it to 1600 Pennsylvania Avenue NW, Washington, DC 20500 today.",
            "1600 Pennsylvania Avenue NW, Washington, DC 20500",
        ),
        (Pii::Age, "The suspect is 34 years old.", "34"),
        (Pii::Age, "patient aged 7 with fever", "7"),
        (Pii::AwsAccessKey, "key=AKIAIOSFODNN7EXAMPLE;", "AKIAIOSFODNN7EXAMPLE"),
        (
            Pii::AwsSecretKey,
            "\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
        (Pii::CaHealthNumber, "Ontario health card: 1234-567-897-AB", "1234-567-897-AB"),
        (Pii::CaSocialInsuranceNumber, "her SIN is 046 454 286", "046 454 286"),
        (Pii::CreditDebitCardCvv, "CVV2: 123", "123"),
        (Pii::CreditDebitCardExpiry, "card valid thru Jan 2027", "Jan 2027"),
        (Pii::CreditDebitCardNumber, "pay with 4111-1111-1111-1111 now", "4111-1111-1111-1111"),
        (Pii::CreditDebitCardNumber, "amex 3782 822463 10005", "3782 822463 10005"),
        (Pii::DriverId, "CA driver's license D1234567", "D1234567"),
        (Pii::Email, "mail <ann.o'neil+x@mail.example.co.uk>.", "ann.o'neil+x@mail.example.co.uk"),
        (
            Pii::InternationalBankAccountNumber,
            "DE89 3704 0044 0532 0130 00 is the account",
            "DE89 3704 0044 0532 0130 00",
        ),
        (Pii::IpAddress, "from 203.0.113.7:443", "203.0.113.7"),
        (Pii::IpAddress, "from 2001:db8::8a2e:370:7334 to us", "2001:db8::8a2e:370:7334"),
        (Pii::LicensePlate, "number plate AB12 CDE", "AB12 CDE"),
        (Pii::MacAddress, "00-1B-63-84-45-E6", "00-1B-63-84-45-E6"),
        (Pii::Name, "My name is Maria Gonzalez and I need help.", "Maria Gonzalez"),
        (Pii::Password, "the password is: Tr0ub4dor&3", "Tr0ub4dor&3"),
        (Pii::Phone, "call +44 20 7946 0958 or", "+44 20 7946 0958"),
        (Pii::Phone, "(212) 555-0142 is the office", "(212) 555-0142"),
        (Pii::Phone, "appelez le 01 42 68 53 00", "01 42 68 53 00"),
        (Pii::Phone, "tel 98765 43210", "98765 43210"),
        (Pii::Pin, "the PIN code is 4931", "4931"),
        (Pii::Pin, "4931 is my PIN", "4931"),
        (Pii::SwiftCode, "BIC: DEUTDEFF500", "DEUTDEFF500"),
        (Pii::UkNationalHealthServiceNumber, "NHS no 943 476 5919", "943 476 5919"),
        (Pii::UkNationalInsuranceNumber, "QQ is none, AB 12 34 56 C is", "AB 12 34 56 C"),
        (Pii::UkUniqueTaxpayerReferenceNumber, "UTR: 12345 67890", "12345 67890"),
        (Pii::Url, "see www.example.com.", "www.example.com"),
        (Pii::Url, "(https://en.example.org/wiki/A_(b))", "https://en.example.org/wiki/A_(b)"),
        (Pii::Username, "username: jdoe_77", "jdoe_77"),
        (Pii::UsBankAccountNumber, "checking account number 000123456789", "000123456789"),
        (Pii::UsBankRoutingNumber, "routing number 021000021", "021000021"),
        (Pii::UsIndividualTaxIdentificationNumber, "912-70-1234", "912-70-1234"),
        (Pii::UsPassportNumber, "passport number C01234567", "C01234567"),
        (Pii::UsSocialSecurityNumber, "SSN 536-90-4399", "536-90-4399"),
        (Pii::VehicleIdentificationNumber, "1HGCM82633A004352 is stolen", "1HGCM82633A004352"),
    ];
    let missed: Vec<_> = texts
        .iter()
        .filter(|(kind, text, span)| !found(text).contains(&(*kind, (*span).to_owned())))
        .map(|(kind, text, _)| (kind, text, found(text)))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
    let kinds: std::collections::BTreeSet<_> = texts.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds.len(), Pii::ALL.len(), "a kind is not tried");
}

#[test]
fn what_only_looks_like_it_is_not_found() {
    for text in [
        "4111-1111-1111-1112",
        "000-12-3456 and 666-12-3456 and 900-12-3456",
        "order number 123456789012",
        "Version 1.2.3.4 and 127.0.0.1 and 300.1.1.1",
        "2024-05-06 10:30:00",
        "the password is required",
        "let password = args.password;",
        "user = None",
        "pi = 3.14159265358979",
        "GB82 WEST 1234 5698 7654 33",
        "sha d41d8cd98f00b204e9800998ecf8427e",
        "127 0 0 1 255 255",
        "0x7fff5694dc58",
        "1,234,567,890",
        "12345678901234567",
        "page 12 of 48",
        "in 30 days",
        "std::net::Ipv4Addr",
        "self.user.name",
        "foo@bar",
        "the pin is bent",
        "1HGCM82643A004352",
        "10:20:30",
        "100 200 300 400",
    ] {
        assert!(found(text).is_empty(), "{text:?}: {:?}", found(text));
    }
}

#[test]
fn a_kind_is_not_taken_for_another_that_is_asked_for() {
    let phones = Sensitive::new(&[Pii::Phone], &[]).unwrap();
    assert!(phones.find("SSN 536-90-4399, card 4111 1111 1111 1111").is_empty());
    assert!(Sensitive::new(&[], &[]).unwrap().find("a@b.example").is_empty());
}

#[test]
fn expressions_are_told_beside_what_they_overlap() {
    let sensitive = Sensitive::new(&[Pii::Email], &[("Domain", r"[a-z]+\.example"), ("Empty", "z*")]).unwrap();
    let hits = sensitive.find("to a@b.example!");
    assert_eq!(hits.iter().map(|hit| hit.what).collect::<Vec<_>>(), [What::Pii(Pii::Email), What::Regex(0)]);
}

#[test]
fn what_an_engine_in_linear_time_cannot_do_is_named() {
    for (pattern, said) in [
        (r"a(?=b)", "look-ahead ((?=) at character 2"),
        (r"(?<!x)y", "negative look-behind ((?<!) at character 1"),
        (r"(a)\1", "a back-reference (\\1) at character 4"),
        (r"(?P<n>a)(?P=n)", "a back-reference ((?P=)"),
        (r"(?>a+)b", "an atomic group"),
        (r"[a-z", "unclosed character class"),
        (r"a{1000}{1000}", "too large"),
    ] {
        let Err(Refused::Regex { name, reason }) = Sensitive::new(&[], &[("Mine", pattern)]) else {
            panic!("{pattern} is taken")
        };
        assert!(name == "Mine" && reason.contains(said), "{pattern}: {reason}");
    }
    assert!(Sensitive::new(&[], &[("Fine", r"[(?=]\\1(a+)+$")]).is_ok());
}

#[test]
fn damaged_weights_are_refused() {
    let whole = include_bytes!("../../weights/pii.bin");
    assert!(Tagger::read(whole).is_ok());
    let mut damaged = whole.to_vec();
    damaged[100_000] ^= 1;
    assert!(matches!(Tagger::read(&damaged), Err(Refused::Weights(_))));
    assert!(Tagger::read(&whole[..whole.len() - 1]).is_err() && Tagger::read(&[]).is_err());
}

#[test]
fn text_without_end_is_no_trouble() {
    let sensitive = Sensitive::new(&Pii::ALL, &[("Any", "[a-z]+@")]).unwrap();
    for piece in [
        "1",
        "1.",
        "1-",
        "1 ",
        "a@b.cc@",
        "a.",
        "http://",
        "password ",
        "pin 1",
        "\u{301}",
        "\u{202e}a",
        "(",
        "((1",
        "+1",
        "Anna ",
        "4111 ",
        "é",
        ":",
        "AKIA",
        "aged 9 ",
        "\n",
        "AB12",
        "/",
    ] {
        let text = piece.repeat(400_000 / piece.len());
        for hit in sensitive.find(&text) {
            assert!(text.get(hit.range).is_some());
        }
    }
}

/// Text that is dense in what rules look at.
fn dense() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "4111 1111 1111 1111",
        " ",
        "-",
        "@",
        ".",
        "a@b.example",
        "SSN ",
        "536-90-4399",
        "password: ",
        "é",
        "\u{301}",
        "禁",
        "Anna",
        " Smith",
        ", ",
        "(",
        ")",
        "12/27",
        "\n",
        "http://",
        "+1",
        "212 555 0142",
        "aged ",
        "42",
        "PIN ",
        "AB12 CDE",
        "plate ",
        "x",
        "AKIAIOSFODNN7EXAMPLE",
        "/",
        ":",
        "\"",
        "🖕",
        "12 Main Street",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn hits_are_in_order_apart_and_on_boundaries(text in prop_oneof![dense(), any::<String>()]) {
        let sensitive = Sensitive::new(&Pii::ALL, &[("Words", r"\w+")]).unwrap();
        let (mut start, mut end) = (0, 0);
        for hit in sensitive.find(&text) {
            prop_assert!(hit.range.start >= start && !hit.range.is_empty());
            prop_assert!(text.get(hit.range.clone()).is_some());
            start = hit.range.start;
            if matches!(hit.what, What::Pii(_)) {
                prop_assert!(hit.range.start >= end);
                end = hit.range.end;
            }
        }
    }
}
