//! `/api/v1/label` and `/api/v1/whatsapp/label`

use api_http::{ApiError, Caller, Input, Reply, Required, Result, idempotent, request};
use axum::extract::State;
use axum::response::Response;
use domain::contact::MAX_TAG;
use domain::label::Label;
use ops::events::EventPublisher;
use ops::labels;
use serde::Serialize;

#[derive(Serialize)]
struct ListedLabel {
    id: u64,
    label_name: String,
    /// The same.
    name: String,
    status: &'static str,
}

impl From<Label> for ListedLabel {
    fn from(label: Label) -> Self {
        Self { id: label.id.0, label_name: label.name.clone(), name: label.name, status: "1" }
    }
}

#[derive(Serialize)]
pub(crate) struct Labels {
    status: &'static str,
    message: Vec<ListedLabel>,
}

/// `label/list`: all of them, in the order of their ids.
pub(crate) async fn list(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
) -> Result<Reply<200, Labels>> {
    let labels = labels::list(&publisher, caller.tenant_id()).await?;
    Ok(Reply(Labels { status: "1", message: labels.into_iter().map(ListedLabel::from).collect() }))
}

#[derive(Serialize)]
struct CreatedLabel {
    status: &'static str,
    message: &'static str,
    id: u64,
    /// The same.
    label_id: u64,
    data: ListedLabel,
}

request! {
    /// `label/create`
    pub(crate) struct NewLabel {
        name: Required<String> = named("labelName" | "label_name" | "name").max_length(MAX_TAG),
    }
}

/// `label/create`: of one name there is one label.
pub(crate) async fn create(
    State(publisher): State<EventPublisher>,
    Caller(caller): Caller,
    input: Input<NewLabel>,
) -> Result<Response> {
    idempotent(&publisher.store, &caller, &input, async {
        let NewLabel { name } = input.read();
        let called = name.name();
        let made = labels::create(&publisher.store, caller.tenant_id(), &name.get()?).await;
        let (label, is_new) = made.map_err(|error| ApiError(error).renamed("name", called))?;
        let message = match is_new {
            true => "Label created successfully.",
            false => "Label already existed.",
        };
        let (id, data) = (label.id.0, ListedLabel::from(label));
        Ok(Reply::<200, CreatedLabel>(CreatedLabel { status: "1", message, id, label_id: id, data }))
    })
    .await
}
