//! The whole state of a simulator, behind one lock, and how the journal brings it back.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::{
    accounts::Accounts,
    catalogs::Catalogs,
    faults::Faults,
    journal::{Journal, Line},
    ledger::Ledger,
    lifecycle::Message,
    limits::{PairLimit, Windows, pair},
    media::MediaShelf,
    outbox::Outbox,
    templates::Templates,
};
use crate::graph::{
    clock::Entropy,
    config::{Config, SimulatorSettings},
    errors::Error,
};

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) webhook_url: Option<String>,
    pub(crate) settings: SimulatorSettings,
    pub(crate) accounts: Accounts,
    pub(crate) templates: Templates,
    pub(crate) catalogs: Catalogs,
    pub(crate) media: MediaShelf,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) pairs: PairLimit,
    pub(crate) windows: Windows,
    pub(crate) outbox: Outbox,
    pub(crate) entropy: Entropy,
    /// Key of the ids made from `last_seq`.
    pub(crate) id_key: u64,
    pub(crate) last_seq: u64,
    pub(crate) last_hook: u64,
    journal: Option<Journal>,
}

/// What a replay collects until the whole journal is read.
#[derive(Default)]
struct Unfinished {
    messages: BTreeMap<u64, (Arc<Message>, u32)>,
    hooks: BTreeMap<u64, Bytes>,
}

impl World {
    /// A new world, or the one the journal tells about.
    pub(crate) fn open(config: &Config) -> Result<Self, Error> {
        config.settings.check()?;
        let now_ms = config.clock.now_ms();
        let mut entropy = Entropy::new(config.seed.unwrap_or(now_ms));
        let mut world = Self {
            webhook_url: config.webhook_url.clone(),
            settings: config.settings.clone(),
            accounts: Accounts::new(config),
            templates: Templates::default(),
            catalogs: Catalogs::default(),
            media: MediaShelf::new(config.state.as_deref()),
            faults: Faults::default(),
            ledger: Ledger::default(),
            pairs: PairLimit::default(),
            windows: Windows::default(),
            outbox: Outbox::default(),
            id_key: entropy.next_u64(),
            entropy,
            last_seq: 0,
            last_hook: 0,
            journal: None,
        };
        if let Some(path) = &config.state {
            let mut unfinished = Unfinished::default();
            let journal = Journal::open(path, |line| world.replay(line, &mut unfinished));
            world.journal = Some(journal.map_err(Error::Journal)?);
            world.resume(unfinished, now_ms);
        }
        Ok(world)
    }

    /// Remembers a fact beyond a restart.
    pub(crate) fn remember(&mut self, line: &Line) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.append(line)
        {
            tracing::error!(%error, "the journal misses a line");
        }
    }

    /// Whether facts are journaled at all, for callers that would build a line in vain.
    pub(crate) fn is_journaled(&self) -> bool {
        self.journal.is_some()
    }

    /// A number that was never given before, as ids of media, templates and messages need it.
    pub(crate) fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// Queues a webhook that is no status. `approves` names the template it announces.
    pub(crate) fn push_hook(&mut self, body: Bytes, approves: Option<String>, now_ms: u64) {
        if self.webhook_url.is_none() {
            return;
        }
        self.last_hook += 1;
        let id = self.last_hook;
        if self.is_journaled() {
            let text = String::from_utf8_lossy(&body).into_owned();
            self.remember(&Line::Hook { id, body: text, approves });
        }
        self.outbox.push_hook(id, body, now_ms);
    }

    /// Counts an accepted message in everything that limits and measures.
    pub(crate) fn count(&mut self, message: &Arc<Message>, content: u64, body: &[u8]) {
        self.last_seq = self.last_seq.max(message.seq);
        self.pairs.record(pair(&message.number, &message.to), message.accepted_ms);
        self.ledger.record(Arc::clone(message), content, body);
    }

    /// Forgets messages, figures, faults, windows and waiting webhooks; templates on request.
    pub(crate) fn reset(&mut self, templates: bool) {
        self.forget(templates);
        self.faults.clear();
        self.remember(&Line::Reset { templates });
    }

    fn forget(&mut self, templates: bool) {
        self.ledger = Ledger::default();
        self.pairs = PairLimit::default();
        self.windows = Windows::default();
        self.outbox.clear();
        if templates {
            self.templates = Templates::default();
        }
    }

    fn replay(&mut self, line: Line, unfinished: &mut Unfinished) {
        match line {
            Line::Number { id, token } => {
                self.accounts.restore_number(id, token);
            }
            Line::Account { id, token } => self.accounts.restore_account(id, token),
            Line::Template(template) => {
                self.last_seq = self.last_seq.max(template.seq);
                self.templates.insert(template);
            }
            Line::TemplateDeleted { id, at_ms } => self.templates.delete(&id, at_ms),
            Line::Media(info) => {
                self.last_seq = self.last_seq.max(info.seq);
                self.media.restore(info);
            }
            Line::MediaDeleted { id } => {
                self.media.delete(&id);
            }
            Line::Catalog(catalog) => self.catalogs.put(catalog),
            Line::CatalogRemoved { id } => {
                self.catalogs.remove(&id);
            }
            Line::Message { message, content, body } => {
                let message = Arc::new(message);
                self.count(&message, content, body.as_bytes());
                unfinished.messages.insert(message.seq, (message, 0));
            }
            Line::Statuses { acknowledged, at_ms } => {
                for (seq, step) in acknowledged {
                    self.replay_status(seq, step, at_ms, unfinished);
                }
            }
            Line::Hook { id, body, approves } => {
                self.last_hook = self.last_hook.max(id);
                if let Some(template) = approves {
                    self.templates.announced(&template);
                }
                unfinished.hooks.insert(id, Bytes::from(body));
            }
            Line::HookAcknowledged { id } => {
                unfinished.hooks.remove(&id);
            }
            Line::Window { pair, until_ms } => self.windows.open(pair, until_ms),
            Line::Settings(patch) => match self.settings.merged(&patch) {
                Ok(settings) => self.settings = settings,
                Err(error) => tracing::warn!(%error, "journaled settings are not used"),
            },
            Line::Reset { templates } => {
                self.forget(templates);
                *unfinished = Unfinished::default();
            }
        }
    }

    fn replay_status(&mut self, seq: u64, step: u8, at_ms: u64, unfinished: &mut Unfinished) {
        self.ledger.acknowledge(seq, step, at_ms);
        let Some((message, acknowledged)) = unfinished.messages.get_mut(&seq) else { return };
        *acknowledged |= 1 << step;
        if acknowledged.count_ones() as usize == message.plan.len() {
            unfinished.messages.remove(&seq);
        }
    }

    fn resume(&mut self, unfinished: Unfinished, now_ms: u64) {
        if self.webhook_url.is_none() {
            return;
        }
        for (message, acknowledged) in unfinished.messages.into_values() {
            self.outbox.plan(&message, acknowledged);
        }
        for (id, body) in unfinished.hooks {
            self.outbox.push_hook(id, body, now_ms);
        }
        for (id, due_ms) in self.templates.unannounced() {
            self.outbox.plan_approval(id, due_ms);
        }
    }
}
