//! SendApp's dialect: numbers and custom channels.

pub(crate) mod channels;
pub(crate) mod connect;
pub(crate) mod list;
