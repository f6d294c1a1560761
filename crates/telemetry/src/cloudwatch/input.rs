//! Reading the members of an input, with CloudWatch's refusals.

use serde_json::{Map, Value};

use super::units;
use crate::SliceError;
use crate::metrics::Dimensions;

/// A member has a value that cannot be.
pub(crate) fn invalid(message: impl Into<String>) -> SliceError {
    SliceError::client("InvalidParameterValueException", message)
}

/// Members that do not go together.
pub(crate) fn combination(message: impl Into<String>) -> SliceError {
    SliceError::client("InvalidParameterCombinationException", message)
}

/// A member that has to be there is not.
pub(crate) fn missing(name: &str) -> SliceError {
    SliceError::client("MissingRequiredParameterException", format!("The parameter {name} is required."))
}

/// One structure of an input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a>(&'a Map<String, Value>);

impl<'a> Input<'a> {
    pub fn of(value: &'a Value, name: &str) -> Result<Self, SliceError> {
        value.as_object().map(Self).ok_or_else(|| unlike(name, "a structure"))
    }

    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn text(self, name: &str) -> Result<Option<&'a str>, SliceError> {
        self.get(name).map(|value| value.as_str().ok_or_else(|| unlike(name, "a string"))).transpose()
    }

    /// A text that must be there, of at most `most` characters.
    pub fn required(self, name: &str, most: usize) -> Result<&'a str, SliceError> {
        let text = self.text(name)?.ok_or_else(|| missing(name))?;
        bounded(name, text, most)?;
        Ok(text)
    }

    pub fn integer(self, name: &str) -> Result<Option<i64>, SliceError> {
        self.get(name).map(|value| value.as_i64().ok_or_else(|| unlike(name, "a whole number"))).transpose()
    }

    pub fn number(self, name: &str) -> Result<Option<f64>, SliceError> {
        self.get(name).map(|value| number(name, value)).transpose()
    }

    pub fn flag(self, name: &str) -> Result<Option<bool>, SliceError> {
        self.get(name).map(|value| value.as_bool().ok_or_else(|| unlike(name, "true or false"))).transpose()
    }

    pub fn list(self, name: &str) -> Result<&'a [Value], SliceError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(value) => value.as_array().map(Vec::as_slice).ok_or_else(|| unlike(name, "a list")),
        }
    }

    pub fn texts(self, name: &str) -> Result<Vec<&'a str>, SliceError> {
        self.list(name)?.iter().map(|value| value.as_str().ok_or_else(|| unlike(name, "a list of strings"))).collect()
    }

    /// A moment, in whole seconds since 1970.
    pub fn time(self, name: &str) -> Result<Option<i64>, SliceError> {
        let seconds = self.get(name).map(|value| number(name, value)).transpose()?;
        match seconds {
            None => Ok(None),
            // Up to the year 9999, so that no sum of moments overflows.
            Some(seconds) if (0.0..253_402_300_800.0).contains(&seconds) => Ok(Some(seconds.floor() as i64)),
            Some(_) => Err(invalid(format!("The value of the parameter {name} is no moment after 1970."))),
        }
    }

    pub fn unit(self) -> Result<Option<&'static str>, SliceError> {
        let Some(name) = self.text("Unit")? else { return Ok(None) };
        units::known(name).map(Some).ok_or_else(|| invalid(format!("The value {name} for parameter Unit is invalid.")))
    }

    /// Names and values, at most thirty, no name twice.
    pub fn dimensions(self) -> Result<Dimensions, SliceError> {
        let mut dimensions = Dimensions::new();
        for one in self.list("Dimensions")? {
            let one = Input::of(one, "Dimensions")?;
            dimensions.push((one.required("Name", 255)?.to_owned(), one.required("Value", 1024)?.to_owned()));
        }
        dimensions.sort();
        if dimensions.len() > 30 {
            return Err(invalid("The collection Dimensions must not have a size greater than 30."));
        }
        if dimensions.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(invalid("No dimension may be named twice in the parameter Dimensions."));
        }
        Ok(dimensions)
    }
}

/// Refuses a text that is empty or too long.
pub(crate) fn bounded(name: &str, text: &str, most: usize) -> Result<(), SliceError> {
    let length = text.chars().count();
    if length == 0 || length > most {
        return Err(invalid(format!("The parameter {name} must have between 1 and {most} characters.")));
    }
    Ok(())
}

/// A number that is one: no infinity, and nothing that is none.
pub(crate) fn number(name: &str, value: &Value) -> Result<f64, SliceError> {
    value.as_f64().filter(|number| number.is_finite()).ok_or_else(|| unlike(name, "a number"))
}

fn unlike(name: &str, what: &str) -> SliceError {
    SliceError::client("SerializationException", format!("The member {name} must be {what}."))
}
