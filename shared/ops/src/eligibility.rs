//! Whether somebody may be sent something now, over a channel. Planner, pre-flight, wave
//! and single send ask here, and get the same answer.

use std::collections::{HashMap, HashSet};

use domain::account::ContactPolicy;
use domain::campaign::CampaignMessage;
use domain::channel::{Capabilities, Channel};
use domain::consent::opt_out_blocks;
use domain::contact::Contact;
use domain::message::{Address, Category};
use domain::outcome::Reason;
use domain::quiet::{FrequencyCap, QuietHours};
use domain::{AccountId, ContactId, TenantId};
use jiff::Timestamp;
use store::Store;
use store::campaigns::Stored;
use store::ledger::Row;

use crate::{Code, Error, Result};

/// Why somebody must not be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// The channel does not reach them.
    NoAddress,
    /// They said STOP.
    OptedOut,
    /// Marketing is not delivered to their country.
    MarketingToUs,
    /// They have not written lately, and the channel wants a template then.
    OutsideWindow,
    /// Their contact was deleted.
    ContactDeleted,
    /// They are another recipient, too.
    Duplicate,
    /// They got as much marketing of late as their account allows.
    FrequencyCap,
}

impl Bar {
    /// As rows and reports say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::OptedOut => "opted_out",
            Self::MarketingToUs => "marketing_to_us",
            Self::OutsideWindow => "outside_window",
            Self::ContactDeleted => "contact_deleted",
            Self::Duplicate => "duplicate",
            Self::FrequencyCap => "frequency_cap",
        }
    }
}

impl From<Bar> for Reason {
    fn from(bar: Bar) -> Self {
        Self::word(bar.as_str())
    }
}

impl From<Bar> for Error {
    fn from(bar: Bar) -> Self {
        match bar {
            Bar::OptedOut => Self::new(Code::OptedOut, "the recipient has opted out of messages"),
            Bar::OutsideWindow => Self::new(
                Code::OutsideWindow,
                "the recipient has not written in the last 24 hours: use a template (24 hour window)",
            ),
            Bar::FrequencyCap => {
                let message =
                    "the contact got as much marketing of late as the account's frequency_cap allows";
                let reason = Some(bar.into());
                Self { reason, ..Self::invalid("to", message) }
            }
            Bar::NoAddress | Bar::MarketingToUs | Bar::ContactDeleted | Bar::Duplicate => {
                Self::invalid("to", format!("the recipient is not sent to: {}", bar.as_str()))
            }
        }
    }
}

/// What is to be sent, and over which channel.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What the channel can do.
    pub can: Capabilities,
    /// Whose windows count: those of an account, or of all custom channels.
    pub windows_of: AccountId,
    /// It is no template.
    pub is_free_form: bool,
    /// The template's.
    pub category: Option<Category>,
    /// Which opt-outs and windows count.
    pub by: By,
    /// How much marketing, and when. It holds for what is marketing alone.
    pub limits: MarketingLimits,
}

/// What an account allows of marketing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MarketingLimits {
    /// Most messages of a contact.
    pub cap: Option<FrequencyCap>,
    /// Hours without any.
    pub quiet: Option<QuietHours>,
}

impl From<&ContactPolicy> for MarketingLimits {
    fn from(policy: &ContactPolicy) -> Self {
        Self { cap: policy.frequency_cap, quiet: policy.quiet_hours.clone() }
    }
}

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A campaign: an opt-out blocks each of them.
    Campaign,
    /// A campaign that planned the recipient when they had an open window.
    Planned,
    /// A single request: what somebody ordered passes an opt-out.
    Request,
    /// The same, of a sender that is too new to know who wrote to it: the provider decides.
    NewRequest,
}

/// Somebody who is to be sent to.
#[derive(Debug, Clone)]
pub struct MessageTarget<'a> {
    /// Where to, over the channel.
    pub address: Option<&'a Address>,
    /// Who, with the contacts that became part of them.
    pub contact: Option<(ContactId, Vec<ContactId>)>,
}

impl Terms {
    /// Of a campaign, or of a message of one.
    pub fn new(
        channel: &Channel,
        account: AccountId,
        is_free_form: bool,
        category: Option<Category>,
        by: By,
    ) -> Self {
        let windows_of = if channel.custom().is_some() { AccountId::NONE } else { account };
        let limits = MarketingLimits::default();
        Self { can: channel.capabilities(), windows_of, is_free_form, category, by, limits }
    }

    /// The same within the limits of an account, if it is marketing: a template of that
    /// category, or what a campaign says in words of its own.
    #[must_use]
    pub fn within(self, policy: &ContactPolicy) -> Self {
        let is_campaign = matches!(self.by, By::Campaign | By::Planned);
        let is_marketing = match self.category {
            Some(category) => category == Category::Marketing,
            None => self.is_free_form && is_campaign,
        };
        let limits = if is_marketing { policy.into() } else { MarketingLimits::default() };
        Self { limits, ..self }
    }

    /// Checks the limits for a single message.
    ///
    /// # Errors
    /// [`Code::InvalidField`] names `to`, with the reason `frequency_cap` or `quiet_hours`.
    pub async fn check_limits(
        &self,
        store: &Store,
        tenant: &TenantId,
        contact: Option<&Contact>,
        address: &Address,
    ) -> Result<()> {
        if let Some(until) = self.quiet_until(contact, Some(address), store.clock().now()) {
            let message = format!("the recipient's quiet_hours last until {until:.0}");
            return Err(Error { reason: Some(Reason::word("quiet_hours")), ..Error::invalid("to", message) });
        }
        let contacts = contact.map(|contact| (contact.id, contact.absorbed.clone())).into_iter().collect();
        if !self.sated(store, tenant, contacts).await?.is_empty() {
            return Err(Bar::FrequencyCap.into());
        }
        Ok(())
    }

    /// Whether people have hours in which this is not sent to them.
    pub fn has_quiet_hours(&self) -> bool {
        self.limits.quiet.is_some()
    }

    /// Until when somebody is not to be bothered, if that is now.
    pub fn quiet_until(
        &self,
        contact: Option<&Contact>,
        address: Option<&Address>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.limits.quiet.as_ref()?.until(contact, address?, now)
    }

    /// Those of some people who got as much marketing as they may.
    pub(crate) async fn sated(
        &self,
        store: &Store,
        tenant: &TenantId,
        contacts: Vec<(ContactId, Vec<ContactId>)>,
    ) -> Result<HashSet<ContactId>> {
        let Some(FrequencyCap { messages, days }) = self.limits.cap else { return Ok(HashSet::new()) };
        let counts = store.marketing_of_days(tenant, &contacts, days).await?;
        let is_sated = |(contact, count)| (count >= u64::from(messages)).then_some(contact);
        Ok(counts.into_iter().filter_map(is_sated).collect())
    }

    /// Of a campaign as it was launched.
    pub fn of(stored: &Stored, by: By) -> Self {
        let campaign = &stored.campaign;
        let is_free_form = !matches!(campaign.message, CampaignMessage::Template { .. });
        let category = stored.template.as_ref().and_then(|template| template.category);
        Self::new(&campaign.channel, campaign.account, is_free_form, category, by)
    }

    pub fn needs_window(&self) -> bool {
        self.can.needs_window && self.is_free_form
    }

    /// The answer for each of some people.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when the database does not answer.
    pub async fn ask(
        &self,
        store: &Store,
        tenant: &TenantId,
        people: &[MessageTarget<'_>],
    ) -> Result<Vec<Option<Bar>>> {
        let addresses: Vec<Address> = people.iter().filter_map(|person| person.address.cloned()).collect();
        let opted_out = async { store.opted_out(tenant, &addresses).await };
        let windows = async {
            let contacts = people.iter().filter_map(|person| person.contact.clone());
            match self.needs_window() {
                true => store.windows(tenant, self.windows_of, &contacts.collect::<Vec<_>>()).await,
                false => Ok(HashMap::new()),
            }
        };
        let (opted_out, windows): (HashSet<Address>, HashMap<ContactId, i64>) =
            futures::try_join!(opted_out, windows)?;
        let contacts = people.iter().filter_map(|person| person.contact.clone());
        let sated = self.sated(store, tenant, contacts.collect()).await?;
        let now_ms = store.clock().now_ms();
        let judge = |person: &MessageTarget<'_>| {
            let window = person.contact.as_ref().and_then(|(id, _)| windows.get(id)).copied();
            let is_out = person.address.is_some_and(|address| opted_out.contains(address));
            let is_sated = person.contact.as_ref().is_some_and(|(id, _)| sated.contains(id));
            let bar = self.judge(person.address, is_out, window, now_ms);
            bar.or(is_sated.then_some(Bar::FrequencyCap))
        };
        Ok(people.iter().map(judge).collect())
    }

    /// The contacts of recipients, where the limits ask for more than their ids.
    pub(crate) async fn known(
        &self,
        store: &Store,
        tenant: &TenantId,
        rows: &[&Row],
    ) -> Result<HashMap<ContactId, Contact>> {
        if self.limits == MarketingLimits::default() {
            return Ok(HashMap::new());
        }
        let ids = rows.iter().map(|row| row.contact).collect();
        Ok(store.contacts_of(tenant, &ids).await?.into_iter().map(|contact| (contact.id, contact)).collect())
    }

    /// The rule: by what is known of somebody. `window` is when theirs closes, if they ever
    /// wrote.
    pub fn judge(
        &self,
        address: Option<&Address>,
        opted_out: bool,
        window: Option<i64>,
        now_ms: i64,
    ) -> Option<Bar> {
        let Some(address) = address.filter(|address| self.can.reaches(address)) else {
            return Some(Bar::NoAddress);
        };
        let blocks = match self.by {
            By::Campaign | By::Planned => true,
            By::Request | By::NewRequest => opt_out_blocks(self.category),
        };
        if opted_out && blocks {
            return Some(Bar::OptedOut);
        }
        if self.category == Some(Category::Marketing) && !self.can.takes_marketing(address) {
            return Some(Bar::MarketingToUs);
        }
        let is_open = match (window, self.by) {
            (Some(closes), _) => closes > now_ms,
            (None, By::Campaign | By::Request) => false,
            (None, By::Planned | By::NewRequest) => true,
        };
        (self.needs_window() && !is_open).then_some(Bar::OutsideWindow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(
        channel: &str,
        by: By,
        category: Option<Category>,
        out: bool,
        window: Option<i64>,
    ) -> Option<Bar> {
        let channel = Channel::parse(channel).unwrap();
        let address = match channel.custom() {
            Some(name) => Address::Custom(domain::message::CustomAddress::new(name, "7")),
            None => Address::parse("+393331234567").unwrap(),
        };
        let terms = Terms::new(&channel, AccountId(1), category.is_none(), category, by);
        terms.judge(Some(&address), out, window, 100)
    }

    #[test]
    fn only_channels_with_a_window_ask_for_one() {
        assert_eq!(judge("whatsapp", By::Campaign, None, false, None), Some(Bar::OutsideWindow));
        assert_eq!(judge("whatsapp", By::Campaign, None, false, Some(100)), Some(Bar::OutsideWindow));
        assert_eq!(judge("whatsapp", By::Campaign, None, false, Some(101)), None);
        assert_eq!(judge("whatsapp", By::Campaign, Some(Category::Utility), false, None), None);
        for free in ["sms", "whatsapp-web", "livechat"] {
            assert_eq!(judge(free, By::Campaign, None, false, None), None, "{free}");
        }
        assert_eq!(judge("whatsapp", By::NewRequest, None, false, None), None);
        assert_eq!(judge("whatsapp", By::Planned, None, false, Some(99)), Some(Bar::OutsideWindow));
    }

    #[test]
    fn an_opt_out_blocks_on_every_channel() {
        for channel in ["whatsapp", "sms", "whatsapp-web", "livechat"] {
            for by in [By::Campaign, By::Planned, By::Request, By::NewRequest] {
                assert_eq!(judge(channel, by, None, true, Some(101)), Some(Bar::OptedOut), "{channel}");
            }
        }
        let ordered = Some(Category::Utility);
        assert_eq!(judge("whatsapp", By::Campaign, ordered, true, None), Some(Bar::OptedOut));
        assert_eq!(judge("whatsapp", By::Request, ordered, true, None), None);
    }

    #[test]
    fn a_channel_reaches_its_own_addresses() {
        let terms = |channel: &str| {
            Terms::new(&Channel::parse(channel).unwrap(), AccountId(1), false, None, By::Campaign)
        };
        let bsuid = Address::Bsuid("IT.1".to_owned());
        assert_eq!(terms("whatsapp").judge(Some(&bsuid), false, None, 0), None);
        for other in ["sms", "whatsapp-web", "livechat"] {
            assert_eq!(terms(other).judge(Some(&bsuid), false, None, 0), Some(Bar::NoAddress), "{other}");
        }
        assert_eq!(terms("sms").judge(None, false, None, 0), Some(Bar::NoAddress));
    }
}
