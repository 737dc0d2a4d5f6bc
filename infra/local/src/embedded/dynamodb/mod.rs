//! DynamoDB: the `dynoxide` engine behind the JSON protocol.

mod actions;
mod engine;
mod error;
mod fold;
mod tokens;

use std::path::Path;

use bytes::Bytes;

use self::engine::{Call, Tables};
use super::Error;
use super::capacity::Meter;
use super::group::Group;
use super::reply::JsonReply;

/// The table store.
#[derive(Debug)]
pub(super) struct DynamoDb {
    tables: Group<Tables>,
    pub(super) capacity: Meter,
}

impl DynamoDb {
    /// Tables in the SQLite file at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let tables = Tables::open(path).map_err(Error::DynamoDb)?;
        Ok(Self { tables: Group::new(tables), capacity: Meter::default() })
    }

    /// Tables that live as long as the store.
    pub(super) fn memory() -> Result<Self, Error> {
        let tables = Tables::memory().map_err(Error::DynamoDb)?;
        Ok(Self { tables: Group::new(tables), capacity: Meter::default() })
    }

    /// A store of its own in memory, with everything that is in this one.
    pub(super) fn copy(&self) -> Result<Self, Error> {
        let tables = self.tables.look(Tables::copy).map_err(Error::DynamoDb)?;
        Ok(Self { tables: Group::new(tables), capacity: Meter::default() })
    }

    /// Answers the JSON `body` of `action`.
    pub(super) async fn call(&self, action: String, body: Bytes) -> JsonReply {
        let Some(outcome) = self.tables.submit(Call { action: action.clone(), body }).await else {
            return error::stopped();
        };
        self.capacity.record(&action, outcome.units);
        match outcome.answer {
            Ok(body) => JsonReply::ok(body),
            Err(error) => error::reply(&error),
        }
    }
}
