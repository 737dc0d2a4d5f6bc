//! Messages that their writers edit or take back.

use domain::TenantId;

use super::{Message, key};
use crate::item::{n, s};
use crate::update::{Update, When};
use crate::{Error, Result, Store};

/// What became of a message whose writer did not leave it as it was, and when, in
/// milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// It says something else.
    Edited(i64),
    /// It was taken back: nobody may read it any more.
    Revoked(i64),
}

impl Rewritten {
    pub(super) fn edited_ms(self) -> Option<i64> {
        match self {
            Self::Edited(at_ms) => Some(at_ms),
            Self::Revoked(_) => None,
        }
    }

    pub(super) fn revoked_ms(self) -> Option<i64> {
        match self {
            Self::Revoked(at_ms) => Some(at_ms),
            Self::Edited(_) => None,
        }
    }
}

/// What a message is to say instead.
#[derive(Debug, Clone, Copy)]
pub struct Rewrite<'a> {
    /// What became of it.
    pub how: Rewritten,
    /// What there is to read.
    pub text: Option<&'a str>,
    /// It as the channel wrote it, JSON.
    pub content: &'a str,
}

impl Store {
    /// Lets a message say something else, as its writer made it. What was taken back stays
    /// so, and of two edits the later one counts, in whatever order they come.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn rewrite_message(
        &self,
        tenant: &TenantId,
        message: &Message,
        rewrite: Rewrite<'_>,
    ) -> Result<()> {
        let update = Update::of(key(tenant, message.account, message.id)).set("content", s(rewrite.content));
        let update = match rewrite.text {
            Some(text) => update.set("text", s(text)),
            None => update.remove("text"),
        };
        let update = match rewrite.how {
            Rewritten::Revoked(at_ms) => update.set("revoked", n(at_ms)),
            Rewritten::Edited(at_ms) => update
                .set("edited", n(at_ms))
                .when(When::Absent("revoked"))
                .when(When::AbsentOrAtMost("edited", n(at_ms))),
        };
        match self.update(update.when(When::Exists)).await {
            Ok(()) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
