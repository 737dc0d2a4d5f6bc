//! Campaigns that wait for credits.

use domain::campaign::CampaignState;
use store::campaigns::Stored;
use store::credits::Shortage;

/// Why a campaign is paused, or a message refused, that there are no credits for.
pub const NO_CREDITS: &str = "insufficient_credits";
/// Why a campaign is paused whose tenant is switched off.
const SWITCHED_OFF: &str = "account_disabled";

/// Why a campaign is paused that cannot be paid; `None` when it is not for want of credits.
pub fn unfunded(shortage: Shortage) -> Option<String> {
    match shortage {
        Shortage::Credits { balance } => {
            Some(format!("{NO_CREDITS}: {balance} credits are left; it goes on when the agency grants more"))
        }
        Shortage::Disabled => Some(format!(
            "{SWITCHED_OFF}: the agency switched the account off; it goes on when it is on again"
        )),
        Shortage::Day { .. } | Shortage::Minute(_) => None,
    }
}

/// Whether a campaign is paused for want of credits, and for nothing else.
pub fn resumable(stored: &Stored) -> bool {
    let reason = stored.campaign.reason.as_deref().unwrap_or_default();
    let is_for = |word: &str| reason.strip_prefix(word).is_some_and(|rest| rest.starts_with(':'));
    stored.campaign.state == CampaignState::Paused && (is_for(NO_CREDITS) || is_for(SWITCHED_OFF))
}
