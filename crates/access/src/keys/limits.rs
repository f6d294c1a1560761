//! How many keys a user may have.

use super::{Key, Keys, ROOT};
use crate::AccessError;
use jiff::Timestamp;

/// The most keys of one kind that a user may have at a time, as in IAM: one in use, and one to change over to.
pub const MAX_ACTIVE: usize = 2;

/// Whether `new` may be added: refused where its user has [`MAX_ACTIVE`] keys of that kind that are still good.
pub async fn check_room(keys: &dyn Keys, new: &Key, now: Timestamp) -> Result<(), AccessError> {
    let same = |key: &Key| {
        matches!((key, new), (Key::Access(_), Key::Access(_)) | (Key::Api(_), Key::Api(_)))
            && (key.account(), key.user()) == (new.account(), new.user())
            && key.is_active(now)
    };
    let active: Vec<String> =
        keys.list().await?.iter().filter(|key| same(key)).map(|key| key.id().to_owned()).collect();
    if active.len() < MAX_ACTIVE {
        return Ok(());
    }
    let whose = if new.user() == ROOT { "the account's owner" } else { new.user() };
    Err(AccessError::BadKey(format!(
        "{whose} of account {} has {MAX_ACTIVE} active keys already ({}), the most that a user may have; revoke one first",
        new.account(),
        active.join(", ")
    )))
}
