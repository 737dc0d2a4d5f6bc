//! What the list of endpoints says of one to the edge.

use ops::RateClass;

use crate::Dialect;

/// What the edge has to know of an endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) path: &'static str,
    pub(crate) dialect: Dialect,
    pub(crate) class: RateClass,
    pub(crate) max_body: usize,
    pub(crate) raw: bool,
    /// The key comes in the header, and nowhere else.
    pub(crate) header_key: bool,
}
