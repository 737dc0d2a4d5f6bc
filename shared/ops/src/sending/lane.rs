use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::recipient::State;
use domain::{CampaignId, ContactId};
use store::ledger::{Head, Row};

use super::compose::Composer;

/// One campaign as its number's runner sees it.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) campaign: CampaignId,
    pub(super) account: domain::AccountId,
    pub(super) composer: Composer,
    /// Whether the ledger is complete.
    pub(super) planned: bool,
    /// Its campaign no longer sends: it goes when its last wave has landed.
    pub(super) leaving: bool,
    /// Waves under way.
    pub(super) flights: usize,
    pub(super) blocks: BTreeMap<u64, Block>,
}

/// One block of a lane.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) head: Head,
    /// Recipients that were read ahead of the cursor.
    ahead: VecDeque<Row>,
    /// Where each wave under way began: everything before the first is settled.
    under_way: BTreeSet<ContactId>,
    /// Recipients that wait for a retry.
    pub(super) retries: u64,
    /// What the stored head says of `settled` and `retries`.
    written: (ContactId, u64),
}

impl Block {
    pub(super) fn new(head: Head, retries: u64) -> Self {
        let written = (head.settled, head.retries);
        Self { head, ahead: VecDeque::new(), under_way: BTreeSet::new(), retries, written }
    }

    /// Whether the stored head lags behind what is known here.
    pub(super) fn is_unwritten(&self) -> bool {
        self.written != (self.head.settled, self.retries)
    }

    /// Takes note of what the stored head says.
    pub(super) fn stored_as(&mut self, written: (ContactId, u64)) {
        self.written = written;
    }

    pub(super) fn wrote(&mut self) {
        self.written = (self.head.settled, self.retries);
    }

    /// Whether there are recipients nobody claimed yet.
    pub(super) fn has_unclaimed(&self) -> bool {
        self.head.cursor < self.head.end
    }

    /// Where reading ahead goes on, when there is less than a wave.
    pub(super) fn read_from(&self, wave: usize) -> Option<ContactId> {
        let from = self.ahead.back().map_or(self.head.cursor, |row| row.contact);
        (self.ahead.len() < wave && from < self.head.end).then_some(from)
    }

    pub(super) fn read_ahead(&mut self, rows: Vec<Row>) {
        self.ahead.extend(rows);
    }

    /// The next wave, not claimed yet: up to `wave` recipients that wait, and
    /// those before them that do not. Answers also how many rows that takes.
    pub(super) fn peek(&self, wave: usize) -> (Vec<Row>, usize) {
        let mut waiting = Vec::new();
        let mut taken = 0;
        for row in &self.ahead {
            if waiting.len() == wave {
                break;
            }
            taken += 1;
            if row.progress.state == State::Pending {
                waiting.push(row.clone());
            }
        }
        (waiting, taken)
    }

    /// The last of the first `count` rows read ahead.
    pub(super) fn nth(&self, count: usize) -> Option<ContactId> {
        self.ahead.get(count.checked_sub(1)?).map(|row| row.contact)
    }

    /// Takes note that the first `count` rows, up to `to`, are claimed; answers
    /// where the wave began.
    pub(super) fn claimed(&mut self, count: usize, to: ContactId) -> ContactId {
        self.ahead.drain(..count.min(self.ahead.len()));
        let from = std::mem::replace(&mut self.head.cursor, to);
        self.under_way.insert(from);
        self.wrote();
        from
    }

    /// Nothing was there to claim up to `to`.
    pub(super) fn exhausted(&mut self) {
        self.head.cursor = self.head.end;
    }

    /// Takes note that the wave that began after `from` has its outcomes.
    pub(super) fn settled(&mut self, from: ContactId) {
        self.under_way.remove(&from);
        self.head.settled = self.under_way.first().copied().unwrap_or(self.head.cursor);
    }

    /// The head as it is to be written.
    pub(super) fn head_now(&self) -> Head {
        let mut head = self.head.clone();
        head.retries = self.retries;
        head
    }

    pub(super) fn is_idle(&self) -> bool {
        !self.has_unclaimed() && self.under_way.is_empty()
    }
}

impl Lane {
    /// The first block with recipients nobody claimed yet.
    pub(super) fn unclaimed(&self) -> Option<u64> {
        self.blocks.iter().find(|(_, block)| block.has_unclaimed()).map(|(number, _)| *number)
    }

    /// Whether nothing is left to do, now or later.
    pub(super) fn is_done(&self) -> bool {
        self.planned && self.blocks.values().all(|b| b.is_idle() && b.retries == 0)
    }
}
