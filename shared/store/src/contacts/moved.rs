//! Identities that a provider said became others: `MOVED#<t>#<kind>#<value>`. What was said
//! before may come later, under the former one.

use domain::TenantId;
use domain::identity::Identity;

use crate::item::{Key, n, number, s, text};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

/// How long a move is remembered, in seconds: providers repeat themselves for a week, and
/// nobody reads of a move years later.
const KEEP_S: i64 = 90 * 86_400;

/// What an identity became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// By what the person is known since.
    pub to: Vec<Identity>,
    /// Since when, in milliseconds since 1970.
    pub at_ms: i64,
}

fn key(tenant: &TenantId, from: &Identity) -> Key {
    Key::new(Kind::Moved.pk(format_args!("{tenant}#{}", from.encode())), "-")
}

impl Store {
    /// Remembers that whoever was known by `from` is known by others since; of several such
    /// moves, the last counts.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn remember_move(&self, tenant: &TenantId, from: &Identity, moved: &Moved) -> Result<()> {
        // Who gets something beside what they had goes on being known by it.
        if moved.to.contains(from) {
            return Ok(());
        }
        let to: Vec<String> = moved.to.iter().map(Identity::encode).collect();
        let update = Update::of(key(tenant, from))
            .set("to", s(to.join("\n")))
            .set("at", n(moved.at_ms))
            .set("ttl", n(self.clock().now().as_second() + KEEP_S))
            .when(When::AbsentOrAtMost("at", n(moved.at_ms)));
        match self.update(update).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What became of an identity, if a provider said so.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn moved_since(&self, tenant: &TenantId, from: &Identity) -> Result<Option<Moved>> {
        let Some(item) = self.get_item(&key(tenant, from)).await? else { return Ok(None) };
        let to = text(&item, "to").unwrap_or_default();
        let to = to.lines().filter_map(Identity::decode).collect();
        Ok(Some(Moved { to, at_ms: number(&item, "at").unwrap_or(0) }))
    }
}
