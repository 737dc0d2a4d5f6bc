//! The engine on its SQLite connection.

use std::fmt;
use std::path::Path;

use bytes::Bytes;
use dynoxide::DynoxideError;
use dynoxide::actions::vector_lifecycle::VectorIndexLifecycle;
use dynoxide::storage::Storage;

use super::super::capacity::Units;
use super::super::group::Engine;
use super::actions::{self, Metered};
use super::error::read;
use super::fold::Fold;
use super::tokens::RecentTransactions;

/// One request.
#[derive(Debug)]
pub(super) struct Call {
    /// The action's name, such as `PutItem`.
    pub(super) action: String,
    /// The JSON body.
    pub(super) body: Bytes,
}

/// The tables and the connection that holds them.
pub(super) struct Tables {
    storage: Storage,
    indexes: VectorIndexLifecycle,
    tokens: RecentTransactions,
    fold: Fold,
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl Tables {
    pub(super) fn open(path: &Path) -> Result<Self, DynoxideError> {
        let storage = Storage::new(&path.to_string_lossy())?;
        // With a write-ahead log, NORMAL loses nothing when the process is
        // killed and keeps the file sound when the power fails.
        storage.conn().execute_batch(
            "PRAGMA synchronous = NORMAL;
             PRAGMA cache_size = -32768;
             PRAGMA temp_store = MEMORY;
             PRAGMA wal_autocheckpoint = 4000;",
        )?;
        Ok(Self::new(storage))
    }

    pub(super) fn memory() -> Result<Self, DynoxideError> {
        Ok(Self::new(Storage::memory()?))
    }

    /// Tables in memory with everything that is in these.
    pub(super) fn copy(&self) -> Result<Self, DynoxideError> {
        let mut storage = Storage::memory()?;
        super::super::copy(self.storage.conn(), storage.conn_mut())?;
        Ok(Self::new(storage))
    }

    fn new(storage: Storage) -> Self {
        let fold = Fold::install(storage.conn());
        Self { storage, indexes: VectorIndexLifecycle::new(), tokens: RecentTransactions::default(), fold }
    }

    /// Runs `calls` in one transaction; `None` when they must run one by one,
    /// nothing of them having been kept.
    fn together(&mut self, calls: &[Call]) -> Option<Vec<Metered>> {
        if self.fold.begin(self.storage.conn()).is_err() {
            return None;
        }
        let mut outcomes = Vec::with_capacity(calls.len());
        for call in calls {
            outcomes.push(self.call(call));
            if self.fold.is_torn(self.storage.conn()) {
                return None;
            }
        }
        self.fold.commit(self.storage.conn()).is_ok().then_some(outcomes)
    }

    fn undo(&mut self) {
        if let Err(error) = self.fold.undo(self.storage.conn()) {
            tracing::error!(%error, "the table store could not undo a transaction");
        }
        self.tokens.forget_unkept();
    }

    fn call(&mut self, call: &Call) -> Metered {
        if call.action == "TransactWriteItems" {
            return self.transact(call);
        }
        actions::run(&self.storage, &self.indexes, &call.action, &call.body)
    }

    fn transact(&mut self, call: &Call) -> Metered {
        let answered = |answer| Metered { answer, units: Units::Write(0.0) };
        let transaction = match read(&call.body) {
            Ok(transaction) => transaction,
            Err(error) => return answered(Err(error)),
        };
        if let Some(answer) = self.tokens.answered(&transaction) {
            return answered(answer);
        }
        let run = || actions::run(&self.storage, &self.indexes, &call.action, &call.body);
        let outcome = match self.fold.single(self.storage.conn(), run) {
            Ok(outcome) => outcome,
            Err(error) => return answered(Err(error.into())),
        };
        if let Ok(answer) = &outcome.answer {
            self.tokens.remember(transaction, answer);
        }
        outcome
    }
}

impl Engine for Tables {
    type Call = Call;
    type Reply = Metered;

    fn run(&mut self, calls: Vec<Call>) -> Vec<Metered> {
        // What a call that panicked left open.
        self.undo();
        let writes = calls.iter().any(|call| actions::writes(&call.action));
        let items_only = !calls.iter().any(|call| actions::administers(&call.action));
        if writes && items_only {
            if let Some(outcomes) = self.together(&calls) {
                self.tokens.keep();
                return outcomes;
            }
            self.undo();
        }
        let outcomes = calls.iter().map(|call| self.call(call)).collect();
        self.tokens.keep();
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn call(action: &str, body: Value) -> Call {
        Call { action: action.to_owned(), body: body.to_string().into() }
    }

    fn put(pk: &str) -> Call {
        call("PutItem", json!({ "TableName": "main", "Item": { "pk": { "S": pk } } }))
    }

    /// A table in which the key `bad` fails after it was written.
    fn tables() -> Tables {
        let mut tables = Tables::memory().unwrap();
        let create = json!({
            "TableName": "main",
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        assert!(tables.run(vec![call("CreateTable", create)])[0].answer.is_ok());
        let trigger = "CREATE TRIGGER fails AFTER INSERT ON main WHEN NEW.item_json LIKE '%bad%'
                       BEGIN SELECT RAISE(FAIL, 'a failing disk'); END";
        tables.storage.conn().execute_batch(trigger).unwrap();
        tables
    }

    fn stored(tables: &mut Tables, pk: &str) -> bool {
        let get = json!({ "TableName": "main", "Key": { "pk": { "S": pk } } });
        let answer = tables.run(vec![call("GetItem", get)]).remove(0).answer.unwrap();
        serde_json::from_slice::<Value>(&answer).unwrap().get("Item").is_some()
    }

    #[test]
    fn a_write_that_fails_half_way_is_undone_and_spares_the_others() {
        let mut tables = tables();
        let writes = ["fine", "bad"].map(|pk| json!({ "PutRequest": { "Item": { "pk": { "S": pk } } } }));
        let batch = call("BatchWriteItem", json!({ "RequestItems": { "main": writes } }));
        let outcomes = tables.run(vec![put("before"), batch, put("after")]);
        let succeeded: Vec<_> = outcomes.iter().map(|outcome| outcome.answer.is_ok()).collect();
        assert_eq!(succeeded, [true, false, true]);
        let kept = ["before", "fine", "bad", "after"].map(|pk| stored(&mut tables, pk));
        assert_eq!(kept, [true, true, false, true]);
        assert!(tables.storage.conn().is_autocommit());
    }

    #[test]
    fn a_transaction_that_is_undone_is_not_remembered_as_done() {
        let mut tables = tables();
        let items = json!([{ "Put": { "TableName": "main", "Item": { "pk": { "S": "once" } } } }]);
        let transact =
            || call("TransactWriteItems", json!({ "ClientRequestToken": "t", "TransactItems": items }));
        let outcomes = tables.run(vec![transact(), put("bad")]);
        assert!(outcomes[0].answer.is_ok() && outcomes[1].answer.is_err());
        assert!(stored(&mut tables, "once"));
        let delete = json!({ "TableName": "main", "Key": { "pk": { "S": "once" } } });
        tables.run(vec![call("DeleteItem", delete)]);
        assert!(tables.run(vec![transact()])[0].answer.is_ok());
        assert!(!stored(&mut tables, "once"), "the token replays the answer, not the write");
    }
}
