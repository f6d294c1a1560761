//! The questions and what is right.

use serde_json::Value;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub text: String,
    /// The documents that answer it: the end of their URI is enough.
    pub documents: Vec<String>,
    /// What a right answer says; any of them.
    pub answers: Vec<String>,
    /// Its line of the file.
    pub line: usize,
}

/// Reads JSON lines.
pub fn read(text: &str) -> Result<Vec<Question>, String> {
    let mut questions = Vec::new();
    // What some editors begin a file with.
    let text = text.trim_start_matches('\u{feff}');
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = n + 1;
        let value: Value = serde_json::from_str(line).map_err(|error| format!("{at}: {error}"))?;
        let question = value["question"].as_str().filter(|text| !text.trim().is_empty());
        let question = question.ok_or_else(|| format!("{at}: a line needs \"question\""))?;
        let documents = strings(&value, &["document", "documents"]);
        let answers = strings(&value, &["answer", "answers"]);
        if documents.is_empty() && answers.is_empty() {
            return Err(format!("{at}: a line needs \"documents\" (what should be found), \"answer\", or both"));
        }
        questions.push(Question { text: question.to_owned(), documents, answers, line: at });
    }
    match questions.is_empty() {
        true => Err("1: there is no question in it".into()),
        false => Ok(questions),
    }
}

/// The documents that are to be found and that none of `uris` is, with the line that names each first.
pub fn unknown<'a>(questions: &'a [Question], uris: &[String]) -> Vec<(&'a str, usize)> {
    let mut unknown: Vec<(&str, usize)> = Vec::new();
    for question in questions {
        for document in &question.documents {
            let told = unknown.iter().any(|(known, _)| known == document);
            if !told && !uris.iter().any(|uri| ends(uri, document)) {
                unknown.push((document, question.line));
            }
        }
    }
    unknown
}

/// Whether a URI is a document's: the end of it is enough.
pub fn ends(uri: &str, document: &str) -> bool {
    uri.strip_suffix(document).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// A string, or a list of them, under one of these names.
fn strings(value: &Value, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for name in names {
        match &value[*name] {
            Value::String(text) => found.push(text.clone()),
            Value::Array(list) => found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let text = "{\"question\": \"who?\", \"documents\": [\"a.md\"], \"answer\": \"Ada\"}\n\n\
                    {\"question\": \"when?\", \"answers\": [\"1843\", \"in 1843\"]}\n";
        let read = read(text).unwrap();
        assert_eq!(
            read[0],
            Question { text: "who?".into(), documents: vec!["a.md".into()], answers: vec!["Ada".into()], line: 1 }
        );
        assert_eq!((read[1].answers.len(), read[1].line), (2, 3));
    }

    #[test]
    fn a_document_that_no_source_has_is_told_once() {
        let text = "{\"question\": \"who?\", \"documents\": [\"a.md\", \"b/c.md\"]}\n\
                    {\"question\": \"when?\", \"documents\": [\"ab.md\", \"c.md\", \"d.md\"]}\n\
                    {\"question\": \"what?\", \"documents\": [\"ab.md\"]}\n";
        let questions = read(text).unwrap();
        let uris = ["s3://k/a.md".to_owned(), "s3://k/x/c.md".to_owned(), "d.md".to_owned()];
        assert_eq!(unknown(&questions, &uris), [("b/c.md", 1), ("ab.md", 2)]);
    }

    #[test]
    fn a_document_is_named_by_its_end() {
        assert!(ends("s3://b/x/a.md", "a.md") && ends("s3://b/x/a.md", "x/a.md") && ends("c.md", "c.md"));
        assert!(!ends("s3://b/x/ba.md", "a.md"));
    }

    #[test]
    fn a_line_without_truth_is_refused_by_its_number() {
        assert!(read("{\"question\": \"who?\"}").unwrap_err().starts_with("1: a line needs \"documents\""));
        assert!(read("{\"question\": \"a\", \"answer\": \"b\"}\n{").unwrap_err().starts_with("2: "));
        assert!(read("\n").is_err());
    }
}
