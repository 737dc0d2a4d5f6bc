use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::campaign::{Campaign, CampaignState, Message};
use domain::contact::Contact;
use domain::message::{Address, Category};
use domain::placeholder::{Pattern, as_parameter};
use domain::provider::takes_marketing;
use domain::template::{Template, slots};
use domain::{CampaignId, ContactId, TenantId};
use queue::{CampaignJob, SendJob};
use store::Store;
use store::campaigns::Stored;
use store::contacts::{Filter, block_of};
use store::ledger::{Counts, PlannedRow};

use super::load;
use crate::{Result, Services};

/// Writes the recipients of a campaign into its ledger, block by block from
/// `checkpoint` on, until all are written or `out_of_time` says so; then the job
/// follows itself. Of two copies of a job, the second finds the checkpoint moved
/// and ends.
///
/// # Errors
/// [`crate::Code::NotFound`] when there is no such campaign;
/// [`crate::Code::Unavailable`]: the job comes again.
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
    let (Some(planning), Some(phone)) = (stored.planning, stored.phone_number_id.clone()) else {
        return Ok(());
    };
    if stored.campaign.state != CampaignState::Planning || planning.checkpoint != checkpoint {
        return Ok(());
    }
    let wake = || SendJob::Wake { tenant: tenant.to_string(), phone_number_id: phone.clone() };
    let plan = Plan::new(store, tenant, &stored);
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
    match services.store.transition_campaign(tenant, id, from, to, None, None).await {
        Ok(()) | Err(store::Error::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What planning a campaign's rows needs.
pub(super) struct Plan<'a> {
    store: &'a Store,
    tenant: &'a TenantId,
    campaign: &'a Campaign,
    category: Option<Category>,
    patterns: Vec<Pattern>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(store: &'a Store, tenant: &'a TenantId, stored: &'a Stored) -> Self {
        let campaign = &stored.campaign;
        let patterns = patterns(&campaign.message, stored.template.as_ref());
        let category = stored.template.as_ref().and_then(|t| t.category);
        Self { store, tenant, campaign, category, patterns }
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
        let mut contacts = self.store.block_contacts(self.tenant, block, &Filter::default()).await?;
        contacts.retain(|c| c.id <= last && self.includes(c));
        self.rows_of(&contacts).await
    }

    /// Whether a contact belongs to the audience.
    pub(super) fn includes(&self, contact: &Contact) -> bool {
        self.campaign.audience.includes(&contact.tags)
    }

    /// The rows of contacts of the audience.
    pub(super) async fn rows_of(&self, contacts: &[Contact]) -> Result<Vec<PlannedRow>> {
        let addresses: Vec<Address> = contacts.iter().filter_map(address).collect();
        let opted_out = self.store.opted_out(self.tenant, &addresses).await?;
        let windows = match self.is_free_form() {
            true => {
                let ids: Vec<_> = contacts.iter().map(|c| (c.id, c.absorbed.clone())).collect();
                self.store.windows(self.tenant, self.campaign.account, &ids).await?
            }
            false => HashMap::new(),
        };
        Ok(contacts.iter().map(|contact| self.row(contact, &opted_out, &windows)).collect())
    }

    pub(super) fn is_free_form(&self) -> bool {
        !matches!(self.campaign.message, Message::Template { .. })
    }

    fn row(
        &self,
        contact: &Contact,
        opted_out: &HashSet<Address>,
        windows: &HashMap<ContactId, i64>,
    ) -> PlannedRow {
        let address = address(contact);
        let is_template = !self.is_free_form();
        let filled: Vec<_> = self.patterns.iter().map(|p| p.fill(contact)).collect();
        let params: Vec<String> =
            filled.iter().map(|f| if is_template { as_parameter(&f.text) } else { f.text.clone() }).collect();
        let skip = self.skip(address.as_ref(), opted_out, windows.get(&contact.id)).or_else(|| {
            let missing = is_template && filled.iter().zip(&params).any(|(f, p)| f.missing || p.is_empty());
            missing.then_some("missing_parameter")
        });
        PlannedRow { contact: contact.id, address, params, skip: skip.map(str::to_owned) }
    }

    fn skip(
        &self,
        address: Option<&Address>,
        opted_out: &HashSet<Address>,
        window: Option<&i64>,
    ) -> Option<&'static str> {
        let Some(address) = address else { return Some("no_address") };
        // An opt-out blocks every campaign; single utility messages pass.
        if opted_out.contains(address) {
            return Some("opted_out");
        }
        if let (Address::Phone(phone), Some(Category::Marketing)) = (address, self.category)
            && !takes_marketing(phone)
        {
            return Some("marketing_to_us");
        }
        let open = window.is_some_and(|closes| *closes > self.store.clock().now_ms());
        (self.is_free_form() && !open).then_some("outside_window")
    }
}

/// Where a contact is reached on WhatsApp: by phone, else by Meta's id.
fn address(contact: &Contact) -> Option<Address> {
    let phone = contact.phone.clone().map(Address::Phone);
    phone.or_else(|| contact.bsuid.clone().map(Address::Bsuid))
}

/// The texts that are filled in for each recipient.
fn patterns(message: &Message, template: Option<&Template>) -> Vec<Pattern> {
    match message {
        Message::Text { body } => vec![Pattern::parse(body)],
        Message::Media { caption, .. } => caption.iter().map(|c| Pattern::parse(c)).collect(),
        Message::Template { params, .. } => {
            let slots = template.map(slots).unwrap_or_default();
            params.patterns(&slots).unwrap_or_default().iter().map(|p| Pattern::parse(p)).collect()
        }
    }
}
