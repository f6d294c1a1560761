//! JSON held against a shape of the contract, in the words of Bedrock's body validation. Unlike Converse itself, which
//! passes over members that it does not know, a body may not have any.

use crate::DialectError;
use crate::body::Node;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outcrop_wire::shape::{Location, Shape, Type, TypeKind};

type Result<T> = std::result::Result<T, DialectError>;

/// Refuses what is no `shape`. Members called like one of `absent` do not exist.
pub(super) fn check(node: &Node, shape: &'static Shape, absent: &[&str]) -> Result<()> {
    let members = || shape.members.iter().filter(|m| m.at == Location::Body && !absent.contains(&m.name));
    let names: Vec<&str> = members().map(|m| m.name).collect();
    node.only(&names)?;
    let mut set = 0;
    for member in members() {
        let found = if member.required { Some(node.required(member.name)?) } else { node.get(member.name)? };
        if let Some(found) = found {
            set += 1;
            value(&found, member.ty, absent)?;
        }
    }
    match set {
        0 if shape.union => Err(node.refuse("minimum size: [1], found: [0]")),
        2.. if shape.union => Err(node.refuse(format_args!("maximum size: [1], found: [{set}]"))),
        _ => Ok(()),
    }
}

fn value(node: &Node, ty: &'static Type, absent: &[&str]) -> Result<()> {
    let low = ty.min.unwrap_or(f64::NEG_INFINITY);
    let high = ty.max.unwrap_or(f64::INFINITY);
    // Out of range, `as` gives the nearest number, which is what a bound needs.
    match &ty.kind {
        TypeKind::String => {
            let text = node.text(low as usize, high as usize)?;
            match ty.pattern.filter(|pattern| !pattern.matches(text)) {
                Some(pattern) => {
                    Err(node.refuse(format_args!("string [{text}] does not match pattern {}", pattern.source)))
                }
                None => Ok(()),
            }
        }
        TypeKind::Enum(values) => node.one_of(values).map(drop),
        TypeKind::Integer | TypeKind::Long => node.integer(low as i64, high as i64).map(drop),
        TypeKind::Float | TypeKind::Double => node.number(low, high).map(drop),
        TypeKind::Boolean => node.boolean().map(drop),
        TypeKind::Blob => match STANDARD.decode(node.string()?) {
            Ok(_) => Ok(()),
            Err(_) => Err(node.refuse("is not valid base64")),
        },
        TypeKind::Document => Ok(()),
        TypeKind::Timestamp { .. } => node.string().map(drop),
        TypeKind::Structure(shape) => check(node, shape, absent),
        TypeKind::List(ty) => node.items(low as usize, high as usize)?.iter().try_for_each(|n| value(n, ty, absent)),
        TypeKind::Map(_, ty) => {
            for key in node.object()?.keys() {
                if let Some(below) = node.get(key)? {
                    value(&below, ty, absent)?;
                }
            }
            Ok(())
        }
    }
}
