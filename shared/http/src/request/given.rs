//! Parameters that were read: what is wrong with one is said when it is asked for.

use domain::Invalid;
use serde_json::Value;

use super::{Field, FromParameter};
use crate::Fields;

type Result<T> = std::result::Result<T, Invalid>;

/// A parameter that may be absent.
pub struct Given<T> {
    name: &'static str,
    canonical: &'static str,
    value: Result<Option<T>>,
}

impl<T> std::fmt::Debug for Given<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<T: FromParameter> Given<T> {
    /// How it is listed under these names.
    pub const fn field(names: &'static [&'static str]) -> Field {
        Field::new::<T>(names, false)
    }

    /// Reads it under one of these names; a text that has more than `longest` characters,
    /// not counting spaces around it, is refused.
    pub fn read(fields: Fields<'_>, names: &'static [&'static str], longest: Option<usize>) -> Self {
        let parameter = fields.parameter(names);
        let text = parameter.value().and_then(Value::as_str).map_or(0, |text| text.trim().chars().count());
        let value = T::from_parameter(parameter).and_then(|value| match longest {
            Some(longest) if text > longest => {
                let name = T::called(parameter);
                Err(Invalid::new(&name, format!("{name} may have at most {longest} characters")))
            }
            Some(_) | None => Ok(value),
        });
        Self { name: parameter.name(), canonical: parameter.canonical(), value }
    }
}

impl<T> Given<T> {
    /// The name that the caller uses, for errors.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The name that the document uses.
    pub fn canonical(&self) -> &'static str {
        self.canonical
    }

    /// The value, if there is one.
    ///
    /// # Errors
    /// Names the parameter when it cannot be read.
    pub fn get(self) -> Result<Option<T>> {
        self.value
    }

    /// The value, or the usual one.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn or(self, usual: T) -> Result<T> {
        Ok(self.value?.unwrap_or(usual))
    }

    /// The value, where the others make it necessary.
    ///
    /// # Errors
    /// Names the parameter when it is absent or cannot be read.
    pub fn needed(self) -> Result<T> {
        let missing = || Invalid::new(self.name, format!("{} is required", self.name));
        self.value?.ok_or_else(missing)
    }

    /// The value, if there is one, which stays.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn peek(&self) -> Result<Option<&T>> {
        self.value.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// Whether there is a value.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn is_given(&self) -> Result<bool> {
        Ok(self.peek()?.is_some())
    }
}

/// A parameter that must be there.
pub struct Required<T>(Given<T>);

impl<T> std::fmt::Debug for Required<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Required").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl<T: FromParameter> Required<T> {
    /// How it is listed under these names.
    pub const fn field(names: &'static [&'static str]) -> Field {
        Field::new::<T>(names, true)
    }

    /// Reads it as [`Given::read`] does.
    pub fn read(fields: Fields<'_>, names: &'static [&'static str], longest: Option<usize>) -> Self {
        Self(Given::read(fields, names, longest))
    }
}

impl<T> Required<T> {
    /// The name that the caller uses, for errors.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The value.
    ///
    /// # Errors
    /// Names the parameter when it is absent or cannot be read.
    pub fn get(self) -> Result<T> {
        self.0.needed()
    }
}
