//! What is read of answers and chunks, borrowed from their bytes.
//!
//! Servers differ in what they leave out, set to `null` or write as another type; nothing of that is an error as long
//! as what an answer needs is there.

use std::borrow::Cow;
use std::fmt;

use outcrop_api::bedrock_runtime::{StopReason, TokenUsage};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

use crate::client::{ReadError, Refusal};

/// An answer, or a chunk of one.
#[derive(Deserialize)]
pub(super) struct Frame<'a> {
    #[serde(borrow)]
    pub choices: Option<Vec<Choice<'a>>>,
    pub usage: Option<Usage>,
    /// Stands where an answer should.
    pub error: Option<IgnoredAny>,
    #[serde(borrow, default)]
    pub object: Words<'a>,
}

#[derive(Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub index: Count,
    #[serde(borrow, alias = "message")]
    pub delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    pub finish_reason: Words<'a>,
    /// vLLM: the sequence that ended the answer, or the number of a token.
    #[serde(borrow, default)]
    pub stop_reason: Words<'a>,
    /// The same of SGLang.
    #[serde(borrow, default)]
    pub matched_stop: Words<'a>,
}

#[derive(Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow, default)]
    pub content: Said<'a>,
    #[serde(borrow, default)]
    pub refusal: Words<'a>,
    /// DeepSeek, SGLang, llama.cpp, older vLLM.
    #[serde(borrow, default)]
    pub reasoning_content: Words<'a>,
    /// vLLM, OpenRouter, Ollama.
    #[serde(borrow, default)]
    pub reasoning: Words<'a>,
    #[serde(borrow)]
    pub tool_calls: Option<Vec<CallDelta<'a>>>,
    /// One call, as before there were many.
    #[serde(borrow)]
    pub function_call: Option<FunctionDelta<'a>>,
}

impl<'a> Delta<'a> {
    /// What it says of reasoning. Servers on their way from one name to the other say it twice.
    pub(super) fn thought(&mut self) -> Cow<'a, str> {
        let names = [&mut self.reasoning_content.0, &mut self.reasoning.0, &mut self.content.thought];
        let said = names.into_iter().find(|said| !said.is_empty());
        said.map(std::mem::take).unwrap_or_default()
    }
}

#[derive(Deserialize)]
pub(super) struct CallDelta<'a> {
    #[serde(default)]
    pub index: Count,
    #[serde(borrow, default)]
    pub id: Words<'a>,
    #[serde(borrow)]
    pub function: Option<FunctionDelta<'a>>,
}

#[derive(Deserialize)]
pub(super) struct FunctionDelta<'a> {
    #[serde(borrow, default)]
    pub name: Words<'a>,
    #[serde(borrow, default)]
    pub arguments: Arguments<'a>,
}

#[derive(Deserialize, Clone, Copy, Default)]
pub(super) struct Usage {
    #[serde(default)]
    prompt_tokens: Count,
    #[serde(default)]
    completion_tokens: Count,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's name of what was cached.
    #[serde(default)]
    prompt_cache_hit_tokens: Count,
}

#[derive(Deserialize, Clone, Copy)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Count,
    #[serde(default)]
    cache_write_tokens: Count,
}

#[derive(Deserialize, Clone, Copy)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Count,
}

/// A text; nothing where something else stands. A list of parts is their texts.
#[derive(Default)]
pub(super) struct Words<'a>(pub Cow<'a, str>);

/// A text, or a list of parts: their texts, and those of Mistral's parts of the type `thinking`.
#[derive(Default)]
pub(super) struct Said<'a> {
    pub text: Cow<'a, str>,
    pub thought: Cow<'a, str>,
}

/// The text of a JSON object, which some write as the object itself.
#[derive(Default)]
pub(super) struct Arguments<'a>(pub Cow<'a, str>);

/// A number that is there, not negative, and no more than a count can be.
#[derive(Clone, Copy, Default)]
pub(super) struct Count(pub Option<i32>);

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading::<false>).map(|said| Self(said.text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Arguments<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading::<true>).map(|said| Self(said.text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Said<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading::<false>)
    }
}

impl<'a> From<Cow<'a, str>> for Said<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self { text, thought: Cow::default() }
    }
}

/// Reads a text; an object as its JSON where `JSON`, and else as nothing.
struct Reading<const JSON: bool>;

#[derive(Deserialize)]
struct TextPart<'a> {
    #[serde(borrow, default)]
    text: Words<'a>,
    #[serde(borrow, default)]
    thinking: Words<'a>,
}

impl<'de, const JSON: bool> Visitor<'de> for Reading<JSON> {
    type Value = Said<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text).into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::<str>::Owned(text.to_owned()).into())
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Said::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Said::default())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Said::default())
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Said::default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Said::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Said::default();
        while let Some(part) = list.next_element::<Option<TextPart<'de>>>()? {
            if let Some(part) = part {
                all.text += part.text.0;
                all.thought += part.thinking.0;
            }
        }
        Ok(all)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        if JSON {
            let object = Map::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
            return Ok(Cow::<str>::Owned(Value::Object(object).to_string()).into());
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Said::default())
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counting;
        impl<'de> Visitor<'de> for Counting {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count")
            }
            fn visit_u64<E>(self, n: u64) -> Result<Count, E> {
                Ok(Count(Some(i32::try_from(n).unwrap_or(i32::MAX))))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Count, E> {
                Ok(Count(i32::try_from(n).ok().filter(|n| *n >= 0)))
            }
            fn visit_f64<E>(self, x: f64) -> Result<Count, E> {
                // `as` saturates, and makes 0 of what is no number.
                Ok(Count(Some((x as i32).max(0))))
            }
            fn visit_unit<E>(self) -> Result<Count, E> {
                Ok(Count(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Count, E> {
                Ok(Count(None))
            }
            fn visit_str<E>(self, _: &str) -> Result<Count, E> {
                Ok(Count(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Count, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Count(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Count(None))
            }
        }
        deserializer.deserialize_any(Counting)
    }
}

/// Reads a frame, whose bytes may begin with a byte order mark.
pub(super) fn frame(bytes: &[u8]) -> Result<Frame<'_>, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let frame: Frame<'_> = serde_json::from_slice(bytes).map_err(|error| ReadError::json(&error))?;
    if frame.error.is_some() || frame.object.0 == "error" {
        return Err(ReadError::Refused(super::refusal::read(bytes)));
    }
    Ok(frame)
}

impl Usage {
    /// The counts as Converse has them: what was cached is not among the input. None where they are all missing.
    pub(super) fn tokens(&self) -> Option<TokenUsage> {
        let (Count(Some(prompt)), Count(Some(output))) = (self.prompt_tokens, self.completion_tokens) else {
            return None;
        };
        let read = self.prompt_tokens_details.and_then(|d| d.cached_tokens.0).or(self.prompt_cache_hit_tokens.0);
        let write = self.prompt_tokens_details.and_then(|d| d.cache_write_tokens.0);
        let read = read.map(|read| read.min(prompt));
        let write = write.map(|write| write.min(prompt - read.unwrap_or_default()));
        Some(TokenUsage {
            input_tokens: prompt - read.unwrap_or_default() - write.unwrap_or_default(),
            output_tokens: output,
            total_tokens: prompt.saturating_add(output),
            cache_read_input_tokens: read,
            cache_write_input_tokens: write,
            ..TokenUsage::default()
        })
    }

    fn reasoning(&self) -> Option<i32> {
        self.completion_tokens_details?.reasoning_tokens.0
    }
}

/// Why an answer ended, and what else is said of it.
#[derive(Default)]
pub(super) struct Ending {
    /// The server's word.
    pub reason: String,
    /// The sequence that ended it.
    pub matched: Option<String>,
    /// The model refused.
    pub refused: bool,
    /// Tools were called.
    pub called: bool,
}

impl Ending {
    pub(super) fn of(choice: &Choice<'_>) -> Self {
        let matched = if choice.stop_reason.0.is_empty() { &choice.matched_stop.0 } else { &choice.stop_reason.0 };
        Self {
            reason: choice.finish_reason.0.to_string(),
            matched: Some(matched.to_string()).filter(|matched| !matched.is_empty()),
            ..Self::default()
        }
    }

    pub(super) fn stop_reason(&self) -> Result<StopReason, ReadError> {
        Ok(match self.reason.as_str() {
            "length" => StopReason::MaxTokens,
            "model_length" => StopReason::ModelContextWindowExceeded,
            "content_filter" => StopReason::ContentFiltered,
            // The server gave up: vLLM and SGLang, DeepSeek, OpenRouter.
            "abort" => return Err(ReadError::Cut),
            reason @ ("insufficient_system_resource" | "error") => {
                return Err(ReadError::Refused(Refusal { message: String::new(), code: Some(reason.to_owned()) }));
            }
            _ if self.refused => StopReason::ContentFiltered,
            // Some say `stop` even so, or nothing.
            _ if self.called => StopReason::ToolUse,
            _ if self.matched.is_some() => StopReason::StopSequence,
            _ => StopReason::EndTurn,
        })
    }

    /// `additionalModelResponseFields`.
    pub(super) fn fields(self, usage: Option<&Usage>) -> Option<Value> {
        let mut fields = Map::new();
        if let Some(matched) = self.matched {
            fields.insert("stop_sequence".to_owned(), matched.into());
        }
        if let Some(reasoning) = usage.and_then(Usage::reasoning) {
            let details = json!({"completion_tokens_details": {"reasoning_tokens": reasoning}});
            fields.insert("usage".to_owned(), details);
        }
        if usage.and_then(Usage::tokens).is_none() {
            fields.insert(super::ESTIMATED.to_owned(), true.into());
        }
        (!fields.is_empty()).then_some(Value::Object(fields))
    }
}

/// The counts, or what the written bytes suggest: four of them are about a token. What was read is not known here.
pub(super) fn tokens(usage: Option<&Usage>, written: usize) -> TokenUsage {
    usage.and_then(Usage::tokens).unwrap_or_else(|| {
        let output = i32::try_from(written.div_ceil(4)).unwrap_or(i32::MAX);
        TokenUsage { output_tokens: output, total_tokens: output, ..TokenUsage::default() }
    })
}
