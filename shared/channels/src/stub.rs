//! A channel that is made up: it answers all texts to phone numbers alike, and delivers none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::channel::{Capabilities, Channel as Kind};
use domain::outcome::{About, Next, Outcome, Reason, Refusal};

use crate::{Channel, Error, MediaUpload, OutboundMessage};

/// The stub of an account.
#[derive(Debug, Clone)]
pub struct Line {
    /// How many texts came to it.
    pub asked: Arc<AtomicUsize>,
    /// What it answers to all that it can send.
    pub answer: Outcome,
}

fn cannot() -> Refusal {
    Refusal {
        reason: Reason::parse("stub:cannot"),
        details: "the stub takes texts to phone numbers".to_owned(),
        about: About::Message,
        next: Next::Never,
        retry_after: None,
    }
}

impl Channel for Line {
    fn capabilities(&self) -> Capabilities {
        Kind::Stub.capabilities()
    }

    async fn upload(&self, _: MediaUpload) -> Result<String, Error> {
        Err(Error::Refused(cannot()))
    }

    async fn send(&self, message: &OutboundMessage<'_>) -> Outcome {
        let can = self.capabilities();
        match can.reaches(message.to) && can.check(message.content).is_ok() {
            true => {
                self.asked.fetch_add(1, Ordering::SeqCst);
                self.answer.clone()
            }
            false => Outcome::Refused(cannot()),
        }
    }
}
