//! What a flow is.

use std::collections::BTreeMap;

use domain::Invalid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::condition::Case;
use crate::{MAX_BYTES, MAX_STEPS, check};

/// The name of a step within its flow.
pub type StepId = String;

/// A flow, as its owner writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// What starts it, besides a call.
    #[serde(default)]
    pub triggers: Vec<Trigger>,
    /// After so many hours without a word of the contact a run ends.
    #[serde(default = "a_day")]
    pub expires_hours: u32,
    /// What becomes of running contacts when the flow changes.
    #[serde(default)]
    pub on_change: OnChange,
    /// The first step.
    pub start: StepId,
    /// All steps.
    pub steps: BTreeMap<StepId, Step>,
}

fn a_day() -> u32 {
    24
}

/// What becomes of running contacts when the flow changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// They go on at their step, if there still is one of that name.
    #[default]
    Continue,
    /// Their run ends.
    End,
}

/// What starts a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// The contact writes one of these words.
    Keyword {
        /// The words, in any case, without accents.
        words: Vec<String>,
        /// Where they stand.
        #[serde(default, rename = "match")]
        matches: WordMatch,
    },
    /// The contact writes for the first time.
    FirstMessage,
    /// The contact taps a button or a row.
    Button {
        /// Its id.
        ids: Vec<String>,
    },
    /// The contact gets a tag.
    TagAdded {
        /// The tag, in any case.
        tag: String,
    },
    /// The contact orders something of the connected catalog.
    Order,
    /// The contact answers a campaign.
    CampaignReply {
        /// Of one campaign; of any otherwise.
        #[serde(default)]
        campaign_id: Option<u64>,
    },
}

/// Where a keyword stands in a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordMatch {
    /// It is all of it.
    #[default]
    Exact,
    /// It stands at the beginning.
    Begins,
    /// It stands anywhere, as words of their own.
    Contains,
}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    /// Says something.
    Message(Message),
    /// Asks something, and waits for the answer.
    Ask(Ask),
    /// Goes one way or another.
    Condition(Condition),
    /// Writes something down with the contact.
    Set(Set),
    /// Posts to the owner's server, and takes its answer.
    Call(Call),
    /// Waits.
    Wait(Wait),
    /// Goes to another step.
    Goto(Goto),
    /// Hands the conversation over to a person, which ends the run.
    Handover(HandOver),
    /// Ends the run.
    End(End),
}

/// Ends the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {}

/// Says something: a text, perhaps with buttons or a list; or a file, a template, products.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Message {
    /// The text; of a file its caption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Up to three buttons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Choice>,
    /// Up to ten rows of a list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Choice>,
    /// What opens the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub button: Option<String>,
    /// A file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// An approved template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// A product of the connected catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// The next step; the run ends without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<StepId>,
}

/// A button, or a row of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What its tap says; the title otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is read.
    pub title: String,
    /// A second line, of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where a question goes on when it is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<StepId>,
}

impl Choice {
    /// What a tap on it says.
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.title)
    }
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// `image`, `video`, `audio` or `document`.
    #[serde(rename = "type")]
    pub kind: MediaKind,
    /// Where it is.
    pub url: String,
    /// What it is called, of documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Image,
    Video,
    Audio,
    Document,
}

/// An approved template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its language; that in which it is approved otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What it is filled with, as `template_params` of campaigns.
    #[serde(default)]
    pub params: Map<String, Value>,
}

/// A product of the connected catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// The catalog; that of the account otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_id: Option<String>,
    /// The products: one, or up to thirty as a list.
    pub ids: Vec<String>,
}

/// What an answer has to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// Anything with letters or digits.
    #[default]
    Text,
    /// A number.
    Number,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// One of the choices.
    Choice,
    /// A day.
    Date,
}

/// Asks something, and waits for the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The question.
    pub text: String,
    /// What the answer has to be.
    #[serde(default)]
    pub kind: AskKind,
    /// Up to three become buttons, up to ten a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// What opens the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button: Option<String>,
    /// The variable that takes the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save: Option<String>,
    /// So many wrong answers are asked again for.
    #[serde(default = "twice")]
    pub retries: u32,
    /// What is said then; the question again otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// Where it goes on after one wrong answer too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_invalid: Option<StepId>,
    /// How long it waits; as long as the run lasts otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_minutes: Option<u32>,
    /// Where it goes on then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<StepId>,
    /// The next step; the run ends without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<StepId>,
}

fn twice() -> u32 {
    2
}

/// Goes one way or another: the first case that holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The cases.
    pub cases: Vec<Case>,
    /// When none holds; the run ends without one.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "else")]
    pub otherwise: Option<StepId>,
}

/// Writes something down with the contact, or in the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Set {
    /// Fields of the contact's metadata; null takes one away.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Tags that are added; labels are tags.
    #[serde(alias = "add_labels", skip_serializing_if = "Vec::is_empty")]
    pub add_tags: Vec<String>,
    /// Tags that are taken away.
    #[serde(alias = "remove_labels", skip_serializing_if = "Vec::is_empty")]
    pub remove_tags: Vec<String>,
    /// Lists that the contact is added to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    /// A note about the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Variables of the run.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub vars: Map<String, Value>,
    /// The next step; the run ends without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<StepId>,
}

impl Set {
    /// Whether it concerns the run alone.
    pub(crate) fn is_silent(&self) -> bool {
        self.metadata.is_empty()
            && self.add_tags.is_empty()
            && self.remove_tags.is_empty()
            && self.lists.is_empty()
            && self.note.is_none()
    }
}

/// Posts to the owner's server, and takes its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Where to.
    pub url: String,
    /// What is posted beside the contact and the variables.
    #[serde(default)]
    pub body: Map<String, Value>,
    /// Variables, with where their values stand in the answer, as JSON pointers.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    /// Where it goes on when there is no answer; to `next` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<StepId>,
    /// The next step; the run ends without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<StepId>,
}

/// Waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// So long, up to 30 days.
    pub minutes: u32,
    /// The next step; the run ends without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<StepId>,
}

/// Goes to another step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goto {
    /// Which.
    pub to: StepId,
}

/// Hands the conversation over to a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HandOver {
    /// What the contact is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Definition {
    /// Reads a flow and checks that it holds together.
    ///
    /// # Errors
    /// Names the part that is wrong: `steps.ask_day.text`, `triggers.0`.
    pub fn read(value: &Value) -> Result<Self, Invalid> {
        let object = value.as_object().ok_or_else(|| Invalid::new("flow", "flow must be an object"))?;
        if value.to_string().len() > MAX_BYTES {
            return Err(Invalid::new("flow", format!("flow may have at most {MAX_BYTES} bytes of JSON")));
        }
        let steps = object.get("steps").and_then(Value::as_object);
        let steps = steps.ok_or_else(|| Invalid::new("steps", "steps must be an object of steps by name"))?;
        if steps.is_empty() || steps.len() > MAX_STEPS {
            return Err(Invalid::new("steps", format!("a flow has 1 to {MAX_STEPS} steps")));
        }
        // One by one, so that an error says where it is.
        for (id, step) in steps {
            let field = format!("steps.{id}");
            Step::deserialize(step).map_err(|error| Invalid::new(&field, format!("{field}: {error}")))?;
        }
        for (nth, trigger) in
            object.get("triggers").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            let field = format!("triggers.{nth}");
            Trigger::deserialize(trigger)
                .map_err(|error| Invalid::new(&field, format!("{field}: {error}")))?;
        }
        let flow =
            Self::deserialize(value).map_err(|error| Invalid::new("flow", format!("flow: {error}")))?;
        check::check(&flow)?;
        Ok(flow)
    }
}

impl Step {
    /// The steps that may follow.
    pub(crate) fn ways(&self) -> Vec<&StepId> {
        match self {
            Self::Message(Message { next, .. })
            | Self::Set(Set { next, .. })
            | Self::Wait(Wait { next, .. }) => next.iter().collect(),
            Self::Ask(ask) => {
                let choices = ask.choices.iter().filter_map(|choice| choice.to.as_ref());
                choices.chain(&ask.on_invalid).chain(&ask.on_timeout).chain(&ask.next).collect()
            }
            Self::Condition(condition) => {
                condition.cases.iter().map(|case| &case.to).chain(&condition.otherwise).collect()
            }
            Self::Call(call) => call.next.iter().chain(&call.on_error).collect(),
            Self::Goto(Goto { to }) => vec![to],
            Self::Handover(_) | Self::End(_) => Vec::new(),
        }
    }

    /// Whether a run rests there: until the contact answers, or for a time.
    pub(crate) fn rests(&self) -> bool {
        matches!(self, Self::Ask(_) | Self::Wait(_))
    }
}
