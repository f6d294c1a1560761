//! Which Regions a cross-Region inference profile may be called from, and where a call may then run.

use std::collections::BTreeMap;

/// Destinations by source Region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    by_source: BTreeMap<String, Destinations>,
}

/// Where a call may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destinations {
    /// In one of these Regions.
    Regions(Vec<String>),
    /// In any commercial Region.
    Anywhere,
}

impl Routes {
    /// Reads lines of the form `us-east-1 us-east-2 > us-east-1 us-east-2 us-west-2`; `*` stands for anywhere.
    pub(super) fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut by_source = BTreeMap::new();
        for line in lines {
            let (sources, destinations) =
                line.split_once('>').ok_or_else(|| format!("`{line}` is not `sources > destinations`"))?;
            let destinations = match destinations.trim() {
                "" => return Err(format!("`{line}` names no destination")),
                "*" => Destinations::Anywhere,
                list => Destinations::Regions(list.split_whitespace().map(str::to_owned).collect()),
            };
            for source in sources.split_whitespace() {
                if by_source.insert(source.to_owned(), destinations.clone()).is_some() {
                    return Err(format!("`{source}` is a source twice"));
                }
            }
        }
        Ok(Self { by_source })
    }

    /// Where a call from `region` may run; `None` if the profile is not offered there.
    pub fn from(&self, region: &str) -> Option<&Destinations> {
        self.by_source.get(region)
    }

    /// The Regions that offer the profile, in order.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.by_source.keys().map(String::as_str)
    }

    /// Every line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Destinations)> {
        self.by_source.iter().map(|(source, to)| (source.as_str(), to))
    }
}
