//! Which account a number, a business account or a webhook belongs to. Written
//! only after the provider confirmed the tenant's token.

use domain::account::Account;
use domain::{AccountId, TenantId};
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Key, Query, compose, read};
use crate::update::When;
use crate::{Error, Result, Store, sha256_hex};

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

fn phone_key(phone_number_id: &str) -> Key {
    Key::new(format!("PHONEID#{phone_number_id}"), "-")
}

/// Several numbers may share a business account, so each has its own item.
fn waba_key(waba_id: &str, phone_number_id: &str) -> Key {
    Key::new(format!("WABA#{waba_id}"), phone_number_id)
}

fn verify_key(token: &str) -> Key {
    Key::new(format!("VERIFY#{}", sha256_hex(token)), "-")
}

impl Store {
    /// Connects the number in `account` to it: the account, the pointer from the
    /// number, the one from its business account, and the token with which Meta
    /// verifies the webhook.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the number belongs to another account.
    pub async fn connect_number(
        &self,
        tenant: &TenantId,
        account: &Account,
        verify_token: &str,
    ) -> Result<()> {
        let Some(number) = &account.whatsapp else { return Err(Error::Corrupt { kind: "account" }) };
        let owner = OwnerItem { tenant: tenant.to_string(), account: account.id.0 };
        let phone = phone_key(&number.phone_number_id);
        let same = Owner { tenant: tenant.clone(), account: account.id };
        let when = match self.owner_of_number(&number.phone_number_id).await? {
            Some(other) if other != same => return Err(Error::Conflict),
            Some(_) => When::Exists,
            None => When::Absent("pk"),
        };
        self.transact(vec![
            Action::Put(self.account_item(tenant, account).await?, Vec::new()),
            Action::Put(compose(&phone, "owner", &owner)?, vec![when]),
            Action::Put(
                compose(&waba_key(&number.waba_id, &number.phone_number_id), "owner", &owner)?,
                Vec::new(),
            ),
            Action::Put(compose(&verify_key(verify_token), "verify", &owner)?, Vec::new()),
        ])
        .await
    }

    /// The account that a number is connected to.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn owner_of_number(&self, phone_number_id: &str) -> Result<Option<Owner>> {
        let item = self.get::<OwnerItem>(&phone_key(phone_number_id), "owner").await?;
        item.map(OwnerItem::into_owner).transpose()
    }

    /// The accounts whose numbers belong to a business account.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn owners_of_waba(&self, waba_id: &str) -> Result<Vec<Owner>> {
        let query = Query { pk: format!("WABA#{waba_id}"), ..Query::default() };
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
