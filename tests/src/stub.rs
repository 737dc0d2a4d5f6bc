//! A channel that is made up: it can do little, and answers what a test says.

use std::sync::{Mutex, PoisonError};

use channels::{Channel, Error, MediaUpload, OutboundMessage};
use domain::channel::{Capabilities, Media, Reaches};
use domain::outcome::{About, Next, Outcome, Reason, Refusal};

/// The channel: texts to phone numbers.
#[derive(Debug)]
pub struct Stub {
    answer: Outcome,
    /// Whom it was asked to send to.
    sent: Mutex<Vec<String>>,
}

impl Stub {
    /// One that answers so to all that it can send.
    pub fn answering(answer: Outcome) -> Self {
        Self { answer, sent: Mutex::default() }
    }

    /// How many messages it was asked to send, that it can send.
    pub fn asked(&self) -> usize {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// A refusal of the stub's.
pub fn refused(what: &str, about: About, next: Next) -> Refusal {
    let reason = Reason::parse(&format!("stub:{what}"));
    Refusal { reason, details: what.to_owned(), about, next, retry_after: None }
}

impl Channel for Stub {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            templates: false,
            buttons: false,
            products: false,
            media: Media::None,
            needs_window: false,
            needs_marketing_country: false,
            reaches: Reaches::Phone,
        }
    }

    async fn upload(&self, _: MediaUpload) -> Result<String, Error> {
        Err(Error::Refused(refused("no_uploads", About::Message, Next::Never)))
    }

    async fn send(&self, message: &OutboundMessage<'_>) -> Outcome {
        let can = self.capabilities();
        if !can.reaches(message.to) || can.check(message.content).is_err() {
            return Outcome::Refused(refused("cannot", About::Message, Next::Never));
        }
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(message.to.id().to_owned());
        self.answer.clone()
    }
}
