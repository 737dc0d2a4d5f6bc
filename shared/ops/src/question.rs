//! What we are asked, and answer by ourselves.

use domain::message::Address;
use domain::sender::SenderId;
use domain::{AccountId, TenantId};
use queue::InboundJob;

use crate::{Code, Error, Result};

const OPTED_OUT: &str = "opted_out";

/// Something to be answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    /// The tenant.
    pub tenant: TenantId,
    /// The account that was asked; on custom channels, none.
    pub account: AccountId,
    /// What it was asked: the answer leaves from there. Of questions until 0.1 it is not
    /// known, and the account's default answers.
    pub sender: Option<SenderId>,
    /// The provider's id of what was asked: two of the same are one question.
    pub cause: String,
    /// What it is about.
    pub topic: Topic,
    /// Who asked.
    pub to: Address,
}

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Somebody asked for help.
    Help,
    /// Somebody opted out: it is confirmed once.
    OptedOut,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("account", &self.account).finish_non_exhaustive()
    }
}

impl From<&Question> for InboundJob {
    fn from(question: &Question) -> Self {
        Self::Answer {
            tenant: question.tenant.to_string(),
            account: question.account.0,
            sender: question.sender.as_ref().map(ToString::to_string),
            cause: question.cause.clone(),
            topic: (question.topic == Topic::OptedOut).then(|| OPTED_OUT.to_owned()),
            to: question.to.as_str().to_owned(),
        }
    }
}

impl TryFrom<InboundJob> for Question {
    type Error = Error;

    fn try_from(job: InboundJob) -> Result<Self> {
        match job {
            InboundJob::Answer { tenant, account, sender, cause, topic, to } => {
                let topic = if topic.as_deref() == Some(OPTED_OUT) { Topic::OptedOut } else { Topic::Help };
                let (tenant, to) = (tenant.parse()?, Address::parse(&to)?);
                let sender = sender.map(|sender| sender.parse()).transpose()?;
                Ok(Self { tenant, account: AccountId(account), sender, cause, topic, to })
            }
            InboundJob::Meta { .. }
            | InboundJob::Run { .. }
            | InboundJob::Listen { .. }
            | InboundJob::Tagged { .. } => Err(Error::new(Code::Internal, "the job is no question")),
        }
    }
}
