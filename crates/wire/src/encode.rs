//! Writes a generated type: the JSON of its body members, and the text of its headers.

use crate::json::Writer;
use crate::shape::{Location, Structure, Type, TypeKind, View};
use crate::text::format_timestamp;

/// The body members of `structure` as one JSON object.
pub fn body(structure: &dyn Structure, out: Vec<u8>) -> Vec<u8> {
    let mut w = Writer::new(out);
    write(&mut w, structure);
    w.into_bytes()
}

/// The text of a header member, or `None` where it is absent.
pub fn header(view: &View<'_>) -> Option<String> {
    Some(match view {
        View::String(v) => (*v).to_owned(),
        View::Whole(v) => v.to_string(),
        View::Boolean(v) => v.to_string(),
        View::Timestamp(v) => format_timestamp(*v),
        _ => return None,
    })
}

fn write(w: &mut Writer, structure: &dyn Structure) {
    w.begin_object();
    for (index, member) in structure.shape().members.iter().enumerate() {
        if member.at != Location::Body {
            continue;
        }
        match structure.view(index) {
            View::Absent => {}
            view => {
                w.key(member.name);
                value(w, &view, member.ty);
            }
        }
    }
    w.end_object();
}

fn value(w: &mut Writer, view: &View<'_>, ty: &Type) {
    match view {
        View::Absent => w.null(),
        View::String(v) => w.string(v),
        View::Whole(v) => w.whole(*v),
        View::Float(v) => w.single(*v),
        View::Double(v) => w.real(*v),
        View::Boolean(v) => w.boolean(*v),
        View::Timestamp(v) => match ty.kind {
            TypeKind::Timestamp { epoch: true } => w.real(v.as_millisecond() as f64 / 1000.0),
            _ => w.string(&format_timestamp(*v)),
        },
        View::Blob(v) => w.blob(v),
        View::Document(v) => w.document(v),
        View::Structure(v) => write(w, *v),
        View::List(list) => {
            w.begin_array();
            if let TypeKind::List(element) = ty.kind {
                for i in 0..list.count() {
                    value(w, &list.element(i), element);
                }
            }
            w.end_array();
        }
        View::Map(map) => {
            w.begin_object();
            if let TypeKind::Map(_, element) = ty.kind {
                map.each(&mut |key, view| {
                    w.key(key);
                    value(w, &view, element);
                });
            }
            w.end_object();
        }
    }
}
