//! The operators of conditions, by name.

use std::cmp::Ordering;

/// What an operator compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    TextIgnoringCase,
    TextLike,
    Arn,
    Number(Compare),
    Date(Compare),
    Bool,
    Binary,
    Ip,
    Null,
}

/// How numbers and dates are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Compare {
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// How an operator treats a key of many values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// No set operator.
    One,
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// An operator as a condition names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub kind: Kind,
    pub negated: bool,
    pub if_exists: bool,
    pub quantifier: Quantifier,
}

impl Operator {
    pub(super) fn parse(text: &str) -> Option<Self> {
        // AWS reads operators in any letter case.
        let text = text.to_ascii_lowercase();
        let (quantifier, name) = match text.split_once(':') {
            Some(("forallvalues", name)) => (Quantifier::All, name),
            Some(("foranyvalue", name)) => (Quantifier::Any, name),
            Some(_) => return None,
            None => (Quantifier::One, text.as_str()),
        };
        let (if_exists, name) = match name.strip_suffix("ifexists") {
            // `Null` asks just that.
            Some("null") => return None,
            Some(name) => (true, name),
            None => (false, name),
        };
        use Compare::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        let (kind, negated) = match name {
            "stringequals" => (Kind::Text, false),
            "stringnotequals" => (Kind::Text, true),
            "stringequalsignorecase" => (Kind::TextIgnoringCase, false),
            "stringnotequalsignorecase" => (Kind::TextIgnoringCase, true),
            "stringlike" => (Kind::TextLike, false),
            "stringnotlike" => (Kind::TextLike, true),
            "numericequals" => (Kind::Number(Equal), false),
            "numericnotequals" => (Kind::Number(Equal), true),
            "numericlessthan" => (Kind::Number(Less), false),
            "numericlessthanequals" => (Kind::Number(LessOrEqual), false),
            "numericgreaterthan" => (Kind::Number(Greater), false),
            "numericgreaterthanequals" => (Kind::Number(GreaterOrEqual), false),
            "dateequals" => (Kind::Date(Equal), false),
            "datenotequals" => (Kind::Date(Equal), true),
            "datelessthan" => (Kind::Date(Less), false),
            "datelessthanequals" => (Kind::Date(LessOrEqual), false),
            "dategreaterthan" => (Kind::Date(Greater), false),
            "dategreaterthanequals" => (Kind::Date(GreaterOrEqual), false),
            "bool" => (Kind::Bool, false),
            "binaryequals" => (Kind::Binary, false),
            "ipaddress" => (Kind::Ip, false),
            "notipaddress" => (Kind::Ip, true),
            "arnequals" | "arnlike" => (Kind::Arn, false),
            "arnnotequals" | "arnnotlike" => (Kind::Arn, true),
            "null" => (Kind::Null, false),
            _ => return None,
        };
        Some(Self { kind, negated, if_exists, quantifier })
    }
}
