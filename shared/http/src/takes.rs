//! What a handler takes, told by its signature.

use axum::extract::State;

use crate::{Caller, Field, Input, Request};

/// The parameters that an extractor reads.
pub trait Asks {
    /// None, unless it is an [`Input`].
    const FIELDS: &'static [Field];
}

impl<R: Request> Asks for Input<R> {
    const FIELDS: &'static [Field] = R::FIELDS;
}

impl Asks for Caller {
    const FIELDS: &'static [Field] = &[];
}

impl<S> Asks for State<S> {
    const FIELDS: &'static [Field] = &[];
}

/// The parameters that a handler takes, by the types of its arguments as axum counts them:
/// a marker of its own comes first. [`Input`] is the last of them.
pub trait Takes {
    /// The parameters.
    const FIELDS: &'static [Field];
}

impl Takes for ((),) {
    const FIELDS: &'static [Field] = &[];
}

impl<M, A: Asks> Takes for (M, A) {
    const FIELDS: &'static [Field] = A::FIELDS;
}

impl<M, A: Asks, B: Asks> Takes for (M, A, B) {
    const FIELDS: &'static [Field] = of_last(&[A::FIELDS], B::FIELDS);
}

impl<M, A: Asks, B: Asks, C: Asks> Takes for (M, A, B, C) {
    const FIELDS: &'static [Field] = of_last(&[A::FIELDS, B::FIELDS], C::FIELDS);
}

/// Refuses to compile a handler whose parameters would be overlooked.
const fn of_last(others: &[&[Field]], last: &'static [Field]) -> &'static [Field] {
    let mut i = 0;
    while i < others.len() {
        assert!(others[i].is_empty(), "Input comes last");
        i += 1;
    }
    last
}
