//! Lists: which of their levels count, and from where.

use std::collections::HashMap;

use super::header::Header;
use super::{u16_at, u32_at};
use crate::numbering::Numbering;

/// Bytes of a list, of a level's fixed part, and of an override, which is what paragraphs name.
const LIST: usize = 28;
const LEVEL: usize = 28;
const OVERRIDE: usize = 16;

/// The numbering of a document; its lists are named by the places of their overrides, from 1.
pub(super) fn of(header: &Header, table: &[u8]) -> Numbering {
    let lists = levels(header.part(table, header.lists), header.behind(table, header.lists)).unwrap_or_default();
    let overrides = header.part(table, header.overrides);
    let mut all = HashMap::new();
    for index in 0..overrides.len().saturating_sub(4) / OVERRIDE {
        let levels = u32_at(overrides, 4 + index * OVERRIDE).and_then(|id| lists.get(&id));
        for (depth, start) in levels.into_iter().flatten().enumerate() {
            all.insert(((index + 1).to_string(), depth as u32), *start);
        }
    }
    Numbering::new(all)
}

/// The levels of each list: the lists stand first, then all their levels, `behind` them.
fn levels(lists: &[u8], mut behind: &[u8]) -> Option<HashMap<u32, Vec<Option<u32>>>> {
    let mut all = HashMap::new();
    for list in lists.get(2..)?.chunks_exact(LIST).take(usize::from(u16_at(lists, 0)?)) {
        let simple = list[LIST - 2] & 1 != 0;
        let mut levels = Vec::new();
        for _ in 0..if simple { 1 } else { 9 } {
            let Some((start, length)) = level(behind) else { break };
            levels.push(start);
            behind = &behind[length..];
        }
        all.insert(u32_at(list, 0)?, levels);
    }
    Some(all)
}

/// From where a level counts, if it counts in Arabic numbers, and how long its description is.
fn level(bytes: &[u8]) -> Option<(Option<u32>, usize)> {
    let fixed = bytes.get(..LEVEL)?;
    let counts = matches!(fixed[4], 0 | 22);
    let text = LEVEL + usize::from(fixed[24]) + usize::from(fixed[25]);
    let length = text + 2 + usize::from(u16_at(bytes, text)?) * 2;
    (length <= bytes.len()).then_some((u32_at(fixed, 0).filter(|_| counts), length))
}
