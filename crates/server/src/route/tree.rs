//! The templates as a tree of segments.

/// One node: what may follow.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// By literal segment, sorted.
    literals: Vec<(&'static str, Tree)>,
    label: Option<Box<Tree>>,
    /// The operations whose template ends here, and whether it does so with a slash.
    ends: Vec<(usize, bool)>,
}

impl Tree {
    pub(super) fn insert(&mut self, template: &'static str, index: usize) {
        let path = template.strip_prefix('/').unwrap_or(template);
        let (path, slash) = path.strip_suffix('/').map_or((path, false), |path| (path, true));
        let mut node = self;
        for segment in path.split('/') {
            node = if super::label(segment).is_some() {
                node.label.get_or_insert_default()
            } else {
                let at = match node.literals.binary_search_by_key(&segment, |(literal, _)| literal) {
                    Ok(at) => at,
                    Err(at) => {
                        node.literals.insert(at, (segment, Self::default()));
                        at
                    }
                };
                &mut node.literals[at].1
            };
        }
        node.ends.push((index, slash));
    }

    /// Visits every end that `segments` reach, through literals before labels.
    pub(super) fn walk(&self, segments: &[&str], visit: &mut impl FnMut(usize, bool)) {
        let Some((segment, rest)) = segments.split_first() else {
            for &(index, slash) in &self.ends {
                visit(index, slash);
            }
            return;
        };
        if let Ok(at) = self.literals.binary_search_by_key(segment, |(literal, _)| literal) {
            self.literals[at].1.walk(rest, visit);
        }
        if let Some(label) = &self.label {
            label.walk(rest, visit);
        }
    }
}
