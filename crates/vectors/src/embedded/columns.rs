//! Which chunks have which attributes, and so which a filter lets through.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use roaring::{MultiOps, RoaringBitmap};

use crate::{Filter, Metadata, OWN, Result, Value, VectorError};

/// How many values one filter may be compared with, all its conditions together: who writes waits for it.
const COMPARED: usize = 50_000_000;

/// All attributes of all chunks that filters may name, by place.
#[derive(Default)]
pub(super) struct Columns {
    all: RoaringBitmap,
    keys: HashMap<String, BTreeMap<Atom, RoaringBitmap>>,
}

impl Columns {
    /// Every place that is taken.
    pub(super) fn all(&self) -> &RoaringBitmap {
        &self.all
    }

    pub(super) fn add(&mut self, slot: u32, metadata: Metadata) {
        self.all.insert(slot);
        for (key, value) in metadata.into_iter().filter(|(key, _)| !key.starts_with(OWN)) {
            self.keys.entry(key).or_default().entry(Atom(value)).or_default().insert(slot);
        }
    }

    /// Forgets a place; `metadata` is what it was added with.
    pub(super) fn remove(&mut self, slot: u32, metadata: &Metadata) {
        self.all.remove(slot);
        for (key, value) in metadata {
            let Some(column) = self.keys.get_mut(key) else { continue };
            let atom = Atom(value.clone());
            let emptied = column.get_mut(&atom).is_some_and(|slots| {
                slots.remove(slot);
                slots.is_empty()
            });
            if emptied {
                column.remove(&atom);
            }
            if column.is_empty() {
                self.keys.remove(key);
            }
        }
    }

    /// The places that pass, as [`Filter::passes`] says it; [`VectorError::Invalid`] where finding them takes too long.
    pub(super) fn allowed(&self, filter: &Filter) -> Result<RoaringBitmap> {
        self.within(filter, &mut { COMPARED })
    }

    /// As [`allowed`](Self::allowed), by `left` comparisons at most.
    fn within(&self, filter: &Filter, left: &mut usize) -> Result<RoaringBitmap> {
        match filter {
            Filter::All(filters) => {
                let mut all = self.all.clone();
                for filter in filters {
                    all &= self.within(filter, left)?;
                }
                Ok(all)
            }
            Filter::Any(filters) => {
                let mut any = RoaringBitmap::new();
                for filter in filters {
                    any |= self.within(filter, left)?;
                }
                Ok(any)
            }
            one => self.single(one, left),
        }
    }

    fn single(&self, filter: &Filter, left: &mut usize) -> Result<RoaringBitmap> {
        let none = BTreeMap::new();
        let column = filter.key().and_then(|key| self.keys.get(key)).unwrap_or(&none);
        let compared = match filter {
            Filter::Equals(..) => 1,
            Filter::In(_, values) => values.len(),
            Filter::NotIn(_, values) => column.len() + values.len(),
            _ => column.len(),
        };
        *left = left.checked_sub(compared).ok_or_else(too_long)?;
        Ok(match filter {
            Filter::Equals(_, value) => self.having(column, value, filter),
            Filter::In(_, values) => listed(column, values),
            Filter::NotIn(_, values) => {
                let strings = column.iter().filter(|(Atom(value), _)| matches!(value, Value::String(_)));
                strings.map(|(_, having)| having).union() - listed(column, values)
            }
            _ => {
                let unset = filter.holds(None);
                // Those whose value says otherwise than none does.
                let others = column.iter().filter(|(Atom(value), _)| filter.holds(Some(value)) != unset);
                let others = others.map(|(_, having)| having).union();
                if unset { &self.all - others } else { others }
            }
        })
    }

    fn having(&self, column: &BTreeMap<Atom, RoaringBitmap>, value: &Value, filter: &Filter) -> RoaringBitmap {
        match column.get(&Atom(value.clone())) {
            Some(slots) if filter.holds(Some(value)) => slots.clone(),
            _ => RoaringBitmap::new(),
        }
    }
}

/// The places whose value is one of these strings.
fn listed(column: &BTreeMap<Atom, RoaringBitmap>, values: &[String]) -> RoaringBitmap {
    values.iter().filter_map(|value| column.get(&Atom(Value::String(value.clone())))).union()
}

fn too_long() -> VectorError {
    VectorError::Invalid(format!(
        "the filter compares more than {COMPARED} values: use fewer conditions on attributes of which nearly every chunk \
         has another value, or equals and in, which compare none"
    ))
}

/// A value with an order, so that equal ones are found.
#[derive(Debug, Clone)]
struct Atom(Value);

impl Ord for Atom {
    fn cmp(&self, other: &Self) -> Ordering {
        // Zero has two signs and one meaning.
        let plain = |n: f64| if n == 0.0 { 0.0 } else { n };
        let rank = |value: &Value| match value {
            Value::Boolean(_) => 0,
            Value::Number(_) => 1,
            Value::String(_) => 2,
            Value::List(_) => 3,
        };
        match (&self.0, &other.0) {
            (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => plain(*a).total_cmp(&plain(*b)),
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (Value::List(a), Value::List(b)) => a.cmp(b),
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}

impl PartialOrd for Atom {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Atom {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Atom {}
