//! What is said of a parameter.

use serde_json::Value;

use super::FromParameter;

/// A parameter as an endpoint lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name of the document first, then the others that are understood.
    pub names: &'static [&'static str],
    /// What it holds.
    pub kind: FieldKind,
    /// Nothing is done without it.
    pub required: bool,
    /// What is allowed, where anything is not.
    pub limits: FieldLimits,
}

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// A text, or a number.
    Text,
    /// A whole number, not negative.
    Integer,
    /// On or off.
    Switch,
    /// A time with its offset.
    Time,
    /// A phone number.
    Phone,
    /// Texts, in an array or with commas.
    List,
    /// An array of anything.
    Array,
    /// An array of objects.
    Rows(&'static [Field]),
    /// An object of anything.
    FreeObject,
    /// An object.
    Object(&'static [Field]),
    /// An object whose members may also stand beside it.
    Beside(&'static [Field]),
    /// A part of `multipart/form-data`.
    File,
    /// Several of these.
    Any,
}

/// The limits of a parameter. Some hold where it is read, others are rules of `ops`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FieldLimits {
    /// The smallest number.
    pub least: Option<u64>,
    /// The largest number.
    pub most: Option<u64>,
    /// The most items of an array.
    pub items: Option<usize>,
    /// The most characters of a text.
    pub length: Option<usize>,
    /// The only values, when there are any here.
    pub one_of: &'static [&'static str],
}

impl FieldLimits {
    /// None.
    pub const NONE: Self = Self { least: None, most: None, items: None, length: None, one_of: &[] };
}

impl Field {
    pub(super) const fn new<T: FromParameter>(names: &'static [&'static str], required: bool) -> Self {
        let limits = FieldLimits { least: T::LEAST, ..FieldLimits::NONE };
        Self { names, kind: T::KIND, required, limits }
    }

    /// One without which nothing is done, although it is read as one that may be absent:
    /// the handler looks for it together with others.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// With this as the smallest number.
    #[must_use]
    pub const fn at_least(mut self, least: u64) -> Self {
        self.limits.least = Some(least);
        self
    }

    /// With this as the largest number.
    #[must_use]
    pub const fn at_most(mut self, most: u64) -> Self {
        self.limits.most = Some(most);
        self
    }

    /// With at most so many items.
    #[must_use]
    pub const fn max_items(mut self, items: usize) -> Self {
        self.limits.items = Some(items);
        self
    }

    /// With at most so many characters.
    #[must_use]
    pub const fn max_length(mut self, length: usize) -> Self {
        self.limits.length = Some(length);
        self
    }

    /// With these values only.
    #[must_use]
    pub const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.limits.one_of = values;
        self
    }
}

/// How many there are in all groups: for [`crate::request!`].
pub const fn count(groups: &[&[Field]]) -> usize {
    let (mut count, mut i) = (0, 0);
    while i < groups.len() {
        count += groups[i].len();
        i += 1;
    }
    count
}

/// All groups as one: for [`crate::request!`].
pub const fn joined<const N: usize>(groups: &[&[Field]]) -> [Field; N] {
    let mut all = [Field::new::<Value>(&[], false); N];
    let (mut at, mut i) = (0, 0);
    while i < groups.len() {
        let mut j = 0;
        while j < groups[i].len() {
            all[at] = groups[i][j];
            at += 1;
            j += 1;
        }
        i += 1;
    }
    all
}
