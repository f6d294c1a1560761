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
        questions.push(Question { text: question.to_owned(), documents, answers });
    }
    match questions.is_empty() {
        true => Err("1: there is no question in it".into()),
        false => Ok(questions),
    }
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
            Question { text: "who?".into(), documents: vec!["a.md".into()], answers: vec!["Ada".into()] }
        );
        assert_eq!(read[1].answers.len(), 2);
    }

    #[test]
    fn a_line_without_truth_is_refused_by_its_number() {
        assert!(read("{\"question\": \"who?\"}").unwrap_err().starts_with("1: a line needs \"documents\""));
        assert!(read("{\"question\": \"a\", \"answer\": \"b\"}\n{").unwrap_err().starts_with("2: "));
        assert!(read("\n").is_err());
    }
}
