//! Labels: the numbers of tags. Whoever writes a tag that is new to a contact gives it its number
//! first, so that every tag has one; tags of before get theirs from a job.

use std::collections::BTreeSet;

use domain::TenantId;
use domain::contact::tag_key;
use domain::label::{Label, MAX_LABELS, clean_label};
use domain::merge::Book;
use store::Store;
use store::labels::Labels;

use crate::events::EventPublisher;
use crate::{Code, Error, Result, renewal};

pub(crate) fn no_room() -> Error {
    Error::new(Code::PlanLimit, format!("there may be at most {MAX_LABELS} labels"))
}

/// The labels of a tenant, in the order of their numbers. Orders that tags which an older
/// version stored get theirs.
///
/// # Errors
/// [`Code::Unavailable`] when a store or the queue does not answer.
pub async fn list(publisher: &EventPublisher, tenant: &TenantId) -> Result<Vec<Label>> {
    renewal::order(publisher, tenant).await?;
    Ok(publisher.store.labels(tenant).await?)
}

/// Makes a label, or finds the one of this name; answers whether it is new.
///
/// # Errors
/// Names `name`; [`Code::PlanLimit`] when there are as many as there may be.
pub async fn create(store: &Store, tenant: &TenantId, name: &str) -> Result<(Label, bool)> {
    let Labels { mut known, mut made } = store.ensure_labels(tenant, &[clean_label(name)?]).await?;
    let is_new = known.is_empty();
    known.append(&mut made);
    Ok((known.pop().ok_or_else(no_room)?, is_new))
}

/// Gives the tags that contacts of a book get their numbers, before they are written. Those
/// beyond the limit go without.
///
/// # Errors
/// [`Code::Unavailable`] when the database does not answer.
pub(crate) async fn number(store: &Store, tenant: &TenantId, book: &Book) -> Result<()> {
    let before: BTreeSet<String> = book
        .slots()
        .flat_map(|(_, slot)| slot.before.iter().flat_map(|contact| &contact.tags))
        .map(|tag| tag_key(tag))
        .collect();
    let tags = book.slots().flat_map(|(_, slot)| slot.after.iter().flat_map(|contact| &contact.tags));
    let new: BTreeSet<&String> = tags.filter(|tag| !before.contains(&tag_key(tag))).collect();
    if !new.is_empty() {
        store.ensure_labels(tenant, &new.into_iter().cloned().collect::<Vec<_>>()).await?;
    }
    Ok(())
}
