//! Folding the engine's transactions into one.
//!
//! The engine begins and commits a transaction of its own for every item it
//! writes. SQLite asks an authorizer about each statement it compiles; while a
//! fold is open, the one installed here has BEGIN, COMMIT and ROLLBACK left
//! out, so that everything becomes durable with a single commit.
//!
//! Leaving out a ROLLBACK is harmless when nothing was written since its BEGIN,
//! as after a failed condition. Otherwise the fold is torn, and what it holds
//! must be undone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};

/// The switch of a connection's folding.
#[derive(Debug)]
pub(super) struct Fold(Arc<FoldState>);

/// Only the thread that uses the connection touches it.
#[derive(Debug, Default)]
struct FoldState {
    open: AtomicBool,
    torn: AtomicBool,
    /// Rows changed so far.
    changes: AtomicU64,
    /// `changes` at the last BEGIN that was left out.
    begun_at: AtomicU64,
}

impl FoldState {
    fn authorize(&self, action: AuthAction<'_>) -> Authorization {
        let AuthAction::Transaction { operation } = action else {
            return Authorization::Allow;
        };
        if !self.open.load(Relaxed) {
            return Authorization::Allow;
        }
        let changes = self.changes.load(Relaxed);
        if operation == TransactionOperation::Begin {
            self.begun_at.store(changes, Relaxed);
        } else if operation == TransactionOperation::Rollback && changes != self.begun_at.load(Relaxed) {
            self.torn.store(true, Relaxed);
        }
        Authorization::Ignore
    }
}

impl Fold {
    /// Installs the authorizer on `connection`.
    pub(super) fn install(connection: &Connection) -> Self {
        let state = Arc::new(FoldState::default());
        let counted = Arc::clone(&state);
        connection.update_hook(Some(move |_, _: &str, _: &str, _| {
            counted.changes.fetch_add(1, Relaxed);
        }));
        let asked = Arc::clone(&state);
        connection.authorizer(Some(move |context: AuthContext<'_>| asked.authorize(context.action)));
        Self(state)
    }

    /// Opens a transaction that swallows those of the engine.
    pub(super) fn begin(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        self.0.torn.store(false, Relaxed);
        self.0.open.store(true, Relaxed);
        Ok(())
    }

    /// Makes everything since [`begin`](Self::begin) durable.
    pub(super) fn commit(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.0.open.store(false, Relaxed);
        connection.execute_batch("COMMIT")
    }

    /// Undoes everything since [`begin`](Self::begin).
    pub(super) fn undo(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.0.open.store(false, Relaxed);
        if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") }
    }

    /// Whether the fold holds something that the engine meant to undo, or
    /// SQLite has ended the transaction.
    pub(super) fn is_torn(&self, connection: &Connection) -> bool {
        self.0.torn.load(Relaxed) || connection.is_autocommit()
    }

    /// Runs a single transaction of the engine, undoing just that when it asks.
    /// Without an open fold the engine undoes it by itself.
    pub(super) fn single<T>(
        &self,
        connection: &Connection,
        transaction: impl FnOnce() -> T,
    ) -> rusqlite::Result<T> {
        if !self.0.open.load(Relaxed) {
            return Ok(transaction());
        }
        connection.execute_batch("SAVEPOINT single")?;
        let result = transaction();
        if self.0.torn.swap(false, Relaxed) && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK TO single")?;
        }
        if !connection.is_autocommit() {
            connection.execute_batch("RELEASE single")?;
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (v INTEGER)").unwrap();
        connection
    }

    fn count(connection: &Connection) -> i64 {
        connection.query_row("SELECT COUNT(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn inner_transactions_commit_with_the_outer_one() {
        let connection = connection();
        let fold = Fold::install(&connection);
        fold.begin(&connection).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1); COMMIT").unwrap();
        connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap();
        assert!(!fold.is_torn(&connection));
        assert!(!connection.is_autocommit());
        fold.commit(&connection).unwrap();
        assert_eq!(count(&connection), 1);
    }

    #[test]
    fn an_inner_rollback_after_a_write_tears_the_fold() {
        let connection = connection();
        let fold = Fold::install(&connection);
        fold.begin(&connection).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1); ROLLBACK").unwrap();
        assert!(fold.is_torn(&connection));
        fold.undo(&connection).unwrap();
        assert_eq!(count(&connection), 0);
        connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1); ROLLBACK").unwrap();
        assert_eq!(count(&connection), 0);
    }

    #[test]
    fn a_single_transaction_is_undone_on_its_own() {
        let connection = connection();
        let fold = Fold::install(&connection);
        fold.begin(&connection).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1); COMMIT").unwrap();
        let undone = || connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (2); ROLLBACK");
        fold.single(&connection, undone).unwrap().unwrap();
        assert!(!fold.is_torn(&connection));
        fold.commit(&connection).unwrap();
        assert_eq!(count(&connection), 1);
    }
}
