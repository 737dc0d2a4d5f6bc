//! What a tenant used, per UTC day.

use domain::TenantId;
use jiff::tz::TimeZone;

use crate::item::{Key, Query, n, number};
use crate::update::{Update, When};
use crate::{Kind, Result, Store};

fn key(tenant: &TenantId, day: &str) -> Key {
    Key::new(Kind::Usage.pk(tenant), day)
}

/// A tenant's use in this calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Messages that a provider took, or may have taken.
    pub messages: u64,
}

impl Store {
    fn today(&self) -> String {
        self.clock().now().to_zoned(TimeZone::UTC).date().to_string()
    }

    /// Takes `count` messages from today's allowance.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when `limit` is reached.
    pub async fn use_messages(&self, tenant: &TenantId, count: u64, limit: Option<u64>) -> Result<()> {
        let mut update = Update::of(key(tenant, &self.today())).add("messages", n(count));
        if let Some(limit) = limit {
            let Some(most) = limit.checked_sub(count) else { return Err(crate::Error::Conflict) };
            update = update.when(When::AbsentOrAtMost("messages", n(most)));
        }
        self.update(update).await
    }

    /// Takes up to `count` messages from today's allowance; answers how many.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn use_messages_up_to(&self, tenant: &TenantId, count: u64, limit: Option<u64>) -> Result<u64> {
        match (self.use_messages(tenant, count, limit).await, limit) {
            (Ok(()), _) => Ok(count),
            (Err(crate::Error::Conflict), Some(limit)) => {
                let item = self.get_item(&key(tenant, &self.today())).await?.unwrap_or_default();
                let left = limit.saturating_sub(number(&item, "messages").unwrap_or(0)).min(count);
                match self.use_messages(tenant, left, Some(limit)).await {
                    Ok(()) => Ok(left),
                    Err(crate::Error::Conflict) => Ok(0),
                    Err(error) => Err(error),
                }
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Gives back messages that no provider took.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn return_messages(&self, tenant: &TenantId, count: u64) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let back = -i64::try_from(count).unwrap_or(i64::MAX);
        self.update(Update::of(key(tenant, &self.today())).add("messages", n(back))).await
    }

    /// The use of the current month.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn usage(&self, tenant: &TenantId) -> Result<Usage> {
        let month = self.today().chars().take(7).collect();
        let query = Query { pk: Kind::Usage.pk(tenant), prefix: Some(month), ..Query::default() };
        let days = self.query(&query).await?;
        Ok(Usage { messages: days.iter().filter_map(|day| number::<u64>(day, "messages")).sum() })
    }
}
