//! The life of an accepted message: which statuses it gets, when, and how they look.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::limits::WINDOW_MS;
use crate::graph::{
    clock::Entropy,
    codes,
    config::{FinalStatus, SimulatorSettings},
    hash,
};

/// An accepted message, as far as its statuses need it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Position in the order of acceptance; never reused.
    pub(crate) seq: u64,
    pub(crate) wamid: String,
    pub(crate) number: String,
    /// Digits of the phone number, or a business-scoped user id.
    pub(crate) to: String,
    /// How WhatsApp knows that number, when otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wa_id: Option<String>,
    pub(crate) callback: Option<String>,
    pub(crate) category: Category,
    pub(crate) accepted_ms: u64,
    pub(crate) plan: Box<[Step]>,
}

/// What the message is charged as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Category {
    Service,
    Marketing,
    Utility,
    Authentication,
}

impl Category {
    /// The name as templates carry it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::Marketing => "MARKETING",
            Self::Utility => "UTILITY",
            Self::Authentication => "AUTHENTICATION",
        }
    }
}

/// One status of a message; intervals count from the acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) status: Status,
    /// The moment the status tells about.
    pub(crate) at_ms: u32,
    /// The moment its webhook is due; later than `at_ms` when statuses arrive out of order.
    pub(crate) due_ms: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Sent,
    Delivered,
    Read,
    Failed(u32),
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }
}

/// Decides the statuses of a message, in the order they are due.
pub(crate) fn plan(settings: &SimulatorSettings, entropy: &mut Entropy, failed: Option<u32>) -> Box<[Step]> {
    let end = settings.final_status;
    let failed = failed.or_else(|| (end == Some(FinalStatus::Failed)).then_some(settings.failed_code));
    let mut steps = match failed {
        Some(code) => vec![step(Status::Failed(code), settings.sent_after_ms.unwrap_or(0))],
        None => successful(settings, entropy, end),
    };
    let apart = u32::try_from(settings.flush_after_ms).unwrap_or(u32::MAX).saturating_add(1);
    for index in 0..steps.len() {
        if entropy.happens(settings.duplicate_share) {
            let original = steps[index];
            steps.push(Step { due_ms: original.due_ms.saturating_add(apart), ..original });
        }
    }
    steps.sort_by_key(|step| step.due_ms);
    steps.into_boxed_slice()
}

fn successful(settings: &SimulatorSettings, entropy: &mut Entropy, end: Option<FinalStatus>) -> Vec<Step> {
    let must_reach = |status: FinalStatus| end == Some(status);
    let sent = settings.sent_after_ms.or(must_reach(FinalStatus::Sent).then_some(0));
    let delivered = match end {
        Some(FinalStatus::Sent) => None,
        Some(FinalStatus::Delivered) => Some(settings.delivered_after_ms.or(sent).unwrap_or(0)),
        _ => settings.delivered_after_ms,
    };
    let read = match end {
        Some(FinalStatus::Read) => Some(settings.read_after_ms.or(delivered).or(sent).unwrap_or(0)),
        Some(_) => None,
        None => settings.read_after_ms.filter(|_| entropy.happens(settings.read_share)),
    };
    let mut steps = Vec::with_capacity(3);
    steps.extend(sent.map(|at| step(Status::Sent, at)));
    steps.extend(delivered.map(|at| step(Status::Delivered, at)));
    if steps.len() == 2 && entropy.happens(settings.reorder_share) {
        steps[0].due_ms = steps[0].due_ms.max(steps[1].due_ms);
        steps.swap(0, 1);
    }
    steps.extend(read.map(|at| step(Status::Read, at)));
    steps
}

fn step(status: Status, at_ms: u32) -> Step {
    Step { status, at_ms, due_ms: at_ms }
}

impl Message {
    /// How WhatsApp knows the recipient.
    pub(crate) fn wa_id(&self) -> &str {
        self.wa_id.as_deref().unwrap_or(&self.to)
    }

    /// The entry of `statuses` for one step of the plan.
    pub(crate) fn status(&self, step: Step) -> Value {
        let at_ms = self.accepted_ms + u64::from(step.at_ms);
        let mut status = json!({
            "id": self.wamid,
            "status": step.status.name(),
            "timestamp": (at_ms / 1_000).to_string(),
            "recipient_id": self.wa_id(),
        });
        if self.is_user_id() {
            status["recipient_user_id"] = json!(self.to);
        }
        if let Some(callback) = &self.callback {
            status["biz_opaque_callback_data"] = json!(callback);
        }
        match step.status {
            Status::Failed(code) => status["errors"] = json!([error_entry(code)]),
            Status::Sent | Status::Delivered => self.add_charges(&mut status, step.status),
            Status::Read => {}
        }
        status
    }

    fn is_user_id(&self) -> bool {
        !self.to.starts_with(|first: char| first.is_ascii_digit())
    }

    fn add_charges(&self, status: &mut Value, step: Status) {
        let category = json!(self.category);
        let free = self.category == Category::Service;
        status["conversation"] = json!({
            "id": format!("{:016x}{:016x}", hash::of(&[&self.number]), hash::of(&[&self.to])),
            "origin": { "type": category },
        });
        if step == Status::Sent {
            let expires = (self.accepted_ms + WINDOW_MS) / 1_000;
            status["conversation"]["expiration_timestamp"] = json!(expires.to_string());
        }
        status["pricing"] = json!({
            "billable": !free,
            "pricing_model": "PMP",
            "type": if free { "free_customer_service" } else { "regular" },
            "category": category,
        });
    }
}

fn error_entry(code: u32) -> Value {
    let title = codes::title(code);
    json!({
        "code": code,
        "title": title,
        "message": title,
        "error_data": { "details": title },
        "href": "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(plan: &[Step]) -> Vec<&'static str> {
        plan.iter().map(|step| step.status.name()).collect()
    }

    #[test]
    fn a_plan_follows_the_settings() {
        let mut entropy = Entropy::new(1);
        let ordinary = SimulatorSettings::default();
        assert_eq!(names(&plan(&ordinary, &mut entropy, None)), ["sent", "delivered"]);
        assert_eq!(names(&plan(&ordinary, &mut entropy, Some(131_026))), ["failed"]);

        let read = SimulatorSettings { read_after_ms: Some(200), read_share: 1.0, ..ordinary.clone() };
        assert_eq!(names(&plan(&read, &mut entropy, None)), ["sent", "delivered", "read"]);

        let reordered = SimulatorSettings { reorder_share: 1.0, ..ordinary.clone() };
        assert_eq!(names(&plan(&reordered, &mut entropy, None)), ["delivered", "sent"]);

        let doubled =
            SimulatorSettings { duplicate_share: 1.0, delivered_after_ms: None, ..ordinary.clone() };
        assert_eq!(names(&plan(&doubled, &mut entropy, None)), ["sent", "sent"]);

        for (end, last) in [
            (FinalStatus::Sent, "sent"),
            (FinalStatus::Delivered, "delivered"),
            (FinalStatus::Read, "read"),
            (FinalStatus::Failed, "failed"),
        ] {
            let settings = SimulatorSettings { final_status: Some(end), ..ordinary.clone() };
            assert_eq!(names(&plan(&settings, &mut entropy, None)).last(), Some(&last));
        }
    }
}
