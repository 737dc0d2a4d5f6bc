//! `/v1/contacts/{id}`

use api_http::{
    ApiError, Caller, Given, Input, Object, PhoneText, Reply, Result, Texts, idempotent, request,
};
use axum::extract::State;
use axum::response::Response;
use domain::contact::{Contact, MAX_NAME, MAX_TAG, clean_tags};
use domain::merge::{ContactChange, NameChange};
use domain::{ContactId, EmailAddress, Invalid, ListId};
use ops::changes::{LabelRef, Wanted, change};
use ops::events::EventPublisher;
use ops::{Error, callers, lists};
use store::Store;
use store::contacts::Subject;

use super::Answer;

fn id_of(text: &str) -> ops::Result<ContactId> {
    let unknown = |_| Error::not_found("id", "there is no contact with this id");
    text.parse().map_err(unknown)
}

/// `GET /v1/contacts/{id}`
pub(crate) async fn get(
    State(store): State<Store>,
    Caller(caller): Caller,
    input: Input,
) -> Result<Reply<200, Answer>> {
    let contact = store.contact(caller.tenant_id(), id_of(input.path("id"))?).await?;
    let unknown = || Error::not_found("id", "there is no contact with this id");
    Ok(Reply(Answer::new(&contact.ok_or_else(unknown)?, None)))
}

request! {
    /// `PUT /v1/contacts/{id}`
    pub(crate) struct ChangeContact {
        name: Given<String> = named("name").max_length(MAX_NAME),
        first_name: Given<String> = named("firstName" | "first_name").max_length(MAX_NAME),
        last_name: Given<String> = named("lastName" | "last_name").max_length(MAX_NAME),
        phone: Given<PhoneText> = named("phone" | "phoneNumber"),
        email: Given<EmailAddress> = named("email"),
        tags: Given<Texts> = named("tags"),
        add_tags: Given<Texts> = named("addTags" | "add_tags"),
        remove_tags: Given<Texts> = named("removeTags" | "remove_tags"),
        lists: Given<Texts> = named("addLists" | "add_lists"),
        no_lists: Given<Texts> = named("removeLists" | "remove_lists"),
        metadata: Given<Object> = named("metadata" | "customFields"),
    }
}

/// Tags as they are kept.
fn tags(given: Given<Texts>) -> std::result::Result<Option<Vec<String>>, Invalid> {
    let name = given.name();
    let tags = given.get()?.map(|tags| clean_tags(tags.iter().map(String::as_str)));
    match tags.as_ref().is_some_and(|tags| tags.iter().any(|tag| tag.chars().count() > MAX_TAG)) {
        true => Err(Invalid::new(name, format!("{name} may have tags of at most {MAX_TAG} characters"))),
        false => Ok(tags),
    }
}

fn list_ids(given: Given<Texts>) -> std::result::Result<Vec<ListId>, Invalid> {
    let name = given.name();
    let wrong = |_| Invalid::new(name, format!("{name} must be the ids of lists"));
    given.get()?.unwrap_or_default().iter().map(|id| id.parse().map_err(wrong)).collect()
}

/// `PUT /v1/contacts/{id}`: what is not said stays; `tags` are all that there are then.
pub(crate) async fn put(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<ChangeContact>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let contact = put_once(&publisher, &caller, &input).await?;
        Ok(Reply::<200, _>(Answer::new(&contact, None)))
    })
    .await
}

async fn put_once(
    publisher: &EventPublisher,
    caller: &ops::Caller,
    input: &Input<ChangeContact>,
) -> Result<Contact> {
    let (store, tenant) = (&publisher.store, caller.tenant_id());
    let id = id_of(input.path("id"))?;
    let asked = input.read();
    let called =
        [("phone", asked.phone.name()), ("lists", asked.lists.name()), ("metadata", asked.metadata.name())];
    let [first, last] = [asked.first_name.get()?, asked.last_name.get()?];
    let name = match asked.name.get()? {
        Some(name) => Some(NameChange::Whole(name)),
        None if first.is_some() || last.is_some() => Some(NameChange::Parts { first, last }),
        None => None,
    };
    let phone = match asked.phone.get()? {
        Some(phone) => {
            let is_national = phone.may_be_national();
            let country = if is_national { callers::home_country(store, caller).await? } else { None };
            Some(phone.parse(country)?)
        }
        None => None,
    };
    let all = tags(asked.tags)?;
    let [add, remove] = [tags(asked.add_tags)?, tags(asked.remove_tags)?];
    let add_lists = list_ids(asked.lists)?;
    lists::check(store, tenant, &add_lists)
        .await
        .map_err(|error| ApiError(error).renamed("lists", called[1].1))?;
    let change_of = ContactChange {
        name,
        phone,
        email: asked.email.get()?,
        metadata: asked.metadata.get()?.unwrap_or_default(),
        tags: all.clone(),
        add_lists,
        remove_lists: list_ids(asked.no_lists)?,
        ..ContactChange::default()
    };
    let refs = |tags: Option<Vec<String>>| tags.into_iter().flatten().map(LabelRef::Tag).collect::<Vec<_>>();
    // Every tag has its number before it is somebody's.
    let add = [refs(all), refs(add)].concat();
    let (subject, remove) = (Subject::Id(id), refs(remove));
    let wanted = Wanted { subject, change: change_of, add, remove, starts_flows: true };
    change(publisher, tenant, wanted).await.map_err(|error| {
        called.into_iter().fold(ApiError(error), |error, (ours, theirs)| error.renamed(ours, theirs))
    })
}
