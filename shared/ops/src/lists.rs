//! Lists of contacts: made by name, and joined by whoever is put into them. A list may be whom
//! a campaign is for.

use domain::contact::Contact;
use domain::list::{List, MAX_LISTS, clean_list_name};
use domain::merge::ContactChange;
use domain::{ListId, TenantId};
use futures::{StreamExt, stream};
use store::Store;
use store::contacts::Subject;

use crate::changes::{Wanted, change};
use crate::events::EventPublisher;
use crate::{Code, Error, Result};

/// Most contacts of one call.
pub const MAX_AT_ONCE: usize = 1_000;
/// Contacts that are changed at once.
const AT_ONCE: usize = 8;

fn unknown() -> Error {
    Error::not_found("list_id", "there is no list with this id")
}

/// Makes a list, or finds the one of this name; answers whether it is new.
///
/// # Errors
/// Names `name`; [`Code::PlanLimit`] when there are as many as there may be.
pub async fn create(store: &Store, tenant: &TenantId, name: &str) -> Result<(List, bool)> {
    let no_room = || Error::new(Code::PlanLimit, format!("there may be at most {MAX_LISTS} lists"));
    store.create_list(tenant, &clean_list_name(name)?).await?.ok_or_else(no_room)
}

/// One list.
///
/// # Errors
/// [`Code::NotFound`] names `list_id`.
pub async fn find(store: &Store, tenant: &TenantId, id: ListId) -> Result<List> {
    store.list(tenant, id).await?.ok_or_else(unknown)
}

/// Deletes a list. Its contacts stay.
///
/// # Errors
/// [`Code::NotFound`] names `list_id`.
pub async fn delete(store: &Store, tenant: &TenantId, id: ListId) -> Result<()> {
    match store.delete_list(tenant, id).await? {
        true => Ok(()),
        false => Err(unknown()),
    }
}

/// Puts contacts into a list, or takes them out of it. Answers what came of each: the contact,
/// or why it is not changed.
///
/// # Errors
/// [`Code::NotFound`] names `list_id`; [`Code::Unavailable`]: say it again.
pub async fn set(
    publisher: &EventPublisher,
    tenant: &TenantId,
    (list, is_in): (ListId, bool),
    subjects: &[Subject],
) -> Result<Vec<Result<Contact>>> {
    find(&publisher.store, tenant, list).await?;
    let one = async |subject: &Subject| {
        let lists = vec![list];
        let change_of = match is_in {
            true => ContactChange { add_lists: lists, ..ContactChange::default() },
            false => ContactChange { remove_lists: lists, ..ContactChange::default() },
        };
        let (add, remove) = (Vec::new(), Vec::new());
        let subject = subject.clone();
        change(publisher, tenant, Wanted { subject, change: change_of, add, remove, starts_flows: true })
            .await
    };
    let changes: Vec<_> = subjects.iter().map(one).collect();
    let done: Vec<Result<Contact>> = stream::iter(changes).buffered(AT_ONCE).collect().await;
    match done.iter().find_map(|one| one.as_ref().err().filter(|error| error.code.is_temporary())) {
        Some(error) => Err(error.clone()),
        None => Ok(done),
    }
}

/// The lists that are named, by their ids or by names, which make those that there are not.
///
/// # Errors
/// [`Code::NotFound`] names `list_id`; [`Code::InvalidField`] names `name`; [`Code::PlanLimit`] when there
/// are as many as there may be.
pub async fn named(store: &Store, tenant: &TenantId, names: &[String]) -> Result<Vec<ListId>> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.push(match name.trim().parse::<ListId>() {
            Ok(id) => find(store, tenant, id).await?.id,
            Err(_) => create(store, tenant, name).await?.0.id,
        });
    }
    Ok(found)
}

/// Refuses lists that there are not.
///
/// # Errors
/// [`Code::InvalidField`] names `lists`.
pub async fn check(store: &Store, tenant: &TenantId, lists: &[ListId]) -> Result<()> {
    for id in lists {
        if store.list(tenant, *id).await?.is_none() {
            return Err(Error::invalid("lists", format!("lists: there is no list with the id {id}")));
        }
    }
    Ok(())
}
