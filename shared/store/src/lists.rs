//! Lists of contacts: `LIST#<tenant>` holds each under its number and under its name. Who is
//! in one, the contacts say; a number is never given again.

use domain::list::{List, MAX_LISTS};
use domain::{ListId, TenantId};
use serde::{Deserialize, Serialize};

use crate::batch::Action;
use crate::item::{Item, Key, Query, compose, n, number, read};
use crate::repeat::TRIES;
use crate::update::{Update, When};
use crate::{Error, Kind, Result, Store};

const KIND: &str = "list";
/// Sort keys of lists by number.
const BY_ID: &str = "id#";

#[derive(Serialize, Deserialize)]
struct ListItem {
    id: u64,
    name: String,
    created: i64,
}

fn id_key(tenant: &TenantId, id: ListId) -> Key {
    Key::new(Kind::List.pk(tenant), format!("{BY_ID}{:010}", id.0))
}

/// Of one name in any case there is one list.
fn name_key(tenant: &TenantId, name: &str) -> Key {
    Key::new(Kind::List.pk(tenant), format!("name#{}", domain::contact::tag_key(name)))
}

fn counter_key(tenant: &TenantId) -> Key {
    Key::new(Kind::Counter.pk(tenant), "lists")
}

fn from_item(item: Item) -> Result<List> {
    let item: ListItem = read(item, KIND)?;
    Ok(List { id: ListId(item.id), name: item.name, created_ms: item.created })
}

impl Store {
    /// The lists of a tenant, in the order of their numbers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn lists(&self, tenant: &TenantId) -> Result<Vec<List>> {
        let query = Query { pk: Kind::List.pk(tenant), prefix: Some(BY_ID.to_owned()), ..Query::default() };
        self.query(&query).await?.into_iter().map(from_item).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn list(&self, tenant: &TenantId, id: ListId) -> Result<Option<List>> {
        self.get_item(&id_key(tenant, id)).await?.map(from_item).transpose()
    }

    /// Makes a list, or finds the one of this name; answers it, and whether it is new. `None`
    /// when there are as many as there may be.
    ///
    /// # Errors
    /// [`Error::Contended`] when others keep making lists.
    pub async fn create_list(&self, tenant: &TenantId, name: &str) -> Result<Option<(List, bool)>> {
        for attempt in 0..TRIES {
            if let Some(item) = self.get_item(&name_key(tenant, name)).await? {
                return Ok(Some((from_item(item)?, false)));
            }
            let counter = self.get_item(&counter_key(tenant)).await?.unwrap_or_default();
            let (last, used): (Option<u64>, u64) =
                (number(&counter, "next"), number(&counter, "used").unwrap_or(0));
            if used >= MAX_LISTS {
                return Ok(None);
            }
            let id = last.unwrap_or(0) + 1;
            let item = ListItem { id, name: name.to_owned(), created: self.clock().now_ms() };
            let unchanged = last.map_or(When::Absent("next"), |last| When::Is("next", n(last)));
            let mut actions = vec![Action::Update(
                Update::of(counter_key(tenant)).set("next", n(id)).add("used", n(1)).when(unchanged),
            )];
            for key in [id_key(tenant, ListId(id)), name_key(tenant, name)] {
                actions.push(Action::Put(compose(&key, KIND, &item)?, vec![When::Absent("pk")]));
            }
            match self.transact(actions).await {
                Ok(()) => {
                    let list = List { id: ListId(id), name: item.name, created_ms: item.created };
                    return Ok(Some((list, true)));
                }
                Err(Error::Conflict | Error::Contended) => self.back_off(attempt).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended)
    }

    /// Deletes a list; answers whether it was there. Contacts that are in it are in nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn delete_list(&self, tenant: &TenantId, id: ListId) -> Result<bool> {
        let Some(list) = self.list(tenant, id).await? else { return Ok(false) };
        let actions = vec![
            Action::Delete(id_key(tenant, id), vec![When::Exists]),
            Action::Delete(name_key(tenant, &list.name), Vec::new()),
            Action::Update(Update::of(counter_key(tenant)).add("used", n(-1))),
        ];
        match self.transact(actions).await {
            Ok(()) => Ok(true),
            Err(Error::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
