//! Mails: headers, the readable alternative of the body, messages inside, and attachments that have a parser.

use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

use crate::{Document, Failure, Role, charset, html, text};

/// Messages inside of messages inside of messages: nobody reads further.
const DEPTH: usize = 4;

/// Reads a mail.
pub(crate) fn parse(bytes: &[u8], depth: usize) -> Result<Document, Failure> {
    // A mail is bytes; one that was saved as wide text becomes bytes again.
    let narrow = charset::is_wide(bytes).then(|| charset::decode(bytes, None).text.into_bytes());
    let bytes = narrow.as_deref().unwrap_or(bytes);
    // Old Macintoshes ended lines with a carriage return alone.
    let lines = (!bytes.contains(&b'\n')).then(|| bytes.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte }));
    let lines = lines.map(|lines| lines.collect::<Vec<u8>>());
    let bytes = lines.as_deref().unwrap_or(bytes);
    let message = MessageParser::default()
        .parse(bytes)
        .filter(|message| !message.headers().is_empty())
        .ok_or_else(|| Failure::Damaged("it is no mail: it has no headers".into()))?;
    let mut document = Document::default();
    for (key, value) in headers(&message) {
        document.attribute(key, value);
    }
    document.title = message.subject().map(str::to_owned);
    read(&message, &mut document, depth);
    Ok(document)
}

fn headers(message: &Message) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("subject", message.subject().unwrap_or_default().to_owned()),
        ("from", people(message.from())),
        ("to", people(message.to())),
        ("cc", people(message.cc())),
    ];
    if let Some(date) = message.date() {
        all.push(("date", date.to_rfc3339()));
    }
    all.retain(|(_, value)| !value.trim().is_empty());
    all
}

fn people(address: Option<&Address>) -> String {
    let Some(address) = address else { return String::new() };
    let person = |person: &mail_parser::Addr| match (person.name(), person.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    };
    address.iter().map(person).collect::<Vec<_>>().join(", ")
}

fn read(message: &Message, document: &mut Document, depth: usize) {
    let level = u8::try_from(depth + 1).unwrap_or(u8::MAX);
    let mut lines = Vec::new();
    for (key, value) in headers(message) {
        match key {
            "subject" => document.push(Role::Heading(level), charset::clean(&value), None),
            "from" => lines.push(format!("From: {value}")),
            "to" => lines.push(format!("To: {value}")),
            "cc" => lines.push(format!("Cc: {value}")),
            _ => lines.push(format!("Date: {value}")),
        }
    }
    document.push(Role::Paragraph, charset::clean(&lines.join("\n")), None);
    let bodies: Vec<_> = message.text_bodies().collect();
    for body in bodies {
        match &body.body {
            // A mail has no navigation; what stands around its text was written by its sender too.
            PartType::Html(source) => document.blocks.extend(html::fragment(source)),
            PartType::Text(said) => text::paragraphs(document, &charset::clean(said), None),
            _ => {}
        }
    }
    for part in message.attachments() {
        if let PartType::Message(inner) = &part.body {
            if depth < DEPTH {
                read(inner, document, depth + 1);
            }
        } else {
            attachment(part, document, depth);
        }
    }
}

fn attachment(part: &mail_parser::MessagePart, document: &mut Document, depth: usize) {
    let mime = part.content_type().map(|kind| match kind.subtype() {
        Some(subtype) => format!("{}/{subtype}", kind.ctype()),
        None => kind.ctype().to_owned(),
    });
    let Some(name) = part.attachment_name() else { return };
    document.attribute("attachment", name);
    if depth >= DEPTH {
        return;
    }
    match crate::read(part.contents(), name, mime.as_deref(), depth + 1) {
        Ok(inner) => {
            if !inner.blocks.is_empty() {
                document.push(Role::Heading(2), format!("Attachment {name}"), None);
            }
            document.blocks.extend(inner.blocks.into_iter().map(|block| crate::Block { page: None, ..block }));
            document.warnings.extend(inner.warnings.into_iter().map(|warning| format!("attachment {name}: {warning}")));
        }
        Err(failure) => document.warnings.push(format!("attachment {name}: {failure}")),
    }
}

#[cfg(test)]
mod tests;
