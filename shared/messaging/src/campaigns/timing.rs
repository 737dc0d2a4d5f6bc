//! A one-time schedule for each campaign that starts by itself. The due index
//! starts it too, within a minute of its time: a schedule that is missing, late or
//! doubled changes nothing but the seconds.

use domain::campaign::Campaign;
use domain::{CampaignId, TenantId};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use queue::CampaignJob;

use crate::Services;

fn name(tenant: &TenantId, id: CampaignId) -> String {
    format!("{tenant}-{id}")
}

/// The full minute at or after `at`: the service is exact to the minute, and a
/// campaign never starts early.
fn slot(at: Timestamp) -> Option<String> {
    let up = TimestampRound::new().smallest(Unit::Minute).mode(RoundMode::Ceil);
    Some(at.round(up).ok()?.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// Sets the schedule of a campaign with a time.
pub(super) async fn arm(services: &Services, tenant: &TenantId, campaign: &Campaign) {
    let Some(at) = campaign.scheduled_at.and_then(slot) else { return };
    let Some(schedules) = services.schedules.as_ref() else { return };
    let job = CampaignJob::Start { tenant: tenant.to_string(), campaign: campaign.id.0 };
    if let Err(error) = schedules.create(&name(tenant, campaign.id), &at, job).await {
        tracing::warn!(%tenant, campaign = %campaign.id, code = error.code, "a campaign has no schedule: the sweep starts it");
    }
}

/// Takes the schedule of a campaign back.
pub(super) async fn disarm(services: &Services, tenant: &TenantId, campaign: &Campaign) {
    let Some(schedules) = services.schedules.as_ref() else { return };
    if campaign.scheduled_at.is_none() {
        return;
    }
    if let Err(error) = schedules.delete(&name(tenant, campaign.id)).await {
        tracing::warn!(%tenant, campaign = %campaign.id, code = error.code, "a schedule that is not needed stays: it finds nothing to start");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_never_early() {
        for (at, want) in [
            ("2026-07-01T10:00:00Z", "2026-07-01T10:00:00"),
            ("2026-07-01T10:00:00.001Z", "2026-07-01T10:01:00"),
            ("2026-12-31T23:59:59Z", "2027-01-01T00:00:00"),
        ] {
            assert_eq!(slot(at.parse().unwrap()).as_deref(), Some(want));
        }
    }
}
