//! Office files: ZIP packages of XML parts that point at one another.

mod chart;
pub(crate) mod docx;
pub(crate) mod flat;
pub(crate) mod pptx;
mod xml;

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::{Document, Failure};
use xml::Element;

/// What the parts that are read may unpack to, in all: far more than a file of 50 MB that people wrote, far less than a
/// bomb.
const UNPACKED: u64 = 256 * 1024 * 1024;

/// An open package.
pub(crate) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

impl<'a> Package<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Failure> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| Failure::Damaged(error.to_string()))?;
        Ok(Self { archive, left: UNPACKED })
    }

    /// A part's XML, if the package has it.
    pub(crate) fn part(&mut self, path: &str) -> Result<Option<Element>, Failure> {
        let path = path.trim_start_matches('/');
        let file = match self.archive.by_name(path) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(Failure::Damaged(format!("{path}: {error}"))),
        };
        let mut bytes = Vec::new();
        let read = file.take(self.left + 1).read_to_end(&mut bytes);
        let read = read.map_err(|error| match error.kind() {
            std::io::ErrorKind::OutOfMemory => Failure::Limit("it unpacks to more than memory allows".into()),
            _ => Failure::Damaged(format!("{path}: {error}")),
        })? as u64;
        if read > self.left {
            return Err(Failure::Limit(format!("it unpacks to more than {UNPACKED} bytes")));
        }
        self.left -= read;
        xml::parse(&bytes).map(Some)
    }

    /// What a part points at: identifier to kind and path.
    pub(crate) fn targets(&mut self, path: &str) -> Result<HashMap<String, Target>, Failure> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut all = HashMap::new();
        let Some(root) = self.part(&format!("{folder}/_rels/{name}.rels"))? else { return Ok(all) };
        for link in root.elements() {
            let external = link.attribute("TargetMode") == Some("External");
            if let (Some(id), Some(kind), Some(target), false) =
                (link.attribute("Id"), link.attribute("Type"), link.attribute("Target"), external)
            {
                let kind = kind.rsplit('/').next().unwrap_or(kind).to_owned();
                all.insert(id.to_owned(), Target { kind, path: resolve(folder, target) });
            }
        }
        Ok(all)
    }

    /// Where the main part is.
    pub(crate) fn main(&mut self, usual: &str) -> Result<String, Failure> {
        let targets = self.targets("")?;
        let main = targets.into_values().find(|target| target.kind == "officeDocument");
        Ok(main.map_or_else(|| usual.to_owned(), |target| target.path))
    }

    /// Title and author.
    pub(crate) fn properties(&mut self, into: &mut Document) -> Result<(), Failure> {
        let Some(root) = self.part("docProps/core.xml")? else { return Ok(()) };
        for property in root.elements() {
            let text = property.text();
            match property.name() {
                "title" if !text.trim().is_empty() => into.title = Some(text.trim().to_owned()),
                "creator" => into.attribute("author", text),
                _ => {}
            }
        }
        Ok(())
    }
}

/// A part that another points at.
pub(crate) struct Target {
    /// The last word of its relationship's type: `slide`, `notesSlide`, `chart`.
    pub kind: String,
    pub path: String,
}

/// A relative path within the package; nothing leads out of it.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
pub(crate) mod tests;
