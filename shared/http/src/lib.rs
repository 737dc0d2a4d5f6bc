//! The HTTP edge: what every function shares between the wire and `ops`.
//!
//! A function lists its endpoints in a [`Table`]; the router is built from it, so
//! an endpoint cannot be served without being listed. Each endpoint reads its
//! body once into [`Input`], whose type lists the parameters ([`request!`]): others cannot
//! be read, and the documents are compared with it. [`Caller`] in a handler's signature is
//! the permission to run it. Handlers answer [`Reply`] or [`ApiError`]; [`serve`] adds
//! the one outer layer, which renders errors in the dialect of the path.

mod caller;
mod custom_data;
mod dialect;
mod edge;
mod envelope;
mod error;
mod fields;
mod idempotency;
mod input;
mod lambda;
mod reply;
pub mod request;
mod spec;
mod table;
mod takes;

pub use caller::{Caller, account_of_token, country_of};
pub use custom_data::{CustomData, CustomPerson, CustomText, in_custom_data};
pub use dialect::Dialect;
pub use edge::{Edge, serve};
pub use envelope::render;
pub use error::{ApiError, Result};
pub use fields::{Fields, Parameter, PhoneText, text_of};
pub use idempotency::{idempotent, idempotent_make, idempotent_send};
pub use input::{IDEMPOTENCY_KEY, Input, Upload};
pub use lambda::lambda;
pub use reply::{Reply, cut_to_weight, weight_of};
pub use request::{
    Array, Field, FieldKind, FieldLimits, FromParameter, Given, Object, Request, Required, Rows, Texts,
    Within,
};
pub use table::{ApiEndpoint, Route, Table, delete, get, get_or_post, post, put};
pub use takes::{Asks, Takes};
