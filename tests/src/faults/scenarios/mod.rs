//! What is played.

mod campaigns;

use domain::CampaignId;
use serde_json::json;

use super::stage::{Promise, Stage};
use crate::{Setup, person, phone};

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    /// A campaign in which some are tried again and one fails for good.
    Campaign,
    /// A campaign that is cancelled while it sends.
    Cancel,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 2] = [Self::Campaign, Self::Cancel];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Cancel => "cancel",
        }
    }

    /// The scenario of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// The world that it wants: waves of five, a second apart.
    pub(super) fn setup(self) -> Setup {
        Setup {
            per_second: 5,
            simulator: json!({"sent_after_ms": null, "delivered_after_ms": 2_000, "flush_after_ms": 2_000}),
            ..Setup::default()
        }
    }

    /// More calls of AWS in a minute are a loop.
    pub(super) fn busiest_minute(self) -> u64 {
        match self {
            Self::Campaign | Self::Cancel => 400,
        }
    }

    /// What is there before it begins; nothing of this fails.
    pub(super) async fn prepare(self, stage: &Stage) {
        match self {
            Self::Campaign => campaigns::prepare(stage, 12).await,
            Self::Cancel => campaigns::prepare(stage, 12).await,
        }
    }

    /// What its clients do.
    pub(super) async fn play(self, stage: &Stage) {
        match self {
            Self::Campaign => campaigns::with_retries(stage).await,
            Self::Cancel => campaigns::cancelled(stage).await,
        }
    }
}

/// The nth person's number as Meta writes it.
fn digits(n: usize) -> String {
    phone(n).trim_start_matches('+').to_owned()
}
