//! The constraints of the model: length, range, pattern, enumeration.

use super::Problems;
use crate::shape::{Type, TypeKind};

pub(super) fn check_string(text: &str, ty: &Type, problems: &mut Problems) {
    if ty.min.is_some() || ty.max.is_some() {
        let length = text.chars().count() as f64;
        if let Some(min) = ty.min.filter(|min| length < *min) {
            problems.broken(Some(text), ty.sensitive, &format!("have length greater than or equal to {min}"));
        }
        if let Some(max) = ty.max.filter(|max| length > *max) {
            problems.broken(Some(text), ty.sensitive, &format!("have length less than or equal to {max}"));
        }
    }
    if let Some(pattern) = ty.pattern
        && !pattern.matches(text)
    {
        let must = format!("satisfy regular expression pattern: {}", pattern.source);
        problems.broken(Some(text), ty.sensitive, &must);
    }
    if let TypeKind::Enum(_) = ty.kind {
        check_enum(text, ty, problems);
    }
}

pub(super) fn check_enum(text: &str, ty: &Type, problems: &mut Problems) {
    if let TypeKind::Enum(values) = ty.kind
        && !values.contains(&text)
    {
        problems.broken(Some(text), ty.sensitive, &format!("satisfy enum value set: [{}]", values.join(", ")));
    }
}

pub(super) fn check_number(value: f64, ty: &Type, shown: &dyn Fn() -> String, problems: &mut Problems) {
    if let Some(min) = ty.min.filter(|min| value < *min) {
        problems.broken(Some(&shown()), ty.sensitive, &format!("have value greater than or equal to {min}"));
    }
    if let Some(max) = ty.max.filter(|max| value > *max) {
        problems.broken(Some(&shown()), ty.sensitive, &format!("have value less than or equal to {max}"));
    }
}

pub(super) fn check_count(count: usize, ty: &Type, problems: &mut Problems) {
    let count = count as f64;
    if let Some(min) = ty.min.filter(|min| count < *min) {
        problems.broken(None, ty.sensitive, &format!("have length greater than or equal to {min}"));
    }
    if let Some(max) = ty.max.filter(|max| count > *max) {
        problems.broken(None, ty.sensitive, &format!("have length less than or equal to {max}"));
    }
}
