//! What a test does in a world, and what it sees there.

use std::collections::BTreeMap;

use domain::campaign::{Campaign, Draft};
use domain::contact::NewContact;
use domain::recipient::State;
use domain::template::{Params, TemplateRequest};
use domain::{AccountId, CampaignId, ContactId};
use ops::contacts::Imported;
use ops::history::Window;
use serde_json::{Value, json};
use simulators::graph::{FaultRule, Inbound};
use store::ledger::Row;

use super::World;
use crate::faults::Posted;

impl World {
    /// Imports contacts as the tenant's owner does.
    pub async fn import(&self, rows: impl IntoIterator<Item = NewContact>) -> Imported {
        let rows = rows.into_iter().map(Ok).collect();
        let limit = self.caller.tenant.plan.contacts;
        ops::contacts::import(&self.publisher(), self.tenant(), limit, rows).await.unwrap()
    }

    /// Creates an approved template.
    pub async fn template(&self, name: &str, category: &str, body: &str) {
        let request = TemplateRequest {
            name: name.to_owned(),
            category: category.to_owned(),
            body: Some(body.to_owned()),
            ..TemplateRequest::default()
        };
        let number = self.account.number().unwrap();
        let new = request.build().unwrap();
        messaging::templates::create(&self.services, self.tenant(), number, new.clone()).await.unwrap();
        self.templates.lock().unwrap().push(new);
    }

    /// Drafts a campaign of `template` for everybody; it says the contact's name.
    pub async fn draft(&self, template: &str) -> CampaignId {
        let (campaign, warnings) = self.draft_of(template_draft(template)).await.unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        campaign.id
    }

    /// Drafts a campaign.
    pub async fn draft_of(&self, draft: Draft) -> ops::Result<(Campaign, Vec<String>)> {
        messaging::campaigns::draft(&self.services, &self.caller, &self.account, draft, None).await
    }

    /// Launches a campaign.
    pub async fn launch(&self, id: CampaignId) {
        messaging::campaigns::launch(&self.services, self.tenant(), id, None).await.unwrap();
    }

    /// A campaign of a utility template to everybody, launched.
    pub async fn launched(&self) -> CampaignId {
        self.template("avviso", "UTILITY", "Ciao {{1}}, a presto").await;
        let id = self.draft("avviso").await;
        self.launch(id).await;
        id
    }

    /// A campaign as it is stored.
    pub async fn campaign(&self, id: CampaignId) -> Campaign {
        self.store().campaign(self.tenant(), id).await.unwrap().unwrap().campaign
    }

    /// How many recipients are in each state, by name; checked against the rows.
    pub async fn counts(&self, id: CampaignId) -> BTreeMap<&'static str, u64> {
        let counts = self.store().counts(self.tenant(), id).await.unwrap();
        let counted: BTreeMap<&'static str, u64> = State::ALL
            .into_iter()
            .filter(|state| counts.of(*state) > 0)
            .map(|state| (state.as_str(), counts.of(state)))
            .collect();
        let mut seen = BTreeMap::new();
        for row in self.rows(id).await {
            *seen.entry(row.progress.state.as_str()).or_default() += 1;
        }
        assert_eq!(counted, seen, "counts differ from the rows");
        counted
    }

    /// All recipients of a campaign.
    pub async fn rows(&self, id: CampaignId) -> Vec<Row> {
        let mut rows = Vec::new();
        for head in self.store().heads_of(self.tenant(), id).await.unwrap() {
            let after = domain::ContactId(0);
            let block = self.store().rows_after(self.tenant(), id, head.block, after, 1_000);
            rows.extend(block.await.unwrap());
        }
        rows
    }

    /// Why recipients failed or were skipped, with how many.
    pub async fn reasons(&self, id: CampaignId) -> BTreeMap<String, u64> {
        let mut reasons = BTreeMap::new();
        for row in self.rows(id).await {
            if let Some(reason) = row.progress.reason {
                *reasons.entry(reason.to_string()).or_default() += 1;
            }
        }
        reasons
    }

    /// The texts of a conversation, newest first.
    pub async fn conversation(&self, account: AccountId, contact: ContactId) -> Vec<String> {
        let (store, tenant) = (self.store(), self.tenant());
        let contact = store.contact(tenant, contact).await.unwrap().unwrap();
        let window = Window { take: 100, ..Window::default() };
        let page = ops::history::conversation(store, tenant, &[account], &contact.into(), &window).await;
        page.unwrap().entries.into_iter().map(|entry| entry.text.unwrap_or_default()).collect()
    }

    /// What custom channels took, in a world on virtual time.
    pub fn posts(&self) -> Vec<Posted> {
        self.gate.as_ref().map(|gate| gate.posts()).unwrap_or_default()
    }

    /// Makes the simulator misbehave.
    pub fn fault(&self, rule: FaultRule) {
        self.simulator.add_faults(vec![rule]).unwrap();
    }

    /// Changes the simulator's settings.
    pub fn set(&self, settings: Value) {
        self.simulator.update_settings(&settings).unwrap();
    }

    /// A person writes to the number.
    pub fn writes(&self, from: &str, text: &str) {
        let inbound = Inbound { from: Some(from.to_owned()), text: Some(json!(text)), ..Inbound::default() };
        self.simulator.inbound(inbound).unwrap();
    }

    /// A draft of `template` for everybody, to be changed.
    pub fn template_draft(&self, template: &str) -> Draft {
        template_draft(template)
    }

    /// A draft of free text for everybody, to be changed.
    pub fn text_draft(&self, text: &str) -> Draft {
        Draft {
            message_type: "text".to_owned(),
            template_name: None,
            message: Some(text.to_owned()),
            ..template_draft("testo")
        }
    }
}

/// A campaign of `template` for everybody.
fn template_draft(template: &str) -> Draft {
    Draft {
        name: format!("Campagna {template}"),
        channel: "whatsapp".to_owned(),
        message_type: "template".to_owned(),
        template_name: Some(template.to_owned()),
        template_params: Params::default(),
        ..Draft::default()
    }
}
