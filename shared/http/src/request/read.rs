//! What parameters are read as.

use std::marker::PhantomData;
use std::num::NonZeroU64;

use domain::CallingCode;
use domain::sender::SenderId;
use domain::{EmailAddress, Invalid};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{FieldKind, Request};
use crate::fields::{Parameter, PhoneText};
use crate::{Fields, Upload};

type Result<T> = std::result::Result<T, Invalid>;

/// An array of anything.
pub type Array = Vec<Value>;
/// An object of anything.
pub type Object = Map<String, Value>;
/// Texts, in an array or with commas.
pub type Texts = Vec<String>;

/// What a parameter can be read as.
pub trait FromParameter: Sized {
    /// What the parameter holds.
    const KIND: FieldKind;
    /// The smallest number that can be read, where that is not 0.
    const LEAST: Option<u64> = None;
    /// How the parameter is called in errors.
    fn called(parameter: Parameter<'_>) -> String {
        parameter.name().to_owned()
    }

    /// Reads it; `None` when it is absent.
    ///
    /// # Errors
    /// Names the parameter.
    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>>;
}

/// Says what types are read as, each by one function.
macro_rules! from_parameter {
    ($($type:ty, $kind:ident: $read:expr;)*) => {$(
        impl FromParameter for $type {
            const KIND: FieldKind = FieldKind::$kind;

            fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
                $read(parameter)
            }
        }
    )*};
}

from_parameter! {
    String, Text: Parameter::text;
    u64, Integer: Parameter::integer;
    bool, Switch: Parameter::switch;
    Timestamp, Time: Parameter::time;
    PhoneText, Phone: PhoneText::new;
    Vec<String>, List: Parameter::list;
    Vec<Value>, Array: Parameter::array;
    Map<String, Value>, FreeObject: Parameter::object;
    Upload, File: |parameter: Parameter<'_>| Ok(parameter.file().cloned());
    Value, Any: |parameter: Parameter<'_>| Ok(parameter.value().cloned());
    EmailAddress, Text: |parameter: Parameter<'_>| parameter.text()?.map(|text| text.parse()).transpose();
    SenderId, Text: |parameter: Parameter<'_>| parameter.text()?.map(|text| text.parse()).transpose();
}

/// A number that counts from 1.
impl FromParameter for NonZeroU64 {
    const KIND: FieldKind = FieldKind::Integer;
    const LEAST: Option<u64> = Some(1);

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        let Some(number) = parameter.integer()? else { return Ok(None) };
        let name = parameter.name();
        let number = Self::new(number);
        number.map(Some).ok_or_else(|| Invalid::new(name, format!("{name} must be at least 1")))
    }
}

/// A country, whose numbers may be written without its calling code.
impl FromParameter for CallingCode {
    const KIND: FieldKind = FieldKind::Text;

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        let Some(text) = parameter.text()? else { return Ok(None) };
        let name = parameter.name();
        let named = |wrong: Invalid| Invalid::new(name, wrong.message.replacen("default_country", name, 1));
        Self::parse(&text).map(Some).map_err(named)
    }
}

/// An object with parameters of its own.
#[derive(Debug)]
pub struct Within<R>(pub R);

impl<R: Request> FromParameter for Within<R> {
    const KIND: FieldKind = FieldKind::Object(R::FIELDS);

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        let object = parameter.object()?;
        Ok(object.map(|object| Self(R::read(Fields::from(&object)))))
    }
}

/// An array of objects with parameters of their own.
pub struct Rows<R> {
    items: Vec<Value>,
    of: PhantomData<fn() -> R>,
}

impl<R> std::fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("count", &self.items.len()).finish_non_exhaustive()
    }
}

impl<R: Request> FromParameter for Rows<R> {
    const KIND: FieldKind = FieldKind::Rows(R::FIELDS);

    fn from_parameter(parameter: Parameter<'_>) -> Result<Option<Self>> {
        Ok(parameter.array()?.map(|items| Self { items, of: PhantomData }))
    }
}

impl<R: Request> Rows<R> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// Each row; `None` for what is no object.
    pub fn iter(&self) -> impl Iterator<Item = Option<R>> {
        self.items.iter().map(|item| Some(R::read(Fields::from(item.as_object()?))))
    }
}
