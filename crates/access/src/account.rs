//! The account that an access key id speaks of.

/// The account of credentials that name none, as `AWS_ACCESS_KEY_ID=test` does.
pub const DEFAULT_ACCOUNT: &str = "000000000000";

/// The alphabet of base32 (RFC 4648), in which access key ids are written.
pub(crate) const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The account of an access key id: the id itself where it is 12 digits (a convention of local clouds), else
/// what AWS writes into every key id since about 2019: behind `AKIA` or `ASIA` stand 80 bits in base32, a one and
/// then the account in 40 bits. Older ids have a zero there and tell nothing.
pub fn account_of_key(access_key_id: &str) -> Option<String> {
    if is_account(access_key_id) {
        return Some(access_key_id.to_owned());
    }
    let coded = access_key_id.strip_prefix("AKIA").or_else(|| access_key_id.strip_prefix("ASIA"))?;
    if coded.len() != 16 {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in coded.bytes() {
        let value = BASE32.iter().position(|known| *known == byte)?;
        bits = bits << 5 | value as u128;
    }
    let account = (bits >> 39) & 0xff_ffff_ffff;
    let known = bits >> 79 == 1 && account <= 999_999_999_999;
    known.then(|| format!("{account:012}"))
}

/// The 16 letters that say `account`, with 39 bits of `random` behind it.
pub(crate) fn coded_account(account: u64, random: u64) -> String {
    let bits = 1 << 79 | u128::from(account & 0xff_ffff_ffff) << 39 | u128::from(random & 0x7f_ffff_ffff);
    (0..16).rev().map(|at| char::from(BASE32[(bits >> (5 * at)) as usize & 31])).collect()
}

/// Whether `text` is an account: 12 digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read_from_real_key_ids() {
        // Published by those who found the encoding out.
        assert_eq!(account_of_key("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
        assert_eq!(account_of_key("ASIAY34FZKBOKMUTVV7A").as_deref(), Some("609629065308"));
        assert_eq!(account_of_key("ASIAR2TG44V5PDTTBZRR").as_deref(), Some("125843596666"));
    }

    #[test]
    fn an_id_that_names_no_account_has_none() {
        for id in ["", "test", "AKIAIOSFODNN7EXAMPLE", "AKIDEXAMPLE", "AKIAQNZGKIQY56JQ7WM1", "12345678901", "AKIA"] {
            assert_eq!(account_of_key(id), None, "{id}");
        }
        assert_eq!(account_of_key("123456789012").as_deref(), Some("123456789012"));
    }

    #[test]
    fn an_account_survives_its_coding() {
        for (account, random) in [(0, 0), (1, u64::MAX), (123_456_789_012, 7), (999_999_999_999, 1 << 38)] {
            let id = format!("AKIA{}", coded_account(account, random));
            assert_eq!(id.len(), 20);
            assert_eq!(account_of_key(&id), Some(format!("{account:012}")));
        }
    }
}
