//! A campaign as its sender's runner sees it, in memory. Lost with the runner: everything of it
//! is in the ledger.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use domain::recipient::State;
use domain::{AccountId, CampaignId, ContactId};
use store::ledger::{Head, Row};

use super::compose::Composer;
use ops::eligibility::Terms;

/// One campaign as its sender's runner sees it.
#[derive(Debug)]
pub(super) struct ActiveCampaign {
    pub(super) campaign: CampaignId,
    pub(super) account: AccountId,
    pub(super) composer: Arc<Composer>,
    pub(super) terms: Arc<Terms>,
    /// How many times contacts had been lost when it started.
    pub(super) losses: Option<u64>,
    /// The ledger has everybody, and nobody is being put back into it.
    pub(super) complete: bool,
    /// Its campaign no longer sends: it goes when its last wave has landed.
    pub(super) leaving: bool,
    /// Blocks that nobody opened yet, those with recipients of an earlier runner first.
    pub(super) unopened: VecDeque<Head>,
    /// Blocks in which only retries wait that are not due yet, by number.
    pub(super) resting: BTreeMap<u64, Head>,
    pub(super) blocks: BTreeMap<u64, Block>,
    /// Blocks that are done, with the latest order to send again that was heeded.
    pub(super) closed: BTreeMap<u64, u64>,
}

/// One open block of a campaign.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) head: Head,
    /// Recipients that were read ahead of the cursor.
    ahead: VecDeque<Row>,
    /// Recipients that are claimed and have no outcome yet.
    pub(super) under_way: usize,
    /// Recipients that wait for a retry.
    pub(super) waiting: usize,
}

/// Recipients that are about to be claimed: the next ones of a block.
#[derive(Debug)]
pub(super) struct Pick {
    pub(super) campaign: CampaignId,
    pub(super) head: Head,
    /// The new cursor.
    pub(super) to: ContactId,
    /// How many rows that takes, those that do not wait included.
    pub(super) taken: usize,
    pub(super) rows: Vec<Row>,
}

impl Block {
    pub(super) fn new(head: Head) -> Self {
        Self { head, ahead: VecDeque::new(), under_way: 0, waiting: 0 }
    }

    /// Whether there are recipients nobody claimed yet.
    pub(super) fn has_unclaimed(&self) -> bool {
        self.head.cursor < self.head.end
    }

    /// Where reading ahead goes on, when there is less than `room`.
    pub(super) fn read_from(&self, room: usize) -> Option<ContactId> {
        let from = self.ahead.back().map_or(self.head.cursor, |row| row.contact);
        (self.ahead.len() < room && from < self.head.end).then_some(from)
    }

    pub(super) fn read_ahead(&mut self, rows: Vec<Row>) {
        self.ahead.extend(rows);
    }

    /// The next recipients, not claimed yet: up to `room` that wait, and those before
    /// them that do not.
    pub(super) fn pick(&self, campaign: CampaignId, room: usize) -> Option<Pick> {
        let mut rows = Vec::new();
        let mut taken: usize = 0;
        for row in &self.ahead {
            if rows.len() == room {
                break;
            }
            taken += 1;
            if row.progress.state == State::Pending {
                rows.push(row.clone());
            }
        }
        let to = self.ahead.get(taken.checked_sub(1)?)?.contact;
        Some(Pick { campaign, head: self.head.clone(), to, taken, rows })
    }

    /// Takes note that what was picked is claimed.
    pub(super) fn claimed(&mut self, pick: &Pick) {
        self.ahead.drain(..pick.taken.min(self.ahead.len()));
        self.head.cursor = pick.to;
        self.under_way += pick.rows.len();
    }

    /// Nothing was there to claim up to the end.
    pub(super) fn exhausted(&mut self) {
        self.head.cursor = self.head.end;
    }

    /// Whether nothing is to be claimed or under way: at most retries wait.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_unclaimed() && self.under_way == 0
    }
}

impl ActiveCampaign {
    /// The first open block with recipients nobody claimed yet.
    pub(super) fn unclaimed(&self) -> Option<u64> {
        self.blocks.iter().find(|(_, block)| block.has_unclaimed()).map(|(number, _)| *number)
    }

    /// Whether somebody is left whom nobody claimed, as far as is known.
    pub(super) fn has_fresh(&self) -> bool {
        !self.unopened.is_empty() || self.unclaimed().is_some()
    }

    /// Whether the next block to open has recipients of an earlier runner, or of an order.
    pub(super) fn has_begun(&self) -> bool {
        self.unopened.front().is_some_and(Head::is_begun)
    }

    /// Whether waves are under way.
    pub(super) fn is_sending(&self) -> bool {
        self.blocks.values().any(|block| block.under_way > 0)
    }

    /// Whether nothing is left to do, now or later.
    pub(super) fn is_done(&self) -> bool {
        self.complete && self.unopened.is_empty() && self.resting.is_empty() && self.blocks.is_empty()
    }

    /// Takes note of a head as it is stored now.
    pub(super) fn see(&mut self, head: Head, now_ms: i64) {
        let number = head.block;
        if self.blocks.contains_key(&number) || self.unopened.iter().any(|known| known.block == number) {
            return;
        }
        let heeded = self.closed.get(&number).is_some_and(|again| *again >= head.again);
        if heeded || head.closed {
            self.closed.insert(number, head.again);
            self.resting.remove(&number);
            return;
        }
        self.closed.remove(&number);
        if head.due_at.is_some_and(|due| due > now_ms) {
            self.resting.insert(number, head);
            return;
        }
        self.resting.remove(&number);
        match head.is_begun() {
            true => self.unopened.push_front(head),
            false => self.unopened.push_back(head),
        }
    }
}
