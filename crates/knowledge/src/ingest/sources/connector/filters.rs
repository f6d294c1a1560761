//! Which objects of a service are read: patterns on their names, by the type of the object.

use std::collections::BTreeMap;

use outcrop_api::bedrock_agent::CrawlFilterConfiguration;
use regex::RegexSet;

use crate::ingest::sources::web::patterns;

/// Patterns by object type. Exclusion wins; a type without patterns is read whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filters(BTreeMap<String, (Option<RegexSet>, Option<RegexSet>)>);

impl Filters {
    /// Reads a configuration; what is wrong with it, where something is.
    pub(crate) fn read(told: Option<&CrawlFilterConfiguration>, objects: &[&str]) -> Result<Self, String> {
        let mut filters = Self::default();
        let Some(told) = told else { return Ok(filters) };
        let Some(pattern) = &told.pattern_object_filter else {
            return Err("patternObjectFilter is required when filter type is PATTERN".to_owned());
        };
        for filter in &pattern.filters {
            let object = &filter.object_type;
            if !objects.contains(&&**object) {
                return Err(format!(
                    "The object type {object} cannot be filtered; this source has {}.",
                    objects.join(", ")
                ));
            }
            let include = patterns("inclusion", filter.inclusion_filters.as_deref())?;
            let exclude = patterns("exclusion", filter.exclusion_filters.as_deref())?;
            if filters.0.insert(object.clone(), (include, exclude)).is_some() {
                return Err(format!("The object type {object} has more than one filter."));
            }
        }
        Ok(filters)
    }

    /// Whether an object is read.
    pub(crate) fn take(&self, object: &str, name: &str) -> bool {
        let Some((include, exclude)) = self.0.get(object) else { return true };
        include.as_ref().is_none_or(|include| include.is_match(name))
            && !exclude.as_ref().is_some_and(|exclude| exclude.is_match(name))
    }
}
