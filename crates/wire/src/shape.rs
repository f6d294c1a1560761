//! What a generated type says of itself: a static table of its members, and by number a slot to fill each and a view
//! to read it. With that one reader, one writer and one `Debug` serve every shape, and nothing is generated per shape
//! but two short matches.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

/// A structure or union of the contract.
#[derive(Debug)]
pub struct Shape {
    /// The name in the service model.
    pub name: &'static str,
    /// In the model's order.
    pub members: &'static [Member],
    /// Exactly one member is set.
    pub union: bool,
    /// Never shown in logs.
    pub sensitive: bool,
}

/// One member of a [`Shape`].
#[derive(Debug)]
pub struct Member {
    /// The member's name; in the body also its key.
    pub name: &'static str,
    /// Where it travels.
    pub at: Location,
    /// What it holds.
    pub ty: &'static Type,
    /// Must be present in a request.
    pub required: bool,
}

/// Where a member travels. The text is the name there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the JSON body, under the member's name.
    Body,
    /// A label of the path.
    Label(&'static str),
    /// A parameter of the query.
    Query(&'static str),
    /// A header.
    Header(&'static str),
    /// The whole body: raw bytes for a blob, else the JSON of the member itself.
    Payload,
}

/// What a member, element or map value holds, with its constraints.
#[derive(Debug)]
pub struct Type {
    /// The form.
    pub kind: TypeKind,
    /// Least length (strings, lists, maps, blobs) or value (numbers).
    pub min: Option<f64>,
    /// Greatest length or value.
    pub max: Option<f64>,
    /// What a string must match as a whole.
    pub pattern: Option<&'static Pattern>,
    /// Never shown in logs or error messages.
    pub sensitive: bool,
}

/// The forms of a [`Type`].
#[derive(Debug)]
pub enum TypeKind {
    /// Text.
    String,
    /// Text out of a list.
    Enum(&'static [&'static str]),
    /// 32-bit whole number.
    Integer,
    /// 64-bit whole number.
    Long,
    /// Single precision.
    Float,
    /// Double precision.
    Double,
    /// True or false.
    Boolean,
    /// A moment; ISO 8601 in bodies, unless `epoch` asks for seconds.
    Timestamp {
        /// Seconds since 1970 instead of text.
        epoch: bool,
    },
    /// Bytes; base64 in bodies.
    Blob,
    /// JSON of any form.
    Document,
    /// A nested shape.
    Structure(&'static Shape),
    /// A list of one type.
    List(&'static Type),
    /// Keys of one type, values of another.
    Map(&'static Type, &'static Type),
}

impl Type {
    /// A type without constraints.
    pub const fn new(kind: TypeKind) -> Self {
        Self { kind, min: None, max: None, pattern: None, sensitive: false }
    }

    /// The same with a least length or value.
    pub const fn min(self, min: f64) -> Self {
        Self { min: Some(min), ..self }
    }

    /// The same with a greatest length or value.
    pub const fn max(self, max: f64) -> Self {
        Self { max: Some(max), ..self }
    }

    /// The same with a pattern.
    pub const fn pattern(self, pattern: &'static Pattern) -> Self {
        Self { pattern: Some(pattern), ..self }
    }

    /// The same, hidden from logs.
    pub const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }
}

/// A regular expression of the contract, compiled on first use and matched against the whole text.
pub struct Pattern {
    /// As the service model writes it: error messages quote this.
    pub source: &'static str,
    /// The same in the `regex` crate's syntax, with ASCII classes.
    pub regex: &'static str,
    compiled: OnceLock<Option<regex::Regex>>,
}

impl Pattern {
    /// A pattern; `regex` must compile, which a test of the generated crate proves for each.
    pub const fn new(source: &'static str, regex: &'static str) -> Self {
        Self { source, regex, compiled: OnceLock::new() }
    }

    /// The compiled form, or `None` where it does not compile.
    pub fn compiled(&self) -> Option<&regex::Regex> {
        self.compiled.get_or_init(|| regex::Regex::new(&format!("^(?:{})$", self.regex)).ok()).as_ref()
    }

    /// True where `text` as a whole matches.
    pub fn matches(&self, text: &str) -> bool {
        self.compiled().is_none_or(|re| re.is_match(text))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.source)
    }
}

/// A generated structure or union.
pub trait Structure: Send + Sync {
    /// Its table.
    fn shape(&self) -> &'static Shape;
    /// The place of member `index`, made present with its empty value. A union becomes that member.
    fn slot(&mut self, index: usize) -> Slot<'_>;
    /// The value of member `index`.
    fn view(&self, index: usize) -> View<'_>;
}

/// A generated enumeration of strings. Unknown values are kept.
pub trait Enumeration: Send + Sync {
    /// Becomes the value written `text`.
    fn set(&mut self, text: &str);
    /// The value as written.
    fn as_str(&self) -> &str;
}

/// Where `text` stands among `values`; past the end where it does not.
pub fn index_of(values: &[&str], text: &str) -> usize {
    values.iter().position(|v| *v == text).unwrap_or(values.len())
}

/// A place to fill.
pub enum Slot<'a> {
    /// There is no such member.
    None,
    /// Text.
    String(&'a mut String),
    /// Text out of a list.
    Enum(&'a mut dyn Enumeration),
    /// 32-bit whole number.
    Integer(&'a mut i32),
    /// 64-bit whole number.
    Long(&'a mut i64),
    /// Single precision.
    Float(&'a mut f32),
    /// Double precision.
    Double(&'a mut f64),
    /// True or false.
    Boolean(&'a mut bool),
    /// A moment.
    Timestamp(&'a mut Timestamp),
    /// Bytes.
    Blob(&'a mut Bytes),
    /// JSON of any form.
    Document(&'a mut Value),
    /// A nested shape.
    Structure(&'a mut dyn Structure),
    /// A list.
    List(&'a mut dyn List),
    /// A map.
    Map(&'a mut dyn Map),
}

/// A value to read.
pub enum View<'a> {
    /// Not set.
    Absent,
    /// Text.
    String(&'a str),
    /// 32- or 64-bit whole number.
    Whole(i64),
    /// Single precision.
    Float(f32),
    /// Double precision.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// A moment.
    Timestamp(Timestamp),
    /// Bytes.
    Blob(&'a [u8]),
    /// JSON of any form.
    Document(&'a Value),
    /// A nested shape.
    Structure(&'a dyn Structure),
    /// A list.
    List(&'a dyn List),
    /// A map.
    Map(&'a dyn Map),
}

/// A list of any element type.
pub trait List: Send + Sync {
    /// Appends an empty element and answers its place.
    fn grow(&mut self) -> Slot<'_>;
    /// How many elements there are.
    fn count(&self) -> usize;
    /// Element `index`.
    fn element(&self, index: usize) -> View<'_>;
}

/// A map of any value type.
pub trait Map: Send + Sync {
    /// The place of `key`, made present.
    fn entry(&mut self, key: String) -> Slot<'_>;
    /// How many entries there are.
    fn count(&self) -> usize;
    /// Calls `each` with every entry.
    fn each(&self, each: &mut dyn FnMut(&str, View<'_>));
}

/// Anything that a member can hold.
pub trait Field: Send + Sync {
    /// The place to fill.
    fn fill(&mut self) -> Slot<'_>;
    /// The value to read.
    fn read(&self) -> View<'_>;
}

impl<T: Field + Default> Field for Option<T> {
    fn fill(&mut self) -> Slot<'_> {
        self.get_or_insert_default().fill()
    }
    fn read(&self) -> View<'_> {
        self.as_ref().map_or(View::Absent, T::read)
    }
}

impl<T: Field + Default> Field for Vec<T> {
    fn fill(&mut self) -> Slot<'_> {
        Slot::List(self)
    }
    fn read(&self) -> View<'_> {
        View::List(self)
    }
}

impl<T: Field + Default> List for Vec<T> {
    fn grow(&mut self) -> Slot<'_> {
        self.push(T::default());
        self.last_mut().map_or(Slot::None, T::fill)
    }
    fn count(&self) -> usize {
        self.len()
    }
    fn element(&self, index: usize) -> View<'_> {
        self.get(index).map_or(View::Absent, T::read)
    }
}

impl<T: Field + Default> Field for BTreeMap<String, T> {
    fn fill(&mut self) -> Slot<'_> {
        Slot::Map(self)
    }
    fn read(&self) -> View<'_> {
        View::Map(self)
    }
}

impl<T: Field + Default> Map for BTreeMap<String, T> {
    fn entry(&mut self, key: String) -> Slot<'_> {
        BTreeMap::entry(self, key).or_default().fill()
    }
    fn count(&self) -> usize {
        self.len()
    }
    fn each(&self, each: &mut dyn FnMut(&str, View<'_>)) {
        for (key, value) in self {
            each(key, value.read());
        }
    }
}

macro_rules! scalar {
    ($($ty:ty => $slot:ident, |$v:ident| $view:expr;)*) => {$(
        impl Field for $ty {
            fn fill(&mut self) -> Slot<'_> {
                Slot::$slot(self)
            }
            fn read(&self) -> View<'_> {
                let $v = self;
                $view
            }
        }
    )*};
}
scalar! {
    String => String, |v| View::String(v);
    i32 => Integer, |v| View::Whole(i64::from(*v));
    i64 => Long, |v| View::Whole(*v);
    f32 => Float, |v| View::Float(*v);
    f64 => Double, |v| View::Double(*v);
    bool => Boolean, |v| View::Boolean(*v);
    Timestamp => Timestamp, |v| View::Timestamp(*v);
    Bytes => Blob, |v| View::Blob(v);
    Value => Document, |v| View::Document(v);
}

/// Shows a structure as `Name { member: value, … }`: unset members are left out, sensitive ones hidden.
pub fn debug(structure: &dyn Structure, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let shape = structure.shape();
    if shape.sensitive {
        return write!(f, "{}(<sensitive>)", shape.name);
    }
    let mut out = f.debug_struct(shape.name);
    for (index, member) in shape.members.iter().enumerate() {
        match structure.view(index) {
            View::Absent => {}
            view => {
                out.field(member.name, &Shown(member.ty, &view));
            }
        }
    }
    out.finish()
}

struct Shown<'a>(&'static Type, &'a View<'a>);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.sensitive {
            return f.write_str("<sensitive>");
        }
        match self.1 {
            View::Absent => f.write_str("-"),
            View::String(v) => write!(f, "{v:?}"),
            View::Whole(v) => write!(f, "{v}"),
            View::Float(v) => write!(f, "{v}"),
            View::Double(v) => write!(f, "{v}"),
            View::Boolean(v) => write!(f, "{v}"),
            View::Timestamp(v) => write!(f, "{v}"),
            View::Blob(v) => write!(f, "<{} bytes>", v.len()),
            View::Document(v) => write!(f, "{v}"),
            View::Structure(v) => debug(*v, f),
            View::List(list) => {
                let TypeKind::List(ty) = self.0.kind else { return f.write_str("[…]") };
                let mut out = f.debug_list();
                for i in 0..list.count() {
                    out.entry(&Shown(ty, &list.element(i)));
                }
                out.finish()
            }
            View::Map(map) => {
                let TypeKind::Map(_, ty) = self.0.kind else { return f.write_str("{…}") };
                let mut out = f.debug_map();
                map.each(&mut |key, view| {
                    out.entry(&key, &Shown(ty, &view));
                });
                out.finish()
            }
        }
    }
}
