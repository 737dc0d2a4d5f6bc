//! The tables of the queue store.

use std::path::Path;

use rusqlite::Connection;

/// `visible_at`, `sent_at` and the other times are milliseconds since 1970.
/// `receipt` is the last receipt's secret part; without one the message was
/// never received, so a later `visible_at` is a delay.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS queues (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        attributes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        modified_at INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue INTEGER NOT NULL REFERENCES queues (id),
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        attributes TEXT,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        first_received_at INTEGER,
        receive_count INTEGER NOT NULL DEFAULT 0,
        receipt INTEGER,
        dead_letter_source TEXT
    );
    CREATE INDEX IF NOT EXISTS messages_by_time ON messages (queue, visible_at);
";

/// Nothing is in flight when the store opens: whoever received a message and
/// did not delete it is gone with the process.
const RELEASE: &str = "UPDATE messages SET visible_at = sent_at, receipt = NULL WHERE receipt IS NOT NULL";

/// Opens the store at `path`. With a write-ahead log, NORMAL loses nothing when
/// the process is killed and keeps the file sound when the power fails.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    prepare(connection)
}

/// A store that is gone when it is closed.
pub(super) fn memory() -> rusqlite::Result<Connection> {
    prepare(Connection::open_in_memory()?)
}

fn prepare(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(TABLES)?;
    connection.execute_batch(RELEASE)?;
    Ok(connection)
}
