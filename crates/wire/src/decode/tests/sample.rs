//! A structure with every form, written as the generator writes them.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::shape::{Enumeration, Field, Location, Member, Shape, Slot, Structure, Type, TypeKind as Kind, View, debug};

#[derive(Default)]
pub struct Sample {
    pub id: String,
    pub tags: Option<Vec<String>>,
    pub name: String,
    pub secret: Option<String>,
    pub color: Option<Color>,
    pub count: Option<i32>,
    pub big: Option<i64>,
    pub single: Option<f32>,
    pub double: Option<f64>,
    pub flag: Option<bool>,
    pub at: Option<Timestamp>,
    pub since: Option<Timestamp>,
    pub bytes: Option<Bytes>,
    pub any: Option<Value>,
    pub choice: Option<Choice>,
    pub list: Option<Vec<Choice>>,
    pub map: Option<BTreeMap<String, Choice>>,
}

static NAME: Type = Type::new(Kind::String).min(1.0).max(100.0);
static TEXT: Type = Type::new(Kind::String);
static SECRET: Type = Type::new(Kind::String).max(3.0).sensitive();
static TAGS: Type = Type::new(Kind::List(&TEXT)).max(3.0);
static COLOR: Type = Type::new(Kind::Enum(&["red", "green"]));
static COUNT: Type = Type::new(Kind::Integer).max(100.0);
static BIG: Type = Type::new(Kind::Long);
static SINGLE: Type = Type::new(Kind::Float).max(1.0);
static DOUBLE: Type = Type::new(Kind::Double);
static FLAG: Type = Type::new(Kind::Boolean);
static AT: Type = Type::new(Kind::Timestamp { epoch: false });
static SINCE: Type = Type::new(Kind::Timestamp { epoch: true });
static BYTES: Type = Type::new(Kind::Blob);
static ANY: Type = Type::new(Kind::Document);
static CHOICE: Type = Type::new(Kind::Structure(&CHOICE_SHAPE));
static LIST: Type = Type::new(Kind::List(&CHOICE)).min(1.0);
static MAP: Type = Type::new(Kind::Map(&TEXT, &CHOICE));

const fn member(name: &'static str, at: Location, ty: &'static Type, required: bool) -> Member {
    Member { name, at, ty, required }
}

pub static SAMPLE: Shape = Shape {
    name: "Sample",
    members: &[
        member("id", Location::Label("id"), &NAME, true),
        member("tags", Location::Query("tag"), &TAGS, false),
        member("name", Location::Body, &NAME, true),
        member("secret", Location::Body, &SECRET, false),
        member("color", Location::Body, &COLOR, false),
        member("count", Location::Body, &COUNT, false),
        member("big", Location::Body, &BIG, false),
        member("single", Location::Body, &SINGLE, false),
        member("double", Location::Body, &DOUBLE, false),
        member("flag", Location::Body, &FLAG, false),
        member("at", Location::Body, &AT, false),
        member("since", Location::Body, &SINCE, false),
        member("bytes", Location::Body, &BYTES, false),
        member("any", Location::Body, &ANY, false),
        member("choice", Location::Body, &CHOICE, false),
        member("list", Location::Body, &LIST, false),
        member("map", Location::Body, &MAP, false),
    ],
    union: false,
    sensitive: false,
};

impl Structure for Sample {
    fn shape(&self) -> &'static Shape {
        &SAMPLE
    }
    fn slot(&mut self, index: usize) -> Slot<'_> {
        match index {
            0 => self.id.fill(),
            1 => self.tags.fill(),
            2 => self.name.fill(),
            3 => self.secret.fill(),
            4 => self.color.fill(),
            5 => self.count.fill(),
            6 => self.big.fill(),
            7 => self.single.fill(),
            8 => self.double.fill(),
            9 => self.flag.fill(),
            10 => self.at.fill(),
            11 => self.since.fill(),
            12 => self.bytes.fill(),
            13 => self.any.fill(),
            14 => self.choice.fill(),
            15 => self.list.fill(),
            16 => self.map.fill(),
            _ => Slot::None,
        }
    }
    fn view(&self, index: usize) -> View<'_> {
        match index {
            0 => self.id.read(),
            1 => self.tags.read(),
            2 => self.name.read(),
            3 => self.secret.read(),
            4 => self.color.read(),
            5 => self.count.read(),
            6 => self.big.read(),
            7 => self.single.read(),
            8 => self.double.read(),
            9 => self.flag.read(),
            10 => self.at.read(),
            11 => self.since.read(),
            12 => self.bytes.read(),
            13 => self.any.read(),
            14 => self.choice.read(),
            15 => self.list.read(),
            16 => self.map.read(),
            _ => View::Absent,
        }
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(self, f)
    }
}

#[derive(Default)]
pub struct Color(pub String);

impl Enumeration for Color {
    fn set(&mut self, text: &str) {
        text.clone_into(&mut self.0);
    }
    fn as_str(&self) -> &str {
        &self.0
    }
}

impl Field for Color {
    fn fill(&mut self) -> Slot<'_> {
        Slot::Enum(self)
    }
    fn read(&self) -> View<'_> {
        View::String(&self.0)
    }
}

#[derive(Default)]
pub enum Choice {
    Text(String),
    Number(i32),
    #[default]
    Unset,
}

static CHOICE_SHAPE: Shape = Shape {
    name: "Choice",
    members: &[member("text", Location::Body, &TEXT, false), member("number", Location::Body, &COUNT, false)],
    union: true,
    sensitive: false,
};

impl Structure for Choice {
    fn shape(&self) -> &'static Shape {
        &CHOICE_SHAPE
    }
    fn slot(&mut self, index: usize) -> Slot<'_> {
        *self = if index == 0 { Self::Text(String::new()) } else { Self::Number(0) };
        match self {
            Self::Text(text) => text.fill(),
            Self::Number(number) => number.fill(),
            Self::Unset => Slot::None,
        }
    }
    fn view(&self, index: usize) -> View<'_> {
        match (self, index) {
            (Self::Text(text), 0) => text.read(),
            (Self::Number(number), 1) => number.read(),
            _ => View::Absent,
        }
    }
}

impl Field for Choice {
    fn fill(&mut self) -> Slot<'_> {
        Slot::Structure(self)
    }
    fn read(&self) -> View<'_> {
        View::Structure(self)
    }
}
