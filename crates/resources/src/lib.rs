//! What every resource shares: ids, versions, client tokens, paging, tags.
