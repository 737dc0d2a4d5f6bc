//! Agencies and their sub-accounts: `AGENCY#<agency>` has a line for each (`s#<id>`), and what
//! finds one by its owner's e-mail address (`m#<address>`). A sub-account itself is a tenant.

use domain::account::{ApiKey, Tenant};
use domain::credits::{Prices, Standing};
use domain::{EmailAddress, TenantId};
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::credits::{Recorded, funded, new_purse, purse_key};
use crate::due::{Due, put_action};
use crate::item::{Item, Key, Query, compose, n, read};
use crate::tenants::{tenant_key, tenant_update};
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

const KIND: &str = "sub-account";
/// Sub-accounts sort by when they were made.
const LINE: &str = "s#";

/// A sub-account as its agency lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubAccountLine {
    /// The tenant.
    pub tenant: TenantId,
    /// Where the list goes on behind it.
    pub place: String,
}

/// A sub-account that is to be made.
#[derive(Debug, Clone)]
pub struct NewSubAccount<'a> {
    /// The tenant that it is.
    pub tenant: &'a Tenant,
    /// Its owner's key.
    pub key: &'a ApiKey,
    /// Its agency.
    pub agency: &'a TenantId,
    /// Below how many credits the agency is told, and how many it wants to grant then.
    pub recharge: (Option<u64>, Option<u64>),
    /// Credits to begin with.
    pub credits: u64,
    /// Who says so, by the name of their key.
    pub by: &'a str,
}

#[derive(Serialize, Deserialize)]
struct LineItem {
    tenant: String,
}

fn line_key(agency: &TenantId, tenant: &Tenant) -> Key {
    let at = tenant.created_at.as_millisecond();
    Key::new(Kind::Agency.pk(agency), format!("{LINE}{at:013}-{}", tenant.id))
}

fn email_key(agency: &TenantId, email: &EmailAddress) -> Key {
    Key::new(Kind::Agency.pk(agency), format!("m#{}", email.identity()))
}

fn line_of(item: Item) -> Result<SubAccountLine> {
    let place = Key::of(&item).map(|key| key.sk).unwrap_or_default();
    let item: LineItem = read(item, KIND)?;
    let tenant = item.tenant.parse().map_err(|_| Error::Corrupt { kind: KIND })?;
    Ok(SubAccountLine { tenant, place: place.trim_start_matches(LINE).to_owned() })
}

impl Store {
    /// Makes a sub-account with its key and an empty purse, all or nothing.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the agency has one with this e-mail address.
    pub async fn create_sub_account(&self, new: &NewSubAccount<'_>) -> Result<()> {
        let NewSubAccount { tenant, key, agency, recharge, credits, by } = new;
        let email = tenant.email.parse().map_err(|_| Error::Corrupt { kind: KIND })?;
        let line = LineItem { tenant: tenant.id.to_string() };
        let absent = || vec![When::Absent("pk")];
        let mut actions = Self::tenant_actions(tenant, key)?;
        actions.extend([
            Action::Put(compose(&line_key(agency, tenant), KIND, &line)?, absent()),
            Action::Put(compose(&email_key(agency, &email), KIND, &line)?, absent()),
            Action::Put(new_purse(&tenant.id, agency, &tenant.email, *recharge, *credits), absent()),
            self.audit_action(agency, "agency", &format!("sub-account {} created", tenant.id))?,
        ]);
        if *credits > 0 {
            actions.push(self.first_grant(&tenant.id, *credits, by)?);
        }
        self.transact(actions).await
    }

    /// Which sub-account of an agency has an owner with this e-mail address.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn sub_account_by_email(
        &self,
        agency: &TenantId,
        email: &EmailAddress,
    ) -> Result<Option<TenantId>> {
        let found: Option<LineItem> = self.get(&email_key(agency, email), KIND).await?;
        found.map(|line| line.tenant.parse().map_err(|_| Error::Corrupt { kind: KIND })).transpose()
    }

    /// Sub-accounts of an agency behind a place of the list, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn sub_accounts(
        &self,
        agency: &TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SubAccountLine>> {
        let query = Query {
            pk: Kind::Agency.pk(agency),
            after: Some(format!("{LINE}{}", after.unwrap_or_default())),
            until: Some(format!("{LINE}~")),
            limit: Some(limit),
            ..Query::default()
        };
        self.query(&query).await?.into_iter().map(line_of).collect()
    }

    /// Reads several tenants, in no order; those that do not exist are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn tenants_of(&self, ids: &[TenantId]) -> Result<Vec<Tenant>> {
        let items = self.get_many(ids.iter().map(tenant_key).collect()).await?;
        items.into_iter().map(crate::tenants::from_item).collect()
    }

    /// Writes down how a tenant stands to others, if it still stands as it was read.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it was changed meanwhile.
    pub async fn change_standing(&self, before: &Tenant, standing: &Standing) -> Result<()> {
        self.update(tenant_update(before, standing)?).await
    }

    /// Switches a sub-account off or on: its keys, and what is paid. Once it is on, campaigns
    /// that waited for that are looked at.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it was changed meanwhile.
    pub async fn disable_sub_account(
        &self,
        agency: &TenantId,
        before: &Tenant,
        standing: &Standing,
        disabled: bool,
    ) -> Result<Option<Due>> {
        let purse = Update::of(purse_key(&before.id)).when(When::Exists);
        let purse = if disabled { purse.set("off", n(1)) } else { purse.remove("off") };
        let what = if disabled { "disabled" } else { "enabled" };
        let mut actions = vec![
            Action::Update(tenant_update(before, standing)?),
            Action::Update(purse),
            self.audit_action(agency, "agency", &format!("sub-account {} {what}", before.id))?,
        ];
        let due = (!disabled).then(|| funded(&before.id, self.clock().now_ms()));
        if let Some(due) = &due {
            actions.push(put_action(due)?);
        }
        self.transact(actions).await?;
        Ok(due)
    }
}

/// The prices of a list that sub-accounts without their own have.
pub fn priced(standing: &Standing, prices: &Prices) -> Option<Standing> {
    let sub = standing.sub_account().filter(|sub| !sub.has_own_prices && sub.prices != *prices)?;
    Some(Standing::SubAccount(domain::credits::SubAccount { prices: prices.clone(), ..sub.clone() }))
}

/// A grant says when it was.
impl Recorded {
    /// When, in milliseconds since 1970.
    pub fn at_ms(&self) -> i64 {
        self.id.timestamp_ms()
    }
}
