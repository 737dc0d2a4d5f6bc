//! The actions: from JSON to the engine's request, and back.

use dynoxide::DynoxideError;
use dynoxide::actions::vector_lifecycle::VectorIndexLifecycle;
use dynoxide::actions::{
    batch_execute_statement, batch_get_item, batch_write_item, create_table, delete_item, delete_table,
    describe_table, describe_time_to_live, execute_statement, get_item, list_tables, put_item, query, scan,
    transact_get_items, transact_write_items, update_item, update_time_to_live,
};
use dynoxide::storage::Storage;
use dynoxide::types::ConsumedCapacity;
use futures::FutureExt;
use serde::Serialize;

use super::super::capacity::Units;
use super::error::read;

const READING: [&str; 5] = ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"];
const WRITING: [&str; 5] = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];
/// What these do is in their statements.
const STATEMENTS: [&str; 2] = ["ExecuteStatement", "BatchExecuteStatement"];

/// What became of a request, and what the caller would pay for it.
#[derive(Debug)]
pub(super) struct Metered {
    pub(super) answer: Result<Vec<u8>, DynoxideError>,
    pub(super) units: Units,
}

/// An action's JSON answer and the capacity units it consumed.
type Answer = Result<(Vec<u8>, f64), DynoxideError>;

/// Runs a request of an action that takes the storage and nothing else.
macro_rules! plain {
    ($action:ident, $storage:expr, $body:expr) => {{
        let request = read($body)?;
        let response = done($action::execute($storage, request))?;
        Ok((write(&response)?, 0.0))
    }};
}

/// As `plain`, for an action that reports the capacity it consumed: it is
/// always asked to, and the caller sees it only if the caller asked as well.
macro_rules! metered {
    ($action:ident :: $request:ident, $storage:expr, $body:expr) => {{
        let mut request: $action::$request = read($body)?;
        let asked = request.return_consumed_capacity.as_deref().is_some_and(|mode| mode != "NONE");
        if !asked {
            request.return_consumed_capacity = Some("TOTAL".to_owned());
        }
        let mut response = done($action::execute($storage, request))?;
        let units = response.consumed_capacity.iter().map(Consumed::units).sum();
        if !asked {
            response.consumed_capacity = None;
        }
        Ok((write(&response)?, units))
    }};
}

/// Whether `action` may write items.
pub(super) fn writes(action: &str) -> bool {
    !administers(action) && !READING.contains(&action)
}

/// Whether `action` is about tables rather than items.
pub(super) fn administers(action: &str) -> bool {
    !READING.contains(&action) && !WRITING.contains(&action) && !STATEMENTS.contains(&action)
}

/// Runs `action` on `storage` with the JSON request `body`.
pub(super) fn run(storage: &Storage, indexes: &VectorIndexLifecycle, action: &str, body: &[u8]) -> Metered {
    let (answer, writes) = if READING.contains(&action) {
        (reading(storage, action, body), false)
    } else if WRITING.contains(&action) {
        (writing(storage, action, body), true)
    } else if STATEMENTS.contains(&action) {
        (statement(storage, action, body), !selects(body))
    } else {
        (administration(storage, indexes, action, body), false)
    };
    let (answer, units) = match answer {
        Ok((body, units)) => (Ok(body), units),
        Err(error) => (Err(error), 0.0),
    };
    Metered { answer, units: if writes { Units::Write(units) } else { Units::Read(units) } }
}

fn reading(storage: &Storage, action: &str, body: &[u8]) -> Answer {
    match action {
        "GetItem" => metered!(get_item::GetItemRequest, storage, body),
        "BatchGetItem" => metered!(batch_get_item::BatchGetItemRequest, storage, body),
        "Query" => metered!(query::QueryRequest, storage, body),
        "Scan" => metered!(scan::ScanRequest, storage, body),
        _ => metered!(transact_get_items::TransactGetItemsRequest, storage, body),
    }
}

fn writing(storage: &Storage, action: &str, body: &[u8]) -> Answer {
    match action {
        "PutItem" => metered!(put_item::PutItemRequest, storage, body),
        "UpdateItem" => metered!(update_item::UpdateItemRequest, storage, body),
        "DeleteItem" => metered!(delete_item::DeleteItemRequest, storage, body),
        "BatchWriteItem" => metered!(batch_write_item::BatchWriteItemRequest, storage, body),
        _ => metered!(transact_write_items::TransactWriteItemsRequest, storage, body),
    }
}

fn statement(storage: &Storage, action: &str, body: &[u8]) -> Answer {
    match action {
        "ExecuteStatement" => metered!(execute_statement::ExecuteStatementRequest, storage, body),
        _ => metered!(batch_execute_statement::BatchExecuteStatementRequest, storage, body),
    }
}

fn administration(storage: &Storage, indexes: &VectorIndexLifecycle, action: &str, body: &[u8]) -> Answer {
    match action {
        "CreateTable" => plain!(create_table, storage, body),
        "DeleteTable" => {
            let response = done(delete_table::execute(storage, read(body)?, indexes))?;
            Ok((write(&response)?, 0.0))
        }
        "DescribeTable" => {
            let response = done(describe_table::execute(storage, read(body)?, indexes))?;
            Ok((write(&response)?, 0.0))
        }
        "ListTables" => plain!(list_tables, storage, body),
        "UpdateTimeToLive" => plain!(update_time_to_live, storage, body),
        "DescribeTimeToLive" => plain!(describe_time_to_live, storage, body),
        _ => Err(DynoxideError::ValidationException(format!("the action {action:?} is not embedded"))),
    }
}

/// Whether the statements of a request read: a batch reads or writes as a whole.
fn selects(body: &[u8]) -> bool {
    const STATEMENT: &[u8] = br#""Statement""#;
    let text = body
        .windows(STATEMENT.len())
        .position(|window| window == STATEMENT)
        .and_then(|at| body.get(at + STATEMENT.len()..))
        .unwrap_or_default();
    let start = text.iter().position(u8::is_ascii_alphabetic).unwrap_or_default();
    text.get(start..start + 6).is_some_and(|verb| verb.eq_ignore_ascii_case(b"SELECT"))
}

/// The engine is synchronous behind its futures, so they never wait.
fn done<T>(action: impl Future<Output = Result<T, DynoxideError>>) -> Result<T, DynoxideError> {
    action.now_or_never().unwrap_or_else(|| {
        Err(DynoxideError::InternalServerError("the table store did not finish".to_owned()))
    })
}

fn write<T: Serialize>(response: &T) -> Result<Vec<u8>, DynoxideError> {
    serde_json::to_vec(response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The two shapes of a capacity report: one table, or several.
trait Consumed {
    fn units(&self) -> f64;
}

impl Consumed for ConsumedCapacity {
    fn units(&self) -> f64 {
        self.capacity_units
    }
}

impl Consumed for Vec<ConsumedCapacity> {
    fn units(&self) -> f64 {
        self.iter().map(|table| table.capacity_units).sum()
    }
}
