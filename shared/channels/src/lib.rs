//! Channels: how a message reaches a provider. What is stored with an account or a
//! channel decides which [`AnyChannel`] sends.

pub mod cloud;
pub mod custom;

use std::future::Future;

use bytes::Bytes;
use domain::channel::Capabilities;
use domain::message::{Address, CallbackRef, Content};
use domain::outcome::{Outcome, Refusal};
use domain::{ContactId, EmailAddress};

/// A way to send messages.
pub trait Channel {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Uploads a file of ours that messages refer to; answers the channel's id of it.
    ///
    /// # Errors
    /// [`Error`]; always where [`Capabilities::media`] are no uploads.
    fn upload(&self, file: MediaUpload) -> impl Future<Output = Result<String, Error>> + Send;

    /// Sends one message, once. Whatever happens is an [`Outcome`]: it is never sent
    /// again from here, and only what surely was not taken is refused or unreachable.
    fn send(&self, message: &OutboundMessage<'_>) -> impl Future<Output = Outcome> + Send;
}

/// A message on its way out.
#[derive(Debug, Clone, Copy)]
pub struct OutboundMessage<'a> {
    /// Whom it is for.
    pub to: &'a Address,
    /// What it says.
    pub content: &'a Content,
    /// What names it in everything that is heard of it.
    pub reference: CallbackRef,
    /// What else is known of whom it is for, for channels that pass it on.
    pub regarding: &'a Regarding,
}

/// What goes with a message.
#[derive(Clone, Default)]
pub struct Regarding {
    /// The contact that it is for.
    pub contact: Option<ContactId>,
    /// Their first name.
    pub first_name: Option<String>,
    /// Their last name.
    pub last_name: Option<String>,
    /// Their e-mail address.
    pub email: Option<EmailAddress>,
    /// The campaign that it belongs to.
    pub campaign: Option<domain::CampaignId>,
}

impl std::fmt::Debug for Regarding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Regarding").field("contact", &self.contact).finish_non_exhaustive()
    }
}

/// A file to be uploaded.
#[derive(Debug, Clone)]
pub struct MediaUpload {
    /// Its name.
    pub name: String,
    /// Its type.
    pub mime: String,
    /// Its content.
    pub bytes: Bytes,
}

/// Why a call that sends nothing failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The provider refused it.
    #[error("the provider refused the call with {}", .0.reason)]
    Refused(Refusal),
    /// The provider did not answer, or not in its own language.
    #[error("the provider did not answer")]
    Unreachable,
}

/// The channel that stored data chose.
#[derive(Debug, Clone)]
pub enum AnyChannel {
    /// A number of Meta's Cloud API.
    Cloud(cloud::Line),
    /// A tenant's own URL.
    Custom(custom::Line),
}

impl Channel for AnyChannel {
    fn capabilities(&self) -> Capabilities {
        match self {
            Self::Cloud(line) => line.capabilities(),
            Self::Custom(line) => line.capabilities(),
        }
    }

    async fn upload(&self, file: MediaUpload) -> Result<String, Error> {
        match self {
            Self::Cloud(line) => line.upload(file).await,
            Self::Custom(line) => line.upload(file).await,
        }
    }

    async fn send(&self, message: &OutboundMessage<'_>) -> Outcome {
        match self {
            Self::Cloud(line) => line.send(message).await,
            Self::Custom(line) => line.send(message).await,
        }
    }
}
