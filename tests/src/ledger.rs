//! Ledgers that no planner wrote, as large as a test wants them.

use domain::message::Address;
use domain::{CampaignId, ContactId};
use store::ledger::{Counts, PlannedRow};

use crate::{World, phone};

impl World {
    /// A draft with a ledger of so many blocks, each with so many recipients that were
    /// skipped for `reason`.
    pub async fn ledger(&self, blocks: u64, each: u64, reason: &str) -> CampaignId {
        let (campaign, _) = self.draft_of(self.text_draft("Ciao")).await.unwrap();
        for block in 0..blocks {
            let first = (block * 1_000).max(1);
            let row = |id: u64| PlannedRow {
                contact: ContactId(id),
                address: Some(Address::parse(&phone(usize::try_from(id).unwrap())).unwrap()),
                params: vec!["Persona".to_owned(), "20".to_owned()],
                skip: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
                cost: None,
            };
            let rows: Vec<PlannedRow> = (first..first + each).map(row).collect();
            self.store().plan_rows(self.tenant(), campaign.id, &rows).await.unwrap();
            let (end, counts) = (ContactId(first + each - 1), Counts::planned(&rows));
            let head = self.store().publish_head(self.tenant(), campaign.id, block, end, &counts);
            head.await.unwrap();
        }
        campaign.id
    }
}
