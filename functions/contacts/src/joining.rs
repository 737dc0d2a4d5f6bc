//! Contacts that are put into lists, or taken out of them, in any dialect.

use std::collections::BTreeSet;

use api_http::{ApiError, Input, Result};
use domain::ListId;
use domain::contact::Contact;
use ops::events::EventPublisher;
use ops::{Error, callers, lists};
use store::contacts::Subject;

use crate::members::{Failed, Members, Named};

/// What became of those who were named.
pub(crate) struct Joining {
    pub(crate) contacts: Vec<Contact>,
    pub(crate) failed: Vec<Failed>,
    /// It was one.
    pub(crate) is_one: bool,
}

/// A list, as a path names it.
///
/// # Errors
/// [`ops::Code::NotFound`] names `list_id`.
pub(crate) fn list_id(text: &str) -> Result<ListId> {
    let unknown = || Error::not_found("list_id", "there is no list with this id");
    Ok(text.parse().map_err(|_| unknown())?)
}

/// Puts those who are named into a list, or takes them out of it. One who cannot be is refused;
/// of many, each is told by itself.
pub(crate) async fn join(
    publisher: &EventPublisher,
    caller: &ops::Caller,
    (list, is_in): (ListId, bool),
    input: &Input<Members>,
) -> Result<Joining> {
    let (store, tenant) = (&publisher.store, caller.tenant_id());
    lists::find(store, tenant, list).await?;
    let asked = input.read();
    let country = match asked.may_be_national() {
        true => callers::home_country(store, caller).await?,
        false => None,
    };
    let (Named { members, is_one }, wrong) = asked.get(country)?;
    let subjects: Vec<Subject> = members.iter().map(|member| member.subject.clone()).collect();
    let done = lists::set(publisher, tenant, (list, is_in), &subjects).await?;
    let mut failed: Vec<(usize, Failed)> =
        wrong.into_iter().map(|(index, error, field)| (index, Failed::new(index, field, &error))).collect();
    let mut contacts = Vec::new();
    // The places of those who made sense, among all who were named.
    let taken: BTreeSet<usize> = failed.iter().map(|(index, _)| *index).collect();
    let places = (0..).filter(|place| !taken.contains(place));
    for ((member, one), place) in members.iter().zip(done).zip(places) {
        match one {
            Ok(contact) => contacts.push(contact),
            Err(error) if is_one && error.field.as_deref() == Some("id") => {
                return Err(ApiError(Error { field: Some(member.field.to_owned()), ..error }));
            }
            Err(error) if is_one => return Err(error.into()),
            Err(error) => failed.push((place, Failed::new(place, member.field, &error))),
        }
    }
    failed.sort_by_key(|(index, _)| *index);
    Ok(Joining { contacts, failed: failed.into_iter().map(|(_, failed)| failed).collect(), is_one })
}
