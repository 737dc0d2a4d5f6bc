//! Writing the recipients down, their texts frozen. A block that was written stays as it
//! is; of two planners one goes on.

use std::collections::HashSet;
use std::time::Duration;

use domain::campaign::{Campaign, CampaignMessage, CampaignState};
use domain::channel::{Channel, Reaches};
use domain::contact::Contact;
use domain::message::{Address, CustomAddress, MAX_TEXT, check_caption};
use domain::outcome::Reason;
use domain::placeholder::{Pattern, as_parameter};
use domain::template::{Filling, Template};
use domain::{CampaignId, ContactId, TenantId};
use queue::{CampaignJob, SendJob};
use store::Store;
use store::campaigns::Stored;
use store::contacts::{ContactFilter, block_of};
use store::ledger::{Counts, PlannedRow};
use store::outbox::Note;

use super::{OFFER_EXPIRED, load};
use crate::Services;
use ops::Result;
use ops::eligibility::{Bar, By, MessageTarget, Terms};

/// Writes the recipients of a campaign into its ledger, block by block from
/// `checkpoint` on, until all are written or `out_of_time` says so; then the job
/// follows itself. Of two copies of a job, the second finds the checkpoint moved
/// and ends.
///
/// # Errors
/// [`ops::Code::NotFound`] when there is no such campaign;
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn plan(
    services: &Services,
    tenant: &TenantId,
    id: CampaignId,
    checkpoint: u64,
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let store = &services.store;
    let stored = load(store, tenant, id).await?;
    let (Some(planning), Some(sender)) = (stored.planning, stored.campaign.sender.clone()) else {
        return Ok(());
    };
    if stored.campaign.state != CampaignState::Planning || planning.checkpoint != checkpoint {
        return Ok(());
    }
    let wake = || SendJob::Wake { tenant: tenant.to_string(), sender: sender.to_string() };
    let plan = Plan::new(store, tenant, &stored).await?;
    let planned: HashSet<u64> = store.heads_of(tenant, id).await?.iter().map(|head| head.block).collect();
    let known: HashSet<u64> = store.contact_blocks(tenant).await?.into_iter().collect();
    for block in checkpoint..=block_of(planning.last_contact) {
        if known.contains(&block) && !planned.contains(&block) {
            plan.block(block, planning.last_contact).await?;
        }
        match store.move_checkpoint(tenant, id, block, block + 1).await {
            Ok(()) => {}
            // Another copy of the job was faster, or the campaign was paused.
            Err(store::Error::Conflict) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if block == checkpoint {
            services.queues.wake(wake(), 0, Duration::ZERO).await?;
        }
        if out_of_time() && block < block_of(planning.last_contact) {
            let tenant = tenant.to_string();
            let next = CampaignJob::Plan { tenant, campaign: id.0, checkpoint: block + 1 };
            return Ok(services.queues.campaign(next, generation + 1).await?);
        }
    }
    finish(services, tenant, id).await?;
    Ok(services.queues.wake(wake(), 0, Duration::ZERO).await?)
}

/// Every recipient is written down: the campaign sends.
pub(crate) async fn finish(services: &Services, tenant: &TenantId, id: CampaignId) -> Result<()> {
    let (from, to) = (CampaignState::Planning, CampaignState::Running);
    match services.store.transition_campaign(tenant, id, from, to, None, Note::none()).await {
        Ok(_) | Err(store::Error::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What planning a campaign's rows needs.
pub(super) struct Plan<'a> {
    store: &'a Store,
    tenant: &'a TenantId,
    campaign: &'a Campaign,
    pub(super) terms: Terms,
    texts: Texts,
    /// What each message costs in credits, where the tenant pays with some.
    price: Option<u64>,
}

/// The texts that are filled in for each recipient.
enum Texts {
    Free(Vec<Pattern>),
    Template(Filling),
}

impl<'a> Plan<'a> {
    pub(super) async fn new(store: &'a Store, tenant: &'a TenantId, stored: &'a Stored) -> Result<Self> {
        let campaign = &stored.campaign;
        let policy = store.contact_policy(tenant, campaign.account).await?;
        let texts = texts(&campaign.message, stored.template.as_ref());
        let terms = Terms::of(stored, By::Campaign).within(&policy);
        Ok(Self { store, tenant, campaign, terms, texts, price: stored.price })
    }

    async fn block(&self, block: u64, last: ContactId) -> Result<()> {
        let rows = self.rows(block, last).await?;
        self.store.plan_rows(self.tenant, self.campaign.id, &rows).await?;
        // A planner that ended here before may have written contacts that are gone by now.
        let id = self.campaign.id;
        if let Some(end) = self.store.last_row(self.tenant, id, block).await? {
            self.store.publish_head(self.tenant, id, block, end, &Counts::planned(&rows)).await?;
        }
        Ok(())
    }

    /// The rows of one contact block, each with its reason when it will not be sent.
    pub(super) async fn rows(&self, block: u64, last: ContactId) -> Result<Vec<PlannedRow>> {
        let mut contacts = self.store.block_contacts(self.tenant, block, &ContactFilter::default()).await?;
        contacts.retain(|c| c.id <= last && self.includes(c));
        self.rows_of(&contacts).await
    }

    /// Whether a contact belongs to the audience.
    pub(super) fn includes(&self, contact: &Contact) -> bool {
        self.campaign.audience.includes(contact)
    }

    /// The rows of contacts of the audience.
    pub(super) async fn rows_of(&self, contacts: &[Contact]) -> Result<Vec<PlannedRow>> {
        let addresses: Vec<Option<Address>> = contacts.iter().map(|contact| self.address(contact)).collect();
        let people = contacts.iter().zip(&addresses).map(|(contact, address)| MessageTarget {
            address: address.as_ref(),
            contact: Some((contact.id, contact.absorbed.clone())),
        });
        let bars = self.terms.ask(self.store, self.tenant, &people.collect::<Vec<_>>()).await?;
        let rows = contacts.iter().zip(addresses).zip(bars);
        Ok(rows.map(|((contact, address), bar)| self.row(contact, address, bar)).collect())
    }

    fn row(&self, contact: &Contact, address: Option<Address>, bar: Option<Bar>) -> PlannedRow {
        let (params, unfit) = match &self.texts {
            Texts::Free(patterns) => {
                let params: Vec<String> = patterns.iter().map(|p| p.fill(contact).text).collect();
                let unfit = self.unfit(&params);
                (params, unfit)
            }
            Texts::Template(filling) => self.freeze(filling, contact),
        };
        let skip = bar.map(Reason::from).or_else(|| unfit.map(Reason::word));
        let skip = skip.map(|skip| skip.to_string());
        PlannedRow { contact: contact.id, address, params, skip, cost: self.price }
    }

    /// The texts of a template for one contact, and why they cannot be sent.
    fn freeze(&self, filling: &Filling, contact: &Contact) -> (Vec<String>, Option<&'static str>) {
        let mut unfit = None;
        let texts = filling.texts().iter().map(|text| {
            let filled = text.pattern.fill(contact);
            text.freeze(&filled).unwrap_or_else(|why| {
                unfit.get_or_insert(why);
                as_parameter(&filled.text)
            })
        });
        let texts: Vec<String> = texts.collect();
        let ends = filling.expires_ms(&texts);
        let is_over = ends.is_some_and(|ends| ends <= self.store.clock().now_ms());
        (texts, unfit.or_else(|| is_over.then_some(OFFER_EXPIRED)))
    }

    /// Why free text is none any more, once its placeholders are filled.
    fn unfit(&self, params: &[String]) -> Option<&'static str> {
        let text = params.first().map(String::as_str).unwrap_or_default();
        match &self.campaign.message {
            CampaignMessage::Template { .. } => None,
            CampaignMessage::Text { .. } if text.trim().is_empty() => Some("empty_message"),
            CampaignMessage::Text { .. } if text.chars().count() > MAX_TEXT => Some("message_too_long"),
            CampaignMessage::Media { kind, .. }
                if check_caption(*kind, params.first().map(String::as_str)).is_err() =>
            {
                Some("message_too_long")
            }
            CampaignMessage::Text { .. } | CampaignMessage::Media { .. } => None,
        }
    }

    /// Where the channel reaches a contact.
    fn address(&self, contact: &Contact) -> Option<Address> {
        let phone = || contact.phone.clone().map(Address::Phone);
        match (self.terms.can.reaches, &self.campaign.channel) {
            (Reaches::Phone, _) => phone(),
            (Reaches::PhoneOrBsuid, _) => phone().or_else(|| contact.bsuid.clone().map(Address::Bsuid)),
            (Reaches::Custom, channel) => {
                let Channel::Custom(name) = channel else { return None };
                let (_, id) = contact.custom.iter().find(|(channel, _)| channel == name.as_str())?;
                Some(Address::Custom(CustomAddress::new(name, id)))
            }
        }
    }
}

fn texts(message: &CampaignMessage, template: Option<&Template>) -> Texts {
    match message {
        CampaignMessage::Text { body } => Texts::Free(vec![Pattern::parse(body)]),
        CampaignMessage::Media { caption, .. } => {
            Texts::Free(caption.iter().map(|c| Pattern::parse(c)).collect())
        }
        CampaignMessage::Template { params, media_url, .. } => {
            let filling = template.and_then(|t| Filling::of(t, params, media_url.as_deref()).ok());
            filling.map_or(Texts::Free(Vec::new()), Texts::Template)
        }
    }
}
