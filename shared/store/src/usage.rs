//! What a tenant used: messages per UTC day, the rest per calendar month, in items whose sort
//! keys are `2026-07-01` and `2026-07`.

use domain::TenantId;
use domain::account::Tenant;
use jiff::tz::TimeZone;

use crate::item::{Item, Key, Query, n, number, text};
use crate::update::{Update, When};
use crate::{Kind, Result, Store};

fn key(tenant: &TenantId, day: &str) -> Key {
    Key::new(Kind::Usage.pk(tenant), day)
}

/// A tenant's use in this calendar month (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Messages that a provider took, or may have taken.
    pub messages: u64,
    /// Those of today.
    pub messages_today: u64,
    /// Campaigns that were drafted.
    pub campaigns: u64,
    /// Files that were uploaded.
    pub media: u64,
    /// Tokens of the assistant.
    pub assistant_tokens: u64,
}

/// What is counted by calendar months (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metered {
    /// Campaigns that are drafted.
    Campaigns,
    /// Files that are uploaded.
    Media,
    /// Tokens of the assistant.
    AssistantTokens,
}

impl Metered {
    fn attribute(self) -> &'static str {
        match self {
            Self::Campaigns => "campaigns",
            Self::Media => "media",
            Self::AssistantTokens => "tokens",
        }
    }
}

/// How many messages a plan has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    /// Of a UTC day; `None` is no limit.
    pub per_day: Option<u64>,
    /// Of a minute; `None` is no limit.
    pub per_minute: Option<u64>,
}

/// Whether a message may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// It is counted.
    Yes,
    /// The day's are used up.
    NotToday,
    /// The minute's are used up; seconds until the next.
    NotYet(u64),
}

impl Store {
    fn today(&self) -> String {
        self.clock().now().to_zoned(TimeZone::UTC).date().to_string()
    }

    fn month(&self) -> String {
        self.today().chars().take(7).collect()
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

    /// Takes one message from what a plan has of the day and of the minute.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn use_message(&self, tenant: &TenantId, plan: Allowance) -> Result<Allowed> {
        let Some(per_minute) = plan.per_minute else {
            return match self.use_messages(tenant, 1, plan.per_day).await {
                Ok(()) => Ok(Allowed::Yes),
                Err(crate::Error::Conflict) => Ok(Allowed::NotToday),
                Err(error) => Err(error),
            };
        };
        let now = self.clock().now().as_second();
        let (minute, wait) = (now.div_euclid(60), u64::try_from(60 - now.rem_euclid(60)).unwrap_or(60));
        let day = key(tenant, &self.today());
        let within = |update: Update| match plan.per_day {
            Some(limit) => {
                let most = limit.checked_sub(1)?;
                Some(update.when(When::AbsentOrAtMost("messages", n(most))))
            }
            None => Some(update),
        };
        let Some(more) = per_minute.checked_sub(1) else { return Ok(Allowed::NotYet(wait)) };
        // The next of this minute; else the first of it.
        let next = Update::of(day.clone())
            .add("messages", n(1))
            .add("in_minute", n(1))
            .when(When::Is("minute", n(minute)))
            .when(When::AtMost("in_minute", n(more)));
        let first = Update::of(day)
            .add("messages", n(1))
            .set("minute", n(minute))
            .set("in_minute", n(1))
            .when(When::Not("minute", n(minute)));
        let (Some(next), Some(first)) = (within(next), within(first)) else { return Ok(Allowed::NotToday) };
        for update in [next.clone(), first, next] {
            let Err(item) = self.update_or_see(update).await? else { return Ok(Allowed::Yes) };
            let used: u64 = number(&item, "messages").unwrap_or(0);
            if plan.per_day.is_some_and(|limit| used >= limit) {
                return Ok(Allowed::NotToday);
            }
        }
        Ok(Allowed::NotYet(wait))
    }

    /// Counts `count` of what is counted by months.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when `limit` is reached.
    pub async fn meter(
        &self,
        tenant: &TenantId,
        what: Metered,
        count: u64,
        limit: Option<u64>,
    ) -> Result<()> {
        let mut update = Update::of(key(tenant, &self.month())).add(what.attribute(), n(count));
        if let Some(limit) = limit {
            let Some(most) = limit.checked_sub(count) else { return Err(crate::Error::Conflict) };
            update = update.when(When::AbsentOrAtMost(what.attribute(), n(most)));
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

    /// The use of the current month. What a sub-account pays for is counted in its purse.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn usage_of(&self, tenant: &Tenant) -> Result<Usage> {
        let usage = self.usage(&tenant.id).await?;
        if tenant.standing.sub_account().is_none() {
            return Ok(usage);
        }
        let (month, today) = self.purse(&tenant.id).await?.unwrap_or_default().messages(&self.today());
        Ok(Usage { messages: usage.messages + month, messages_today: usage.messages_today + today, ..usage })
    }

    /// The same of what is not paid with credits.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn usage(&self, tenant: &TenantId) -> Result<Usage> {
        let query = Query { pk: Kind::Usage.pk(tenant), prefix: Some(self.month()), ..Query::default() };
        let items = self.query(&query).await?;
        let sum = |name: &str| items.iter().filter_map(|item| number::<u64>(item, name)).sum();
        let today = self.today();
        let is_today = |item: &&Item| text(item, "sk").as_deref() == Some(&*today);
        Ok(Usage {
            messages: sum("messages"),
            messages_today: items
                .iter()
                .find(is_today)
                .and_then(|item| number(item, "messages"))
                .unwrap_or(0),
            campaigns: sum(Metered::Campaigns.attribute()),
            media: sum(Metered::Media.attribute()),
            assistant_tokens: sum(Metered::AssistantTokens.attribute()),
        })
    }
}
