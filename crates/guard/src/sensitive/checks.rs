//! Check digits and the ranges in which numbers are given out.

/// Luhn's sum over digits: cards, Canadian social insurance numbers.
pub fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum = |(at, digit): (usize, &u8)| u32::from(if at % 2 == 1 { doubled(*digit) } else { *digit });
    digits.iter().rev().enumerate().map(sum).sum::<u32>().is_multiple_of(10)
}

/// A card of a known network: how it begins, how long it is, Luhn's sum.
pub fn card(digits: &[u8]) -> bool {
    if digits.len() < 13 || digits.len() > 19 || digits.iter().all(|digit| *digit == digits[0]) {
        return false;
    }
    let first = |count: usize| digits[..count].iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(*digit));
    let network = match (first(1), first(2), digits.len()) {
        (4, _, 13 | 16 | 19) | (_, 51..=55, 16) | (_, 34 | 37, 15) | (_, 62 | 81, 16..=19) => true,
        (_, 36 | 38 | 39, 14..=19) | (_, 65, 16..=19) | (_, 50 | 56..=58 | 63 | 67, 13..=19) => true,
        (2, _, 16) => (2200..=2204).contains(&first(4)) || (2221..=2720).contains(&first(4)),
        (3, _, 14..=19) => (300..=305).contains(&first(3)) || first(4) == 3095 || (3528..=3589).contains(&first(4)),
        (_, 60 | 64, 16..=19) => first(4) == 6011 || first(2) == 64 || first(2) == 60,
        (1, _, 15) => first(4) == 1800,
        _ => false,
    };
    network && luhn(digits)
}

/// A US social security number: areas, groups and serials that are given out.
pub fn ssn(digits: &[u8]) -> bool {
    let &[a, b, c, d, e, f, g, h, i] = digits else { return false };
    let area = number(&[a, b, c]);
    area != 0 && area != 666 && area < 900 && number(&[d, e]) != 0 && number(&[f, g, h, i]) != 0
}

/// A US individual taxpayer identification number.
pub fn itin(digits: &[u8]) -> bool {
    digits.len() == 9 && digits[0] == 9 && matches!(number(&digits[3..5]), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// A Canadian social insurance number.
pub fn sin(digits: &[u8]) -> bool {
    digits.len() == 9 && digits[0] != 8 && luhn(digits)
}

/// A number of the National Health Service: modulo 11.
pub fn nhs(digits: &[u8]) -> bool {
    if digits.len() != 10 {
        return false;
    }
    let sum: u32 = digits[..9].iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    (11 - sum % 11) % 11 == u32::from(digits[9])
}

/// A US bank's routing number: districts, and weights 3, 7, 1.
pub fn routing(digits: &[u8]) -> bool {
    if digits.len() != 9 {
        return false;
    }
    let sum: u32 = digits.iter().zip([3, 7, 1].iter().cycle()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    matches!(number(&digits[..2]), 1..=12 | 21..=32 | 61..=72 | 80) && sum.is_multiple_of(10)
}

/// A vehicle's identification number has a check digit in North America: the ninth of 17.
pub fn vin(code: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    if code.len() != 17 {
        return false;
    }
    let mut sum = 0;
    for (letter, weight) in code.iter().zip(WEIGHTS) {
        let value = match letter.to_ascii_uppercase() {
            digit @ b'0'..=b'9' => digit - b'0',
            letter @ b'A'..=b'H' => letter - b'A' + 1,
            letter @ b'J'..=b'N' => letter - b'J' + 1,
            b'P' => 7,
            b'R' => 9,
            letter @ b'S'..=b'Z' => letter - b'S' + 2,
            _ => return false,
        };
        sum += u32::from(value) * weight;
    }
    let check = code[8].to_ascii_uppercase();
    check == if sum % 11 == 10 { b'X' } else { b'0' + (sum % 11) as u8 }
}

/// An international bank account number without its spaces: the country's length, modulo 97.
pub fn iban(code: &[u8]) -> bool {
    let Some(country) = code.get(..2) else { return false };
    let known = LENGTHS.iter().any(|(name, length)| name.as_bytes() == country && *length == code.len());
    if !known {
        return false;
    }
    let mut rest = 0_u32;
    for letter in code[4..].iter().chain(&code[..4]) {
        rest = match letter {
            b'0'..=b'9' => rest * 10 + u32::from(letter - b'0'),
            b'A'..=b'Z' => rest * 100 + u32::from(letter - b'A') + 10,
            _ => return false,
        } % 97;
    }
    rest == 1
}

/// Whether an IBAN may begin with these letters, and how long it then is.
pub fn iban_length(country: &[u8]) -> Option<usize> {
    LENGTHS.iter().find(|(name, _)| name.as_bytes() == country).map(|(_, length)| *length)
}

/// Whether two letters are a country's.
pub fn country(code: &[u8]) -> bool {
    code.len() == 2 && COUNTRIES.as_bytes().chunks(3).any(|name| &name[..2] == code)
}

/// The number that digits write.
pub fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(*digit))
}

/// SWIFT's IBAN registry.
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

/// ISO 3166.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY \
BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA GB GD GE \
GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW \
KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI \
NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR \
SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";
