//! `subscriber/update`, `assign-labels`, `remove-labels`, `assign-custom-fields` and `add-note`

use api_http::{
    ApiError, Caller, FieldKind, FromParameter, Given, Input, Object, Parameter, Reply, Required, Result,
    Texts, idempotent, idempotent_make, request,
};
use axum::extract::State;
use axum::response::Response;
use domain::contact::{Contact, MAX_NAME, MAX_TAGS};
use domain::label::clean_label;
use domain::merge::{ContactChange, NameChange};
use domain::message::Address;
use domain::note::{MAX_NOTE, Note, clean_note};
use domain::{EmailAddress, Invalid};
use jiff::Timestamp;
use ops::changes::{LabelRef, Wanted, change};
use ops::events::EventPublisher;
use serde::Serialize;

use super::{GENDER, Subscriber, Who, WhoFields};
use crate::listed::ListedNote;

/// Most labels that one call takes away: of so many numbers few are the subscriber's.
const MAX_REMOVED: usize = 1_000;

#[derive(Serialize)]
struct Changed {
    status: &'static str,
    message: &'static str,
    subscriber_id: u64,
    data: Subscriber,
}

impl Changed {
    fn reply(message: &'static str, contact: &Contact) -> Reply<200, Self> {
        let data = Subscriber::from(contact);
        Reply(Self { status: "1", message, subscriber_id: data.subscriber_id, data })
    }
}

/// Numbers of labels, or names where they are no numbers; an array, or one text with commas.
pub(crate) struct LabelRefs(Vec<String>);

impl FromParameter for LabelRefs {
    const KIND: FieldKind = FieldKind::List;

    fn from_parameter(parameter: Parameter<'_>) -> std::result::Result<Option<Self>, Invalid> {
        Ok(parameter.list()?.map(Self))
    }
}

request! {
    /// Labels, by their ids or their names.
    pub(crate) struct LabelFields {
        ids: Given<LabelRefs> = named("labelIds" | "label_ids"),
        names: Given<Texts> = named("label_names" | "labelNames" | "labels" | "tags"),
    }
}

impl LabelFields {
    /// At most `most` of them.
    fn get(self, most: usize) -> Result<Vec<LabelRef>> {
        let (by_id, by_name) = (self.ids.name(), self.names.name());
        let LabelRefs(ids) = self.ids.get()?.unwrap_or(LabelRefs(Vec::new()));
        let names = self.names.get()?.unwrap_or_default();
        for (name, count) in [(by_id, ids.len()), (by_name, names.len())] {
            if count > most {
                return Err(Invalid::new(name, format!("{name} may have at most {most} labels")).into());
            }
        }
        let tag = |called: &'static str, text: &str| {
            clean_label(text)
                .map(LabelRef::Tag)
                .map_err(|wrong| ApiError::from(wrong).renamed("name", called))
        };
        let ids = ids.iter().filter(|text| !text.trim().is_empty());
        let of_id = |text: &String| match text.trim().parse() {
            Ok(id) => Ok(LabelRef::Id(id)),
            // A number that is no id is no name either: who mistypes makes no label.
            Err(_) if text.trim().parse::<f64>().is_ok() => {
                let unknown = format!("there is no label with the id {}", text.trim());
                Err(ApiError(ops::Error::not_found("label_ids", unknown)).renamed("label_ids", by_id))
            }
            Err(_) => tag(by_id, text),
        };
        let ids = ids.map(of_id);
        let names = names.iter().filter(|text| !text.trim().is_empty()).map(|text| tag(by_name, text));
        ids.chain(names).collect()
    }

    /// The same, of which there must be some.
    fn needed(self, most: usize) -> Result<Vec<LabelRef>> {
        let name = if self.names.is_given().unwrap_or(true) { self.names.name() } else { self.ids.name() };
        let labels = self.get(most)?;
        match labels.is_empty() {
            true => Err(Invalid::new(name, format!("{name} is required")).into()),
            false => Ok(labels),
        }
    }
}

/// How callers name what a change may be refused for.
struct Called {
    who: &'static str,
    phone: &'static str,
    labels: &'static str,
    others: [(&'static str, &'static str); 2],
}

/// Does it, and tells what is wrong under the names that the caller used.
async fn done(
    publisher: &EventPublisher,
    caller: &ops::Caller,
    wanted: Wanted,
    called: &Called,
) -> Result<Contact> {
    let names = [("id", called.who), ("phone", called.phone), ("label_ids", called.labels)];
    change(publisher, caller.tenant_id(), wanted).await.map_err(|error| {
        let names = names.into_iter().chain(called.others);
        names.fold(ApiError(error), |error, (ours, theirs)| error.renamed(ours, theirs))
    })
}

request! {
    /// `subscriber/update`
    pub(crate) struct UpdateSubscriber(who: WhoFields, labels: LabelFields) {
        name: Given<String> = named("name").max_length(MAX_NAME),
        first_name: Given<String> = named("firstName" | "first_name").max_length(MAX_NAME),
        last_name: Given<String> = named("lastName" | "last_name").max_length(MAX_NAME),
        email: Given<EmailAddress> = named("email"),
        gender: Given<String> = named("gender").max_length(MAX_NAME),
        custom_fields: Given<Object> = named("custom_fields" | "customFields" | "metadata"),
    }
}

/// `subscriber/update`, and `assign-custom-fields` as sister products call a part of it. What is not
/// said stays as it is.
pub(crate) async fn update(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<UpdateSubscriber>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let asked = input.read();
        let called = Called {
            who: "",
            phone: asked.who.phone.name(),
            labels: asked.labels.ids.name(),
            others: [("metadata", asked.custom_fields.name()), ("tags", asked.labels.names.name())],
        };
        let Who { subject, name: who, phone } = asked.who.get(&publisher.store, &caller).await?;
        let [first, last] = [asked.first_name.get()?, asked.last_name.get()?];
        let name = match asked.name.get()? {
            Some(name) => Some(NameChange::Whole(name)),
            None if first.is_some() || last.is_some() => Some(NameChange::Parts { first, last }),
            None => None,
        };
        let mut metadata = asked.custom_fields.get()?.unwrap_or_default();
        metadata.extend(asked.gender.get()?.map(|gender| (GENDER.to_owned(), gender.into())));
        let number = |address: Address| match address {
            Address::Phone(phone) => Ok(phone),
            Address::Bsuid(_) | Address::Custom(_) => {
                let (name, why) = (called.phone, "must be a phone number");
                Err(Invalid::new(name, format!("{name} {why}")))
            }
        };
        let phone = phone.map(number).transpose()?;
        let change =
            ContactChange { name, phone, email: asked.email.get()?, metadata, ..ContactChange::default() };
        let wanted = Wanted {
            subject,
            change,
            add: asked.labels.get(MAX_TAGS)?,
            remove: Vec::new(),
            starts_flows: true,
        };
        let contact = done(&publisher, &caller, wanted, &Called { who, ..called }).await?;
        Ok(Changed::reply("Subscriber updated successfully.", &contact))
    })
    .await
}

request! {
    /// `subscriber/assign-labels` and `remove-labels`
    pub(crate) struct ChangeLabels(who: WhoFields, labels: LabelFields) {}
}

/// `subscriber/assign-labels`: adds them to those that there are.
pub(crate) async fn assign_labels(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<ChangeLabels>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let ChangeLabels { who, labels } = input.read();
        let contact = relabel(&publisher, &caller, (who, labels), Relabel::Assign).await?;
        Ok(Changed::reply("Labels have been assigned successfully.", &contact))
    })
    .await
}

/// `subscriber/remove-labels`: those that the subscriber has not are no matter.
pub(crate) async fn remove_labels(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<ChangeLabels>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let ChangeLabels { who, labels } = input.read();
        let contact = relabel(&publisher, &caller, (who, labels), Relabel::Remove).await?;
        Ok(Changed::reply("Labels have been removed successfully.", &contact))
    })
    .await
}

/// What becomes of labels.
#[derive(Clone, Copy)]
enum Relabel {
    Assign,
    Remove,
}

async fn relabel(
    publisher: &EventPublisher,
    caller: &ops::Caller,
    (who, labels): (WhoFields, LabelFields),
    how: Relabel,
) -> Result<Contact> {
    let (by_id, by_name) = (labels.ids.name(), labels.names.name());
    let phone = who.phone.name();
    let Who { subject, name: who, .. } = who.get(&publisher.store, caller).await?;
    let (add, remove) = match how {
        Relabel::Assign => (labels.needed(MAX_TAGS)?, Vec::new()),
        Relabel::Remove => (Vec::new(), labels.needed(MAX_REMOVED)?),
    };
    let wanted = Wanted { subject, change: ContactChange::default(), add, remove, starts_flows: true };
    let called = Called { who, phone, labels: by_id, others: [("tags", by_name), ("name", by_name)] };
    done(publisher, caller, wanted, &called).await
}

#[derive(Serialize)]
struct AddedNote {
    status: &'static str,
    message: &'static str,
    subscriber_id: u64,
    data: Option<ListedNote>,
}

request! {
    /// `subscriber/add-note`
    pub(crate) struct NewNote(who: WhoFields) {
        note: Required<String> = named("note" | "note_text" | "noteText" | "notes").max_length(MAX_NOTE),
    }
}

/// `subscriber/add-note`: written once under an idempotency key, whatever breaks off in between.
pub(crate) async fn add_note(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<NewNote>,
) -> Result<Response> {
    let store = &publisher.store;
    idempotent_make(store, &caller, &input, async |claim| {
        let NewNote { who, note } = input.read();
        let (phone, called) = (who.phone.name(), note.name());
        let Who { subject, name: who, .. } = who.get(store, &caller).await?;
        let text = clean_note(&note.get()?).map_err(|wrong| ApiError::from(wrong).renamed("note", called))?;
        let at = Timestamp::from_millisecond(store.clock().now_ms()).unwrap_or_default();
        let id = claim.map_or_else(|| store.entropy().ulid(at), |claim| claim.message.0);
        let note = Note { id: id.to_string(), at, author: caller.key.name.clone(), text };
        let (id, change) = (note.id.clone(), ContactChange { note: Some(note), ..ContactChange::default() });
        let wanted = Wanted { subject, change, add: Vec::new(), remove: Vec::new(), starts_flows: true };
        let called = Called { who, phone, labels: "label_ids", others: [("note", called), ("tags", "tags")] };
        let contact = done(&publisher, &caller, wanted, &called).await?;
        let data = contact.notes.iter().find(|note| note.id == id).map(ListedNote::from);
        let (message, subscriber_id) = ("Note added successfully.", contact.id.0);
        Ok(Reply::<200, AddedNote>(AddedNote { status: "1", message, subscriber_id, data }))
    })
    .await
}
