//! A request to send a message, which may be the repetition of one that broke off.

use domain::recipient::State;
use domain::{AccountId, MessageId, TenantId};
use store::Store;
use store::messages::Message;

use crate::{Code, Error, Result};

/// A request to send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendRequest {
    /// The message's id, chosen before anything else happens.
    pub id: MessageId,
    /// An earlier request with this id broke off.
    pub is_repeated: bool,
}

impl SendRequest {
    /// What became of the message of a request that broke off; `None` when it was never
    /// written down, and so never sent.
    ///
    /// # Errors
    /// [`Code::ProviderTimeout`] about it when nobody knows, [`Code::ProviderUnavailable`] when
    /// it was surely not sent: that frees the key, and a repetition has an id of its own.
    pub async fn earlier(
        self,
        store: &Store,
        tenant: &TenantId,
        account: AccountId,
    ) -> Result<Option<Message>> {
        if !self.is_repeated {
            return Ok(None);
        }
        let Some(message) = store.message(tenant, account, self.id).await? else { return Ok(None) };
        if message.progress.provider_id.is_some() {
            return Ok(Some(message));
        }
        if message.progress.state == State::Failed {
            let text = "an earlier request with this idempotency key broke off, and was not sent: repeat it";
            let error = Error::new(Code::ProviderUnavailable, text).about(self.id).after(1);
            return Err(Error { reason: message.progress.reason, ..error });
        }
        let text = "an earlier request with this idempotency key broke off: its message may have been sent";
        Err(Error::new(Code::ProviderTimeout, text).about(self.id))
    }
}
