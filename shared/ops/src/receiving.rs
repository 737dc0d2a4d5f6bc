//! The one way in: what somebody says to us, over any channel. Once for each id of the
//! channel, however often it comes.

use std::collections::HashSet;

use domain::account::ContactPolicy;
use domain::channel::Channel;
use domain::consent::Keyword;
use domain::contact::Contact;
use domain::message::Address;
use domain::recipient::{Progress, State};
use domain::sender::SenderId;
use domain::{AccountId, CampaignId, MessageId, TenantId};
use queue::Unacknowledged;
use store::Store;
use store::messages::{Message, Rewritten};
use store::suppression::suppression_ids;

use crate::events::{EventPublisher, Transaction, message_received};
use crate::suppression::{ConsentChange, OptOutSource, heed};
use crate::{Question, Result, Topic};

/// A longer text is no keyword, in bytes.
const MAX_KEYWORD: usize = 1_000;

/// Something that was said.
#[derive(Debug)]
pub struct Heard<'a> {
    /// The account that it came to; on custom channels, none.
    pub account: AccountId,
    /// What the account does about words, where it was read already.
    pub policy: Option<&'a ContactPolicy>,
    /// The channel.
    pub channel: Channel,
    /// What of ours it came to, where that is known.
    pub sender: Option<SenderId>,
    /// The channel's id of it.
    pub provider_id: &'a str,
    /// Every address of who said it that is known; the first one is answered.
    pub addresses: Vec<Address>,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
    /// The channel's type of it.
    pub kind: &'a str,
    /// What there is to read.
    pub text: Option<&'a str>,
    /// To whom.
    pub setting: Setting,
    /// It as the channel wrote it, JSON.
    pub content: String,
    /// When it was said, in milliseconds since 1970, where the channel says so.
    pub said_ms: Option<i64>,
    /// What its writer made of it already.
    pub rewritten: Option<Rewritten>,
}

/// To whom something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// To us alone.
    Private,
    /// To a group that we are in: nobody opts out there, and no window opens.
    Group,
    /// To nobody: the channel tells something about the person.
    Notice,
}

/// Who tells what was said.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// The job that takes it in, which comes again until it is told.
    ByJob(Unacknowledged<'a>),
    /// The outbox: it was taken in by a request, which nobody repeats.
    ByOutbox,
}

impl Heard<'_> {
    /// A copy of it that came before.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when the database does not answer.
    pub async fn known(&self, store: &Store, tenant: &TenantId) -> Result<Option<Message>> {
        let found = match self.channel.custom() {
            Some(name) => store.message_on_channel(tenant, name, true, self.provider_id).await,
            None => store.message_by_provider_id(tenant, self.provider_id).await,
        };
        Ok(found?)
    }

    /// Takes it in: the window of `contact` opens, a keyword takes effect, a question is
    /// queued to be answered, and it joins the conversation. Answers the message, and
    /// whether a copy was faster.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`]: take it in again.
    pub async fn take(
        &self,
        publisher: &EventPublisher,
        tenant: &TenantId,
        contact: &Contact,
        told: Told<'_>,
    ) -> Result<Option<(Message, bool)>> {
        let store = &publisher.store;
        let Some(address) = self.addresses.first() else { return Ok(None) };
        let now_ms = store.clock().now_ms();
        let at_ms = self.said_ms.unwrap_or(now_ms).min(now_ms);
        if self.setting == Setting::Private {
            store.open_window(tenant, self.account, contact.id, (self.provider_id, at_ms)).await?;
        }
        self.obey(publisher, tenant).await?;
        let message = self.message(store, contact, address, at_ms);
        let events = match told {
            Told::ByJob(_) => None,
            Told::ByOutbox => Some(publisher.caused_by(Transaction, tenant).await?),
        };
        let note = events.as_ref().map(|events| events.note(&message_received(tenant, &message)));
        match store.receive_message(tenant, &message, self.provider_id, note.unwrap_or_default()).await {
            Ok(written) => {
                if let Some(events) = events {
                    events.publish(written).await;
                }
                Ok(Some((message, false)))
            }
            // A copy was faster; or somebody else writes, and it comes again.
            Err(store::Error::Conflict) => {
                let known = self.known(store, tenant).await?.ok_or(store::Error::Contended)?;
                Ok(Some((known, true)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Applies an opt-out or opt-in word to every address that it came from, and has HELP and
    /// an opt-out answered. What is said to a group, or to nobody, opts nobody out.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when a store does not answer.
    pub async fn obey(&self, publisher: &EventPublisher, tenant: &TenantId) -> Result<()> {
        let (Some(word), Some(address)) = (self.word(), self.addresses.first()) else { return Ok(()) };
        let store = &publisher.store;
        let said = match (self.policy, self.account.known()) {
            (Some(policy), _) => self.keyword(policy),
            (None, Some(account)) => self.keyword(&store.contact_policy(tenant, account).await?),
            (None, None) => self.keyword(&ContactPolicy::default()),
        };
        let Some(said) = said else { return Ok(()) };
        let (account, source) = (self.account.known(), OptOutSource::Keyword);
        let (channel, said_ms) = (Some(&self.channel), self.said_ms);
        let on = ConsentChange { publisher, tenant, account, channel, source, word: Some(word), said_ms };
        match said {
            Keyword::OptIn => heed(on, &self.addresses, true).await,
            Keyword::OptOut => {
                heed(on, &self.addresses, false).await?;
                // However often it is said, until they come back: one opt-out has one answer.
                match since(store, tenant, address).await? {
                    Some(since) => self.ask(publisher, tenant, Topic::OptedOut, &since, address).await,
                    None => Ok(()),
                }
            }
            // Queued before the message is known, and answered once however often it is.
            Keyword::Help => self.ask(publisher, tenant, Topic::Help, self.provider_id, address).await,
        }
    }

    /// What may be a keyword of it.
    fn word(&self) -> Option<&str> {
        // Taps say what their button does.
        let is_said = matches!(self.kind, "text" | "button" | "interactive" | "edit");
        let is_private = self.setting == Setting::Private;
        self.text.filter(|text| is_said && is_private && text.len() <= MAX_KEYWORD)
    }

    /// What it says of consent, as its account reads words.
    pub fn keyword(&self, policy: &ContactPolicy) -> Option<Keyword> {
        policy.keywords.read(self.word()?)
    }

    async fn ask(
        &self,
        publisher: &EventPublisher,
        tenant: &TenantId,
        topic: Topic,
        cause: &str,
        to: &Address,
    ) -> Result<()> {
        let cause = match self.channel.custom() {
            Some(name) => format!("{name}#{cause}"),
            None => cause.to_owned(),
        };
        let (tenant, to) = (tenant.clone(), to.clone());
        let question =
            Question { tenant, account: self.account, sender: self.sender.clone(), cause, topic, to };
        Ok(publisher.queues.inbound((&question).into()).await?)
    }

    fn message(&self, store: &Store, contact: &Contact, address: &Address, at_ms: i64) -> Message {
        let mut progress = Progress::new(State::Delivered);
        progress.delivered_at = Some(at_ms);
        progress.provider_id = Some(self.provider_id.to_owned());
        Message {
            id: MessageId(store.entropy().ulid(store.clock().now())),
            account: self.account,
            channel: self.channel.clone(),
            sender: self.sender.clone(),
            campaign: self.campaign,
            contact: Some(contact.id),
            inbound: true,
            address: address.clone(),
            kind: self.kind.to_owned(),
            text: self.text.map(str::to_owned),
            content: self.content.clone(),
            progress,
            rewritten: self.rewritten,
            cost: None,
            is_refunded: false,
        }
    }
}

/// Names the opt-out of an address by its beginning.
async fn since(store: &Store, tenant: &TenantId, address: &Address) -> Result<Option<String>> {
    let ids: HashSet<String> = suppression_ids(tenant, address).into_iter().collect();
    let found = store.opt_outs_of(tenant, &ids).await?;
    Ok(found.first().map(|out| format!("opted out {} {}", out.id, out.at.as_millisecond())))
}
