//! The chat template of a model file, rendered as `transformers` renders it: the same Jinja settings, filters
//! and variables, so that the same tokens come out.

mod messages;
mod python_json;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, ErrorKind, Value, context};

use crate::chat::Chat;
use crate::output::CallFormat;
use python_json::python_json;

/// What models are given that bring no template: the format most chat models are trained on.
const CHATML: &str = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}\
                      {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/// A compiled chat template.
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
    knows_tools: bool,
    calls: CallFormat,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Compiles the template of a model file; without one, ChatML.
    pub(crate) fn new(source: Option<&str>, bos: String, eos: String) -> Result<Self, String> {
        let mut environment = Environment::new();
        // As `transformers` sets up Jinja.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| error.to_string())?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_filter("tojson", to_json);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", |format: String| jiff::Zoned::now().strftime(&format).to_string());
        let source = without_generation_tags(source.unwrap_or(CHATML));
        environment.add_template_owned("chat", source.clone()).map_err(|error| format!("{error:#}"))?;
        let knows_tools = environment
            .get_template("chat")
            .is_ok_and(|template| template.undeclared_variables(false).contains("tools"));
        let calls = if knows_tools { CallFormat::of(&source) } else { CallFormat::Hermes };
        Ok(Self { environment, knows_tools, calls, bos, eos })
    }

    /// The prompt: the whole chat and the opening of the model's turn. Where the last turn is the assistant's,
    /// the prompt ends inside it and the model goes on.
    pub(crate) fn prompt(&self, chat: &Chat) -> Result<String, String> {
        let Some((last, before)) = messages::assistant_prefill(chat) else {
            return self.render(chat, true);
        };
        let mut prompt = self.render(&before, true)?;
        // Trailing white space would make the model's own first token, which carries the space, unlikely.
        prompt.push_str(last.trim_end());
        Ok(prompt)
    }

    /// How the model writes a tool call, by the markers that its template writes for earlier ones.
    pub(crate) fn calls(&self) -> CallFormat {
        self.calls
    }

    /// The chat without the opening of another turn.
    pub(crate) fn history(&self, chat: &Chat) -> Result<String, String> {
        self.render(chat, false)
    }

    fn render(&self, chat: &Chat, open: bool) -> Result<String, String> {
        let turns = if self.knows_tools { messages::native(chat) } else { messages::as_text(chat) };
        self.fill(chat, &turns, open).or_else(|refused| {
            // Some templates know no system role, others refuse two turns of one role. Bedrock's families fold
            // both, so the second attempt does; the first keeps the tokens of a conversation that is accepted.
            let folded = messages::fold(turns.clone());
            if folded == turns { Err(refused) } else { self.fill(chat, &folded, open) }
        })
    }

    fn fill(&self, chat: &Chat, turns: &[serde_json::Value], open: bool) -> Result<String, String> {
        let tools = if self.knows_tools && !chat.tools.is_empty() {
            Value::from(Serde(messages::tool_list(&chat.tools)))
        } else {
            Value::from(())
        };
        let values = context! {
            messages => Value::from(Serde(turns)),
            tools => tools,
            add_generation_prompt => open,
            bos_token => self.bos.as_str(),
            eos_token => self.eos.as_str(),
        };
        let template = self.environment.get_template("chat").map_err(|error| error.to_string())?;
        template.render(values).map_err(|error| error.detail().map_or_else(|| error.to_string(), str::to_owned))
    }
}

/// `raise_exception(text)`, which templates use to refuse a conversation.
fn raise_exception(text: String) -> Result<Value, minijinja::Error> {
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, text))
}

/// `tojson` as `transformers` overrides it: Python's separators, nothing escaped for HTML.
fn to_json(value: &Value, options: Kwargs) -> Result<String, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    python_json(value, indent).map_err(|error| minijinja::Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// `{% generation %}` marks what to train on; for rendering it is a block that is always taken.
fn without_generation_tags(source: &str) -> String {
    let mut source = source.to_owned();
    for open in ["{% ", "{%- "] {
        for close in [" %}", " -%}"] {
            source = source.replace(&format!("{open}generation{close}"), &format!("{open}if true{close}"));
            source = source.replace(&format!("{open}endgeneration{close}"), &format!("{open}endif{close}"));
        }
    }
    source
}

#[cfg(test)]
mod tests;
