//! What is played.

mod campaigns;
mod channels;
mod codes;
mod contacts;
mod credits;
mod events;
mod flows;
mod held;
mod identity;
mod inbound;
mod messages;
pub(super) mod shop;
mod subscribers;

use domain::CampaignId;
use serde_json::json;

use super::stage::{Promise, Stage};
use crate::{Setup, person, phone};

/// The campaign of those scenarios that have one.
const ID: CampaignId = CampaignId(1);

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    /// A campaign in which some are tried again and one fails for good.
    Campaign,
    /// A campaign that is cancelled while it sends.
    Cancel,
    /// A finished campaign whose failures are sent again.
    ResumeFailed,
    /// A campaign that is paused and has its failures sent again at once.
    ResumeFailedEarly,
    /// A campaign is paused while it sends, a contact is deleted, and it is resumed.
    Erase,
    /// A recipient says STOP while the campaign sends.
    Stop,
    /// A campaign is cancelled while Meta holds its number.
    HeldCancel,
    /// A recipient says STOP, and the campaign is paused, while Meta holds its number.
    HeldPause,
    /// A campaign over a custom channel, which is paused and resumed.
    Channel,
    /// A campaign over a custom channel that is cancelled, and single messages beside it.
    ChannelCancel,
    /// A campaign that starts by itself.
    Scheduled,
    /// Single messages under keys.
    Messages,
    /// An import beside deletes and a single contact.
    Import,
    /// A contact that is changed, labelled and written about.
    Subscriber,
    /// What people write, HELP among it.
    Inbound,
    /// A person says STOP under an identity of theirs that nobody knew.
    Identity,
    /// Contacts are led through a flow, and one says STOP.
    Flows,
    /// A catalog that is read twice, and an order from it.
    Shop,
    /// Events for an endpoint.
    Events,
    /// Single messages that are paid with credits, one of which fails.
    Paid,
    /// A campaign that waits for credits, and a grant of some.
    Granted,
    /// A one-time code that is sent, repeated, and sent again.
    Codes,
}

impl Scenario {
    const NAMES: [(Self, &str); 22] = [
        (Self::Campaign, "campaign"),
        (Self::Cancel, "cancel"),
        (Self::ResumeFailed, "resume-failed"),
        (Self::ResumeFailedEarly, "resume-failed-early"),
        (Self::Erase, "erase"),
        (Self::Stop, "stop"),
        (Self::HeldCancel, "held-cancel"),
        (Self::HeldPause, "held-pause"),
        (Self::Channel, "channel"),
        (Self::ChannelCancel, "channel-cancel"),
        (Self::Scheduled, "scheduled"),
        (Self::Messages, "messages"),
        (Self::Import, "import"),
        (Self::Subscriber, "subscriber"),
        (Self::Inbound, "inbound"),
        (Self::Identity, "identity"),
        (Self::Flows, "flows"),
        (Self::Shop, "shop"),
        (Self::Events, "events"),
        (Self::Paid, "paid"),
        (Self::Granted, "granted"),
        (Self::Codes, "codes"),
    ];

    /// Every scenario.
    pub fn all() -> Vec<Self> {
        Self::NAMES.iter().map(|(scenario, _)| *scenario).collect()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(scenario, _)| *scenario == self).map_or("", |(_, name)| name)
    }

    /// The scenario of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(scenario, _)| *scenario)
    }

    /// The world that it wants: waves of three, a second apart, whose statuses come
    /// together.
    pub(super) fn setup(self) -> Setup {
        Setup {
            per_second: 3,
            simulator: json!({
                "sent_after_ms": null, "delivered_after_ms": 2_000, "flush_after_ms": 2_000,
                "enforce_window": false,
            }),
            help_message: Some("Siamo aperti dalle 9 alle 18".to_owned()),
            credits: self.credits(),
            ..Setup::default()
        }
    }

    /// The credits that its tenant begins with, where it pays with some.
    fn credits(self) -> Option<u64> {
        let paying = [(Self::Paid, credits::PAID), (Self::Granted, credits::FEW)];
        paying.into_iter().find(|(scenario, _)| *scenario == self).map(|(_, credits)| credits)
    }

    /// More calls of AWS in a minute are a loop.
    pub(super) fn busiest_minute(self) -> u64 {
        400
    }

    /// What is there before it begins; nothing of this fails.
    pub(super) async fn prepare(self, stage: &Stage) {
        match self {
            Self::Campaign => campaigns::prepare(stage, 8).await,
            Self::Cancel | Self::Erase | Self::Stop => campaigns::prepare(stage, 7).await,
            Self::ResumeFailed | Self::ResumeFailedEarly | Self::HeldCancel | Self::HeldPause => {
                campaigns::prepare(stage, 5).await;
            }
            Self::Channel | Self::ChannelCancel => channels::prepare(stage, 7).await,
            Self::Scheduled => campaigns::schedule(stage, 4).await,
            Self::Messages | Self::Inbound | Self::Subscriber => {
                stage.world.import((0..3).map(person)).await;
            }
            Self::Identity => identity::prepare(stage).await,
            Self::Import => contacts::prepare(stage).await,
            Self::Flows => flows::prepare(stage).await,
            Self::Shop => shop::prepare(stage).await,
            Self::Events => events::prepare(stage).await,
            Self::Paid => credits::prepare(stage).await,
            Self::Granted => campaigns::prepare(stage, 5).await,
            Self::Codes => codes::prepare(stage).await,
        }
    }

    /// What has just begun when it begins; nothing of this fails. How a launch fails is
    /// looked at in one scenario, and not in every one with a campaign.
    pub(super) async fn launch(self, stage: &Stage) {
        match self {
            Self::Cancel
            | Self::ResumeFailed
            | Self::ResumeFailedEarly
            | Self::Erase
            | Self::Stop
            | Self::HeldCancel
            | Self::HeldPause
            | Self::ChannelCancel => stage.world.launch(ID).await,
            Self::Campaign
            | Self::Channel
            | Self::Scheduled
            | Self::Messages
            | Self::Import
            | Self::Subscriber
            | Self::Inbound
            | Self::Identity
            | Self::Flows
            | Self::Shop
            | Self::Events
            | Self::Paid
            | Self::Granted
            | Self::Codes => {}
        }
    }

    /// What its clients do.
    pub(super) async fn play(self, stage: &Stage) {
        match self {
            Self::Campaign => campaigns::with_retries(stage).await,
            Self::Cancel => campaigns::cancelled(stage).await,
            Self::ResumeFailed => campaigns::failures_again(stage).await,
            Self::ResumeFailedEarly => campaigns::failures_again_early(stage).await,
            Self::Erase => campaigns::erased(stage).await,
            Self::Stop => campaigns::stopped(stage).await,
            Self::HeldCancel => held::cancelled(stage).await,
            Self::HeldPause => held::paused(stage).await,
            Self::Channel => channels::paused(stage).await,
            Self::ChannelCancel => channels::cancelled(stage).await,
            Self::Scheduled => campaigns::scheduled(stage).await,
            Self::Messages => messages::under_keys(stage).await,
            Self::Import => contacts::beside_deletes(stage).await,
            Self::Subscriber => subscribers::changed(stage).await,
            Self::Inbound => inbound::of_people(stage).await,
            Self::Identity => identity::of_one_person(stage).await,
            Self::Flows => flows::led_through(stage).await,
            Self::Shop => shop::read_and_ordered_from(stage).await,
            Self::Events => events::for_an_endpoint(stage).await,
            Self::Paid => credits::paid(stage).await,
            Self::Granted => credits::granted(stage).await,
            Self::Codes => codes::sent_and_checked(stage).await,
        }
    }
}

/// The nth person's number as Meta writes it.
fn digits(n: usize) -> String {
    phone(n).trim_start_matches('+').to_owned()
}
