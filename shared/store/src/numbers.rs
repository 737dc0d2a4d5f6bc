//! Which account a number, a business account or a webhook belongs to. Written
//! only after the provider confirmed the tenant's token.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::account::{Account, Number};
use domain::sender::SenderId;
use domain::{AccountId, TenantId};
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Key, Query, compose, read, s};
use crate::runner::changed;
use crate::tenants::account_key;
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store, sha256_hex};

/// The account behind a provider's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The tenant.
    pub tenant: TenantId,
    /// Its account.
    pub account: AccountId,
}

#[derive(Serialize, Deserialize)]
struct OwnerItem {
    tenant: String,
    account: u64,
}

impl OwnerItem {
    fn into_owner(self) -> Result<Owner> {
        let tenant = self.tenant.parse().map_err(|_| Error::Corrupt { kind: "owner" })?;
        Ok(Owner { tenant, account: AccountId(self.account) })
    }
}

fn phone_key(number: &SenderId) -> Key {
    Key::new(Kind::PhoneId.pk(number), "-")
}

/// Several numbers may share a business account, so each has its own item.
fn waba_key(waba_id: &str, number: &SenderId) -> Key {
    Key::new(Kind::Waba.pk(waba_id), number.as_str())
}

fn verify_key(token: &str) -> Key {
    Key::new(Kind::Verify.pk(sha256_hex(token)), "-")
}

/// How a number is connected.
#[derive(Debug, Clone, Copy)]
pub struct Connecting<'a> {
    /// What Meta verifies the webhook with.
    pub verify_token: &'a str,
    /// It sends when none is named.
    pub as_default: bool,
}

/// The attribute of an account that is another after each change of its numbers.
const CHANGE: &str = "numbers_change";
/// Tries against others that connect numbers to the same account.
const TRIES: u32 = 6;

impl Store {
    /// Connects a number to an account, in place of what was known of it, as its default
    /// when it is the first or is to be: the account, the pointer from the number, the
    /// one from its business account, and the token with which Meta verifies the webhook.
    /// Answers the account as it is then.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the number belongs to another account, or there is no such
    /// account.
    pub async fn connect_number(
        &self,
        tenant: &TenantId,
        id: AccountId,
        number: &Number,
        connected: Connecting<'_>,
    ) -> Result<Account> {
        let owner = OwnerItem { tenant: tenant.to_string(), account: id.0 };
        let same = Owner { tenant: tenant.clone(), account: id };
        let change = |account: &mut Account| account.connect(number.clone(), connected.as_default);
        for round in 0..TRIES {
            let free = match self.owner_of_number(&number.id).await? {
                Some(other) if other != same => return Err(Error::Conflict),
                Some(_) => When::Exists,
                None => When::Absent("pk"),
            };
            let pointers = vec![
                Action::Put(compose(&phone_key(&number.id), "owner", &owner)?, vec![free]),
                Action::Put(compose(&waba_key(&number.waba_id, &number.id), "owner", &owner)?, Vec::new()),
                Action::Put(compose(&verify_key(connected.verify_token), "verify", &owner)?, Vec::new()),
            ];
            match self.change_numbers(tenant, id, change, pointers).await? {
                Some(account) => return Ok(account),
                None => self.back_off(round).await,
            }
        }
        Err(Error::Contended)
    }

    /// Takes a number from an account, with what leads to it. Answers the account as it
    /// is then.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such account.
    pub async fn disconnect_number(
        &self,
        tenant: &TenantId,
        id: AccountId,
        number: &Number,
    ) -> Result<Account> {
        let change = |account: &mut Account| account.numbers.retain(|known| known.id != number.id);
        for round in 0..TRIES {
            let pointers = vec![
                Action::Delete(phone_key(&number.id), Vec::new()),
                Action::Delete(waba_key(&number.waba_id, &number.id), Vec::new()),
                Action::Update(changed(tenant, &number.id)),
            ];
            match self.change_numbers(tenant, id, change, pointers).await? {
                Some(account) => return Ok(account),
                None => self.back_off(round).await,
            }
        }
        Err(Error::Contended)
    }

    /// Makes a number of an account its default. Answers the account as it is then.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such account.
    pub async fn default_number(
        &self,
        tenant: &TenantId,
        id: AccountId,
        number: &SenderId,
    ) -> Result<Account> {
        let change = |account: &mut Account| {
            if let Some(chosen) = account.number_of(number).cloned() {
                account.connect(chosen, true);
            }
        };
        for round in 0..TRIES {
            match self.change_numbers(tenant, id, change, Vec::new()).await? {
                Some(account) => return Ok(account),
                None => self.back_off(round).await,
            }
        }
        Err(Error::Contended)
    }

    /// Changes the numbers of an account, with what else belongs to it. `None` when
    /// somebody else changed them, or one of the others, at the same time.
    async fn change_numbers(
        &self,
        tenant: &TenantId,
        id: AccountId,
        change: impl Fn(&mut Account),
        mut others: Vec<Action>,
    ) -> Result<Option<Account>> {
        let item = self.get_item(&account_key(tenant, id)).await?.ok_or(Error::Conflict)?;
        // Another number that is connected meanwhile must not be lost.
        let unchanged = item.get(CHANGE).cloned();
        let unchanged = unchanged.map_or(When::Absent(CHANGE), |change| When::Is(CHANGE, change));
        let mut account = self.read_account(tenant, item).await?;
        change(&mut account);
        let mut items = Vec::with_capacity(account.numbers.len());
        for number in &account.numbers {
            let item = self.number_item(tenant, number).await?;
            items
                .push(serde_dynamo::to_attribute_value(item).map_err(|_| Error::Corrupt { kind: "number" })?);
        }
        let mut items = items.into_iter();
        let update = Update::of(account_key(tenant, id));
        let update = match items.next() {
            Some(default) => update.set("wa", default),
            None => update.remove("wa"),
        };
        let update = update
            .set("more", AttributeValue::L(items.collect()))
            .set(CHANGE, s(self.entropy().token(12)))
            .when(When::Exists)
            .when(unchanged);
        others.insert(0, Action::Update(update));
        match self.transact(others).await {
            Ok(()) => Ok(Some(account)),
            Err(Error::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The account that a number is connected to.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn owner_of_number(&self, number: &SenderId) -> Result<Option<Owner>> {
        let item = self.get::<OwnerItem>(&phone_key(number), "owner").await?;
        item.map(OwnerItem::into_owner).transpose()
    }

    /// The accounts whose numbers belong to a business account.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn owners_of_waba(&self, waba_id: &str) -> Result<Vec<Owner>> {
        let query = Query { pk: Kind::Waba.pk(waba_id), ..Query::default() };
        let items = self.query(&query).await?;
        items.into_iter().map(|item| read::<OwnerItem>(item, "owner")?.into_owner()).collect()
    }

    /// Whether Meta may verify a webhook with this token.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn knows_verify_token(&self, token: &str) -> Result<bool> {
        Ok(self.get_item(&verify_key(token)).await?.is_some())
    }
}
